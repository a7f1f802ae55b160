"""Whether this machine is idle enough to measure on: how much of a core each of two processes gets that only count.

    python benchmarks/idle.py

Most areas run a client and a server, so two processes spin at once, for a fixed amount of work each: processor time
over wall time is the share that each gets, and the lesser one counts. The load is told beside it where the system knows
one; it is no judge, since it still remembers the area before.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# About a third of a second on the machines this was written on: many slices of a scheduler.
SPINS = 20_000_000
PROCESSES = 2
# Less than this of a core, and somebody else is at work.
IDLE_SHARE = 0.9
LOOKS_AGAIN_SECONDS = 15.0


@dataclass(frozen=True)
class Probe:
    """What the machine gave: the share of a core, and its load of the last minute, if it tells one."""

    share: float
    load: float | None = None

    @property
    def is_busy(self) -> bool:
        return self.share < IDLE_SHARE

    def __str__(self) -> str:
        if not self.is_busy:
            return f"this machine is idle (a core gives {100 * self.share:.0f} %)"
        load = "" if self.load is None else f"load {self.load:.1f}, "
        return f"this machine is busy ({load}a core gives {100 * self.share:.0f} %): ratios are rough"


def spin(count: int) -> float:
    """The share of a core this process gets while it counts."""
    began, busy = time.perf_counter(), time.process_time()
    for _ in range(count):
        pass
    return (time.process_time() - busy) / (time.perf_counter() - began)


def load() -> float | None:
    """Linux's load of the last minute."""
    path = Path("/proc/loadavg")
    return float(path.read_text(encoding="ascii").split()[0]) if path.exists() else None


def probe(spins: int = SPINS) -> Probe:
    """Look once; takes as long as the spin, and the start of two interpreters."""
    command = [sys.executable, str(Path(__file__)), "--spin", str(spins)]
    spinning = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    shares = [float(each.communicate()[0]) for each in spinning]
    return Probe(min(1.0, *shares), load())


def wait_until_idle(
    seconds: float,
    *,
    look: Callable[[], Probe] = probe,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Probe:
    """Look now and then until the machine is idle, for so long at most; gives the last look."""
    until = clock() + seconds
    while (seen := look()).is_busy and (left := until - clock()) > 0:
        sleep(min(LOOKS_AGAIN_SECONDS, left))
    return seen


if __name__ == "__main__":
    if sys.argv[1:2] == ["--spin"]:
        print(spin(int(sys.argv[2])))
    else:
        print(probe())
