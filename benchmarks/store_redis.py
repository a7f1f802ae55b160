"""The Redis part of `store.py`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from store_jobs import EVENTS, IN_FLIGHT, Ours, make_jobs, middle_ratio, take_turns
from store_table import Line

from belvo_async.jobs import Job
from belvo_async.stores.redis import rows
from belvo_async.stores.redis.lua import PUT
from belvo_async.stores.redis.store import RedisStore

URL = "redis://127.0.0.1:6379/0"
PIPELINE = 1000


def about() -> str:
    return f"redis-py {redis.__version__}"


@contextmanager
def own_prefix() -> Iterator[str]:
    """A prefix nobody else uses; its keys are deleted in the end."""
    prefix = f"benchmark-{secrets.token_hex(6)}"
    with redis.Redis.from_url(URL, socket_connect_timeout=2, retry=None) as client:
        client.ping()
        try:
            yield prefix
        finally:
            for key in client.scan_iter(match=f"{{{prefix}}}:*", count=1000):
                client.delete(key)


class Bare:
    """The commands the store sends, their arguments made beforehand, in pipelines of redis-py."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._meta = f"{{{prefix}}}:meta".encode()
        self._epoch: Any = client.hget(self._meta, "epoch")

    async def __call__(self, jobs: Sequence[Job]) -> float:
        expected = jobs[0].version - 1 if jobs[0].version else None
        start = (*PUT._run, 1, self._meta, self._epoch)
        # What a store remembers of the server: nothing was written from here, and nothing heard of.
        memory = (b"bare", b"0", b"0")
        commands = [(*start, *rows.put_arguments(job, expected, None, b"bare"), *memory) for job in jobs]
        began = time.perf_counter()
        for first in range(0, len(commands), PIPELINE):
            pipeline = self._client.pipeline(transaction=False)
            for command in commands[first : first + PIPELINE]:
                pipeline.execute_command(*command)
            if not all(isinstance(change, int) and change for change in pipeline.execute()):
                raise RuntimeError("another job was in the way")
        return time.perf_counter() - began


async def compare(ours: str, bare: str, rounds: int) -> list[Line]:
    """Each writes the same jobs under a prefix of its own: first new ones, then their next versions."""
    speeds: dict[tuple[str, str], list[float]] = {}
    # Only opening the store under the other prefix makes its epoch.
    async with RedisStore(URL, prefix=ours) as store, RedisStore(URL, prefix=bare) as other_store:
        await other_store.put(make_jobs(10**9, 1)[0], expected=None)  # the server knows the script
        with redis.Redis.from_url(URL) as client:
            ways = {"ours": Ours(store), "bare": Bare(client, bare)}
            for number in range(rounds + 1):
                for version, kind in enumerate(("inserts", "updates")):
                    jobs = make_jobs(number * EVENTS, EVENTS, version=version)
                    seconds = await take_turns(ways, jobs, backwards=bool(number % 2))
                    for name, each in seconds.items() if number else ():  # the first round warms up
                        speeds.setdefault((kind, name), []).append(EVENTS / each)
    lines: list[Line] = []
    for kind in ("inserts", "updates"):
        own, other = speeds[kind, "ours"], speeds[kind, "bare"]
        lines += [
            Line(
                name=f"Redis {kind}: ours, {IN_FLIGHT} in flight",
                per_second=statistics.median(own),
                ratio=middle_ratio(own, other),
                at_least=0.5,
            ),
            Line(
                name=f"Redis {kind}: redis-py, pipelines of {PIPELINE}",
                per_second=statistics.median(other),
            ),
        ]
    return lines


def measure(_directory: Path, rounds: int) -> list[Line]:
    """Inserts and updates; nothing where there is no server."""
    # The store warns of a server that may lose jobs.
    logging.getLogger("belvo_async").setLevel(logging.ERROR)
    try:
        with own_prefix() as ours, own_prefix() as bare:
            return asyncio.run(compare(ours, bare, rounds))
    except redis.ConnectionError:
        return [Line(name=f"Redis is left out: none answers at {URL}")]
