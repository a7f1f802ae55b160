"""The SQLite file: how it is opened, what is in it, and what to say when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress

from belvo_async.errors import StoreError
from belvo_async.jobs import Status

__all__ = ["Connect", "connect", "journal_settings", "open_database", "store_error"]

Connect = Callable[[str], sqlite3.Connection]

SCHEMA_VERSION = 1
# "blva", so that a file of another program is not taken for a store.
APPLICATION_ID = 0x626C7661
# STRICT tables.
OLDEST_LIBRARY = (3, 37, 0)
# Webhook deadlines are 3 s: whoever waits for a lock longer than this has lost them anyway.
BUSY_TIMEOUT_MS = 1_000
# A full check reads the whole file: about a second per GiB from the page cache.
CHECKED_BYTES = 64 * 2**20


def connect(path: str) -> sqlite3.Connection:
    """Connect with the standard library, which starts no transaction by itself."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def journal_settings(library: tuple[int, int, int]) -> tuple[str, str]:
    """Choose journal mode and synchronous level for a version of the SQLite library.

    Before 3.51.3 the write-ahead log can corrupt a file that two connections use (sqlite.org/wal.html, "the WAL-reset
    bug"). Both choices keep every commit through a power loss.
    """
    return ("wal", "FULL") if library >= (3, 51, 3) else ("delete", "EXTRA")


def open_database(path: str, connect: Connect) -> sqlite3.Connection:
    """Open or create the file, or raise StoreError saying why it cannot be used and leave it as it is."""
    if sqlite3.sqlite_version_info < OLDEST_LIBRARY:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: the store needs 3.37 or newer")
    _create(path)
    try:
        database = connect(path)
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    try:
        _set_up(database, path)
    except BaseException as error:
        with suppress(sqlite3.Error):
            database.close()
        if isinstance(error, sqlite3.Error):
            raise store_error(path, error) from error
        raise
    return database


def _create(path: str) -> None:
    # Only a file that is not there is opened by us: closing a descriptor of one in use would drop SQLite's locks on it.
    # Journals are given the mode of the file they belong to.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError as error:
        raise StoreError(f"the store {path} cannot be created: its directory does not exist") from error
    except OSError as error:
        raise StoreError(f"the store {path} cannot be created: {error.strerror}") from error


def _set_up(database: sqlite3.Connection, path: str) -> None:
    database.isolation_level = None
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    _check_version(database, path)
    _check_pages(database, path)
    library = sqlite3.sqlite_version_info
    mode, synchronous = journal_settings((library[0], library[1], library[2]))
    (found,) = database.execute(f"PRAGMA journal_mode={mode}").fetchone()
    if found != mode:
        raise StoreError(f"the store {path} cannot be switched to journal mode {mode}: is it in use or read-only?")
    database.execute(f"PRAGMA synchronous={synchronous}")
    _migrate(database, path)


_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "mmap_size=0",
    f"journal_size_limit={64 * 2**20}",
)


def _check_version(database: sqlite3.Connection, path: str) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (tables or version) and application != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; it was left as it is")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store {path} was written by a newer release (schema {version}, this one knows {SCHEMA_VERSION}); "
            "it was left as it is: install that release"
        )
    return int(version)


def _check_pages(database: sqlite3.Connection, path: str) -> None:
    if os.stat(path).st_size > CHECKED_BYTES:
        return
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(_DAMAGED.format(path=path))


def _migrate(database: sqlite3.Connection, path: str) -> None:
    database.execute("BEGIN IMMEDIATE")
    if _check_version(database, path) == 0:
        for statement in _SCHEMA:
            database.execute(statement)
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    # Written even when it is there already: a store that cannot be written is noticed now.
    database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    database.execute("COMMIT")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


# Instants are microseconds since 1970, UTC. `key` is set while the job stands in the way of equal ones; `remote_id` is
# in normal form. Everything else about a job is in its document.
_JOBS = (
    f"""
    CREATE TABLE job (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        key TEXT,
        open INTEGER NOT NULL CHECK (open IN (0, 1)),
        status TEXT NOT NULL CHECK (status IN ({_quoted(Status)})),
        remote_id TEXT,
        lane TEXT,
        created_at INTEGER NOT NULL,
        next_poll INTEGER,
        leased_until INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL,
        document BLOB NOT NULL,
        due_at INTEGER GENERATED ALWAYS AS (CASE WHEN open THEN max(next_poll, leased_until) END) VIRTUAL
    ) STRICT
    """,
    "CREATE INDEX job_key ON job (account, key) WHERE key IS NOT NULL",
    "CREATE INDEX job_remote_id ON job (account, remote_id) WHERE remote_id IS NOT NULL",
    "CREATE INDEX job_open ON job (created_at, id) WHERE open = 1",
    "CREATE INDEX job_lane ON job (lane, created_at, id) WHERE open = 1 AND lane IS NOT NULL",
    "CREATE INDEX job_due ON job (account, due_at) WHERE due_at IS NOT NULL",
    f"""
    CREATE TRIGGER job_end_is_final BEFORE UPDATE OF status ON job
    WHEN OLD.status IN ({_quoted(status for status in Status if status.is_terminal)}) AND NEW.status <> OLD.status
    BEGIN SELECT RAISE(ABORT, 'the status of an ended job never changes'); END
    """,
    """
    CREATE TABLE timeline (
        job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (job_id, place)
    ) STRICT, WITHOUT ROWID
    """,
)
_BOUNDED = (
    """
    CREATE TABLE parked (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        remote_id TEXT,
        at INTEGER NOT NULL,
        identity BLOB NOT NULL,
        document BLOB NOT NULL,
        UNIQUE (account, identity)
    ) STRICT
    """,
    "CREATE INDEX parked_remote_id ON parked (account, remote_id)",
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
_SHARED = (
    "CREATE TABLE reservation (number INTEGER PRIMARY KEY, budget TEXT NOT NULL, at INTEGER NOT NULL) STRICT",
    "CREATE INDEX reservation_at ON reservation (budget, at)",
    # A row is replaced, not updated, when the owner changes: its new number is the fencing token.
    """
    CREATE TABLE lease (
        token INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        until INTEGER NOT NULL
    ) STRICT
    """,
)
_SCHEMA = (*_JOBS, *_BOUNDED, *_SHARED)

_DAMAGED = "the store {path} is not an SQLite database or is damaged; it was left as it is: restore a backup"
# By primary result code, sqlite.org/rescode.html. SQLite's own messages may quote stored text: they are not repeated.
_SENTENCES = {
    sqlite3.SQLITE_BUSY: "the store {path} is locked by another process; nothing was changed: try again",
    sqlite3.SQLITE_LOCKED: "the store {path} is locked by another process; nothing was changed: try again",
    sqlite3.SQLITE_READONLY: "the store {path} is read-only: file and directory must be writable",
    sqlite3.SQLITE_PERM: "the store {path} may not be opened: check the owner and mode of the file",
    sqlite3.SQLITE_CANTOPEN: "the store {path} cannot be opened: it must be a file in a writable directory",
    sqlite3.SQLITE_FULL: "the disk is full: the store {path} could not be written and nothing was changed",
    sqlite3.SQLITE_IOERR: "the store {path} could not be read or written (I/O error); nothing was changed",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CONSTRAINT: "the store {path} refused a row that breaks its rules; nothing was changed",
}


def store_error(path: str, error: sqlite3.Error) -> StoreError:
    """Say in one sentence what SQLite complains about and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    sentence = None if code is None else _SENTENCES.get(code & 0xFF)
    if sentence is not None:
        return StoreError(sentence.format(path=path))
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"the store {path} cannot be used ({name}); nothing was changed")
