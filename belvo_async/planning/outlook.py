"""Whether a job is slow, stuck, empty or partial, against what such jobs of the same store took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from ..jobs import Job, Status, Way
from .estimate import Durations

# Nineteen of twenty took less; what takes thrice as long is hardly under way any more.
STUCK_FACTOR: Final = 3


class Fare(StrEnum):
    """How a job fares, in a word."""

    QUEUED = "queued"
    ON_TIME = "on time"
    SLOW = "slow"
    STUCK = "stuck"
    UNCERTAIN = "uncertain"
    WHOLE = "whole"
    EMPTY = "empty"
    PARTIAL = "partial"
    UNPROVEN = "unproven"
    FAILED = "failed"
    CLOSED = "closed"


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """How a job fares, and why that is said: one sentence, without data."""

    fare: Fare
    why: str


def outlook(job: Job, took: Durations | None, now: datetime, *, heard: datetime | None = None) -> Outlook:
    """Judge a job. `took`: what such jobs took, None where nobody knows; `heard`: the vendor's last webhook."""
    fare = _fare(job, took, now)
    return Outlook(fare=fare, why="; ".join(_why(job, fare, took, now, heard)))


def _fare(job: Job, took: Durations | None, now: datetime) -> Fare:
    if not job.is_open:
        return _ended(job)
    if job.is_queued:
        return Fare.QUEUED
    if job.status is Status.UNCERTAIN:
        return Fare.UNCERTAIN
    age = now - _began(job)
    if (took is not None and age > took.p95 * STUCK_FACTOR) or job.is_past(now):
        return Fare.STUCK
    return Fare.SLOW if took is not None and age > took.p95 else Fare.ON_TIME


def _ended(job: Job) -> Fare:
    if job.status is Status.FINISHED:
        if job.partial:
            return Fare.PARTIAL
        if job.settled_by is Way.INFERENCE:
            return Fare.UNPROVEN
        return Fare.EMPTY if job.created_count == 0 and not job.updated_count else Fare.WHOLE
    return Fare.FAILED if job.status in (Status.FAILED, Status.REJECTED) else Fare.CLOSED


def _why(job: Job, fare: Fare, took: Durations | None, now: datetime, heard: datetime | None) -> Iterator[str]:
    if job.is_open:
        yield _under_way(job, fare, now)
        if fare is not Fare.QUEUED and took is not None:
            yield _usual(job, took)
        if heard is not None:
            yield f"the last webhook from {job.vendor.capitalize()} came {in_words(now - heard)} ago"
        elif fare in (Fare.SLOW, Fare.STUCK):
            yield f"no webhook from {job.vendor.capitalize()} has ended a job of this store"
        return
    yield _end(job, fare)
    if job.settled_at is not None and took is not None and job.status is Status.FINISHED:
        yield f"it took {in_words(job.settled_at - _began(job))}; {_usual(job, took)}"


def _under_way(job: Job, fare: Fare, now: datetime) -> str:
    passed = in_words(now - _began(job))
    if fare is Fare.QUEUED:
        return f"not sent for {passed}: {job.doubt or 'another job of its subject is open, or its turn has not come'}"
    if fare is Fare.UNCERTAIN:
        return f"whether the vendor has it is unknown for {passed}: it is looked for there"
    past = ", past its deadline" if job.is_past(now) else ""
    return f"{job.status} for {passed}{past}"


def _usual(job: Job, took: Durations) -> str:
    if not took.jobs:
        return f"by the vendor's word half of such jobs take {_below(took.p50)}, nearly all {_below(took.p95)}"
    return (
        f"of the last {took.jobs} {job.task.resource} jobs here half took {_below(took.p50)}, "
        f"nineteen of twenty {_below(took.p95)}"
    )


def _below(span: timedelta) -> str:
    words = in_words(span)
    return words if words.startswith("under") else f"under {words}"


def _end(job: Job, fare: Fare) -> str:
    if fare is Fare.PARTIAL:
        later = "" if job.retry_at is None else f", not before {job.retry_at:%Y-%m-%d %H:%MZ}"
        return f"it finished with a part: more may be had{later}"
    if fare is Fare.UNPROVEN:
        return "the vendor did not tell its end: it was inferred from what came, so that it proves no day"
    if fare is Fare.EMPTY:
        return "it finished and brought nothing new: there is nothing, or the vendor had it all before"
    if fare is Fare.WHOLE:
        return "it finished whole"
    code = "" if job.failure is None else f" ({job.failure.code})"
    again = ", and asking again may help" if job.failure is not None and job.failure.retryable else ""
    return f"it is {job.state}{code}{again}"


def _began(job: Job) -> datetime:
    return job.created_at if job.attempted_at is None else max(job.created_at, job.attempted_at)


def in_words(span: timedelta) -> str:
    """A span for readers: its largest unit that says enough."""
    minutes = max(0, round(span / timedelta(minutes=1)))
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
