"""Jobs the vendor lost, and ways that only lead elsewhere for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.abc import Conversation
from belvo_async.jobs import Found, Gone, Job, Observation, Status, Way
from tests.tracker.bench import TASK, Bench, outcome, row

OTHER = replace(TASK, owner="b")


async def ended(bench: Bench, *jobs: Job) -> list[str | None]:
    """The codes of the jobs' failures, None for what is open or ended well."""
    kept = [await bench.stored(job) for job in jobs]
    return [job.failure and job.failure.code for job in kept]


async def test_jobs_of_several_subjects_missing_at_once_are_not_gone(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """The way leads elsewhere: nothing is given up, it is told, and the vendor's later word is the end."""
    jobs = [await bench.start(tracker), await bench.start(tracker, OTHER)]
    bench.rows = []
    await asyncio.sleep(timedelta(hours=2).total_seconds())
    meanwhile = await ended(bench, *jobs)
    bench.rows = [row(1, "done", bench.clock), row(2, "done", bench.clock)]

    ends = [await outcome(tracker, job, bench.after(minutes=10)) for job in jobs]

    assert ([None, None], [True, True]) == (meanwhile, ends)
    assert [(Status.FINISHED, 0)] * 2 == [
        ((await bench.stored(job)).status, (await bench.stored(job)).conflicts) for job in jobs
    ]
    assert any("is its address right?" in each.getMessage() for each in caplog.records)


async def test_one_of_several_that_is_really_lost_is_gone(bench: Bench, tracker: Tracker) -> None:
    """The others are known, so the way is right."""
    lost, known = await bench.start(tracker), await bench.start(tracker, OTHER)
    bench.rows = [row(2, "busy", bench.clock)]

    assert await outcome(tracker, lost, bench.after(hours=1))
    assert ["gone", None] == await ended(bench, lost, known)


async def test_jobs_of_one_subject_may_be_gone_together(bench: Bench, tracker: Tracker) -> None:
    """A subject that was deleted takes its jobs along."""
    jobs = [await bench.start(tracker, replace(TASK, year=year)) for year in (2023, 2024, 2025)]
    bench.rows = []

    await asyncio.sleep(timedelta(hours=1).total_seconds())

    assert ["gone"] * 3 == await ended(bench, *jobs)


async def test_what_was_held_back_ends_once_anything_is_found(bench: Bench, tracker: Tracker) -> None:
    """A job fired later is known: the vendor can be reached, and has lost the others."""
    jobs = [await bench.start(tracker), await bench.start(tracker, OTHER)]
    bench.rows = []
    await asyncio.sleep(timedelta(hours=1).total_seconds())
    meanwhile = await ended(bench, *jobs)

    await bench.start(tracker, replace(TASK, owner="c"))
    bench.rows = [row(3, "busy", bench.clock)]
    await asyncio.sleep(timedelta(minutes=10).total_seconds())

    assert [None, None] == meanwhile
    assert ["gone", "gone"] == await ended(bench, *jobs)


async def test_what_holds_no_job_may_tell_that_the_vendor_is_reached(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that still knows a subject has lost the jobs it does not know."""

    def poll(jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        yield from ()
        found = Found(way=Way.POLL, at=now, subject="c")
        return (*(Gone(way=Way.POLL, at=now, job_id=job.id) for job in jobs), found)

    monkeypatch.setattr(tracker.context.vendors["open"], "poll", poll)
    jobs = [await bench.start(tracker), await bench.start(tracker, OTHER)]

    await asyncio.sleep(timedelta(hours=1).total_seconds())

    assert ["gone", "gone"] == await ended(bench, *jobs)


async def test_another_process_that_finds_nothing_gives_nothing_up_either(bench: Bench) -> None:
    """What is missing is known to all of the store, whoever polls."""
    async with bench.opened() as first:
        jobs = [await bench.start(first), await bench.start(first, OTHER)]
        bench.rows = []
        await asyncio.sleep(timedelta(minutes=29).total_seconds())
    async with bench.opened():
        await asyncio.sleep(timedelta(hours=1).total_seconds())

    assert [None, None] == await ended(bench, *jobs)
