"""One odd row, one odd job, one mistake in reading: the others of the account are settled all the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Conversation
from belvo_async.errors import RateLimitError
from belvo_async.jobs import Found, Job, Misread, Observation, Seen, Status, Way
from tests.simulation.dialect import OpenVendor
from tests.tracker.bench import OPEN, TASK, Bench, answer, outcome, row


class OddVendor(OpenVendor):
    """Goes wrong in its own code, whenever a poll concerns the job of one year."""

    odd_year = 2000

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        seen = yield from super().poll(jobs, now)
        if any(job.task.year == self.odd_year for job in jobs):
            raise OverflowError("date value out of range: 31/12/9999")
        return seen


async def test_a_mistake_about_one_job_does_not_stop_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are polled one by one, some at a time; the log names the kind of error, and no value."""
    tracker = bench.tracker()
    monkeypatch.setitem(tracker.context.vendors, "open", OddVendor())  # type: ignore[arg-type]
    async with tracker:
        jobs = [await bench.start(tracker, replace(TASK, year=2000 + each)) for each in range(50)]
        bench.rows = [row(each + 1, "done", bench.clock) for each in range(50)]

        ends = [await outcome(tracker, job, bench.after(minutes=30)) for job in jobs]

    assert all(ends)
    assert any("(OverflowError)" in each.getMessage() for each in caplog.records)
    assert "9999" not in caplog.text
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_a_row_that_cannot_be_taken_in_hides_no_other(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning a poll, with the kind of error; the job of that row is polled again."""
    jobs = [await bench.start(tracker, replace(TASK, year=2000 + each)) for each in range(3)]
    apply = tracker.reconciler.apply

    async def apply_oddly(job: Job, seen: Observation) -> Job:
        if job.id == jobs[0].id and bench.clock.now() < began + timedelta(minutes=10):
            raise OverflowError("secret")
        return await apply(job, seen)

    began = bench.clock.now()
    monkeypatch.setattr(tracker.reconciler, "apply", apply_oddly)
    bench.rows = [row(each + 1, "done", bench.clock) for each in range(3)]

    late = [await outcome(tracker, job, bench.after(minutes=1)) for job in jobs]
    then = await outcome(tracker, jobs[0], bench.after(minutes=30))

    assert ([False, True, True], True) == (late, then)
    assert "secret" not in caplog.text


async def test_what_a_dialect_could_not_read_is_told_once_a_poll(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many rows of a page are odd."""
    vendor = tracker.context.vendors["open"]

    def poll(jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        yield from ()
        return tuple(Misread(way=Way.POLL, at=now, misfit=f"TypeError at $[{each}]") for each in range(9))

    monkeypatch.setattr(vendor, "poll", poll)
    job = await bench.start(tracker)

    await tracker.poller.poll(vendor, [await bench.stored(job)])

    (told,) = [each for each in caplog.records if "part of a poll" in each.msg]
    assert ("TypeError at $[0]", 9) == (told.__dict__["misfit"], told.__dict__["count"])


async def test_what_names_no_job_is_about_none(bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not about one either that has no name: nothing was learned of it, and it is polled again."""
    vendor = tracker.context.vendors["open"]

    def poll(jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        yield from ()
        return (Found(way=Way.POLL, at=now, subject="a"), Misread(way=Way.POLL, at=now, misfit="TypeError at $"))

    applied: list[Observation] = []

    async def apply(job: Job, seen: Observation) -> Job:
        applied.append(seen)
        return job

    job = await bench.stored(await bench.start(tracker))
    nameless = replace(job, id="nameless", key="", remote_id=None, version=0)
    await bench.store.put(nameless, expected=None)
    monkeypatch.setattr(vendor, "poll", poll)
    monkeypatch.setattr(tracker.reconciler, "apply", apply)

    await tracker.poller.poll(vendor, [job, nameless])

    assert [] == applied
    for before in (job, nameless):
        assert before.version + 1 == (await bench.stored(before)).version


@pytest.mark.parametrize("at", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)], ids=["max", "min"])
async def test_absurd_instants_of_a_vendor_end_no_poll(bench: Bench, tracker: Tracker, at: datetime) -> None:
    """Whatever a dialect passes on."""
    job = await bench.start(tracker)
    seen = bench.said(1, Status.FINISHED, retry_at=at, partial=True)

    await tracker.receive(OPEN, [seen])  # type: ignore[arg-type]

    assert (Status.FINISHED, at) == ((await bench.stored(job)).status, (await bench.stored(job)).retry_at)


@pytest.mark.parametrize("wait", [timedelta.max, timedelta.min, timedelta(0)], ids=str)
async def test_absurd_waits_end_no_poll(bench: Bench, tracker: Tracker, wait: timedelta) -> None:
    """A rate limit of ages is no reason to fail; nor is one of less than nothing."""
    job = await bench.start(tracker)
    bench.replies.append(RateLimitError("slow down", status_code=429, retry_after=wait))

    await asyncio.sleep(60)

    kept = await bench.stored(job)
    assert kept.schedule.polls > job.schedule.polls
    assert kept.schedule.next_poll is not None
    assert kept.schedule.next_poll > bench.clock.now()


async def test_an_odd_parked_delivery_does_not_stop_the_polls(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is dropped, and told; the jobs of the account are polled."""
    job = await bench.start(tracker)
    bench.rows = [row(1, "busy", bench.clock)]
    await bench.store.park(OPEN.account, bench.said(1, Status.RUNNING, vendor_status="odd"))
    apply = tracker.reconciler.apply

    async def apply_oddly(job: Job, seen: Observation) -> Job:
        if isinstance(seen, Seen) and seen.vendor_status == "odd":
            raise OverflowError
        return await apply(job, seen)

    monkeypatch.setattr(tracker.reconciler, "apply", apply_oddly)
    bench.rows = [row(1, "done", bench.clock)]

    assert await outcome(tracker, job, bench.after(minutes=1))

    assert Status.FINISHED == (await bench.stored(job)).status
    assert () == await bench.store.parked(OPEN.account)


async def test_a_search_that_goes_wrong_is_made_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in looking for an uncertain submission ends neither the search nor the task."""
    tracker = bench.tracker()
    vendor = tracker.context.vendors["open"]
    find, wrong = vendor.find, [1]

    def find_oddly(job: Job, now: datetime) -> Conversation[Observation]:
        if wrong:
            wrong.pop()
            raise ZeroDivisionError
        return find(job, now)

    monkeypatch.setattr(vendor, "find", find_oddly)
    async with tracker:
        bench.replies.append(answer(502, {}))
        job = await bench.start(tracker)
        bench.rows = [replace(row(7, "done", bench.clock), year=TASK.year)]

        settled = await outcome(tracker, job, bench.after(minutes=5))

    assert settled
    assert not wrong
