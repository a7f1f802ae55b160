"""Submitting: never twice, uncertain when nobody can say, one at a time where the vendor wants that."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer
from belvo_async.errors import StoreError, TransportError, UnsupportedError
from belvo_async.jobs import Job, Misread, Observation, Status, Way, normal_id
from tests.jobs.flat import flat
from tests.tracker.bench import LANE_TASK, MUTE, OPEN, TASK, Bench, accepted, answer, outcome, remote_id, row

CUT = TransportError("cut", maybe_sent=True)


async def test_uncertain_submission_is_found(bench: Bench, tracker: Tracker) -> None:
    """A job whose answer was lost is looked for, and taken over under the vendor's id."""
    bench.replies.append(CUT)
    job = await bench.start(tracker)
    bench.rows = [row(7, "busy", bench.clock)]

    await asyncio.sleep(60)

    kept = await bench.stored(job)
    assert Status.UNCERTAIN is job.status
    assert (Status.RUNNING, remote_id(7)) == (kept.status, kept.remote_id)
    assert 1 == bench.posts


async def test_uncertain_submission_is_given_up_after_two_minutes(bench: Bench, tracker: Tracker) -> None:
    """Absent from the vendor's list for two minutes, a submission stays uncertain and its waiters are told."""
    bench.replies.append(CUT)
    job = await bench.start(tracker)
    began = bench.clock.now()

    settled = await outcome(tracker, job, bench.after(hours=1))

    assert settled
    assert timedelta(minutes=2) <= bench.clock.now() - began < timedelta(minutes=10)
    kept = await bench.stored(job)
    assert (Status.UNCERTAIN, True, 1) == (kept.status, kept.abandoned, bench.posts)


async def test_submission_lost_with_its_process_becomes_uncertain(bench: Bench) -> None:
    """After a restart, a job that may have been sent is never sent again by itself."""

    async def never() -> Answer:
        await asyncio.sleep(3600)
        return accepted(1)

    bench.replies.append(never)
    async with bench.opened() as tracker:
        firing = asyncio.create_task(bench.start(tracker))
        await asyncio.sleep(1)
    job = await firing

    async with bench.opened():
        await asyncio.sleep(9 * 60)

    kept = await bench.stored(job)
    assert (Status.SUBMITTING, Status.UNCERTAIN, 1) == (job.status, kept.status, bench.posts)


async def test_lost_submission_adopts_the_delivery_that_waits_for_it(bench: Bench, tracker: Tracker) -> None:
    """A delivery parked before a lost submission turned uncertain is adopted then."""
    now = bench.clock.now()
    job = Job(id="lost", vendor="mute", account=MUTE.account, task=LANE_TASK, created_at=now)
    job = flat(job, attempted_at=now, next_poll=now + timedelta(minutes=8))
    await bench.store.put(job, expected=None)
    await tracker.receive(MUTE, [async_delivery(bench)])

    await asyncio.sleep(10 * 60)

    assert Status.FINISHED == (await bench.stored(job)).status


async def test_submission_that_adopts_at_once_is_given_as_it_then_is(bench: Bench, tracker: Tracker) -> None:
    """Whoever fired a job whose answer was lost is told of its end, when the delivery came before the loss."""

    async def deliver_and_cut() -> Answer:
        await tracker.receive(MUTE, [async_delivery(bench)])
        raise CUT

    bench.replies.append(deliver_and_cut)

    job = await bench.start(tracker, LANE_TASK)

    assert (Status.FINISHED, await bench.stored(job)) == (job.status, job)


async def test_submission_that_ends_while_its_answer_is_kept_is_given_as_it_then_is(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery may find the job before the park was read for it."""
    read = bench.store.parked

    async def deliver_first(*asked: Any, **options: Any) -> tuple[Observation, ...]:
        monkeypatch.setattr(bench.store, "parked", read)
        await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
        return await read(*asked, **options)

    monkeypatch.setattr(bench.store, "parked", deliver_first)

    job = await bench.start(tracker, LANE_TASK)

    assert (Status.FINISHED, await bench.stored(job)) == (job.status, job)


async def test_delivery_is_not_adopted_while_another_submission_may_own_it(bench: Bench, tracker: Tracker) -> None:
    """A submission whose answer is under way counts when it is asked who can have caused a delivery."""
    now = bench.clock.now()
    uncertain = flat(id="one", vendor="mute", account=MUTE.account, task=LANE_TASK, created_at=now, attempted_at=now)
    uncertain = flat(uncertain, status=Status.UNCERTAIN, next_poll=now + timedelta(minutes=1))
    await bench.store.put(uncertain, expected=None)
    sending = flat(uncertain, id="two", status=Status.SUBMITTING, next_poll=now + timedelta(minutes=8))
    await bench.store.put(sending, expected=None)

    await tracker.receive(MUTE, [async_delivery(bench)])

    assert Status.UNCERTAIN == (await bench.stored(uncertain)).status


async def test_queued_job_is_sent_when_its_lane_frees(bench: Bench, tracker: Tracker) -> None:
    """The second job of a lane leaves at once when the first has ended, not before."""
    await bench.start(tracker, LANE_TASK)
    second = await bench.start(tracker, replace(LANE_TASK, year=2024))
    await asyncio.sleep(600)
    before = bench.posts

    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(0.1)

    assert (1, 2) == (before, bench.posts)
    assert Status.PENDING == (await bench.stored(second)).status


async def test_adopted_job_uses_its_lane(bench: Bench, tracker: Tracker) -> None:
    """A job started elsewhere keeps the next one of its lane waiting as well, until it has ended."""
    adopted = await tracker.adopt("mute", remote_id(7), LANE_TASK, deadline=bench.after(hours=6))
    await bench.start(tracker, replace(LANE_TASK, year=2024))
    before = bench.posts

    await tracker.receive(MUTE, [bench.said(7, Status.FINISHED)])
    await asyncio.sleep(1)

    assert Status.FINISHED == (await bench.stored(adopted)).status
    assert (0, 1) == (before, bench.posts)


async def test_queued_job_is_sent_when_its_lane_expires(bench: Bench, tracker: Tracker) -> None:
    """A lane is held until the holder's deadline, however silent the vendor is."""
    await bench.start(tracker, LANE_TASK, hours=1)
    await bench.start(tracker, replace(LANE_TASK, year=2024))

    await asyncio.sleep(59 * 60)
    before = bench.posts
    await asyncio.sleep(10 * 60)

    assert (1, 2) == (before, bench.posts)


async def test_queued_job_past_its_own_deadline_still_waits_for_its_lane(bench: Bench, tracker: Tracker) -> None:
    """Nobody's patience running out makes two requests of a lane legal."""
    await bench.start(tracker, LANE_TASK, hours=6)
    await bench.start(tracker, replace(LANE_TASK, year=2024), hours=0.1)

    await asyncio.sleep(3600)

    assert 1 == bench.posts


async def test_lane_taken_for_a_withdrawn_job_is_given_back(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job stopped while it was taking its lane does not keep the next one waiting."""
    lease = bench.store.lease

    async def lease_and_stop(key: str, owner: str, **options: object) -> int | None:
        kept = await bench.store.get(owner)
        if kept is not None and kept.task == LANE_TASK:
            await tracker.stop(kept)
            await asyncio.sleep(1)
        return await lease(key, owner, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "lease", lease_and_stop)

    first = await bench.start(tracker, LANE_TASK)
    second = await bench.start(tracker, replace(LANE_TASK, year=2024))

    assert (Status.REJECTED, Status.PENDING) == (first.status, second.status)


async def test_lane_is_freed_when_the_store_is_back(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage right after an end does not keep the lane until the deadline."""
    release, failures = bench.store.release, [1]

    async def release_once_down(key: str, owner: str) -> None:
        if failures:
            failures.pop()
            raise StoreError("switched off")
        await release(key, owner)

    monkeypatch.setattr(bench.store, "release", release_once_down)
    await bench.start(tracker, LANE_TASK)
    await bench.start(tracker, replace(LANE_TASK, year=2024))

    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(5)

    assert 2 == bench.posts


async def test_lane_of_an_ended_job_is_free_though_nobody_gave_it_back(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process killed between an end and the release does not keep the lane until the deadline."""

    async def die(key: str, owner: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(bench.store, "release", die)
    await bench.start(tracker, LANE_TASK)
    await bench.start(tracker, replace(LANE_TASK, year=2024))

    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
    await asyncio.sleep(10 * 60)

    assert 2 == bench.posts


async def test_lane_is_not_handed_to_a_job_that_holds_it(bench: Bench, tracker: Tracker) -> None:
    """A job told to come back later keeps its lane and its pause, whatever ends beside it."""
    bench.replies.append(answer(429, {}, retry_after="600"))
    await bench.start(tracker, LANE_TASK)
    queued = await bench.start(tracker, replace(LANE_TASK, year=2024))
    await tracker.adopt("mute", remote_id(7), replace(LANE_TASK, year=2023), deadline=bench.after(hours=1))

    await tracker.stop(queued)
    await tracker.receive(MUTE, [bench.said(7, Status.FINISHED)])
    await asyncio.sleep(300)
    before = bench.posts
    await asyncio.sleep(310)

    assert (1, 2) == (before, bench.posts)


async def test_job_forgotten_while_it_is_sent_holds_nobody_up(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer to a job that is no longer kept has nowhere to go: its caller is let go, and nothing is repeated."""

    async def slow() -> Answer:
        await asyncio.sleep(5)
        return accepted(1)

    bench.replies.append(slow)
    firing = asyncio.create_task(bench.start(tracker))
    await asyncio.sleep(1)
    await tracker.forget(await anext(bench.store.open_jobs()))

    await asyncio.sleep(10)

    assert firing.done()
    assert not [record.message for record in caplog.records if record.levelno >= logging.WARNING]


async def test_equal_tasks_join(bench: Bench, tracker: Tracker) -> None:
    """Two equal tasks open at once are one job, submitted once."""
    jobs = await asyncio.gather(*(bench.start(tracker) for _ in range(10)))

    assert 1 == len({job.id for job in jobs})
    assert 1 == bench.posts


async def test_queued_job_is_withdrawn_by_stop(bench: Bench, tracker: Tracker) -> None:
    """Stopping a job that was not sent ends it here; nothing is ever sent."""
    await bench.start(tracker, LANE_TASK)
    queued = await bench.start(tracker, replace(LANE_TASK, year=2024))

    stopped = await tracker.stop(queued)
    await asyncio.sleep(7 * 3600)

    assert (Status.REJECTED, "withdrawn") == (stopped.status, stopped.failure and stopped.failure.code)
    assert 1 == bench.posts


async def test_job_sent_meanwhile_is_not_withdrawn(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that loses the race against the submission does not call an accepted job refused."""
    await bench.start(tracker, LANE_TASK)
    queued = await bench.start(tracker, replace(LANE_TASK, year=2024))
    put, races = bench.store.put, [1]

    async def put_late(job: Job, **options: object) -> Job | None:
        if job.status is Status.REJECTED and races:
            races.pop()
            await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])
            await asyncio.sleep(0.005)
        return await put(job, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "put", put_late)

    with pytest.raises(UnsupportedError):
        await tracker.stop(queued)
    await asyncio.sleep(1)

    assert Status.PENDING == (await bench.stored(queued)).status


async def test_certainly_refused_submission_is_tried_again(bench: Bench, tracker: Tracker) -> None:
    """A 429 is no answer to the task: it is sent again when the vendor said, and no earlier."""
    bench.replies.append(answer(429, {}, retry_after="60"))
    job = await bench.start(tracker)

    await asyncio.sleep(59)
    before = bench.posts
    await asyncio.sleep(10)

    kept = await bench.stored(job)
    assert (1, 2) == (before, bench.posts)
    assert (Status.PENDING, 2) == (kept.status, kept.submission.attempts)


async def test_submission_that_was_not_sent_says_why(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for each attempt; while it waits, the job knows the reason, and forgets it once it is accepted."""
    bench.replies += [TransportError("POST /jobs: connection refused", maybe_sent=False)] * 2
    job = await bench.start(tracker)
    waiting = await bench.stored(job)

    await asyncio.sleep(600)

    told = [vars(record) for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["a submission was not accepted; it is tried again: POST /jobs: connection refused"] * 2 == [
        each["message"] for each in told
    ]
    assert [(job.id, "open", "POST /jobs: connection refused")] * 2 == [
        (each["job"], each["vendor"], each["fault"]) for each in told
    ]
    assert [1, 2] == [each["attempt"] for each in told]
    assert "POST /jobs: connection refused" == waiting.submission.doubt
    kept = await bench.stored(job)
    assert (Status.PENDING, None) == (kept.status, kept.submission.doubt)


async def test_submission_without_a_budget_is_tried_again(bench: Bench, tracker: Tracker) -> None:
    """When the store fails where the edge asks for its turn, nothing was sent, and the job is not uncertain."""
    bench.replies.append(StoreError("switched off"))

    job = await bench.start(tracker)
    queued_again = job.is_queued
    await asyncio.sleep(60)

    assert queued_again
    assert Status.PENDING == (await bench.stored(job)).status


async def test_intent_that_cannot_be_kept_is_not_sent(bench: Bench, tracker: Tracker) -> None:
    """With the store down, nothing leaves."""
    bench.store.is_down = True

    with pytest.raises(StoreError):
        await bench.start(tracker)

    assert 0 == bench.posts


async def test_cancelled_caller_leaves_the_submission_alone(bench: Bench, tracker: Tracker) -> None:
    """Once begun, a submission belongs to the tracker."""
    firing = asyncio.create_task(bench.start(tracker))
    await asyncio.sleep(0.005)

    firing.cancel()
    await asyncio.sleep(1)

    jobs = [job async for job in bench.store.open_jobs()]
    assert [Status.PENDING] == [job.status for job in jobs]


async def test_resubmission_is_a_new_job(bench: Bench, tracker: Tracker) -> None:
    """Only for an uncertain job, once, linked from the old one."""
    bench.replies.append(CUT)
    job = await bench.start(tracker)

    first, second = await asyncio.gather(*(tracker.resubmit(job, deadline=bench.after(hours=1)) for _ in range(2)))

    assert first.id == second.id == (await bench.stored(job)).superseded_by
    assert 2 == bench.posts


def async_delivery(bench: Bench) -> Observation:
    return bench.said(9, Status.FINISHED, subject="a", resource="rows", adoptable=True)


async def test_open_vendor_has_no_lanes(bench: Bench, tracker: Tracker) -> None:
    """Different tasks of one subject run side by side where the vendor allows it."""
    await bench.start(tracker, TASK)
    await bench.start(tracker, replace(TASK, year=2024))

    assert 2 == bench.posts
    assert OPEN.lane(TASK) is None


async def test_no_delivery_is_the_only_one_beside_one_that_cannot_be_read(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer release parked it: it may be what the submission caused, and the other somebody else's."""
    bench.replies.append(CUT)
    job = await bench.start(tracker, LANE_TASK)
    adoptable = bench.store.adoptable

    async def with_one_misread(account: str, **wanted: Any) -> tuple[Observation, ...]:
        misread = Misread(way=Way.WEBHOOK, at=bench.clock.now(), misfit="ValidationError")
        return (misread, *(await adoptable(account, **wanted)))

    monkeypatch.setattr(bench.store, "adoptable", with_one_misread)
    await tracker.receive(MUTE, [async_delivery(bench)])
    before = await bench.stored(job)
    monkeypatch.undo()
    await asyncio.sleep(60)

    assert (Status.UNCERTAIN, None) == (before.status, before.remote_id)
    assert remote_id(9) == normal_id((await bench.stored(job)).remote_id or "")


async def test_delivery_of_a_known_job_is_not_adopted(bench: Bench, tracker: Tracker) -> None:
    """What stayed parked although its job is known belongs to that job, and hides no other delivery."""
    now = bench.clock.now()
    owner = Job(id="owner", vendor="mute", account=MUTE.account, task=LANE_TASK, created_at=now)
    owner = replace(owner, status=Status.FINISHED, remote_id=remote_id(9))
    await bench.store.put(owner, expected=None)
    await bench.store.park(MUTE.account, async_delivery(bench))
    uncertain = flat(owner, id="uncertain", status=Status.UNCERTAIN, remote_id=None, attempted_at=now)
    await bench.store.put(flat(uncertain, next_poll=now + timedelta(seconds=5)), expected=None)

    await asyncio.sleep(30)
    before = await bench.stored(uncertain)
    await tracker.receive(MUTE, [replace(async_delivery(bench), remote_id=remote_id(8), delivery_id="d8")])

    assert Status.UNCERTAIN is before.status
    assert (Status.FINISHED, remote_id(8)) == ((kept := await bench.stored(uncertain)).status, kept.remote_id)
