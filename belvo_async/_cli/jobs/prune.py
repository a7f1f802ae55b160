"""`belvo-async jobs prune`: forgets what ended long ago, and keeps what it proved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from ...abc import ASIDE_FOR, Store
from ...jobs import Job
from ...stores.walks import in_slices
from ..existing import existing_store
from ..words import counted, second


def prune_jobs(url: str | None, *, before: datetime, dry_run: bool) -> int:
    """Forget the jobs of a store that ended before an instant, but for those that hold a name; print how many.

    What they proved stays. Deliveries that could not be read a month ago go as well, and the space of all that is given
    back.
    """
    count = asyncio.run(_prune(existing_store(url), before, dry_run=dry_run))
    print(f"{'would forget' if dry_run else 'forgot'} {counted(count, 'job')} that ended before {second(before)}")
    return 0


async def _prune(store: Store, before: datetime, *, dry_run: bool) -> int:
    async with store:
        ended = store.ended_jobs(before=before)
        if dry_run:
            return sum([1 async for job in ended if not job.once])
        count = sum([await _forget(store, some) async for some in in_slices(ended)])
        await store.prune_aside(datetime.now(UTC) - ASIDE_FOR)
        await store.give_space_back()
        return count


async def _forget(store: Store, jobs: list[Job]) -> int:
    return sum(await asyncio.gather(*(_forget_one(store, job.id) for job in jobs if not job.once)))


async def _forget_one(store: Store, job_id: str) -> bool:
    # A search that was given up may have been taken up again since it was read, and an end may have got a name.
    current = await store.get(job_id)
    if current is None or current.is_open or current.once:
        return False
    return await store.forget(job_id, keep_proof=True)
