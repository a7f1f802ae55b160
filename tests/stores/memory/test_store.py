"""What only the memory store's own indexes can get wrong: they are kept in parts and tidied late."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta

import pytest

from belvo_async.jobs import Job, Status
from belvo_async.stores import MemoryStore
from tests.stores.samples import ACCOUNT, NOON, a_job, after, changed

LANES = (None, "lane-1", "lane-2")


def in_order(jobs: Iterable[Job]) -> list[str]:
    return [job.id for job in sorted(jobs, key=lambda job: (job.created_at, job.id))]


@pytest.mark.parametrize("seed", range(5))
async def test_indexes_agree_with_a_plain_search_after_any_writes(seed: int) -> None:
    """Whatever opens, closes, reopens, moves or is forgotten: each question has the answer a search of all jobs has."""
    chance = random.Random(seed)
    kept: dict[str, Job] = {}
    async with MemoryStore(finished_limit=100_000) as store:
        for number in range(3000):
            job = kept.get(f"job-{chance.randrange(1500)}")
            if job is None:
                job = new_job(number, chance)
                kept[job.id] = job
                assert None is await store.put(job, expected=None)
            elif chance.random() < 0.1:
                del kept[job.id]
                assert await store.forget(job.id)
            elif not job.status.is_terminal:
                kept[job.id] = next_of(job, chance)
                assert None is await store.put(kept[job.id], expected=job.version)

        is_open = [job for job in kept.values() if job.is_open]
        for lane in LANES:
            wanted = [job for job in is_open if lane in (None, job.lane)]
            assert in_order(wanted) == [job.id async for job in store.open_jobs(lane=lane)]
        for remote in {job.remote_id for job in kept.values() if job.remote_id}:
            named = [job for job in kept.values() if job.remote_id == remote]
            assert in_order(named) == [job.id for job in await store.find(ACCOUNT, remote)]
        due = [job for job in is_open if job.schedule.next_poll is not None and job.schedule.next_poll <= after(50)]
        claimed = await store.claim_due([ACCOUNT], now=after(50), until=after(500), limit=10_000)
        assert {job.id for job in due} == {job.id for job in claimed}
        assert sorted(job.schedule.next_poll or NOON for job in claimed) == [job.schedule.next_poll for job in claimed]


def new_job(number: int, chance: random.Random) -> Job:
    return a_job(
        f"job-{number}",
        created_at=NOON + timedelta(seconds=chance.randrange(100)),
        lane=chance.choice(LANES),
        remote_id=f"remote-{chance.randrange(300)}",
        status=Status.PENDING,
        next_poll=after(chance.randrange(100)),
    )


def next_of(job: Job, chance: random.Random) -> Job:
    """A later state: polled, given up or taken up again, known under another id, in another lane, or over."""
    moves: list[dict[str, object]] = [
        {"next_poll": after(chance.randrange(100))},
        {"abandoned": not job.abandoned},
        {"remote_id": f"remote-{chance.randrange(300)}"},
        {"lane": chance.choice(LANES)},
        {"status": Status.FINISHED, "next_poll": None},
    ]
    return changed(job, **chance.choice(moves))


async def test_a_closed_job_opens_again_at_its_old_place() -> None:
    """Between those created before and after it, and only once."""
    jobs = [a_job(f"job-{number}", created_at=after(number)) for number in range(3)]
    async with MemoryStore() as store:
        for job in jobs:
            await store.put(job, expected=None)
        given_up = changed(jobs[1], abandoned=True)
        await store.put(given_up, expected=0)

        await store.put(changed(given_up, abandoned=False), expected=1)

        assert ["job-0", "job-1", "job-2"] == [job.id async for job in store.open_jobs()]
