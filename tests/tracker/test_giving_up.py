"""Giving up: a job is closed here, nothing changes at the vendor, and what the vendor says later still counts."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer
from belvo_async.errors import JobAbandonedError, StoreError, TransportError, outcome_error
from belvo_async.jobs import Status, Way
from tests.tracker.bench import LANE_TASK, MUTE, Bench, accepted, outcome, remote_id

NEXT_TASK = replace(LANE_TASK, year=2024)


async def test_job_given_up_tells_its_waiters_and_frees_its_lane(bench: Bench, tracker: Tracker) -> None:
    """At once, and the vendor hears nothing of it."""
    job = await bench.start(tracker, LANE_TASK)
    await bench.start(tracker, NEXT_TASK)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=6)))
    await asyncio.sleep(60)
    before = len(bench.sent)

    given_up = await tracker.abandon(job)
    await asyncio.sleep(0.1)

    kept = await bench.stored(job)
    assert await waiter
    assert isinstance(outcome_error(kept), JobAbandonedError)
    assert (Status.PENDING, False, Way.USER) == (kept.status, kept.is_open, kept.settled_by)
    assert kept == given_up
    assert ["POST"] == [request.method for request in bench.sent[before:]]
    assert "given up here; nothing changes at the vendor" == (await bench.store.timeline(job.id))[-1].note


async def test_job_given_up_is_joined_by_nobody(bench: Bench, tracker: Tracker) -> None:
    """An equal task is a new job, at once."""
    job = await bench.start(tracker)
    await tracker.abandon(job)

    new = await bench.start(tracker)

    assert (job.id != new.id, 2) == (True, bench.posts)


async def test_what_is_parked_about_a_job_comes_before_giving_it_up(bench: Bench, tracker: Tracker) -> None:
    """Its process or its store failed before the end was applied; nobody polls again for one that is given up."""
    job = await bench.start(tracker, LANE_TASK)
    await bench.store.park(MUTE.account, bench.said(1, Status.FINISHED))

    ended = await tracker.abandon(job)

    assert (Status.FINISHED, Way.WEBHOOK, False) == (ended.status, ended.settled_by, ended.abandoned)
    assert () == tuple(await bench.store.parked(MUTE.account, remote_id(1)))


@pytest.mark.parametrize("status", [Status.FINISHED, Status.FAILED, Status.STOPPED], ids=str)
async def test_late_end_of_a_job_given_up_counts(bench: Bench, tracker: Tracker, status: Status) -> None:
    """The vendor's word is taken; its handles know it."""
    job = await bench.start(tracker, LANE_TASK)
    watch = tracker.watch(job)
    await tracker.abandon(job)

    await tracker.receive(MUTE, [bench.said(1, status)])

    assert (status, Way.WEBHOOK) == (watch.job.status, watch.job.settled_by)
    assert await bench.stored(job) == watch.job


async def test_job_given_up_stays_so_while_it_runs(bench: Bench, tracker: Tracker) -> None:
    """Only its end is worth telling who gave it up."""
    job = await bench.start(tracker, LANE_TASK)
    await tracker.abandon(job)

    await tracker.receive(MUTE, [bench.said(1, Status.RUNNING)])

    kept = await bench.stored(job)
    assert (Status.RUNNING, False, Way.USER) == (kept.status, kept.is_open, kept.settled_by)


async def test_job_given_up_can_be_adopted_again(bench: Bench, tracker: Tracker) -> None:
    """By the vendor's id: it is followed and awaited as before, until a deadline of its own."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    await tracker.abandon(job)

    again = await tracker.adopt("mute", remote_id(1), LANE_TASK, deadline=bench.after(hours=2))
    waiter = asyncio.create_task(outcome(tracker, again, bench.after(hours=2)))
    await asyncio.sleep(60)
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])

    assert (job.id, True, bench.after(seconds=-60, hours=2)) == (again.id, again.is_open, again.deadline)
    assert await waiter


async def test_unsent_job_given_up_is_withdrawn(bench: Bench, tracker: Tracker) -> None:
    """Nothing runs at the vendor, and it says so."""
    await bench.start(tracker, LANE_TASK)
    queued = await bench.start(tracker, NEXT_TASK)

    given_up = await tracker.abandon(queued)

    assert (Status.REJECTED, "withdrawn", 1) == (
        given_up.status, given_up.failure and given_up.failure.code, bench.posts
    )  # fmt: skip


async def test_job_given_up_on_its_way_is_not_followed(bench: Bench, tracker: Tracker) -> None:
    """Its answer is kept, for who adopts it or for its webhook."""

    async def slow() -> Answer:
        await asyncio.sleep(5)
        return accepted(1)

    bench.replies.append(slow)
    firing = asyncio.create_task(bench.start(tracker, LANE_TASK))
    await asyncio.sleep(1)
    await tracker.abandon(await anext(bench.store.open_jobs()))
    job = await firing
    await asyncio.sleep(3600)

    kept = await bench.stored(job)
    assert (Status.PENDING, remote_id(1), False, 0) == (kept.status, kept.remote_id, kept.is_open, bench.polls)


async def test_giving_up_an_ended_job_changes_nothing(bench: Bench, tracker: Tracker) -> None:
    job = await bench.start(tracker, LANE_TASK)
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    ended = await bench.stored(job)

    assert ended == await tracker.abandon(job)
    assert ended == await bench.stored(job)


async def test_search_given_up_by_its_user_is_uncertain(bench: Bench, tracker: Tracker) -> None:
    """Who gives up an uncertain submission is told what it is, and that it may run."""
    bench.replies.append(TransportError("cut", maybe_sent=True))
    job = await bench.start(tracker)

    kept = await tracker.abandon(job)

    assert (Status.UNCERTAIN, True) == (kept.status, kept.abandoned)
    assert "SubmissionUncertainError" == type(outcome_error(kept)).__name__


async def test_giving_up_needs_the_store(bench: Bench, tracker: Tracker) -> None:
    """What cannot be kept did not happen."""
    job = await bench.start(tracker, LANE_TASK)
    bench.store.is_down = True

    with pytest.raises(StoreError):
        await tracker.abandon(job)

    bench.store.is_down = False
    assert (await bench.stored(job)).is_open
