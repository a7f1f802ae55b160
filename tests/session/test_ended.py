"""Jobs that are over: whoever was not there finds them, and nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async import JobAbandonedError, JobFailedError, SessionClosedError, Status
from tests.session.world import World


async def test_what_ended_while_nobody_was_there_is_found(world: World, tmp_path: Path) -> None:
    """Finished, failed or given up: each handle gives its end at once. What runs is not among them."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    world.syntage.next_job(outcome="failed")
    session = await world.open(store=store)
    failed = await session.fire(world.extraction())
    finished = await session.fire(world.invoices())
    await world.until(lambda: failed.done() and finished.done())
    given_up = await session.fire(world.invoices(1))
    await given_up.abandon()
    world.belvo.next_job(outcome="stuck")
    await session.fire(world.invoices(2))
    await session.close()

    session = await world.open(store=store, webhooks=False)
    before = world.clock.now()
    handles = [handle async for handle in session.ended_jobs()]

    assert [failed.id, finished.id, given_up.id] == [handle.id for handle in handles]
    with pytest.raises(JobFailedError):
        await handles[0]
    assert Status.FINISHED == (await handles[1]).status
    assert await handles[1].results().to_list()
    with pytest.raises(JobAbandonedError):
        await handles[2]
    assert world.clock.now() - before < timedelta(minutes=1)


async def test_only_what_ended_since_an_instant(world: World) -> None:
    """The instant itself counts."""
    session = await world.open()
    ends = []
    for number in range(3):
        ends.append(await (await session.fire(world.extraction(number))))
        await asyncio.sleep(60)

    handles = [handle async for handle in session.ended_jobs(since=ends[1].settled_at)]

    assert [job.id for job in ends[1:]] == [handle.id for handle in handles]


async def test_those_of_other_accounts_are_not_shown(world: World, tmp_path: Path) -> None:
    """A store may be shared; a session sees its own."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    theirs = await world.open(world.syntage_vendor(account="theirs"), store=store)
    await (await theirs.fire(world.extraction()))

    session = await world.open(world.syntage_vendor(account="ours"), store=store)

    assert [] == [handle async for handle in session.ended_jobs()]


async def test_a_closed_session_shows_none(world: World) -> None:
    session = await world.open()
    await session.close()

    with pytest.raises(SessionClosedError):
        async for _ in session.ended_jobs():
            pass
