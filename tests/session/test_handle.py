"""What a handle does beside being awaited: many waiters, updates, refresh, adopting a job started elsewhere."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from belvo_async import Observation, SessionClosedError, Status, SubmissionUncertainError, TransportError, Way
from belvo_async.jobs import Absent
from tests.session.world import World


async def test_many_waiters_get_one_outcome(world: World) -> None:
    """Any number of tasks may await a handle, any number of times."""
    session = await world.open()
    handle = await session.fire(world.extraction())

    jobs = await asyncio.gather(*(handle.wait() for _ in range(20)))

    assert [handle.job] * 20 == jobs
    assert handle.job == await handle


async def test_cancelling_one_waiter_leaves_the_others(world: World) -> None:
    """A waiter owns nothing but itself."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    impatient, patient = (asyncio.create_task(handle.wait()) for _ in range(2))
    await asyncio.sleep(1)

    impatient.cancel()

    assert Status.FINISHED == (await patient).status
    assert impatient.cancelled()


async def test_wait_for_is_a_cancellation_like_any_other(world: World) -> None:
    """The standard library's own timeouts work, and leave the job alone."""
    session = await world.open()
    handle = await session.fire(world.extraction())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await handle

    assert Status.FINISHED == (await handle).status


async def test_updates_tell_each_step(world: World) -> None:
    """Every observation that changes the job, in order, until it is over."""
    session = await world.open()
    handle = await session.fire(world.extraction())

    seen = [update async for update in handle.updates()]

    assert all(isinstance(update, Observation) for update in seen)
    words = [update.status for update in seen]
    assert (Status.RUNNING, Status.FINISHED) == (words[0], words[-1])
    assert handle.done()


async def test_updates_of_an_ended_job_are_none(world: World) -> None:
    """Updates begin now: of a job that is over, there are none."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    await handle

    assert [] == [update async for update in handle.updates()]


async def test_updates_end_when_a_search_is_given_up(world: World) -> None:
    """An uncertain job whose search ended has nothing more to tell."""
    session = await world.open(webhooks=False)
    world.syntage.next_answer("unsent")
    handle = await session.fire(world.extraction())

    updates = [update async for update in handle.updates()]

    assert isinstance(updates[-1], Absent)
    assert updates[-1].final
    with pytest.raises(SubmissionUncertainError):
        await handle


async def test_updates_end_with_the_session(world: World) -> None:
    """A reader of updates is told that the session closed, as a waiter is."""
    session = await world.open()
    world.syntage.next_job(outcome="stuck")
    handle = await session.fire(world.extraction())

    async def read() -> None:
        async for _ in handle.updates():
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(60)
    await session.close()

    with pytest.raises(SessionClosedError):
        await reading


async def test_refresh_polls_now(world: World) -> None:
    """Who cannot wait for the next poll asks for one."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())
    (running,) = world.syntage.jobs.values()
    await asyncio.sleep(320)
    await world.until(lambda: running.status == "finished")

    job = await handle.refresh()

    assert Status.FINISHED == job.status == handle.status


async def test_refresh_finds_a_lost_submission(world: World) -> None:
    """Of an uncertain job, polling means searching."""
    session = await world.open(webhooks=False)
    world.syntage.next_answer("lost_202")
    handle = await session.fire(world.extraction())

    job = await handle.refresh()

    assert list(world.syntage.jobs) == [job.remote_id]


async def test_a_failed_refresh_says_so(world: World) -> None:
    """The caller asked, so the caller gets the error; the job is unchanged."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())
    world.syntage.next_answer("unsent", method="GET", count=50)
    before = handle.job

    with pytest.raises(TransportError):
        await handle.refresh()

    assert before.status == handle.status


async def test_adopting_tracks_a_job_started_elsewhere(world: World) -> None:
    """By the vendor's id a job becomes ours: it is awaited and read like one that was fired here."""
    elsewhere = await world.open(webhooks=False)
    theirs = [await elsewhere.fire(world.extraction()), await elsewhere.fire(world.invoices())]
    session = await world.open()

    mine = [await session.adopt(each.job.vendor, each.job.remote_id, each.job.task) for each in theirs]

    assert [Status.FINISHED] * 2 == [job.status for job in await asyncio.gather(*mine)]
    assert 2 == len(world.sent("POST"))


async def test_adopting_twice_is_one_job(world: World) -> None:
    """An id that is tracked already is joined, however it is spelled."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    dashed = str(uuid.UUID(handle.job.remote_id))

    again = await session.adopt("belvo", dashed.upper(), world.invoices())

    assert handle.id == again.id


async def test_adopting_what_the_vendor_does_not_know(world: World) -> None:
    """A job the vendor keeps answering 404 for has failed with the code `gone`."""
    session = await world.open(webhooks=False)
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"

    handle = await session.adopt("syntage", unknown, world.extraction(), deadline=timedelta(hours=2))

    with pytest.raises(Exception, match="gone"):
        await handle


async def test_a_delivery_before_the_acceptance_is_not_lost(world: World) -> None:
    """A webhook that overtakes the 202 is kept and applied once the job is known."""
    session = await world.open()
    world.belvo.dice.faults = world.belvo.dice.faults.__class__(webhook_early=1.0)

    handle = await session.fire(world.invoices())

    assert (Status.FINISHED, Way.WEBHOOK) == (handle.status, (await handle).settled_by)
