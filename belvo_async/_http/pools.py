"""Connections, by kind of request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp

from ..abc import Urgency
from ..errors import SessionClosedError
from .fifo import Precedence
from .permit import PermitConnector
from .request import plain_session

CLOSED: Final = "the session is closed; jobs live on in the store: open a session on it and attach"
KEPT: Final = timedelta(seconds=15)


class Slots:
    """Free connections: each goes to whom it is most urgent, and among those to who came first."""

    def __init__(self, size: int) -> None:
        self._value = size
        self._waiting = {each: deque[asyncio.Future[None]]() for each in Urgency}
        self._precedence = Precedence()

    def locked(self) -> bool:
        """Whether whoever comes now would wait."""
        return self._value == 0

    async def acquire(self, urgency: Urgency) -> None:
        """Take one. Who is cancelled holds none."""
        if self._value:
            self._value -= 1
            return
        slot = asyncio.get_running_loop().create_future()
        line = self._waiting[urgency]
        line.append(slot)
        try:
            await slot
        except BaseException:
            if slot.cancelled():
                line.remove(slot)
            else:
                self.release()
            raise

    def release(self) -> None:
        """Give one back: to the next who waits, if anybody does."""
        # One that is done was cancelled this moment, and is about to leave.
        waiting = {each: slot for each, line in self._waiting.items() if (slot := _first_waiting(line)) is not None}
        if not waiting:
            self._value += 1
            return
        urgency = self._precedence.serve(waiting)
        self._waiting[urgency].remove(waiting[urgency])
        waiting[urgency].set_result(None)


def _first_waiting(line: deque[asyncio.Future[None]]) -> asyncio.Future[None] | None:
    return next((slot for slot in line if not slot.done()), None)


@dataclass(frozen=True)
class Pool:
    """Connections of one kind. Slots are ours: waiting for one is never taken for sending."""

    session: aiohttp.ClientSession
    slots: Slots
    is_closed: Callable[[], bool]

    async def take_slot(self, patience: float | None, urgency: Urgency) -> bool:
        """Take a connection; False when none got free in so many seconds."""
        # A timer for nothing costs as much as a whole poll of a job: most find a slot free.
        if self.slots.locked():
            try:
                async with asyncio.timeout(patience):
                    await self.slots.acquire(urgency)
            except TimeoutError:
                return False
        else:
            await self.slots.acquire(urgency)
        if self.is_closed():
            self.slots.release()
            raise SessionClosedError(CLOSED)
        return True


def make_pool(size: int, is_closed: Callable[[], bool], *, force_close: bool = False) -> Pool:
    """Make a pool of at most `size` connections, at least one; `force_close` uses each for one request only."""
    size = max(1, size)
    connector = PermitConnector(
        limit=size,
        limit_per_host=size,
        ttl_dns_cache=60,
        force_close=force_close,
        keepalive_timeout=None if force_close else KEPT.total_seconds(),
    )
    return Pool(plain_session(connector), Slots(size), is_closed)
