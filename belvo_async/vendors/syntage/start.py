"""Submitting: the request, and what its answers mean for the job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from ...abc import Answer, Conversation, Request, Retry
from ...errors import PayloadError
from ...jobs import Failure, Job, Later, Observation, Seen, Status, Way
from ...payload import encode_body
from ...proxies import turned_away
from .errors import FAULTS, is_own, read_failure, reset_wait
from .find import look_up
from .pages import HEADERS
from .schema.tasks import Export, Extraction
from .snapshots import Snapshot, read_document, read_snapshot

Task: TypeAlias = Extraction[Any]

# A 409 names no id. When the extraction in the way cannot be found either, it has probably just ended: try again soon.
_CONFLICT_PAUSE: Final = timedelta(seconds=5)
_CONFLICT_ATTEMPTS: Final = 3
# The window of the vendor's example is minutes long; without a word from it, half a minute.
_LIMIT_PAUSE: Final = timedelta(seconds=30)


def start(job: Job, task: Task | Export, now: datetime) -> Conversation[Observation]:
    """Send a job's POST once and read the answer; see `Vendor.start`."""
    if isinstance(task, Export):
        return _start_export(job, task, now)
    return _start_extraction(job, task, now)


def _start_export(job: Job, task: Export, now: datetime) -> Conversation[Observation]:
    answer = yield submit("/exports", task.body())
    return conclude(job, answer, now)


def _start_extraction(job: Job, task: Task, now: datetime) -> Conversation[Observation]:
    """`POST /extractions` once. A 409 joins the equal extraction that is under way, else it is tried again."""
    answer = yield submit("/extractions", task.body())
    if answer.status == 409 and is_own(answer):
        return (yield from _join(job, task, answer, now))
    return conclude(job, answer, now)


def _join(job: Job, task: Task, answer: Answer, now: datetime) -> Conversation[Observation]:
    try:
        running = yield from look_up(task, _is_under_way)
    except FAULTS:
        # The 409 said for certain that nothing was accepted; that must not get lost.
        running = None
    if running is not None:
        return running.observe(Way.ANSWER, now, job=job, is_new=True)
    return try_again(job, answer, now, wait=_CONFLICT_PAUSE, attempts=_CONFLICT_ATTEMPTS)


def _is_under_way(seen: Snapshot) -> bool:
    # One that is stopping would take the job that joins it along. A word we do not know is not an end.
    return seen.status in (Status.PENDING, Status.RUNNING, None)


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
        return turned_away(job, answer, now, vendor="Syntage") or reject(job, read_failure(answer), now)
    return doubt(job, f"HTTP {answer.status}", now)


def read_acceptance(job: Job, answer: Answer, now: datetime) -> Observation:
    """Read a 2xx: whatever status it shows, or uncertain when it names nothing."""
    try:
        seen = read_snapshot(read_document(answer.body))
    except PayloadError as error:
        return doubt(job, f"the acceptance cannot be read: {error.reason}", now)
    if seen is None:
        return doubt(job, "the acceptance names no job", now)
    return seen.observe(Way.ANSWER, now, job=job, is_new=True)


def doubt(job: Job, reason: str, now: datetime) -> Observation:
    """Say that a submission may have been accepted."""
    return Seen(way=Way.ANSWER, at=now, job_id=job.id, status=Status.UNCERTAIN, doubt=reason)


def reject(job: Job, failure: Failure, now: datetime) -> Observation:
    """Say that a submission was refused."""
    return Seen(way=Way.ANSWER, at=now, job_id=job.id, status=Status.REJECTED, failure=failure)


def throttle(job: Job, now: datetime, *, wait: timedelta) -> Observation:
    """Turned away only for the number of requests: try after `wait`, as if this had been no attempt."""
    return Later(way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + wait, counts=False)


def try_again(job: Job, answer: Answer, now: datetime, *, wait: timedelta, attempts: int) -> Observation:
    """Certainly not accepted: try after `wait`, unless `attempts` were made already."""
    if job.submission.attempts >= attempts:
        failure = read_failure(answer)
        return reject(job, Failure(code=failure.code, message=failure.message, retryable=True), now)
    return Later(way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + wait)
