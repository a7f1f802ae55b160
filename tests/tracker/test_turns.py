"""Waiting for a turn: queued until right before the first byte, whatever happens to whom, and sent by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async._tracker.attempts import LOST_AFTER
from belvo_async.abc import Clock
from belvo_async.errors import TransportError
from belvo_async.jobs import Job, Status
from tests.jobs.flat import flat
from tests.tracker.bench import LANE_TASK, MUTE, TASK, Bench, answer
from tests.tracker.view import View

End = Callable[[Bench, Tracker, Job], Awaitable[object]]


@pytest.fixture
def turn() -> asyncio.Event:
    """Set when submissions of the first worker have their turn."""
    return asyncio.Event()


@pytest.fixture
def view(bench: Bench) -> View:
    return View(bench.store)


@pytest.fixture
async def owner(bench: Bench, view: View, turn: asyncio.Event) -> AsyncIterator[Tracker]:
    """A worker that fires, with a long queue; others poll."""
    async with bench.opened(store=view, turn=turn, sweep=False) as tracker:
        yield tracker
        view.thaw()


async def fire(bench: Bench, tracker: Tracker, task: object = TASK) -> Job:
    """Fire a job that has to wait for its turn."""
    firing = asyncio.create_task(bench.start(tracker, task))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    assert not firing.done()
    return next(iter([job async for job in bench.store.open_jobs() if job.task == task]))


def is_mark(job: Job) -> bool:
    return job.status is Status.SUBMITTING and job.submission.attempted_at is not None


async def test_a_job_is_queued_until_it_has_its_turn(bench: Bench, owner: Tracker, turn: asyncio.Event) -> None:
    """That a byte may have left is noted right before it does."""
    job = await fire(bench, owner)
    await asyncio.sleep(180)
    waiting = await bench.stored(job)

    turn.set()
    await asyncio.sleep(1)

    sent = await bench.stored(job)
    assert (True, 0) == (waiting.is_queued, waiting.submission.attempts)
    assert (Status.PENDING, 1, 1) == (sent.status, sent.submission.attempts, bench.posts)
    assert timedelta(seconds=181) == (sent.submission.attempted_at or sent.created_at) - sent.created_at


async def test_one_job_is_written_three_times(bench: Bench, view: View, owner: Tracker, turn: asyncio.Event) -> None:
    """The intent, the mark and the answer: having a turn soon costs nothing more."""
    turn.set()

    await bench.start(owner)

    assert 3 == len(view.puts)


async def test_what_close_finds_in_the_queue_stays_queued(bench: Bench, turn: asyncio.Event) -> None:
    """Closing waits for nobody's turn; whoever fired gets the job, and the next worker sends it."""
    async with bench.opened(turn=turn, sweep=False) as tracker:
        firing = asyncio.create_task(bench.start(tracker))
        await asyncio.sleep(100)
        began = bench.clock.now()
    closed_in = bench.clock.now() - began
    job = await firing

    async with bench.opened():
        await asyncio.sleep(5 * 60)

    assert (True, timedelta(0)) == (job.is_queued, closed_in)
    assert (Status.PENDING, 1) == ((await bench.stored(job)).status, bench.posts)


async def test_what_a_killed_worker_had_queued_is_sent_by_the_next(bench: Bench, view: View, owner: Tracker) -> None:
    """Its jobs look left behind after at most as long again as they had waited."""
    job = await fire(bench, owner)
    await asyncio.sleep(100)
    view.freeze()

    async with bench.opened():
        await asyncio.sleep(3 * 60)

        assert (Status.PENDING, 1) == ((await bench.stored(job)).status, bench.posts)


@pytest.mark.parametrize("minutes", [2, 9, 45])
async def test_a_long_queue_of_a_live_worker_is_left_to_it(
    bench: Bench, owner: Tracker, turn: asyncio.Event, minutes: int
) -> None:
    """Nobody takes over what only waits, or declares it lost."""
    job = await fire(bench, owner)
    async with bench.opened():
        await asyncio.sleep(minutes * 60)
        waiting, before = await bench.stored(job), bench.posts

        turn.set()
        await asyncio.sleep(LOST_AFTER.total_seconds() * 2)

    kept = await bench.stored(job)
    assert (True, 0) == (waiting.is_queued, before)
    assert (Status.PENDING, 1, 1) == (kept.status, kept.submission.attempts, bench.posts)


async def test_what_was_taken_from_a_stopped_worker_is_not_sent_when_it_wakes(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event
) -> None:
    """Past its time it was taken for dead: the job, sent by another, has another version."""
    job = await fire(bench, owner)
    view.freeze()
    async with bench.opened():
        await asyncio.sleep(20 * 60)
        taken = await bench.stored(job)

        view.thaw()
        turn.set()
        await asyncio.sleep(60)

    assert (Status.PENDING, 1) == (taken.status, bench.posts)
    assert taken.remote_id == (await bench.stored(job)).remote_id


async def test_what_another_worker_waits_with_is_sent_by_one_of_them(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event
) -> None:
    """Stopped for a while, a worker finds its job in another's queue. Both get their turn at once."""
    job = await fire(bench, owner)
    view.freeze()
    async with bench.opened(turn=turn):
        await asyncio.sleep(5 * 60)
        view.thaw()
        await asyncio.sleep(5 * 60)

        turn.set()
        await asyncio.sleep(60)

    assert (Status.PENDING, 1) == ((await bench.stored(job)).status, bench.posts)


@pytest.mark.parametrize("minutes", [1, 20])
async def test_a_worker_stopped_between_mark_and_first_byte_sends_nothing(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event, minutes: int
) -> None:
    """When it wakes, the job may have been declared lost, and fired again by its user."""
    job = await fire(bench, owner)
    async with bench.opened():
        view.freeze_at(is_mark)
        turn.set()
        await asyncio.sleep(minutes * 60)
        before = bench.posts
        view.thaw()
        await asyncio.sleep(10 * 60)

    kept = await bench.stored(job)
    expected = (Status.PENDING, 1) if minutes < 8 else (Status.UNCERTAIN, 0)
    assert (0, *expected) == (before, kept.status, bench.posts)


class Sleeper:
    """The clock of a machine that was put to sleep: it goes on where the loop's stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.slept = timedelta(0)

    def now(self) -> datetime:
        return self._clock.now() + self.slept


async def test_a_machine_that_slept_between_mark_and_first_byte_sends_nothing(bench: Bench, view: View) -> None:
    """No timer of it has run out: only the wall clock tells."""
    clock = Sleeper(bench.clock)
    bench.clock = clock  # type: ignore[assignment]

    def sleep(job: Job) -> bool:
        clock.slept += timedelta(minutes=20) if is_mark(job) and not clock.slept else timedelta(0)
        return False

    view.freeze_at(sleep)
    async with bench.opened(store=view) as tracker:
        job = await bench.start(tracker)
        queued = await bench.stored(job)

    assert (True, 0) == (queued.is_queued, bench.posts)


async def stop(bench: Bench, tracker: Tracker, job: Job) -> object:
    return await tracker.stop(job)


async def forget(bench: Bench, tracker: Tracker, job: Job) -> object:
    return await tracker.forget(job)


async def supersede(bench: Bench, tracker: Tracker, job: Job) -> object:
    kept = await bench.stored(job)
    newer = replace(kept, superseded_by="another", abandoned=True, version=kept.version + 1)
    return await bench.store.put(newer, expected=kept.version)


@pytest.mark.parametrize("end", [stop, forget, supersede])
@pytest.mark.parametrize("is_own", [True, False], ids=["here", "elsewhere"])
async def test_a_job_that_is_wanted_no_more_is_never_sent(
    bench: Bench, owner: Tracker, turn: asyncio.Event, end: End, is_own: bool
) -> None:
    """Whoever ends it while it waits for its turn, and wherever: at its turn it is polled again."""
    job = await fire(bench, owner)
    async with bench.opened(turn=turn) as other:
        await asyncio.sleep(60)
        await end(bench, owner if is_own else other, job)

        turn.set()
        await asyncio.sleep(20 * 60)

    assert 0 == bench.posts


async def test_whoever_fired_a_job_that_was_stopped_is_let_go(bench: Bench, owner: Tracker) -> None:
    """It does not stand in the queue for nothing."""
    firing = asyncio.create_task(bench.start(owner))
    await asyncio.sleep(1)

    await owner.stop(await anext(bench.store.open_jobs()))
    await asyncio.sleep(1)

    assert Status.REJECTED is (await firing).status


async def test_a_later_deadline_takes_no_turn_away(bench: Bench, owner: Tracker, turn: asyncio.Event) -> None:
    """Not every new version of a queued job is another's: this one is sent as it then is."""
    job = await fire(bench, owner)
    kept = await bench.stored(job)
    later = replace(kept, deadline=bench.after(hours=12), version=kept.version + 1)
    await bench.store.put(later, expected=kept.version)

    turn.set()
    await asyncio.sleep(1)

    sent = await bench.stored(job)
    assert (Status.PENDING, later.deadline, 1) == (sent.status, sent.deadline, bench.posts)


async def test_a_lane_that_lapsed_in_the_queue_is_not_used_beside_another(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event
) -> None:
    """Its holder was stopped; the lane went to another job, and the first waits for that one to end."""
    job = await fire(bench, owner, LANE_TASK)
    kept = await bench.stored(job)
    assert kept.lane is not None
    view.freeze()
    await bench.store.put(flat(kept, next_poll=None, version=kept.version + 1), expected=kept.version)
    async with bench.opened() as other:
        await asyncio.sleep(7 * 3600)
        second = await bench.start(other, replace(LANE_TASK, year=2024))

        view.thaw()
        turn.set()
        await asyncio.sleep(60)
        before = bench.posts
        await other.receive(MUTE, [bench.said(1, Status.FINISHED)])
        await asyncio.sleep(600)

    assert Status.PENDING is second.status
    assert 1 == before


async def test_a_pause_is_counted_from_the_answer(bench: Bench, turn: asyncio.Event) -> None:
    """A vendor that asks for a minute gets one, however long the request had waited before."""
    bench.replies.append(answer(429, {}, retry_after="60"))
    async with bench.opened(turn=turn) as tracker:
        await fire(bench, tracker)
        await asyncio.sleep(300)
        turn.set()
        await asyncio.sleep(59)
        before = bench.posts
        await asyncio.sleep(10)

    assert (1, 2) == (before, bench.posts)


@pytest.mark.parametrize("done", [True, False])
async def test_a_mark_whose_answer_got_lost_sends_nothing(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event, done: bool
) -> None:
    """Whether it was kept or not: the job is queued again, and sent once, as its first attempt."""
    job = await fire(bench, owner)
    view.cut_at(is_mark, done=done)

    turn.set()
    await asyncio.sleep(1)
    queued, before = await bench.stored(job), bench.posts
    async with bench.opened():
        await asyncio.sleep(60)

    sent = await bench.stored(job)
    assert (True, 0) == (queued.is_queued, before)
    assert (Status.PENDING, 1, 1) == (sent.status, sent.submission.attempts, bench.posts)


async def test_a_lost_mark_takes_no_other_worker_s_away(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event
) -> None:
    """Until the first can say that it sent nothing, another has begun to."""

    async def slow() -> object:
        await asyncio.sleep(300)
        return answer(202, {"id": "r1"})

    bench.replies.append(slow)  # type: ignore[arg-type]
    job = await fire(bench, owner)
    view.cut_at(is_mark, done=False)
    view.freeze_at(is_mark)
    turn.set()

    async with bench.opened():
        await asyncio.sleep(120)
        sending = await bench.stored(job)
        view.thaw()
        await asyncio.sleep(60)
        still, before = await bench.stored(job), bench.posts
        await asyncio.sleep(300)

    assert (sending.submission.sender, sending.submission.attempted_at) == (
        still.submission.sender,
        still.submission.attempted_at,
    )
    assert (False, 1, 1) == (still.is_queued, before, bench.posts)
    assert Status.PENDING is (await bench.stored(job)).status


async def test_a_worker_without_a_network_refuses_nothing_for_the_others(
    bench: Bench, view: View, owner: Tracker, turn: asyncio.Event
) -> None:
    """Three times it could not send: by then the job was sent elsewhere, and its failure says nothing of that."""
    now = bench.clock.now()
    job = flat(id="j", vendor="open", account="open.test#1", task=TASK, created_at=now, attempts=2, next_poll=now)
    await bench.store.put(job, expected=None)
    async with bench.opened(store=view, turn=turn) as poor:
        await asyncio.sleep(1)
        view.freeze()
        async with bench.opened():
            await asyncio.sleep(20 * 60)
            bench.replies.append(TransportError("no network", maybe_sent=False))
            turn.set()
            view.thaw()
            await asyncio.sleep(60)

        assert poor is not None
    assert Status.PENDING is (await bench.stored(job)).status
