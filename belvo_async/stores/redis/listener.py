"""What other processes changed, read from the stream their writes leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from ...errors import StoreError
from .endpoint import Endpoint
from .lua.script import pack
from .pipeline import FAULTS, RedisConnection, hang_up

# Seconds between attempts to reach a server that is away; the store's calls find out at once.
PAUSES: Final = (0.05, 0.2, 1.0, 2.0)


class Listeners:
    """Those who wait for changes, each on a connection of their own that blocks on the stream.

    `find_position` gives the number of the last change there was.
    """

    def __init__(self, endpoint: Endpoint, origin: bytes, find_position: Callable[[], Awaitable[int]]) -> None:
        self._endpoint = endpoint
        self._origin = origin
        self._find_position = find_position
        self._closed = asyncio.Event()
        self._connections: set[RedisConnection] = set()
        # The highest number of a change that was read: a server that knows fewer has lost some.
        self.heard = 0

    async def close(self) -> None:
        """End every iteration."""
        self._closed.set()
        for connection in tuple(self._connections):
            await hang_up(connection)

    async def listen(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids others changed. Every connection starts with an empty tuple: what happened before it is not told."""
        failures = 0
        while not self._closed.is_set():
            connection = self._endpoint.dial()
            self._connections.add(connection)
            try:
                await self._connect(connection)
                position = await self._find_position()
                failures = 0
                yield ()
                while not self._closed.is_set():
                    position, ids = await self._read(connection, position)
                    if ids is not None:
                        yield ids
            except (*FAULTS, StoreError):
                await self._pause(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
            finally:
                self._connections.discard(connection)
                await hang_up(connection)

    async def _connect(self, connection: RedisConnection) -> None:
        timeout = self._endpoint.timeout
        async with asyncio.timeout(None if timeout is None else timeout.total_seconds()):
            await connection.connect()

    async def _read(self, connection: RedisConnection, position: int) -> tuple[int, tuple[str, ...] | None]:
        """Wait for entries after a position: the new position and what to tell, None for nothing.

        Entries are numbered without gaps, so a gap means that the stream was cut before they were read.
        """
        after = b"%d-0" % position
        words = (b"XREAD", b"COUNT", b"1000", b"BLOCK", b"0", b"STREAMS", self._endpoint.stream, after)
        await connection.send_packed_command([pack(*words)])
        reply: Any = await connection.read_response()
        entries: list[tuple[int, bytes, bytes]] = [
            (int(number.partition(b"-")[0]), fields[1], fields[3]) for number, fields in reply[0][1]
        ]
        self.heard = max(self.heard, entries[-1][0])
        if entries[0][0] != position + 1:
            return entries[-1][0], ()
        others = {job_id: None for _, job_id, origin in entries if origin != self._origin}
        ids = tuple(job_id.decode("utf-8", "surrogatepass") for job_id in others)
        return entries[-1][0], ids or None

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
