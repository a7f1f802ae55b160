"""A process with a long queue is killed: what it had not sent is sent by the next, once, and is not in doubt."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async.jobs import Status
from belvo_async.simulator import SyntageSimulator
from belvo_async.stores import open_store
from tests.stores.urls import empty_store

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
JOBS = 200
# Requests under way at once: the simulator notes a request when it answers, and these lost their client before.
AT_ONCE = 28
PATIENCE_SECONDS = 100.0


async def start(simulator: SyntageSimulator, store: str, entities: list[str]) -> asyncio.subprocess.Process:
    arguments = ["-m", "tests.proof.queue_worker", simulator.url, simulator.api_key, store]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(entities).encode())
    process.stdin.close()
    await asyncio.wait_for(process.stdout.readline(), 60)
    return process


def posts(simulator: SyntageSimulator) -> int:
    return sum(request.method == "POST" for request in simulator.requests)


async def killed_after(
    process: asyncio.subprocess.Process, seconds: float, simulator: SyntageSimulator, enough: int
) -> None:
    """Kill it when so many were posted, and a moment passed in which more could be."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while posts(simulator) < enough and loop.time() < until:  # noqa: ASYNC110 - the simulator has no event for it
        await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)
    process.kill()
    await process.wait()


async def story(store: str) -> tuple[int, int, Counter[str]]:
    delay = timedelta(seconds=0.5)
    async with SyntageSimulator(entities=JOBS, answer_delay=delay, rate_limit=10 * JOBS) as simulator:
        await killed_after(await start(simulator, store, simulator.entities), 0, simulator, 40)
        before = posts(simulator)
        await killed_after(await start(simulator, store, []), 10, simulator, JOBS - AT_ONCE)
        after = posts(simulator)
    async with open_store(store) as kept:
        jobs = [job async for job in kept.open_jobs()]
    return before, after, Counter(job.state for job in jobs)


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_what_a_killed_process_had_queued_is_sent_once(kind: str, tmp_path: Path) -> None:
    """Only what was under way at the kill may be in doubt: it was sent, and is not sent again."""
    with empty_store(kind, tmp_path) as store:
        before, after, states = asyncio.run(story(store))

    assert 0 < before < JOBS
    assert JOBS - AT_ONCE <= after <= JOBS
    assert 0 == states["queued"]
    assert states[Status.UNCERTAIN] + states[Status.SUBMITTING] <= AT_ONCE
