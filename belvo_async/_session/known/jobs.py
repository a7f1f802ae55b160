"""The part of a session that tells what jobs the store knows: open ones, those that are over, the feed of ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...abc import EVER, Store
from ...discreet import Discretion, discreet
from ...jobs import PROOF, Job, Polling, at_present
from ...stores.consumers import Consumer, drop_acknowledged, read_consumers
from ..checks import check_span, read_instant, read_name, read_tags
from ..handle import JobHandle, handle_on
from ..plans import Plans
from .history import every_ended_job
from .settled import SettledFeed, SettledJob


class KnownJobs(Plans):
    """What a session tells of the jobs of its accounts, whoever fired them."""

    _store: Store
    # By every name, and by each name the present one.
    _accounts: Collection[str]
    _homes: Mapping[str, str]
    _polling: Polling

    async def open_jobs(self, *, tags: Mapping[str, str] | None = None) -> AsyncIterator[JobHandle[Any]]:
        """A handle for every unfinished job of this session's accounts, oldest first; of those with all these tags."""
        self._core.tracker  # noqa: B018 - raises when the session is closed
        wanted = read_tags(tags).items()
        with Discretion():
            async for job in self._store.open_jobs(self._accounts):
                if not wanted <= job.tags.items():
                    continue
                now = self._core.clock.now()
                # One that was fired while the clock was ahead is not waited for so much longer.
                deadline = at_present(job, now, self._polling.longest).deadline
                yield handle_on(self._core, job, max(deadline or now, now + timedelta(minutes=1)))

    async def ended_jobs(
        self, *, since: datetime | None = None, tags: Mapping[str, str] | None = None
    ) -> AsyncIterator[JobHandle[Any]]:
        """A handle for every job of this session's accounts that is over, oldest first: all that were not forgotten.

        Awaiting one gives its end, or raises, at once. What ended while nobody was there is found here, by whoever
        keeps in mind what was loaded (`examples/records.py`). `since`: only what ended at that instant or later.
        `tags`: only what has all of these. Ask for `open_jobs` first: what ends between the two is then met twice, and
        never missed.
        """
        self._core.tracker  # noqa: B018 - raises when the session is closed
        wanted = read_tags(tags).items()
        with Discretion():
            async for job in self._store.ended_jobs(self._accounts, before=EVER):
                is_late = since is None or (job.settled_at or job.created_at) >= since
                if is_late and wanted <= job.tags.items():
                    yield self._ended_handle(job)

    def settled(
        self,
        consumer: str,
        *,
        since: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        again_after: timedelta = timedelta(minutes=5),
    ) -> AsyncIterator[SettledJob]:
        """Every job of this session's accounts that ended or was given up, and each that does from now on.

        Waits while there is none, so the loop over it ends only with the session (SessionClosedError). Each job comes
        at least once for each `consumer`, until `await settled_job.ack()` has returned: over processes and restarts, in
        no promised order, and before it is pruned. Of the processes that ask for one consumer, one is told, another
        as soon as that one is gone. A job that is not acknowledged comes again after `again_after`, and one that ends
        anew (a search given up, and then found) as it ended then. `since` and `tags` are those of `ended_jobs`; what
        the consumer asks for last stands. While the store is down it waits.
        """
        context = self._core.tracker.context
        name = read_name(consumer, field="consumer")
        check_span(again_after, field="again_after")
        wanted = Consumer(name=name, since=read_instant(since, field="since"), tags=read_tags(tags))
        return SettledFeed(context, wanted, self._homes, again_after=again_after, handle=self._ended_handle).jobs()

    def _ended_handle(self, job: Job) -> JobHandle[Any]:
        return handle_on(self._core, job, self._core.clock.now())

    async def history(self) -> AsyncIterator[Job]:
        """Every job of this session's accounts that is over, and every proof of one that was pruned; each once.

        A proof is the job as it ended, without how it was sent and followed. Those that are kept come first.
        """
        self._core.tracker  # noqa: B018 - raises when the session is closed
        with Discretion():
            async for job in every_ended_job(self._store, self._accounts):
                yield job

    @discreet
    async def forget(self, job_id: str, *, keep_proof: bool = True) -> bool:
        """Drop a job from the store, with its timeline and its names; whether there was one.

        An open job is followed no more. Meant for ended jobs whose outcome you have; it changes nothing at the vendor.
        What an ended job proves stays, and is met in `history`; with `keep_proof=False` nothing does, nor what is left
        of one that was pruned before: a taxpayer may have a right to that.
        """
        tracker = self._core.tracker
        job = await self._store.get(job_id) if job_id.isascii() else None
        is_ours = job is not None and job.account in self._accounts
        if is_ours and job is not None:
            await tracker.forget(job, keep_proof=keep_proof)
            names = {each.name for each in await read_consumers(self._store, self._accounts)}
            await drop_acknowledged(self._store, job, names)
        if not keep_proof and (is_ours or job is None):
            for account in self._accounts:
                await self._store.strike(account, PROOF, [job_id])
        return is_ours
