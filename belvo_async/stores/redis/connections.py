"""What an open Redis store is connected by, and what it remembers of the server it is connected to."""

from __future__ import annotations

import uuid
from typing import Any, Final

from redis.exceptions import ResponseError

from ...errors import StoreError
from ..rules import tell_restore
from . import lua as scripts
from .endpoint import Endpoint
from .errors import EpochError
from .listener import Listeners
from .lua.script import Script
from .pipeline import Pipeline, RedisConnection

SCHEMA_VERSION: Final = 1


def unique() -> bytes:
    """Make a name that nothing else has."""
    return uuid.uuid4().hex.encode()


class Connections:
    """A pipeline for writes, one for reads, and those who wait for changes.

    Every call names the epoch it believes in. In another era of the same epoch it is made again, once that is learned.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._meta = endpoint.meta
        self._epoch = b""
        self._keeps_all = False
        self._last = 0
        self.origin = unique()
        self.writes = Pipeline(endpoint.dial, endpoint.timeout, self._arrive)
        self.reads = Pipeline(endpoint.dial, endpoint.timeout)
        self.listeners = Listeners(endpoint, self.origin, self._find_position)

    @property
    def era(self) -> int:
        """The era that calls name."""
        return _era_of(self._epoch)

    async def open(self, *, keeps_all: bool) -> None:
        """Learn the server's epoch; the first store on a server sets it."""
        self._keeps_all = keeps_all
        packed = scripts.OPEN.call(self._meta, b"", b"%d" % SCHEMA_VERSION, unique())
        schema, epoch = await self.writes.submit(packed).future
        if epoch is None:
            raise StoreError(
                f"the Redis store was written by a newer release (schema {schema}, this one knows {SCHEMA_VERSION}); "
                "it was left as it is: install that release"
            )
        self._epoch = epoch
        self._note_arrival(await self.write(scripts.ARRIVE, self._lossy))

    async def close(self) -> None:
        await self.listeners.close()
        await self.writes.close()
        await self.reads.close()

    async def put(self, *arguments: bytes) -> tuple[Any, bool]:
        """Write a job: the reply, and whether the call was repeated after it may have been carried out."""
        reply, was_repeated = await self._compare(scripts.PUT, *arguments)
        if isinstance(reply, int):
            self._last = max(self._last, reply)
        return reply, was_repeated

    async def lease(self, *arguments: bytes) -> Any:
        reply, _ = await self._compare(scripts.LEASE, *arguments)
        return reply

    async def _compare(self, script: Script, *arguments: bytes) -> tuple[Any, bool]:
        """Call a script that finds out whether the server knows what was written here and heard of."""
        was_repeated = False
        while True:
            named = self._epoch
            memory = (self.origin, b"%d" % self._last, b"%d" % self.listeners.heard)
            call = self.writes.submit(script.call(self._meta, named, *arguments, *memory))
            try:
                reply = await call.future
            except EpochError as news:
                was_repeated = was_repeated or call.was_repeated
                await self._learn(news, named)
            else:
                return reply, was_repeated or call.was_repeated

    async def write(self, script: Script, *arguments: bytes) -> Any:
        return await self._ask(self.writes, script, *arguments)

    async def read(self, script: Script, *arguments: bytes) -> Any:
        return await self._ask(self.reads, script, *arguments)

    async def begin_era(self) -> int:
        """Begin an era above the one that is known here."""
        epoch = await self.write(scripts.BEGIN_ERA, b"%d" % self.era)
        self._adopt(epoch)
        return self.era

    @property
    def _lossy(self) -> bytes:
        return b"0" if self._keeps_all else b"1"

    async def _ask(self, pipeline: Pipeline, script: Script, *arguments: bytes) -> Any:
        while True:
            named = self._epoch
            try:
                return await pipeline.submit(script.call(self._meta, named, *arguments)).future
            except EpochError as news:
                await self._learn(news, named)

    async def _learn(self, news: EpochError, named: bytes) -> None:
        """Take over another era of the same epoch; raise StoreLostError when the data is another."""
        if _name_of(news.epoch) != _name_of(self._epoch):
            raise news
        # Of the calls that meet a lost era one is told that it noticed, and of those that named what is known here, the
        # first: whatever else was on its way is made again.
        began = news.noticed
        if named == self._epoch and _era_of(news.epoch) < self.era:
            began = self._adopt(await self.write(scripts.BEGIN_ERA, b"%d" % self.era))
        else:
            self._adopt(news.epoch)
        if began:
            tell_restore("its Redis server has lost what was written")

    def _adopt(self, epoch: bytes) -> bool:
        """Take an era over that is above the one known here; whether it is."""
        if _era_of(epoch) <= self.era:
            return False
        # What was remembered of an earlier era is known to be lost.
        self._epoch, self._last, self.listeners.heard = epoch, 0, 0
        return True

    async def _arrive(self, connection: RedisConnection) -> None:
        """Before anything else goes over a new connection: is this the server that was left?"""
        if not self._epoch:
            return
        await connection.send_packed_command([scripts.ARRIVE.whole(self._meta, self._epoch, self._lossy)])
        try:
            self._note_arrival(await connection.read_response())
        except ResponseError:
            return  # whatever is refused, what follows is refused for it, and somebody is told

    def _note_arrival(self, began: int) -> None:
        if began == 1:
            tell_restore("its Redis server was restarted or replaced, and may have lost the last writes")

    async def _find_position(self) -> int:
        return int(await self.read(scripts.POSITION))


def _name_of(epoch: bytes) -> bytes:
    return epoch.partition(b":")[0]


def _era_of(epoch: bytes) -> int:
    return int(epoch.partition(b":")[2] or 0)
