"""A store in a new era: what was queued before it began may have been sent, and is looked for instead of being sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.errors import UnsupportedError
from belvo_async.jobs import Job, Status
from tests.tracker.bench import LANE_TASK, MUTE, Bench, answer, outcome, remote_id, row
from tests.troubled_store import TroubledStore

OTHER = replace(LANE_TASK, year=2024)


async def queued(bench: Bench, tracker: Tracker) -> tuple[Job, Job]:
    """A job that holds its lane, and one that waits for it."""
    holder, waiting = await bench.start(tracker, LANE_TASK), await bench.start(tracker, OTHER)
    assert waiting.is_queued
    return holder, waiting


async def test_a_queued_job_of_an_earlier_era_is_not_sent(bench: Bench, tracker: Tracker) -> None:
    """It is uncertain when its turn comes, and says why."""
    holder, waiting = await queued(bench, tracker)
    await bench.store.begin_era()

    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(60)

    kept = await bench.stored(waiting)
    assert 1 == bench.posts
    assert (Status.UNCERTAIN, None) == (kept.status, kept.submission.attempted_at)
    assert "went back" in (kept.submission.doubt or "")
    assert (await bench.stored(holder)).status is Status.FINISHED


async def test_it_is_found_where_it_runs(bench: Bench, tracker: Tracker) -> None:
    """As every uncertain submission: nothing is lost to its waiters."""
    bench.replies.append(answer(429, {}))
    job = await bench.start(tracker)
    assert job.is_queued
    await bench.store.begin_era()
    bench.rows = [row(7, "done", bench.clock)]

    assert await outcome(tracker, job, bench.after(hours=1))

    kept = await bench.stored(job)
    assert (Status.FINISHED, remote_id(7), 1) == (kept.status, kept.remote_id, bench.posts)


async def test_a_job_of_the_new_era_is_sent(bench: Bench, tracker: Tracker) -> None:
    """Only what was there before is in doubt."""
    await bench.store.begin_era()

    job = await bench.start(tracker)

    assert (Status.PENDING, 1, 1) == (job.status, job.era, bench.posts)


async def test_an_era_that_begins_while_an_attempt_is_marked_stops_it(bench: Bench, tracker: Tracker) -> None:
    """The write that marks the attempt shows that the store went back: nothing leaves, and no trace of it stays."""
    store = bench.store
    keep = store.put

    async def put(job: Job, **options: Any) -> Job | None:
        if job.submission.attempted_at is not None and store.era == 0:
            await store.begin_era()
        return await keep(job, **options)

    store.put = put  # type: ignore[method-assign]

    job = await bench.start(tracker)

    kept = await bench.stored(job)
    assert 0 == bench.posts
    assert (Status.UNCERTAIN, None, 0) == (kept.status, kept.submission.attempted_at, kept.submission.attempts)


async def test_stopping_it_does_not_call_it_unsent(bench: Bench, tracker: Tracker) -> None:
    """It may run: only the vendor could stop it, by an id that nobody knows yet."""
    _, waiting = await queued(bench, tracker)
    await bench.store.begin_era()

    with pytest.raises(UnsupportedError, match="uncertain"):
        await tracker.stop(waiting)

    assert Status.UNCERTAIN == (await bench.stored(waiting)).status


async def test_who_knows_its_id_may_adopt_it(bench: Bench, tracker: Tracker) -> None:
    """It is the same job that goes on."""
    _, waiting = await queued(bench, tracker)
    await bench.store.begin_era()

    adopted = await tracker.adopt("mute", remote_id(9), OTHER, deadline=bench.after(hours=1))

    assert (waiting.id, Status.PENDING, remote_id(9)) == (adopted.id, adopted.status, adopted.remote_id)
    assert 1 == bench.posts


async def test_an_uncertain_one_may_be_resubmitted(bench: Bench, tracker: Tracker) -> None:
    """As its user decides: that job is of the present era."""
    _, waiting = await queued(bench, tracker)
    await bench.store.begin_era()
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(60)

    again = await tracker.resubmit(await bench.stored(waiting), deadline=bench.after(hours=1))

    assert (Status.PENDING, 1, 2) == (again.status, again.era, bench.posts)


async def test_a_waiter_follows_a_job_whose_versions_count_anew(bench: Bench, tracker: Tracker) -> None:
    """What is kept is older than what it had been told; the end of that is its end. The vendor's answer is not lost."""
    bench.replies.append(answer(429, {}))
    job = await bench.start(tracker)
    past = await bench.stored(job)
    bench.rows = [row(2, "busy", bench.clock)]
    await asyncio.sleep(timedelta(minutes=5).total_seconds())
    known = await bench.stored(job)
    waiting = asyncio.create_task(outcome(tracker, known, bench.after(hours=5)))
    await asyncio.sleep(timedelta(minutes=30).total_seconds())
    await go_back(bench.store, past)
    await bench.store.begin_era()
    await asyncio.sleep(timedelta(minutes=5).total_seconds())
    reminded = await bench.stored(job)
    bench.rows = [row(2, "done", bench.clock)]

    assert await waiting

    assert (Status.RUNNING, remote_id(2)) == (known.status, known.remote_id)
    assert (Status.RUNNING, remote_id(2)) == (reminded.status, reminded.remote_id)
    assert 2 == bench.posts


async def go_back(store: TroubledStore, past: Job) -> None:
    """The only job is as it was."""
    await store.forget(past.id)
    await store.put(past, expected=None)
