"""Submitting: the request, and what its answers mean for the job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from ...abc import Answer, Request, Retry
from ...errors import PayloadError
from ...jobs import Failure, Job, Observation, Status, Way
from ...payload import encode_body
from .errors import read_failure, reset_wait
from .pages import HEADERS
from .snapshots import read_document, read_sighting

# The window of the vendor's example is minutes long; without a word from it, half a minute.
_LIMIT_PAUSE: Final = timedelta(seconds=30)


def submit(path: str, body: Mapping[str, object]) -> Request:
    """Make a request that starts something. There is no idempotency key: it must not be sent twice blindly."""
    return Request(
        method="POST",
        target=path,
        name=f"POST {path}",
        headers=(*HEADERS, ("Content-Type", "application/json")),
        body=encode_body(body),
        retry=Retry.SUBMIT,
    )


def conclude(job: Job, answer: Answer, now: datetime) -> Observation:
    """Say what the answer to a submission means for its job.

    A 429 is submitting with `retry_at`. Whatever may have been accepted is uncertain, any 5xx included: Syntage
    documents no error code of its own there.
    """
    if 200 <= answer.status < 300:
        return read_acceptance(job, answer, now)
    if answer.status == 429:
        return throttle(job, now, wait=reset_wait(answer.headers, now) or _LIMIT_PAUSE)
    # 408: the connection was closed on a slow request; nothing says whether it was read.
    if 400 <= answer.status < 500 and answer.status != 408:
        is_page = answer.body.lstrip()[:1] not in (b"{", b"[")
        if is_page and answer.status in _ASTRAY:
            return _turned_away(job, answer, now)
        return reject(job, read_failure(answer), now)
    return doubt(job, f"HTTP {answer.status}", now)


# A proxy that has lost its way to Syntage is mended within the hour, as a rule: the waits for it double up to this.
_BLOCK_PAUSE: Final = timedelta(seconds=30)
_LONGEST_BLOCK: Final = timedelta(minutes=10)
_BLOCK_ATTEMPTS: Final = 10
# What such a proxy answers to any request. Others, like 413, are about the request itself, which stays as it is.
_ASTRAY: Final = frozenset({401, 403, 404, 405, 407, 409, 410, 421, 425})


def _turned_away(job: Job, answer: Answer, now: datetime) -> Observation:
    """A page of whoever stands before Syntage, which passed nothing on: tried again for about an hour."""
    if job.attempts >= _BLOCK_ATTEMPTS:
        text = "a proxy before Syntage kept refusing the request"
        return reject(job, Failure(code=f"http_{answer.status}", message=text, retryable=True), now)
    wait = min(_BLOCK_PAUSE * 2 ** (max(job.attempts, 1) - 1), _LONGEST_BLOCK)
    text = f"a proxy before Syntage answered {answer.status} with a page of its own"
    return Observation(way=Way.ANSWER, at=now, job_id=job.id, status=Status.SUBMITTING, retry_at=now + wait, doubt=text)


def read_acceptance(job: Job, answer: Answer, now: datetime) -> Observation:
    """Read a 2xx: whatever status it shows, or uncertain when it names nothing."""
    try:
        seen = read_sighting(read_document(answer.body))
    except PayloadError as error:
        return doubt(job, f"the acceptance cannot be read: {error.reason}", now)
    if seen is None:
        return doubt(job, "the acceptance names no job", now)
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
