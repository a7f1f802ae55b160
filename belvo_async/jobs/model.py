"""The words: what a task and a job are. Frozen values, nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Generic, TypedDict, TypeVar, Unpack

import msgspec
from msgspec.structs import replace

from .extent import Extent

R_co = TypeVar("R_co", covariant=True)


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


_TERMINAL: Final = frozenset({Status.REJECTED, Status.FINISHED, Status.FAILED, Status.STOPPED})


class Way(StrEnum):
    """By which way an observation reached us."""

    ANSWER = "answer"
    WEBHOOK = "webhook"
    POLL = "poll"
    INFERENCE = "inference"
    # Nothing the vendor said: what somebody here decided.
    USER = "user"


class Verdict(StrEnum):
    """What the core made of an observation."""

    ADVANCED = "advanced"
    REPEATED = "repeated"
    STALE = "stale"
    CONFLICTING = "conflicting"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed or was refused, in the vendor's code.

    `message` is our wording or the vendor's fixed text for that code, never taxpayer data. `retryable`: whether the
    vendor documents that firing the task again may succeed. `refused_key`: the HTTP status with which the vendor
    refused the key itself, so that no task of the account would pass; None where it was about the task.
    """

    code: str
    message: str = ""
    retryable: bool = False
    refused_key: int | None = None


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """A run of equal polls of a vendor that publishes no status: evidence for an inferred end.

    `fingerprint` is whatever the dialect compares between polls; `count` polls between `first_at` and `last_at`
    saw the same.
    """

    fingerprint: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    accessed_at: datetime | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The last time a vendor said that one resource of a job that brings several was updated."""

    resource: str
    at: datetime


class Task(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True, tag_field="kind"):
    """What to fetch: resource, subject, period. Holds no secret.

    Subclasses live in the vendors' catalogues and are tagged with their kind (`tag="vendor.Name"`); a stored job
    finds its task type again by that tag. `Task[Record]` says which records its results hold.
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

    @property
    def extent(self) -> Extent | None:
        """Which days it asks for, and of what; None where it brings no records that a plan could want."""
        return None


class UnknownTask(Task[Any], frozen=True, kw_only=True, tag="unknown"):
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

    def __repr__(self) -> str:
        return f"<task of kind {self.stored_kind}, whose type is not loaded>"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """How a job was sent, and what is in doubt about that.

    `attempted_at` is set durably before a submission's first byte leaves: a job found submitting with it set *may*
    have been sent, by the worker that `sender` names. `doubt` says why a submission became uncertain or, while it waits
    to be tried again, why it was not sent. `absent_since`: looked for since then, and not found.
    """

    attempted_at: datetime | None = None
    attempts: int = 0
    sender: str | None = None
    doubt: str | None = None
    absent_since: datetime | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a job is polled, or submitted, next.

    `planned_at` is when `next_poll` was set, which is believed as long as that does not lie ahead.
    """

    polls: int = 0
    next_poll: datetime | None = None
    planned_at: datetime | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for an end that the vendor does not tell.

    `overtaken_at`: from then on another job of its lane may be what a poll of their subject shows.
    """

    quiet: Quiet | None = None
    reports: tuple[Report, ...] = ()
    gone_count: int = 0
    gone_since: datetime | None = None
    overtaken_at: datetime | None = None


class _SubmissionChanges(TypedDict, total=False):
    attempted_at: datetime | None
    attempts: int
    sender: str | None
    doubt: str | None
    absent_since: datetime | None


class _ScheduleChanges(TypedDict, total=False):
    polls: int
    next_poll: datetime | None
    planned_at: datetime | None


class _EvidenceChanges(TypedDict, total=False):
    quiet: Quiet | None
    reports: tuple[Report, ...]
    gone_count: int
    gone_since: datetime | None
    overtaken_at: datetime | None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a task at a vendor: a snapshot, replaced and never changed.

    `key` is equal for equal tasks of one account; `lane` names what only one open job may use at a time. `retry_at`:
    not before this may more data be had. `deadline` is the latest that anybody was promised to wait for it: from then
    on it holds no lane, and an equal task is started anew (`superseded_by`). An `abandoned` job is followed no longer,
    by whose decision `settled_by` says; what the vendor says of it still counts. `settled_by` inference: not the vendor
    but what it holds tells the end; where nothing speaks for an end, the job is abandoned by inference. `era` is the
    store's when the job was made: a queued job of an earlier one may have been sent in a time that the store has lost.
    `once`: the names it is the job of for ever, each its account's only one. `tags` are the user's words for it.
    `traceparent`: the span in which it was fired, for who links to that what ends it (W3C Trace Context).
    """

    id: str
    vendor: str
    account: str
    task: Task[Any]
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
    abandoned: bool = False
    superseded_by: str | None = None
    conflicts: int = 0
    submission: Submission = Submission()
    schedule: Schedule = Schedule()
    evidence: Evidence = Evidence()
    once: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    era: int = 0
    traceparent: str | None = None
    version: int = 0

    def __repr__(self) -> str:
        # Names and tags are the user's words: they may hold anything.
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in ("once", "tags"))
        return f"Job({', '.join(shown)})"

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    @property
    def is_open(self) -> bool:
        """Whether it is followed and worth waiting for. An abandoned job is closed, but may still end or be adopted."""
        return not (self.status.is_terminal or self.abandoned)

    @property
    def is_whole(self) -> bool:
        """Whether it finished with all there was to have, by the vendor's word: an equal one need not be paid for.

        An end that is inferred proves nothing by itself.
        """
        return self.status is Status.FINISHED and not self.partial and self.is_confirmed

    @property
    def is_confirmed(self) -> bool:
        """Whether the vendor itself told the end. One that is inferred rests on the records that came since."""
        return self.status.is_terminal and self.settled_by is not Way.INFERENCE

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it is followed no longer because nothing tells how it ended: it failed, or found nothing."""
        return self.abandoned and not self.status.is_terminal and self.settled_by is Way.INFERENCE

    # What people ask a job for, without knowing its parts.

    @property
    def attempted_at(self) -> datetime | None:
        """When its submission began for the last time; None while it is queued."""
        return self.submission.attempted_at

    @property
    def attempts(self) -> int:
        """How often its submission was begun."""
        return self.submission.attempts

    @property
    def doubt(self) -> str | None:
        """Why it may have been sent, or was not sent yet."""
        return self.submission.doubt

    @property
    def next_poll(self) -> datetime | None:
        """When it is polled, or submitted, next."""
        return self.schedule.next_poll

    @property
    def polls(self) -> int:
        """How often it was polled without news."""
        return self.schedule.polls

    @property
    def quiet(self) -> Quiet | None:
        """For how long polls were equal, of a vendor that publishes no status."""
        return self.evidence.quiet

    @property
    def reports(self) -> tuple[Report, ...]:
        """What it brought so far, of a job that brings several resources."""
        return self.evidence.reports

    @property
    def is_queued(self) -> bool:
        """Whether no byte of a submission may have left: it waits for its lane, its turn, or for a retry."""
        return self.status is Status.SUBMITTING and self.submission.attempted_at is None

    @property
    def is_nameless(self) -> bool:
        """Whether the vendor may have started it under an id that is not known yet: a delivery may be about it."""
        may_be_sent = self.status is Status.UNCERTAIN or (self.status is Status.SUBMITTING and not self.is_queued)
        return may_be_sent and self.remote_id is None and self.is_open

    @property
    def state(self) -> str:
        """The status, or the word that `STATES` has for it: what lists and boards show."""
        if self.is_queued:
            return "queued"
        if self.is_unconfirmed:
            return "unconfirmed"
        return "abandoned" if self.abandoned and not self.status.is_terminal else str(self.status)

    def submitted(self, **changes: Unpack[_SubmissionChanges]) -> Job:
        """The job with fields of its submission replaced."""
        return replace(self, submission=replace(self.submission, **changes))

    def scheduled(self, **changes: Unpack[_ScheduleChanges]) -> Job:
        """The job with fields of its schedule replaced."""
        return replace(self, schedule=replace(self.schedule, **changes))

    def weighed(self, **changes: Unpack[_EvidenceChanges]) -> Job:
        """The job with fields of its evidence replaced."""
        return replace(self, evidence=replace(self.evidence, **changes))

    def is_past(self, now: datetime) -> bool:
        """Whether its deadline has passed, so that nobody joins it and an equal task is started anew.

        Not while nobody can say whether the vendor has it: starting it anew could run, and bill, it twice. That time is
        bounded by itself: the answer comes, or the search for it is given up.
        """
        is_sent_unknown = self.status in (Status.SUBMITTING, Status.UNCERTAIN) and not self.is_queued
        return self.deadline is not None and self.deadline <= now and not is_sent_unknown


# What we know of a job beyond the vendor's word, and of which statuses. None is a status: it is never observed.
STATES: Mapping[str, tuple[tuple[Status, ...], str]] = {
    "queued": (
        (Status.SUBMITTING,),
        "nothing is under way: it waits for another job of its subject, for its turn, or for a retry",
    ),
    "abandoned": (
        (Status.SUBMITTING, Status.UNCERTAIN, Status.PENDING, Status.RUNNING, Status.STOPPING),
        "it was given up, or nobody looks for it any more; `adopt` or a late webhook takes it up again",
    ),
    "unconfirmed": (
        (Status.PENDING, Status.RUNNING),
        "the vendor fell silent, and nothing speaks for success; a late webhook still counts",
    ),
}


def normal_id(remote_id: str) -> str:
    """Bring a vendor's id to the form ids are compared in.

    Belvo prints 32 hex digits in the 202 and dashed UUIDs in webhooks, in either case of letters; ids that are no
    UUIDs at all are compared as they are.
    """
    bare = remote_id.replace("-", "").lower()
    return bare if len(bare) == 32 else remote_id
