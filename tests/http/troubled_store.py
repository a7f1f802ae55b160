"""A store that takes its time, or is down, when a test says so."""

from __future__ import annotations

import asyncio
from datetime import datetime

from belvo_async.abc import Budget
from belvo_async.errors import StoreError
from belvo_async.stores import MemoryStore


class TroubledStore(MemoryStore):
    """Takes its time, or is down, when told so."""

    delay = 0.0
    is_down = False
    asked = 0

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        place = await super().reserve(budget, now, mark=mark)
        # Done, but the answer is on its way.
        await self._answer()
        return place

    async def give_back(self, budget: Budget, mark: str) -> None:
        await self._answer()
        await super().give_back(budget, mark)

    async def exhaust(self, window: str, until: datetime) -> None:
        await self._answer()
        await super().exhaust(window, until)

    async def exhausted_until(self, window: str) -> datetime | None:
        await self._answer()
        return await super().exhausted_until(window)

    async def _answer(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.is_down:
            raise StoreError("the store is down")
