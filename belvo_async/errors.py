"""Every error this library raises.

    BelvoAsyncError
    ├── ConfigurationError (ValueError)      a setting or environment variable is missing or unsafe
    ├── TaskError (ValueError)               the task was refused before any byte was sent; names the field
    ├── UnknownJobError (LookupError)        the store holds no such job of this session's accounts
    ├── UnsupportedError                     this vendor or this job has no such operation
    ├── StoreError                           jobs cannot be kept right now; says whether it may have been done after all
    │   └── StoreLostError                   what the store kept is gone; open it again to begin with what is there
    ├── SinkError                            rows cannot be written; nothing of the part stays, what was committed does
    ├── SessionClosedError                   the session closed while you waited; the job lives on
    ├── PayloadError                         the vendor's bytes do not fit; names the path, never the value
    ├── SignatureError                       a webhook is not proven to come from the vendor
    ├── TransportError                       no usable answer came back; says whether the request may have been sent
    ├── VendorError                          the vendor answered with an error
    │   ├── AuthenticationError              it does not accept the credentials
    │   ├── NotFoundError                    it does not know the object
    │   ├── RateLimitError                   too many requests; retry_after says how long to wait
    │   └── TokenRequiredError               it waits for a one-time token; resume with session and token
    ├── IncompleteResultError                fewer records arrived than the vendor counts
    └── JobError                             carries the job and a code
        ├── JobFailedError                   the vendor says it failed
        ├── JobStoppedError                  it was stopped
        ├── JobRejectedError                 the vendor refused to start it
        ├── JobNotFiredError (TaskError)     its task was refused here; only of a run, so that the others go on
        ├── JobTimeoutError (TimeoutError)   waiting ended; the job is as it was
        ├── JobLostError (UnknownJobError)   the store keeps it no longer; it may run at the vendor: adopt it
        ├── JobUnconfirmedError              the vendor fell silent, and nothing speaks for success
        ├── JobAbandonedError                somebody here gave it up; it may run at the vendor
        └── SubmissionUncertainError         nobody can say whether the vendor accepted it

Messages hold no credential, no taxpayer id and no body. All errors pickle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from .jobs import Failure, Job, Status, Way


class BelvoAsyncError(Exception):
    """The root of all errors of this library."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments do not pickle by themselves: they would be called with `args` alone.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[BelvoAsyncError], args: tuple[object, ...], facts: Mapping[str, object]) -> BelvoAsyncError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigurationError(BelvoAsyncError, ValueError):
    """A setting or environment variable is missing or unsafe."""


class TaskError(BelvoAsyncError, ValueError):
    """The task was refused before any byte was sent. `field` names what to mend."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownJobError(BelvoAsyncError, LookupError):
    """The store holds no such job, or none of this session's accounts."""


class UnsupportedError(BelvoAsyncError):
    """This vendor or this job has no such operation."""


class StoreError(BelvoAsyncError):
    """Jobs cannot be kept or read right now. What raised it was not carried out: nothing was sent.

    Unless `maybe_done`: the store's answer got lost, and what was asked may have been carried out, or may be yet. Then
    `job_id` is the job that `fire` may have kept, and that is sent in this case: firing the same task again joins it.
    """

    def __init__(self, *args: object, maybe_done: bool = False, job_id: str | None = None) -> None:
        super().__init__(*args)
        self.maybe_done = maybe_done
        self.job_id = job_id


class StoreLostError(StoreError):
    """What the store kept is gone: its server was flushed, its tables were dropped, its file was deleted or replaced.

    Waiting does not bring it back. Whoever opens the store again begins with what is there.
    """


class SinkError(BelvoAsyncError):
    """Rows or files cannot be written: the disk is full, a value does not fit its column, a file is not what it claims.

    Nothing of the part stays, what was committed before does, and the job's rows can be read again. `path` is the file,
    `column` the column whose value does not fit, where it is that.
    """

    def __init__(self, message: str, *, path: str | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.column = column


class SessionClosedError(BelvoAsyncError):
    """The session is closed. Jobs live on in the store: open a session on it and attach."""


class PayloadError(BelvoAsyncError):
    """The vendor's bytes do not fit what it documents.

    `path` is where, like `$.results[3].total_amount`; `reason` a fixed phrase. Neither holds the value.
    """

    def __init__(self, reason: str, *, path: str = "$") -> None:
        super().__init__(f"unreadable payload at {path}: {reason}")
        self.reason = reason
        self.path = path


def name_fault(error: Exception) -> str:
    """Say in a few fixed words what went wrong, for a log: nothing that may hold a value."""
    kind = type(error).__name__
    if isinstance(error, PayloadError):
        return f"{kind} at {error.path}: {error.reason}"
    return f"{kind}: {error}" if isinstance(error, TransportError | VendorError) else kind


class SignatureError(BelvoAsyncError):
    """A webhook is not proven to come from the vendor. Answer 401 and parse nothing."""


class TransportError(BelvoAsyncError):
    """No usable answer came back.

    `maybe_sent`: whether the vendor may have received the request; False means certainly not.
    """

    def __init__(self, message: str, *, maybe_sent: bool, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent
        self.retry_after = retry_after


class VendorError(BelvoAsyncError):
    """The vendor answered with an error.

    `status_code` is the HTTP status, `code` the vendor's own word where it gave one, `request_id` what its support
    asks for, `field` the refused field.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        request_id: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.field = field


class AuthenticationError(VendorError):
    """The vendor does not accept the credentials, or not for this resource. Retrying does not help."""


class NotFoundError(VendorError):
    """The vendor does not know the object."""


class RateLimitError(VendorError):
    """Too many requests. `retry_after` says how long to wait, where the vendor said so."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, code=code, request_id=request_id)
        self.retry_after = retry_after


class TokenRequiredError(VendorError):
    """The vendor waits for a one-time token of the taxpayer's (Belvo, status 428).

    Resume within `expires_in` with `session`, `link` and the token. `instructions` is the vendor's text for the
    taxpayer; it and `session` stay out of the message.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        request_id: str | None = None,
        session: str | None = None,
        link: str | None = None,
        expires_in: timedelta | None = None,
        instructions: str | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, code=code, request_id=request_id)
        self.session = session
        self.link = link
        self.expires_in = expires_in
        self.instructions = instructions


class IncompleteResultError(BelvoAsyncError):
    """Fewer records arrived than the vendor counts. Reading the results again may complete them."""

    def __init__(self, message: str, *, expected: int, received: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.received = received


class JobError(BelvoAsyncError):
    """A job did not give a finished result. `job` is its last known state, `code` the reason in one word."""

    def __init__(self, message: str, *, job: Job, code: str) -> None:
        super().__init__(message)
        self.job = job
        self.code = code


class JobFailedError(JobError):
    """The vendor says the job failed. `job.failure.retryable` says whether firing it again may help."""


class JobStoppedError(JobError):
    """The job was stopped. What was gathered before may be readable."""


class JobRejectedError(JobError):
    """The vendor refused to start the job, or it could not be reached at all. Nothing runs."""


class JobNotFiredError(JobError, TaskError):
    """A task of `session.run` was refused before a byte was sent. `field` names what to mend; no store holds `job`."""

    def __init__(self, message: str, *, job: Job, code: str = "task", field: str = "task") -> None:
        # Not by `super()`: each of the two parents would ask the other for its own arguments.
        BelvoAsyncError.__init__(self, message)
        self.job, self.code, self.field = job, code, field


class JobTimeoutError(JobError, TimeoutError):
    """Waiting ended, not the job: it is as it was and can be attached again.

    `job.evidence` holds what was seen so far.
    """


class JobLostError(JobError, UnknownJobError):
    """The store keeps the job no longer: it was forgotten, or the store lost it. It may go on at the vendor.

    `job` is what was known last; with its `remote_id`, `session.adopt` follows it again.
    """


class JobUnconfirmedError(JobError):
    """The vendor fell silent, and nothing it holds speaks for success: the job failed, or found nothing.

    `job.results()` gives what is there; firing the task again runs it anew. A word of the vendor's that comes later
    still counts: awaiting the job then tells it.
    """


class JobAbandonedError(JobError):
    """Somebody here gave the job up (`job.abandon()`). It may go on at the vendor; fire the task to start it anew."""


class SubmissionUncertainError(JobError):
    """Nobody can say whether the vendor accepted the job. Resubmitting may run, and bill, it twice."""


def outcome_error(job: Job) -> JobError | None:
    """Make a fresh error for a job that will not finish, or None for a finished one.

    One instance per waiter: tracebacks and notes of one must not grow on another.
    """
    if job.status is Status.FINISHED:
        return None
    if job.status is Status.UNCERTAIN:
        return _uncertain(job)
    if not (job.is_open or job.status.is_terminal):
        return _closed(job)
    failure = job.failure or Failure(code=job.vendor_status or job.status)
    reason = f"{failure.code}: {failure.message}" if failure.message else failure.code
    if job.status is Status.STOPPED:
        return JobStoppedError(f"job {job.id} was stopped ({reason})", job=job, code=failure.code)
    advice = "firing it again may help" if failure.retryable else "firing it again as it is will not help"
    if job.status is Status.REJECTED:
        return JobRejectedError(f"job {job.id} was refused ({reason}); {advice}", job=job, code=failure.code)
    return JobFailedError(f"job {job.id} failed ({reason}); {advice}", job=job, code=failure.code)


# A vendor's word is shown only where it can be no taxpayer's id: those have digits.
_RESOURCE: Final = re.compile(r"[A-Za-z_-]{1,40}")


def timeout_error(job: Job, waited: str) -> JobTimeoutError:
    """Make the error for a waiter that gave up after `waited` (words for a human)."""
    known = "; ".join([f"job {job.id} is still {job.status} after {waited}", *_evidence(job), _prospect(job)])
    return JobTimeoutError(f"{known}: attach to it to wait again", job=job, code="timeout")


def _closed(job: Job) -> JobUnconfirmedError | JobAbandonedError:
    """Make the error for a job that is followed no longer although its vendor has not said how it ended."""
    if job.settled_by is Way.INFERENCE:
        known = "; ".join([f"nothing tells how job {job.id} ended", *_evidence(job), "none of its records came since"])
        advice = "it failed or found nothing: read what is there, or fire it again"
        return JobUnconfirmedError(f"{known}: {advice}", job=job, code="unconfirmed")
    text = (
        f"job {job.id} was given up here while it was {job.status}; it may go on at the vendor: fire it to start anew"
    )
    return JobAbandonedError(text, job=job, code="abandoned")


def _evidence(job: Job) -> Iterator[str]:
    """What there is to go by of a job whose end its vendor does not tell."""
    if job.evidence.quiet:
        yield f"{job.evidence.quiet.count} equal polls since {job.evidence.quiet.first_at:%H:%M:%S}Z"
    if job.evidence.reports:
        names = ", ".join(each.resource for each in job.evidence.reports if _RESOURCE.fullmatch(each.resource))
        last = max(each.at for each in job.evidence.reports)
        yield f"{names or 'something'} reported, nothing since {last:%H:%M:%S}Z"


def _prospect(job: Job) -> str:
    if job.status is not Status.SUBMITTING:
        why = job.submission.doubt or "no answer"
        unknown = f"nobody can say yet whether the vendor accepted it ({why}), it is looked for"
        return unknown if job.status is Status.UNCERTAIN else "it goes on at the vendor"
    if job.is_queued and not (job.submission.attempts or job.submission.doubt):
        # One that met a busy lane was told when to come back.
        is_behind = job.lane is not None and job.schedule.polls > 0
        what = f"another job of the same {_lane_kind(job, job.lane or '')}" if is_behind else "its turn"
        return f"it was not sent yet and waits for {what}"
    why = f" ({job.submission.doubt})" if job.submission.doubt else ""
    return f"no vendor has accepted it yet{why}, it is tried again"


def _lane_kind(job: Job, lane: str) -> str:
    """What a lane like `account/link:id` is about. Of lanes of another form nothing shows: they may hold ids."""
    kind, colon, _ = lane.removeprefix(f"{job.account}/").partition(":")
    return kind if colon and kind.isalpha() and kind.islower() else "subject"


def lost_error(job: Job) -> JobLostError:
    """Make a fresh error for a waiter whose job the store keeps no longer."""
    if job.remote_id is not None:
        fate = f"it may go on at the vendor as {job.remote_id}: adopt it by that id to follow it again"
    elif job.is_queued:
        fate = "as far as is known here it was not sent: look at the vendor before firing it again"
    else:
        fate = "it may run at the vendor: look there, and adopt it or fire it again"
    text = f"the store keeps job {job.id} no longer (it was forgotten, or the store lost it); {fate}"
    return JobLostError(text, job=job, code="lost")


def _uncertain(job: Job) -> SubmissionUncertainError:
    text = (
        f"nobody can say whether the vendor accepted job {job.id} ({job.submission.doubt or 'no answer'}): "
        "look it up at the vendor and adopt it, or resubmit it at the risk of running it twice"
    )
    return SubmissionUncertainError(text, job=job, code="uncertain")
