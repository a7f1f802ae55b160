"""Who is told of jobs that ended, and what they acknowledged: entries of the store, so that nothing forgets it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from ..abc import Entry, Store
from ..errors import StoreError
from ..jobs import Job

CONSUMER: Final = "consumer"


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer of one account, under all its names: which jobs it wants to be told of, by what it said last."""

    name: str
    accounts: tuple[str, ...] = ()
    since: datetime | None = None
    tags: dict[str, str] = {}

    def wants(self, job: Job) -> bool:
        """Whether it is told of a job that is over."""
        is_late = self.since is None or (job.settled_at or job.created_at) >= self.since
        return is_late and self.tags.items() <= job.tags.items()


async def enter_consumers(store: Store, consumers: Iterable[Consumer]) -> None:
    """Keep what consumers want, each in place of what it wanted before: under the first name of its account."""
    entries = [Entry(each.accounts[0], CONSUMER, each.name, msgspec.json.encode(each)) for each in consumers]
    await store.enter(entries)


async def read_consumers(store: Store, accounts: Collection[str] | None = None) -> list[Consumer]:
    """The consumers of these accounts, or of all."""
    return [_consumer(entry) async for entry in store.entries(CONSUMER, accounts)]


def _consumer(entry: Entry) -> Consumer:
    try:
        kept = msgspec.json.decode(entry.document, type=Consumer)
    except msgspec.MsgspecError:
        raise StoreError(f"what is kept of the consumer {entry.key!r} cannot be read: drop it") from None
    # Whose it is says its place: jobs are given to other accounts.
    return msgspec.structs.replace(kept, accounts=tuple(dict.fromkeys((entry.account, *kept.accounts))))


async def read_acknowledged(store: Store, name: str, accounts: Collection[str]) -> dict[str, bytes]:
    """What a consumer acknowledged of the jobs of accounts: by the id of a job, which end."""
    return {entry.key: entry.document async for entry in store.entries(_acknowledged(name), accounts)}


async def acknowledge(store: Store, name: str, job: Job) -> None:
    """Keep that a consumer is done with a job as it ended."""
    await store.enter([Entry(job.account, _acknowledged(name), job.id, end_of(job))])


def is_acknowledgement(entry: Entry) -> bool:
    """Whether an entry keeps that a consumer is done with a job."""
    return entry.kind.startswith(_acknowledged(""))


async def drop_acknowledged(store: Store, job: Job, names: Iterable[str]) -> None:
    """Forget what consumers acknowledged of a job that is forgotten."""
    for name in names:
        await store.strike(job.account, _acknowledged(name), [job.id])


async def drop_consumer(store: Store, name: str) -> bool:
    """Forget a consumer of all accounts, and all that it acknowledged; whether there was one."""
    # Readable or not.
    found = [entry async for entry in store.entries(CONSUMER) if entry.key == name]
    for entry in found:
        keys = [each.key async for each in store.entries(_acknowledged(name), [entry.account])]
        await store.strike(entry.account, _acknowledged(name), keys)
        await store.strike(entry.account, CONSUMER, [name])
    return bool(found)


class Backlogs:
    """Who still waits for a job: wants it, and did not acknowledge it."""

    def __init__(self, consumers: Iterable[tuple[Consumer, Mapping[str, bytes]]]) -> None:
        self._consumers = list(consumers)
        self.known = frozenset(each.name for each, _ in self._consumers)

    def names(self, job: Job) -> list[str]:
        """The consumers that would be told of a job that is over."""
        return [
            each.name
            for each, acknowledged in self._consumers
            if job.account in each.accounts and each.wants(job) and acknowledged.get(job.id) != end_of(job)
        ]


async def read_backlogs(store: Store) -> Backlogs:
    """What every consumer acknowledged so far."""
    consumers = await read_consumers(store)
    return Backlogs([(each, await read_acknowledged(store, each.name, each.accounts)) for each in consumers])


def end_of(job: Job) -> bytes:
    """Which end it is: one that was given up may go on, and end anew."""
    return f"{job.state} {'' if job.settled_at is None else job.settled_at.isoformat()}".encode()


def _acknowledged(name: str) -> str:
    return f"acknowledged {name}"
