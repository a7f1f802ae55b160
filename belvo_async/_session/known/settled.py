"""A durable feed of jobs that ended: each comes at least once for each consumer, until it is acknowledged."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from ..._tracker import closed_error
from ..._tracker.context import Context, log
from ..._tracker.watch import Rumours
from ...abc import EVER, LONG_AGO
from ...discreet import Discretion, discreet
from ...errors import StoreError, StoreLostError
from ...jobs import Job
from ...stores.consumers import Consumer, acknowledge, end_of, enter_consumers, read_acknowledged
from ..handle import JobHandle

# One process at a time is told for a consumer; when it dies, another is after so long.
HOLD: Final = timedelta(seconds=30)
RENEW: Final = HOLD / 3
# Hints may be lost: all ended jobs are looked at this often, and no more often than this when any may have ended.
LOOK_EVERY: Final = timedelta(minutes=5)
LOOK_AGAIN: Final = timedelta(seconds=10)
COMPLAINS_EVERY: Final = timedelta(minutes=1)


class SettledJob:
    """A job that ended, as one consumer is told of it: again, until it is acknowledged."""

    def __init__(self, handle: JobHandle[Any], job: Job, acknowledge: Callable[[Job], Awaitable[None]]) -> None:
        self.handle = handle
        """For the end and the records: awaiting it returns or raises at once."""
        self.job = job
        """The job as it ended."""
        self._acknowledge = acknowledge

    @property
    def id(self) -> str:
        """Our own id of the job; `session.attach` takes it, in any process with the same store."""
        return self.job.id

    @discreet
    async def ack(self) -> None:
        """Say that this consumer is done with it: durable when this returns. Raises StoreError; then it comes again."""
        await self._acknowledge(self.job)


class SettledFeed:
    """What one consumer is told. `again_after`: when it is told again of what it did not acknowledge.

    `accounts`: by each name of an account its present one.
    """

    def __init__(
        self,
        context: Context,
        consumer: Consumer,
        accounts: Mapping[str, str],
        *,
        again_after: timedelta,
        handle: Callable[[Job], JobHandle[Any]],
    ) -> None:
        self._context = context
        self._store = context.store
        self._consumer = consumer
        self._accounts = accounts
        self._again_seconds = again_after.total_seconds()
        self._handle = handle
        self._owner = uuid.uuid4().hex
        self._loop = asyncio.get_running_loop()
        # The accounts it is told of now, and until when on the loop's clock.
        self._held: dict[str, float] = {}
        self._acknowledged: dict[str, bytes] = {}
        self._just_acknowledged: dict[str, bytes] = {}
        # What it was told of and has not acknowledged yet: when it is told again.
        self._told: dict[str, float] = {}
        # When it was read last what was acknowledged, on the loop's clock and on the calendar's.
        self._known_at = -math.inf
        self._known_to = LONG_AGO
        self._looked_at = -math.inf
        # After a fault of the store.
        self._rests_until = self._complained_at = -math.inf

    async def jobs(self) -> AsyncIterator[SettledJob]:
        """Tell of one job after the other; wait while there is none. Raises StoreLostError and SessionClosedError."""
        context = self._context
        homes = sorted(set(self._accounts.values()))
        with Discretion(), context.watches.rumours() as heard:
            await self._enter(homes, heard)
            holding = context.spawn(self._hold(homes, heard), name="settled feed")
            try:
                while True:
                    async for job in self._candidates(heard):
                        self._check_open()
                        if self._is_news(job):
                            self._told[job.id] = self._loop.time() + self._again_seconds
                            yield SettledJob(self._handle(job), job, self._acknowledge)
                    self._check_open()
                    await heard.wait(self._pause(heard))
            finally:
                holding.cancel()
                await self._leave(homes)

    async def _enter(self, homes: Sequence[str], heard: Rumours) -> None:
        """Keep who is told: from then on, nothing that it wants is pruned before."""
        wanted = [replace(self._consumer, accounts=self._names(each)) for each in homes]
        while True:
            try:
                return await enter_consumers(self._store, wanted)
            except StoreLostError:
                raise
            except StoreError as error:
                self._rest(error)
            self._check_open()
            await heard.wait(LOOK_AGAIN.total_seconds())

    def _names(self, home: str) -> tuple[str, ...]:
        others = (name for name, present in self._accounts.items() if present == home != name)
        return (home, *sorted(others))

    async def _candidates(self, heard: Rumours) -> AsyncIterator[Job]:
        """Jobs that may be news: all that ended, or those of which something was heard."""
        began = self._loop.time()
        try:
            if (heard.anything and self._may_look(LOOK_AGAIN)) or self._may_look(LOOK_EVERY):
                heard.take()
                heard.anything, self._looked_at = False, began
                await self._read_acknowledged()
                async for job in self._store.ended_jobs(sorted(self._held), before=EVER):
                    if self._is_news(job) and await self._knows(job, began):
                        yield job
                return
            for job_id in dict.fromkeys([*heard.take(), *(each for each, at in self._told.items() if at <= began)]):
                kept = await self._store.get(job_id)
                if kept is None:
                    self._told.pop(job_id, None)
                elif self._is_news(kept) and await self._knows(kept, began):
                    yield kept
        except StoreLostError:
            raise
        except StoreError as error:
            # What was missed is looked for again.
            heard.anything, self._looked_at = True, self._loop.time()
            self._rest(error)

    def _rest(self, error: StoreError) -> None:
        """Wait for the store: whoever is told for years must not end with a moment's fault."""
        now = self._loop.time()
        self._rests_until = now + LOOK_AGAIN.total_seconds()
        # Tried again every ten seconds for as long as a disk stays full: one line a minute will do.
        if not self._context.watches.is_closed and now - self._complained_at >= COMPLAINS_EVERY.total_seconds():
            self._complained_at = now
            facts = {"consumer": self._consumer.name}
            log.warning("the feed of ended jobs waits for the store: %s", error, extra=facts)

    async def _knows(self, job: Job, began: float) -> bool:
        """Whether it is known that a job was not acknowledged, elsewhere too. Put off where that was read just now.

        Of a job that ended since, nobody can have been told before.
        """
        now = self._loop.time()
        is_new = job.id not in self._told and (job.settled_at or job.created_at) >= self._known_to
        may_read_at = self._known_at + LOOK_AGAIN.total_seconds()
        if is_new or (began <= self._known_at and now < may_read_at):
            return True
        if now < may_read_at:
            self._told[job.id] = may_read_at
            return False
        await self._read_acknowledged()
        return True

    async def _read_acknowledged(self) -> None:
        """Know what was acknowledged of the jobs that are kept, and no more of those that were forgotten."""
        self._just_acknowledged = {}
        self._known_at, self._known_to = self._loop.time(), self._context.clock.now()
        kept = await read_acknowledged(self._store, self._consumer.name, sorted(self._held))
        self._acknowledged = kept | self._just_acknowledged

    def _note_acknowledged(self, ends: Mapping[str, bytes]) -> None:
        self._acknowledged |= ends
        # What is being read meanwhile may be older.
        self._just_acknowledged |= ends

    def _may_look(self, span: timedelta) -> bool:
        return self._loop.time() - self._looked_at >= span.total_seconds()

    def _pause(self, heard: Rumours) -> float:
        """For how long nothing needs to be done unless something is heard."""
        span = LOOK_AGAIN if heard.anything else LOOK_EVERY
        nexts = [self._looked_at + span.total_seconds(), *self._told.values()]
        return max(max(min(nexts), self._rests_until) - self._loop.time(), 0.0)

    def _is_news(self, job: Job) -> bool:
        now = self._loop.time()
        if job.is_open or not self._consumer.wants(job) or self._acknowledged.get(job.id) == end_of(job):
            self._told.pop(job.id, None)
            return False
        if self._told.get(job.id, now) > now:
            return False
        home = self._accounts.get(job.account)
        is_held = home is not None and self._held.get(home, now) > now
        if not is_held and job.id in self._told:
            # Another may be told of it; should none be, it is again in its time.
            self._told[job.id] = now + max(self._again_seconds, LOOK_AGAIN.total_seconds())
        return is_held

    async def _acknowledge(self, job: Job) -> None:
        self._check_open()
        await acknowledge(self._store, self._consumer.name, job)
        self._note_acknowledged({job.id: end_of(job)})
        self._told.pop(job.id, None)

    async def _hold(self, homes: Sequence[str], heard: Rumours) -> None:
        """Be the process that is told, account by account: as soon as no other is, and for as long as it lives."""
        while True:
            for home in homes:
                try:
                    await self._hold_one(home, heard)
                except StoreError as error:
                    # What is held lasts until another may have it.
                    log.debug("a feed could not be held: %s", error, extra={"consumer": self._consumer.name})
            await asyncio.sleep(RENEW.total_seconds())

    async def _hold_one(self, home: str, heard: Rumours) -> None:
        at, now = self._loop.time(), self._context.clock.now()
        if await self._store.lease(self._lane(home), self._owner, now=now, until=now + HOLD) is None:
            self._held.pop(home, None)
            return
        # What was held may have run out while the store took its time.
        if self._held.get(home, at) <= self._loop.time():
            # Another may have been told meanwhile, and of jobs that this one heard nothing of.
            self._note_acknowledged(await read_acknowledged(self._store, self._consumer.name, [home]))
            self._looked_at = -math.inf
            heard.add(())
        self._held[home] = at + HOLD.total_seconds()

    async def _leave(self, homes: Sequence[str]) -> None:
        """Let another process be told at once."""
        with suppress(StoreError):
            for home in homes:
                await self._store.release(self._lane(home), self._owner)

    def _lane(self, home: str) -> str:
        return f"{home}/settled/{self._consumer.name}"

    def _check_open(self) -> None:
        if self._context.watches.is_closed:
            raise closed_error()
