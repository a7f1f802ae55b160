"""What a loop waits for that is done elsewhere: by SQLite's thread, by a server. Counted where the stores call it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from redis.asyncio.connection import AbstractConnection

from belvo_async.stores.sqlite.group_commit import StoreThread
from tests.virtual_time import hold_time_while


class Counter:
    """How many calls of some coroutine functions have begun and not ended."""

    def __init__(self) -> None:
        self.count = 0

    def counting(self, call: Callable[..., Awaitable[Any]], *, unless: Callable[[Any], bool] | None = None) -> Any:
        """The same method, counted; not for those objects that are in for a long wait."""

        async def counted(this: Any, *args: Any, **options: Any) -> Any:
            if unless is not None and unless(this):
                return await call(this, *args, **options)
            self.count += 1
            try:
                return await call(this, *args, **options)
            finally:
                self.count -= 1

        return counted


@contextmanager
def hold_time_for_redis() -> Iterator[None]:
    """Let no time pass while a Redis server owes an answer; one that tells of changes owes none."""
    waiting = Counter()
    send = AbstractConnection.send_packed_command
    # The last word of each connection.
    sent: weakref.WeakKeyDictionary[Any, bytes] = weakref.WeakKeyDictionary()

    async def noting(connection: Any, command: Any, *args: Any, **options: Any) -> None:
        sent[connection] = bytes(command[-1]) if isinstance(command, list) else b""
        await send(connection, command, *args, **options)

    with ExitStack() as stack:
        for name, call in (
            ("connect", waiting.counting(AbstractConnection.connect)),
            ("send_packed_command", waiting.counting(noting)),
            (
                "read_response",
                waiting.counting(
                    AbstractConnection.read_response, unless=lambda one: b"\r\nXREAD\r\n" in sent.get(one, b"")
                ),
            ),
        ):
            stack.enter_context(patch.object(AbstractConnection, name, call))
        stack.enter_context(hold_time_while(lambda: waiting.count > 0))
        yield


@contextmanager
def hold_time_for_postgres() -> Iterator[None]:
    """Let no time pass while a PostgreSQL server owes an answer or a connection."""
    waiting = Counter()
    connect = waiting.counting(psycopg.AsyncConnection.connect.__func__)  # type: ignore[attr-defined]
    with (
        patch.object(psycopg.AsyncConnection, "connect", classmethod(connect)),
        patch.object(psycopg.AsyncConnection, "wait", waiting.counting(psycopg.AsyncConnection.wait)),
        hold_time_while(lambda: waiting.count > 0),
    ):
        yield


@contextmanager
def hold_time_for_sqlite() -> Iterator[None]:
    """Let no time pass while somebody on the running loop still has to be told something by the thread of a store."""
    owed: weakref.WeakSet[asyncio.Future[Any]] = weakref.WeakSet()
    waiting, submit = Counter(), StoreThread.submit

    def submitted(thread: StoreThread, *args: Any, **options: Any) -> asyncio.Future[Any]:
        future = submit(thread, *args, **options)
        owed.add(future)
        return future

    def is_owed() -> bool:
        if waiting.count > 0 or not owed:
            return waiting.count > 0
        loop = asyncio.get_running_loop()
        return any(not each.done() and each.get_loop() is loop for each in owed)

    with (
        patch.object(StoreThread, "open", waiting.counting(StoreThread.open)),
        patch.object(StoreThread, "submit", submitted),
        patch.object(StoreThread, "close", waiting.counting(StoreThread.close)),
        hold_time_while(is_owed, by=StoreThread),
    ):
        yield
