"""The one thread that owns a store's connection, and group commit.

While a transaction is being made durable, calls queue up; the next transaction takes them all. Many callers share one
flush of the disk, and one wake-up of the event loop. What one turn of the loop asks for reaches the thread together:
else the first of its calls would start a transaction of its own, and both threads would fight for the interpreter.
"""

from __future__ import annotations

import asyncio
import os
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Any, Final, TypeVar

from ...discreet import discreet
from ...errors import StoreError, StoreLostError
from ..affinity import Affinity
from ..operation import Operation
from .era import MarkFile
from .file import BUSY_TIMEOUT_MS, OPENING_SECONDS, Connect, open_database, store_error
from .jobs import Transaction, last_transaction, number_transaction
from .locks import insist, wait_inside

T = TypeVar("T")

# Longer than the wait for a lock and any flush of a healthy disk.
CLOSING_SECONDS: Final = 10.0
# How long a call waits for locks of other processes in all, from the moment it was made: vendors wait 3 s for the
# answer to a webhook, and whoever could not keep it in time has lost them anyway.
LOCKED_SECONDS: Final = 1.0


class _Operation(Operation[T]):
    """A call that runs on the connection. `asked_at` is when its caller's patience began."""

    __slots__ = ("asked_at", "run", "writes")

    def __init__(self, run: Callable[[sqlite3.Connection], T], *, writes: bool) -> None:
        super().__init__()
        self.run = run
        self.writes = writes
        self.asked_at = time.monotonic()


class StoreThread(threading.Thread):
    """Runs operations on a connection nobody else sees. Made, started and stopped on one event loop."""

    def __init__(self, path: str, connect: Connect) -> None:
        super().__init__(name="belvo_async store", daemon=True)
        # Tells what this store wrote from what others wrote.
        self.writer = secrets.randbits(63)
        self.closing = asyncio.Event()
        self._path = path
        self._connect = connect
        self._affinity = Affinity()
        self._loop = self._affinity.loop
        self._queue: queue.SimpleQueue[list[_Operation[Any]] | None] = queue.SimpleQueue()
        self._inode: tuple[int, int] | None = None
        self._mark = MarkFile(path)
        # These are touched on the event loop only.
        self._asked: list[_Operation[Any]] = []
        self._opened = _Operation(_nothing, writes=False)
        self._ended: _Operation[None] | None = None

    @property
    def era(self) -> int:
        """The era of the last transaction that is known."""
        return self._mark.era

    async def open(self) -> None:
        """Start the thread and wait until the file is open; raises StoreError when it cannot be."""
        self.start()
        try:
            await self._opened.future
        except BaseException:
            self._queue.put(None)
            raise

    def submit(self, run: Callable[[sqlite3.Connection], T], *, writes: bool) -> asyncio.Future[T]:
        """Queue an operation; the future is done once what it wrote is durable."""
        operation = _Operation(run, writes=writes)
        if not self._asked:
            self._loop.call_soon(self._hand_over)
        self._asked.append(operation)
        return operation.future

    async def close(self) -> None:
        """Do what is queued, close the file, and end the thread."""
        if self._affinity.is_of_parent:
            return  # the thread and the connection are the parent's
        if self._affinity.is_of_other_loop:
            self._queue.put(None)  # nobody is left on that loop to be told
            return
        self.closing.set()
        self._hand_over()
        self._ended = _Operation(_nothing, writes=False)
        self._queue.put(None)
        try:
            await asyncio.wait_for(asyncio.shield(self._ended.future), CLOSING_SECONDS)
        except TimeoutError:
            raise StoreError(f"the store {self._path} did not close within {CLOSING_SECONDS:g} s") from None
        # Its last word has arrived: what is left to wait for is the return of `run`.
        self.join(CLOSING_SECONDS)

    @discreet
    def run(self) -> None:
        """Serve until told to stop."""
        try:
            database = open_database(self._path, self._connect)
            self._take_up(database)
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
        self._mark.close()
        if self._ended is not None:
            self._answer([self._ended])

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        if asked:
            self._queue.put(asked)

    def _take(self) -> tuple[list[_Operation[Any]], bool]:
        """Wait for the first operations and take all that are queued; whether to go on after them."""
        taken = [self._queue.get()]
        with suppress(queue.Empty):
            while True:
                taken.append(self._queue.get_nowait())
        return [operation for each in taken if each is not None for operation in each], None not in taken

    def _take_up(self, database: sqlite3.Connection) -> None:
        """Find out whether the file is older than it was."""
        try:
            deadline = time.monotonic() + OPENING_SECONDS
            insist(database, lambda: database.execute("BEGIN IMMEDIATE"), deadline)
            transaction = self._mark.take_up(database, self._path)
            wait_inside(database, deadline)
            database.execute("COMMIT")
            self._mark.note(transaction)
            database.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        except BaseException as error:
            self._mark.close()
            with suppress(sqlite3.Error):
                database.close()
            if isinstance(error, sqlite3.Error):
                raise store_error(self._path, error) from error
            raise

    def _commit(self, database: sqlite3.Connection, batch: list[_Operation[Any]]) -> None:
        """Run a batch in one transaction. When that fails its writes fail, and its reads are done without them."""
        if not batch:
            return
        try:
            # Savepoints cost as much as the writes they guard, and calls hardly ever fail.
            if not self._transact(database, batch, guarded=False):
                self._transact(database, batch, guarded=True)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it; every caller is told
            _roll_back(database)
            for operation in batch:
                operation.failure = self._failure(error)
            reads = [each for each in batch if not each.writes]
            if len(reads) < len(batch):
                self._commit(database, reads)

    def _transact(self, database: sqlite3.Connection, batch: list[_Operation[Any]], *, guarded: bool) -> bool:
        """Run a batch in one transaction. False when, unguarded, a write failed: then nothing was done."""
        deadline = min(each.asked_at for each in batch) + LOCKED_SECONDS
        writes = any(each.writes for each in batch)
        transaction = self._begin(database, deadline, writes=writes)
        for operation in batch:
            self._attempt(database, operation, guarded=guarded)
            if operation.failure is not None and operation.writes and not guarded:
                database.execute("ROLLBACK")
                return False
        wait_inside(database, deadline)
        if writes:
            transaction = last_transaction(database)
        database.execute("COMMIT")
        self._mark.note(transaction) if writes else self._mark.learn(transaction)
        return True

    def _begin(self, database: sqlite3.Connection, deadline: float, *, writes: bool) -> Transaction:
        """Begin a transaction; give the one it counts as, or follows."""
        self._check_file()
        if not writes:
            transaction = insist(database, lambda: _begin_reading(database), deadline)
            wait_inside(database, deadline)
            return transaction
        insist(database, lambda: database.execute("BEGIN IMMEDIATE"), deadline)
        wait_inside(database, deadline)
        number, era = number_transaction(database, self.writer)
        self._mark.compare(database, Transaction(number - 1, era))
        return Transaction(number, era)

    def _attempt(self, database: sqlite3.Connection, operation: _Operation[Any], *, guarded: bool) -> None:
        """Run one operation; guarded, its failure undoes nothing but itself."""
        guarded = guarded and operation.writes
        operation.failure = None
        if guarded:
            database.execute("SAVEPOINT operation")
        try:
            operation.outcome = operation.run(database)
        except Exception as error:
            # After a full disk or an I/O error SQLite has rolled back the whole transaction.
            if not database.in_transaction:
                raise
            if guarded:
                database.execute("ROLLBACK TO operation")
            operation.failure = self._failure(error)
        if guarded:
            database.execute("RELEASE operation")

    def _answer(self, batch: list[_Operation[Any]]) -> bool:
        """Wake the event loop once for a whole batch; whether there still is a loop."""
        try:
            self._loop.call_soon_threadsafe(_settle, batch)
        except RuntimeError:
            return False
        return True

    def _check_file(self) -> None:
        """Refuse a file that no longer is where the next process will look for it: nobody else sees what is in it."""
        if _inode(self._path) != self._inode:
            raise StoreLostError(f"the store {self._path} was moved or deleted while in use; nothing was changed")

    def _failure(self, error: Exception) -> Exception:
        """One error for each caller: tracebacks of one must not grow on another."""
        if isinstance(error, sqlite3.Error):
            failure = store_error(self._path, error)
        elif isinstance(error, StoreError):
            failure = copy(error)
        else:
            return error
        failure.__cause__ = error
        return failure


def _settle(batch: list[_Operation[Any]]) -> None:
    for operation in batch:
        operation.settle()


def _nothing(_database: sqlite3.Connection) -> None:
    return None


def _begin_reading(database: sqlite3.Connection) -> Transaction:
    database.execute("BEGIN")
    # Takes the lock for all reads together: each would wait for it in vain by itself.
    return last_transaction(database)


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
