"""How jobs end, or do not: failed, stopped, waiting, partial, silent; and what a deadline means."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from belvo_async import JobFailedError, JobStoppedError, JobTimeoutError, Status, UnsupportedError, VendorError, Way
from tests.session.world import World


@pytest.mark.parametrize("webhooks", [True, False])
@pytest.mark.parametrize(("code", "retryable"), [("sat_unavailable", True), ("invalid_credentials", False)])
async def test_a_failed_extraction_raises(world: World, code: str, retryable: bool, webhooks: bool) -> None:
    """The error carries the vendor's code, and whether the vendor advises to fire again."""
    session = await world.open(webhooks=webhooks)
    world.syntage.next_job(outcome="failed", error_code=code)
    handle = await session.fire(world.extraction())

    with pytest.raises(JobFailedError) as failed:
        await handle

    assert (code, retryable) == (failed.value.code, failed.value.job.failure.retryable)
    assert Way.WEBHOOK if webhooks else Way.POLL == failed.value.job.settled_by
    assert handle.job == failed.value.job


async def test_a_failed_belvo_request_raises(world: World) -> None:
    """A delivery that names our request and holds an error fails the job."""
    session = await world.open()
    world.belvo.next_job(outcome="failed", error_code="institution_down")
    handle = await session.fire(world.invoices())

    with pytest.raises(JobFailedError) as failed:
        await handle

    assert "institution_down" == failed.value.code


async def test_each_await_raises_an_error_of_its_own(world: World) -> None:
    """Tracebacks and notes of one waiter must not grow on another."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    handle = await session.fire(world.extraction())

    errors = await asyncio.gather(handle.wait(), handle.wait(), return_exceptions=True)

    assert [JobFailedError, JobFailedError] == [type(error) for error in errors]
    assert errors[0] is not errors[1]


async def test_a_link_that_breaks_fails_its_job(world: World) -> None:
    """Belvo announces the link, not the job: the next poll of the link fails the job."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    handle = await session.fire(world.invoices())
    await asyncio.sleep(1)

    world.belvo.invalidate_link(world.belvo.links[0], "token_required")

    with pytest.raises(JobFailedError) as failed:
        await handle
    assert "token_required" == failed.value.code


async def test_historical_webhooks_of_the_link_settle_nothing(world: World) -> None:
    """Updates that were not asked for share link and kind with the job, but not its request id."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(minutes=5))
    handle = await session.fire(world.invoices())
    await asyncio.sleep(1)

    world.belvo.emit_historical(world.belvo.links[0])
    await asyncio.sleep(60)

    assert {200} == {delivery.status for delivery in world.belvo.deliveries}
    assert not handle.done()
    assert Way.WEBHOOK == (await handle).settled_by


async def test_a_running_extraction_is_stopped(world: World) -> None:
    """`stop` asks; the end arrives as ever, and what was gathered before stays readable."""
    session = await world.open()
    world.syntage.next_job(outcome="stuck")
    handle = await session.fire(world.extraction())
    await world.until(lambda: handle.status is Status.RUNNING)

    asked = await handle.stop()

    assert Status.STOPPING == asked.status
    with pytest.raises(JobStoppedError) as stopped:
        await handle
    assert Status.STOPPED == stopped.value.job.status
    assert 0 == len(await handle.results().to_list())


async def test_a_waiting_extraction_is_pending_until_cancelled(world: World) -> None:
    """`waiting` is open; stopping what never ran cancels it."""
    session = await world.open()
    world.syntage.next_job(outcome="waiting")
    handle = await session.fire(world.extraction())
    await world.until(lambda: handle.job.vendor_status == "waiting")
    assert Status.PENDING == handle.status

    await handle.stop()

    with pytest.raises(JobStoppedError):
        await handle
    assert "cancelled" == handle.job.vendor_status


async def test_a_queued_request_is_withdrawn(world: World) -> None:
    """What was not sent yet is stopped here: the vendor never hears of it."""
    session = await world.open()
    await session.fire(world.invoices(type="INFLOW"))
    queued = await session.fire(world.invoices(type="OUTFLOW"))

    job = await queued.stop()

    assert (Status.REJECTED, "withdrawn") == (job.status, job.failure.code)
    await asyncio.sleep(300)
    assert 1 == len(world.sent("POST"))


async def test_belvo_cannot_stop(world: World) -> None:
    """Where the vendor has no such call, `stop` says so and the job goes on."""
    session = await world.open()
    handle = await session.fire(world.invoices())

    with pytest.raises(UnsupportedError):
        await handle.stop()

    assert Status.FINISHED == (await handle).status


async def test_stopping_an_ended_job_changes_nothing(world: World) -> None:
    """An end is an end: no request, no error."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    job = await handle
    before = len(world.sent())

    assert job == await handle.stop()
    assert before == len(world.sent())


async def test_a_stop_that_is_refused_tells_why(world: World) -> None:
    """Asking may fail like any request; the job is unchanged then."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    world.syntage.next_answer("forbidden", method="DELETE")

    with pytest.raises(VendorError):
        await handle.stop()

    assert Status.FINISHED == (await handle).status


async def test_a_limited_extraction_is_partial(world: World) -> None:
    """Above the SAT's daily limit the job finishes without all files: it says so, and when to come back."""
    session = await world.open()
    world.syntage.next_job(outcome="rate_limited")

    job = await (await session.fire(world.extraction()))

    assert (Status.FINISHED, True) == (job.status, job.partial)
    assert timedelta(hours=23) < job.retry_at - world.clock.now() <= timedelta(hours=24)


async def test_a_silent_end_is_inferred(world: World) -> None:
    """Its records came and its list stands still for ten minutes: finished, marked as an inference."""
    session = await world.open()
    world.belvo.next_job(outcome="silent")

    job = await (await session.fire(world.invoices()))

    assert (Status.FINISHED, Way.INFERENCE, False) == (job.status, job.settled_by, job.partial)
    assert job.evidence.quiet.count >= 3
    assert job.settled_at - job.evidence.quiet.first_at >= timedelta(minutes=10)


async def test_silence_without_evidence_times_out(world: World) -> None:
    """Nothing tells of an end: every waiter gets a timeout at its deadline, and the job stays as it is."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    handle = await session.fire(world.invoices(), deadline=timedelta(hours=1))

    with pytest.raises(JobTimeoutError) as ended:
        await handle

    assert isinstance(ended.value, TimeoutError)
    assert ("timeout", Status.PENDING) == (ended.value.code, ended.value.job.status)
    assert timedelta(hours=1) <= world.clock.now() - handle.job.created_at < timedelta(hours=1, seconds=5)
    assert not handle.done()


async def test_a_timed_out_job_still_takes_its_webhook(world: World) -> None:
    """A deadline ends the waiting, not the job: the late end is taken and a new wait gets it."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(hours=2))
    handle = await session.fire(world.invoices(), deadline=timedelta(minutes=30))
    with pytest.raises(JobTimeoutError):
        await handle

    again = await session.attach(handle.id)

    assert Way.WEBHOOK == (await again).settled_by
    assert Status.FINISHED == (await handle).status


async def test_polling_outlives_the_deadline(world: World) -> None:
    """Without webhooks the late end is found by polling."""
    session = await world.open(webhooks=False)
    world.syntage.next_job(duration=timedelta(hours=3))
    handle = await session.fire(world.extraction(), deadline=timedelta(minutes=5))
    with pytest.raises(JobTimeoutError):
        await handle

    await asyncio.sleep(4 * 3600)

    assert (Status.FINISHED, Way.POLL) == (handle.status, (await handle).settled_by)


async def test_waiting_may_end_before_the_deadline(world: World) -> None:
    """`wait(timeout)` gives up sooner than the handle; the handle still works."""
    session = await world.open()
    handle = await session.fire(world.extraction())

    with pytest.raises(JobTimeoutError):
        await handle.wait(timedelta(seconds=3))

    assert Status.FINISHED == (await handle.wait(timedelta(hours=1))).status


@pytest.mark.parametrize("timeout", [timedelta(hours=9), timedelta.max], ids=str)
async def test_a_timeout_does_not_outlast_the_deadline(world: World, timeout: timedelta) -> None:
    """The shorter of timeout and deadline counts."""
    session = await world.open()
    world.syntage.next_job(outcome="stuck")
    handle = await session.fire(world.extraction(), deadline=timedelta(minutes=1))
    began = world.clock.now()

    with pytest.raises(JobTimeoutError):
        await handle.wait(timeout)

    assert world.clock.now() - began < timedelta(minutes=2)
