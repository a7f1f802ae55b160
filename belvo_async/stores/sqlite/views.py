"""What other programs read of the SQLite file: jobs and coverage as plain columns. Views cannot be written to."""

from __future__ import annotations

from typing import Final

from ..sql import STATE, WAS_ASKED, WHAT


def _instant(name: str) -> str:
    """An instant of the document as text, in milliseconds: texts of one form are in the order of time."""
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(text, '$.facts.{name}'))"


def _fact(name: str, kind: str = "TEXT") -> str:
    # A declared type is what readers of views take the column for.
    return f"CAST(json_extract(text, '$.facts.{name}') AS {kind}) AS {name.split('.')[-1]}"


# As text, since a BLOB would be taken for SQLite's own form of JSON. One row that is no JSON must not cost the others.
_TEXT: Final = "CASE WHEN json_valid(CAST(document AS TEXT)) THEN CAST(document AS TEXT) END AS text"
_OUTLINE: Final = ", ".join(
    f"CAST(json_extract(text, '$.outline.{path}') AS TEXT) AS {name}"
    for path, name in (("subject", "subject"), ("resource", "resource"), ("first", "first_day"), ("last", "last_day"))
)
_SETTLED: Final = (
    f"{_fact('vendor')}, {_fact('partial', 'INTEGER')}, {_fact('abandoned', 'INTEGER')}, {_fact('settled_by')}, "
    f"{_fact('submission.attempted_at')}, {_instant('retry_at')} AS retry_at, "
    "CAST(json_extract(text, '$.facts.failure.code') AS TEXT) AS failure_code"
)

JOBS_VIEW: Final = f"""
CREATE VIEW IF NOT EXISTS jobs_view AS
WITH kept AS (
    SELECT id, account, status, version, created_at AS created_us, settled_at AS settled_us, {_TEXT} FROM job
),
facts AS (
    SELECT id, account, status, version, created_us, settled_us, {_OUTLINE}, {_SETTLED},
        CAST(json_extract(text, '$.task.kind') AS TEXT) AS kind,
        (SELECT group_concat(value, '+') FROM json_each(text, '$.outline.directions')) AS direction,
        {_fact("remote_id")}, {_fact("tags")}, {_fact("once")}, {_instant("deadline")} AS deadline
    FROM kept
)
SELECT id, vendor, account, subject, resource, kind, direction, first_day, last_day, {STATE} AS state, partial,
    retry_at, strftime('%Y-%m-%dT%H:%M:%fZ', created_us / 1000000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', settled_us / 1000000.0, 'unixepoch') AS settled_at, settled_by,
    CAST((settled_us - created_us) / 1000000.0 AS REAL) AS duration_seconds, deadline, remote_id, tags, once,
    failure_code, version
FROM facts
"""  # noqa: S608 - constants of this package

# Days are the tax office's: UTC-6 the whole year. A day proves nothing of what came after the job was made.
# DuckDB reads what it attaches through SQLite, but in words of its own that it makes of these, for which SQLite must
# have an ear too: hence numbers that are joined where a UNION would stand, `strftime` for `date`, and no cast to BLOB.
COVERAGE_VIEW: Final = f"""
CREATE VIEW IF NOT EXISTS coverage_view AS
WITH kept AS (
    SELECT place.value AS pruned, coalesce(job.id, CAST(entry.key AS TEXT)) AS job,
        coalesce(job.account, CAST(entry.account AS TEXT)) AS account,
        coalesce(job.document, entry.document) AS document
    FROM json_each('[0, 1]') AS place LEFT JOIN job ON place.value = 0
        LEFT JOIN entry ON place.value = 1 AND CAST(entry.kind AS TEXT) = 'proof'
    WHERE job.id IS NOT NULL OR entry.key IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM job AS unpruned WHERE unpruned.id = CAST(entry.key AS TEXT))
),
shown AS (
    SELECT job, account, pruned, {_TEXT} FROM kept
),
facts AS (
    SELECT job, account, pruned, {_OUTLINE}, {_SETTLED}, {_fact("status")}, {_instant("settled_at")} AS settled_at,
        json_extract(text, '$.outline.directions') AS directions,
        strftime('%Y-%m-%d', json_extract(text, '$.facts.created_at'), '-6 hours', '-1 day') AS ended_day
    FROM shown
),
asked AS (
    SELECT *, {WHAT} AS what FROM facts WHERE directions IS NOT NULL AND {WAS_ASKED}
),
halves AS (
    SELECT asked.*, half.value AS half FROM asked CROSS JOIN json_each('[0, 1]') AS half
    WHERE CASE
        WHEN what <> 'proven' OR first_day IS NULL THEN half.value = 0
        WHEN half.value = 0 THEN first_day <= ended_day
        ELSE last_day > ended_day
    END
)
SELECT vendor, account, subject, resource, CAST(direction.value AS TEXT) AS direction,
    CASE WHEN half = 1 THEN max(first_day, strftime('%Y-%m-%d', ended_day, '+1 day')) ELSE first_day END AS first_day,
    CASE WHEN half = 0 AND what = 'proven' THEN min(last_day, ended_day) ELSE last_day END AS last_day,
    CASE WHEN half = 1 THEN 'partial' ELSE what END AS what, job, settled_at, retry_at, failure_code, pruned
FROM halves CROSS JOIN json_each(halves.directions) AS direction
"""  # noqa: S608 - constants of this package
VIEWS: Final = (JOBS_VIEW.strip(), COVERAGE_VIEW.strip())
