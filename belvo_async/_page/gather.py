"""Reading a store for the page: all that it decides from, in one value."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final

import msgspec

from .._session.extraction.handed import RECEIPT, read_handed
from ..abc import LaidAside, Receipt, Store
from ..jobs import PROOF, Job, Observation, Way, decode_job

# Later than any job ended, by whatever clock.
_EVER: Final = datetime(9999, 12, 1, tzinfo=UTC)
# Of each vendor: the jobs whose timelines are read for its last delivery. A timeline costs a look into the store.
TIMELINES: Final = 24


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds that the page tells of. `deliveries`: when each vendor's last one about a job came."""

    jobs: Mapping[str, Job]
    receipts: tuple[Receipt, ...] = ()
    aside: tuple[LaidAside, ...] = ()
    deliveries: Mapping[str, datetime] = {}


async def read_store(store: Store) -> Held:
    """Read a store. Asks no vendor, changes nothing. Raises StoreError."""
    jobs = {job.id: job async for job in _every(store)}
    return Held(
        jobs=jobs,
        receipts=tuple(
            [each.receipt async for entry in store.entries(RECEIPT) if not (each := read_handed(entry)).is_begun]
        ),
        aside=await store.laid_aside(),
        deliveries=await _last_deliveries(store, jobs.values()),
    )


async def _every(store: Store) -> AsyncIterator[Job]:
    """Every job that ever was. What is pruned or ends meanwhile is met twice: the later reading stands."""
    async for entry in store.entries(PROOF):
        yield decode_job(entry.document)
    async for job in store.open_jobs():
        yield job
    async for job in store.ended_jobs(before=_EVER):
        yield job


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
