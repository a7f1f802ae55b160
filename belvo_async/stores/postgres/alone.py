"""One job that no other call is written with: by a single statement, where nothing stands in its way.

It does nothing at all where anything does, or where the database is not as this writer left it; then the call goes the
usual way, which locks, reads and decides. So whatever is odd is decided in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...jobs import Status
from ..rules import TIMELINE_LIMIT
from .connection import Statement
from .era import COPIED, NOTED_IF_WRITTEN, UNCHANGED, KnownEra
from .rows import ASSIGNED, ASSIGNED_LEASED, NAMES, ROWS, Columns, arrays


def insert_alone(
    row: Columns, key: str, seen: bytes | None, known: KnownEra, batch: int, told: Sequence[object]
) -> Statement:
    """Write a new job, unless there is one under its id, or an equal one."""
    return Statement(_INSERT, (*_values(row, seen, known), row.account, key, seen, seen, *known.noting(batch), *told))


def update_alone(
    row: Columns,
    expected: int,
    seen: bytes | None,
    known: KnownEra,
    batch: int,
    told: Sequence[object],
    *,
    keeps_lease: bool,
) -> Statement:
    """Write the next version of a job, if it has the one that is expected and nothing is to be decided."""
    facts = *_values(row, seen, known), expected, TIMELINE_LIMIT, _ENDED
    query = _UPDATE_LEASED if keeps_lease else _UPDATE
    return Statement(query, (*facts, seen, seen, *known.noting(batch), *told))


def _values(row: Columns, seen: bytes | None, known: KnownEra) -> list[object]:
    return [*arrays([(*row, row.key is not None, int(seen is not None))]), *known.unchanged()]


_ENDED: Final = [status.value for status in Status if status.is_terminal]

_INSERTED: Final = f"""
    INSERT INTO job ({NAMES}) SELECT * FROM {ROWS} WHERE {UNCHANGED}
        AND NOT EXISTS (SELECT FROM job WHERE job.id = new.id)
        AND NOT EXISTS (SELECT FROM job WHERE job.account = %b::text AND job.key = %b::text)
    RETURNING job.id, job.seen
"""  # noqa: S608 - constants of this package
# One that holds a name, has another end, or has seen as much as is kept, is for the usual way.
_UPDATED: Final = f"""
    UPDATE job SET {ASSIGNED},
        started = coalesce(job.started AND job.key = new.key, false), seen = job.seen + new.seen
    FROM {ROWS} WHERE job.id = new.id AND {UNCHANGED} AND job.version = %b::bigint AND job.once IS NULL
        AND job.seen < %b::bigint AND (job.status = new.status OR job.status <> ALL(%b::text[])) AND NOT {COPIED}
    RETURNING job.id, job.seen
"""  # noqa: S608 - constants of this package
_AFTERWARDS: Final = f"""
    appended AS (
        INSERT INTO timeline (job_id, place, document)
        SELECT id, seen, %b::bytea FROM written WHERE %b::bytea IS NOT NULL
        ON CONFLICT (job_id, place) DO UPDATE SET document = excluded.document
    ), noted AS ({NOTED_IF_WRITTEN})
    SELECT noted.transaction, pg_notify(current_schema(), %s) FROM noted
"""  # noqa: S608 - constants of this package
_INSERT: Final = f"WITH written AS ({_INSERTED}), {_AFTERWARDS}"
_UPDATE: Final = f"WITH written AS ({_UPDATED}), {_AFTERWARDS}"
_UPDATE_LEASED: Final = _UPDATE.replace(ASSIGNED, ASSIGNED_LEASED)
