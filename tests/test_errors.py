"""Errors: one fresh instance for each waiter, and all of them travel between processes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async import errors
from belvo_async.jobs import Failure, Job, Report, Status, Task
from tests.jobs.flat import flat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class ErrorTask(Task[object], frozen=True, kw_only=True, tag="error.Task"):
    """A task of nobody."""


JOB = Job(id="1", vendor="v", account="v#1", task=ErrorTask(), created_at=NOW)

FACTS: dict[type[errors.BelvoAsyncError], dict[str, Any]] = {
    errors.TaskError: {"field": "date_from"},
    errors.PayloadError: {"path": "$.results[3]"},
    errors.TransportError: {"maybe_sent": True, "retry_after": timedelta(seconds=3)},
    errors.VendorError: {"status_code": 500, "code": "x", "request_id": "r", "field": "f"},
    errors.RateLimitError: {"status_code": 429, "retry_after": timedelta(seconds=3)},
    errors.TokenRequiredError: {"status_code": 428, "session": "s", "link": "l", "expires_in": timedelta(seconds=600)},
    errors.SinkError: {"path": "/out/part.csv", "column": "total"},
    errors.IncompleteResultError: {"expected": 3, "received": 2},
    errors.JobError: {"job": JOB, "code": "x"},
}


def all_errors(root: type[errors.BelvoAsyncError] = errors.BelvoAsyncError) -> Iterator[type[errors.BelvoAsyncError]]:
    yield root
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from all_errors(each)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
def test_error_pickles(kind: type[errors.BelvoAsyncError]) -> None:
    """Message and facts survive the way to another process."""
    facts = next((FACTS[each] for each in kind.__mro__ if each in FACTS), {})
    error = kind("what happened", **facts)
    error.add_note("a note")

    again = pickle.loads(pickle.dumps(error))

    assert type(error) is type(again)
    assert (str(error), error.__dict__) == (str(again), again.__dict__)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.FAILED, errors.JobFailedError),
        (Status.STOPPED, errors.JobStoppedError),
        (Status.REJECTED, errors.JobRejectedError),
        (Status.UNCERTAIN, errors.SubmissionUncertainError),
    ],
    ids=str,
)
def test_each_end_has_its_error(status: Status, kind: type[errors.JobError]) -> None:
    """The error names the job, carries it, and says the reason in a word."""
    job = replace(JOB, status=status, failure=Failure(code="portal_down", message="try later", retryable=True))

    error = errors.outcome_error(job)

    assert kind is type(error)
    assert error is not None
    assert job is error.job
    assert ("uncertain" if status is Status.UNCERTAIN else "portal_down") == error.code


def test_finished_job_has_no_error() -> None:
    """Nothing is raised for what went well."""
    assert errors.outcome_error(replace(JOB, status=Status.FINISHED)) is None


def test_waiters_get_errors_of_their_own() -> None:
    """Tracebacks and notes of one waiter do not show up at another."""
    job = replace(JOB, status=Status.FAILED)

    one, other = errors.outcome_error(job), errors.outcome_error(job)

    assert one is not other


def test_timeout_is_a_timeout() -> None:
    """`except TimeoutError` catches it; the job is as it was."""
    error = errors.timeout_error(replace(JOB, status=Status.RUNNING), "3 h")

    assert isinstance(error, TimeoutError)
    assert Status.RUNNING is error.job.status


def test_timeout_of_an_unsent_job_says_why_it_was_not_sent() -> None:
    """Who waits for a job that never left learns what is in the way."""
    error = errors.timeout_error(flat(JOB, doubt="POST /jobs: connection refused"), "3 h")

    assert "no vendor has accepted it yet (POST /jobs: connection refused), it is tried again" in str(error)


QUEUED = flat(JOB, account="v#1", lane="v#1/link:PEIC211118IS0", polls=1)


def test_timeout_of_a_job_behind_another_says_so() -> None:
    """It was never tried: it waits for what only one job may use at a time. Whose that is stays unsaid."""
    told = str(errors.timeout_error(QUEUED, "20 s"))

    assert "still submitting after 20 s; it was not sent yet and waits for another job of the same link: attach" in told
    assert "PEIC211118IS0" not in told


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(flat(QUEUED, attempts=1, doubt="institution_down"), id="refused once"),
        pytest.param(flat(QUEUED, doubt="too many requests"), id="turned away"),
        pytest.param(flat(QUEUED, attempted_at=NOW), id="on its way"),
    ],
)
def test_timeout_of_a_job_that_was_tried_names_no_other(job: Job) -> None:
    """A lane alone does not mean that another job is in the way."""
    told = str(errors.timeout_error(job, "20 s"))

    assert "another job" not in told
    assert "no vendor has accepted it yet" in told


@pytest.mark.parametrize("job", [flat(QUEUED, polls=0), replace(QUEUED, lane=None)], ids=["lane is free", "no lane"])
def test_timeout_of_a_job_in_a_long_queue_says_so(job: Job) -> None:
    """Nothing is in its way but the vendor's rate."""
    assert "it was not sent yet and waits for its turn: attach" in str(errors.timeout_error(job, "20 s"))


def test_timeout_behind_a_lane_of_another_form_names_no_id() -> None:
    """What the lane is named after is told only where the name says it."""
    told = str(errors.timeout_error(replace(QUEUED, lane="PEIC211118IS0"), "20 s"))

    assert "another job of the same subject" in told
    assert "PEIC211118IS0" not in told


def test_timeout_of_a_job_with_reports_says_which_and_since_when() -> None:
    """Who waits for several resources learns which came, and how long nothing more did."""
    reports = (
        Report(resource="TAX_STATUS", at=NOW),
        Report(resource="INVOICES", at=NOW + timedelta(seconds=90)),
    )

    told = str(errors.timeout_error(flat(JOB, status=Status.RUNNING, reports=reports), "20 s"))

    assert "after 20 s; TAX_STATUS, INVOICES reported, nothing since 12:01:30Z; it goes on at the vendor" in told


def test_timeout_of_an_uncertain_job_claims_nothing() -> None:
    """Nobody knows yet whether it runs: the doubt is told."""
    told = str(errors.timeout_error(flat(JOB, status=Status.UNCERTAIN, doubt="HTTP 504"), "20 s"))

    assert "nobody can say yet whether the vendor accepted it (HTTP 504), it is looked for" in told
    assert "goes on at the vendor" not in told


def test_timeout_shows_only_words_of_a_report() -> None:
    """A vendor's odd word may hold anything."""
    odd, known = Report(resource="PEIC211118IS0", at=NOW), Report(resource="INVOICES", at=NOW)

    told = [
        str(errors.timeout_error(flat(JOB, status=Status.RUNNING, reports=reports), "20 s"))
        for reports in ((odd, known), (odd,))
    ]

    assert "; INVOICES reported, nothing since" in told[0]
    assert "; something reported, nothing since" in told[1]
    assert not any("PEIC211118IS0" in each for each in told)
