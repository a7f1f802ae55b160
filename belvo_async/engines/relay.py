"""Passing on what ended: a job is acknowledged once the queue has taken what follows from it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from ..abc import Clock
from ..accounts import accounts_of
from ..errors import SessionClosedError
from .errands import LOST_AFTER, Due, Ended, Letter, Share, every, keep
from .holding import log
from .turns import Turns, accounts_in

if TYPE_CHECKING:
    from .._session.known.settled import SettledJob
    from .._session.session import Session

# Tags of an engine's jobs: whose they are, and that they are to be collected.
ENGINE_TAG: Final = "engine"
COLLECT_TAG: Final = "engine.collect"
# How many ended jobs are passed on at once, and how long more of them are waited for: a turn at a share is for all.
TOGETHER_LIMIT: Final = 200
GATHER: Final = timedelta(seconds=1)
# When a feed that failed begins anew, and when what it was told is told again.
AGAIN: Final = timedelta(seconds=10)
TOLD_AGAIN: Final = timedelta(minutes=1)


class Relay:
    """Passes the ended jobs of one engine on to its queue."""

    def __init__(self, engine: str, clock: Clock, send: Callable[[Letter], Awaitable[None]], turns: Turns) -> None:
        self._engine = engine
        self._clock = clock
        self._send = send
        self._turns = turns

    async def run(self, session: Session) -> None:
        """Pass on until the session closes. While the queue or the store is down it waits."""
        while True:
            try:
                await self._pass_on(session)
            except SessionClosedError:
                return
            except Exception as error:  # noqa: BLE001 - queues raise what they like
                fault = type(error).__name__
                log.warning("the engine %s cannot pass on what ended: %s", self._engine, fault)
            await asyncio.sleep(AGAIN.total_seconds())

    async def _pass_on(self, session: Session) -> None:
        told = asyncio.Queue["SettledJob"](TOGETHER_LIMIT)
        reading = asyncio.create_task(self._read(session, told))
        try:
            while True:
                batch = [await _next(told, reading)]
                await asyncio.sleep(GATHER.total_seconds())
                while not told.empty():
                    batch.append(told.get_nowait())
                await self._tell(session, batch)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, session: Session, told: asyncio.Queue[SettledJob]) -> None:
        name, tags = f"engine.{self._engine}", {ENGINE_TAG: self._engine}
        settled = session.settled(name, tags=tags, again_after=TOLD_AGAIN)
        # Whoever leaves it lets another process be told at once.
        async with aclosing(cast("AsyncGenerator[SettledJob]", settled)):
            async for each in settled:
                await told.put(each)
        raise SessionClosedError("the feed of ends has ended")

    async def _tell(self, session: Session, batch: Sequence[SettledJob]) -> None:
        wanted = defaultdict[tuple[str, str, str], list[str]](list)
        async for _, key, share in every(session.store, Share, self._engine, accounts_in(session)):
            for subject in share.plan.subjects:
                wanted[share.plan.vendor, share.plan.resource, subject].append(key)
        messages = dict[str, Letter]()
        for each in batch:
            job = each.job
            for key in wanted.get((job.vendor, job.task.resource, job.task.subject), ()):
                messages[key] = self._turns.message(key)
            if COLLECT_TAG in job.tags:
                ended = Ended(job=job.id, due=Due(due_at=self._clock.now() + LOST_AFTER))
                account = accounts_of(session.vendors[job.vendor])[0]
                await keep(session.store, account, f"{self._engine}/{job.id}", ended)
                messages[job.id] = ended.message(self._engine)
        for message in messages.values():
            await self._send(message)
        for each in batch:
            await each.ack()


async def _next(told: asyncio.Queue[SettledJob], reading: asyncio.Task[None]) -> SettledJob:
    """Wait for the next job, or raise what reading them raised."""
    getting = asyncio.ensure_future(told.get())
    try:
        await asyncio.wait({getting, reading}, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done():
            await reading
        return await getting
    finally:
        getting.cancel()
