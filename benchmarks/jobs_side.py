"""One side of `jobs.py`'s waiting part, in a process of its own; prints what it measured as JSON.

    python benchmarks/jobs_side.py WAY JOBS INTERVAL_SECONDS WINDOW_SECONDS

WAY is `ours` (the tracker with the memory store and its sweep) or `tasks` (a dictionary, and a task per job that
sleeps). Every job is looked at once per interval; a look finds nothing new and costs no request, but both sides write
down that it took place and when the next one is due. Memory is what was added to the Job records themselves.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from store_jobs import ACCOUNT, make_jobs

from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.abc import Conversation
from belvo_async.jobs import Job, Observation, Polling
from belvo_async.stores.memory.store import MemoryStore


class Silent:
    """As much of a vendor as looking takes: every look finds nothing new."""

    name = "benchmark"
    account = ACCOUNT

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        return ()
        yield  # makes it a conversation of no requests

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        return ()
        yield


async def talk(conversation: Conversation[Any], **_: Any) -> Any:
    """Carry a conversation of no requests."""
    try:
        next(conversation)
    except StopIteration as end:
        return end.value
    raise AssertionError


@asynccontextmanager
async def ours(jobs: list[Job], interval: timedelta) -> AsyncIterator[None]:
    store = MemoryStore()
    async with store:
        for job in jobs:
            await store.put(job, expected=None)
        vendor: Any = Silent()
        async with Tracker(
            store=store, vendors={vendor.name: vendor}, talks={vendor.name: talk}, clock=SystemClock(),
            polling=Polling(first=interval, factor=1, longest=interval), chance=lambda: 0.5, new_id=lambda: "",
        ):  # fmt: skip
            yield


@asynccontextmanager
async def tasks(jobs: list[Job], interval: timedelta) -> AsyncIterator[None]:
    known = {job.id: job for job in jobs}

    async def follow(job_id: str) -> None:
        while (job := known[job_id]).is_open:
            assert job.schedule.next_poll is not None
            await asyncio.sleep((job.schedule.next_poll - datetime.now(UTC)).total_seconds())
            known[job_id] = job.scheduled(polls=job.schedule.polls + 1, next_poll=datetime.now(UTC) + interval)

    following = [asyncio.create_task(follow(job.id)) for job in jobs]
    yield
    for task in following:
        task.cancel()
    await asyncio.wait(following)


def waiting_jobs(count: int, interval: timedelta) -> list[Job]:
    """Open jobs whose next looks are spread evenly over an interval."""
    now = datetime.now(UTC)
    chance = random.Random(7)
    return [
        replace(job, deadline=now + timedelta(hours=6)).scheduled(next_poll=now + interval * (1 + chance.random()))
        for number in range(count)
        for job in make_jobs(number, 1)
    ]


def rss_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def cpu_share(window_seconds: float) -> float:
    began, busy = time.perf_counter(), time.process_time()
    await asyncio.sleep(window_seconds)
    return (time.process_time() - busy) / (time.perf_counter() - began)


async def main(way: str, count: int, interval_seconds: float, window_seconds: float) -> None:
    interval = timedelta(seconds=interval_seconds)
    jobs = waiting_jobs(count, interval)
    records = rss_bytes()
    sides: dict[str, Any] = {"ours": ours, "tasks": tasks}
    waiting: Awaitable[None] = asyncio.sleep(interval_seconds / 2)
    async with sides[way](jobs, interval):
        await waiting
        added = rss_bytes() - records
        await asyncio.sleep(interval_seconds * 1.5)
        result = {"bytes": added / count, "cpu": await cpu_share(window_seconds)}
    print(msgspec.json.encode(result).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
