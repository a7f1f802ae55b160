"""The SQLite part of `store.py`."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import aiosqlite
from store_jobs import ACCOUNT, AREA, IN_FLIGHT, NOON, Extent, Ours, make_jobs
from table import Row, beside, span

from belvo_async.jobs import Job
from belvo_async.stores.sqlite import file, jobs as table
from belvo_async.stores.sqlite.store import SqliteStore

PER_COMMIT = 1000
# Of the slow peer fewer are enough.
SINGLE_EVENTS = 200
NEWER = file.journal_settings((3, 51, 3))


def own_settings() -> tuple[str, str]:
    """Journal mode and synchronous level the store chooses for this library."""
    return file.journal_settings(sqlite3.sqlite_version_info[:3])


class Bare:
    """`executemany` of the statement the store uses, rows made beforehand."""

    def __init__(self, path: Path) -> None:
        self._database = file.open_database(str(path), file.connect)

    async def __call__(self, jobs: list[Job]) -> float:
        rows = [table.row_of(job) for job in jobs]
        began = time.perf_counter()
        for start in range(0, len(rows), PER_COMMIT):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(table.INSERT, rows[start : start + PER_COMMIT])
            self._database.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        self._database.close()


class Single:
    """aiosqlite with the same settings, one commit for each event."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database

    async def __call__(self, jobs: list[Job]) -> float:
        rows = [table.row_of(job) for job in jobs]
        began = time.perf_counter()
        for row in rows:
            await self._database.execute("BEGIN IMMEDIATE")
            await self._database.execute(table.INSERT, row)
            await self._database.execute("COMMIT")
        return time.perf_counter() - began


async def compare(directory: Path, extent: Extent, words: str) -> list[Row]:
    """Let the three take turns; every one writes the same jobs to a file of its own."""
    bare = Bare(directory / "bare.db")

    def connect() -> sqlite3.Connection:
        return file.open_database(str(directory / "single.db"), file.connect)

    single = aiosqlite.Connection(connect, 64)
    async with SqliteStore(directory / "ours.db") as store, single:
        ways: dict[str, tuple[Callable[[list[Job]], Awaitable[float]], int]] = {
            "ours": (Ours(store), extent.events),
            "bare": (bare, extent.events),
            "single": (Single(single), SINGLE_EVENTS),
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(extent.rounds + 1):
            jobs = make_jobs(number * extent.events, extent.events)
            for name, (write, count) in ways.items():
                gc.collect()
                seconds = await write(jobs[:count])
                if number:  # the first round warms up
                    speeds[name].append(count / seconds)
    bare.close()
    what = f"SQLite {sqlite3.sqlite_version} {words}, group commit, {IN_FLIGHT} in flight, beside"
    return [
        beside(AREA, f"{what} executemany, {PER_COMMIT} a commit", speeds["ours"], speeds["bare"], 0.55),
        beside(AREA, f"{what} aiosqlite, a commit an event", speeds["ours"], speeds["single"], 20),
    ]


async def reopen(path: Path, jobs: int) -> Row:
    """From opening a file with many open jobs to the first answers of a claim, a put and a get."""
    database = file.open_database(str(path), file.connect)
    database.execute("BEGIN IMMEDIATE")
    database.executemany(table.INSERT, [table.row_of(job) for job in make_jobs(0, jobs)])
    database.execute("COMMIT")
    database.close()
    (late,) = make_jobs(jobs, 1)
    now = NOON + timedelta(days=1)
    began = time.perf_counter()
    async with SqliteStore(path) as store:
        claimed = await store.claim_due([ACCOUNT], now=now, until=now + timedelta(seconds=60), limit=100)
        standing = await store.put(late, expected=None)
        found = await store.get(late.id)
        seconds = time.perf_counter() - began
    if (len(claimed), standing, found) != (100, None, late):
        raise RuntimeError("the store did not serve")
    what = f"SQLite, {jobs:,} open jobs, from opening to serving, s"
    return Row(area=AREA, what=what, ours=span(seconds), ratio=seconds, goal=5, at_least=False)


def measure(directory: Path, extent: Extent) -> list[Row]:
    """Run every case: with the settings of this library, and those of 3.51.3 and later."""
    rows: list[Row] = []
    for settings in dict.fromkeys((own_settings(), NEWER)):
        with patch.object(file, "journal_settings", lambda _library, chosen=settings: chosen):
            room = directory / settings[0]
            room.mkdir()
            rows += asyncio.run(compare(room, extent, " ".join(settings)))
    return [*rows, asyncio.run(reopen(directory / "many.db", extent.open_jobs))]
