"""Submitting an extraction: the request, and what its answers mean for the job."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ...abc import Answer, Request, Retry
from ...errors import PayloadError
from ...jobs import Failure, Job, Observation, Status, Way
from .answers import read_failure
from .extractions import read_document, read_sighting
from .reading import HEADERS
from .schema import Extraction

__all__ = ["doubt", "read_acceptance", "reject", "submit", "try_again"]


def submit(task: Extraction) -> Request:
    """Make the request that starts an extraction. There is no idempotency key: it must not be sent twice blindly."""
    body: dict[str, object] = {"taxpayer" if task.rfc else "entity": task.entity, "extractor": task.extractor}
    if words := task.words():
        body["options"] = words
    return Request(
        method="POST",
        target="/extractions",
        name="POST /extractions",
        headers=(*HEADERS, ("Content-Type", "application/json")),
        body=msgspec.json.encode(body),
        retry=Retry.SUBMIT,
    )


def read_acceptance(job: Job, answer: Answer, now: datetime) -> Observation:
    """Read a 2xx: whatever status it shows, or uncertain when it names no extraction."""
    try:
        seen = read_sighting(read_document(answer.body))
    except PayloadError:
        seen = None
    if seen is None:
        return doubt(job, "the acceptance cannot be read", now)
    return seen.observe(Way.ANSWER, now, job=job, is_new=True)


def doubt(job: Job, reason: str, now: datetime) -> Observation:
    """Say that a submission may have been accepted."""
    return Observation(way=Way.ANSWER, at=now, job_id=job.id, status=Status.UNCERTAIN, doubt=reason)


def reject(job: Job, failure: Failure, now: datetime) -> Observation:
    """Say that a submission was refused."""
    return Observation(way=Way.ANSWER, at=now, job_id=job.id, status=Status.REJECTED, failure=failure)


def throttle(job: Job, now: datetime, *, wait: timedelta) -> Observation:
    """Turned away only for the number of requests: try after `wait`, as if this had been no attempt."""
    retry_at = now + wait
    return Observation(
        way=Way.ANSWER, at=now, job_id=job.id, status=Status.SUBMITTING, retry_at=retry_at, throttled=True
    )


def try_again(job: Job, answer: Answer, now: datetime, *, wait: timedelta, attempts: int) -> Observation:
    """Certainly not accepted: try after `wait`, unless `attempts` were made already."""
    if job.attempts >= attempts:
        failure = read_failure(answer)
        return reject(job, Failure(code=failure.code, message=failure.message, retryable=True), now)
    return Observation(way=Way.ANSWER, at=now, job_id=job.id, status=Status.SUBMITTING, retry_at=now + wait)
