"""Whether a job is slow, stuck, empty or partial: a pure judgement, in one sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from belvo_async import syntage
from belvo_async.jobs import Failure, Job, Status, Way
from belvo_async.planning import Durations
from belvo_async.planning.outlook import Fare, in_words, outlook
from tests.jobs.flat import flat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOOK = Durations(12 * MINUTE, 40 * MINUTE, 210)
TASK = syntage.Extraction(
    "/entities/c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1",
    "invoice",
    syntage.InvoiceOptions(period=syntage.Period(date(2025, 1, 1), date(2025, 12, 31))),
)


def a_job(*, age: float = 0, **facts: Any) -> Job:
    """A job that was sent so many minutes ago."""
    began = NOW - age * MINUTE
    plain = {"id": "a" * 32, "vendor": "syntage", "account": "x", "task": TASK, "created_at": began}
    return flat(**plain | {"status": Status.RUNNING, "attempted_at": began} | facts)


ENDED: dict[str, Any] = {"status": Status.FINISHED, "settled_by": Way.WEBHOOK, "settled_at": NOW}


@pytest.mark.parametrize(
    ("job", "fare"),
    [
        pytest.param(a_job(age=38), Fare.ON_TIME, id="as long as others"),
        pytest.param(a_job(age=41), Fare.SLOW, id="longer than nineteen of twenty"),
        pytest.param(a_job(age=121), Fare.STUCK, id="thrice as long"),
        pytest.param(a_job(age=5, deadline=NOW - MINUTE), Fare.STUCK, id="past its deadline"),
        pytest.param(a_job(age=500, status=Status.SUBMITTING, attempted_at=None), Fare.QUEUED, id="not sent"),
        pytest.param(a_job(age=500, status=Status.UNCERTAIN), Fare.UNCERTAIN, id="maybe sent"),
        pytest.param(a_job(age=5, created_count=3, **ENDED), Fare.WHOLE, id="whole"),
        pytest.param(a_job(age=5, **ENDED), Fare.WHOLE, id="whole, not counted"),
        pytest.param(a_job(age=5, created_count=0, **ENDED), Fare.EMPTY, id="nothing new"),
        pytest.param(a_job(age=5, created_count=0, updated_count=2, **ENDED), Fare.WHOLE, id="only updates"),
        pytest.param(a_job(age=5, partial=True, **ENDED), Fare.PARTIAL, id="a part"),
        pytest.param(a_job(age=5, **ENDED | {"settled_by": Way.INFERENCE}), Fare.UNPROVEN, id="inferred"),
        pytest.param(a_job(age=5, **ENDED | {"status": Status.FAILED}), Fare.FAILED, id="failed"),
        pytest.param(a_job(age=5, **ENDED | {"status": Status.STOPPED}), Fare.CLOSED, id="stopped"),
        pytest.param(a_job(age=5, abandoned=True), Fare.CLOSED, id="given up"),
    ],
)
def test_how_a_job_fares(job: Job, fare: Fare) -> None:
    """By what it says, and against what such jobs of the store took."""
    assert fare == outlook(job, TOOK, NOW).fare


def test_one_sentence_says_it_all() -> None:
    """How long it runs, how long others took, when the vendor was last heard."""
    assert (
        "running for 38 minutes; of the last 210 invoice jobs here half took under 12 minutes, nineteen of twenty "
        "under 40 minutes; the last webhook from Syntage came 4 minutes ago"
    ) == outlook(a_job(age=38), TOOK, NOW, heard=NOW - 4 * MINUTE).why


def test_without_a_history_the_vendor_is_quoted() -> None:
    """A new store knows nothing yet, and says whose word it is; without either, only the deadline counts."""
    typical = Durations(20 * MINUTE, 60 * MINUTE)

    assert "by the vendor's word half of such jobs take under 20 minutes" in outlook(a_job(age=70), typical, NOW).why
    assert "no webhook from Syntage has ended a job of this store" in outlook(a_job(age=70), typical, NOW).why
    assert Fare.ON_TIME == outlook(a_job(age=9999), None, NOW).fare


def test_an_end_says_why() -> None:
    """When more may be had, and under which code it failed."""
    partial = a_job(age=9, partial=True, retry_at=NOW, **ENDED)
    failed = a_job(age=9, failure=Failure(code="login_failed", retryable=True), **ENDED | {"status": Status.FAILED})

    assert "more may be had, not before 2026-06-01 12:00Z; it took 9 minutes" in outlook(partial, TOOK, NOW).why
    assert "it is failed (login_failed), and asking again may help" == outlook(failed, TOOK, NOW).why


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "under a minute"),
        (timedelta(seconds=20), "under a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_spans_are_said_in_one_unit(span: timedelta, words: str) -> None:
    assert words == in_words(span)


def test_jobs_of_seconds_are_under_a_minute_once() -> None:
    """What is under a minute already is not under that again."""
    took = Durations(timedelta(seconds=2), timedelta(seconds=9), 30)

    why = outlook(a_job(age=5), took, NOW).why

    assert "half took under a minute, nineteen of twenty under a minute" in why
