"""Hearing from PostgreSQL what other processes changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
import psycopg
from psycopg import AsyncConnection

from ...discreet import discreet
from ...errors import StoreError
from .connection import ConnectionLostError, PersistentConnection, Server, Statement

# How soon a connection that died without a word is noticed.
PROBE_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
# A listener that does not read for so long is told to look at everything.
KEPT_IDS: Final = 10_000

_LISTEN: Final = "SELECT 'LISTEN ' || quote_ident(current_schema())"
# Behind a pooler that shares connections the answer comes from one that may never have listened.
_PROBE: Final = "SELECT current_schema() IN (SELECT pg_listening_channels())"


class Listener:
    """A connection that listens, and the task that keeps it up. What it heard waits until it is asked for."""

    def __init__(self, server: Server, own_backend: Callable[[], int | None]) -> None:
        self._connection = PersistentConnection(server)
        self._own_backend = own_backend
        self._changed_ids: dict[str, None] = {}
        self._missed = False
        self._arrived = asyncio.Event()
        self._is_closed = False
        self._task = asyncio.create_task(self._keep_listening(), name="belvo_async store listener")
        # Were it ever to end by itself, whoever waits for changes is told why.
        self._task.add_done_callback(lambda _: self._arrived.set())

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """What was heard since the last time; an empty tuple where something may have been missed. Ends on `close`."""
        while True:
            await self._arrived.wait()
            if self._is_closed:
                return
            if self._task.done():
                self._task.result()
            self._arrived.clear()
            changed, self._changed_ids = self._changed_ids, {}
            missed, self._missed = self._missed, False
            if missed:
                yield ()
            if changed:
                yield tuple(changed)

    async def close(self) -> None:
        """Hang up and end `changes`."""
        self._is_closed = True
        self._arrived.set()
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._connection.drop()

    def abandon(self) -> None:
        """Hang up without the event loop the store was opened on."""
        self._connection.abandon()

    @discreet
    async def _keep_listening(self) -> None:
        failures = 0
        while True:
            with suppress(StoreError, ConnectionLostError, psycopg.Error):
                connection = await self._start()
                failures = 0
                await self._listen(connection)
            await self._connection.drop()
            await asyncio.sleep(min(PAUSE_SECONDS * 2 ** min(failures, 9), LONGEST_PAUSE_SECONDS))
            failures += 1

    async def _start(self) -> AsyncConnection[Any]:
        # What comes between a question and its answer psycopg takes in itself, and would keep.
        connection = await self._connection.connect()
        connection.add_notify_handler(lambda notify: self._note(notify.pid, notify.payload))
        (((listen,),),) = await self._connection.ask([Statement(_LISTEN)])
        await self._connection.ask([Statement(listen)])
        # What happened before this moment was told to nobody.
        self._missed = True
        self._arrived.set()
        return connection

    async def _listen(self, connection: AsyncConnection[Any]) -> None:
        """Take in what arrives until the connection is lost; ask for a sign of life when nothing does."""
        while True:
            if not await _is_readable(connection, PROBE_SECONDS):
                (((listens,),),) = await self._connection.ask([Statement(_PROBE)])
                if not listens:
                    return
            connection.pgconn.consume_input()
            while (notification := connection.pgconn.notifies()) is not None:
                self._note(notification.be_pid, notification.extra or b"")

    def _note(self, backend: int, payload: str | bytes) -> None:
        if backend == self._own_backend():
            return
        self._arrived.set()
        ids = _ids(payload)
        if ids is None or len(self._changed_ids) + len(ids) > KEPT_IDS:
            self._missed = True
        else:
            self._changed_ids.update(dict.fromkeys(ids))


def _ids(payload: str | bytes) -> list[str] | None:
    try:
        return _PAYLOAD.decode(payload)
    except msgspec.MsgspecError:
        return None


_PAYLOAD: Final = msgspec.json.Decoder(list[str])


async def _is_readable(connection: AsyncConnection[Any], seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    number = connection.fileno()
    loop.add_reader(number, arrived.set)
    try:
        async with asyncio.timeout(seconds):
            await arrived.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(number)
    return True
