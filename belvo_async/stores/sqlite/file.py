"""The SQLite file: how it is opened, what is in it, and what to say when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ...descriptors import EXHAUSTED, are_exhausted, lacks_descriptors
from ...errors import StoreError
from .locks import insist, wait_inside
from .schema import APPLICATION_ID, SCHEMA_VERSION, create

Connect = Callable[[str], sqlite3.Connection]

# STRICT tables.
OLDEST_LIBRARY: Final = (3, 37, 0)
# Webhook deadlines are 3 s: whoever waits for a lock longer than this has lost them anyway.
BUSY_TIMEOUT_MS: Final = 1_000
# Nobody waits for an answer yet.
OPENING_SECONDS: Final = 5.0
# A full check reads the whole file: about a second per GiB from the page cache.
CHECKED_BYTES: Final = 64 * 2**20


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
        why = EXHAUSTED if lacks_descriptors(error) else error.strerror
        raise StoreError(f"the store {path} cannot be created: {why}") from error


def _set_up(database: sqlite3.Connection, path: str) -> None:
    database.isolation_level = None
    (words,) = database.execute("SELECT sqlite_version()").fetchone()
    library = _version(words)
    if library < OLDEST_LIBRARY:
        raise StoreError(f"SQLite {words} is too old: the store needs 3.37 or newer")
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    if os.stat(path).st_size == 0:
        # Before there are tables: lets `free_pages` shorten the file step by step. Later it would only touch the file.
        database.execute("PRAGMA auto_vacuum=INCREMENTAL")
    deadline = time.monotonic() + OPENING_SECONDS
    insist(database, lambda: _check(database, path), deadline)
    mode, synchronous = journal_settings(library)
    insist(database, lambda: _switch_journal(database, path, mode), deadline)
    database.execute(f"PRAGMA synchronous={synchronous}")
    insist(database, lambda: database.execute("BEGIN IMMEDIATE"), deadline)
    wait_inside(database, deadline)
    create(database, _check_version(database, path))
    database.execute("COMMIT")
    database.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def free_pages(database: sqlite3.Connection, limit: int) -> int:
    """Cut up to so many unused pages off the file. How many it were; none when all are in use."""
    (before,) = database.execute("PRAGMA freelist_count").fetchone()
    if before:
        # Each step of the statement frees one page.
        database.execute(f"PRAGMA incremental_vacuum({limit})").fetchall()
    (after,) = database.execute("PRAGMA freelist_count").fetchone()
    return int(before - after)


def _check(database: sqlite3.Connection, path: str) -> None:
    # In one transaction: another process may be creating the tables just now.
    database.execute("BEGIN")
    _check_version(database, path)
    _check_pages(database, path)
    database.execute("COMMIT")


def _switch_journal(database: sqlite3.Connection, path: str, mode: str) -> None:
    # A rollback journal that comes back after a loss of power would undo the switch to a log, and with it the log.
    database.execute("PRAGMA synchronous=EXTRA")
    (found,) = database.execute(f"PRAGMA journal_mode={mode}").fetchone()
    if found != mode:
        raise StoreError(f"the store {path} cannot be switched to journal mode {mode}: is it in use or read-only?")


def _version(words: str) -> tuple[int, int, int]:
    """Of the library this connection uses, which need not be the one Python brings."""
    major, minor, patch = (int(word) for word in words.split(".")[:3])
    return major, minor, patch


_PRAGMAS: Final = (
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


_DAMAGED: Final = "the store {path} is not an SQLite database or is damaged; it was left as it is: restore a backup"
# By primary result code, sqlite.org/rescode.html. SQLite's own messages may quote stored text: they are not repeated.
_SENTENCES: Final = {
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


# What SQLite says of a file or journal that it could not open, for whatever reason.
_OPENING: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR})


def store_error(path: str, error: sqlite3.Error) -> StoreError:
    """Say in one sentence what SQLite complains about and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    sentence = None if code is None else _SENTENCES.get(code & 0xFF)
    if code is not None and code & 0xFF in _OPENING and are_exhausted():
        sentence = f"the store {{path}} cannot be opened: {EXHAUSTED}; nothing was changed"
    if sentence is not None:
        return StoreError(sentence.format(path=path))
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"the store {path} cannot be used ({name}); nothing was changed")
