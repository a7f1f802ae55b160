"""What a job remembers, once a clock was wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from belvo_async.jobs import CLOCKS_DIFFER, DOWN_AFTER, Job, Quiet, Report, Status, Task, at_present
from tests.jobs.flat import flat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
USUAL, COUNTED = 5 * MINUTE, timedelta(seconds=30)
spans = st.integers(-(10**9), 10**9).map(lambda seconds: timedelta(seconds=seconds))


def a_job(*, planned_at: datetime | None, by: timedelta = timedelta(0), **facts: Any) -> Job:
    """An open job with every instant it may have, all of them told by a clock that is ahead by some span."""
    usual = {
        "created_at": NOW - HOUR + by,
        "deadline": NOW + 5 * HOUR + by,
        "attempted_at": NOW - 59 * MINUTE + by,
        "absent_since": NOW - 30 * MINUTE + by,
        "gone_since": NOW - 20 * MINUTE + by,
        "quiet": Quiet(fingerprint="f", first_at=NOW - 9 * MINUTE + by, last_at=NOW - 2 * MINUTE + by, count=2),
        "reports": (Report(resource="A", at=NOW - 8 * MINUTE + by),),
        "next_poll": NOW + MINUTE + by,
    }
    task = Task[object]()
    return flat(
        id="j", vendor="v", account="a", task=task, status=Status.PENDING, planned_at=planned_at, **usual | facts
    )


@pytest.mark.parametrize(
    "ago", [timedelta(0), USUAL, USUAL + DOWN_AFTER, -CLOCKS_DIFFER], ids=["now", "usual", "late", "a little ahead"]
)
def test_a_job_of_a_right_clock_is_as_it_is(ago: timedelta) -> None:
    """Written as long ago as polls are apart, or by a clock that differs a little."""
    job = a_job(planned_at=NOW - ago)

    assert job is at_present(job, NOW, USUAL)


def test_a_job_nobody_planned_is_as_it_is() -> None:
    """Nothing tells which clock wrote it."""
    job = a_job(planned_at=None, by=DAY)

    assert job is at_present(job, NOW, USUAL)


def test_an_ended_job_is_as_it_is() -> None:
    """Its instants are history."""
    job = replace(a_job(planned_at=NOW + DAY), status=Status.FINISHED)

    assert job is at_present(job, NOW, USUAL)


@pytest.mark.parametrize("by", [2 * HOUR, DAY, 365 * DAY], ids=str)
def test_a_job_of_a_clock_ahead_keeps_its_distances(by: timedelta) -> None:
    """All of it was written by that clock, just now: all of it comes back."""
    job = a_job(planned_at=NOW + by, by=by)

    assert a_job(planned_at=NOW) == at_present(job, NOW, USUAL)


def test_what_a_right_clock_wrote_before_stays() -> None:
    """Only the last poll was planned by a clock ahead."""
    job = a_job(planned_at=NOW + DAY, gone_since=NOW + DAY, next_poll=NOW + DAY + MINUTE)

    right = at_present(job, NOW, USUAL)

    assert a_job(planned_at=NOW, gone_since=NOW, next_poll=NOW + MINUTE) == right


@pytest.mark.parametrize("away", [HOUR, DAY, 365 * DAY])
def test_time_nobody_polled_in_is_no_evidence(away: timedelta) -> None:
    """Evidence grows by half a minute, however long the last poll was ago."""
    job = a_job(planned_at=NOW - away, by=-away)

    right = at_present(job, NOW, USUAL)

    assert right.evidence.gone_since == NOW - 20 * MINUTE - COUNTED
    assert right.submission.absent_since == NOW - 30 * MINUTE - COUNTED
    assert right.evidence.quiet == Quiet(
        fingerprint="f", first_at=NOW - 9 * MINUTE - COUNTED, last_at=NOW - 2 * MINUTE - COUNTED, count=2
    )
    assert right.evidence.reports == (Report(resource="A", at=NOW - 8 * MINUTE - COUNTED),)
    # What is no evidence of ours stays: the vendor's instants are compared with it.
    assert (job.created_at, job.deadline, job.submission.attempted_at) == (
        right.created_at,
        right.deadline,
        right.submission.attempted_at,
    )


@given(spans, spans)
def test_it_is_done_once(by: timedelta, ago: timedelta) -> None:
    """A job in line with the clock needs nothing more, and no evidence lies ahead."""
    right = at_present(a_job(planned_at=NOW - ago, by=by), NOW, USUAL)

    assert right is at_present(right, NOW, USUAL)
    assert right.schedule.planned_at is not None
    assert right.schedule.planned_at <= NOW + CLOCKS_DIFFER
