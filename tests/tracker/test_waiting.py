"""Waiting: each for himself, through outages, until the end or the close."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer
from belvo_async.errors import SessionClosedError, StoreError
from belvo_async.jobs import Job, Status
from tests.tracker.bench import OPEN, TASK, Bench, accepted, outcome
from tests.virtual_time import armed_timers


async def test_cancelling_one_waiter_leaves_the_others(bench: Bench, tracker: Tracker) -> None:
    """A cancelled waiter touches neither the job nor those who wait beside it."""
    job = await bench.start(tracker)
    waiters = [asyncio.create_task(outcome(tracker, job, bench.after(hours=1))) for _ in range(3)]
    await asyncio.sleep(1)

    waiters[1].cancel()
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
    told = await asyncio.gather(*waiters, return_exceptions=True)

    assert [True, True] == [told[0], told[2]]
    assert isinstance(told[1], asyncio.CancelledError)


async def test_thousand_waiters_share_one_timer(bench: Bench, tracker: Tracker) -> None:
    """However many wait, for however different times, the loop holds one timer for the tracker."""
    job = await bench.start(tracker)
    until = [bench.after(hours=1, seconds=number) for number in range(1000)]
    waiters = [asyncio.create_task(outcome(tracker, job, each)) for each in until]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert 1 == len(armed_timers())
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
    assert all(await asyncio.gather(*waiters))


async def test_close_wakes_each_waiter_with_an_error_of_its_own(bench: Bench) -> None:
    """One instance raised twice would grow the traceback of both."""
    async with bench.opened() as tracker:
        job = await bench.start(tracker)
        waiters = [asyncio.create_task(outcome(tracker, job, bench.after(hours=1))) for _ in range(5)]
        await asyncio.sleep(1)

    errors = await asyncio.gather(*waiters, return_exceptions=True)

    assert {SessionClosedError} == {type(error) for error in errors}
    assert 5 == len({id(error) for error in errors})


async def test_waiters_outlast_an_outage(bench: Bench, tracker: Tracker) -> None:
    """While the store is down waiters go on waiting; they wake when what settles the job can be kept."""
    job = await bench.start(tracker)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=1)))
    await asyncio.sleep(1)
    bench.store.is_down = True
    with pytest.raises(StoreError):
        await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
    still_waiting = not waiter.done()
    late_waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=1)))
    await asyncio.sleep(60)
    bench.store.is_down = False

    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    assert still_waiting
    assert await waiter
    assert await late_waiter


async def test_waiter_learns_what_another_worker_wrote(bench: Bench, tracker: Tracker) -> None:
    """A job that another process settled wakes the waiters here within a sweep or two."""
    job = await bench.start(tracker)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=1)))
    await asyncio.sleep(90)
    async with bench.opened() as other:
        await other.receive(OPEN, [bench.said(1, Status.FINISHED)])

    await asyncio.sleep(61)

    assert waiter.done()
    assert await waiter


async def test_deadline_is_checked_against_the_store(bench: Bench, tracker: Tracker) -> None:
    """Who gives up just after another process settled the job is told the end, not a timeout."""
    job = await bench.start(tracker)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(seconds=40)))
    await asyncio.sleep(39)
    async with bench.opened() as other:
        await other.receive(OPEN, [bench.said(1, Status.FINISHED)])

    assert await waiter


async def test_search_taken_up_again_does_not_end_the_waiting(bench: Bench, tracker: Tracker) -> None:
    """A job given up and found in the same instant goes on being waited for, not timed out early."""
    job = await bench.start(tracker)
    watch = tracker.watch(job)
    waiter = asyncio.create_task(tracker.settle(watch, until=bench.after(minutes=5)))
    await asyncio.sleep(1)
    lost = replace(watch.job, status=Status.UNCERTAIN, abandoned=True, version=90)
    watch.publish(lost, None)
    watch.publish(replace(lost, status=Status.RUNNING, abandoned=False, version=91), None)

    await asyncio.sleep(60)
    still_waiting = not waiter.done()
    watch.publish(replace(lost, status=Status.FINISHED, abandoned=False, version=92), None)

    assert still_waiting
    assert await waiter


async def test_submission_that_meets_the_close_sends_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose intent is kept while the tracker closes stays queued for the next one."""
    put = bench.store.put

    async def put_slowly(job: Job, **options: object) -> Job | None:
        standing = await put(job, **options)  # type: ignore[arg-type]
        await asyncio.sleep(5)
        return standing

    async with bench.opened() as tracker:
        monkeypatch.setattr(bench.store, "put", put_slowly)
        firing = asyncio.create_task(bench.start(tracker))
        await asyncio.sleep(1)

    job = await firing

    assert job.is_queued
    assert not bench.sent
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("belvo_async")]


async def test_close_gives_a_submission_a_moment(bench: Bench) -> None:
    """An answer that comes within the grace of the close is kept."""

    async def slow() -> Answer:
        await asyncio.sleep(4)
        return accepted(1)

    bench.replies.append(slow)
    async with bench.opened() as tracker:
        firing = asyncio.create_task(bench.start(tracker))
        await asyncio.sleep(1)

    assert Status.PENDING == (await firing).status


async def test_close_that_is_cancelled_leaves_nothing_behind(bench: Bench) -> None:
    """Who is tired of the grace of a close (a second Ctrl-C) ends it at once: nobody waits on, nothing runs on."""

    async def never() -> Answer:
        await asyncio.sleep(3600)
        return accepted(1)

    tracker = await bench.tracker().__aenter__()
    job = await bench.start(tracker)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=1)))
    bench.replies.append(never)
    firing = asyncio.create_task(bench.start(tracker, replace(TASK, year=2024)))
    await asyncio.sleep(1)
    closing = asyncio.create_task(tracker.__aexit__())
    await asyncio.sleep(1)

    closing.cancel()
    told = await asyncio.wait_for(asyncio.gather(waiter, closing, firing, return_exceptions=True), 1)

    assert [SessionClosedError, asyncio.CancelledError] == [type(each) for each in told[:2]]
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("belvo_async")]


async def test_updates_end_with_the_job(bench: Bench, tracker: Tracker) -> None:
    """A reader sees each observation once and then the end."""
    job = await bench.start(tracker, TASK)
    seen = []

    async def read() -> None:
        async for each in tracker.updates(tracker.watch(job)):
            seen.append(each.status)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await tracker.receive(OPEN, [bench.said(1, Status.RUNNING), bench.said(1, Status.FINISHED)])
    await reading

    assert [Status.RUNNING, Status.FINISHED] == seen
