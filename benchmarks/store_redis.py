"""The Redis part of `store.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis
from store_jobs import AREA, IN_FLIGHT, Extent, Ours, make_jobs, write_in_turns
from store_servers import REDIS, on_server, open_store
from table import Row, beside

from belvo_async.jobs import Job
from belvo_async.stores.redis import rows
from belvo_async.stores.redis.lua import PUT

PIPELINE = 1000
ORIGIN = b"bare"


class Bare:
    """The commands the store sends, their arguments made beforehand, in pipelines of redis-py."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._meta = f"{{{prefix}}}:meta".encode()
        self._epoch: Any = client.hget(self._meta, "epoch")

    async def __call__(self, jobs: Sequence[Job]) -> float:
        expected = jobs[0].version - 1 if jobs[0].version else None
        start = (*PUT._run, 1, self._meta, self._epoch)
        # It says that it has written and heard nothing: the script compares all the same.
        memory = (ORIGIN, b"0", b"0")
        commands = [(*start, *rows.put_arguments(job, expected, None, None, ORIGIN), *memory) for job in jobs]
        began = time.perf_counter()
        for first in range(0, len(commands), PIPELINE):
            pipeline = self._client.pipeline(transaction=False)
            for command in commands[first : first + PIPELINE]:
                pipeline.execute_command(*command)
            # Each gives the number of its change, or what stands in the way.
            if not all(isinstance(reply, int) and reply for reply in pipeline.execute()):
                raise RuntimeError("another job was in the way")
        return time.perf_counter() - began


async def compare(extent: Extent, ours: str, bare: str) -> list[Row]:
    """Each writes the same jobs under a prefix of its own: first new ones, then their next versions."""
    # Only opening the store under the other prefix makes its epoch.
    async with open_store(REDIS, ours) as store, open_store(REDIS, bare) as other_store:
        await other_store.put(make_jobs(10**9, 1)[0], expected=None)  # the server knows the script
        with redis.Redis.from_url(REDIS) as client:
            ways = {"ours": Ours(store), "bare": Bare(client, bare)}
            speeds = await write_in_turns(ways, extent.rounds, count=extent.events)
    driver = f"redis-py {redis.__version__}, pipelines of {PIPELINE}"
    return [
        beside(AREA, f"Redis {kind}, {IN_FLIGHT} in flight, beside {driver}", each["ours"], each["bare"], 0.5)
        for kind, each in speeds.items()
    ]


def measure(_directory: Path, extent: Extent) -> list[Row]:
    """Inserts and updates."""
    return on_server("Redis", partial(compare, extent))
