"""Connections, by kind of request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp

from ..errors import SessionClosedError
from .permit import PermitConnector
from .request import plain_session

CLOSED: Final = "the session is closed; jobs live on in the store: open a session on it and attach"
KEPT: Final = timedelta(seconds=15)


@dataclass(frozen=True)
class Pool:
    """Connections of one kind. Slots are ours: waiting for one is never taken for sending."""

    session: aiohttp.ClientSession
    slots: asyncio.Semaphore
    is_closed: Callable[[], bool]

    async def take_slot(self, patience: float | None) -> bool:
        """Take a connection; False when none got free in so many seconds."""
        # A timer for nothing costs as much as a whole poll of a job: most find a slot free.
        if self.slots.locked():
            try:
                async with asyncio.timeout(patience):
                    await self.slots.acquire()
            except TimeoutError:
                return False
        else:
            await self.slots.acquire()
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
    return Pool(plain_session(connector), asyncio.Semaphore(size), is_closed)
