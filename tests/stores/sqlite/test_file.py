"""The SQLite file: what is refused and left alone, and what the database itself enforces."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.jobs import Status
from belvo_async.stores.sqlite.file import connect, journal_settings, store_error
from belvo_async.stores.sqlite.schema import APPLICATION_ID, SCHEMA_VERSION
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.samples import a_job


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_newer_file_is_left_alone(path: Path) -> None:
    """An older release refuses a file it may not understand, byte for byte."""
    async with SqliteStore(path):
        pass
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    database.close()
    before = content_of(path)

    with pytest.raises(StoreError, match="newer release"):
        await SqliteStore(path).__aenter__()

    assert before == content_of(path)


async def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    """A path given by mistake does not fill a foreign database with our tables."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = content_of(path)

    with pytest.raises(StoreError, match="another program"):
        await SqliteStore(path).__aenter__()

    assert before == content_of(path)


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    """A corrupt file is kept as evidence and for recovery."""
    fill(path, b"not a database, but somebody's notes" * 100)
    before = content_of(path)

    with pytest.raises(StoreError, match="not an SQLite database or is damaged"):
        await SqliteStore(path).__aenter__()

    assert before == content_of(path)


async def test_a_damaged_page_is_noticed_on_opening(path: Path) -> None:
    """Damage behind the header is found before a job is written over it."""
    async with SqliteStore(path) as store:
        for number in range(50):
            await store.put(a_job(f"{number}", doubt="x" * 500), expected=None)
    content = bytearray(content_of(path))
    content[-8192:] = b"\x5a" * 8192
    fill(path, bytes(content))

    with pytest.raises(StoreError, match="damaged"):
        await SqliteStore(path).__aenter__()

    assert content == content_of(path)


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """The most common mistake has a sentence of its own."""
    with pytest.raises(StoreError, match="directory does not exist"):
        await SqliteStore(tmp_path / "nowhere" / "jobs.db").__aenter__()


async def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """A path to a directory is refused in words."""
    with pytest.raises(StoreError, match="cannot be opened"):
        await SqliteStore(tmp_path).__aenter__()


async def test_a_read_only_file_is_noticed_on_opening(path: Path) -> None:
    """Not at the first webhook, hours later."""
    async with SqliteStore(path):
        pass

    def read_only(path: str) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    with pytest.raises(StoreError, match="read-only"):
        await SqliteStore(path, connect=read_only).__aenter__()


async def test_a_failing_connection_is_reported(path: Path) -> None:
    """An error without a code gets the general sentence, and the store may be opened later."""
    refused: list[str] = []

    def refuse_first(path: str) -> sqlite3.Connection:
        if not refused:
            refused.append(path)
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path)

    store = SqliteStore(path, connect=refuse_first)
    with pytest.raises(StoreError, match="cannot be used"):
        await store.__aenter__()

    async with store:
        assert await store.get("x") is None


async def test_only_the_owner_may_read_the_file(path: Path) -> None:
    """Taxpayers' data is nobody else's, under any umask."""
    umask = os.umask(0)
    try:
        async with SqliteStore(path) as store:
            await store.put(a_job(), expected=None)
            modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(umask)

    assert "jobs.db" in modes
    assert {0o600} == set(modes.values())


@pytest.mark.parametrize("status", [status for status in Status if status.is_terminal])
async def test_the_database_itself_keeps_an_end(path: Path, status: Status) -> None:
    """Even a faulty release cannot make a second outcome; late facts may still be written."""
    async with SqliteStore(path) as store:
        await store.put(a_job(status=status), expected=None)
        with sqlite3.connect(path) as database:
            database.execute("UPDATE job SET version = 5, status = status")

            with pytest.raises(sqlite3.IntegrityError, match="never changes"):
                database.execute("UPDATE job SET status = 'pending'")
        database.close()


async def test_the_database_knows_the_statuses(path: Path) -> None:
    """A word that is no status is refused by the table."""
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
        with sqlite3.connect(path) as database, pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            database.execute("UPDATE job SET status = 'done'")
        database.close()


async def test_the_connection_is_hardened(path: Path) -> None:
    """The settings every connection has, as SQLite reports them."""
    seen: dict[str, int] = {}
    made: list[sqlite3.Connection] = []

    def remember(path: str) -> sqlite3.Connection:
        made.append(sqlite3.connect(path, check_same_thread=False))
        return made[0]

    wanted = {
        "busy_timeout": 1000,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "synchronous": 2 if journal_settings(sqlite3.sqlite_version_info[:3])[1] == "FULL" else 3,
        "application_id": APPLICATION_ID,
        "user_version": SCHEMA_VERSION,
    }
    async with SqliteStore(path, connect=remember):
        for pragma in wanted:
            (seen[pragma],) = made[0].execute(f"PRAGMA {pragma}").fetchone()

    assert wanted == seen


@pytest.mark.parametrize(
    ("library", "settings"),
    [
        ((3, 37, 0), ("delete", "EXTRA")),
        ((3, 51, 2), ("delete", "EXTRA")),
        ((3, 51, 3), ("wal", "FULL")),
        ((4, 0, 0), ("wal", "FULL")),
    ],
)
def test_the_journal_suits_the_library(library: tuple[int, int, int], settings: tuple[str, str]) -> None:
    """The write-ahead log is used only where its reset race is mended."""
    assert settings == journal_settings(library)


def test_sqlites_own_words_are_not_repeated() -> None:
    """They may quote stored text."""
    assert "RFC" not in str(store_error("/jobs.db", sqlite3.OperationalError("near RFC")))


async def test_a_file_moves_between_libraries(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written with the write-ahead log of a newer SQLite, read with an older one: nothing is lost."""

    def choose_log(_library: tuple[int, int, int]) -> tuple[str, str]:
        return "wal", "FULL"

    with monkeypatch.context() as newer:
        newer.setattr("belvo_async.stores.sqlite.file.journal_settings", choose_log)
        async with SqliteStore(path) as store:
            await store.put(a_job(), expected=None)
            modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}

    async with SqliteStore(path) as store:
        assert a_job() == await store.get("job-1")
        assert await store.put(a_job("job-2"), expected=None) is None
    assert dict.fromkeys(("jobs.db", "jobs.db-mark", "jobs.db-wal", "jobs.db-shm"), 0o600) == modes
