"""What the PostgreSQL store asks of its tables of jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from ...errors import StoreError
from ...jobs import Job, Observation, normal_id
from ..documents import read_job, read_jobs, read_observations
from ..parked import subject_mark
from ..rules import to_us
from ..walks import SLICE, Position, read_rows
from .connection import Row, Statement
from .era import BEGIN_ERA, COPIED, WRITTEN_BY
from .group_commit import Read, Steps, Write
from .rows import plain, unplain


def get(job_id: str) -> Read[Job | None]:
    """Read one job."""
    return Read(Statement("SELECT document FROM job WHERE id = %s", (plain(job_id),)), _first_job)


def find(account: str, remote_id: str) -> Read[tuple[Job, ...]]:
    """The jobs with a remote id, oldest first."""
    statement = Statement(_FIND, (plain(account), plain(normal_id(remote_id))))
    return Read(statement, _jobs)


_FIND: Final = "SELECT document FROM job WHERE account = %s AND remote_id = %s ORDER BY created_at, id"


def standing(account: str, key: str) -> Read[Job | None]:
    """The open job that stands in the way of a new equal one."""
    return Read(Statement(_STANDING, (plain(account), plain(key))), _first_job)


_STANDING: Final = "SELECT document FROM job WHERE account = %s AND key = %s ORDER BY created_at, id LIMIT 1"


def count(*, ended: bool) -> Read[dict[str, int]]:
    """How many jobs each account has: open ones, or the others. Read from an index alone."""
    statement = Statement(_COUNT_ENDED if ended else _COUNT_OPEN)
    return Read(statement, lambda rows: {unplain(account): number for account, number in rows})


_COUNT_OPEN: Final = "SELECT account, count(*) FROM job WHERE open GROUP BY account"
_COUNT_ENDED: Final = "SELECT account, count(*) FROM job WHERE NOT open GROUP BY account"


def nameless(account: str, subject: str | None, resource: str | None) -> Read[tuple[Job, ...]]:
    """The jobs that may have been started under an id nobody knows, oldest first."""
    if subject is None:
        statement = Statement(_NAMELESS, (plain(account),))
    elif resource is None:
        statement = Statement(_NAMELESS_OF, (plain(account), subject_mark(subject)))
    else:
        statement = Statement(_NAMELESS_OF_BOTH, (plain(account), subject_mark(subject), plain(resource)))
    return Read(statement, _jobs)


_NAMELESS: Final = "SELECT document FROM job WHERE account = %s AND subject IS NOT NULL ORDER BY created_at, id"
_NAMELESS_OF: Final = _NAMELESS.replace("IS NOT NULL", "= %b")
_NAMELESS_OF_BOTH: Final = _NAMELESS.replace("IS NOT NULL", "= %b AND resource = %s")


def open_after(
    after: Position, accounts: Collection[str] | None, lane: str | None
) -> Read[tuple[list[Job], Position | None]]:
    """The next slice of open jobs, and where to go on; None at the end."""
    some = None if accounts is None else [plain(each) for each in accounts]
    values = (after.created_us, after.job_id, some, some, SLICE)
    if lane is None:
        return Read(Statement(_OPEN, values), read_rows)
    return Read(Statement(_OPEN_IN_LANE, (plain(lane), *values)), read_rows)


def ended_after(
    after: Position, accounts: Collection[str] | None, before_us: int
) -> Read[tuple[list[Job], Position | None]]:
    """The next slice of jobs that are not open and were created before an instant, and where to go on."""
    some = None if accounts is None else [plain(each) for each in accounts]
    values = (before_us, after.created_us, after.job_id, some, some, SLICE)
    return Read(Statement(_ENDED, values), read_rows)


_OPEN: Final = """
    SELECT created_at, id, document FROM job
    WHERE open AND (created_at, id) > (%s, %s) AND (%s::text[] IS NULL OR account = ANY(%s))
    ORDER BY created_at, id LIMIT %s
"""
_ENDED: Final = _OPEN.replace("WHERE open", "WHERE NOT open AND created_at < %s")
_OPEN_IN_LANE: Final = _OPEN.replace("WHERE open", "WHERE open AND lane = %s")


def first_due(accounts: Collection[str]) -> Read[int | None]:
    """The first instant a job may be claimed."""
    return Read(Statement(_FIRST_DUE, ([plain(each) for each in accounts],)), lambda rows: rows[0][0])


_FIRST_DUE: Final = """
    SELECT min(due) FROM unnest(%s::text[]) AS asked (account)
    CROSS JOIN LATERAL (SELECT min(due_at) FROM job WHERE account = asked.account AND due_at IS NOT NULL) AS first (due)
"""


def timeline(job_id: str) -> Read[tuple[Observation, ...]]:
    """The observations kept of a job, oldest first."""
    statement = Statement("SELECT document FROM timeline WHERE job_id = %s ORDER BY place", (plain(job_id),))
    return Read(statement, lambda rows: read_observations(document for (document,) in rows))


def _jobs(rows: list[Row]) -> tuple[Job, ...]:
    return tuple(read_jobs(document for (document,) in rows))


def _first_job(rows: list[Row]) -> Job | None:
    return read_job(rows[0][0]) if rows else None


class BeginEra(Write[int]):
    """Begin a new era because somebody said so."""

    rank = 9

    @staticmethod
    def steps(operations: Sequence[BeginEra]) -> Steps:
        """Begin one for all who say so at the same time."""
        (((era,),),) = yield [Statement(BEGIN_ERA)]
        for each in operations:
            each.outcome = era
        yield []


class Claim(Write[list[Job]]):
    """Lease the jobs that have been due longest."""

    rank = 1

    def __init__(
        self, accounts: Collection[str], now: datetime, until: datetime, limit: int, latest: datetime | None
    ) -> None:
        super().__init__()
        whose, now_us = [plain(each) for each in set(accounts)], to_us(now)
        # Later than NULL is nothing.
        wanted = (whose, now_us, limit, whose, None if latest is None else to_us(latest), limit, limit)
        self.statement = Statement(_CLAIM, (*wanted, to_us(until), now_us, now_us))

    @staticmethod
    def steps(operations: Sequence[Claim]) -> Steps:
        """Claim while the jobs written in the same transaction are locked but not yet written.

        So the jobs claimed are known before the commit, and a write after them gives its job back as it should.
        """
        answers = yield [each.statement for each in operations]
        for each, rows in zip(operations, answers, strict=True):
            each.met_copy = any(row[3] for row in rows)
            try:
                each.outcome = read_jobs(row[2] for row in sorted(rows, key=lambda row: (row[0], row[4], row[1])))
            except StoreError as error:
                each.failure = error
        yield []


# Each account's jobs come from an index in their order. What another worker has locked it is about to claim or write.
# What was not believed is due when the lease ends, should nobody write it before.
_CLAIM: Final = f"""
    WITH due AS (
        SELECT one.* FROM unnest(%s::text[]) AS asked (account) CROSS JOIN LATERAL (
            SELECT id, due_at, created_at, {COPIED} AS is_copy FROM job WHERE account = asked.account AND due_at <= %s
            ORDER BY due_at, created_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) AS one
    ), doubtful AS (
        SELECT one.* FROM unnest(%s::text[]) AS asked (account) CROSS JOIN LATERAL (
            SELECT id, due_at, created_at, {COPIED} AS is_copy FROM job
            WHERE account = asked.account AND planned_at > %s::bigint AND due_at IS NOT NULL
            ORDER BY planned_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) AS one
    ), chosen AS (
        SELECT id, is_copy FROM (SELECT * FROM due UNION SELECT * FROM doubtful) AS wanted
        ORDER BY due_at, created_at, id LIMIT %s
    )
    UPDATE job SET leased_until = %s, planned_at = %s, next_poll = least(next_poll, %s), written_by = {WRITTEN_BY}
    FROM chosen WHERE job.id = chosen.id RETURNING job.next_poll, job.id, job.document, chosen.is_copy, job.created_at
"""  # noqa: S608 - constants of this package
