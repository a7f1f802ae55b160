"""`belvo-async jobs prune`: forgets what ended long ago, and keeps what it proved."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import NamedTuple

from ...abc import ASIDE_FOR, Store
from ...jobs import Job
from ...stores.consumers import drop_acknowledged, end_of, read_backlogs
from ...stores.walks import in_slices
from ..existing import existing_store
from ..lasting import run
from ..words import counted, second


def prune_jobs(url: str | None, *, before: datetime, dry_run: bool) -> int:
    """Forget the jobs of a store that ended before an instant, but for those that hold a name; print how many.

    Those that a consumer of `session.settled` did not acknowledge stay as well. What was forgotten leaves its proof.
    Deliveries that could not be read a month ago go too, and the space of all that is given back.
    """
    pruned = run(_prune(existing_store(url), before, dry_run=dry_run))
    did = "would forget" if dry_run else "forgot"
    print(f"{did} {counted(pruned.forgotten, 'job')} that ended before {second(before)}")
    for name, count in sorted(pruned.waited_for.items()):
        print(f"kept {counted(count, 'job')} that the consumer {name!r} did not acknowledge")
    return 0


class _Pruned(NamedTuple):
    """How many were forgotten, and how many stay for which consumer."""

    forgotten: int
    waited_for: Counter[str]


async def _prune(store: Store, before: datetime, *, dry_run: bool) -> _Pruned:
    async with store:
        waiting, waited_for, forgotten = await read_backlogs(store), Counter[str](), 0
        async for some in in_slices(store.ended_jobs(before=before)):
            names = {job.id: waiting.names(job) for job in some if not job.once}
            waited_for.update(chain(*names.values()))
            free = [job for job in some if names.get(job.id) == []]
            forget = partial(_forget, store, waiting.known)
            forgotten += len(free) if dry_run else sum(await asyncio.gather(*map(forget, free)))
        if not dry_run:
            await store.prune_aside(datetime.now(UTC) - ASIDE_FOR)
            await store.give_space_back()
        return _Pruned(forgotten, waited_for)


async def _forget(store: Store, consumers: Collection[str], job: Job) -> bool:
    # A search that was given up may have been taken up again since it was read, and an end may have got a name.
    current = await store.get(job.id)
    if current is None or end_of(current) != end_of(job) or current.is_open or current.once:
        return False
    is_forgotten = await store.forget(job.id, keep_proof=True)
    await drop_acknowledged(store, job, consumers)
    return is_forgotten
