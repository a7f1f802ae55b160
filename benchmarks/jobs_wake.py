"""The waking part of `jobs.py`: from the moment a job's end is stored to the moment its awaiter runs.

    python benchmarks/jobs_wake.py ROUNDS

One job at a time: a delivery ends it, the store notes when its `put` was done, the awaiter when it ran. Beside it a
dictionary that is written by compare-and-swap, a line for the log and a future that is awaited until a deadline, as one
writes it by hand; and a bare future. All take turns; prints the median microseconds of each as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from jobs_side import Silent, talk
from msgspec.structs import replace
from store_jobs import make_jobs

from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.jobs import Job, Polling, Seen, Status, Way
from belvo_async.stores.memory.store import MemoryStore

_log = logging.getLogger(__name__)


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


class Jobs:
    """What one writes by hand: jobs in a dictionary, and who waits for them."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.waiters: dict[str, asyncio.Future[Job]] = {}
        self.done_at = 0.0

    async def put(self, job: Job, *, expected: int) -> bool:
        if self.jobs[job.id].version != expected:
            return False
        self.jobs[job.id] = job
        self.done_at = time.perf_counter()
        return True

    async def end(self, job_id: str, status: Status) -> None:
        job = self.jobs[job_id]
        ended = replace(job, status=status, version=job.version + 1)
        if await self.put(ended, expected=job.version):
            _log.debug("a job is %s", status, extra={"job": job_id})
            waiter = self.waiters.pop(job_id, None)
            if waiter is not None and not waiter.done():
                waiter.set_result(ended)


async def wake_by_hand(jobs: Jobs, job: Job) -> float:
    jobs.jobs[job.id] = job

    async def wait() -> float:
        future = jobs.waiters[job.id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(3600):
                await future
        finally:
            jobs.waiters.pop(job.id, None)
        return time.perf_counter()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await jobs.end(job.id, Status.FINISHED)
    done_at = jobs.done_at
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
    by_hand = Jobs()
    took: dict[str, list[float]] = {"ours": [], "hand": [], "bare": []}
    async with store, Tracker(
        store=store, vendors={vendor.name: vendor}, talks={vendor.name: talk}, clock=SystemClock(),
        polling=Polling(), chance=lambda: 0.5, new_id=lambda: "", sweep=False,
    ) as tracker:  # fmt: skip
        gc.collect()
        for job in make_jobs(0, rounds):
            took["ours"].append(await wake_ours(tracker, store, vendor, job))
            took["hand"].append(await wake_by_hand(by_hand, job))
            took["bare"].append(await wake_bare())
    medians = {side: statistics.median(each) * 1e6 for side, each in took.items()}
    print(msgspec.json.encode(medians).decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
