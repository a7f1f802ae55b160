"""What may be learned about a job: one frozen value for each kind of thing that is said.

A vendor's word about a job is `Seen`, however it came; a vendor that has several resources to bring tells of each
(`Reported`). `Gone` and `Found` say whether it knows the job, or whose it is, at all; a `Nudge` says nothing but that a
poll is worth its while. `Later` and `Absent` come of submitting: not accepted yet, or looked for and not found.
`GivenUp` is said here, `Misread` of an answer that could not be read, and a `Note` by who did something.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from .model import Failure, Quiet, Status, Way


class _Observed(msgspec.Struct, frozen=True, kw_only=True, tag_field="says"):
    """What all have in common.

    `job_id` is set when it answers our own request for that job, `remote_id` when the vendor named the job. `subject`
    and `resource` allow a delivery whose job is unknown to be matched to an uncertain submission. `note` is for who
    reads the timeline.
    """

    way: Way
    at: datetime
    job_id: str | None = None
    remote_id: str | None = None
    delivery_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    note: str | None = None


class _Silent(_Observed, frozen=True, kw_only=True):
    @property
    def status(self) -> None:
        """None: it tells no status."""


class Seen(_Observed, frozen=True, kw_only=True, tag="seen"):
    """The vendor's word about a job.

    `status` is None when the word is not one of ours (`vendor_status` keeps it), or nothing but facts were told: the
    job stays open. `doubt` says why a submission may have been accepted. An `adoptable` delivery may be what an
    uncertain submission of its subject and resource started.
    """

    status: Status | None = None
    vendor_status: str | None = None
    failure: Failure | None = None
    partial: bool = False
    retry_at: datetime | None = None
    created_count: int | None = None
    updated_count: int | None = None
    doubt: str | None = None
    quiet: Quiet | None = None
    adoptable: bool = False

    @property
    def is_a_word(self) -> bool:
        """Whether it tells a status, or a word that may be one: the vendor knows the job."""
        return self.status is not None or self.vendor_status is not None

    @property
    def is_unknown_word(self) -> bool:
        """Whether the vendor used a word that is none of ours."""
        return self.status is None and bool(self.vendor_status)


class Reported(_Observed, frozen=True, kw_only=True, tag="reported"):
    """The resources that a job which brings several has updated so far: it runs."""

    resources: tuple[str, ...]
    vendor_status: str | None = None

    @property
    def status(self) -> Status:
        """Running, as far as this tells."""
        return Status.RUNNING


class Later(_Observed, frozen=True, kw_only=True, tag="later"):
    """A submission that certainly was not accepted may be tried again at `retry_at`, or when it is due; `doubt`: why.

    One that was turned away only for the number of requests `counts` as no attempt.
    """

    retry_at: datetime | None = None
    doubt: str | None = None
    counts: bool = True

    @property
    def status(self) -> Status:
        """Submitting, as before."""
        return Status.SUBMITTING


class Absent(_Observed, frozen=True, kw_only=True, tag="absent"):
    """A search for an uncertain job found nothing. `final`: to look for it longer makes no sense."""

    final: bool = False

    @property
    def status(self) -> Status:
        """Uncertain, as before."""
        return Status.UNCERTAIN


class Gone(_Silent, frozen=True, kw_only=True, tag="gone"):
    """The vendor answered that it knows no such job."""


class Found(_Silent, frozen=True, kw_only=True, tag="found"):
    """The vendor answered that it knows a subject: what it says to be gone is not merely out of our reach."""


class Nudge(_Silent, frozen=True, kw_only=True, tag="nudge"):
    """It says nothing about a job, but makes one, or the open jobs of its subject, due for a poll now."""


class GivenUp(_Silent, frozen=True, kw_only=True, tag="given up"):
    """To follow the job longer makes no sense: somebody here decided so, or nothing speaks for an end (`quiet`)."""

    failure: Failure | None = None
    quiet: Quiet | None = None


class Misread(_Silent, frozen=True, kw_only=True, tag="misread"):
    """Part of an answer could not be read: the kind of error and the path, never a value. It tells of no job."""

    misfit: str


class Note(_Silent, frozen=True, kw_only=True, tag="note"):
    """Nothing was told, or only something to be read in the timeline."""


Observation: TypeAlias = Seen | Reported | Later | Absent | Gone | Found | Nudge | GivenUp | Misread | Note


def told(seen: Observation) -> str:
    """What an observation says beside its status, in a word or a sentence without data; empty for nothing more."""
    match seen:
        case Seen() | GivenUp() if seen.failure is not None:
            return seen.failure.code
        case Misread():
            return seen.note or seen.misfit
        case Seen():
            return seen.note or seen.doubt or seen.vendor_status or ""
        case Later():
            return seen.note or seen.doubt or ""
        case Reported():
            return seen.note or seen.vendor_status or ""
        case _:
            return seen.note or ""


def without_inference(seen: Observation) -> Observation:
    """What was really seen of an end that was inferred from it."""
    match seen:
        case Seen(way=Way.INFERENCE):
            return replace(seen, way=Way.POLL, status=None, partial=False, failure=None, retry_at=None)
        case GivenUp(way=Way.INFERENCE):
            return Seen(way=Way.POLL, at=seen.at, job_id=seen.job_id, quiet=seen.quiet)
        case _:
            return seen
