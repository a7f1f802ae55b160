"""Jobs kept in PostgreSQL, for processes and machines that share the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Final, Self, TypeVar

from ...abc import Budget, Entry, LaidAside
from ...discreet import discreet
from ...errors import StoreError
from ...jobs import Job, Observation
from ..affinity import Affinity
from ..budgets import Shifts
from ..ledger import walk_entries
from ..operation import Operation
from ..parked import Notice
from ..rules import ASIDE, PARKED, Bounds, Lifecycle, ended_before, from_us, to_us
from ..several import put_each
from ..walks import START, walk
from . import entries as ledger, names, parked, queries
from .connection import Server
from .entries import Enter, Strike
from .era import KnownEra
from .group_commit import BatchQueue, Reader, Writer
from .leases import Exhaust, GiveBack, Lease, Release, Reserve, exhausted_until, leased_until
from .listener import Listener
from .parked import Park, PruneAside, SetAside, Unpark
from .put import Forget, Put
from .queries import BeginEra, Claim
from .schema import open_schema

T = TypeVar("T")

# Longer than any statement may take.
CLOSING_SECONDS: Final = 10.0


class PostgresStore:
    """A store in one schema of a PostgreSQL database, for any number of processes and machines.

    The URL is libpq's; `?schema=NAME` in it names the schema (`belvo_async` unless given), which is made when it is not
    there. It must lead to the primary and not through a pooler that shares connections between transactions.
    Two connections are used, one to write and one to read, and one more while `changes` is iterated; lost ones are
    made again by the next call. Everything that queued up while the previous transaction was committed goes into the
    next one. Finished jobs stay until they are forgotten.
    """

    @discreet
    def __init__(self, url: str, *, parked: Bounds = PARKED, aside: Bounds = ASIDE) -> None:
        self._server = Server(url)
        self._parked = parked
        self._aside = aside
        self._notice = Notice()
        self._lifecycle = Lifecycle()
        self._shifts = Shifts()
        self._connections: _Connections | None = None

    @property
    def era(self) -> int:
        """How often the database was found to have gone back: see `era`."""
        return 0 if self._connections is None else self._connections.known.era

    async def begin_era(self) -> int:
        """Begin a new era because somebody knows that the database went back."""
        connections = self._usable()
        era = await connections.write(BeginEra())
        connections.known.era = max(era, connections.known.era)
        return era

    async def put(
        self,
        job: Job,
        *,
        expected: int | None,
        observation: Observation | None = None,
        fresh_since: datetime | None = None,
        keeps_lease: bool = False,
    ) -> Job | None:
        """Write a job if it still has version `expected`, or return what stands in the way."""
        return await self._usable().write(Put(job, expected, observation, fresh_since, keeps_lease=keeps_lease))

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs; what stands in the way."""
        return await put_each(self, jobs)

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._usable().read(queries.get(job_id))

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, oldest first."""
        return await self._usable().read(queries.find(account, remote_id))

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new equal one."""
        return await self._usable().read(queries.standing(account, key))

    async def holder(self, account: str, once: str) -> Job | None:
        """The job that holds a name."""
        return await self._usable().read(names.holder(account, once))

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """The last equal job that finished whole since an instant."""
        return await self._usable().read(names.fresh(account, key, to_us(since)))

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many open jobs, or others, each account has."""
        return await self._usable().read(queries.count(ended=ended))

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every open job, oldest first, each as it is when its slice is read. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        return walk(lambda after: self._usable().read(queries.open_after(after, whose, lane)), START)

    def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job that ended before an instant, oldest first. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        before_us = to_us(before)
        return walk(
            lambda after: self._usable().read(queries.ended_after(after, whose, before_us)),
            START,
            only=lambda job: ended_before(job, before),
        )

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs that are due, earliest first."""
        return await self._usable().write(Claim(accounts, now, until, limit, latest))

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant an open job is due and not leased."""
        first = await self._usable().read(queries.first_due(accounts))
        return None if first is None else from_us(first)

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs that may have been started under an id nobody knows, oldest first."""
        return await self._usable().read(queries.nameless(account, subject, resource))

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet; strangers go first when there is no room."""
        self._notice.tell(await self._usable().write(Park(account, observation, self._parked)))

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id, or all of the account; oldest first."""
        return await self._usable().read(parked.parked(account, remote_id, before, limit))

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids, oldest first."""
        return await self._usable().read(parked.parked_about(account, remote_ids))

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations that a submission about a subject and resource could adopt."""
        return await self._usable().read(parked.adoptable(account, subject, resource, since, limit))

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations."""
        await self._usable().write(Unpark(account, observations))

    @discreet
    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read."""
        await self._usable().write(SetAside(account, body, at, self._aside))

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first."""
        return await self._usable().read(parked.laid_aside(accounts))

    async def count_aside(self) -> int:
        """How many deliveries are laid aside."""
        return await self._usable().read(parked.count_aside())

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant."""
        return await self._usable().write(PruneAside(before))

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget and return the instant the request may go out."""
        taken = await self._usable().write(Reserve(budget, self._shifts.ask(budget, now), mark))
        return self._shifts.answer(budget, now, *taken)

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give back the place taken under a mark."""
        await self._usable().write(GiveBack(budget, mark))

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note until when a rate window is exhausted."""
        await self._usable().write(Exhaust(window, to_us(until)))

    async def exhausted_until(self, window: str) -> datetime | None:
        """What was noted last of a rate window."""
        return await self._usable().read(exhausted_until(window))

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: its fencing token, None while another holds it."""
        return await self._usable().write(Lease(key, owner, to_us(now), to_us(until)))

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held; None when nobody holds it."""
        return await self._usable().read(leased_until(key))

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back, if `owner` holds it."""
        await self._usable().write(Release(key, owner))

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids of jobs that other stores wrote, as PostgreSQL tells it; an empty tuple after every (re)connect."""
        connections = self._usable()
        listener = connections.listen()
        try:
            async for ids in listener.changes():
                yield ids
        finally:
            await connections.stop_listening(listener)

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        return await self._usable().read(queries.timeline(job_id))

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and its names; whether there was one."""
        return await self._usable().write(Forget(job_id, keep_proof=keep_proof))

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, each in place of the one with the same account, kind and key."""
        await self._usable().write(Enter(entries))

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, or of all, in their order. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        return walk_entries(lambda place: self._usable().read(ledger.after(place, kind, whose)))

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop entries."""
        await self._usable().write(Strike(account, kind, keys))

    async def give_space_back(self) -> None:
        """Nothing is left to do: the server's autovacuum does it."""
        self._lifecycle.check()

    @discreet
    async def __aenter__(self) -> Self:
        self._lifecycle.open()
        connections: _Connections | None = None
        try:
            await open_schema(self._server)
            connections = _Connections(self._server)
            await connections.open()
        except BaseException:
            self._lifecycle.close()
            if connections is not None:
                await connections.close()
            raise
        self._connections = connections
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        connections, self._connections = self._connections, None
        self._notice.close()
        self._lifecycle.close()
        if connections is not None:
            await connections.close()

    def _usable(self) -> _Connections:
        self._lifecycle.check()
        if self._connections is None:
            raise StoreError("the store is still being opened")
        return self._connections


class _Connections:
    """The connections of an open store."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._affinity = Affinity()
        self._writer = Writer(server)
        self._writes = BatchQueue(self._writer, "writer")
        self._reads = BatchQueue(Reader(server), "reader")
        self._listeners: set[Listener] = set()

    @property
    def known(self) -> KnownEra:
        return self._writer.known

    async def open(self) -> None:
        """Connect to write: that tells the era."""
        await self._writer.connection.connect()

    async def read(self, operation: Operation[T]) -> T:
        return await self._reads.submit(operation)

    async def write(self, operation: Operation[T]) -> T:
        return await self._writes.submit(operation)

    def listen(self) -> Listener:
        listener = Listener(self._server, lambda: self._writer.connection.backend)
        self._listeners.add(listener)
        return listener

    async def stop_listening(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
            await listener.close()

    async def close(self) -> None:
        """Do what is queued, then hang up."""
        if self._affinity.is_of_parent:
            return  # the connections are the parent's
        if self._affinity.is_of_other_loop:
            for queue in (self._writes, self._reads):
                queue.abandon()
            for listener in self._listeners:
                listener.abandon()
            return
        listeners = [self.stop_listening(each) for each in tuple(self._listeners)]
        await asyncio.gather(self._writes.close(CLOSING_SECONDS), self._reads.close(CLOSING_SECONDS), *listeners)
