"""One line of `growth.py`, in a process of its own; prints what it measured as JSON.

    python benchmarks/growth_side.py memory JOBS
    python benchmarks/growth_side.py URL JOBS

`memory`: so many open Syntage jobs, tracked for ten minutes of a clock that jumps from one instant to the next; each is
polled once in five minutes, the vendor is a list in this process, a hundred rows a page. A URL: the jobs are written to
that store, the store is opened anew, and asked for what a start, `jobs list` and a wake-up ask it for.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from jobs_polls import Vendor, make_jobs
from jobs_side import Silent, rss_bytes, talk
from jobs_wake import TimedStore, wake_ours
from jumping_time import JumpingLoop
from msgspec.structs import replace
from store_jobs import ACCOUNT, make_jobs as make_records

from belvo_async import Polling, Syntage
from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.abc import Store
from belvo_async.stores import open_store

SPAN = timedelta(minutes=10)
EVERY = timedelta(minutes=5)
WAKES = 200
LISTED = 100
PUTS_AT_ONCE = 256


class Lasting(Vendor):
    """Extractions that go on."""

    def __init__(self, created: dict[str, datetime]) -> None:
        super().__init__(created)
        for row in self._rows:
            row["status"] = "running"


async def tracked(count: int, loop: JumpingLoop) -> dict[str, float]:
    """Memory, processor time and requests of jobs that nothing happens to."""
    dialect = Syntage("an-api-key", base_url="http://127.0.0.1:9", allow_unauthenticated=True)
    before = rss_bytes()
    due, chance = loop.now(), random.Random(7)
    jobs = [
        replace(job, id=f"{chance.getrandbits(128):032x}").scheduled(next_poll=due + EVERY * chance.random())
        for job in make_jobs(dialect, count)
    ]
    vendor = Lasting({job.remote_id or "": job.created_at for job in jobs})
    held = rss_bytes()
    store = TimedStore()
    async with store:
        for job in jobs:
            await store.put(job, expected=None)
        jobs.clear()
        async with Tracker(
            store=store, vendors={dialect.name: dialect}, talks={dialect.name: vendor.talk}, clock=loop,
            polling=Polling(first=EVERY, factor=1, longest=EVERY), chance=lambda: 0.5, new_id=lambda: "",
        ):  # fmt: skip
            await asyncio.sleep(EVERY.total_seconds())
            busy, asked = time.process_time(), vendor.requests
            await asyncio.sleep(SPAN.total_seconds())
            busy = time.process_time() - busy
            return {
                "bytes": (rss_bytes() - held) / count + (held - before) / count / 2,
                "cpu": busy / SPAN.total_seconds(),
                "requests": (vendor.requests - asked) / SPAN.total_seconds(),
            }


async def woken(count: int) -> float:
    """Microseconds from the end of a `put` to the awaiter, among so many others that are open."""
    store, vendor = TimedStore(), Silent()
    spoken_for: Any = vendor
    async with store:
        for job in make_records(WAKES, count):
            await store.put(job, expected=None)
        async with Tracker(
            store=store, vendors={vendor.name: spoken_for}, talks={vendor.name: talk}, clock=SystemClock(),
            polling=Polling(), chance=lambda: 0.5, new_id=lambda: "", sweep=False,
        ) as tracker:  # fmt: skip
            return 1e6 * statistics.median(
                [await wake_ours(tracker, store, spoken_for, job) for job in make_records(0, WAKES)]
            )


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def fill(store: Store, count: int) -> None:
    rest = iter(make_records(0, count))

    async def put() -> None:
        for job in rest:
            await store.put(job, expected=None)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(PUTS_AT_ONCE):
            tasks.create_task(put())


async def first_page(store: Store) -> None:
    shown = 0
    async for _ in store.open_jobs():
        shown += 1
        if shown == LISTED:
            return


async def whole_list(store: Store) -> None:
    async for _ in store.open_jobs():
        pass


async def kept(url: str, count: int) -> dict[str, float]:
    """Size, and the time of what is asked of a store that holds so many open jobs."""
    async with open_store(url) as store:
        written = await seconds(lambda: fill(store, count))
    store = open_store(url)
    opened = await seconds(store.__aenter__)
    try:
        due = await seconds(lambda: store.next_due((ACCOUNT,)))
        counted = await seconds(store.count_jobs)
        page = await seconds(lambda: first_page(store))
        listed = await seconds(lambda: whole_list(store))
    finally:
        await store.__aexit__(None, None, None)
    path = Path(url.partition(":")[2])
    size = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) if url.startswith("sqlite") else 0
    return {"write": written, "open": opened, "due": due, "count": counted, "page": page, "list": listed, "bytes": size}


def main(where: str, count: int) -> None:
    if where == "memory":
        with asyncio.Runner(loop_factory=lambda: JumpingLoop(datetime.now(UTC))) as runner:
            loop: Any = runner.get_loop()
            result = runner.run(tracked(count, loop))
        result["wake"] = asyncio.run(woken(count))
    else:
        result = asyncio.run(kept(where, count))
    print(msgspec.json.encode(result).decode(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
