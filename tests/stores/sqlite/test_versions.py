"""How a file gets its tables, and which files are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.stores.sqlite.file import connect, open_database
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.samples import a_job


def dump(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    try:
        return list(database.iterdump())
    finally:
        database.close()


def version_of(path: Path) -> int:
    database = sqlite3.connect(path)
    try:
        return int(database.execute("PRAGMA user_version").fetchone()[0])
    finally:
        database.close()


def failing_at(number: int) -> tuple[Callable[[str], sqlite3.Connection], list[int]]:
    """A connection factory whose statement of that number fails, and how many there were."""
    count = [0]

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            count[0] += 1
            if count[0] == number:
                raise sqlite3.OperationalError("no more")
            return super().execute(statement, *values)  # type: ignore[arg-type]

    return lambda path: sqlite3.connect(path, factory=Connection, isolation_level=None), count


async def test_an_opening_that_fails_anywhere_leaves_no_half_made_file(path: Path, tmp_path: Path) -> None:
    """At each statement of opening: the tables are all there or none, and the next opening succeeds."""
    connect_counting, count = failing_at(0)
    open_database(str(tmp_path / "spare.db"), connect_counting).close()
    assert count[0] > 20

    for number in range(1, count[0]):
        with pytest.raises(StoreError):
            open_database(str(path), failing_at(number)[0])
        # Past the commit only a setting of the connection is left.
        if version_of(path) == 0:
            assert ["BEGIN TRANSACTION;", "COMMIT;"] == dump(path)
        else:
            assert number == count[0] - 1

    async with SqliteStore(path) as store:
        assert await store.put(a_job(), expected=None) is None


async def test_many_may_create_one_file(path: Path) -> None:
    """Workers that start together find one another's tables."""
    stores = [SqliteStore(path) for _ in range(6)]

    await asyncio.gather(*(store.__aenter__() for store in stores))

    assert await stores[0].put(a_job(), expected=None) is None
    assert [a_job()] * 6 == [await store.get("job-1") for store in stores]
    for store in stores:
        await store.__aexit__()


async def test_a_file_being_created_is_not_taken_for_foreign(path: Path) -> None:
    """Version and owner are read at one moment: another process may write both in between."""

    class Slow(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            cursor = super().execute(statement, *values)  # type: ignore[arg-type]
            if statement == "PRAGMA application_id" and not created:
                created.append(True)
                with suppress(StoreError):
                    open_database(str(path), impatient).close()
            return cursor

    class Impatient(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            statement = "PRAGMA busy_timeout=0" if "busy_timeout" in statement else statement
            return super().execute(statement, *values)  # type: ignore[arg-type]

    def impatient(path: str) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=Impatient, isolation_level=None)

    created: list[bool] = []

    async with SqliteStore(path, connect=lambda path: sqlite3.connect(path, factory=Slow)) as store:
        assert await store.put(a_job(), expected=None) is None
    assert created


def test_the_librarys_version_is_that_of_the_connection(path: Path) -> None:
    """A replaced factory may bring another SQLite than Python has: its version decides about the journal."""

    class Old(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            return super().execute(statement.replace("sqlite_version()", "'3.36.0'"), *values)  # type: ignore[arg-type]

    with pytest.raises(StoreError, match=r"SQLite 3\.36\.0 is too old"):
        open_database(str(path), lambda path: sqlite3.connect(path, factory=Old))

    open_database(str(path), connect).close()
