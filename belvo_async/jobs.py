"""What a job is and what may happen to it. No socket, no clock, no event loop, no vendor.

Everything a vendor ever says becomes an `Observation`; `reconcile` alone decides what it means for a `Job`.
Everything that changes a status lives in this file, and this file does not know which way the word came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import msgspec
from msgspec.structs import replace


class Status(StrEnum):
    """What the vendor said of a job, or what we know before it said anything."""

    SUBMITTING = "submitting"
    UNCERTAIN = "uncertain"
    REJECTED = "rejected"
    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL


_TERMINAL = frozenset({Status.REJECTED, Status.FINISHED, Status.FAILED, Status.STOPPED})


class Way(StrEnum):
    """By which way an observation reached us."""

    ANSWER = "answer"
    WEBHOOK = "webhook"
    POLL = "poll"
    INFERENCE = "inference"


class Verdict(StrEnum):
    """What the core made of an observation."""

    ADVANCED = "advanced"
    REPEATED = "repeated"
    STALE = "stale"
    CONFLICTING = "conflicting"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed or was refused, in the vendor's code.

    `message` is our wording or the vendor's fixed text for that code, never taxpayer data. `retryable`: whether the
    vendor documents that firing the task again may succeed.
    """

    code: str
    message: str = ""
    retryable: bool = False


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A run of equal looks at a vendor that publishes no status: evidence for an inferred end.

    `fingerprint` is whatever the dialect compares between looks; `count` looks between `first_at` and `last_at`
    saw the same.
    """

    fingerprint: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    accessed_at: datetime | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What to fetch: resource, subject, period. Holds no secret.

    Subclasses live in the vendors' catalogues and are tagged with their kind (`tag="vendor.Name"`); a stored job
    finds its task type again by that tag.
    """

    vendor: ClassVar[str] = ""

    @property
    def kind(self) -> str:
        """The stored name of the task type."""
        return str(type(self).__struct_config__.tag)

    @property
    def subject(self) -> str:
        """Whose data it is, in the vendor's own id."""
        raise NotImplementedError

    @property
    def resource(self) -> str:
        """Which kind of record, in the vendor's own word."""
        raise NotImplementedError


class UnknownTask(Task, frozen=True, kw_only=True, tag="unknown"):
    """A stored task whose type is not loaded here: kept word for word, never fired."""

    stored_kind: str
    body: msgspec.Raw

    @property
    def kind(self) -> str:
        return self.stored_kind

    @property
    def subject(self) -> str:
        return ""

    @property
    def resource(self) -> str:
        return self.stored_kind


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a vendor said about a job.

    `status` is None when the vendor's word is not one of ours (`vendor_status` keeps it): the job stays open.
    `job_id` is set when it answers our own request for that job, `remote_id` when the vendor named the job.
    `subject` and `resource` allow a delivery whose job is unknown to be matched to an uncertain submission.
    With `nudge`, it says nothing about a job but makes the open jobs of `subject` due for a look now.
    With `gone`, the vendor answered that it knows no such job. With `absent`, a search for an uncertain job found
    nothing; `abandon` adds that searching longer makes no sense.
    """

    way: Way
    at: datetime
    status: Status | None = None
    vendor_status: str | None = None
    job_id: str | None = None
    remote_id: str | None = None
    delivery_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    failure: Failure | None = None
    partial: bool = False
    retry_at: datetime | None = None
    created_count: int | None = None
    updated_count: int | None = None
    doubt: str | None = None
    look: Look | None = None
    nudge: bool = False
    adoptable: bool = False
    gone: bool = False
    absent: bool = False
    abandon: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a task at a vendor: a snapshot, replaced and never changed.

    `key` is equal for equal tasks of one account; `lane` names what only one open job may use at a time.
    `attempted_at` is set durably before a submission's first byte leaves: a job found submitting with it set *may*
    have been sent. `doubt` says why a submission became uncertain. `retry_at`: not before this may more data be had.
    """

    id: str
    vendor: str
    account: str
    task: Task
    created_at: datetime
    key: str = ""
    lane: str | None = None
    status: Status = Status.SUBMITTING
    vendor_status: str | None = None
    remote_id: str | None = None
    failure: Failure | None = None
    partial: bool = False
    retry_at: datetime | None = None
    settled_by: Way | None = None
    settled_at: datetime | None = None
    created_count: int | None = None
    updated_count: int | None = None
    deadline: datetime | None = None
    attempted_at: datetime | None = None
    attempts: int = 0
    doubt: str | None = None
    absent_since: datetime | None = None
    abandoned: bool = False
    superseded_by: str | None = None
    look: Look | None = None
    gone_count: int = 0
    gone_since: datetime | None = None
    conflicts: int = 0
    polls: int = 0
    next_poll: datetime | None = None
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the vendor may still say something that matters. An abandoned search is closed but adoptable."""
        return not (self.status.is_terminal or self.abandoned)

    @property
    def is_queued(self) -> bool:
        """Whether no byte of a submission is under way: it waits for its lane or for a retry."""
        return self.status is Status.SUBMITTING and self.attempted_at is None


# Ranks of the words the vendor may use while a job is open; see TABLE for what a lower one means later.
_A, _R, _S, _C = Verdict.ADVANCED, Verdict.REPEATED, Verdict.STALE, Verdict.CONFLICTING

# The status table. Row: what the job is. Column, in this order: what was observed.
_COLUMNS = (
    Status.SUBMITTING,
    Status.UNCERTAIN,
    Status.REJECTED,
    Status.PENDING,
    Status.RUNNING,
    Status.STOPPING,
    Status.FINISHED,
    Status.FAILED,
    Status.STOPPED,
)
# fmt: off
_ROWS: dict[Status, tuple[Verdict, ...]] = {
    #                  submit uncert reject pending running stopping finished failed stopped
    Status.SUBMITTING: (_R,   _A,    _A,    _A,     _A,     _A,      _A,      _A,    _A),
    Status.UNCERTAIN:  (_S,   _R,    _A,    _A,     _A,     _A,      _A,      _A,    _A),
    Status.REJECTED:   (_S,   _S,    _R,    _C,     _C,     _C,      _C,      _C,    _C),
    Status.PENDING:    (_S,   _S,    _C,    _R,     _A,     _A,      _A,      _A,    _A),
    Status.RUNNING:    (_S,   _S,    _C,    _S,     _R,     _A,      _A,      _A,    _A),
    Status.STOPPING:   (_S,   _S,    _C,    _S,     _S,     _R,      _A,      _A,    _A),
    Status.FINISHED:   (_S,   _S,    _C,    _S,     _S,     _S,      _R,      _C,    _C),
    Status.FAILED:     (_S,   _S,    _C,    _S,     _S,     _S,      _C,      _R,    _C),
    Status.STOPPED:    (_S,   _S,    _C,    _S,     _S,     _S,      _C,      _C,    _R),
}
# fmt: on
TABLE: Mapping[tuple[Status, Status], Verdict] = {
    (row, column): verdict
    for row, verdicts in _ROWS.items()
    for column, verdict in zip(_COLUMNS, verdicts, strict=True)
}

# A vendor that answers 404 this often, over at least this long, has lost the job. Shorter runs are replica lag
# right after creation or an outage of its read side.
GONE_LOOKS = 5
GONE_SPAN = timedelta(minutes=30)


def reconcile(job: Job, seen: Observation) -> tuple[Job, Verdict]:
    """Say what an observation makes of a job. The same job object comes back when nothing changed."""
    if _names_another(job, seen):
        return replace(job, conflicts=job.conflicts + 1), Verdict.CONFLICTING
    if seen.gone:
        return _note_gone(job, seen)
    if seen.status is None:
        return _note_unknown(job, seen)
    verdict = TABLE[job.status, seen.status]
    if verdict is Verdict.REPEATED and _contradicts(job.failure, seen.failure):
        verdict = Verdict.CONFLICTING
    return _APPLY[verdict](job, seen, seen.status), verdict


def _names_another(job: Job, seen: Observation) -> bool:
    return bool(job.remote_id and seen.remote_id and normal_id(job.remote_id) != normal_id(seen.remote_id))


def _contradicts(known: Failure | None, said: Failure | None) -> bool:
    return known is not None and said is not None and known.code != said.code


def _advance(job: Job, seen: Observation, status: Status) -> Job:
    ends = status.is_terminal
    return replace(
        _add_facts(job, seen),
        status=status,
        vendor_status=seen.vendor_status or job.vendor_status,
        remote_id=job.remote_id or seen.remote_id,
        failure=seen.failure if ends else None,
        doubt=seen.doubt or job.doubt,
        abandoned=False,
        settled_by=seen.way if ends else None,
        settled_at=seen.at if ends else None,
        next_poll=None if ends else job.next_poll,
        gone_count=0,
        gone_since=None,
    )


def _repeat(job: Job, seen: Observation, status: Status) -> Job:
    again = replace(
        _add_facts(job, seen),
        remote_id=job.remote_id or seen.remote_id,
        vendor_status=job.vendor_status if status.is_terminal else seen.vendor_status or job.vendor_status,
        failure=job.failure or (seen.failure if status.is_terminal else None),
        gone_count=0,
        gone_since=None,
    )
    return job if again == job else again


def _outlive(job: Job, seen: Observation, _status: Status) -> Job:
    """A late word about an earlier stage still may tell that data is missing, or which job it is."""
    late = replace(
        job,
        partial=job.partial or seen.partial,
        retry_at=_latest(job.retry_at, seen.retry_at),
        remote_id=job.remote_id or seen.remote_id,
    )
    return job if late == job else late


def _set_aside(job: Job, _seen: Observation, _status: Status) -> Job:
    return replace(job, conflicts=job.conflicts + 1)


_APPLY = {
    Verdict.ADVANCED: _advance,
    Verdict.REPEATED: _repeat,
    Verdict.STALE: _outlive,
    Verdict.CONFLICTING: _set_aside,
}


def _add_facts(job: Job, seen: Observation) -> Job:
    """Take over what only ever grows: it may come in any order, from any way."""
    absent_since = job.absent_since or (seen.at if seen.absent else None)
    return replace(
        job,
        partial=job.partial or seen.partial,
        retry_at=_latest(job.retry_at, seen.retry_at),
        created_count=_largest(job.created_count, seen.created_count),
        updated_count=_largest(job.updated_count, seen.updated_count),
        look=_join_looks(job.look, seen.look),
        absent_since=absent_since,
        abandoned=job.abandoned or seen.abandon,
    )


def _note_unknown(job: Job, seen: Observation) -> tuple[Job, Verdict]:
    if job.status.is_terminal:
        return job, Verdict.STALE
    word = seen.vendor_status or job.vendor_status
    noted = replace(_add_facts(job, seen), vendor_status=word, remote_id=job.remote_id or seen.remote_id)
    return (job if noted == job else noted), Verdict.REPEATED


def _note_gone(job: Job, seen: Observation) -> tuple[Job, Verdict]:
    if job.status.is_terminal:
        return job, Verdict.STALE
    since = job.gone_since or seen.at
    counted = replace(job, gone_count=job.gone_count + 1, gone_since=since)
    if counted.gone_count < GONE_LOOKS or seen.at - since < GONE_SPAN:
        return counted, Verdict.REPEATED
    lost = Failure(code="gone", message="the vendor no longer knows this job", retryable=True)
    return _advance(counted, replace(seen, failure=lost), Status.FAILED), Verdict.ADVANCED


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _largest(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _join_looks(run: Look | None, look: Look | None) -> Look | None:
    if run is None or look is None:
        return look or run
    if run.fingerprint != look.fingerprint or look.last_at <= run.last_at:
        return look if look.last_at > run.last_at else run
    return replace(look, first_at=run.first_at, count=run.count + look.count)


def undelivered(*, maybe_sent: bool, reason: str, job_id: str, at: datetime) -> Observation:
    """Say what a submission that got no answer means: possibly accepted is uncertain, certainly not is refused."""
    if maybe_sent:
        return Observation(way=Way.ANSWER, at=at, job_id=job_id, status=Status.UNCERTAIN, doubt=reason)
    failure = Failure(code="unreachable", message=f"nothing was sent: {reason}", retryable=True)
    return Observation(way=Way.ANSWER, at=at, job_id=job_id, status=Status.REJECTED, failure=failure)


def choose_adopter(jobs: Iterable[Job], deliveries: Iterable[Observation]) -> tuple[Job, Observation] | None:
    """Match an uncertain submission with a delivery about a job nobody knows, only if the match is the only one.

    Both must name the same subject and resource, and the delivery must be younger than the attempt.
    """
    waiting = [job for job in jobs if job.status is Status.UNCERTAIN and job.remote_id is None]
    strange = [seen for seen in deliveries if seen.adoptable and seen.remote_id]
    fits = [(job, seen) for job in waiting for seen in strange if _may_be_about(job, seen)]
    ids = {normal_id(seen.remote_id or "") for _, seen in fits}
    return fits[0] if len({job.id for job, _ in fits}) == 1 and len(ids) == 1 else None


def _may_be_about(job: Job, seen: Observation) -> bool:
    same = (job.task.subject, job.task.resource) == (seen.subject, seen.resource)
    return same and seen.at >= (job.attempted_at or job.created_at)


def normal_id(remote_id: str) -> str:
    """Bring a vendor's id to the form ids are compared in.

    Belvo prints 32 hex digits in the 202 and dashed UUIDs in webhooks, in either case of letters; ids that are no
    UUIDs at all are compared as they are.
    """
    bare = remote_id.replace("-", "").lower()
    return bare if len(bare) == 32 else remote_id


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """When to look again at a job that no webhook has settled.

    The n-th look waits a random part (full jitter, so that a restart does not bring all jobs at once) of
    `first` x `factor`^n, at most `longest`.
    """

    first: timedelta = timedelta(seconds=2)
    factor: float = 1.6
    longest: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.first <= timedelta(0) or self.longest < self.first or self.factor < 1:
            raise ValueError("polling needs 0 < first <= longest and factor >= 1")

    def interval(self, polls: int) -> timedelta:
        """The longest wait before look number `polls` (from 0)."""
        # 64 steps of any useful factor are past every cap; more would only overflow the float.
        return min(self.longest, self.first * min(self.factor ** min(polls, 64), 1e9))

    def delay(self, polls: int, chance: float) -> timedelta:
        """The wait before look number `polls`, for a `chance` drawn evenly from 0..1."""
        return self.interval(polls) * chance


def encode_job(job: Job) -> bytes:
    """Encode a job as the one document a store keeps."""
    if isinstance(job.task, UnknownTask):
        return msgspec.json.encode(_Document(job=replace(job, task=Task()), task=job.task.body))
    return msgspec.json.encode(
        _Document(job=replace(job, task=Task()), task=msgspec.Raw(msgspec.json.encode(job.task)))
    )


def decode_job(document: bytes) -> Job:
    """Decode a stored job. A task whose type is not loaded comes back as `UnknownTask`."""
    stored = _DOCUMENT.decode(document)
    return replace(stored.job, task=decode_task(bytes(stored.task)))


def decode_task(body: bytes) -> Task:
    """Decode a stored task by its kind."""
    kind = _KIND.decode(body).kind
    known = next((each for each in _loaded_tasks(Task) if each.__struct_config__.tag == kind), None)
    if known is None:
        return UnknownTask(stored_kind=kind, body=msgspec.Raw(body))
    return msgspec.json.decode(body, type=known)


def _loaded_tasks(root: type[Task]) -> Iterable[type[Task]]:
    for each in root.__subclasses__():
        yield each
        yield from _loaded_tasks(each)


class _Kind(msgspec.Struct):
    kind: str


class _Document(msgspec.Struct, frozen=True):
    job: Job
    task: msgspec.Raw


_KIND = msgspec.json.Decoder(_Kind)
_DOCUMENT = msgspec.json.Decoder(_Document)
