"""The one thread that owns a store's connection, and group commit.

While a transaction is being made durable, calls queue up; the next transaction takes them all. Many callers share one
flush of the disk, and one wake-up of the event loop.
"""

from __future__ import annotations

import asyncio
import os
import queue
import secrets
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from belvo_async.errors import StoreError

from .sqlite_file import Connect, open_database, store_error
from .sqlite_jobs import take_turn

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
        # Tells what this store wrote from what others wrote.
        self.writer = secrets.randbits(63)
        self.closing = asyncio.Event()
        self._path = path
        self._connect = connect
        self._process = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Operation[Any] | None] = queue.SimpleQueue()
        self._inode: tuple[int, int] | None = None
        # Both are touched on the event loop only.
        self._taken_on = 0
        self._settled = 0
        self._is_deserted = False
        self._opened = self._note(_nothing)
        self._ended: _Operation[None] | None = None

    @property
    def at_work(self) -> bool:
        """Whether somebody on the event loop still has to be told something by this thread."""
        return self._taken_on != self._settled and not self._is_deserted

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
            return  # the thread and the connection are the parent's
        self.closing.set()
        if asyncio.get_running_loop() is not self._loop:
            self._queue.put(None)  # nobody is left on that loop to be told
            return
        self._ended = self._note(_nothing)
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
            self._inode = _inode(self._path)
        except Exception as error:  # noqa: BLE001 - handed to whoever opens the store
            self._opened.failure = error
            self._answer([self._opened])
            return
        going = self._answer([self._opened])
        while going:
            batch, going = self._take()
            self._commit(database, batch)
            going = self._answer(batch) and going
        with suppress(sqlite3.Error):
            database.close()
        if self._ended is not None:
            self._answer([self._ended])

    def _note(self, run: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> _Operation[T]:
        self._taken_on += 1
        return _Operation(run, self._loop.create_future(), writes=writes)

    def _take(self) -> tuple[list[_Operation[Any]], bool]:
        """Wait for the first operation and take all that are queued; whether to go on after them."""
        taken = [self._queue.get()]
        with suppress(queue.Empty):
            while True:
                taken.append(self._queue.get_nowait())
        return [each for each in taken if each is not None], None not in taken

    def _commit(self, database: sqlite3.Connection, batch: list[_Operation[Any]]) -> None:
        """Run a batch in one transaction. When that fails its writes fail, and its reads are done without them."""
        if not batch:
            return
        writes = any(each.writes for each in batch)
        try:
            if writes:
                self._check_file()
            database.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            if writes:
                take_turn(database, self.writer)
            for operation in batch:
                self._attempt(database, operation)
            database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread must outlive it; every caller is told
            _roll_back(database)
            for operation in batch:
                operation.failure = self._failure(error)
            if writes:
                self._commit(database, [each for each in batch if not each.writes])

    def _attempt(self, database: sqlite3.Connection, operation: _Operation[Any]) -> None:
        """Run one operation so that its failure undoes nothing but itself."""
        operation.failure = None
        if operation.writes:
            database.execute("SAVEPOINT operation")
        try:
            operation.outcome = operation.run(database)
        except Exception as error:
            # After a full disk or an I/O error SQLite has rolled back the whole transaction.
            if not database.in_transaction:
                raise
            if operation.writes:
                database.execute("ROLLBACK TO operation")
            operation.failure = self._failure(error)
        if operation.writes:
            database.execute("RELEASE operation")

    def _answer(self, batch: list[_Operation[Any]]) -> bool:
        """Wake the event loop once for a whole batch; whether there still is a loop."""
        try:
            self._loop.call_soon_threadsafe(self._settle, batch)
        except RuntimeError:
            self._is_deserted = True
            return False
        return True

    def _settle(self, batch: list[_Operation[Any]]) -> None:
        self._settled += len(batch)
        for operation in batch:
            operation.settle()

    def _check_file(self) -> None:
        """Refuse to write to a file that no longer is where the next process will look for it."""
        if _inode(self._path) != self._inode:
            raise StoreError(f"the store {self._path} was moved or deleted while in use; nothing was changed")

    def _failure(self, error: Exception) -> Exception:
        """One error for each caller: tracebacks of one must not grow on another."""
        if isinstance(error, sqlite3.Error):
            failure = store_error(self._path, error)
        elif isinstance(error, StoreError):
            failure = StoreError(*error.args)
        else:
            return error
        failure.__cause__ = error
        return failure


def _nothing(_database: sqlite3.Connection) -> None:
    return None


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _roll_back(database: sqlite3.Connection) -> None:
    # If even this fails, so does the next BEGIN, whose callers are told and which comes back here.
    with suppress(sqlite3.Error):
        if database.in_transaction:
            database.execute("ROLLBACK")
