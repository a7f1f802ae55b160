"""What speaks for an end that Belvo does not tell: the job's own records that came between its POST and the next one.

A record names no request, and a link may be used by other requests, other applications and nightly refreshes: that it
was used is worth a poll and proves nothing. Records of the job's subject, resource and period that are younger than its
POST speak for it, unless a later request of the link may have brought them. Where nothing does, the job failed or found
nothing, and nobody can say which.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from ...jobs import Failure, GivenUp, Job, Observation, Seen, Status, Way
from .lists import INVOICES, partial_remark
from .pages import PAGE_SIZE, Params
from .schema.invoices import Warnings

# What is read of a record, and of an invoice, on the largest page there is: Belvo gives no order.
_FIELDS: Final = "created_at,collected_at"

# Lists are asked by day, and nobody says in which zone the day is: Mexico's are up to eight hours behind.
_ZONES: Final = timedelta(hours=12)

UNCONFIRMED: Final = Failure(
    code="unconfirmed",
    message="Belvo told no end, and no record of it came since: it failed, or found nothing",
    retryable=True,
)


class Trace(msgspec.Struct, frozen=True):
    """When a record came, and what its invoice lacks."""

    created_at: datetime | None = None
    collected_at: datetime | None = None
    warnings: Warnings | None = None


class TracePage(msgspec.Struct, frozen=True):
    """A page of them; one that could not be read is None."""

    results: list[Trace | None] | None = None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether anything speaks for a job, and whether that says that data is missing."""

    speaks: bool = False
    partial: bool = False
    retry_at: datetime | None = None


def sent_at(job: Job) -> datetime:
    """When the request left, as far as is known."""
    return job.submission.attempted_at or job.created_at


def is_after(at: datetime | None, sent: datetime) -> bool:
    """Whether something came later; an instant without an offset cannot be compared, so it is no evidence."""
    return at is not None and at.tzinfo is not None and at > sent


def questions(job: Job, path: str, params: Params) -> Iterator[Params]:
    """Give the parameters of the lists that may show evidence: of what was created of late, then of all there is.

    A record that was there before may be collected again and keep its creation.
    """
    of_late = (sent_at(job).astimezone(UTC) - _ZONES).date().isoformat()
    fields = f"{_FIELDS},warnings" if path == INVOICES.path else _FIELDS
    view = [("fields", fields), ("page_size", PAGE_SIZE)]
    yield [*params, ("created_at__gte", of_late), *view]
    yield [*params, *view]


def weigh(job: Job, page: TracePage, now: datetime) -> Findings:
    """Say what a page of records speaks for."""
    mine = [row for row in page.results or () if row is not None and _is_of(job, row)]
    remarks = [remark for remark in (partial_remark(row, now) for row in mine) if remark is not None]
    again = [remark.retry_at for remark in remarks if remark.retry_at is not None]
    return Findings(speaks=bool(mine), partial=bool(remarks), retry_at=max(again, default=None))


def _is_of(job: Job, row: Trace) -> bool:
    return any(
        is_after(at, sent_at(job))
        and (job.evidence.overtaken_at is None or not is_after(at, job.evidence.overtaken_at))
        for at in (row.created_at, row.collected_at)
    )


def infer(seen: Seen, found: Findings) -> Observation:
    """Make the inferred end of a job: finished where something speaks for it, followed no longer where nothing does."""
    if not found.speaks:
        return GivenUp(way=Way.INFERENCE, at=seen.at, job_id=seen.job_id, quiet=seen.quiet, failure=UNCONFIRMED)
    return msgspec.structs.replace(
        seen, way=Way.INFERENCE, status=Status.FINISHED, partial=found.partial, retry_at=found.retry_at
    )
