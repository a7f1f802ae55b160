"""One worker's way to the store it shares with others: it may stand still, and answers may get lost on it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from belvo_async.abc import Store
from belvo_async.errors import StoreError
from belvo_async.jobs import Job


class View:
    """Passes calls on. A worker whose view is frozen is one whose process is stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._flows = asyncio.Event()
        self._flows.set()
        self._cuts: list[tuple[Callable[[Job], bool], bool]] = []
        self._freezes: list[Callable[[Job], bool]] = []
        self.puts: list[Job] = []

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def freeze_at(self, fits: Callable[[Job], bool]) -> None:
        """Stand still once a job that fits was written, before its writer learns of it."""
        self._freezes.append(fits)

    def cut_at(self, fits: Callable[[Job], bool], *, done: bool) -> None:
        """Fail the next write of a job that fits; `done`: whether it was carried out all the same."""
        self._cuts.append((fits, done))

    async def put(self, job: Job, **options: Any) -> Job | None:
        await self._flows.wait()
        self.puts.append(job)
        cut = next((each for each in self._cuts if each[0](job)), None)
        standing = await self._store.put(job, **options) if cut is None or cut[1] else None
        if any(fits(job) for fits in self._freezes):
            self._freezes.clear()
            self.freeze()
            await self._flows.wait()
        if cut is not None:
            self._cuts.remove(cut)
            raise StoreError("cut off")
        return standing

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if not inspect.iscoroutinefunction(call):
            return call

        async def pass_on(*arguments: Any, **options: Any) -> Any:
            await self._flows.wait()
            answer = await call(*arguments, **options)
            await self._flows.wait()
            return answer

        return pass_on
