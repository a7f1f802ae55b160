"""The contract of a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, Self

import msgspec

from ..jobs import Job, Observation
from .exchange import Budget

# How long deliveries are laid aside: whoever means to find out why one could not be read has done so by then, or will
# from the next one like it.
ASIDE_FOR: Final = timedelta(days=30)

# Later than any job ended, by whatever clock: `ended_jobs(before=EVER)` are all of them.
EVER: Final = datetime.max.replace(tzinfo=UTC)
# Earlier than any job began. Not the first day of the calendar: spans are taken from it.
LONG_AGO: Final = datetime(1970, 1, 2, tzinfo=UTC)


class LaidAside(msgspec.Struct, frozen=True):
    """An authentic delivery that could not be read, byte for byte. Shows no content: that holds taxpayer data."""

    account: str
    at: datetime
    body: bytes

    def __repr__(self) -> str:
        return f"LaidAside({self.account!r}, {self.at:%Y-%m-%dT%H:%M:%SZ}, {len(self.body)} bytes)"


class Entry(msgspec.Struct, frozen=True):
    """A document that is kept until it is struck out: the only one of its account, kind and key. Shows no content."""

    account: str
    kind: str
    key: str
    document: bytes

    def __repr__(self) -> str:
        return f"Entry({self.account!r}, {self.kind!r}, {len(self.document)} bytes)"


class Store(Protocol):
    """Keeps jobs. Meaning, not mechanism: no status rules, no events, no business retries.

    Every method raises StoreError when the store cannot do it; then nothing was changed, unless the error's
    `maybe_done` says that nobody knows. What returned is durable (as far as the store promises durability at all).
    Opened and closed as `async with`; used only in the process and on the event loop that opened it, StoreError
    elsewhere.
    """

    @property
    def era(self) -> int:
        """How often this store was noticed to have gone back to an earlier state, as far as is known here.

        A new era begins where a backup is found to have been put back, or a server to have lost its last writes. Known
        from opening on, and learned from every call: once a `put` has returned, it is not lower than the era that the
        job was written in. What was kept before it began may have been changed, and acted on, in the time that is lost.
        """
        ...

    async def begin_era(self) -> int:
        """Begin a new era because somebody knows that the store went back, and give its number."""
        ...

    async def put(
        self,
        job: Job,
        *,
        expected: int | None,
        observation: Observation | None = None,
        fresh_since: datetime | None = None,
        keeps_lease: bool = False,
    ) -> Job | None:
        """Write a job if it still has version `expected`; `None` demands that it is new.

        Returns None when written, else the stored job that stands in the way; looked for and written in one step, so
        that no race makes two. In the way of an update stands its newer version, or the `holder` of a name in `once`
        that the job does not hold yet. In the way of a new job stand, in this order: a kept one under its id; the
        holder of a name in its `once`, whatever became of it; the open job with the same account and `key` (jobs
        without `key` and abandoned or superseded ones never stand in the way); with `fresh_since`, what `fresh` gives.
        A kept one under its id is given when account, `key` and task are the same (a repeated call), else StoreError:
        the id is taken. `job.version` is the new version, chosen by the caller. The last 200 observations are kept for
        `timeline`. A written job is no longer leased; with `keeps_lease` one that is open stays leased, and is due, as
        it was before: whoever claimed it is polling it, and somebody else has changed something else.
        """
        ...

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs, each as `put` would that expects the version before.

        For what is written after a poll of many of which it told nothing: a store may do so in one step, and need not.
        Gives what stands in the way of those that were not written; of one that is no longer kept nothing does. When it
        raises, some may have been written.
        """
        ...

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        ...

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, compared in normal form. Usually none or one."""
        ...

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new one with this account and `key`; the oldest of several."""
        ...

    async def holder(self, account: str, once: str) -> Job | None:
        """The kept job of an account that holds a name, open or ended: at most one does."""
        ...

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """Of the jobs with this account and `key` that finished whole (`is_whole`) at an instant or later, the last.

        When they finished says `settled_at`. None for an empty `key`.
        """
        ...

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many open jobs each account has, or with `ended` how many that are not open; none for the others."""
        ...

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every job with `is_open`, oldest first; all accounts for None."""
        ...

    def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job without `is_open` that was created and settled before an instant, oldest first.

        Accounts as for `open_jobs`. What is yielded may be forgotten meanwhile.
        """
        ...

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs whose `next_poll` is at or before `now`.

        A leased job is invisible to other callers until `until`, so two processes never poll the same job. Earliest
        first. Jobs without `next_poll` are never returned. With `latest`, what a clock set that showed more is not
        believed: a job whose `next_poll` was set (`planned_at`), or whose lease was taken (`now`), later than that is
        due as well, after the others.
        """
        ...

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """When `claim_due` will have something to give: the earliest instant an open job is due and not leased."""
        ...

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs with `is_nameless` of an account, of a subject (in normal form), of a subject and resource.

        Oldest first. Costs what it returns, however many other jobs are open.
        """
        ...

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet, once; bounded in number and bytes over all accounts.

        Room is made by letting go of *strangers*: what no job of this store could claim now. A job claims what names
        its remote id; one with `is_nameless` what names its subject (and its resource, where the observation is
        `adoptable`), or no subject. Of strangers, reports go first, then those parked longest, as far as a short look
        finds them, else the newest. Only when there are no more, what could be claimed gives way, first what most is
        kept of. At the bound up to a hundredth goes at once, so that a delivery costs the same beside a full park as
        beside an empty one. A WARNING tells how much was let go: at once, then at most one a minute.
        """
        ...

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id (normal form), or all of the account; oldest first.

        With `before` only those that are older, with `limit` only the first so many.
        """
        ...

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids (normal form), oldest first."""
        ...

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations with `adoptable` of a subject (normal form) and resource, oldest first.

        Only those at or after an instant. One that cannot be read here is `Misread`: whoever chooses must know that
        there is another. Costs what it returns, however much else is parked.
        """
        ...

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations that were applied or have become too old."""
        ...

    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read; bounded in number and bytes, the oldest go first."""
        ...

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first: for the person who finds out why it could not be read.

        All accounts for None.
        """
        ...

    async def count_aside(self) -> int:
        """How many deliveries are laid aside, of all accounts."""
        ...

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant, of all accounts; how much went."""
        ...

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget and return the instant the request may go out: `now` or later.

        Counted from the places ahead, never from somebody's clock: with `n` of them not yet reached it lies at most
        ceil((n + 1) / limit) spans after `now`. A caller whose clock is more than two spans behind what others said, or
        whose wait the places ahead do not explain, is taken to be at their present, and so is each later call on this
        store object. While all clocks are right, no window of one span holds more than `limit` places. `mark` names the
        place for `give_back`; asking again with it gives the same place.
        """
        ...

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give back the place taken under a mark, with which nothing was sent: the next caller gets it.

        Nothing happens when there is none: it was given back already, was never taken, or has long passed.
        """
        ...

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note that a vendor's rate window is exhausted until an instant; the last note stands."""
        ...

    async def exhausted_until(self, window: str) -> datetime | None:
        """What was noted last of a rate window, be it past; whoever reads it bounds what is believed."""
        ...

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: the fencing token (grows with each change of owner), None while another holds it.

        One taken more than CLOCKS_DIFFER ahead of `now` is a wrong clock's: it lasts from now for as long as it was
        taken for, unless its owner renews it.
        One whose owner is the id of a kept job that is closed is free: the process that closed it may have died before
        it could give the lease back.
        """
        ...

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held, as its holder said last; None when nobody holds it."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back; nothing happens when it is not held by `owner`."""
        ...

    def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids of jobs that other processes changed, as this one notices; an empty tuple: any may have changed.

        A hint to read again, never the truth: after every reconnect an empty tuple comes first. What this store object
        itself wrote need not be told. Waits while there is nothing to tell and ends when the store is closed; a
        store that only one process can open ends at once.
        """
        ...

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        ...

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and the names it holds; whether there was one.

        With `keep_proof`, what it proves (`proof_of`) is entered in the same step, under PROOF and its id.
        """
        ...

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, all or none, each in place of the one with the same account, kind and key.

        Bounded only by what is entered: nothing goes by itself.
        """
        ...

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, ordered by account and key; of every kind, ordered by that first, for None.

        All accounts for None. Each is given as it is when its slice is read.
        """
        ...

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop the entries of an account and kind with these keys, as far as there are any."""
        ...

    async def give_space_back(self) -> None:
        """Give the space of what was dropped back to the system while others work, where that takes a call."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
