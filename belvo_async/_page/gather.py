"""Reading a store for the page: all that it decides from, in one value."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from .._session.extraction.handed import RECEIPT, read_handed
from .._session.known.history import every_job
from ..abc import LaidAside, Receipt, Store
from ..jobs import Job, Observation, Way
from .facts import RecordedDeliveries

# Of each vendor: the jobs whose timelines are read for its last delivery. A timeline costs a look into the store.
TIMELINES: Final = 24


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds that the page tells of. `deliveries`: when each vendor's last one about a job came.

    `recorded`: what vendors that were asked recorded of theirs; no store holds that.
    """

    jobs: Mapping[str, Job]
    receipts: tuple[Receipt, ...] = ()
    aside: tuple[LaidAside, ...] = ()
    deliveries: Mapping[str, datetime] = {}
    recorded: Mapping[str, RecordedDeliveries] = {}


async def read_store(store: Store) -> Held:
    """Read a store. Asks no vendor, changes nothing. Raises StoreError."""
    jobs = await _read_jobs(store)
    return Held(
        jobs=jobs,
        receipts=tuple(
            [each.receipt async for entry in store.entries(RECEIPT) if not (each := read_handed(entry)).is_begun]
        ),
        aside=await store.laid_aside(),
        deliveries=await _last_deliveries(store, jobs.values()),
    )


async def _read_jobs(store: Store) -> dict[str, Job]:
    """Every job that ever was, by its id. Of one that is met twice, what says more of its end stands."""
    jobs: dict[str, Job] = {}
    async for job in every_job(store):
        # A proof says less than the job did.
        if job.id not in jobs or jobs[job.id].is_open:
            jobs[job.id] = job
    return jobs


async def _last_deliveries(store: Store, jobs: Iterable[Job]) -> Mapping[str, datetime]:
    recent = list(_recent(jobs))
    timelines = await asyncio.gather(*(store.timeline(job.id) for job in recent))
    found: dict[str, datetime] = {}
    for job, timeline in zip(recent, timelines, strict=True):
        for at in _came(timeline):
            found[job.vendor] = max(at, found.get(job.vendor, at))
    return found


def _came(timeline: Iterable[Observation]) -> Iterable[datetime]:
    return (seen.at for seen in timeline if seen.way is Way.WEBHOOK)


def _recent(jobs: Iterable[Job]) -> Iterable[Job]:
    """Of each vendor the jobs that something was said of last, as far as their times tell."""
    by_vendor: dict[str, list[Job]] = {}
    for job in jobs:
        by_vendor.setdefault(job.vendor, []).append(job)
    for several in by_vendor.values():
        several.sort(key=lambda job: job.settled_at or job.created_at, reverse=True)
        yield from islice(several, TIMELINES)
