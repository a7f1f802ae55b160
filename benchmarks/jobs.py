"""What open jobs cost while nothing happens to them, how fast their awaiters wake, and how few requests they need.

    python benchmarks/jobs.py [--quick]

Waiting: 100,000 open jobs in the tracker with the memory store, against a dictionary and a task per job that sleeps.
Both hold the same Job records, which are left out of the memory; both look at every job once per interval, the looks
cost no request (see `jobs_side.py`). Waking: from the end of `store.put` to the awaiter (`jobs_wake.py`), against the
same by hand and a bare future. Polling: requests until all of 10,000 open Syntage jobs are known to have ended, against
one poll for each (`jobs_polls.py`). Every figure is from fresh processes.
"""

from __future__ import annotations

import statistics
from typing import Any

from apart import ask
from table import Row, Size, middle_ratio, run

AREA = "jobs"
JOBS = 100_000
POLLED = 10_000


def in_turns(rounds: int, jobs: int, interval: float, window: float) -> tuple[list[Any], list[Any]]:
    """What ours and the tasks measured, round by round."""
    arguments = (str(jobs), str(interval), str(window))
    both = [[ask("jobs_side.py", way, *arguments) for way in ("ours", "tasks")] for _ in range(rounds)]
    ours, tasks = zip(*both, strict=True)
    return list(ours), list(tasks)


def waiting(rounds: int, jobs: int, interval: float, window: float) -> list[Row]:
    """Memory and processor time of jobs nothing happens to."""
    ours, tasks = in_turns(rounds, jobs, interval, window)
    rows: list[Row] = []
    for field, what, unit, goal in (
        ("bytes", "memory beside the Job records", " B/job", 0.25),
        ("cpu", f"processor, each looked at every {interval:g} s", " of a core", 0.25),
    ):
        pair = [statistics.median(each[field] for each in side) for side in (ours, tasks)]
        ratio = middle_ratio([each[field] for each in ours], [each[field] for each in tasks])
        shown = [f"{100 * each:.1f} %{unit}" if field == "cpu" else f"{each:,.0f}{unit}" for each in pair]
        name = f"{jobs:,} open jobs, {what}, beside a sleeping task each"
        rows.append(Row(area=AREA, what=name, ours=shown[0], peer=shown[1], ratio=ratio, goal=goal, at_least=False))
    return rows


def waking(rounds: int, wakes: int) -> list[Row]:
    """From the end of a `put` to the awaiter."""
    measured = [ask("jobs_wake.py", str(wakes)) for _ in range(rounds)]
    rows: list[Row] = []
    for side, peer, goal in (
        ("hand", "a future awaited until a deadline, by hand", 0.6),
        ("bare", "a bare future", None),
    ):
        took = [[each[which] for each in measured] for which in ("ours", side)]
        ours, other = map(statistics.median, took)
        ratio = middle_ratio(took[1], took[0])
        what = f"store.put done to awaiter running, rate beside {peer}"
        rows.append(Row(area=AREA, what=what, ours=f"{ours:.1f} us", peer=f"{other:.1f} us", ratio=ratio, goal=goal))
    return rows


def polling(jobs: int) -> Row:
    """Requests of looks. They are counted, not timed: one run is enough."""
    requests = ask("jobs_polls.py", str(jobs))["requests"]
    what = f"requests to see {jobs:,} open Syntage jobs end, beside one poll each"
    return Row(
        area=AREA, what=what, ours=f"{requests:,}", peer=f"{jobs:,}", ratio=requests / jobs, goal=1 / 50, at_least=False
    )


def measure(size: Size = Size.FULL) -> list[Row]:
    """All three parts."""
    parts = waiting(*size.pick((3, JOBS, 10.0, 20.0), (2, JOBS // 5, 2.0, 2.0), (1, 100, 0.2, 0.2)))
    wakes = waking(*size.pick((7, 3_000), (3, 3_000), (1, 50)))
    return [*parts, *wakes, polling(size.pick(POLLED, POLLED, 200))]


if __name__ == "__main__":
    run(measure, "Measure what open jobs cost.")
