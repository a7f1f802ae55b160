"""What the parts of `store.py` write, and how cases take turns."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from belvo_async.abc import Store
from belvo_async.jobs import Job, Schedule, Status, Task

AREA = "store"
IN_FLIGHT = 256
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ACCOUNT = "https://sandbox.example#1"


class Extent(NamedTuple):
    """How much the parts do: rounds, events of a round, deliveries parked, jobs of a file that is opened anew."""

    rounds: int
    events: int
    parked: int
    open_jobs: int


class Fetch(Task[object], frozen=True, kw_only=True, tag="benchmark.Fetch"):
    link: str
    year: int

    @property
    def subject(self) -> str:
        return self.link

    @property
    def resource(self) -> str:
        return "INVOICES"


def make_jobs(start: int, count: int, *, version: int = 0) -> list[Job]:
    """Jobs as a session writes them when the vendor has accepted them, or later, when they have been looked at."""
    return [
        Job(
            id=f"{number:032x}",
            vendor="benchmark",
            account=ACCOUNT,
            task=Fetch(link=f"{number:08d}-0000-4000-8000-000000000000", year=2025),
            created_at=NOON + timedelta(milliseconds=number),
            key=f"{number:032x}",
            status=Status.PENDING,
            remote_id=f"{number:032x}",
            deadline=NOON + timedelta(hours=2),
            schedule=Schedule(next_poll=NOON + timedelta(milliseconds=number, seconds=version)),
            version=version,
        )
        for number in range(start, start + count)
    ]


class Ours:
    """`put` with so many callers at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, jobs: Sequence[Job]) -> float:
        rest = iter(jobs)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(self._put(rest))
        return time.perf_counter() - began

    async def _put(self, jobs: Iterator[Job]) -> None:
        for job in jobs:
            if await self._store.put(job, expected=job.version - 1 if job.version else None) is not None:
                raise RuntimeError("another job was in the way")


async def write_in_turns(
    ways: Mapping[str, Callable[[list[Job]], Awaitable[float]]], rounds: int, *, turns: int = 1, count: int,
    after: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, list[float]]]:  # fmt: skip
    """Puts a second of inserts and of updates, of each way, turn by turn; a round has so many, the first warms up."""
    speeds = {kind: defaultdict[str, list[float]](list) for kind in ("inserts", "updates")}
    for number in range((rounds + 1) * turns):
        for version, of_ways in enumerate(speeds.values()):
            jobs = make_jobs(number * count, count, version=version)
            # Going backwards every other time favours none.
            for name in sorted(ways, reverse=bool(number % 2)):
                gc.collect()
                seconds = await ways[name](jobs)
                if number >= turns:
                    of_ways[name].append(count / seconds)
            after()
    return {**speeds}
