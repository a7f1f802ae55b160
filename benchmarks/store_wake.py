"""The part of `store.py` about two processes: from the commit in one to the awaiter in the other."""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import redis.asyncio
import store_postgres
import store_redis
from msgspec.structs import replace
from store_jobs import make_jobs
from store_sides import channel, open_store
from store_table import Line

from belvo_async.jobs import Status

FELLOW = Path(__file__).with_name("store_fellow.py")
PER_ROUND = 30
PATIENCE_SECONDS = 10.0

# Tells the other process of a job and gives the instant the driver said that it is told.
Tell = Callable[[str], Awaitable[float]]


def about() -> str:
    return "two processes"


class Fellow:
    """The other process, waiting in one way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def time(self, job_id: str, tell: Tell) -> float:
        """Seconds from being told here until the awaiter there ran."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{job_id}\n".encode())
        assert await self.read() == "waiting"
        told_at = await tell(job_id)
        return float(await self.read()) - told_at

    async def read(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def fellow(way: str, url: str, name: str) -> AsyncIterator[Fellow]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(FELLOW), way, url, name, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        other = Fellow(process)
        assert await other.read() == "open"
        yield other
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def bare_sender(url: str, name: str) -> AsyncIterator[Tell]:
    """NOTIFY or PUBLISH by the bare driver."""
    if url.startswith("postgresql"):
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

            async def notify(job_id: str) -> float:
                await connection.execute("SELECT pg_notify(%s, %s)", (channel(name), job_id))
                return time.monotonic()

            yield notify
    else:
        async with redis.asyncio.Redis.from_url(url) as client:

            async def publish(job_id: str) -> float:
                await client.publish(channel(name), job_id)
                return time.monotonic()

            yield publish


async def compare(url: str, name: str, rounds: int) -> list[Line]:
    """Both ways in turn, one job each."""
    async with (
        open_store(url, name) as store,
        bare_sender(url, name) as bare_tell,
        fellow("ours", url, name) as ours,
        fellow("bare", url, name) as bare,
    ):
        jobs = {job.id: job for job in make_jobs(0, rounds * PER_ROUND + 5)}
        for job in jobs.values():
            await store.put(job, expected=None)

        async def finish(job_id: str) -> float:
            job = jobs[job_id]
            await store.put(replace(job, status=Status.FINISHED, version=job.version + 1), expected=job.version)
            return time.monotonic()

        both = [(await bare.time(job_id, bare_tell), await ours.time(job_id, finish)) for job_id in jobs]
    # The first few warm up.
    base, own = (sorted(each) for each in zip(*both[5:], strict=True))
    what = "PostgreSQL" if url.startswith("postgresql") else "Redis"
    message = "NOTIFY" if url.startswith("postgresql") else "PUBLISH"
    middle = statistics.median(own), statistics.median(base)
    return [
        Line(name=f"{what} wake: ours, put to awaiter, p50", seconds=middle[0], ratio=middle[0] / middle[1], at_most=2),
        Line(name=f"{what} wake: ours, p99", seconds=_p99(own)),
        Line(name=f"{what} wake: {message} and one read, p50", seconds=middle[1]),
        Line(name=f"{what} wake: {message} and one read, p99", seconds=_p99(base)),
    ]


def _p99(ordered: list[float]) -> float:
    return ordered[int(0.99 * len(ordered))]


def measure(_directory: Path, rounds: int) -> Iterator[Line]:
    """PostgreSQL and Redis; what has no server is left out."""
    logging.getLogger("belvo_async").setLevel(logging.ERROR)
    servers = ((store_postgres.URL, store_postgres.own_schema), (store_redis.URL, store_redis.own_prefix))
    for url, own_name in servers:
        try:
            with own_name() as name:
                yield from asyncio.run(compare(url, name, rounds))
        except (psycopg.OperationalError, redis.ConnectionError):
            yield Line(name=f"wake: left out, none answers at {url.rpartition('@')[2]}")
