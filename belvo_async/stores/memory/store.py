"""Jobs kept in this process only, for tests and scripts: they end with it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, NamedTuple, Self, TypeVar

from ...abc import Budget, Entry, LaidAside
from ...discreet import discreet
from ...errors import StoreError
from ...jobs import Job, Observation
from ..budgets import Ledger, Shifts
from ..ledger import Place, raw, walk_entries
from ..parked import Notice
from ..rules import (
    ASIDE,
    PARKED,
    Bounds,
    Lifecycle,
    ended_before,
    from_us,
    lasting,
    refuse_second_end,
    refuse_taken_id,
    to_us,
)
from ..walks import SLICE, walk
from .due import FIRST_KEY, OrderKey, order_key
from .entries import Entries
from .index import Index
from .parked import Parked

T = TypeVar("T")


class MemoryStore:
    """A store in plain dictionaries. Nothing survives the process; closing and opening again keeps the jobs.

    Of jobs that are no longer open, the last `finished_limit` are kept, and those that hold a name: what was fired
    without `once` takes no more memory than the open jobs do. What the others proved is entered as they go.
    """

    def __init__(self, *, finished_limit: int = 10_000, parked: Bounds = PARKED, aside: Bounds = ASIDE) -> None:
        self._lifecycle = Lifecycle()
        self._entries = Entries()
        self._index = Index(finished_limit, self._entries.keep_proof)
        self._parked = Parked(parked, self._index.could_claim)
        self._notice = Notice()
        self._aside = _RingBuffer[LaidAside](aside)
        self._budgets: dict[str, Ledger] = {}
        self._shifts = Shifts()
        self._windows: dict[str, datetime] = {}
        self._leases: dict[str, _Lease] = {}
        self._last_token = 0
        self._era = 0

    @property
    def era(self) -> int:
        """How often somebody said that the store went back: by itself it never does."""
        return self._era

    async def begin_era(self) -> int:
        """Begin a new era."""
        self._lifecycle.check()
        self._era += 1
        return self._era

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
        self._lifecycle.check()
        return self._put(job, expected, observation, fresh_since, keeps_lease)

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs; what stands in the way."""
        self._lifecycle.check()
        rest = [job for job in jobs if not self._index.plan(job)]
        standing = [
            self._put(job, job.version - 1, None, None, False) for job in rest if self._index.get(job.id) is not None
        ]
        return [each for each in standing if each is not None]

    def _put(
        self, job: Job, expected: int | None, seen: Observation | None, fresh_since: datetime | None, keeps_lease: bool
    ) -> Job | None:
        kept = self._index.get(job.id)
        if expected is None:
            obstacle = kept or self._in_the_way(job, fresh_since)
            if obstacle is not None:
                refuse_taken_id(job, obstacle)
        elif kept is None:
            raise StoreError(f"job {job.id} is no longer kept")
        else:
            obstacle = kept if kept.version != expected else None
        if obstacle is not None:
            return obstacle
        if kept is not None:
            refuse_second_end(job, kept.status)
            if (obstacle := self._index.other_holder(job)) is not None:
                return obstacle
        self._index.write(job, seen, keeps_lease=keeps_lease)
        return None

    def _in_the_way(self, job: Job, fresh_since: datetime | None) -> Job | None:
        standing = self._index.other_holder(job) or self._index.equal(job.account, job.key)
        if standing is None and fresh_since is not None:
            return self._index.fresh(job.account, job.key, fresh_since)
        return standing

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        self._lifecycle.check()
        return self._index.get(job_id)

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, oldest first."""
        self._lifecycle.check()
        return self._index.find(account, remote_id)

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new equal one."""
        self._lifecycle.check()
        return self._index.equal(account, key)

    async def holder(self, account: str, once: str) -> Job | None:
        """The job that holds a name."""
        self._lifecycle.check()
        return self._index.holder(account, once)

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """The last equal job that finished whole since an instant."""
        self._lifecycle.check()
        return self._index.fresh(account, key, since)

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many open jobs, or others, each account has."""
        self._lifecycle.check()
        return self._index.count(ended=ended)

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every open job, oldest first, each as it is when its slice is read."""
        whose = None if accounts is None else frozenset(accounts)
        return walk(partial(self._open_after, lane), FIRST_KEY, only=lambda job: whose is None or job.account in whose)

    async def _open_after(self, lane: str | None, after: OrderKey) -> tuple[list[Job], OrderKey | None]:
        self._lifecycle.check()
        jobs = self._index.open_after(after, lane)
        return jobs, order_key(jobs[-1]) if len(jobs) == SLICE else None

    async def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job that ended before an instant, oldest first."""
        self._lifecycle.check()
        for job_id in self._index.closed_ids():
            self._lifecycle.check()
            job = self._index.get(job_id)
            if job is None or job.is_open or not ended_before(job, before):
                continue
            if accounts is None or job.account in accounts:
                yield job

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs that are due, earliest first."""
        self._lifecycle.check()
        return self._index.claim(accounts, now, until, limit, latest)

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant an open job is due and not leased."""
        self._lifecycle.check()
        return self._index.first_due(accounts)

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs that may have been started under an id nobody knows, oldest first."""
        self._lifecycle.check()
        return self._index.nameless(account, subject, resource)

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet; strangers go first when there is no room."""
        self._lifecycle.check()
        self._notice.tell(self._parked.add(account, observation))

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id, or all of the account; oldest first."""
        self._lifecycle.check()
        return self._parked.read(account, remote_id, before, limit)

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids, oldest first."""
        self._lifecycle.check()
        return self._parked.about(account, remote_ids)

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations that a submission about a subject and resource could adopt."""
        self._lifecycle.check()
        return self._parked.adoptable(account, subject, resource, since, limit)

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations."""
        self._lifecycle.check()
        for seen in observations:
            self._parked.drop(account, seen)

    @discreet
    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read."""
        self._lifecycle.check()
        self._aside.add(LaidAside(account, at, body), len(body))

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first."""
        self._lifecycle.check()
        wanted = (each for each in self._aside.items() if accounts is None or each.account in accounts)
        return tuple(sorted(wanted, key=lambda each: each.at))

    async def count_aside(self) -> int:
        """How many deliveries are laid aside."""
        self._lifecycle.check()
        return len(self._aside.items())

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant."""
        self._lifecycle.check()
        return self._aside.drop(lambda each: each.at < before)

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget and return the instant the request may go out."""
        self._lifecycle.check()
        ledger = self._budgets.setdefault(budget.key, Ledger())
        return self._shifts.answer(budget, now, *ledger.take(budget, self._shifts.ask(budget, now), mark))

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give back the place taken under a mark."""
        self._lifecycle.check()
        if budget.key in self._budgets:
            self._budgets[budget.key].give_back(mark)

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note until when a rate window is exhausted."""
        self._lifecycle.check()
        self._windows[window] = until

    async def exhausted_until(self, window: str) -> datetime | None:
        """What was noted last of a rate window."""
        self._lifecycle.check()
        return self._windows.get(window)

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: its fencing token, None while another holds it."""
        self._lifecycle.check()
        held, now_us = self._leases.get(key), to_us(now)
        if held is not None and held.owner != owner and held.until_us > now_us and not self._is_closed(held.owner):
            self._leases[key] = _Lease(held.owner, *lasting(held.since_us, held.until_us, now_us), held.token)
            return None
        if held is None or held.owner != owner:
            self._last_token += 1
            held = _Lease(owner, now_us, now_us, self._last_token)
        self._leases[key] = _Lease(owner, now_us, to_us(until), held.token)
        return held.token

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held; None when nobody holds it."""
        self._lifecycle.check()
        held = self._leases.get(key)
        return None if held is None else from_us(held.until_us)

    def _is_closed(self, job_id: str) -> bool:
        job = self._index.get(job_id)
        return job is not None and not job.is_open

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back, if `owner` holds it."""
        self._lifecycle.check()
        held = self._leases.get(key)
        if held is not None and held.owner == owner:
            del self._leases[key]

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """End at once: no other process can open this store."""
        self._lifecycle.check()
        return
        yield ()  # makes this a generator

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        self._lifecycle.check()
        return self._index.timeline(job_id)

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and its names; whether there was one."""
        self._lifecycle.check()
        job = self._index.get(job_id) if keep_proof else None
        if job is not None:
            self._entries.keep_proof(job)
        return self._index.drop(job_id)

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, each in place of the one with the same account, kind and key."""
        self._lifecycle.check()
        self._entries.enter(entries)

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, or of all, in their order."""
        whose = None if accounts is None else frozenset(map(raw, accounts))
        return walk_entries(partial(self._entries_after, kind, whose))

    async def _entries_after(
        self, kind: str | None, whose: frozenset[bytes] | None, place: Place | None
    ) -> tuple[list[Entry], Place | None]:
        self._lifecycle.check()
        return self._entries.after(place, kind, whose)

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop entries."""
        self._lifecycle.check()
        self._entries.strike(account, kind, keys)

    async def give_space_back(self) -> None:
        """Nothing is left to do: Python frees what was dropped."""
        self._lifecycle.check()

    async def __aenter__(self) -> Self:
        self._lifecycle.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._notice.close()
        self._lifecycle.close()


class _Lease(NamedTuple):
    owner: str
    since_us: int
    until_us: int
    token: int


class _RingBuffer(Generic[T]):
    """Items with their sizes, bounded; the oldest go first."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0

    def add(self, item: T, size: int) -> None:
        """Append an item and make room for it."""
        self._bounds.admit(size)
        self._items.append((item, size))
        self._bytes += size
        while not self._bounds.hold(len(self._items), self._bytes):
            self._bytes -= self._items.popleft()[1]

    def drop(self, is_old: Callable[[T], bool]) -> int:
        """Drop all items of a kind; how many."""
        before = len(self._items)
        self._items = deque(each for each in self._items if not is_old(each[0]))
        self._bytes = sum(size for _, size in self._items)
        return before - len(self._items)

    def items(self) -> list[T]:
        return [item for item, _ in self._items]
