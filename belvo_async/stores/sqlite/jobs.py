"""What the SQLite store asks of its tables of jobs. Every function runs inside a transaction of the store's thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final, NamedTuple

from ...errors import StoreError
from ...jobs import Job, Observation, encode_job, normal_id
from ..documents import read_job, read_jobs, read_observations
from ..parked import subject_mark
from ..rules import TIMELINE_LIMIT, refuse_second_end, refuse_taken_id, stands_in_the_way, to_us
from ..sql import ENDED
from ..walks import SLICE, Position, read_rows
from . import names
from .entries import enter_proof


class Progress(NamedTuple):
    """How far what other processes wrote was seen: SQLite's mark of it, and the number of the last transaction."""

    mark: int
    transaction: int


class Transaction(NamedTuple):
    """Which transaction of the database it is, and in which era."""

    number: int
    era: int


def put(
    database: sqlite3.Connection,
    job: Job,
    expected: int | None,
    seen: bytes | None,
    fresh_us: int | None,
    *,
    keeps_lease: bool = False,
) -> Job | None:
    """Write a job and what was seen of it, or return what stands in the way."""
    holder = names.obstacle(database, job, expected) if job.once else None
    if holder is not None:
        return holder
    if expected is None:
        is_written = (fresh_us is None or _fresh(database, job, fresh_us) is None) and _insert(database, job)
    else:
        is_written = _update(database, job, expected, keeps_lease=keeps_lease)
    if not is_written:
        standing = _obstacle(database, job, expected)
        return _fresh(database, job, fresh_us) if standing is None and fresh_us is not None else standing
    if seen is not None:
        _append(database, job.id, seen)
    return None


def put_all(database: sqlite3.Connection, some: Collection[Job]) -> list[Job]:
    """Write the next versions of several kept jobs; what stands in the way."""
    standing: list[Job] = []
    for job in some:
        if job.once or not _update(database, job, job.version - 1):
            kept = get(database, job.id)
            obstacle = None if kept is None else put(database, job, job.version - 1, None, None)
            standing += [] if obstacle is None else [obstacle]
    return standing


def _fresh(database: sqlite3.Connection, job: Job, since_us: int) -> Job | None:
    return names.fresh(database, job.account, job.key, since_us)


def _insert(database: sqlite3.Connection, job: Job) -> bool:
    # A job that does not stand in the way itself has no key in its row for the statement to compare.
    if job.key and not stands_in_the_way(job) and standing(database, job.account, job.key) is not None:
        return False
    return database.execute(INSERT, row_of(job)).rowcount == 1


def _update(database: sqlite3.Connection, job: Job, expected: int, *, keeps_lease: bool = False) -> bool:
    query = _UPDATE_LEASED if keeps_lease and job.is_open else _UPDATE
    return database.execute(query, (*row_of(job), expected)).rowcount == 1


def _obstacle(database: sqlite3.Connection, job: Job, expected: int | None) -> Job | None:
    """Why a job was not written."""
    kept = get(database, job.id)
    if expected is None:
        if kept is not None:
            refuse_taken_id(job, kept)
        return kept or standing(database, job.account, job.key)
    if kept is None:
        raise StoreError(f"job {job.id} is no longer kept")
    if kept.version == expected:
        refuse_second_end(job, kept.status)
    return kept


def standing(database: sqlite3.Connection, account: str, key: str) -> Job | None:
    """The open job that stands in the way of a new equal one."""
    if not key:
        return None
    row = database.execute(
        "SELECT document FROM job WHERE account = ? AND key = ? ORDER BY created_at, id LIMIT 1", (account, key)
    ).fetchone()
    return read_job(row[0]) if row else None


INSERT: Final = """
    INSERT INTO job (
        id, account, key, open, status, remote_id, lane, created_at, next_poll, version, document, failure, planned_at,
        subject, resource, once, whole, settled_at, changed, writer
    )
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, number, writer
    FROM last_transaction
    WHERE NOT EXISTS (SELECT 1 FROM job WHERE account = ?2 AND key = ?3)
    ON CONFLICT (id) DO NOTHING
"""
_UPDATE: Final = f"""
    UPDATE job SET
        account = ?2, key = ?3, open = ?4, status = ?5, remote_id = ?6, lane = ?7, created_at = ?8, next_poll = ?9,
        version = ?10, document = ?11, failure = ?12, planned_at = ?13, subject = ?14, resource = ?15, once = ?16,
        whole = ?17, settled_at = ?18, leased_until = 0,
        (changed, writer) = (SELECT number, writer FROM last_transaction)
    WHERE id = ?1 AND version = ?19 AND (status = ?5 OR status NOT IN ({ENDED}))
"""  # noqa: S608 - constants of this package
_UPDATE_LEASED: Final = (
    _UPDATE.replace("next_poll = ?9", "next_poll = coalesce(next_poll, ?9)")
    .replace("planned_at = ?13", "planned_at = coalesce(planned_at, ?13)")
    .replace("leased_until = 0", "leased_until = leased_until")
)


def row_of(job: Job) -> tuple[str | int | bytes | None, ...]:
    """What both statements are given."""
    return (
        job.id,
        job.account,
        job.key if stands_in_the_way(job) else None,
        int(job.is_open),
        job.status.value,
        None if job.remote_id is None else normal_id(job.remote_id),
        job.lane,
        to_us(job.created_at),
        None if job.schedule.next_poll is None else to_us(job.schedule.next_poll),
        job.version,
        encode_job(job),
        None if job.failure is None else job.failure.code,
        None if job.schedule.planned_at is None else to_us(job.schedule.planned_at),
        subject_mark(job.task.subject) if job.is_nameless else None,
        job.task.resource if job.is_nameless else None,
        names.names_of(job),
        job.key if job.key and job.is_whole else None,
        None if job.settled_at is None else to_us(job.settled_at),
    )


def _append(database: sqlite3.Connection, job_id: str, seen: bytes) -> None:
    ((place,),) = database.execute(_APPEND, (job_id, seen)).fetchall()
    if place > TIMELINE_LIMIT:
        database.execute("DELETE FROM timeline WHERE job_id = ? AND place <= ?", (job_id, place - TIMELINE_LIMIT))


_APPEND: Final = """
    INSERT INTO timeline SELECT ?1, coalesce(max(place), 0) + 1, ?2 FROM timeline WHERE job_id = ?1 RETURNING place
"""


def get(database: sqlite3.Connection, job_id: str) -> Job | None:
    """Read one job."""
    row = database.execute("SELECT document FROM job WHERE id = ?", (job_id,)).fetchone()
    return read_job(row[0]) if row else None


def find(database: sqlite3.Connection, account: str, remote_id: str) -> tuple[Job, ...]:
    """The jobs with a remote id, oldest first."""
    rows = database.execute(
        "SELECT document FROM job WHERE account = ? AND remote_id = ? ORDER BY created_at, id",
        (account, normal_id(remote_id)),
    )
    return tuple(read_jobs(document for (document,) in rows))


def nameless(database: sqlite3.Connection, account: str, subject: str | None, resource: str | None) -> tuple[Job, ...]:
    """The jobs that may have been started under an id nobody knows, oldest first."""
    facts = [
        account,
        *(() if subject is None else (subject_mark(subject),)),
        *(() if resource is None else (resource,)),
    ]
    query = _NAMELESS if subject is None else _NAMELESS_OF if resource is None else _NAMELESS_OF_BOTH
    return tuple(read_jobs(document for (document,) in database.execute(query, facts)))


_NAMELESS: Final = "SELECT document FROM job WHERE account = ? AND subject IS NOT NULL ORDER BY created_at, id"
_NAMELESS_OF: Final = _NAMELESS.replace("IS NOT NULL", "= ?")
_NAMELESS_OF_BOTH: Final = _NAMELESS.replace("IS NOT NULL", "= ? AND resource = ?")


def open_after(
    database: sqlite3.Connection, after: Position, accounts: Collection[str] | None, lane: str | None
) -> tuple[list[Job], Position | None]:
    """The next slice of open jobs, and where to go on; None at the end."""
    some = None if accounts is None else json.dumps(tuple(accounts))
    query = _OPEN if lane is None else _OPEN_IN_LANE
    values = {"created": after.created_us, "id": after.job_id, "accounts": some, "lane": lane, "slice": SLICE}
    return read_rows(database.execute(query, values).fetchall())


def ended_after(
    database: sqlite3.Connection, after: Position, accounts: Collection[str] | None, before_us: int
) -> tuple[list[Job], Position | None]:
    """The next slice of jobs that are not open and were created before an instant, and where to go on."""
    some = None if accounts is None else json.dumps(tuple(accounts))
    values = {"created": after.created_us, "id": after.job_id, "accounts": some, "before": before_us, "slice": SLICE}
    return read_rows(database.execute(_ENDED, values).fetchall())


_OPEN: Final = """
    SELECT created_at, id, document FROM job
    WHERE open = 1 AND (created_at, id) > (:created, :id)
    AND (:accounts IS NULL OR account IN (SELECT value FROM json_each(:accounts)))
    ORDER BY created_at, id LIMIT :slice
"""
_ENDED: Final = _OPEN.replace("WHERE open = 1", "WHERE open = 0 AND created_at < :before")
_OPEN_IN_LANE: Final = _OPEN.replace("WHERE open = 1", "WHERE open = 1 AND lane = :lane")


def count(database: sqlite3.Connection, *, ended: bool) -> dict[str, int]:
    """How many jobs each account has: open ones, or the others. Read from an index alone."""
    return dict(database.execute(_COUNT_ENDED if ended else _COUNT_OPEN).fetchall())


_COUNT_OPEN: Final = "SELECT account, count(*) FROM job WHERE open = 1 GROUP BY account"
_COUNT_ENDED: Final = "SELECT account, count(*) FROM job WHERE open = 0 GROUP BY account"


class Terms(NamedTuple):
    """Which jobs are claimed: those due by `now_us`, and those set by a clock that showed more than `latest_us`."""

    now_us: int
    latest_us: int | None
    until_us: int
    limit: int


def claim(database: sqlite3.Connection, accounts: Collection[str], terms: Terms) -> list[Job]:
    """Lease the jobs that have been due longest."""
    due: set[tuple[int, int, int, str, bytes]] = set()
    for account in accounts:
        due.update(database.execute(_DUE, (account, terms.now_us, terms.limit)))
        if terms.latest_us is not None:
            due.update(database.execute(_DOUBTFUL, (account, terms.latest_us, terms.limit)))
    claimed = sorted(sorted(due)[: terms.limit], key=lambda row: (row[2], row[1], row[3]))
    jobs = read_jobs(row[-1] for row in claimed)
    database.executemany(_LEASE, [(terms.until_us, terms.now_us, terms.now_us, row[3]) for row in claimed])
    return jobs


_DUE: Final = """
    SELECT due_at, created_at, next_poll, id, document FROM job WHERE account = ? AND due_at <= ?
    ORDER BY due_at, created_at LIMIT ?
"""
_DOUBTFUL: Final = """
    SELECT due_at, created_at, next_poll, id, document FROM job
    WHERE account = ? AND planned_at > ? AND due_at IS NOT NULL ORDER BY planned_at LIMIT ?
"""
# What was not believed is due when the lease ends, should nobody write it before.
_LEASE: Final = "UPDATE job SET leased_until = ?, planned_at = ?, next_poll = min(next_poll, ?) WHERE id = ?"


def first_due(database: sqlite3.Connection, accounts: Collection[str]) -> int | None:
    """The first instant a job may be claimed."""
    query = "SELECT min(due_at) FROM job WHERE account = ? AND due_at IS NOT NULL"
    found = (database.execute(query, (account,)).fetchone()[0] for account in accounts)
    return min((each for each in found if each is not None), default=None)


def number_transaction(database: sqlite3.Connection, writer: int) -> Transaction:
    """Number the transaction: what it writes is marked with the number and the writer."""
    query = "UPDATE last_transaction SET number = number + 1, writer = ? RETURNING number, era"
    ((number, era),) = database.execute(query, (writer,)).fetchall()
    return Transaction(number, era)


def skip_transactions(database: sqlite3.Connection, transactions: int, eras: int) -> int:
    """Give the transaction a higher number, and begin new eras with it: the number of the present one."""
    query = "UPDATE last_transaction SET number = number + ?, era = era + ? RETURNING era"
    ((era,),) = database.execute(query, (transactions, eras)).fetchall()
    return int(era)


def last_transaction(database: sqlite3.Connection) -> Transaction:
    """The number and the era of the last transaction."""
    return Transaction(*database.execute("SELECT number, era FROM last_transaction").fetchone())


def changed_since(
    database: sqlite3.Connection, seen: Progress | None, writer: int
) -> tuple[tuple[str, ...] | None, Progress]:
    """The jobs that other writers wrote since, None when there are none, and what has been seen now.

    An empty tuple stands for more jobs than are worth naming. Forgotten jobs are not told: nobody waits for them.
    """
    (mark,) = database.execute("PRAGMA data_version").fetchone()
    (number,) = database.execute("SELECT number FROM last_transaction").fetchone()
    now = Progress(mark, number)
    # The mark changes only when another connection commits.
    if seen is None or seen.mark == mark:
        return None, now
    rows = database.execute(_CHANGED, (seen.transaction, writer, SLICE + 1)).fetchall()
    if len(rows) > SLICE:
        return (), now
    return tuple(job_id for (job_id,) in rows) or None, now


_CHANGED: Final = "SELECT id FROM job WHERE changed > ? AND writer <> ? ORDER BY changed LIMIT ?"


def timeline(database: sqlite3.Connection, job_id: str) -> tuple[Observation, ...]:
    """The observations kept of a job, oldest first."""
    rows = database.execute("SELECT document FROM timeline WHERE job_id = ? ORDER BY place", (job_id,))
    return read_observations(document for (document,) in rows)


def forget(database: sqlite3.Connection, job_id: str, *, keep_proof: bool) -> bool:
    """Drop a job; its timeline and its names go with it."""
    job = get(database, job_id) if keep_proof else None
    if job is not None:
        enter_proof(database, job)
    return database.execute("DELETE FROM job WHERE id = ?", (job_id,)).rowcount > 0
