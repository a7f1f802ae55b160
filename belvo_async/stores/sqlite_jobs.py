"""What the SQLite store asks of its tables of jobs. Every function runs inside a transaction of the store's thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Observation, Status, decode_job, encode_job, normal_id

from .rules import SLICE, TIMELINE_LIMIT, refuse_second_end, stands_in_the_way, to_us

__all__ = [
    "Place",
    "Seen",
    "changed_since",
    "claim",
    "find",
    "first_due",
    "forget",
    "get",
    "open_after",
    "put",
    "take_turn",
    "timeline",
]


class Place(NamedTuple):
    """Where a walk over open jobs has got to."""

    created_us: int
    job_id: str


class Seen(NamedTuple):
    """How much of what other processes wrote was seen: SQLite's mark of it, and the number of the last transaction."""

    mark: int
    turn: int


def put(database: sqlite3.Connection, job: Job, expected: int | None, seen: bytes | None) -> Job | None:
    """Write a job and what was seen of it, or return what stands in the way."""
    obstacle = _obstacle(database, job, expected)
    if obstacle is not None:
        return obstacle
    database.execute(INSERT, row_of(job))
    if seen is not None:
        _append(database, job.id, seen)
    return None


def _obstacle(database: sqlite3.Connection, job: Job, expected: int | None) -> Job | None:
    kept = database.execute("SELECT version, status, document FROM job WHERE id = ?", (job.id,)).fetchone()
    if expected is None:
        return _decode(kept[2]) if kept else _equal(database, job)
    if kept is None:
        raise StoreError(f"job {job.id} is no longer kept")
    version, status, document = kept
    if version != expected:
        return _decode(document)
    refuse_second_end(job, Status(status))
    return None


def _equal(database: sqlite3.Connection, job: Job) -> Job | None:
    if not job.key:
        return None
    row = database.execute(
        "SELECT document FROM job WHERE account = ? AND key = ? ORDER BY created_at, id LIMIT 1", (job.account, job.key)
    ).fetchone()
    return _decode(row[0]) if row else None


INSERT = """
    INSERT INTO job (
        id, account, key, open, status, remote_id, lane, created_at, next_poll, version, document, failure,
        changed, writer
    )
    SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, number, writer FROM turn WHERE true
    ON CONFLICT (id) DO UPDATE SET
        account = excluded.account, key = excluded.key, open = excluded.open, status = excluded.status,
        remote_id = excluded.remote_id, lane = excluded.lane, created_at = excluded.created_at,
        next_poll = excluded.next_poll, version = excluded.version, document = excluded.document, leased_until = 0,
        failure = excluded.failure, changed = excluded.changed, writer = excluded.writer
"""


def row_of(job: Job) -> tuple[str | int | bytes | None, ...]:
    return (
        job.id,
        job.account,
        job.key if stands_in_the_way(job) else None,
        int(job.is_open),
        job.status.value,
        None if job.remote_id is None else normal_id(job.remote_id),
        job.lane,
        to_us(job.created_at),
        None if job.next_poll is None else to_us(job.next_poll),
        job.version,
        encode_job(job),
        None if job.failure is None else job.failure.code,
    )


def _append(database: sqlite3.Connection, job_id: str, seen: bytes) -> None:
    (last,) = database.execute("SELECT max(place) FROM timeline WHERE job_id = ?", (job_id,)).fetchone()
    place = (last or 0) + 1
    database.execute("INSERT INTO timeline VALUES (?, ?, ?)", (job_id, place, seen))
    database.execute("DELETE FROM timeline WHERE job_id = ? AND place <= ?", (job_id, place - TIMELINE_LIMIT))


def get(database: sqlite3.Connection, job_id: str) -> Job | None:
    """Read one job."""
    row = database.execute("SELECT document FROM job WHERE id = ?", (job_id,)).fetchone()
    return _decode(row[0]) if row else None


def find(database: sqlite3.Connection, account: str, remote_id: str) -> tuple[Job, ...]:
    """The jobs with a remote id, oldest first."""
    rows = database.execute(
        "SELECT document FROM job WHERE account = ? AND remote_id = ? ORDER BY created_at, id",
        (account, normal_id(remote_id)),
    )
    return tuple(_decode(document) for (document,) in rows)


def open_after(
    database: sqlite3.Connection, after: Place, accounts: Collection[str] | None, lane: str | None
) -> tuple[list[Job], Place | None]:
    """The next slice of open jobs, and where to go on; None at the end."""
    some = None if accounts is None else json.dumps(tuple(accounts))
    query = _OPEN if lane is None else _OPEN_IN_LANE
    rows = database.execute(
        query, {"created": after.created_us, "id": after.job_id, "accounts": some, "lane": lane, "slice": SLICE}
    ).fetchall()
    end = Place(rows[-1][0], rows[-1][1]) if len(rows) == SLICE else None
    return [_decode(document) for _, _, document in rows], end


_OPEN = """
    SELECT created_at, id, document FROM job
    WHERE open = 1 AND (created_at, id) > (:created, :id)
    AND (:accounts IS NULL OR account IN (SELECT value FROM json_each(:accounts)))
    ORDER BY created_at, id LIMIT :slice
"""
_OPEN_IN_LANE = _OPEN.replace("WHERE open = 1", "WHERE open = 1 AND lane = :lane")


def claim(database: sqlite3.Connection, accounts: Collection[str], now_us: int, until_us: int, limit: int) -> list[Job]:
    """Lease the jobs that have been due longest."""
    due: list[tuple[int, int, str, bytes]] = []
    for account in accounts:
        due += database.execute(
            "SELECT due_at, next_poll, id, document FROM job WHERE account = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
            (account, now_us, limit),
        )
    claimed = sorted(sorted(due)[:limit], key=lambda row: row[1:])
    jobs = [_decode(document) for _, _, _, document in claimed]
    database.executemany("UPDATE job SET leased_until = ? WHERE id = ?", [(until_us, row[2]) for row in claimed])
    return jobs


def first_due(database: sqlite3.Connection, accounts: Collection[str]) -> int | None:
    """The first instant a job may be claimed."""
    query = "SELECT min(due_at) FROM job WHERE account = ? AND due_at IS NOT NULL"
    found = (database.execute(query, (account,)).fetchone()[0] for account in accounts)
    return min((each for each in found if each is not None), default=None)


def take_turn(database: sqlite3.Connection, writer: int) -> None:
    """Number the transaction: what it writes is marked with the number and the writer."""
    database.execute("UPDATE turn SET number = number + 1, writer = ?", (writer,))


def changed_since(database: sqlite3.Connection, seen: Seen | None, writer: int) -> tuple[tuple[str, ...] | None, Seen]:
    """The jobs that other writers wrote since, None when there are none, and what has been seen now.

    An empty tuple stands for more jobs than are worth naming. Forgotten jobs are not told: nobody waits for them.
    """
    (mark,) = database.execute("PRAGMA data_version").fetchone()
    (turn,) = database.execute("SELECT number FROM turn").fetchone()
    now = Seen(mark, turn)
    # The mark changes only when another connection commits.
    if seen is None or seen.mark == mark:
        return None, now
    rows = database.execute(_CHANGED, (seen.turn, writer, SLICE + 1)).fetchall()
    if len(rows) > SLICE:
        return (), now
    return tuple(job_id for (job_id,) in rows) or None, now


_CHANGED = "SELECT id FROM job WHERE changed > ? AND writer <> ? ORDER BY changed LIMIT ?"


def timeline(database: sqlite3.Connection, job_id: str) -> tuple[Observation, ...]:
    """The observations kept of a job, oldest first."""
    rows = database.execute("SELECT document FROM timeline WHERE job_id = ? ORDER BY place", (job_id,))
    return tuple(_OBSERVATION.decode(document) for (document,) in rows)


def forget(database: sqlite3.Connection, job_id: str) -> bool:
    """Drop a job; its timeline goes with it."""
    return database.execute("DELETE FROM job WHERE id = ?", (job_id,)).rowcount > 0


_OBSERVATION = msgspec.json.Decoder(Observation)


def _decode(document: bytes) -> Job:
    try:
        return decode_job(document)
    except msgspec.MsgspecError:
        # msgspec may quote what it could not read: its words stay out.
        raise StoreError("a stored job cannot be read: was it written by a newer release?") from None
