"""What must be found in an SQLite file, given what was tried and what was acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from belvo_async.jobs import decode_job, decode_observation
from tests.proof.workload import ACCOUNT, Fact, body, early, job_at, seen_at


class Ledger:
    """Keeps count of tries and acknowledgements; of jobs and leases, the highest."""

    def __init__(self) -> None:
        self._tried: dict[tuple[str, str], int] = {}
        self._done: dict[tuple[str, str], int] = {}

    def tries(self, fact: Fact) -> None:
        self._tried[fact.kind, fact.name] = max(fact.number, self.tried(fact.kind, fact.name))

    def done(self, fact: Fact) -> None:
        self._done[fact.kind, fact.name] = max(fact.number, self.acknowledged(fact.kind, fact.name))

    def tried(self, kind: str, name: str) -> int:
        """The highest number tried, -1 for none."""
        return self._tried.get((kind, name), -1)

    def acknowledged(self, kind: str, name: str) -> int:
        return self._done.get((kind, name), -1)

    @property
    def acknowledgements(self) -> int:
        """How many facts were acknowledged, each version of a job counted."""
        return sum(number + 1 if kind == "job" else 1 for (kind, _), number in self._done.items())

    def names(self, kind: str) -> set[str]:
        return {name for each, name in self._tried if each == kind}


class Found(NamedTuple):
    """The content of a file, as plain SQL gives it."""

    jobs: dict[str, tuple[int, str, int, str | None, bytes]]
    timelines: dict[str, list[bytes]]
    parked: dict[str, bytes]
    aside: list[bytes]
    kept: dict[str, tuple[int, int]]
    token: int

    @classmethod
    def read(cls, database: sqlite3.Connection) -> Found:
        """Read everything; a file without tables is an empty one."""
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'lease'").fetchone():
            return cls({}, {}, {}, [], {"parked": (0, 0), "aside": (0, 0)}, 0)
        rows = database.execute("SELECT id, version, status, open, failure, document FROM job")
        jobs = {row[0]: row[1:] for row in rows}
        timelines: dict[str, list[bytes]] = {}
        for job_id, document in database.execute("SELECT job_id, document FROM timeline ORDER BY job_id, place"):
            timelines.setdefault(job_id, []).append(document)
        parked = dict(database.execute("SELECT remote_id, document FROM parked WHERE account = ?", (ACCOUNT,)))
        aside = [document for (document,) in database.execute("SELECT document FROM aside")]
        kept = {name: (count, size) for name, count, size in database.execute("SELECT name, count, bytes FROM kept")}
        (token,) = database.execute("SELECT coalesce(max(token), 0) FROM lease").fetchone()
        return cls(jobs, timelines, parked, aside, kept, token)


class Wrongs(NamedTuple):
    """What is wrong with a file: acknowledged facts that are not there, and everything that never should be."""

    lost: list[str]
    broken: list[str]


def examine(path: Path, ledger: Ledger) -> Wrongs:
    """Compare a file with the ledger, through a connection of the standard library."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        problems = [text for (text,) in database.execute("PRAGMA integrity_check") if text != "ok"]
        problems += [f"dangling {row}" for row in database.execute("PRAGMA foreign_key_check")]
        if problems:
            return Wrongs([], problems)
        found = Found.read(database)
    except sqlite3.DatabaseError as error:
        return Wrongs([], [f"cannot be read: {error}"])
    finally:
        database.close()
    return Wrongs(list(_lost(found, ledger)), list(_broken(found, ledger)))


def _lost(found: Found, ledger: Ledger) -> Iterator[str]:
    for name in ledger.names("job"):
        version = found.jobs[name][0] if name in found.jobs else -1
        # Who tried to forget a job cannot complain that it is gone.
        if version < ledger.acknowledged("job", name) and not (version < 0 <= ledger.tried("forget", name)):
            yield f"{name}: version {ledger.acknowledged('job', name)} was acknowledged, {version} is there"
        if ledger.acknowledged("forget", name) >= 0 and version >= 0:
            yield f"{name}: was forgotten and is back"
    for name in ledger.names("park"):
        there = f"remote-{name}" in found.parked
        if ledger.acknowledged("park", name) >= 0 > ledger.tried("unpark", name) and not there:
            yield f"{name}: was parked and is gone"
        if ledger.acknowledged("unpark", name) >= 0 and there:
            yield f"{name}: was taken from the parked and is back"
    for name in ledger.names("aside"):
        if ledger.acknowledged("aside", name) >= 0 and body(name) not in found.aside:
            yield f"{name}: was set aside and is gone"
    if found.token < ledger.acknowledged("lease", "lane"):
        yield "the fencing token went back"


def _broken(found: Found, ledger: Ledger) -> Iterator[str]:
    for name, (version, status, is_open, failure, document) in found.jobs.items():
        if version > ledger.tried("job", name):
            yield f"{name}: version {version} was never written"
            continue
        job = job_at(name, version)
        code = job.failure.code if job.failure else None
        if (job, job.status, int(job.is_open), code) != (decode_job(document), status, is_open, failure):
            yield f"{name}: the row is not what was written as version {version}"
        seen = [each for each in (seen_at(name, number) for number in range(version + 1)) if each is not None]
        if seen != [decode_observation(document) for document in found.timelines.get(name, [])]:
            yield f"{name}: the timeline is not that of version {version}"
    if not found.timelines.keys() <= found.jobs.keys():
        yield "a timeline without its job"
    expected = {f"remote-{name}": msgspec.json.encode(early(name)) for name in ledger.names("park")}
    if not found.parked.items() <= expected.items():
        yield "something is parked that nobody parked"
    if not set(found.aside) <= {body(name) for name in ledger.names("aside")}:
        yield "something is set aside that nobody set aside"
    for table, documents in (("parked", list(found.parked.values())), ("aside", found.aside)):
        if found.kept[table] != (len(documents), sum(map(len, documents))):
            yield f"the counts of {table} are wrong"
