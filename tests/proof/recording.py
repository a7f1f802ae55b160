"""A recording file system under SQLite: every write, truncation, flush and deletion, in order.

The store speaks to it as to the standard library's `sqlite3`, through its connection factory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw


class Entry(NamedTuple):
    """One thing that happened: to `file` (its suffix behind the database's name), or a fact told by the store."""

    what: str
    file: str = ""
    at: int = 0
    content: bytes = b""
    fact: Any = None


class RecordingVFS(apsw.VFS):
    """Passes everything on to the system's files and writes it down."""

    def __init__(self, name: str, path: Path, log: list[Entry]) -> None:
        super().__init__(name, "")
        self._path = str(path)
        self.log = log

    def suffix(self, name: str) -> str:
        return name.removeprefix(self._path)

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not path.startswith(self._path):
            return super().xOpen(name, flags)
        is_new = not Path(path).exists()
        opened = RecordingFile(name, flags, self, self.suffix(path))
        if is_new:
            self.log.append(Entry("create", self.suffix(path)))
        return opened

    def xDelete(self, name: str, sync: bool) -> None:
        super().xDelete(name, sync)
        self.log.append(Entry("delete", self.suffix(name), int(sync)))


class RecordingFile(apsw.VFSFile):
    """One open file."""

    def __init__(self, name: Any, flags: list[int], vfs: RecordingVFS, suffix: str) -> None:
        super().__init__("", name, flags)
        self._log = vfs.log
        self._suffix = suffix

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._log.append(Entry("write", self._suffix, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._log.append(Entry("truncate", self._suffix, size))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._log.append(Entry("sync", self._suffix))


class Cursor:
    """What the store uses of a cursor."""

    def __init__(self, rows: list[Any], rowcount: int, lastrowid: int) -> None:
        self._rows = rows
        self.rowcount = rowcount
        self.lastrowid = lastrowid

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def __iter__(self) -> Any:
        return iter(self.fetchall())


class Connection:
    """An apsw connection in the shape of one of `sqlite3`."""

    isolation_level = None

    def __init__(self, path: str, vfs: str, pragmas: Iterable[str]) -> None:
        self._database = apsw.Connection(path, vfs=vfs)
        for pragma in pragmas:
            self.execute(f"PRAGMA {pragma}")

    @property
    def in_transaction(self) -> bool:
        return self._database.in_transaction

    def execute(self, statement: str, values: Any = ()) -> Cursor:
        return self._speak(lambda: list(self._database.execute(statement, values)))

    def executemany(self, statement: str, rows: Sequence[Any]) -> Cursor:
        return self._speak(lambda: list(self._database.executemany(statement, rows)))

    def close(self) -> None:
        self._database.close()

    def _speak(self, run: Callable[[], list[Any]]) -> Cursor:
        try:
            rows = run()
        except apsw.Error as error:
            translated = sqlite3.OperationalError(str(error))
            translated.sqlite_errorcode = getattr(error, "extendedresult", 1)
            translated.sqlite_errorname = type(error).__name__
            raise translated from error
        return Cursor(rows, self._database.changes(), self._database.last_insert_rowid())


def recorder(vfs: str, pragmas: Iterable[str]) -> Any:
    """Make a connection factory for the store."""

    def connect(path: str) -> Any:
        return Connection(path, vfs, pragmas)

    return connect
