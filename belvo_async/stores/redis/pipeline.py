"""One connection to a Redis server, and pipelines as group commit.

While a pipeline is under way, calls queue up; the next one takes them all. Many callers share one round trip.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from copy import copy
from datetime import timedelta
from typing import Any, Final, Protocol

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from ...discreet import discreet
from ...errors import StoreError
from ..affinity import Affinity
from .errors import broken, in_doubt, refused
from .lua import SCRIPTS

# What ends a connection. The refusal of one command (a ResponseError) is a RedisError as well, and caught before.
FAULTS: Final = (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError)

# Replies that redis-py counts as failures of the connection. The server did nothing.
REFUSALS: Final = (AuthenticationError, AuthorizationError, BusyLoadingError)

# More in one pipeline brings no further speed, but the first caller would wait longer for the last.
PIPELINE_LIMIT: Final = 1000
# How long to try again for calls that may have been carried out, in seconds between attempts: in all less than the 3 s
# a webhook may take.
PAUSES: Final = (0.0, 0.1, 0.3, 0.6, 1.0)
CLOSING_SECONDS: Final = 10.0


class RedisConnection(Protocol):
    """What is used of a connection of redis-py."""

    async def connect(self) -> None: ...
    async def disconnect(self, nowait: bool = False) -> None: ...
    async def send_packed_command(self, command: Any) -> None: ...
    async def read_response(self) -> Any: ...


async def hang_up(connection: RedisConnection) -> None:
    """Close a connection that may be broken, without waiting for the other side."""
    with suppress(*FAULTS):
        await connection.disconnect(nowait=True)


class Command:
    """One command on its way: what to send, and who waits for the reply."""

    __slots__ = ("future", "is_refused", "may_be_done", "packed", "was_repeated")

    def __init__(self, packed: bytes, future: asyncio.Future[Any]) -> None:
        self.packed = packed
        self.future = future
        self.may_be_done = False
        self.was_repeated = False
        self.is_refused = False

    def note_sending(self) -> None:
        """From here on the server may have carried it out."""
        self.was_repeated = self.was_repeated or self.may_be_done
        self.may_be_done = True

    def note_unknown(self) -> None:
        """The server did not know the script, so this sending did nothing; an earlier one may have."""
        self.may_be_done = self.was_repeated

    def settle(self, reply: Any) -> None:
        # A cancelled caller no longer waits; what it asked for was done all the same.
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: StoreError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Pipeline:
    """Sends calls over a connection nobody else uses, and makes a new one when it breaks; `arrive` uses it first."""

    def __init__(
        self,
        dial: Callable[[], RedisConnection],
        timeout: timedelta | None,
        arrive: Callable[[RedisConnection], Awaitable[None]] | None = None,
    ) -> None:
        self._dial = dial
        self._arrive = arrive
        self._timeout = None if timeout is None else timeout.total_seconds()
        self._affinity = Affinity()
        self._loop = self._affinity.loop
        self._queue: deque[Command] = deque()
        self._sent: list[Command] = []
        self._connection: RedisConnection | None = None
        self._worker: asyncio.Task[None] | None = None
        self._is_outdated = False
        self._is_closed = False

    def submit(self, packed: bytes) -> Command:
        """Queue a command. Its future fails with StoreError when the server refuses it or is not there."""
        if self._is_closed:
            raise StoreError("the store is closed")
        command = Command(packed, self._loop.create_future())
        self._queue.append(command)
        if self._worker is None:
            # No TaskGroup: a fixture may close the store in another task than the one that opened it.
            self._worker = self._loop.create_task(self._work(), name="belvo_async store")
        return command

    async def close(self) -> None:
        """Do what is queued and close the connection; what takes longer than ten seconds fails."""
        self._is_closed = True
        if self._affinity.is_of_parent or self._affinity.is_of_other_loop:
            return  # the connection belongs to the parent process, or to a loop that has ended
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=CLOSING_SECONDS)
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait({self._worker})
        self._give_up()
        await self._drop()

    def _give_up(self) -> None:
        for command in [*self._sent, *self._queue]:
            command.fail(in_doubt() if command.may_be_done else StoreError("the store is closed; nothing was changed"))
        self._sent = []
        self._queue.clear()

    @discreet
    async def _work(self) -> None:
        try:
            while self._queue:
                self._sent = [self._queue.popleft() for _ in range(min(PIPELINE_LIMIT, len(self._queue)))]
                await self._carry()
        except BaseException:
            # Nobody may be left waiting, whatever happened.
            self._give_up()
            raise
        finally:
            self._worker = None

    async def _carry(self) -> None:
        """Get every call of a pipeline answered. What was surely not done fails at once, the rest is tried again."""
        fault: Exception | None = None
        for seconds in PAUSES:
            if seconds:
                await asyncio.sleep(seconds)
            try:
                await self._send_all()
                return
            except FAULTS as error:
                fault = error
            await self._drop()
            self._fail(broken(fault), [command for command in self._sent if not command.may_be_done])
            if not self._sent or isinstance(fault, TimeoutError):
                break
        self._fail(in_doubt(), self._sent)

    def _fail(self, error: StoreError, commands: Collection[Command]) -> None:
        for command in commands:
            # One error for each caller: tracebacks of one must not grow on another.
            command.fail(copy(error))
        self._sent = [command for command in self._sent if not command.future.done()]

    async def _send_all(self) -> None:
        """Send what is to be sent until everything is answered; a server that restarted is told the scripts again."""
        connection = await self._connected()
        self._sent = await self._round(connection, self._sent)
        if self._sent:
            loads = [Command(script.load, self._loop.create_future()) for script in SCRIPTS]
            await self._round(connection, loads)
            failures = [each for each in (load.future.exception() for load in loads) if isinstance(each, StoreError)]
            if failures:
                self._fail(failures[0], self._sent)
            self._sent = await self._round(connection, self._sent)
        self._fail(StoreError("the Redis server forgets its scripts; nothing was changed"), self._sent)

    async def _round(self, connection: RedisConnection, commands: list[Command]) -> list[Command]:
        """Send calls and read their replies: those whose script the server did not know."""
        unknown: list[Command] = []
        async with asyncio.timeout(self._timeout):
            for command in commands:
                command.note_sending()
            await connection.send_packed_command([command.packed for command in commands])
            for command in commands:
                try:
                    command.settle(await connection.read_response())
                except NoScriptError:
                    command.note_unknown()
                    unknown.append(command)
                except REFUSALS as error:
                    if command.was_repeated:
                        raise  # what it did the first time is still in doubt
                    command.fail(broken(error))
                    self._is_outdated = True
                except ResponseError as error:
                    command.is_refused = True
                    command.fail(refused(error))
                    # After a fail-over the name of the server leads to another one.
                    self._is_outdated = self._is_outdated or isinstance(error, ReadOnlyError)
        return unknown

    async def _connected(self) -> RedisConnection:
        if self._connection is not None and (self._is_outdated or _has_ended(self._connection)):
            await self._drop()
        if self._connection is None:
            connection = self._dial()
            try:
                async with asyncio.timeout(self._timeout):
                    await connection.connect()
                    if self._arrive is not None:
                        await self._arrive(connection)
            except BaseException:
                await hang_up(connection)
                raise
            self._connection = connection
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._is_outdated = False
        if connection is not None:
            await hang_up(connection)


def _has_ended(connection: RedisConnection) -> bool:
    """Whether the server has hung up while nothing was under way: what is sent now would only be in doubt."""
    reader = getattr(connection, "_reader", None)  # redis-py has no public word for it; without it all still works
    return isinstance(reader, asyncio.StreamReader) and reader.at_eof()
