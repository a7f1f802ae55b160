"""The names that jobs of the PostgreSQL store hold, and those that finished whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, TypeAlias

from ...jobs import Job
from ..documents import read_job
from .connection import Row, Statement
from .group_commit import Read
from .rows import arrays, plain

Name: TypeAlias = tuple[str, str]
"""An account and a name, both plain."""
Stored: TypeAlias = "Job | bytes | None"


def holder(account: str, name: str) -> Read[Job | None]:
    """The job that holds a name."""
    return Read(Statement(_HOLDER, (plain(account), plain(name))), _first_job)


def fresh(account: str, key: str, since_us: int) -> Read[Job | None]:
    """The last equal job that finished whole since an instant."""
    return Read(Statement(_FRESH, (plain(account), plain(key), since_us)), _first_job)


def _first_job(rows: list[Row]) -> Job | None:
    return read_job(rows[0][0]) if rows else None


_HOLDER: Final = """
    SELECT job.document FROM once JOIN job ON job.id = once.job_id WHERE once.account = %s AND once.name = %s
"""
_FRESH: Final = """
    SELECT document FROM job WHERE account = %s AND whole = %s AND settled_at >= %s
    ORDER BY settled_at DESC, created_at DESC, id DESC LIMIT 1
"""


def names_of(job: Job) -> frozenset[Name]:
    return frozenset((plain(job.account), plain(name)) for name in job.once)


def read_names(account: str, once: str | None) -> frozenset[Name]:
    """The names of a job as its row has them."""
    return frozenset() if once is None else frozenset((account, plain(name)) for name in json.loads(once))


class PendingNames:
    """Who holds which name, as the calls of a transaction leave it so far."""

    def __init__(self, held: Iterable[Row]) -> None:
        self._holders: dict[Name, tuple[str, Stored]] = {
            (account, name): (job_id, document) for account, name, job_id, document in held
        }
        self._changed: dict[str, frozenset[Name]] = {}

    @staticmethod
    def question(wanted: Iterable[Name]) -> Statement:
        return Statement(_HOLDERS, arrays(wanted))

    def holder(self, wanted: Iterable[Name]) -> Stored:
        """A job that holds one of some names."""
        return next((self._holders[each][1] for each in sorted(wanted) if each in self._holders), None)

    def write(self, job_id: str, held: frozenset[Name], names: frozenset[Name], stored: Stored) -> None:
        """Have a job that held some names hold others."""
        for each in held - names:
            self._holders.pop(each, None)
        for each in names:
            self._holders[each] = (job_id, stored)
        if names != held:
            self._changed[job_id] = names

    def statements(self) -> list[Statement]:
        """What has to be written, after the rows of the jobs."""
        if not self._changed:
            return []
        taken = sorted((*name, job_id) for job_id, names in self._changed.items() for name in names)
        statements = [Statement(_GIVE_BACK, (list(self._changed),))]
        if taken:
            free = Statement(_FREE, arrays([(account, name) for account, name, _ in taken]))
            statements += [free, Statement(_TAKE, arrays(taken))]
        return statements


_HOLDERS: Final = """
    SELECT once.account, once.name, once.job_id, job.document
    FROM unnest(%b::text[], %b::text[]) AS wanted (account, name)
    JOIN once ON once.account = wanted.account AND once.name = wanted.name JOIN job ON job.id = once.job_id
"""
_GIVE_BACK: Final = "DELETE FROM once WHERE job_id = ANY(%s)"
# Held by jobs that are not there any more: where only the rows of jobs were put back from a backup.
_FREE: Final = """
    DELETE FROM once USING unnest(%b::text[], %b::text[]) AS wanted (account, name)
    WHERE once.account = wanted.account AND once.name = wanted.name
    AND NOT EXISTS (SELECT FROM job WHERE job.id = once.job_id)
"""
_TAKE: Final = "INSERT INTO once (account, name, job_id) SELECT * FROM unnest(%b::text[], %b::text[], %b::text[])"

Equals: TypeAlias = tuple[str, str]
"""An account and a key, both plain."""


class PendingWhole:
    """Which equal job finished whole last. One that a call of the transaction changes or drops counts as before it."""

    def __init__(self, whole: Iterable[Row]) -> None:
        self._last: dict[Equals, tuple[int, int, str, Stored]] = {}
        self._started: list[tuple[str, str, str, int]] = []
        for account, key, *last in whole:
            self._last[account, key] = (last[0], last[1], last[2], last[3])

    @staticmethod
    def question(wanted: Iterable[Equals]) -> Statement:
        return Statement(_LAST, arrays(wanted))

    def fresh(self, equals: Equals, since_us: int) -> Stored:
        last = self._last.get(equals)
        return last[3] if last is not None and last[0] >= since_us else None

    def write(self, equals: Equals, settled_us: int, created_us: int, job: Job) -> None:
        """Note a job that finished whole."""
        last = (settled_us, created_us, plain(job.id))
        if equals not in self._last or self._last[equals][:3] <= last:
            self._last[equals] = (*last, job)

    def start(self, job_id: str, equals: Equals, since_us: int) -> None:
        """Note a new job that stands because none is fresh."""
        self._started.append((job_id, *equals, since_us))

    def statements(self, written: Iterable[str]) -> list[Statement]:
        """What has to be looked at again, once the rows of the new jobs are there.

        From then on no equal one can start; one that started and finished before, since it was looked for, is seen now.
        """
        return [Statement(_NONE_FASTER, [*arrays(self._started), list(written)])] if self._started else []


_LAST: Final = """
    SELECT wanted.account, wanted.key, last.* FROM unnest(%b::text[], %b::text[]) AS wanted (account, key)
    CROSS JOIN LATERAL (
        SELECT settled_at, created_at, id, document FROM job
        WHERE account = wanted.account AND whole = wanted.key AND settled_at IS NOT NULL
        ORDER BY settled_at DESC, created_at DESC, id DESC LIMIT 1
    ) AS last
"""
_NONE_FASTER: Final = """
    SELECT refuse_slower()
    FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[]) AS mine (id, account, key, since)
    WHERE EXISTS (
        SELECT FROM job WHERE account = mine.account AND whole = mine.key AND settled_at >= mine.since
        AND id <> ALL(%b::text[])
    )
"""
