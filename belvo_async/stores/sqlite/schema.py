"""What is in the SQLite file."""

from __future__ import annotations

import sqlite3
from typing import Final

from ..sql import ENDED, STATUSES
from .views import VIEWS

SCHEMA_VERSION: Final = 1

# "blva", so that a file of another program is not taken for a store.
APPLICATION_ID: Final = 0x626C7661


def create(database: sqlite3.Connection, version: int) -> None:
    """Make the tables of an empty file. Runs inside a transaction."""
    if version == 0:
        for statement in (*_JOBS, *_BOUNDED, *_SHARED):
            database.execute(statement)
    # Also into a file of an earlier build, which has none.
    for statement in VIEWS:
        database.execute(statement)
    # Written even when they are there already: a store that cannot be written is noticed now.
    database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


# Instants are microseconds since 1970, UTC. `key` is set while the job stands in the way of equal ones; `remote_id` is
# in normal form. `planned_at` is by which clock it was set when the job is due: its own, or that of who leased it last.
# `subject`, a digest, and `resource` are set while the job `is_nameless`; `whole` is the key of one that `is_whole`;
# `once` lists the names it holds, which triggers bring into the table of that name. Everything else about a job is in
# its document.
_JOBS: Final = (
    f"""
    CREATE TABLE job (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        key TEXT,
        open INTEGER NOT NULL CHECK (open IN (0, 1)),
        status TEXT NOT NULL CHECK (status IN ({STATUSES})),
        remote_id TEXT,
        lane TEXT,
        created_at INTEGER NOT NULL,
        next_poll INTEGER,
        planned_at INTEGER,
        leased_until INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL,
        document BLOB NOT NULL,
        changed INTEGER NOT NULL DEFAULT 0,
        writer INTEGER NOT NULL DEFAULT 0,
        failure TEXT,
        subject BLOB,
        resource TEXT,
        once TEXT,
        whole TEXT,
        settled_at INTEGER,
        due_at INTEGER GENERATED ALWAYS AS (CASE WHEN open THEN max(next_poll, leased_until) END) VIRTUAL
    ) STRICT
    """,
    "CREATE INDEX job_key ON job (account, key) WHERE key IS NOT NULL",
    "CREATE INDEX job_remote_id ON job (account, remote_id) WHERE remote_id IS NOT NULL",
    "CREATE INDEX job_nameless ON job (account, subject, resource) WHERE subject IS NOT NULL",
    "CREATE INDEX job_open ON job (created_at, id, account, open) WHERE open = 1",
    "CREATE INDEX job_lane ON job (lane, created_at, id) WHERE open = 1 AND lane IS NOT NULL",
    "CREATE INDEX job_due ON job (account, due_at, created_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX job_planned ON job (account, planned_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX job_ended ON job (created_at, id, account, open) WHERE open = 0",
    "CREATE INDEX job_changed ON job (changed, writer)",
    "CREATE INDEX job_whole ON job (account, whole, settled_at) WHERE whole IS NOT NULL",
    """
    CREATE TABLE once (
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX once_job ON once (job_id)",
    *(
        f"""
        CREATE TRIGGER job_once_{event.split()[0].lower()} AFTER {event} ON job WHEN {changes} BEGIN
            DELETE FROM once WHERE job_id = NEW.id;
            INSERT INTO once SELECT NEW.account, value, NEW.id FROM json_each(NEW.once);
        END
        """  # noqa: S608 - constants of this file
        for event, changes in (
            ("INSERT", "NEW.once IS NOT NULL"),
            ("UPDATE OF once, account", "NEW.once IS NOT OLD.once OR (NEW.account <> OLD.account AND NEW.once <> '')"),
        )
    ),
    f"""
    CREATE TRIGGER job_end_is_final BEFORE UPDATE OF status ON job
    WHEN OLD.status IN ({ENDED}) AND NEW.status <> OLD.status
    BEGIN SELECT RAISE(ABORT, 'the status of an ended job never changes'); END
    """,
    # Why a job failed may be learned later than that it did, but only once.
    f"""
    CREATE TRIGGER job_failure_is_final BEFORE UPDATE OF failure ON job
    WHEN OLD.status IN ({ENDED})
        AND OLD.failure IS NOT NULL AND NEW.failure IS NOT OLD.failure
    BEGIN SELECT RAISE(ABORT, 'the failure of an ended job never changes'); END
    """,
    # Each transaction that writes has a number and the name of its writer, and leaves both in the jobs it writes: so
    # other processes find what changed since they last looked. `name` tells this database from others of the same path.
    """
    CREATE TABLE last_transaction (
        number INTEGER NOT NULL,
        writer INTEGER NOT NULL,
        era INTEGER NOT NULL,
        name TEXT NOT NULL
    ) STRICT
    """,
    "INSERT INTO last_transaction VALUES (0, 0, 0, lower(hex(randomblob(16))))",
    """
    CREATE TABLE timeline (
        job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (job_id, place)
    ) STRICT, WITHOUT ROWID
    """,
)
_BOUNDED: Final = (
    # `subject` is a digest; `claim` the resource a nameless job must have to claim the row, NULL where any may.
    """
    CREATE TABLE parked (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        remote_id TEXT,
        subject BLOB,
        claim TEXT,
        report INTEGER NOT NULL CHECK (report IN (0, 1)),
        at INTEGER NOT NULL,
        identity BLOB NOT NULL,
        document BLOB NOT NULL,
        UNIQUE (account, identity)
    ) STRICT
    """,
    "CREATE INDEX parked_order ON parked (report DESC, number)",
    "CREATE INDEX parked_remote_id ON parked (account, remote_id)",
    "CREATE INDEX parked_claim ON parked (account, subject, claim, at) WHERE claim IS NOT NULL",
    """
    CREATE TABLE aside (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        at INTEGER NOT NULL,
        document BLOB NOT NULL
    ) STRICT
    """,
    # How much is kept in the two tables above: counting rows at each insertion would read them all.
    "CREATE TABLE kept (name TEXT PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT",
    "INSERT INTO kept VALUES ('parked', 0, 0), ('aside', 0, 0)",
    *(
        f"""
        CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} BEGIN
            UPDATE kept SET count = count {sign} 1, bytes = bytes {sign} length({row}.document) WHERE name = '{table}';
        END
        """  # noqa: S608 - constants of this file
        for table in ("parked", "aside")
        for event, sign, row in (("INSERT", "+", "NEW"), ("DELETE", "-", "OLD"))
    ),
)
_SHARED: Final = (
    # The texts in UTF-8, so that any may be kept, and those that begin alike stand together.
    """
    CREATE TABLE entry (
        kind BLOB NOT NULL,
        account BLOB NOT NULL,
        key BLOB NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (kind, account, key)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE budget (key TEXT PRIMARY KEY, document BLOB NOT NULL) STRICT",
    "CREATE TABLE rate_window (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT",
    # A row is replaced, not updated, when the owner changes: its new number is the fencing token.
    """
    CREATE TABLE lease (
        token INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT
    """,
)
