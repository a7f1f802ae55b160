"""Consumers that are killed without warning: no end is missed, none that was acknowledged comes again."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from belvo_async import Syntage, syntage
from belvo_async.jobs import Job, Status
from belvo_async.stores import open_store
from belvo_async.stores.consumers import read_backlogs
from tests.jobs.flat import flat
from tests.proof.consumer_worker import CONSUMER
from tests.stores.urls import empty_store

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
KILLS, WORKERS, JOBS = 10, 2, 300
PATIENCE_SECONDS = 60.0
TASK = syntage.Extraction(
    "0b3b1f1e-0000-4000-8000-000000000001",
    "invoice",
    syntage.InvoiceOptions(period=syntage.Period(date(2025, 1, 1), date(2025, 3, 31))),
)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


def test_ten_kills_lose_no_end(store: str, tmp_path: Path) -> None:
    """While jobs end, two processes share a consumer and die at random; others take their place."""
    # On a loop of its own with the machine's clock: processes live by no other.
    path = tmp_path / "told.txt"
    path.touch()
    asyncio.run(kill_many(store, path))
    check([line.split() for line in path.read_text().splitlines()])


async def kill_many(store: str, path: Path) -> None:
    rng = random.Random(store.partition(":")[0])
    workers = [await start(store, path) for _ in range(WORKERS)]
    ending = asyncio.create_task(end_jobs(store, rng))
    try:
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            victim = workers.pop(rng.randrange(WORKERS))
            victim.kill()
            await victim.wait()
            workers.append(await start(store, path))
        await ending
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await left(store):  # noqa: ASYNC110 - what other processes did has no event
                await asyncio.sleep(0.5)
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()


def check(lines: list[list[str]]) -> None:
    """Every job was told; none after its acknowledgement was durable, however often before."""
    done: set[str] = set()
    told: set[str] = set()
    for word, job_id in lines:
        assert job_id not in done, "told again after it was acknowledged"
        (done if word == "acknowledged" else told).add(job_id)
    assert {f"job-{number}" for number in range(JOBS)} == told
    # Those between whose two lines a process died, and few others: it is a feed, no flood.
    assert len(lines) <= 2 * JOBS + KILLS


async def start(store: str, path: Path) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "tests.proof.consumer_worker", store, str(path))
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=os.environ)


async def end_jobs(store: str, rng: random.Random) -> None:
    """Jobs that end one after the other, as if yet another process had followed them."""
    account = Syntage("key", account="acme").account
    async with open_store(store) as opened:
        for number in range(JOBS):
            now = datetime.now(UTC)
            job: Job = flat(id=f"job-{number}", vendor="syntage", account=account, task=TASK, created_at=now)
            await opened.put(job, expected=None)
            ended = flat(job, status=Status.FINISHED, settled_at=now, version=job.version + 1)
            assert await opened.put(ended, expected=job.version) is None
            await asyncio.sleep(rng.uniform(0.0, 0.09))


async def left(store: str) -> bool:
    async with open_store(store) as opened:
        backlogs = await read_backlogs(opened)
        assert {CONSUMER} == backlogs.known
        return any([CONSUMER in backlogs.names(job) async for job in opened.ended_jobs(before=datetime.now(UTC))])
