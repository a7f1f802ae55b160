"""A store that takes its time, or is down, when a test says so."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from belvo_async.abc import Store
from belvo_async.errors import StoreError
from belvo_async.jobs import Job
from belvo_async.stores import MemoryStore


class TroubledStore(MemoryStore):
    """A memory store whose calls can be slow or fail, as the contract lets them: one that fails has changed nothing.

    While it `is_down` every call fails. What a call does it does at once; its answer takes `delay` seconds. `asked` is
    how many calls there were. Who needs other troubles overrides `before` and `after`.
    """

    is_down = False
    delay = 0.0
    asked = 0

    async def before(self, name: str) -> None:
        """What comes before a call does something; it may raise StoreError."""
        self.asked += 1
        if self.is_down:
            await self.after(name)
            raise StoreError("the store is down")

    async def after(self, name: str) -> None:
        """What comes between the deed and the answer."""
        if self.delay:
            await asyncio.sleep(self.delay)

    async def open_jobs(
        self, accounts: Collection[str] | None = None, *, lane: str | None = None
    ) -> AsyncIterator[Job]:
        await self.before("open_jobs")
        async for job in super().open_jobs(accounts, lane=lane):
            yield job
            await self.after("open_jobs")

    async def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        await self.before("ended_jobs")
        async for job in super().ended_jobs(accounts, before=before):
            yield job
            await self.after("ended_jobs")


def _troubled(name: str) -> Callable[..., Awaitable[Any]]:
    do = getattr(MemoryStore, name)

    async def call(self: TroubledStore, *args: Any, **options: Any) -> Any:
        await self.before(name)
        found = await do(self, *args, **options)
        await self.after(name)
        return found

    return call


for _name, _call in vars(Store).items():
    if inspect.iscoroutinefunction(_call) and not _name.startswith("_"):
        setattr(TroubledStore, _name, _troubled(_name))
