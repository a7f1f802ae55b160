"""What may go wrong: by chance (`Faults`, drawn from the seed) or by order (`Scripts`)."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Final

# Faults that strike a request before the vendor looks at it: nothing was accepted.
BEFORE: Final = frozenset({"unsent", "timeout"})
# Faults that strike the answer: the vendor did all its work, the client may not learn of it.
AFTER: Final = frozenset({"lost_202", "bad_gateway", "slow", "cut_body"})


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often each thing goes wrong, as probabilities from 0 to 1.

    Each kind is drawn from its own random stream of the simulator's seed, so switching one on
    does not shift the others. Webhook kinds are drawn per delivery, the rest per request.
    """

    webhook_dropped: float = 0.0  # never sent
    webhook_duplicated: float = 0.0  # sent twice, same body
    webhook_reordered: float = 0.0  # held back, so that a later one arrives first
    webhook_early: float = 0.0  # the job ends and is announced before its 202 goes out
    webhook_forged: float = 0.0  # plus one with a wrong proof, plus one well signed about an unknown job
    lost_202: float = 0.0  # POST accepted, connection cut before the answer
    rate_limited: float = 0.0  # 429
    html_403: float = 0.0  # Belvo's proxy page
    server_error: float = 0.0  # 500, nothing accepted
    slow: float = 0.0  # answered late by `slow_seconds`
    cut_body: float = 0.0  # body of a GET answer cut mid-way
    synchronous: float = 0.0  # Belvo answers with the list although async was asked
    slow_seconds: float = 2.0


NO_FAULTS: Final = Faults()


class Dice:
    """One random stream per purpose, all from one seed."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.faults = faults
        self._seed = seed
        self._streams: dict[str, Random] = {}

    def stream(self, purpose: str) -> Random:
        """Give the stream of a purpose; the same seed and purpose always give the same numbers."""
        if purpose not in self._streams:
            self._streams[purpose] = Random(f"{self._seed}:{purpose}")
        return self._streams[purpose]

    def hit(self, fault: str) -> bool:
        """Draw once for a fault kind."""
        chance: float = getattr(self.faults, fault)
        return self.stream(f"fault:{fault}").random() < chance

    def request_fault(self, method: str, kinds: tuple[str, ...]) -> str | None:
        """Draw every kind that can strike this request; the first that hits is played."""
        only_for = {"lost_202": "POST", "synchronous": "POST", "cut_body": "GET"}
        hits = [kind for kind in kinds if only_for.get(kind, method) == method and self.hit(kind)]
        return hits[0] if hits else None


@dataclass(kw_only=True)
class _PlannedFault:
    fault: str
    method: str | None
    path: str | None
    left: int


class Scripts:
    """Faults ordered for coming requests, oldest first."""

    def __init__(self) -> None:
        self._queue: list[_PlannedFault] = []

    def add(self, fault: str, *, method: str | None, path: str | None, count: int) -> None:
        """Order a fault for the next `count` requests that match; `path` may hold `*`."""
        self._queue.append(_PlannedFault(fault=fault, method=method, path=path, left=count))

    def take(self, method: str, path: str) -> str | None:
        """Use up the oldest script that fits, if any."""
        for script in self._queue:
            if (script.method or method) == method and (script.path is None or fnmatchcase(path, script.path)):
                script.left -= 1
                if script.left <= 0:
                    self._queue.remove(script)
                return script.fault
        return None
