"""Polling jobs no webhook has settled."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async._tracker.context import all_of
from belvo_async.errors import StoreError, TransportError
from belvo_async.jobs import Job, Status, Way
from tests.jobs.flat import flat
from tests.tracker.bench import OPEN, TASK, Bench, answer, outcome, remote_id, row


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(TransportError("cut", maybe_sent=True), id="cut"),
        pytest.param(answer(502), id="gateway"),
        pytest.param(answer(429, {}, retry_after="5"), id="throttled"),
    ],
)
async def test_failed_poll_is_repeated(bench: Bench, tracker: Tracker, fault: object) -> None:
    """A poll that failed says nothing about the job; another one comes."""
    job = await bench.start(tracker)
    bench.replies.append(fault)  # type: ignore[arg-type]
    bench.rows = [row(1, "done", bench.clock)]

    settled = await outcome(tracker, job, bench.after(minutes=5))

    assert settled
    assert (2, Way.POLL) == (bench.polls, (await bench.stored(job)).settled_by)


async def test_throttled_poll_waits_as_long_as_it_was_told(bench: Bench, tracker: Tracker) -> None:
    """`Retry-After` puts the next poll off, further than the schedule would."""
    await bench.start(tracker)
    bench.replies.append(answer(429, {}, retry_after="600"))

    await asyncio.sleep(590)

    assert 1 == bench.polls


async def test_one_poll_serves_all_jobs_due_together(bench: Bench, tracker: Tracker) -> None:
    """Jobs of one age are polled with one list call."""
    jobs = await asyncio.gather(*(bench.start(tracker, replace(TASK, year=2000 + n)) for n in range(50)))
    bench.rows = [row(n + 1, "done", bench.clock) for n in range(50)]

    ends = await asyncio.gather(*(outcome(tracker, job, bench.after(minutes=5)) for job in jobs))

    assert all(ends)
    assert bench.polls <= 2


async def test_many_jobs_share_one_poll(bench: Bench) -> None:
    """However many parts they are claimed in: a page of the vendor's list serves only the poll that reads it."""
    for number in range(2500):
        await bench.store.put(pending(bench, number), expected=None)
    bench.rows = [row(number, "done", bench.clock) for number in range(2500)]

    async with bench.opened():
        await asyncio.sleep(1)

    assert 1 == bench.polls
    assert [] == [job async for job in bench.store.open_jobs()]


def pending(bench: Bench, number: int) -> Job:
    """An accepted job that is due."""
    now = bench.clock.now()
    return flat(
        id=f"known{number}",
        vendor=OPEN.name,
        account=OPEN.account,
        task=replace(TASK, year=number),
        created_at=now,
        status=Status.PENDING,
        remote_id=remote_id(number),
        next_poll=now,
    )


async def test_job_the_vendor_lost_is_gone(bench: Bench, tracker: Tracker) -> None:
    """Five polls over half an hour without a trace of a job end it, and no fewer."""
    job = await bench.start(tracker)
    began = bench.clock.now()

    settled = await outcome(tracker, job, bench.after(hours=3))

    kept = await bench.stored(job)
    assert settled
    assert (Status.FAILED, "gone") == (kept.status, kept.failure and kept.failure.code)
    assert timedelta(minutes=30) <= bench.clock.now() - began < timedelta(minutes=45)


async def test_polls_become_rare(bench: Bench, tracker: Tracker) -> None:
    """A job of a day is polled every few minutes, not every few seconds."""
    await bench.start(tracker, hours=30)
    bench.rows = [row(1, "busy", bench.clock)]

    await asyncio.sleep(24 * 3600)

    assert 24 * 60 / 8 < bench.polls < 24 * 60 / 2


async def test_polls_outlive_the_deadline(bench: Bench, tracker: Tracker) -> None:
    """A passed deadline ends the waiting, not the job."""
    job = await bench.start(tracker, hours=1)
    bench.rows = [row(1, "busy", bench.clock)]
    gave_up = not await outcome(tracker, job, bench.after(hours=1))
    bench.rows = [row(1, "done", bench.clock)]

    await asyncio.sleep(600)

    assert gave_up
    assert Status.FINISHED == (await bench.stored(job)).status


async def test_store_that_fails_once_leaves_no_write_behind(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failed write of a round does not leave its neighbours running on their own."""
    jobs = [await bench.start(tracker, replace(TASK, year=2000 + n)) for n in range(2)]
    bench.rows = [row(n + 1, "done", bench.clock) for n in range(2)]
    put, ended = bench.store.put, []

    async def put_unevenly(job: Job, **options: object) -> Job | None:
        if job.id == jobs[0].id:
            raise StoreError("switched off")
        await asyncio.sleep(5)
        ended.append(job.id)
        return await put(job, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "put", put_unevenly)

    with pytest.raises(StoreError):
        await tracker.poller.poll(tracker.context.vendors["open"], jobs)

    assert [jobs[1].id] == ended


async def test_work_that_is_cancelled_leaves_no_other_behind() -> None:
    """Whatever ends one of many works, the others are done before anybody goes on; then it shows."""
    done: list[int] = []

    async def do(number: int) -> None:
        if number == 3:
            raise asyncio.CancelledError
        await asyncio.sleep(5)
        done.append(number)

    with pytest.raises(asyncio.CancelledError):
        await all_of(range(6), do)

    assert [0, 1, 2, 4, 5] == sorted(done)


async def test_works_end_with_who_waits_for_them() -> None:
    """Cancelling the whole cancels each work, and waits until it has cleaned up."""
    released: list[int] = []

    async def do(number: int) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(1)
            released.append(number)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await all_of(range(3), do)

    assert [0, 1, 2] == sorted(released)


async def test_job_that_falls_due_during_a_sweep_is_not_left_to_the_next(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm of a job that became due while the store was slow is remembered."""
    job = await bench.start(tracker)
    bench.rows = [row(1, "busy", bench.clock)]
    await asyncio.sleep(400)
    next_due, slow = bench.store.next_due, [1]

    async def next_due_slowly(accounts: object) -> object:
        found = await next_due(accounts)  # type: ignore[arg-type]
        if slow:
            slow.pop()
            bench.rows = [row(1, "done", bench.clock)]
            await tracker.receive(tracker.context.vendors["open"], [bench.hint(1)])
            await asyncio.sleep(3)
        return found

    monkeypatch.setattr(bench.store, "next_due", next_due_slowly)
    await asyncio.sleep(31)

    assert not slow
    assert Status.FINISHED == (await bench.stored(job)).status


async def test_refresh_polls_now(bench: Bench, tracker: Tracker) -> None:
    """Asking gives the vendor's word of this moment."""
    job = await bench.start(tracker)
    bench.rows = [row(1, "done", bench.clock)]

    fresh = await tracker.refresh(job)

    assert Status.FINISHED is fresh.status


async def test_delivery_nobody_claims_is_dropped_after_a_day(bench: Bench, tracker: Tracker) -> None:
    """What is parked does not pile up for ever."""
    await tracker.receive(tracker.context.vendors["open"], [bench.said(99, Status.FINISHED)])

    await asyncio.sleep(26 * 3600)

    assert () == await bench.store.parked("open.test#1")


async def test_unreadable_delivery_is_dropped_after_a_month(bench: Bench, tracker: Tracker) -> None:
    """Nor does what was laid aside; a younger one stays."""
    await bench.store.set_aside("open.test#1", b"old", bench.clock.now() - timedelta(days=29))
    await bench.store.set_aside("open.test#1", b"young", bench.clock.now())
    assert 2 == await bench.store.count_aside()

    await asyncio.sleep(26 * 3600)

    assert [b"young"] == [each.body for each in await bench.store.laid_aside()]
