"""The names that jobs of the SQLite store hold, and those that finished whole.

Every function runs inside a transaction of the store's thread.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from ...jobs import Job, Status
from ..documents import read_job
from ..rules import refuse_second_end


def obstacle(database: sqlite3.Connection, job: Job, expected: int | None) -> Job | None:
    """The holder of a name that a job would take, if the job may be written otherwise."""
    kept = database.execute("SELECT version, status FROM job WHERE id = ?", (job.id,)).fetchone()
    if (None if kept is None else kept[0]) != expected:
        return None
    if kept is not None:
        refuse_second_end(job, Status(kept[1]))
    row = database.execute(_OTHER_HOLDER, (job.account, names_of(job), job.id)).fetchone()
    return read_job(row[0]) if row else None


def names_of(job: Job) -> str | None:
    """The names of a job as its row has them: the tables' triggers give and take them."""
    return json.dumps(sorted(set(job.once))) if job.once else None


def holder(database: sqlite3.Connection, account: str, name: str) -> Job | None:
    """The job that holds a name."""
    row = database.execute(_HOLDER, (account, name)).fetchone()
    return read_job(row[0]) if row else None


def fresh(database: sqlite3.Connection, account: str, key: str, since_us: int) -> Job | None:
    """The last equal job that finished whole since an instant."""
    row = database.execute(_FRESH, (account, key, since_us)).fetchone()
    return read_job(row[0]) if row else None


_HOLDER: Final = "SELECT document FROM job WHERE id = (SELECT job_id FROM once WHERE account = ? AND name = ?)"
_OTHER_HOLDER: Final = """
    SELECT document FROM json_each(?2) AS wanted
    CROSS JOIN once ON once.account = ?1 AND once.name = wanted.value CROSS JOIN job ON job.id = once.job_id
    WHERE once.job_id <> ?3 ORDER BY job.created_at, job.id LIMIT 1
"""
_FRESH: Final = """
    SELECT document FROM job WHERE account = ? AND whole = ? AND settled_at >= ?
    ORDER BY settled_at DESC, created_at DESC, id DESC LIMIT 1
"""
