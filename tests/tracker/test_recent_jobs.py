"""What a worker remembers of jobs that others may end: never more than so many."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker, context
from belvo_async._tracker.context import REMEMBERED_AT_MOST, RecentJobs
from belvo_async.abc import Urgency
from belvo_async.jobs import Job
from tests.simulation.plants import trust
from tests.tracker.bench import OPEN, TASK, Bench


def recent(*job_ids: str) -> RecentJobs:
    jobs = RecentJobs()
    for job_id in job_ids:
        jobs.add(job_id)
    return jobs


def test_no_more_than_so_many_are_remembered() -> None:
    """The earliest is forgotten for the latest."""
    jobs = recent(*(str(number) for number in range(REMEMBERED_AT_MOST + 1)))

    assert REMEMBERED_AT_MOST == len(jobs)
    assert "0" not in jobs
    assert "1" in jobs
    assert str(REMEMBERED_AT_MOST) in jobs


def test_a_job_that_comes_again_is_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    """And counts once."""
    monkeypatch.setattr(context, "REMEMBERED_AT_MOST", 2)

    jobs = recent("a", "b", "a", "c")

    assert [True, False, True] == [each in jobs for each in "abc"]


def test_what_is_forgotten_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that nothing is remembered of is forgotten without a word."""
    monkeypatch.setattr(context, "REMEMBERED_AT_MOST", 2)
    jobs = recent("a", "b")

    jobs.discard("b")
    jobs.discard("b")
    jobs.add("c")

    assert [True, False, True] == [each in jobs for each in "abc"]


async def test_of_too_many_urgent_jobs_the_earliest_are_bulk(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other workers may have sent them long ago, or not."""
    monkeypatch.setattr(context, "REMEMBERED_AT_MOST", 2)
    attempts, now = tracker.submitter.attempts, bench.clock.now()
    queued = [Job(id=each, vendor="open", account=OPEN.account, task=TASK, created_at=now) for each in "abc"]

    for job in queued:
        attempts.note_urgency(job, Urgency.INTERACTIVE)

    assert [Urgency.BULK, Urgency.INTERACTIVE, Urgency.INTERACTIVE] == [attempts.urgency_of(job) for job in queued]


async def test_of_too_many_jobs_that_deliveries_asked_for_the_earliest_may_wait(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if no delivery had come: there is its poll for safety."""
    monkeypatch.setattr(context, "REMEMBERED_AT_MOST", 2)
    trust(tracker)
    jobs = [await bench.start(tracker, replace(TASK, year=2001 + number)) for number in range(3)]

    await tracker.receive(OPEN, [bench.hint(1), bench.hint(2), bench.hint(3)])

    assert jobs[:1] == tracker.reconciler.that_may_wait(jobs, bench.clock.now())
