"""Sessions whose clock is set while they wait, or was wrong when they ran before."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobTimeoutError, Session, Status
from tests.session.world import World
from tests.virtual_time import VirtualClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def own(clock: VirtualClock) -> VirtualClock:
    """The session's own clock; the vendors keep theirs."""
    return VirtualClock(asyncio.get_running_loop())


def a_session(world: World, own: VirtualClock, **options: Any) -> Session:
    vendors = world.belvo_vendor(), world.syntage_vendor()
    return Session(*vendors, clock=own, chance=random.Random(7), **options)


@pytest.mark.parametrize("by", [-DAY, -HOUR, DAY], ids=str)
async def test_both_vendors_jobs_end(world: World, own: VirtualClock, by: timedelta) -> None:
    """Without any webhook, and whatever way the ends are found out."""
    async with a_session(world, own) as session:
        jobs = [await session.fire(world.extraction()), await session.fire(world.invoices())]
        own.step(by)

        async with asyncio.timeout(3600):
            ended = await asyncio.gather(*jobs)

    assert [Status.FINISHED] * 2 == [job.status for job in ended]


@pytest.mark.parametrize("by", [-DAY, DAY], ids=str)
async def test_a_handle_waits_as_long_as_was_said(world: World, own: VirtualClock, by: timedelta) -> None:
    """Whoever begins to wait after a step has as much time left as before, no more and no less."""
    world.syntage.next_job(outcome="stuck")
    loop = asyncio.get_running_loop()
    async with a_session(world, own) as session:
        began = loop.time()
        job = await session.fire(world.extraction(), deadline=HOUR)
        await asyncio.sleep(600)
        own.step(by)

        with pytest.raises(JobTimeoutError):
            await job

    assert 3600 == pytest.approx(loop.time() - began, abs=5)


async def test_nothing_is_fired_twice_while_the_clock_is_ahead(world: World, own: VirtualClock) -> None:
    """An equal task joins the job, although its deadline seems long past."""
    world.syntage.next_job(outcome="stuck")
    async with a_session(world, own) as session:
        first = await session.fire(world.extraction())
        own.step(DAY)
        at_once = await session.fire(world.extraction())
        own.step(-DAY)
        later = await session.fire(world.extraction())

    assert (first.id, first.id) == (at_once.id, later.id)
    assert 1 == len([each for each in world.syntage.requests if each.method == "POST"])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_what_was_fired_while_the_clock_was_ahead_is_taken_up(
    world: World, own: VirtualClock, kind: str, tmp_path: Path
) -> None:
    """The clock was a day ahead; it is right, and the process started again: the job is polled."""
    store = "memory:" if kind == "memory" else f"sqlite:{tmp_path}/jobs.db"
    own.step(DAY)
    session = a_session(world, own, store=store)
    async with session:
        job = await session.fire(world.extraction())
        await asyncio.sleep(10)
    own.step(-DAY)
    await asyncio.sleep(600)

    async with session, asyncio.timeout(60):
        (handle,) = [each async for each in session.open_jobs()]
        left = handle.deadline - own.now()
        ended = await handle

    assert job.id == ended.id
    assert timedelta(hours=5) < left <= timedelta(hours=6)
