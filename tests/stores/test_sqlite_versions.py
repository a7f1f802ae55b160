"""How files of older releases become newer ones."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.jobs import Failure, Status
from belvo_async.stores.sqlite import SqliteStore
from belvo_async.stores.sqlite_file import connect, open_database
from belvo_async.stores.sqlite_schema import SCHEMA_VERSION

from .samples import a_job, changed

VERSION_1 = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")


def make_old(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(VERSION_1)
    database.close()


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


async def test_a_file_of_version_1_is_brought_up_to_date(path: Path) -> None:
    """Its jobs are there, can be written, and are guarded and watched like new ones."""
    make_old(path)

    async with SqliteStore(path) as store:
        pending, finished, failed = [await store.get(name) for name in ("job-9000", "job-9001", "job-9003")]
        assert pending is not None
        assert finished is not None
        assert failed is not None
        assert [Status.PENDING, Status.FINISHED, Status.FAILED] == [job.status for job in (pending, finished, failed)]
        assert 3 == len(await store.timeline("job-9001"))
        assert await store.put(changed(pending, polls=1), expected=pending.version) is None
        with pytest.raises(StoreError, match="breaks its rules"):
            await store.put(changed(failed, failure=Failure(code="other")), expected=failed.version)

    assert SCHEMA_VERSION == version_of(path)


async def test_a_migrated_file_has_the_tables_of_a_new_one(path: Path, tmp_path: Path) -> None:
    """There is one schema, whatever way a file got it."""
    make_old(path)
    fresh = tmp_path / "fresh.db"
    for each in (path, fresh):
        async with SqliteStore(each):
            pass

    def shape(path: Path) -> list[tuple[str, str]]:
        database = sqlite3.connect(path)
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
        database.close()
        return [(name, " ".join(sql.split())) for name, sql in rows]

    assert shape(fresh) == shape(path)


async def test_a_migration_that_fails_anywhere_changes_nothing(path: Path, tmp_path: Path) -> None:
    """At each statement of opening: the file stays as it was, and the next opening succeeds."""
    make_old(path)
    before = dump(path)
    connect_counting, count = failing_at(0)
    spare = tmp_path / "spare.db"
    make_old(spare)
    open_database(str(spare), connect_counting).close()
    assert count[0] > 20

    for number in range(1, count[0]):
        with pytest.raises(StoreError):
            open_database(str(path), failing_at(number)[0])
        # Past the commit only a setting of the connection is left.
        if version_of(path) == 1:
            assert before == dump(path)
        else:
            assert number == count[0] - 1

    async with SqliteStore(path) as store:
        assert await store.get("job-9000") is not None


async def test_many_may_create_or_migrate_one_file(path: Path, tmp_path: Path) -> None:
    """Workers that start together find one another's tables, old file or none."""
    make_old(tmp_path / "old.db")
    for each in (path, tmp_path / "old.db"):
        stores = [SqliteStore(each) for _ in range(6)]

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
