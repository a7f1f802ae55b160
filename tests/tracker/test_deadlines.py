"""Deadlines: the latest promised to anybody counts; past it, a job is joined by nobody and holds no lane."""

from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer
from belvo_async.errors import StoreError, TransportError
from belvo_async.jobs import Job, Status
from tests.tracker.bench import LANE_TASK, MUTE, Bench, accepted, outcome

NEXT_TASK = replace(LANE_TASK, year=2024)
CUT = TransportError("cut", maybe_sent=True)


async def notes(bench: Bench, job: Job) -> list[str]:
    """What the timeline says in our own words."""
    return [seen.note for seen in await bench.store.timeline(job.id) if seen.note]


# Joining


async def test_job_past_its_deadline_is_joined_by_nobody(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """The next equal task is a new job; log and both timelines say why, and each job names the other."""
    old = await bench.start(tracker, LANE_TASK, hours=1)
    await asyncio.sleep(3600)

    with caplog.at_level(logging.WARNING, "belvo_async"):
        new = await bench.start(tracker, LANE_TASK)

    kept = await bench.stored(old)
    assert (Status.PENDING, 2) == (new.status, bench.posts)
    assert (Status.PENDING, True, new.id) == (kept.status, kept.is_open, kept.superseded_by)
    told = [f"past its deadline: job {new.id} is started anew", f"job {new.id} is sent on the same lane"]
    assert told == await notes(bench, old)
    assert [f"started anew: the equal job {old.id} is past its deadline"] == await notes(bench, new)
    told = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert ["an equal job is past its deadline; a new one is started"] == told


async def test_job_is_joined_up_to_its_deadline(bench: Bench, tracker: Tracker) -> None:
    """Until then nothing is sent twice, and joining puts the deadline off."""
    first = await bench.start(tracker, LANE_TASK, hours=1)
    await asyncio.sleep(3590)

    second = await bench.start(tracker, LANE_TASK, hours=2)

    assert (first.id, 1) == (second.id, bench.posts)
    assert bench.after(hours=2) == (await bench.stored(first)).deadline


async def test_many_at_once_start_one_new_job(bench: Bench, tracker: Tracker) -> None:
    """Whoever comes first starts anew, the others join that one."""
    await bench.start(tracker, LANE_TASK, hours=1)
    await asyncio.sleep(2 * 3600)

    jobs = await asyncio.gather(*(bench.start(tracker, LANE_TASK) for _ in range(10)))

    assert (1, 2) == (len({job.id for job in jobs}), bench.posts)


async def test_late_delivery_finds_the_job_past_its_deadline(bench: Bench, tracker: Tracker) -> None:
    """Both jobs are followed: each gets the end its own run has."""
    old = await bench.start(tracker, LANE_TASK, hours=1)
    await asyncio.sleep(3 * 3600)
    new = await bench.start(tracker, LANE_TASK)

    await tracker.receive(MUTE, [bench.said(1, Status.FAILED)])
    await tracker.receive(MUTE, [bench.said(2, Status.FINISHED)])

    assert [Status.FAILED, Status.FINISHED] == [(await bench.stored(job)).status for job in (old, new)]


async def test_unsent_job_past_its_deadline_is_not_sent_beside_the_new_one(bench: Bench, tracker: Tracker) -> None:
    """Two equal tasks, one request: what was never sent is withdrawn."""
    await bench.start(tracker, LANE_TASK)
    old = await bench.start(tracker, NEXT_TASK, hours=1)
    await asyncio.sleep(2 * 3600)

    new = await bench.start(tracker, NEXT_TASK)
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(600)

    kept = await bench.stored(old)
    assert (Status.REJECTED, "withdrawn") == (kept.status, kept.failure and kept.failure.code)
    assert (Status.PENDING, 2) == ((await bench.stored(new)).status, bench.posts)


async def test_job_nobody_can_tell_about_is_joined_past_its_deadline(bench: Bench, tracker: Tracker) -> None:
    """Starting it anew could run it twice: that is for the user to decide, once its search is given up."""
    bench.replies.append(CUT)
    first = await bench.start(tracker, LANE_TASK, hours=0.1)
    await asyncio.sleep(400)
    second = await bench.start(tracker, LANE_TASK)
    before = bench.posts
    await asyncio.sleep(20 * 60)

    third = await bench.start(tracker, LANE_TASK)

    assert (first.id, 1) == (second.id, before)
    assert (Status.PENDING, 2) == (third.status, bench.posts)


async def test_job_on_its_way_is_joined_past_its_deadline(bench: Bench, tracker: Tracker) -> None:
    """Its request may be accepted any moment."""

    async def slow() -> Answer:
        await asyncio.sleep(120)
        return accepted(1)

    bench.replies.append(slow)
    firing = asyncio.create_task(bench.start(tracker, hours=0.01))
    await asyncio.sleep(60)

    second = await bench.start(tracker)

    assert ((await firing).id, 1) == (second.id, bench.posts)


# Which deadline counts


async def test_waiting_longer_puts_the_deadline_off(bench: Bench, tracker: Tracker) -> None:
    """Whoever waits was promised to; afterwards the job is as dead as before."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=3)))
    await asyncio.sleep(2 * 3600)
    joined = await bench.start(tracker, LANE_TASK, hours=0.5)
    await asyncio.sleep(1.1 * 3600)

    new = await bench.start(tracker, LANE_TASK)

    assert not await waiter
    assert job.id == joined.id != new.id


async def test_waiting_less_takes_no_promise_back(bench: Bench, tracker: Tracker) -> None:
    """The shorter patience of one is no reason to give up for another."""
    job = await bench.start(tracker, LANE_TASK, hours=3)

    await outcome(tracker, job, bench.after(hours=1))
    await bench.start(tracker, LANE_TASK, hours=0.1)

    assert job.deadline == (await bench.stored(job)).deadline


async def test_promise_outlives_its_process(bench: Bench) -> None:
    """A deadline that was put off is kept in the store."""
    async with bench.opened() as tracker:
        job = await bench.start(tracker, LANE_TASK, hours=1)
        await tracker.promise(job, bench.after(hours=6))

    await asyncio.sleep(2 * 3600)
    async with bench.opened() as tracker:
        assert job.id == (await bench.start(tracker, LANE_TASK, hours=1)).id


async def test_thousand_waiters_write_one_promise(bench: Bench, tracker: Tracker) -> None:
    """Each is told at its own time; the job is written once for all."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    waiters = [
        asyncio.create_task(outcome(tracker, job, bench.after(hours=2, milliseconds=-number % 900)))
        for number in range(1000)
    ]
    await asyncio.sleep(1)

    # One more may be due to a poll.
    assert (await bench.stored(job)).version <= job.version + 2
    for waiter in waiters:
        waiter.cancel()


async def test_waiting_goes_on_while_no_promise_can_be_kept(bench: Bench, tracker: Tracker) -> None:
    """A store that is down costs the promise, not the waiter."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    bench.store.is_down = True
    waiter = asyncio.create_task(outcome(tracker, job, bench.after(hours=3)))
    await asyncio.sleep(10)
    bench.store.is_down = False

    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])

    assert await waiter


async def test_deadline_put_off_while_it_is_sent_stops_nothing(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that another caller joins at the moment of its submission is sent all the same, once."""
    lease = bench.store.lease

    async def lease_and_join(key: str, owner: str, **options: object) -> int | None:
        kept = await bench.store.get(owner)
        if kept is not None and kept.is_queued:
            await tracker.promise(kept, bench.after(hours=9))
        return await lease(key, owner, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "lease", lease_and_join)

    job = await bench.start(tracker, LANE_TASK)

    assert (Status.PENDING, 1) == (job.status, bench.posts)


# The lane


async def test_next_of_a_lane_leaves_the_moment_the_deadline_passes(bench: Bench, tracker: Tracker) -> None:
    """However long it has waited and however seldom it polls by itself."""
    await bench.start(tracker, LANE_TASK, hours=3)
    await bench.start(tracker, NEXT_TASK)
    await asyncio.sleep(3 * 3600 - 1)
    before = bench.posts

    await asyncio.sleep(2)

    assert (1, 2) == (before, bench.posts)


async def test_short_deadline_holds_its_lane_no_longer(bench: Bench, tracker: Tracker) -> None:
    """Not even for the time a submission may take: it was answered."""
    await bench.start(tracker, LANE_TASK, hours=1 / 30)
    await bench.start(tracker, NEXT_TASK)
    await asyncio.sleep(119)
    before = bench.posts

    await asyncio.sleep(2)

    assert (1, 2) == (before, bench.posts)


async def test_nothing_is_promised_whose_lane_cannot_be_kept(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is waited for longer than it holds its lane would let another request into it."""
    job = await bench.start(tracker, LANE_TASK, hours=1)

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("switched off")

    monkeypatch.setattr(bench.store, "lease", fail)
    with pytest.raises(StoreError, match="switched off"):
        await tracker.promise(job, bench.after(hours=6))

    assert job.deadline == (await bench.stored(job)).deadline


async def test_nothing_is_promised_whose_lane_cannot_be_kept_once_it_is_sent(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queued job holds its lane by itself; one that was sent while it was promised more must keep it first."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    queued = replace(job, status=Status.SUBMITTING, remote_id=None, version=job.version - 1).submitted(
        attempted_at=None
    )

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("switched off")

    monkeypatch.setattr(bench.store, "lease", fail)
    with pytest.raises(StoreError, match="switched off"):
        await tracker.promise(queued, bench.after(hours=6))

    assert job.deadline == (await bench.stored(job)).deadline


async def test_lane_is_held_as_long_as_somebody_was_promised(bench: Bench, tracker: Tracker) -> None:
    """A deadline that was put off keeps the next one waiting until it passes."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    await bench.start(tracker, NEXT_TASK)
    await tracker.promise(job, bench.after(hours=2))
    await asyncio.sleep(2 * 3600 - 1)
    before = bench.posts

    await asyncio.sleep(2)

    assert (1, 2) == (before, bench.posts)


async def test_lane_that_was_lost_is_not_taken_back(bench: Bench, tracker: Tracker) -> None:
    """Waiting anew for a job past its deadline holds nobody up: it is waited for, not served."""
    job = await bench.start(tracker, LANE_TASK, hours=1)
    await asyncio.sleep(3601)
    await tracker.promise(await bench.stored(job), bench.after(hours=6))

    await bench.start(tracker, NEXT_TASK)

    assert 2 == bench.posts
