"""What other programs read of the PostgreSQL store: jobs and coverage as plain columns, read-only."""

from __future__ import annotations

from typing import Any, Final

from psycopg import AsyncConnection

from ..sql import STATE, WAS_ASKED, WHAT


async def has_views(connection: AsyncConnection[Any], schema: str) -> bool:
    """Whether there is nothing to make: the views are there, or the role may make none."""
    found = await connection.execute(
        "SELECT NOT has_schema_privilege(spaces.oid, 'CREATE') OR EXISTS (SELECT FROM pg_class WHERE relnamespace = "
        "spaces.oid AND relname = 'coverage_view') FROM pg_namespace AS spaces WHERE nspname = %s",
        (schema,),
    )
    (is_done,) = await found.fetchone() or (True,)
    return bool(is_done)


async def make_views(connection: AsyncConnection[Any]) -> None:
    """Make the views, also where one was dropped. Runs inside a transaction, under the lock of the schema."""
    for statement in VIEWS:
        await connection.execute(statement.encode())


# What a document tells; null what stands behind a value that cannot be read, and all of what is no JSON: one odd row
# must not cost the others. jsonb refuses U+0000, which is written `\u0000`: it is shown as U+FFFD. Two backslashes are
# one of a text, and are put out of the way meanwhile; no control character stands in JSON as it is.
_READ: Final = r"""
CREATE OR REPLACE FUNCTION read_document(
    document bytea, OUT vendor text, OUT account text, OUT subject text, OUT resource text, OUT kind text,
    OUT directions text[], OUT first_day date, OUT last_day date, OUT status text, OUT partial boolean,
    OUT retry_at timestamptz, OUT created_at timestamptz, OUT settled_at timestamptz, OUT settled_by text,
    OUT attempted_at text, OUT abandoned boolean, OUT deadline timestamptz, OUT job text, OUT remote_id text,
    OUT tags jsonb, OUT once jsonb, OUT failure_code text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    shown text;
    told jsonb;
    facts jsonb;
    outline jsonb;
BEGIN
    shown := replace(replace(convert_from(document, 'UTF8'), '\\', chr(1)), '\u0000', '\ufffd');
    told := replace(shown, chr(1), '\\')::jsonb;
    facts := told -> 'facts';
    outline := nullif(told -> 'outline', 'null');
    job := facts ->> 'id';
    vendor := facts ->> 'vendor';
    account := facts ->> 'account';
    status := facts ->> 'status';
    attempted_at := facts -> 'submission' ->> 'attempted_at';
    settled_by := facts ->> 'settled_by';
    partial := facts ->> 'partial';
    abandoned := facts ->> 'abandoned';
    kind := told -> 'task' ->> 'kind';
    remote_id := facts ->> 'remote_id';
    tags := facts -> 'tags';
    once := facts -> 'once';
    failure_code := facts -> 'failure' ->> 'code';
    created_at := facts ->> 'created_at';
    settled_at := facts ->> 'settled_at';
    retry_at := facts ->> 'retry_at';
    deadline := facts ->> 'deadline';
    subject := outline ->> 'subject';
    resource := outline ->> 'resource';
    first_day := outline ->> 'first';
    last_day := outline ->> 'last';
    directions := ARRAY(SELECT jsonb_array_elements_text(outline -> 'directions'));
EXCEPTION WHEN data_exception THEN
    NULL;
END $$
"""

# Instants of columns are microseconds since 1970.
JOBS_VIEW: Final = f"""
CREATE OR REPLACE VIEW jobs_view AS
WITH facts AS (
    SELECT job.id, job.account, job.status, job.version, told.vendor, told.subject, told.resource, told.kind,
        nullif(array_to_string(told.directions, '+'), '') AS direction, told.first_day, told.last_day, told.partial,
        told.retry_at, timestamptz 'epoch' + job.created_at * interval '1 microsecond' AS created_at,
        timestamptz 'epoch' + job.settled_at * interval '1 microsecond' AS settled_at, told.settled_by,
        (job.settled_at - job.created_at) / 1000000.0::double precision AS duration_seconds, told.deadline,
        told.remote_id, told.tags, told.once, told.failure_code, told.abandoned, told.attempted_at
    FROM job CROSS JOIN LATERAL read_document(job.document) AS told
)
SELECT id, vendor, account, subject, resource, kind, direction, first_day, last_day, {STATE} AS state, partial,
    retry_at, created_at, settled_at, settled_by, duration_seconds, deadline, remote_id, tags, once, failure_code,
    version
FROM facts
"""  # noqa: S608 - constants of this package

# Days are the tax office's: UTC-6 the whole year. A day proves nothing of what came after the job was made.
COVERAGE_VIEW: Final = f"""
CREATE OR REPLACE VIEW coverage_view AS
WITH kept AS (
    SELECT false AS pruned, told.* FROM job CROSS JOIN LATERAL read_document(job.document) AS told
    UNION ALL
    SELECT true, told.* FROM entry CROSS JOIN LATERAL read_document(entry.document) AS told
    WHERE entry.kind = 'proof'::bytea AND NOT EXISTS (SELECT FROM job WHERE job.id = told.job)
),
asked AS (
    SELECT *, {WHAT} AS what, (created_at AT TIME ZONE interval '-6 hours')::date - 1 AS ended_day
    FROM kept WHERE directions <> '{{}}' AND {WAS_ASKED}
),
pieces AS (
    SELECT *, first_day AS start,
        CASE WHEN what = 'proven' AND first_day IS NOT NULL THEN least(last_day, ended_day) ELSE last_day END AS stop
    FROM asked WHERE what <> 'proven' OR first_day IS NULL OR first_day <= ended_day
    UNION ALL
    SELECT *, greatest(first_day, ended_day + 1), last_day FROM asked WHERE what = 'proven' AND last_day > ended_day
)
SELECT vendor, account, subject, resource, direction, start AS first_day, stop AS last_day,
    CASE WHEN start > ended_day AND what = 'proven' THEN 'partial' ELSE what END AS what,
    job, settled_at, retry_at, failure_code, pruned
FROM pieces CROSS JOIN LATERAL unnest(directions) AS direction
"""  # noqa: S608 - constants of this package
VIEWS: Final = (_READ, JOBS_VIEW, COVERAGE_VIEW)
