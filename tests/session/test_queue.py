"""Jobs that wait for their turn: queued, whatever happens to their process, and never posted by two."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Belvo, JobHandle, Polling, Session, Status, Syntage, belvo, syntage
from belvo_async.abc import Vendor
from belvo_async.jobs import Job
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.virtual_time import VirtualClock

# Polls of what runs are of no interest here, and take places of the same budget.
RARELY = Polling(first=timedelta(hours=2), longest=timedelta(hours=2))


class Town:
    """A vendor with subjects for many jobs, a store that outlives its sessions, and sessions one after the other."""

    def __init__(self, vendor: Callable[[], Vendor], tasks: list[Any], origin: Any, store: str, clock: VirtualClock):
        self.vendor = vendor
        self.tasks = tasks
        self.origin = origin
        self.store = store
        self.clock = clock
        self.stack = AsyncExitStack()
        self._seeds = itertools.count(1)

    async def open(self, **options: Any) -> Session:
        options = {"polling": RARELY, "clock": self.clock, "chance": random.Random(next(self._seeds))} | options
        return await self.stack.enter_async_context(Session(self.vendor(), store=self.store, **options))

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.origin.requests)

    async def fire(self, session: Session) -> list[asyncio.Task[JobHandle[Any]]]:
        """Begin to fire every task."""
        return [asyncio.create_task(session.fire(task)) for task in self.tasks]

    async def in_doubt(self, session: Session, handles: list[JobHandle[Any]]) -> list[Job]:
        """The jobs of which nobody can say yet that the vendor has them."""
        jobs = [(await session.attach(handle.id)).job for handle in handles]
        return [job for job in jobs if job.status in (Status.UNCERTAIN, Status.SUBMITTING)]


async def a_belvo(clock: VirtualClock, store: str, stack: AsyncExitStack, links: int = 300) -> Town:
    simulator = await stack.enter_async_context(BelvoSimulator(now=clock.now, links=links, invoices_per_year=1))
    year = {"date_from": date(2025, 1, 1), "date_to": date(2025, 12, 31), "type": "INFLOW"}
    return Town(
        lambda: Belvo(simulator.secret_id, simulator.secret_password, base_url=simulator.url),
        [belvo.Invoices(link=link, **year) for link in simulator.links],  # type: ignore[arg-type]
        simulator,
        store,
        clock,
    )


async def a_syntage(clock: VirtualClock, store: str, stack: AsyncExitStack, entities: int = 200) -> Town:
    simulator = await stack.enter_async_context(
        SyntageSimulator(now=clock.now, entities=entities, answer_delay=timedelta(seconds=2), limits=False)
    )
    return Town(
        lambda: Syntage(simulator.api_key, base_url=simulator.url),
        [syntage.Extraction(entity=entity, extractor="tax_status") for entity in simulator.entities],
        simulator,
        store,
        clock,
    )


VENDORS = {
    "belvo": a_belvo,
    "syntage": a_syntage,
    "belvo: fewer": partial(a_belvo, links=120),
    "syntage: fewer": partial(a_syntage, entities=100),
}


@pytest.fixture(params=["belvo", "syntage"])
async def town(request: pytest.FixtureRequest, clock: VirtualClock, tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        made = await VENDORS[request.param](clock, f"sqlite:{tmp_path / 'jobs.db'}", stack)
        async with made.stack:
            yield made


@pytest.mark.parametrize(
    "town",
    ["belvo: fewer", "syntage: fewer", *(pytest.param(each, marks=pytest.mark.proof) for each in ("belvo", "syntage"))],
    indirect=True,
)
async def test_what_close_finds_in_the_queue_is_sent_by_the_next_session(town: Town) -> None:
    """Of hundreds of jobs, those that had no turn yet are queued: none is in doubt, each is posted once."""
    session = await town.open()
    firing = await town.fire(session)
    await asyncio.sleep(10)
    await session.close()
    handles = await asyncio.gather(*firing)
    posted = town.posts

    session = await town.open()
    await asyncio.sleep(4 * 60)

    total = len(town.tasks)
    assert 0 < posted < total
    assert total - posted == sum(handle.job.is_queued for handle in handles)
    assert total == town.posts
    assert not await town.in_doubt(session, handles)
