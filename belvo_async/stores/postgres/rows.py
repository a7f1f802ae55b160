"""Jobs as rows of PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ...jobs import Job, encode_job, normal_id
from ..parked import subject_mark
from ..rules import stands_in_the_way, to_us
from .era import WRITTEN_BY

NAMES: Final = (
    "id, account, key, open, status, remote_id, lane, created_at, next_poll, planned_at, version, document, subject, "
    "resource, era, once, whole, settled_at, started, seen"
)
ROWS: Final = f"""
    unnest(%b::text[], %b::text[], %b::text[], %b::bool[], %b::text[], %b::text[], %b::text[], %b::bigint[],
        %b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[], %b::text[], %b::bigint[], %b::text[],
        %b::text[], %b::bigint[], %b::bool[], %b::bigint[]) AS new ({NAMES})
"""
ASSIGNED: Final = f"""
    account = new.account, key = new.key, open = new.open, status = new.status, remote_id = new.remote_id,
    lane = new.lane, created_at = new.created_at, next_poll = new.next_poll, planned_at = new.planned_at,
    version = new.version, document = new.document, subject = new.subject, resource = new.resource, era = new.era,
    once = new.once, whole = new.whole, settled_at = new.settled_at, leased_until = 0, written_by = {WRITTEN_BY}
"""
# The same for a job that stays leased, and due, as it is.
ASSIGNED_LEASED: Final = (
    ASSIGNED.replace("next_poll = new.next_poll", "next_poll = coalesce(job.next_poll, new.next_poll)")
    .replace("planned_at = new.planned_at", "planned_at = coalesce(job.planned_at, new.planned_at)")
    .replace("leased_until = 0", "leased_until = job.leased_until")
)


def plain(text: str) -> str:
    """Write a text without U+0000, which PostgreSQL keeps in no text; different texts stay different."""
    return text.replace("\\", "\\\\").replace("\0", "\\0") if "\0" in text or "\\" in text else text


def unplain(text: str) -> str:
    """Read a text that was written plainly."""
    return _ESCAPED.sub(lambda found: "\0" if found[0] == "\\0" else "\\", text) if "\\" in text else text


_ESCAPED: Final = re.compile(r"\\[\\0]")


class Columns(NamedTuple):
    """A job as its row. Instants are microseconds since 1970."""

    id: str
    account: str
    key: str | None
    open: bool
    status: str
    remote_id: str | None
    lane: str | None
    created_at: int
    next_poll: int | None
    planned_at: int | None
    version: int
    document: bytes
    subject: bytes | None
    resource: str | None
    era: int
    once: str | None
    whole: str | None
    settled_at: int | None


def columns(job: Job) -> Columns:
    return Columns(
        id=plain(job.id),
        account=plain(job.account),
        key=plain(job.key) if stands_in_the_way(job) else None,
        open=job.is_open,
        status=job.status.value,
        remote_id=None if job.remote_id is None else plain(normal_id(job.remote_id)),
        lane=None if job.lane is None else plain(job.lane),
        created_at=to_us(job.created_at),
        next_poll=None if job.schedule.next_poll is None else to_us(job.schedule.next_poll),
        planned_at=None if job.schedule.planned_at is None else to_us(job.schedule.planned_at),
        version=job.version,
        document=encode_job(job),
        subject=subject_mark(job.task.subject) if job.is_nameless else None,
        resource=plain(job.task.resource) if job.is_nameless else None,
        era=job.era,
        once=json.dumps(sorted(set(job.once))) if job.once else None,
        whole=plain(job.key) if job.key and job.is_whole else None,
        settled_at=None if job.settled_at is None else to_us(job.settled_at),
    )


def arrays(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    """Turn rows into the columns `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)]
