"""The rules of the park: what an observation is found by, and what gives way when there is no room left."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

from ..jobs import Job, Observation, Reported, Seen, normal_id
from .rules import Bounds

_log = logging.getLogger("belvo_async.stores")

# The part of the park that goes at once. Looking for strangers where nearly all is claimed costs too much to be done
# for each delivery.
AT_ONCE: Final = 100
# At least so many are looked at for strangers before the newest, most of which are, are tried.
LOOK: Final = 64
# A flood is told, not echoed.
TOLD_EVERY: Final = timedelta(minutes=1)


def subject_mark(subject: str) -> bytes:
    """Name a subject in an index: it may be a taxpayer's id, which no column needs to show."""
    return hashlib.blake2b(normal_id(subject).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Label(NamedTuple):
    """What a parked observation is found by, ids in normal form.

    `claim` is the resource a nameless job must have to claim it; with None any may.
    """

    remote_id: str | None
    subject: str | None
    claim: str | None
    is_report: bool


def label_of(seen: Observation) -> Label:
    """Say what an observation is found by."""
    return Label(
        remote_id=None if seen.remote_id is None else normal_id(seen.remote_id),
        subject=None if seen.subject is None else normal_id(seen.subject),
        claim=seen.resource if isinstance(seen, Seen) and seen.adoptable and seen.subject is not None else None,
        is_report=isinstance(seen, Reported),
    )


def claims_of(job: Job) -> Iterator[Label]:
    """What a nameless job could claim, as labels without a remote id: anything, its subject, its resource as well."""
    subject = normal_id(job.task.subject)
    yield Label(None, None, None, is_report=False)
    yield Label(None, subject, None, is_report=False)
    yield Label(None, subject, job.task.resource, is_report=False)


class Load(NamedTuple):
    """How much is parked."""

    number: int
    size: int


class Evicted(NamedTuple):
    """How many were let go: strangers, and those that could have been claimed."""

    strangers: int = 0
    claimable: int = 0


class Evictable(Protocol):
    """What making room asks of a store. Both ways of letting go give how many went."""

    def load(self) -> Load: ...

    def drop_strangers(self, limit: int, *, look: int | None, newest: bool = False) -> int:
        """Let strangers go, of the first or last `look` observations, or of all."""
        ...

    def drop_claimable(self, limit: int) -> int: ...


def evict(park: Evictable, bounds: Bounds) -> Evicted:
    """Let go what the contract says after something was parked."""
    strangers = claimable = 0
    while not bounds.hold(*(load := park.load())):
        excess = max(1, load.number - bounds.count)
        goal = max(excess, load.number // AT_ONCE)
        look = max(LOOK, goal)
        went = park.drop_strangers(goal, look=look) or park.drop_strangers(excess, look=look, newest=True)
        if not went:
            went = park.drop_strangers(goal, look=None)
            # There are no more.
            claimed = park.drop_claimable(goal - went) if went < goal else 0
            claimable += claimed
            if not went + claimed:
                break  # the sums are wrong; what was delivered counts more
        strangers += went
    return Evicted(strangers, claimable)


class Notice:
    """Tells what was let go: at once, then at most once a minute all that went meanwhile, and at the end the rest."""

    def __init__(self) -> None:
        self._untold = Evicted()
        self._again: asyncio.TimerHandle | None = None

    def tell(self, evicted: Evicted) -> None:
        """Add what went, and say so unless something was said lately."""
        if not any(evicted):
            return
        self._untold = Evicted(*map(sum, zip(self._untold, evicted, strict=True)))
        if self._again is None:
            self._tell()

    def close(self) -> None:
        """Tell what is untold. On another loop than the one it was used on, the timer is left to die with that."""
        again, self._again = self._again, None
        if again is not None:
            again.cancel()
        if any(self._untold):
            self._warn()

    def _tell(self) -> None:
        self._again = None
        if any(self._untold):
            self._warn()
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(TOLD_EVERY.total_seconds(), self._tell)

    def _warn(self) -> None:
        untold, self._untold = self._untold, Evicted()
        _log.warning(
            "the park is full: let go of %d early deliveries that no job here waits for, and of %d that a submission "
            "under way might have claimed",
            untold.strangers,
            untold.claimable,
            extra=untold._asdict(),
        )
