"""What the proofs let a store do: the tracker's patterns of writing, with contents that follow from their names.

So whoever finds a job in a file knows, without asking the process that wrote it, what must stand in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from belvo_async.abc import Store
from belvo_async.jobs import Failure, Job, Observation, Seen, Status, Task, Way
from tests.jobs.flat import flat

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ACCOUNT = "https://sandbox.example#1"
# The last version of a job's walk.
LAST = 5


class Probe(Task[object], frozen=True, kw_only=True, tag="proof.Probe"):
    link: str

    @property
    def subject(self) -> str:
        return self.link

    @property
    def resource(self) -> str:
        return "probes"


class Fact(NamedTuple):
    """One thing a store was asked to do: `number` is the version of a job, the token of a lease, else 0."""

    kind: str
    name: str
    number: int = 0


class Witness(Protocol):
    """Told what is tried before it is, and what is done once the store has said so."""

    def tries(self, fact: Fact) -> None: ...
    def done(self, fact: Fact) -> None: ...


def number_of(name: str) -> int:
    return int(name.rpartition("-")[2])


def remote_id(name: str) -> str:
    return f"remote-{name}"


def is_early(name: str) -> bool:
    """Whether this job's first delivery overtakes the answer to its submission."""
    return number_of(name) % 2 == 0


def is_forgotten(name: str) -> bool:
    return number_of(name) % 5 == 3


def early(name: str) -> Seen:
    return Seen(way=Way.WEBHOOK, at=NOON, status=Status.RUNNING, remote_id=remote_id(name), delivery_id=name)


def body(name: str) -> bytes:
    return name.encode() * 40


def seen_at(name: str, version: int) -> Observation | None:
    """The observation that made this version of a job."""
    if version < 2:
        return None
    at = NOON + timedelta(seconds=version)
    return early(name) if version == 3 and is_early(name) else Seen(way=Way.POLL, at=at, delivery_id=name)


def job_at(name: str, version: int) -> Job:
    """One version of a job: intent, mark, answer, poll, end, late fact."""
    job = Job(id=name, vendor="proof", account=ACCOUNT, task=Probe(link=name), created_at=NOON, key=name)
    fails = number_of(name) % 3 == 0
    end = Status.FAILED if fails else Status.FINISHED
    facts: list[dict[str, object]] = [
        {},
        {"attempted_at": NOON, "attempts": 1},
        {"status": Status.PENDING, "remote_id": remote_id(name), "next_poll": NOON},
        {"status": Status.RUNNING, "polls": 1},
        {"status": end, "next_poll": None, "failure": Failure(code="broken") if fails else None},
        {"partial": True},
    ]
    for each in facts[: version + 1]:
        job = flat(job, **each)
    return replace(job, version=version)


async def walk(store: Store, name: str, witness: Witness) -> None:
    """Take one job from its intent to its end, as the tracker does."""

    async def step(fact: Fact, call: Awaitable[object]) -> None:
        witness.tries(fact)
        if await call is not None and fact.kind == "job":
            raise AssertionError(f"{name}: another version stood in the way")
        witness.done(fact)

    async def put(version: int) -> None:
        expected = version - 1 if version else None
        call = store.put(job_at(name, version), expected=expected, observation=seen_at(name, version))
        await step(Fact("job", name, version), call)

    await put(0)
    await put(1)
    if is_early(name):
        await step(Fact("park", name), store.park(ACCOUNT, early(name)))
    await put(2)
    await store.claim_due([ACCOUNT], now=NOON, until=NOON + timedelta(seconds=30), limit=4)
    if is_early(name):
        await store.parked(ACCOUNT, remote_id(name))
    await put(3)
    if is_early(name):
        await step(Fact("unpark", name), store.unpark(ACCOUNT, [early(name)]))
    token = await store.lease("lane", name, now=NOON, until=NOON)
    witness.done(Fact("lease", "lane", token or 0))
    await put(4)
    await step(Fact("aside", name), store.set_aside(ACCOUNT, body(name), NOON))
    await put(5)
    if is_forgotten(name):
        await step(Fact("forget", name), store.forget(name))


async def work(store: Store, witness: Witness, *, first: int, workers: int, jobs: int) -> None:
    """Walk so many jobs with so many workers at a time."""

    async def walk_some(worker: int) -> None:
        for each in range(jobs):
            await walk(store, f"job-{first + worker + workers * each:04}", witness)

    async with asyncio.TaskGroup() as tasks:
        for worker in range(workers):
            tasks.create_task(walk_some(worker))
