"""The part of `store.py` about a full park: what a delivery costs beside 10,000 that nobody claims, and beside none.

The other application's deliveries are about the same account, and some of them about the link of a submission that is
uncertain. They are adoptable, and come one by one, or fifty at once just ahead of the one that is timed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs_side import Silent
from msgspec.structs import replace
from store_jobs import ACCOUNT, AREA, Extent
from store_servers import SERVERS, on_server, open_store
from table import Row, middle_ratio, span

from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.abc import Store
from belvo_async.jobs import Job, Observation, Polling, Schedule, Seen, Status, Task, Way
from belvo_async.stores import MemoryStore
from belvo_async.stores.sqlite.store import SqliteStore

ONE_BY_ONE = 40
AT_ONCE = 50
LINKS = 20
GOAL = 1.3


class Fetch(Task[object], frozen=True, kw_only=True, tag="benchmark.Parked"):
    link: str

    @property
    def subject(self) -> str:
        return self.link

    @property
    def resource(self) -> str:
        return "INVOICES"


class Side:
    """A tracker on one store, and the jobs that its deliveries end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._vendor: Any = Silent()
        self._last = 0
        self._strangers = 0

    async def open(self, stack: AsyncExitStack, parked: int) -> None:
        """Open the tracker beside an uncertain submission and so many parked deliveries; with none, it stays empty."""
        self._stays_empty = not parked
        tracker = Tracker(
            store=self._store,
            vendors={"benchmark": self._vendor},
            talks={},
            polling=Polling(),
            clock=SystemClock(),
            chance=random.random,
            new_id=lambda: "",
            sweep=False,
        )
        self._tracker = await stack.enter_async_context(tracker)
        lost = replace(_job("lost", 0), status=Status.UNCERTAIN).submitted(attempted_at=datetime.now(UTC))
        await self._store.put(lost, expected=None)
        for _ in range(0, parked, 500):
            await asyncio.gather(*(self._store.park(ACCOUNT, self._stranger()) for _ in range(500)))

    async def time_known(self, count: int, *, ahead: int) -> float:
        """Seconds that the deliveries of known jobs take, each with so many strange ones just ahead of it."""
        seconds = 0.0
        for _ in range(count):
            job = await self._start()
            strangers = [self._stranger() for _ in range(ahead)]
            flood = [asyncio.ensure_future(self._tracker.receive(self._vendor, [seen])) for seen in strangers]
            began = time.perf_counter()
            await self._tracker.receive(self._vendor, [self._said(job.remote_id or "", 0)])
            seconds += time.perf_counter() - began
            await asyncio.gather(*flood)
            if strangers and self._stays_empty:
                await self._store.unpark(ACCOUNT, strangers)
        return seconds

    async def _start(self) -> Job:
        self._last += 1
        job = replace(_job(f"{self._last:032x}", self._last), status=Status.PENDING, remote_id=f"{self._last:032x}")
        await self._store.put(job, expected=None)
        return job

    def _stranger(self) -> Observation:
        self._strangers += 1
        return self._said(f"{(1 << 100) + self._strangers:032x}", self._strangers % LINKS)

    def _said(self, remote_id: str, link: int) -> Observation:
        now = datetime.now(UTC)
        return Seen(
            way=Way.WEBHOOK, at=now, status=Status.FINISHED, remote_id=remote_id, delivery_id=remote_id,
            subject=_link(link), resource="INVOICES", adoptable=True,
        )  # fmt: skip


def _link(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def _job(job_id: str, link: int) -> Job:
    now = datetime.now(UTC)
    return Job(
        id=job_id, vendor="benchmark", account=ACCOUNT, task=Fetch(link=_link(link)), created_at=now,
        deadline=now + timedelta(hours=2), schedule=Schedule(next_poll=now + timedelta(hours=1)),
    )  # fmt: skip


Open = Callable[[str], AbstractAsyncContextManager[Store]]


async def compare(what: str, open_named: Open, extent: Extent) -> list[Row]:
    """The full park and the empty one in turn."""
    async with AsyncExitStack() as stack:
        sides: list[Side] = []
        for name, parked in (("full", extent.parked), ("empty", 0)):
            side = Side(await stack.enter_async_context(open_named(name)))
            await side.open(stack, parked)
            sides.append(side)
        return [
            await _row(f"{what}, a known job's delivery, beside an empty park", sides, ONE_BY_ONE, 0, extent.rounds),
            await _row(
                f"{what}, the same behind {AT_ONCE} strange ones", sides, ONE_BY_ONE // 4, AT_ONCE, extent.rounds
            ),
        ]


async def _row(what: str, sides: Sequence[Side], count: int, ahead: int, rounds: int) -> Row:
    both: list[list[float]] = []
    for number in range(rounds + 1):
        seconds = [0.0, 0.0]
        for index in (0, 1) if number % 2 else (1, 0):
            seconds[index] = await sides[index].time_known(count, ahead=ahead)
        both.append(seconds)
    del both[0]  # warms up
    full, empty = zip(*both, strict=True)
    ours, peer = (span(statistics.median(side) / count) for side in (full, empty))
    ratio = middle_ratio(full, empty)
    return Row(area=AREA, what=what, ours=ours, peer=peer, ratio=ratio, goal=None if ahead else GOAL, at_least=False)


def measure(directory: Path, extent: Extent) -> Iterator[Row]:
    """Each kind of store."""
    yield from asyncio.run(compare("memory", lambda _: MemoryStore(), extent))
    yield from asyncio.run(compare("SQLite", lambda name: SqliteStore(directory / f"{name}.db"), extent))
    for what, url in SERVERS.items():
        yield from on_server(what, lambda full, empty: compare(what, _named(url, full, empty), extent))  # noqa: B023


def _named(url: str, full: str, empty: str) -> Open:
    return lambda side: open_store(url, full if side == "full" else empty)
