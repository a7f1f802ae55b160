"""The part of `store.py` about two processes: from the commit in one to the awaiter in the other."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import redis.asyncio
from msgspec.structs import replace
from store_fellow import channel
from store_jobs import AREA, NOON, Extent, make_jobs
from store_servers import SERVERS, is_postgres, on_server, open_store
from table import Row, span

from belvo_async.jobs import Status

FELLOW = Path(__file__).with_name("store_fellow.py")
PER_ROUND = 30
PATIENCE_SECONDS = 10.0
# So late that awaiting a job does not put it off: that would write it once more.
DEADLINE = NOON + timedelta(days=36_500)

# Tells the other process of a job and gives the instant the driver said that it is told.
Tell = Callable[[str], Awaitable[float]]


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
    if is_postgres(url):
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


async def compare(what: str, name: str, rounds: int) -> list[Row]:
    """Both ways in turn, one job each."""
    url = SERVERS[what]
    async with (
        open_store(url, name) as store,
        bare_sender(url, name) as bare_tell,
        fellow("ours", url, name) as ours,
        fellow("bare", url, name) as bare,
    ):
        jobs = {job.id: replace(job, deadline=DEADLINE) for job in make_jobs(0, rounds * PER_ROUND + 5)}
        for job in jobs.values():
            await store.put(job, expected=None)

        async def finish(job_id: str) -> float:
            job = jobs[job_id]
            ended = replace(job, status=Status.FINISHED, version=job.version + 1)
            assert await store.put(ended, expected=job.version) is None
            return time.monotonic()

        both = [(await bare.time(job_id, bare_tell), await ours.time(job_id, finish)) for job_id in jobs]
    # The first few warm up.
    base, own = (sorted(each) for each in zip(*both[5:], strict=True))
    message = "NOTIFY" if is_postgres(url) else "PUBLISH"
    return [
        Row(
            area=AREA, what=f"{what}, put to awaiter elsewhere, {point}, beside {message} and one read",
            ours=span(mine), peer=span(theirs), ratio=mine / theirs, goal=goal, at_least=False,
        )
        for point, mine, theirs, goal in (
            ("p50", statistics.median(own), statistics.median(base), 2),
            ("p99", _p99(own), _p99(base), None),
        )
    ]  # fmt: skip


def _p99(ordered: list[float]) -> float:
    return ordered[int(0.99 * len(ordered))]


def measure(_directory: Path, extent: Extent) -> Iterator[Row]:
    """PostgreSQL and Redis."""
    for what in SERVERS:
        yield from on_server(what, lambda name, _: compare(what, name, extent.rounds))  # noqa: B023
