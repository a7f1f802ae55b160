"""The one thread that owns a store's connection, and group commit.

While a transaction is being made durable, calls queue up; the next transaction takes them all. Many callers share one
flush of the disk, and one wake-up of the event loop.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from belvo_async.errors import StoreError

from .sqlite_file import Connect, open_database, store_error

__all__ = ["StoreThread"]

T = TypeVar("T")

# Longer than the lock timeout and any flush of a healthy disk.
CLOSING_SECONDS = 10.0


class _Operation(Generic[T]):
    """One call on its way through the thread: what to run, and who waits for the outcome."""

    __slots__ = ("failure", "future", "outcome", "run", "writes")

    def __init__(self, run: Callable[[sqlite3.Connection], T], future: asyncio.Future[T], *, writes: bool) -> None:
        self.run = run
        self.future = future
        self.writes = writes
        self.outcome: T | None = None
        self.failure: Exception | None = None

    def settle(self) -> None:
        # A cancelled caller no longer waits; what it asked for was done all the same.
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.outcome)  # type: ignore[arg-type]  # None only where T admits it


class StoreThread(threading.Thread):
    """Runs operations on a connection nobody else sees. Made, started and stopped on one event loop."""

    def __init__(self, path: str, connect: Connect) -> None:
        super().__init__(name="belvo_async store", daemon=True)
        self._path = path
        self._connect = connect
        self._process = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Operation[Any] | None] = queue.SimpleQueue()
        self._file: tuple[int, int] | None = None
        # Both are touched on the event loop only.
        self._taken_on = 0
        self._settled = 0
        self._opened = self._note(_nothing)
        self._ended = self._note(_nothing)

    @property
    def at_work(self) -> bool:
        """Whether a caller still waits for something this thread does."""
        idle = 1 if self._opened.future.done() else 0
        return self._taken_on - self._settled > idle or not self._queue.empty()

    async def open(self) -> None:
        """Start the thread and wait until the file is open; raises StoreError when it cannot be."""
        self.start()
        try:
            await self._opened.future
        except BaseException:
            self._queue.put(None)
            raise

    def check(self) -> None:
        """Refuse use from another process or event loop than the one that opened the store."""
        if os.getpid() != self._process:
            raise StoreError("the store was opened before a fork: open one in each process")
        if asyncio.get_running_loop() is not self._loop:
            raise StoreError("the store was opened on another event loop: open one on each loop")

    def submit(self, run: Callable[[sqlite3.Connection], T], *, writes: bool) -> asyncio.Future[T]:
        """Queue an operation; the future is done once what it wrote is durable."""
        operation = self._note(run, writes=writes)
        self._queue.put(operation)
        return operation.future

    async def close(self) -> None:
        """Do what is queued, close the file, and end the thread."""
        if os.getpid() != self._process:
            return
        self._queue.put(None)
        try:
            await asyncio.wait_for(asyncio.shield(self._ended.future), CLOSING_SECONDS)
        except TimeoutError:
            raise StoreError(f"the store {self._path} did not close within {CLOSING_SECONDS:g} s") from None
        # Its last word has arrived: what is left to wait for is the return of `run`.
        self.join(CLOSING_SECONDS)

    def run(self) -> None:
        """Serve until told to stop."""
        try:
            database = open_database(self._path, self._connect)
            self._file = _inode(self._path)
        except Exception as error:  # noqa: BLE001 - handed to whoever opens the store
            self._opened.failure = error
            self._answer([self._opened, self._ended])
            return
        going = self._answer([self._opened])
        while going:
            batch, going = self._take()
            self._commit(database, batch)
            going = self._answer(batch) and going
        with suppress(sqlite3.Error):
            database.close()
        self._answer([self._ended])
