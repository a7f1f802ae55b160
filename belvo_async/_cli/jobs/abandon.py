"""`belvo-async jobs abandon`: a job is followed no longer, and its lane goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from ...abc import Store
from ...jobs import Job, Observation, abandonment, mistrust, reconcile
from ..existing import existing_store
from ..lasting import run
from .find import find_job


def abandon_job(url: str | None, job_id: str) -> int:
    """Give a job of a store up, and print how it stands now."""
    job = run(give_up(existing_store(url), job_id))
    end = f"{job.status}{f' ({job.failure.code})' if job.failure else ''}"
    print(f"job {job.id} is given up; at the vendor it is {job.status}" if job.abandoned else f"job {job.id} is {end}")
    return 0


async def give_up(store: Store, wanted: str) -> Job:
    """Give a job up; the job as it is then."""
    async with store:
        job = await find_job(store, wanted)
        if job.is_open and job.remote_id is not None:
            job = await _replay(store, job, job.remote_id)
        while job.is_open:
            # Of a store that went back, nobody can say that it was not sent.
            say = mistrust if job.is_queued and job.era != store.era else abandonment
            job = await _apply(store, job, partial(say, at=datetime.now(UTC)))
        return job


async def _replay(store: Store, job: Job, remote_id: str) -> Job:
    """Apply what is parked about a job: nobody looks for it again once the job is followed no longer."""
    early = await store.parked(job.account, remote_id)
    for seen in early:
        job = await _apply(store, job, partial(_as_it_is, seen))
    if early:
        await store.unpark(job.account, early)
    return job


def _as_it_is(seen: Observation, _job: Job) -> Observation:
    return seen


async def _apply(store: Store, job: Job, say: Callable[[Job], Observation]) -> Job:
    """Apply what is to be said of a job, again on its newer version; one that closes gives its lane on."""
    while True:
        seen = say(job)
        made = reconcile(job, seen)[0]
        if made == job:
            return job
        if not made.is_open:
            made = made.scheduled(next_poll=None)
        made = replace(made, version=job.version + 1)
        standing = await store.put(made, expected=job.version, observation=seen)
        if standing is None:
            if job.is_open and not made.is_open and job.lane is not None:
                await _give_lane_on(store, job.lane, job)
            return made
        job = standing


async def _give_lane_on(store: Store, lane: str, closed: Job) -> None:
    """Make the next job of a lane due: whoever polls for the store sends it."""
    await store.release(lane, closed.id)
    async for waiting in store.open_jobs([closed.account], lane=lane):
        if waiting.is_queued:
            due = replace(waiting, version=waiting.version + 1).scheduled(next_poll=datetime.now(UTC))
            # One that was changed meanwhile is looked after already.
            await store.put(due, expected=waiting.version)
            return
