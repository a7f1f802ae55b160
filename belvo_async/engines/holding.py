"""One worker at a time, by a lease of the store: engines deliver twice, and some have no locks."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from ..abc import Clock, Store
from ..errors import StoreError

log = logging.getLogger("belvo_async")

# When another may take over from a worker that died.
HOLD: Final = timedelta(seconds=30)


def free_by(now: datetime) -> datetime:
    """When a lane that somebody holds is free at the latest, should that worker be dead."""
    return now + HOLD


@asynccontextmanager
async def holding(store: Store, lane: str, clock: Clock) -> AsyncGenerator[bool]:
    """Hold a lane, and whether it is held: not while another worker does. Raises StoreError."""
    owner, now = uuid.uuid4().hex, clock.now()
    if await store.lease(lane, owner, now=now, until=free_by(now)) is None:
        yield False
        return
    renewing = asyncio.create_task(_renew(store, lane, owner, clock))
    try:
        yield True
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        with suppress(StoreError):  # it ends by itself
            await store.release(lane, owner)


async def _renew(store: Store, lane: str, owner: str, clock: Clock) -> None:
    while True:
        await asyncio.sleep(HOLD.total_seconds() / 3)
        now = clock.now()
        # One that was lost to another is not taken back: both go on, which is safe.
        with suppress(StoreError):
            await store.lease(lane, owner, now=now, until=free_by(now))
