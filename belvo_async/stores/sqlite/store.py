"""Jobs kept in an SQLite file: what returned from a call survives a crash and a loss of power."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec

from ...abc import Budget, Entry, LaidAside
from ...discreet import discreet
from ...errors import StoreError
from ...jobs import Job, Observation
from ..budgets import Shifts
from ..ledger import walk_entries
from ..parked import Notice
from ..rules import ASIDE, PARKED, Bounds, Lifecycle, ended_before, from_us, to_us
from ..walks import START, walk
from . import entries as ledger, jobs, leases, names, parked
from .file import Connect, connect, free_pages
from .group_commit import StoreThread
from .jobs import Progress, Terms, put_all as write_all

T = TypeVar("T")

# How soon another process hears of a change while changes come; a look costs it about 50 microseconds. In quiet times
# the pause grows: SQLite has no way to tell another process.
LOOK_SECONDS: Final = 0.1
LOOK_GROWTH: Final = 1.2
LOOK_SECONDS_AT_MOST: Final = 2.0
# Of 4 KiB each; moving so many takes some ten milliseconds.
PAGES_AT_ONCE: Final = 500


class SqliteStore:
    """A store in one file, for one or several processes of one machine. The file must be on a local disk.

    Calls never block the event loop: one thread owns the connection, and commits everything that queued up while the
    previous commit was flushed in one transaction. `connect` makes the connection; replace it for another SQLite build.
    Finished jobs stay in the file until they are forgotten.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        connect: Connect = connect,
        parked: Bounds = PARKED,
        aside: Bounds = ASIDE,
    ) -> None:
        # A later change of the working directory must not lead to another file.
        self._path = os.path.abspath(path)
        self._connect = connect
        self._parked = parked
        self._aside = aside
        self._notice = Notice()
        self._lifecycle = Lifecycle()
        self._shifts = Shifts()
        self._thread: StoreThread | None = None

    @property
    def era(self) -> int:
        """How often the file was found to be older than it had been: its mark beside it tells, and the process."""
        return 0 if self._thread is None else self._thread.era

    async def begin_era(self) -> int:
        """Begin a new era because somebody knows that the file is older than it was."""
        return await self._write(lambda database: jobs.skip_transactions(database, 0, 1))

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
        seen = None if observation is None else msgspec.json.encode(observation)
        fresh_us = None if fresh_since is None else to_us(fresh_since)
        return await self._write(
            lambda database: jobs.put(database, job, expected, seen, fresh_us, keeps_lease=keeps_lease)
        )

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs; what stands in the way."""
        return await self._write(lambda database: write_all(database, jobs))

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._read(lambda database: jobs.get(database, job_id))

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, oldest first."""
        return await self._read(lambda database: jobs.find(database, account, remote_id))

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new equal one."""
        return await self._read(lambda database: jobs.standing(database, account, key))

    async def holder(self, account: str, once: str) -> Job | None:
        """The job that holds a name."""
        return await self._read(lambda database: names.holder(database, account, once))

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """The last equal job that finished whole since an instant."""
        return await self._read(lambda database: names.fresh(database, account, key, to_us(since)))

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many open jobs, or others, each account has."""
        return await self._read(lambda database: jobs.count(database, ended=ended))

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every open job, oldest first, each as it is when its slice is read. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        return walk(lambda after: self._read(lambda database: jobs.open_after(database, after, whose, lane)), START)

    def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job that ended before an instant, oldest first. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        before_us = to_us(before)
        return walk(
            lambda after: self._read(lambda database: jobs.ended_after(database, after, whose, before_us)),
            START,
            only=lambda job: ended_before(job, before),
        )

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs that are due, earliest first."""
        terms = Terms(to_us(now), None if latest is None else to_us(latest), to_us(until), limit)
        whose = tuple(accounts)  # the caller's collection may change while the thread reads
        return await self._write(lambda database: jobs.claim(database, whose, terms))

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant an open job is due and not leased."""
        whose = tuple(accounts)
        first = await self._read(lambda database: jobs.first_due(database, whose))
        return None if first is None else from_us(first)

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs that may have been started under an id nobody knows, oldest first."""
        return await self._read(lambda database: jobs.nameless(database, account, subject, resource))

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet; strangers go first when there is no room."""
        bounds = self._parked
        self._notice.tell(await self._write(lambda database: parked.park(database, account, observation, bounds)))

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id, or all of the account; oldest first."""
        return await self._read(lambda database: parked.parked(database, account, remote_id, before, limit))

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids, oldest first."""
        wanted = tuple(remote_ids)
        return await self._read(lambda database: parked.parked_about(database, account, wanted))

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations that a submission about a subject and resource could adopt."""
        return await self._read(lambda database: parked.adoptable(database, account, subject, resource, since, limit))

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations."""
        known = tuple(observations)
        await self._write(lambda database: parked.unpark(database, account, known))

    @discreet
    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read."""
        await self._write(lambda database: parked.set_aside(database, account, body, at, self._aside))

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first."""
        whose = None if accounts is None else tuple(accounts)
        return await self._read(lambda database: parked.laid_aside(database, whose))

    async def count_aside(self) -> int:
        """How many deliveries are laid aside."""
        return await self._read(parked.count_aside)

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant."""
        return await self._write(lambda database: parked.prune_aside(database, before))

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget and return the instant the request may go out."""
        asked = self._shifts.ask(budget, now)
        taken = await self._write(lambda database: leases.reserve(database, budget, asked, mark))
        return self._shifts.answer(budget, now, *taken)

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give back the place taken under a mark."""
        await self._write(lambda database: leases.give_back(database, budget, mark))

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note until when a rate window is exhausted."""
        until_us = to_us(until)
        await self._write(lambda database: leases.exhaust(database, window, until_us))

    async def exhausted_until(self, window: str) -> datetime | None:
        """What was noted last of a rate window."""
        until = await self._read(lambda database: leases.exhausted_until(database, window))
        return None if until is None else from_us(until)

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: its fencing token, None while another holds it."""
        now_us, until_us = to_us(now), to_us(until)
        return await self._write(lambda database: leases.lease(database, key, owner, now_us, until_us))

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held; None when nobody holds it."""
        until = await self._read(lambda database: leases.leased_until(database, key))
        return None if until is None else from_us(until)

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back, if `owner` holds it."""
        await self._write(lambda database: leases.release(database, key, owner))

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids of jobs that other processes wrote, looked for often, less often while nothing comes."""
        thread = self._usable()
        seen: Progress | None = None
        pause = LOOK_SECONDS
        while not thread.closing.is_set():
            ids: tuple[str, ...] | None = None
            # A look that failed is repeated: what it would have told is told then.
            with suppress(StoreError):
                ids, seen = await thread.submit(partial(_changed_since, seen, thread.writer), writes=False)
            pause = LOOK_SECONDS if ids is not None else min(pause * LOOK_GROWTH, LOOK_SECONDS_AT_MOST)
            if ids is not None:
                yield ids
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await thread.closing.wait()

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        return await self._read(lambda database: jobs.timeline(database, job_id))

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and its names; whether there was one."""
        return await self._write(lambda database: jobs.forget(database, job_id, keep_proof=keep_proof))

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, each in place of the one with the same account, kind and key."""
        some = tuple(entries)
        await self._write(lambda database: ledger.enter(database, some))

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, or of all, in their order. No transaction stays open meanwhile."""
        whose = None if accounts is None else tuple(accounts)
        return walk_entries(lambda place: self._read(lambda database: ledger.after(database, place, kind, whose)))

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop entries."""
        some = tuple(keys)
        await self._write(lambda database: ledger.strike(database, account, kind, some))

    async def give_space_back(self) -> None:
        """Shorten the file by what was dropped, some pages at a time: others wait for no more than one step."""
        while await self._write(lambda database: free_pages(database, PAGES_AT_ONCE)):
            pass

    async def __aenter__(self) -> Self:
        self._lifecycle.open()
        thread = StoreThread(self._path, self._connect)
        try:
            await thread.open()
        except BaseException:
            self._lifecycle.close()
            raise
        self._thread = thread
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        thread, self._thread = self._thread, None
        self._notice.close()
        self._lifecycle.close()
        if thread is not None:
            await thread.close()

    def _read(self, run: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        return self._usable().submit(run, writes=False)

    def _write(self, run: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        return self._usable().submit(run, writes=True)

    def _usable(self) -> StoreThread:
        self._lifecycle.check()
        if self._thread is None:
            raise StoreError("the store is still being opened")
        return self._thread


def _changed_since(
    seen: Progress | None, writer: int, database: sqlite3.Connection
) -> tuple[tuple[str, ...] | None, Progress]:
    return jobs.changed_since(database, seen, writer)
