"""Lanes: what only one open job may use at a time, at the vendor, is held by its job in the store."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from ..jobs import Job, Note, Way
from .attempts import LOST_AFTER
from .context import Context
from .reconciler import Reconciler

# What is promised to many waiters of one job at about the same time is written once.
PROMISE_STEP: Final = timedelta(seconds=1)


class Lanes:
    """Takes, holds and gives back the lanes of jobs."""

    def __init__(self, context: Context, reconciler: Reconciler) -> None:
        self._context = context
        self._store = context.store
        self._reconciler = reconciler

    async def take(self, job: Job) -> datetime | None:
        """Take the job's lane: until when it has it. It is kept until the job closes or its deadline passes.

        A job whose own deadline has passed keeps it for the time of its submission only, but takes it as well.
        """
        if job.lane is None:
            return None
        now = self._context.clock.now()
        until = job.deadline if job.deadline is not None and job.deadline > now else now + LOST_AFTER
        return None if await self._store.lease(job.lane, job.id, now=now, until=until) is None else until

    async def retake(self, job: Job) -> datetime | None:
        """Take the lane again of a job that still waits for its turn: others may have used it meanwhile."""
        until = await self.take(job)
        if until is not None:
            await self.overtake(job)
        return until

    async def overtake(self, job: Job) -> None:
        """Tell the jobs of a lane that still run past their deadlines: what shows up from now on may not be theirs."""
        if job.lane is None:
            return
        now = self._context.clock.now()

        def overtaken(other: Job) -> Job | None:
            is_there = other.id != job.id and other.is_open and not other.is_queued
            return other.weighed(overtaken_at=now) if is_there and other.evidence.overtaken_at is None else None

        async for other in self._store.open_jobs([job.account], lane=job.lane):
            text = f"job {job.id} is sent on the same lane"
            note = Note(way=Way.USER, at=now, job_id=other.id, note=text)
            await self._reconciler.change(other, overtaken, seen=note)

    async def keep(self, job: Job, until: datetime) -> None:
        """Hold the lane of a job that was sent for longer. One that it has lost is not taken back."""
        now = self._context.clock.now()
        if job.lane is not None and not job.is_queued and job.deadline is not None and job.deadline > now:
            await self._store.lease(job.lane, job.id, now=now, until=until)
            kept = await self._store.get(job.id)
            # More may have been promised meanwhile: that lease must not be cut short by this one, whichever came last.
            if kept is not None and kept.deadline is not None and kept.deadline > until:
                await self.keep(kept, kept.deadline)

    async def promise(self, job: Job, until: datetime) -> Job:
        """Keep a job joined, and its lane held, until an instant that somebody was promised to wait for it.

        The latest promised to anyone counts, and is kept: it outlives the process that gave it.
        """
        while job.is_open and job.deadline is not None and until - job.deadline >= PROMISE_STEP:
            # Before as well, of each version: a promise whose lane could not be kept would let another request into it.
            await self.keep(job, until)
            promised = replace(job, deadline=until)
            standing = await self._reconciler.write(promised, expected=job)
            if standing is None:
                await self.keep(job, until)
                return replace(promised, version=job.version + 1)
            job = standing
        return job

    async def give_back(self, job: Job, *, tried: Container[str]) -> Job | None:
        """Give the lane of a closed job back; the oldest job that waits for it, of those not `tried` just now."""
        if job.lane is None:
            return None
        await self._store.release(job.lane, job.id)
        async for waiting in self._store.open_jobs([job.account], lane=job.lane):
            # Who never met a busy lane is about to try by itself, or holds the lane and was told when to come back.
            if waiting.is_queued and waiting.schedule.polls and waiting.id not in tried:
                return waiting
        return None
