"""Moving what is kept of one account to another, while others may work on it: one job after the other, each whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from ..abc import EVER, Entry, Store
from ..errors import StoreError
from ..jobs import PROOF, Job, encode_job, task_key
from .consumers import is_acknowledgement
from .documents import read_proof
from .walks import SLICE, in_slices

# Jobs that a session adds meanwhile are moved in another round. One that fires all the time is never caught up with.
ROUNDS: Final = 3
# A submission under way holds its lane at least for so long: longer than the longest request and its retries.
SHORTEST_HOLD: Final = timedelta(minutes=8)


class Moved(NamedTuple):
    """How much was moved."""

    open: int
    ended: int
    parked: int
    entries: int = 0


async def move_account(store: Store, source: str, target: str, *, now: datetime) -> Moved:
    """Give all jobs, parked deliveries and entries of an account to another one; what was broken off is gone on with.

    Each job changes its account, its key, its lane and whose its names are in one write, as its version lets it: who
    works on it meanwhile goes on with it under the new account. A name that a job of the other account holds stays that
    one's. A submission under way is neither repeated nor lost, and keeps its lane. Raises StoreError, for a proof that
    cannot be read as well: it stays where it is.
    """
    opened = ended = 0
    # Before the jobs: their end is no news there.
    await _copy_acknowledged(store, source, target)
    for _ in range(ROUNDS):
        moved = await _move_all(store, store.open_jobs([source]), target, now)
        moved_ended = await _move_all(store, store.ended_jobs([source], before=EVER), target, now)
        opened, ended = opened + moved, ended + moved_ended
        if not moved + moved_ended:
            break
    return Moved(opened, ended, await _move_parked(store, source, target), await _move_entries(store, source, target))


async def _move_all(store: Store, jobs: AsyncIterator[Job], target: str, now: datetime) -> int:
    return sum([await _move_some(store, some, target, now) async for some in in_slices(jobs)])


async def _move_some(store: Store, jobs: list[Job], target: str, now: datetime) -> int:
    return sum(await asyncio.gather(*(_move(store, job, target, now) for job in jobs)))


async def _move(store: Store, job: Job, target: str, now: datetime) -> bool:
    """Move one job, again on its newer version when another writer came first; whether it was moved."""
    while job.account != target:
        moved = _under(job, target)
        await _take_lane(store, job, moved, now)
        try:
            standing = await store.put(moved, expected=job.version)
        except StoreError:
            if await store.get(job.id) is None:
                return False  # it was forgotten meanwhile
            raise
        if standing is None:
            if job.lane is not None and job.lane != moved.lane:
                await store.release(job.lane, job.id)
            return True
        # The holder of a name there: both were started, and who uses the name joins that one.
        is_other = standing.id != job.id
        job = replace(job, once=tuple(each for each in job.once if each not in standing.once)) if is_other else standing
    return False


def _under(job: Job, account: str) -> Job:
    """The job as it is under another account. Keys and lanes hold the account's name."""
    lane = job.lane
    if lane is not None and lane.startswith(f"{job.account}/"):
        lane = account + lane.removeprefix(job.account)
    key = task_key(account, job.task) if job.key else ""
    return replace(job, account=account, key=key, lane=lane, version=job.version + 1)


async def _take_lane(store: Store, job: Job, moved: Job, now: datetime) -> None:
    """Keep the new lane busy for what runs already. One that another job holds cannot be helped."""
    if moved.lane is not None and moved.lane != job.lane and job.is_open and not job.is_queued:
        until = max(job.deadline or now, now + SHORTEST_HOLD)
        await store.lease(moved.lane, job.id, now=now, until=until)


async def _move_parked(store: Store, source: str, target: str) -> int:
    parked = await store.parked(source)
    for start in range(0, len(parked), SLICE):
        some = parked[start : start + SLICE]
        await asyncio.gather(*(store.park(target, seen) for seen in some))
        await store.unpark(source, some)
    return len(parked)


async def _copy_acknowledged(store: Store, source: str, target: str) -> None:
    """Let consumers of the other account know what was acknowledged, as far as they did not say so themselves."""
    theirs = {(each.kind, each.key) async for each in store.entries(None, [target])}
    async for some in in_slices(store.entries(None, [source])):
        acknowledged = [each for each in some if is_acknowledgement(each) and (each.kind, each.key) not in theirs]
        await store.enter([_entry_under(each, target) for each in acknowledged])


async def _move_entries(store: Store, source: str, target: str) -> int:
    """Move entries slice by slice; one that the other account has in its place already stays that one's."""
    moved = 0
    theirs = {(each.kind, each.key) async for each in store.entries(None, [target])}
    async for some in in_slices(store.entries(None, [source])):
        await store.enter([_entry_under(each, target) for each in some if (each.kind, each.key) not in theirs])
        for kind in {each.kind for each in some}:
            await store.strike(source, kind, [each.key for each in some if each.kind == kind])
        moved += len(some)
    return moved


def _entry_under(entry: Entry, account: str) -> Entry:
    """The entry as it is under another account, which a proof names as well."""
    document = entry.document
    if entry.kind == PROOF:
        document = encode_job(_under(read_proof(document), account))
    return Entry(account, entry.kind, entry.key, document)
