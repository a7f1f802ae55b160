"""An SQLite file that several processes use: how long a call waits, and that nobody starves."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.stores.sqlite import group_commit
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.samples import a_job

# Vendors wait so long for the answer to a webhook.
DEADLINE_SECONDS = 3.0


@contextmanager
def locked(path: Path, kind: str) -> Iterator[None]:
    """Hold the file as another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(f"BEGIN {kind}")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_locked_file_costs_less_than_a_webhooks_deadline(path: Path, kind: str) -> None:
    """Calls that queue behind waiting ones, reads among them, do not add up their waits."""
    async with SqliteStore(path) as store:
        with locked(path, kind):
            began = time.monotonic()
            calls: list[asyncio.Task[object]] = []
            for number in range(12):
                calls.append(asyncio.create_task(store.put(a_job(f"{number}"), expected=None)))
                calls.append(asyncio.create_task(store.get("x")))
                # Real time: they must not all be in one transaction.
                await asyncio.to_thread(time.sleep, 0.02)
            answers = await asyncio.gather(*calls, return_exceptions=True)
            took = time.monotonic() - began

        assert [StoreError] * 12 == [type(answer) for answer in answers[::2]]
        assert took < DEADLINE_SECONDS
        assert await store.put(a_job(), expected=None) is None


async def test_a_lock_given_back_in_time_is_waited_for(path: Path) -> None:
    """A short transaction of another process costs nobody an error."""
    async with SqliteStore(path) as store:
        with locked(path, "EXCLUSIVE"):
            writing = asyncio.create_task(store.put(a_job(), expected=None))
            await asyncio.to_thread(time.sleep, 0.1)
            assert not writing.done()

        assert await writing is None


async def test_nobody_starves_beside_a_busy_writer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that holds the file nearly all the time leaves gaps of a few milliseconds: they are found."""
    monkeypatch.setattr(group_commit, "LOCKED_SECONDS", 2.0)
    stop = threading.Event()

    def hog() -> None:
        other = sqlite3.connect(path, isolation_level=None, timeout=5)
        while not stop.is_set():
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(0.03)
            other.execute("ROLLBACK")
            time.sleep(0.003)
        other.close()

    async with SqliteStore(path) as store:
        thread = threading.Thread(target=hog)
        thread.start()
        try:
            for number in range(5):
                assert await store.put(a_job(f"{number}"), expected=None) is None
            async with SqliteStore(path) as late:
                assert a_job("4") == await late.get("4")
        finally:
            stop.set()
            thread.join()
