"""What happened while this process did not look: jobs that other processes changed, announcements nobody heard."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from ..abc import Urgency, Vendor
from ..errors import PayloadError, StoreError, StoreLostError, TransportError, VendorError, name_fault
from ..jobs import DOWN_AFTER, Job, Seen, Status, Way
from .context import STORE_RETRY, Context, all_of, log
from .reconciler import Reconciler
from .watch import Watch

# Whatever hints get lost: an awaited job is read again this often.
READ_EVERY: Final = timedelta(seconds=30)

# The earliest poll that was missed came up to the longest interval after the last one that was made.
CATCH_UP_SLACK: Final = timedelta(minutes=10)
# Syntage keeps events for at least 7 days (resources/core/events); older ends are found by polling the jobs.
CATCH_UP_SPAN: Final = timedelta(days=7)


class Changes:
    """Reads jobs again that may have changed elsewhere, and wakes who waits for them."""

    def __init__(self, context: Context, reconciler: Reconciler) -> None:
        self._context = context
        self._store = context.store
        self._reconciler = reconciler
        self._read_at: float | None = None

    def begin(self, *, catch_up: bool) -> None:
        """Listen to the other processes of the store, and catch up on the time nobody listened to the vendors."""
        self._context.spawn(self._listen(), name="news")
        for vendor in self._context.vendors.values() if catch_up else ():
            self._context.spawn(self._catch_up(vendor), name="catch-up")

    async def read_sometimes(self) -> None:
        """Read all awaited jobs again if that is due: hints may be lost, this is the promise."""
        now = asyncio.get_running_loop().time()
        if self._read_at is None:
            self._read_at = now
        if now - self._read_at >= READ_EVERY.total_seconds():
            self._read_at = now
            await self._read(self._context.watches.awaited())

    async def _listen(self) -> None:
        wait, longest = STORE_RETRY
        while True:
            try:
                async for ids in self._store.changes():
                    wait = STORE_RETRY[0]
                    self._context.watches.spread(ids)
                    await self._read(self._awaited(ids))
                return  # a store that no other process can open has nothing to tell
            except StoreError:
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, longest)

    def _awaited(self, ids: Collection[str]) -> list[Watch]:
        awaited = self._context.watches.awaited()
        changed = frozenset(ids)
        return [watch for watch in awaited if watch.job.id in changed] if changed else awaited

    async def _read(self, watches: list[Watch]) -> None:
        await all_of(watches, self.read_one)

    async def read_one(self, watch: Watch) -> None:
        """Take over what is kept of a job, or tell its waiters that it is kept no longer. Raises StoreError."""
        era = self._store.era
        try:
            job = await self._store.get(watch.job.id)
        except StoreLostError:
            job = None
        if job is None:
            watch.lose()
        elif watch.is_behind(job, era) or watch.lost:
            self._reconciler.note_elsewhere(watch.job, job)
            watch.publish(await self._remind(job, watch), None, era=era)
            # Who gave a lane away elsewhere has made the next one due: here, somebody waits for it.
            self._reconciler.announce(job)

    async def _remind(self, job: Job, watch: Watch) -> Job:
        """Tell a store that went back what the vendor had answered: this process still knows it."""
        if not watch.knows_more(job):
            return job
        now = self._context.clock.now()
        seen = Seen(way=Way.ANSWER, at=now, status=Status.PENDING, remote_id=watch.remote_id)
        return await self._reconciler.apply(job, seen)

    def lose_all(self) -> None:
        """Tell every waiter that the store has lost what it kept: none is left to its deadline."""
        for watch in self._context.watches.awaited():
            watch.lose()

    async def _catch_up(self, vendor: Vendor) -> None:
        """Take what the vendor announced while no process of the store was up, all at once instead of poll by poll."""
        try:
            now = self._context.clock.now()
            missed = await self._store.next_due([vendor.account])
            if missed is None or now - missed < DOWN_AFTER:
                return
            since = max(missed - CATCH_UP_SLACK, now - CATCH_UP_SPAN)
            for seen in await self._context.talks[vendor.name](vendor.catch_up(since, now), urgency=Urgency.POLL):
                await self._reconciler.observe(vendor, seen)
        except (StoreError, TransportError, VendorError, PayloadError) as error:
            # Nothing is lost: every open job is polled anyway.
            facts = {"vendor": vendor.name, "error": type(error).__name__}
            log.warning("catching up on a vendor's announcements failed (%s)", name_fault(error), extra=facts)
