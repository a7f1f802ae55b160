"""`belvo-async jobs`: what a store knows, without credentials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ..abc import ASIDE_FOR, Store
from ..errors import ConfigurationError, UnknownJobError
from ..jobs import Job, Observation, abandonment, mistrust, reconcile, told
from ..planning.outlook import Outlook
from ..stores import open_store
from ..stores.walks import in_slices
from .facts import facts_of, instant, stamp
from .faring import faring_of, next_step
from .table import Table

EVENT_NAMES: Final = ("at", "by", "status", "said")
# Fewer characters of an id would seldom be the only ones.
SHORTEST_BEGINNING: Final = 4
CANDIDATES: Final = 10
# Later than any job ended, by whatever clock.
_EVER: Final = datetime.max.replace(tzinfo=UTC)


def prune_jobs(url: str | None, *, before: datetime, dry_run: bool) -> int:
    """Forget the jobs of a store that ended before an instant, but for those that hold a name; print how many.

    What they proved stays. Deliveries that could not be read a month ago go as well, and the space of all that is given
    back.
    """
    count = asyncio.run(_prune(existing_store(url), before, dry_run=dry_run))
    jobs = "1 job" if count == 1 else f"{count} jobs"
    print(f"{'would forget' if dry_run else 'forgot'} {jobs} that ended before {instant(before)}")
    return 0


def abandon_job(url: str | None, job_id: str) -> int:
    """Give a job of a store up, and print how it stands now."""
    job = asyncio.run(_abandon(existing_store(url), job_id))
    end = f"{job.status}{f' ({job.failure.code})' if job.failure else ''}"
    print(f"job {job.id} is given up; at the vendor it is {job.status}" if job.abandoned else f"job {job.id} is {end}")
    return 0


def explain_job(url: str | None, job_id: str, *, form: str) -> int:
    """Print one job, how it fares against the others of its store, what to do, and its timeline."""
    job, timeline, seen_so = asyncio.run(_job(existing_store(url), job_id))
    faring = {"fares": str(seen_so.fare), "why": seen_so.why, "do": next_step(job, seen_so)}
    if form == "json":
        said = [dict(zip(EVENT_NAMES, (stamp(seen.at), *_event(seen)[1:]), strict=True)) for seen in timeline]
        print(msgspec.json.encode(facts_of(job, datetime.now(UTC)) | faring | {"timeline": said}).decode())
        return 0
    for name, value in _told(facts_of(job, datetime.now(UTC)) | faring):
        print(f"{name:10} {value}")
    print()
    print_table(Table(headings=("when", "by", "status", "said"), rows=[_event(seen) for seen in timeline]))
    return 0


def existing_store(url: str | None) -> Store:
    """Open a store that is there: a mistyped path must not make a new one."""
    if not url:
        raise ConfigurationError("which store? give --store URL or set BELVO_ASYNC_STORE")
    if url == "memory:":
        raise ConfigurationError("a store in memory ends with its process: there is nothing to look into")
    store = open_store(url)
    path = url.removeprefix("sqlite:")
    if url != path and not Path(path).is_file():
        raise ConfigurationError(f"there is no store at {path}")
    return store


async def _prune(store: Store, before: datetime, *, dry_run: bool) -> int:
    async with store:
        ended = store.ended_jobs(before=before)
        if dry_run:
            return sum([1 async for job in ended if not job.once])
        count = sum([await _forget(store, some) async for some in in_slices(ended)])
        await store.prune_aside(datetime.now(UTC) - ASIDE_FOR)
        await store.give_space_back()
        return count


async def _forget(store: Store, jobs: list[Job]) -> int:
    return sum(await asyncio.gather(*(_forget_one(store, job.id) for job in jobs if not job.once)))


async def _forget_one(store: Store, job_id: str) -> bool:
    # A search that was given up may have been taken up again since it was read, and an end may have got a name.
    current = await store.get(job_id)
    if current is None or current.is_open or current.once:
        return False
    return await store.forget(job_id, keep_proof=True)


async def _job(store: Store, job_id: str) -> tuple[Job, tuple[Observation, ...], Outlook]:
    async with store:
        job = await find_job(store, job_id)
        return job, await store.timeline(job.id), await faring_of(store, job, datetime.now(UTC))


async def _abandon(store: Store, wanted: str) -> Job:
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


async def find_job(store: Store, wanted: str) -> Job:
    """The job with this id, or the only one whose id begins so. Raises UnknownJobError, naming the candidates."""
    # Our ids are ASCII; others come from outside, and a store may be unable to even look for them.
    job = await store.get(wanted) if wanted.isascii() else None
    if job is not None:
        return job
    unknown = f"the store holds no job {wanted!r}"
    if len(wanted) < SHORTEST_BEGINNING:
        raise UnknownJobError(f"{unknown}; the beginning of an id is at least {SHORTEST_BEGINNING} characters")
    found = {job.id: job async for job in all_jobs(store) if job.id.startswith(wanted)}
    if not found:
        raise UnknownJobError(f"{unknown}, nor one whose id begins so")
    if len(found) > 1:
        ids = sorted(found)
        shown = [*ids[:CANDIDATES], "..."] if len(ids) > CANDIDATES else ids
        raise UnknownJobError(f"{len(ids)} jobs begin with {wanted!r}: {', '.join(shown)}")
    return found.popitem()[1]


async def all_jobs(store: Store) -> AsyncIterator[Job]:
    """Every job of a store, open or not."""
    # One that ends between the two walks comes twice: the later state counts.
    async for job in store.open_jobs():
        yield job
    async for job in store.ended_jobs(before=_EVER):
        yield job


def _told(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts as words for a reader: those that are there, instants with a blank."""
    for name, value in facts.items():
        if isinstance(value, dict):
            text = msgspec.json.encode(value).decode()
            yield from [(name, text)] if text != "{}" else ()
        elif isinstance(value, bool):
            yield name, "yes" if value else "no"
        elif value is not None:
            yield name, value.replace("T", " ") if name in _INSTANTS else str(value)


_INSTANTS: Final = frozenset({"retry_at", "created", "settled", "deadline", "next_look"})


def _event(seen: Observation) -> tuple[str, ...]:
    return (f"{seen.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], str(seen.way), str(seen.status or ""), told(seen))


def print_table(table: Table) -> None:
    """Print a table on stdout."""
    for line in table.lines():
        print(line)
