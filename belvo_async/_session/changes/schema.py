"""The file that a cursor of changes is kept in: its tables, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from ...errors import ConfigurationError, StoreError

# "BaCh". A file of another program, or a store of jobs, is refused.
APPLICATION_ID: Final = 0x42614368
VERSION: Final = 1
_SCHEME: Final = "sqlite:"

_TABLES: Final = """
CREATE TABLE secret (key BLOB NOT NULL, run TEXT NOT NULL) STRICT;
CREATE TABLE shapes (id INTEGER PRIMARY KEY, paths TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE scopes (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, state TEXT) STRICT;
CREATE TABLE pending_scopes (id INTEGER PRIMARY KEY, told INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
CREATE TABLE known (
    scope INTEGER NOT NULL, id TEXT NOT NULL, day INTEGER NOT NULL, sides TEXT NOT NULL, words TEXT NOT NULL,
    shape INTEGER, digests BLOB NOT NULL, PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE pending (
    scope INTEGER NOT NULL, id TEXT NOT NULL, day INTEGER NOT NULL, sides TEXT NOT NULL, words TEXT NOT NULL,
    shape INTEGER, digests BLOB NOT NULL, told INTEGER NOT NULL, is_gone INTEGER NOT NULL, PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
"""


def path_of(since: str | Path) -> Path:
    """The file that a text or a path names. Raises ConfigurationError for what names none."""
    text = str(cast("object", since)) if isinstance(cast("object", since), str | Path) else ""
    if "://" in text or not text.removeprefix(_SCHEME):
        raise ConfigurationError("`since` is a file to keep the cursor in: a path, or sqlite:PATH")
    return Path(text.removeprefix(_SCHEME))


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file, or make it; for this connection alone.

    Raises StoreError while another one has it open, and where it cannot be used; ConfigurationError for another
    program's file. It is left as it is then.
    """
    try:
        _create(path)
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            _set_up(database, path)
        except BaseException:
            database.close()
            raise
    except OSError as error:
        raise StoreError(f"the file of changes {path} cannot be opened: {error.strerror}") from None
    except sqlite3.Error as error:
        raise fault(path, error) from None
    return database


def fault(path: Path, error: sqlite3.Error) -> StoreError:
    """What to raise for a fault of the file."""
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"the file of changes {path} is in use: one reading of changes has it at a time")
    return StoreError(f"the file of changes {path} cannot be used: {error}")


def _create(path: Path) -> None:
    # Only for the eyes of its owner: what it holds are no contents, but ids of records.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_up(database: sqlite3.Connection, path: Path) -> None:
    # One connection at a time: also what makes the write-ahead log safe with any version of SQLite.
    database.execute("PRAGMA locking_mode=EXCLUSIVE")
    (kind,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (objects,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if kind == 0 and not objects:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION}; COMMIT"
        )
        database.execute("INSERT INTO secret VALUES (?, '')", [os.urandom(32)])
    elif kind != APPLICATION_ID:
        raise ConfigurationError(f"{path} is no file of changes: name one of its own")
    elif version != VERSION:
        raise ConfigurationError(f"{path} is of another version of this library: begin a new file with `baseline`")
    database.execute("PRAGMA journal_mode=WAL")
    # Takes the lock, and keeps it until the file is closed.
    database.execute("BEGIN IMMEDIATE")
    database.execute("COMMIT")
