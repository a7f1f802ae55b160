"""How an SQLite store notices what other processes write."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from belvo_async.stores import MemoryStore
from belvo_async.stores.sqlite.store import LOOK_SECONDS, SqliteStore
from belvo_async.stores.walks import SLICE
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed


async def following(store: SqliteStore) -> tuple[AsyncIterator[tuple[str, ...]], asyncio.Task[tuple[str, ...]]]:
    """An iteration that has begun to watch, and the task that waits for its first item."""
    changes = store.changes()
    first = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(LOOK_SECONDS)
    return changes, first


async def test_what_others_write_is_told_once(path: Path) -> None:
    """Exactly the ids written by another store on the file, within two looks, each once."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        await other.put(a_job("before"), expected=None)
        changes, first = await following(one)
        began = asyncio.get_running_loop().time()

        await asyncio.gather(other.put(a_job("new"), expected=None), other.put(changed(a_job("before")), expected=0))

        assert {"new", "before"} == set(await first)
        assert asyncio.get_running_loop().time() - began <= 2 * LOOK_SECONDS
        await other.put(changed(a_job("new")), expected=0)
        assert ("new",) == await anext(changes)


async def test_own_writes_are_not_told(path: Path) -> None:
    """Also not when another store writes in between; claims are no changes."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        await one.put(a_due_job("due", 0), expected=None)
        _, first = await following(one)
        await one.put(a_job("mine"), expected=None)
        await other.claim_due([ACCOUNT], now=NOON, until=after(9), limit=1)
        await other.put(a_job("theirs"), expected=None)
        await one.put(a_job("mine too"), expected=None)

        assert ("theirs",) == await first


async def test_a_forgotten_job_hides_no_change(path: Path) -> None:
    """Numbers are not used again after the last job was dropped."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        await other.put(a_job("last"), expected=None)
        _, first = await following(one)
        await other.forget("last")
        await other.put(a_job("next"), expected=None)

        assert ("next",) == await first


async def test_many_changes_are_told_as_any(path: Path) -> None:
    """Beyond a slice an empty tuple says that any job may have changed."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        _, first = await following(one)
        await asyncio.gather(*(other.put(a_job(f"{number}"), expected=None) for number in range(SLICE + 1)))

        assert () == await first


async def test_every_iteration_is_told(path: Path) -> None:
    """Two watchers of one store do not take changes from each other."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        (_, first), (_, second) = await following(one), await following(one)
        await other.put(a_job("new"), expected=None)

        assert [("new",), ("new",)] == await asyncio.gather(first, second)


async def test_watching_ends_with_the_store(path: Path) -> None:
    """At once, not at the next look."""
    store = SqliteStore(path)
    async with store:
        _, first = await following(store)
        closed_at = asyncio.get_running_loop().time()

    with pytest.raises(StopAsyncIteration):
        await first
    assert closed_at == asyncio.get_running_loop().time()


async def test_watching_is_cheap_and_lets_time_pass(path: Path) -> None:
    """Ten looks a second at first, one in two seconds once nothing comes; an hour would pass as well."""
    statements: list[str] = []

    def connect(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.set_trace_callback(statements.append)
        return connection

    async with SqliteStore(path, connect=connect) as store:
        _, first = await following(store)
        await asyncio.sleep(20)
        first.cancel()

    looks = sum("data_version" in each for each in statements)
    assert 15 <= looks <= 40


async def test_a_failed_look_is_made_up_for(path: Path) -> None:
    """What happened while the file could not be read is told afterwards."""
    broken: list[bool] = []

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            if broken and "data_version" in statement:
                raise sqlite3.OperationalError("cannot be read now")
            return super().execute(statement, *values)  # type: ignore[arg-type]

    def connect(path: str) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=Connection)

    async with SqliteStore(path, connect=connect) as one, SqliteStore(path) as other:
        _, first = await following(one)
        broken.append(True)
        await other.put(a_job("new"), expected=None)
        await asyncio.sleep(1)
        broken.clear()

        assert ("new",) == await first


async def test_memory_has_nothing_to_tell() -> None:
    """No other process can open it: the iteration ends at once."""
    async with MemoryStore() as store:
        assert [] == [ids async for ids in store.changes()]
