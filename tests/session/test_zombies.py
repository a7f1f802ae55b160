"""Jobs whose end was lost: past their deadline they hold nobody up, and what comes late still finds them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from belvo_async import JobAbandonedError, JobFailedError, JobTimeoutError, Status, UnsupportedError, Way
from tests.session.world import World

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("hours", [1, *(pytest.param(each, marks=pytest.mark.proof) for each in (24, 72))])
async def test_a_dead_request_is_fired_anew_after_its_deadline(world: World, hours: int) -> None:
    """Hours or days later an equal task is a new request; the dead job is linked to its job."""
    session = await world.open(webhooks=False)
    world.belvo.next_job(outcome="stuck")
    dead = await session.fire(world.invoices())
    with pytest.raises(JobTimeoutError):
        await dead
    await asyncio.sleep(hours * 3600)

    again = await session.fire(world.invoices())

    assert dead.id != again.id
    assert again.id == (await session.attach(dead.id)).job.superseded_by


async def test_a_dead_request_holds_its_link_up_to_its_deadline(world: World) -> None:
    """The next request of the link leaves within a second of it."""
    session = await world.open()
    world.belvo.next_job(outcome="failed")
    world.deliver_to(None)
    await session.fire(world.invoices(type="INFLOW"), deadline=HOUR)
    fired_at = world.clock.now()
    await session.fire(world.invoices(type="OUTFLOW"))

    await world.until(lambda: len(world.sent("POST")) == 2, within=2 * HOUR)

    assert HOUR <= world.clock.now() - fired_at < HOUR + timedelta(seconds=2)


async def test_the_latest_deadline_promised_counts(world: World) -> None:
    """`attach(deadline=)` puts it off for the job, awaited or not; a shorter one takes nothing back."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    first = await session.fire(world.invoices(), deadline=HOUR)
    longer = await session.attach(first.id, deadline=3 * HOUR)
    shorter = await session.attach(first.id, deadline=HOUR / 2)

    with pytest.raises(JobTimeoutError):
        await shorter
    await asyncio.sleep(2 * 3600)

    assert longer.deadline == longer.job.deadline
    assert first.id == (await session.fire(world.invoices(), deadline=HOUR / 60)).id


async def test_looking_at_a_job_promises_nothing(world: World) -> None:
    """Somebody who only attaches to tell its status, ever again, keeps no dead job alive."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    first = await session.fire(world.invoices(), deadline=HOUR)
    for _ in range(61):
        await session.attach(first.id)
        await asyncio.sleep(60)

    assert first.job.is_past(world.clock.now())


async def test_giving_up_ends_the_waiting_and_a_late_webhook_still_counts(world: World) -> None:
    """Waiters are told at once; the delivery that comes after all is the end of the job, for every handle."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(minutes=30))
    handle = await session.fire(world.invoices())
    waiter = asyncio.create_task(handle.wait())
    await asyncio.sleep(1)

    job = await handle.abandon()

    with pytest.raises(JobAbandonedError) as told:
        await waiter
    assert ("abandoned", Status.PENDING, job) == (told.value.code, told.value.job.status, told.value.job)
    assert handle.done()
    await asyncio.sleep(3600)
    assert (Status.FINISHED, Way.WEBHOOK) == ((await handle).status, handle.job.settled_by)


async def test_giving_up_sends_the_next_request_of_the_link(world: World) -> None:
    """At once, not when the deadline passes."""
    session = await world.open()
    world.belvo.next_job(outcome="failed")
    world.deliver_to(None)
    first = await session.fire(world.invoices(type="INFLOW"))
    second = await session.fire(world.invoices(type="OUTFLOW"))
    await asyncio.sleep(1800)
    before = len(world.sent("POST"))

    await first.abandon()
    await asyncio.sleep(1)

    assert (1, 2, Status.PENDING) == (before, len(world.sent("POST")), second.status)


@pytest.mark.parametrize("how", ["given up", "past its deadline"])
async def test_a_dead_job_may_be_fired_again_by_its_handle(world: World, how: str) -> None:
    """While it is under way there is nothing to submit again."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    handle = await session.fire(world.invoices(), deadline=HOUR)
    with pytest.raises(UnsupportedError):
        await handle.resubmit()
    if how == "given up":
        await handle.abandon()
    else:
        await asyncio.sleep(3600)

    again = await handle.resubmit()

    assert handle.id != again.id
    assert 2 <= len(world.sent("POST"))


async def test_a_job_given_up_is_adopted_by_its_request_id(world: World) -> None:
    """It is the same job, followed again."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(minutes=30), outcome="failed")
    handle = await session.fire(world.invoices())
    await handle.abandon()

    again = await session.adopt("belvo", handle.job.remote_id, world.invoices())

    assert handle.id == again.id
    with pytest.raises(JobFailedError):
        await again
