"""The waking part of `jobs.py`: from the moment a job's end is stored to the moment its awaiter runs.

    python benchmarks/jobs_wake.py ROUNDS

One job at a time: a delivery ends it, the store notes when its `put` was done, the awaiter when it ran. The bare side
sets the result of a future that a task awaits. Both take turns; prints the median microseconds of each as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from jobs_side import Silent, talk
from store_jobs import make_jobs

from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.jobs import Job, Polling, Seen, Status, Way
from belvo_async.stores.memory.store import MemoryStore


class TimedStore(MemoryStore):
    """Notes when the last `put` was done."""

    done_at = 0.0

    async def put(self, job: Job, **options: Any) -> Job | None:
        standing = await super().put(job, **options)
        self.done_at = time.perf_counter()
        return standing


async def wake_ours(tracker: Tracker, store: TimedStore, vendor: Any, job: Job) -> float:
    await store.put(job, expected=None)
    watch = tracker.watch(job)

    async def wait() -> float:
        await tracker.settle(watch, until=datetime.now(UTC) + timedelta(hours=1))
        return time.perf_counter()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen = Seen(way=Way.WEBHOOK, at=datetime.now(UTC), remote_id=job.remote_id, status=Status.FINISHED)
    await tracker.receive(vendor, [seen])
    done_at = store.done_at
    return await waiting - done_at


async def wake_bare() -> float:
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def wait() -> float:
        await future
        return time.perf_counter()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done_at = time.perf_counter()
    future.set_result(True)
    return await waiting - done_at


async def main(rounds: int) -> None:
    store = TimedStore()
    vendor: Any = Silent()
    ours: list[float] = []
    bare: list[float] = []
    async with store, Tracker(
        store=store, vendors={vendor.name: vendor}, talks={vendor.name: talk}, clock=SystemClock(),
        polling=Polling(), chance=lambda: 0.5, new_id=lambda: "", sweep=False,
    ) as tracker:  # fmt: skip
        gc.collect()
        for job in make_jobs(0, rounds):
            ours.append(await wake_ours(tracker, store, vendor, job))
            bare.append(await wake_bare())
    print(msgspec.json.encode({"ours": statistics.median(ours) * 1e6, "bare": statistics.median(bare) * 1e6}).decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
