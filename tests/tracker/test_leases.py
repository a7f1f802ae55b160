"""A job that is polled is leased to whoever polls it, whatever else is written of it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async._tracker.poller import LEASE
from belvo_async.abc import Answer
from belvo_async.jobs import Job, Status
from belvo_async.stores import MemoryStore
from tests.tracker.bench import OPEN, TASK, Bench, answer, row
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock

ACCOUNTS = [OPEN.account]


class SlowPoll:
    """A poll that is under way until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> Answer:
        self.has_begun.set()
        await self.may_end.wait()
        return answer(200, [])


async def being_polled(bench: Bench, tracker: Tracker) -> tuple[Job, SlowPoll]:
    """A job whose poll is under way."""
    job, poll = await bench.start(tracker), SlowPoll()
    bench.replies.append(poll)
    await poll.has_begun.wait()
    return job, poll


async def claimed_by_another(bench: Bench) -> list[Job]:
    now = bench.clock.now()
    return await bench.store.claim_due(ACCOUNTS, now=now, until=now + LEASE, limit=9)


async def promised(bench: Bench, tracker: Tracker, job: Job) -> None:
    await tracker.promise(job, bench.after(hours=12))


async def told(bench: Bench, tracker: Tracker, job: Job) -> None:
    await tracker.receive(OPEN, [bench.said(1, Status.RUNNING)])


@pytest.mark.parametrize("write", [promised, told])
async def test_what_others_write_leaves_the_lease_of_a_poll(bench: Bench, tracker: Tracker, write: object) -> None:
    """No other process polls the job then; whoever does plans its next poll all the same."""
    job, poll = await being_polled(bench, tracker)
    before = await bench.stored(job)

    await write(bench, tracker, job)  # type: ignore[operator]

    assert before.version < (await bench.stored(job)).version
    assert [] == await claimed_by_another(bench)
    poll.may_end.set()
    await asyncio.sleep(1)
    due = await bench.store.next_due(ACCOUNTS)
    assert due is not None
    assert due <= bench.clock.now() + timedelta(seconds=30)


class Counting(MemoryStore):
    """Remembers how many jobs each write was of."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []

    async def put(self, job: Job, **options: Any) -> Job | None:
        self.writes.append(1)
        return await super().put(job, **options)

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        self.writes.append(len(jobs))
        return await super().put_all(jobs)


async def test_what_a_poll_told_nothing_of_is_written_by_one_call(clock: VirtualClock) -> None:
    """However many jobs are polled together, and whether or not the vendor still shows them as they are."""
    async with Counting() as store:
        bench = Bench(clock, TroubledStore())
        async with bench.opened(store=store) as tracker:
            jobs = [await bench.start(tracker, replace(TASK, year=2001 + number)) for number in range(20)]
            bench.rows = [row(number + 1, "busy", clock) for number in range(20)]
            await asyncio.sleep(60)
            store.writes.clear()

            await asyncio.sleep(600)

    assert {len(jobs)} == set(store.writes)
