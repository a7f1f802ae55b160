"""Clocks that are set, forward or back, and machines that sleep: polls go on, and nothing is concluded from a step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.errors import TransportError
from belvo_async.jobs import Job, Status
from tests.jobs.flat import flat
from tests.tracker.bench import OPEN, TASK, Bench, outcome, remote_id, row
from tests.virtual_time import VirtualClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEPS = [-365 * DAY, -DAY, -HOUR, -10 * MINUTE, -20 * MINUTE // 60, HOUR, DAY, 365 * DAY]


@pytest.fixture
def wall(bench: Bench) -> VirtualClock:
    """The clock that is set."""
    assert isinstance(bench.clock, VirtualClock)
    return bench.clock


@asynccontextmanager
async def within(**span: float) -> AsyncIterator[None]:
    """What happens here takes no longer, by the loop's time."""
    async with asyncio.timeout(timedelta(**span).total_seconds()):
        yield


def submitting(bench: Bench, **facts: float) -> Job:
    """A job that another process is sending since `sent` seconds ago."""
    at = bench.after(seconds=-facts.get("sent", 0))
    job = flat(id="elsewhere", vendor="open", account=OPEN.account, task=TASK, created_at=at, attempts=1)
    return flat(job, attempted_at=at, planned_at=at, next_poll=at + 8 * MINUTE)


@pytest.mark.parametrize("by", STEPS, ids=str)
async def test_polls_go_on(bench: Bench, tracker: Tracker, wall: VirtualClock, by: timedelta) -> None:
    """A step of any size in either direction delays the next poll by seconds."""
    job = await bench.start(tracker)
    await asyncio.sleep(20)
    bench.rows = [row(1, "done", wall)]
    waiting = asyncio.ensure_future(outcome(tracker, job, bench.after(hours=6)))
    await asyncio.sleep(0)

    wall.step(by)

    async with within(seconds=45):
        assert await waiting


async def test_polls_go_on_when_a_short_step_is_undone(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """Forward a day for three seconds: the polls planned meanwhile are not waited for."""
    job = await bench.start(tracker)
    wall.step(DAY)
    await asyncio.sleep(3)
    wall.step(-DAY)
    bench.rows = [row(1, "done", wall)]

    async with within(seconds=45):
        assert await outcome(tracker, job, bench.after(hours=6))


async def test_nothing_set_while_the_clock_was_wrong_survives_a_restart(bench: Bench, wall: VirtualClock) -> None:
    """A process started after the clock was set right polls at once."""
    wall.step(DAY)
    async with bench.opened() as first:
        job = await bench.start(first)
        await asyncio.sleep(300)
    wall.step(-DAY)
    bench.rows = [row(1, "done", wall)]

    async with bench.opened() as second, within(seconds=5):
        assert await outcome(second, job, bench.after(hours=6))


async def test_a_sleeping_machine_polls_when_it_wakes(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """The wall clock jumps, the loop's stood still: what fell due meanwhile is polled, whatever its interval."""
    job = await bench.start(tracker)
    await asyncio.sleep(3 * 3600)
    bench.rows = [row(1, "done", wall)]

    wall.step(8 * HOUR)

    async with within(seconds=31):
        assert await outcome(tracker, job, bench.after(hours=6))


@pytest.mark.parametrize("by", [-DAY, -HOUR, DAY], ids=str)
async def test_awaited_jobs_are_read_again(bench: Bench, wall: VirtualClock, by: timedelta) -> None:
    """Hints get lost; every thirty seconds what is awaited is read again, as the loop counts them."""
    async with bench.opened(sweep=False) as tracker:
        job = await bench.start(tracker)
        waiting = asyncio.ensure_future(outcome(tracker, job, bench.after(hours=6)))
        await asyncio.sleep(1)
        wall.step(by)
        kept = await bench.stored(job)
        ended = flat(kept, status=Status.FINISHED, next_poll=None, version=kept.version + 1)
        await bench.store.put(ended, expected=kept.version)

        async with within(seconds=61):
            assert await waiting


@pytest.mark.parametrize("by", [-DAY, -HOUR, DAY], ids=str)
async def test_hints_are_followed(bench: Bench, tracker: Tracker, wall: VirtualClock, by: timedelta) -> None:
    """A hint after a step causes a poll as soon as one before it."""
    job = await bench.start(tracker)
    await asyncio.sleep(3600)
    await tracker.receive(OPEN, [bench.hint(1)])
    await asyncio.sleep(0.5)
    bench.rows = [row(1, "done", wall)]

    wall.step(by)
    await tracker.receive(OPEN, [bench.hint(1, delivery_id="d2")])

    async with within(seconds=3):
        assert await outcome(tracker, job, bench.after(hours=6))


@pytest.mark.parametrize("by", [-DAY, DAY], ids=str)
async def test_waiters_wait_as_long_as_they_meant_to(
    bench: Bench, tracker: Tracker, wall: VirtualClock, by: timedelta
) -> None:
    """A deadline is a distance once somebody waits for it."""
    job = await bench.start(tracker)
    bench.rows = [row(1, "busy", wall)]
    started = asyncio.get_running_loop().time()
    waiting = asyncio.ensure_future(outcome(tracker, job, bench.after(hours=1)))
    await asyncio.sleep(60)

    wall.step(by)

    assert not await waiting
    assert 3600 == pytest.approx(asyncio.get_running_loop().time() - started, abs=1)


async def test_a_submission_under_way_is_not_lost_by_a_step(bench: Bench, wall: VirtualClock) -> None:
    """Only as much time as the longest submission takes, really passed, says that its process is gone."""
    await bench.store.put(submitting(bench), expected=None)
    async with bench.opened():
        await asyncio.sleep(60)
        wall.step(DAY)
        await asyncio.sleep(6 * 60)
        status = (await bench.stored(submitting(bench))).status
        await asyncio.sleep(8 * 60)

    assert Status.SUBMITTING is status
    assert Status.SUBMITTING is not (await bench.stored(submitting(bench))).status


async def test_a_submission_of_a_clock_ahead_is_not_lost_at_once(bench: Bench, wall: VirtualClock) -> None:
    """Another machine's clock is ahead, its submission under way: when it began nobody knows, so it is waited for."""
    await bench.store.put(submitting(bench, sent=-DAY.total_seconds()), expected=None)
    async with bench.opened():
        await asyncio.sleep(7 * 60)
        status = (await bench.stored(submitting(bench))).status
        await asyncio.sleep(3 * 60)

    assert Status.SUBMITTING is status
    assert Status.SUBMITTING is not (await bench.stored(submitting(bench))).status


async def test_a_submission_lost_in_a_downtime_is_settled_at_once(bench: Bench, wall: VirtualClock) -> None:
    """Who starts an hour after the crash need not wait: its clock was not set."""
    await bench.store.put(submitting(bench, sent=3600), expected=None)
    async with bench.opened():
        await asyncio.sleep(5)

    assert Status.UNCERTAIN is (await bench.stored(submitting(bench))).status


async def test_a_search_is_not_given_up_by_a_step(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """Two minutes of searching are two minutes, not two polls with a step between them."""
    bench.replies.append(TransportError("cut", maybe_sent=True))
    job = await bench.start(tracker)
    await asyncio.sleep(15)

    wall.step(DAY)
    await asyncio.sleep(60)
    searched_on = (await bench.stored(job)).is_open
    await asyncio.sleep(6 * 60)

    assert searched_on
    assert not (await bench.stored(job)).is_open


async def test_no_job_is_gone_by_a_step(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """Thirty minutes without the job are not five polls within a minute."""
    job = await bench.start(tracker)
    await asyncio.sleep(60)

    wall.step(DAY)
    await asyncio.sleep(20 * 60)
    kept = await bench.stored(job)

    assert kept.is_open
    assert kept.evidence.gone_count >= 5


async def test_parked_deliveries_survive_a_step(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """Their age is not believed right after one; it is later on."""
    await tracker.receive(OPEN, [bench.said(7, Status.FINISHED)])
    await asyncio.sleep(50 * 60)

    wall.step(2 * DAY)
    await asyncio.sleep(15 * 60)
    kept = await bench.store.parked(OPEN.account, remote_id(7))
    await asyncio.sleep(2 * 3600)

    assert 1 == len(kept)
    assert () == await bench.store.parked(OPEN.account, remote_id(7))


async def test_a_deadline_set_while_the_clock_was_ahead_comes_back_with_it(
    bench: Bench, tracker: Tracker, wall: VirtualClock
) -> None:
    """Six hours are six hours: nobody joins, or waits behind, a dead job for a day more."""
    wall.step(DAY)
    job = await bench.start(tracker, hours=6)
    await asyncio.sleep(60)

    wall.step(-DAY)
    await asyncio.sleep(60)
    kept = await bench.stored(job)

    assert kept.created_at <= wall.now()
    assert kept.submission.attempted_at is not None
    assert kept.created_at <= kept.submission.attempted_at <= wall.now()
    assert kept.deadline is not None
    assert 6 * HOUR - 5 * MINUTE <= kept.deadline - wall.now() <= 6 * HOUR


async def test_a_slewed_clock_changes_nothing(bench: Bench, tracker: Tracker, wall: VirtualClock) -> None:
    """NTP makes a clock run a thousandth slower or faster, for hours."""
    job = await bench.start(tracker)
    for second in range(3600):
        wall.step(timedelta(milliseconds=1 if second % 1000 < 500 else -1))
        await asyncio.sleep(1)
    polls = bench.polls
    bench.rows = [row(1, "done", wall)]

    assert await outcome(tracker, job, bench.after(minutes=6))
    assert 15 <= polls <= 40
    assert 0 == tracker.context.clock.steps


@pytest.mark.parametrize("ahead", [HOUR, DAY, -HOUR], ids=str)
async def test_two_workers_whose_clocks_disagree_poll_no_more_than_twice_as_often(
    bench: Bench, clock: VirtualClock, ahead: timedelta
) -> None:
    """Each sees the other's plans as past or as doubtful: that must not make them race."""
    async with bench.opened() as alone:
        await bench.start(alone)
        await asyncio.sleep(3600)
    usual, bench.sent = bench.polls, []
    other = Bench(VirtualClock(asyncio.get_running_loop()), bench.store, name="other")
    other.clock.step(ahead)  # type: ignore[attr-defined]
    job = replace(TASK, year=2024)

    async with bench.opened() as here, other.opened():
        await here.submit(job, deadline=bench.after(hours=6))
        await asyncio.sleep(3600)

    # Two jobs are polled now; the older one every five minutes.
    assert bench.polls + other.polls <= 2 * (2 * usual + 12)
