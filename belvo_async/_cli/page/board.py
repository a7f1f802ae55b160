"""The page that is served: made again when the store changed, and told to whoever looks at it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from ..._page import Morning, read_store, render
from ...abc import Store
from .source import PageRequest, morning_of

# A store that tells nobody of its changes is read this often; the others as well, since time itself makes jobs overdue.
TICK: Final = timedelta(minutes=1)
# Between two readings at least this, and several times what one took: a busy store is not kept busier.
PAUSE: Final = timedelta(seconds=2)
PATIENCE: Final = 4


class Board:
    """The page as it is now. `mark` changes when what it shows does, but for the time of the reading."""

    def __init__(self, store: Store, source: PageRequest, now: Callable[[], datetime]) -> None:
        self._store, self._source, self._now = store, source, now
        self._stirred = asyncio.Event()
        self._news = asyncio.Condition()
        self.html = self.mark = ""

    async def refresh(self) -> None:
        """Read the store and make the page. Raises StoreError, ConfigurationError and TaskError."""
        held, now = await read_store(self._store), self._now()
        # Seconds of work for a large store: others are answered meanwhile.
        morning = await asyncio.to_thread(morning_of, self._source, held, now)
        html = await asyncio.to_thread(render, morning, is_live=True)
        async with self._news:
            self.html, self.mark = html, _mark(morning)
            self._news.notify_all()

    async def next_mark(self, seen: str) -> str:
        """Wait until the page shows something else than it did at a mark."""
        async with self._news:
            await self._news.wait_for(lambda: self.mark != seen)
            return self.mark

    async def follow(self) -> None:
        """Make the page again whenever the store changed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            loop = asyncio.get_running_loop()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK.total_seconds()):
                        await self._stirred.wait()
                self._stirred.clear()
                began = loop.time()
                await self.refresh()
                await asyncio.sleep(max(PAUSE.total_seconds(), PATIENCE * (loop.time() - began)))

    async def _listen(self) -> None:
        async for _ in self._store.changes():
            self._stirred.set()


def _mark(morning: Morning) -> str:
    # These two move by themselves.
    alike = replace(morning, made_at=_EPOCH, since=_EPOCH)
    return hashlib.sha256(msgspec.json.encode(alike, order="deterministic")).hexdigest()[:16]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
