"""Which jobs of a memory store may be claimed, and from when."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from ...jobs import Job, Observation
from ..walks import SLICE

# Where a job stands among those of its store: the instant of its creation, then its id.
OrderKey = tuple[datetime, str]
FIRST_KEY: OrderKey = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(slots=True, eq=False)
class Kept:
    """A job as it is kept, from when it may be claimed, and what was seen of it."""

    job: Job
    due: datetime | None = None
    # By whose clock `due` was set.
    planned_at: datetime | None = None
    seen: deque[Observation] | None = None


def order_key(job: Job) -> OrderKey:
    return job.created_at, job.id


def entry_key(entry: Kept) -> OrderKey:
    job = entry.job
    return job.created_at, job.id


class DueJobs:
    """Open jobs by the instant they may be claimed, each account for itself.

    Polls fall due together, on a grid, and leases end together: what is due at one instant stands in one list, which is
    put in order when its time has come. A place counts only while its entry still says the same instant; the others are
    dropped when they come up, or all together once they are the majority.
    """

    def __init__(self, entries: dict[str, Kept]) -> None:
        self._entries = entries
        self._accounts: dict[str, _Instants] = {}
        # No entry was set by a clock that showed more.
        self._latest: datetime | None = None

    def plan(self, entry: Kept) -> None:
        """List an entry as its job says."""
        job = entry.job
        self._set(entry, job.schedule.next_poll if job.is_open else None, job.schedule.planned_at)

    def claim(
        self, accounts: Collection[str], now: datetime, until: datetime, limit: int, latest: datetime | None
    ) -> list[Job]:
        """Lease jobs that are due, earliest first; with `latest`, then those that a clock set which showed more."""
        claimed = self._take(accounts, now, limit)
        if latest is not None:
            claimed += self._take_doubtful(accounts, latest, limit - len(claimed))
        for entry in claimed:
            planned = entry.job.schedule.next_poll
            # What was not believed is due when the lease ends, should nobody write it before.
            self._set(entry, until if planned is None else max(min(planned, now), until), now)
        jobs = [entry.job for entry in claimed]
        return jobs if len(jobs) < 2 else sorted(jobs, key=_plan_key)

    def first(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant at which a job may be claimed."""
        return min((due for due, _ in self._firsts(accounts)), default=None)

    def _set(self, entry: Kept, due: datetime | None, now: datetime | None) -> None:
        """List an entry anew. `now` is what the clock showed that set when it is due."""
        entry.planned_at = now
        if now is not None and (self._latest is None or now > self._latest):
            self._latest = now
        if due == entry.due:
            return
        entry.due = due
        if due is not None:
            account = entry.job.account
            instants = self._accounts.get(account)
            if instants is None:
                instants = self._accounts[account] = _Instants(self._entries, account)
            instants.add(entry, due)

    def _firsts(self, accounts: Collection[str]) -> list[tuple[datetime, _Instants]]:
        known = [self._accounts[account] for account in accounts if account in self._accounts]
        return [(first, instants) for instants in known if (first := instants.first()) is not None]

    def _take(self, accounts: Collection[str], now: datetime, limit: int) -> list[Kept]:
        """Take out up to `limit` entries that are due, those that are earliest."""
        taken: list[Kept] = []
        while len(taken) < limit:
            first, instants = min(self._firsts(accounts), key=_instant, default=(None, None))
            if first is None or instants is None or first > now:
                break
            taken += instants.take(first, limit - len(taken))
        return taken

    def _take_doubtful(self, accounts: Collection[str], latest: datetime, limit: int) -> list[Kept]:
        """Take out up to `limit` entries that a clock set which showed more. Looks at all: such a clock is rare."""
        if self._latest is None or self._latest <= latest:
            return []
        entries = [
            entry for entry in self._entries.values() if entry.due and entry.planned_at and entry.planned_at > latest
        ]
        taken = [entry for entry in entries if entry.job.account in accounts][:limit]
        for entry in taken:
            entry.due = None
        self._latest = max((entry.planned_at for entry in entries if entry.planned_at and entry.due), default=latest)
        return taken


class _Instants:
    """The entries of one account, under the instants they are due at."""

    def __init__(self, entries: dict[str, Kept], account: str) -> None:
        self._entries = entries
        self._account = account
        self._instants: list[datetime] = []
        self._places: dict[datetime, list[Kept]] = {}
        self._length = 0
        # The instant whose entries stand in order, the oldest last, as long as none comes to it.
        self._in_order: datetime | None = None

    def add(self, entry: Kept, due: datetime) -> None:
        places = self._places.get(due)
        if places is None:
            self._places[due] = [entry]
            heapq.heappush(self._instants, due)
        else:
            places.append(entry)
            if due == self._in_order:
                self._in_order = None
        self._length += 1
        if self._length > 2 * len(self._entries) + SLICE:
            self._tidy()

    def first(self) -> datetime | None:
        """The earliest instant that an entry is due at."""
        while self._instants:
            due = self._instants[0]
            places = self._places[due]
            while places:
                if self._counts(places[-1], due):
                    return due
                places.pop()
                self._length -= 1
            del self._places[heapq.heappop(self._instants)]
        return None

    def take(self, due: datetime, limit: int) -> list[Kept]:
        """Take out up to `limit` of the entries that are due at an instant, the oldest jobs first."""
        places = self._places[due]
        if due != self._in_order:
            places.sort(key=entry_key, reverse=True)
            self._in_order = due
        taken: list[Kept] = []
        while places and len(taken) < limit:
            entry = places.pop()
            self._length -= 1
            if self._counts(entry, due):
                entry.due = None
                taken.append(entry)
        return taken

    def _counts(self, entry: Kept, due: datetime) -> bool:
        job = entry.job
        return entry.due == due and job.account == self._account and self._entries.get(job.id) is entry

    def _tidy(self) -> None:
        kept = {
            due: [entry for entry in dict.fromkeys(places) if self._counts(entry, due)]
            for due, places in self._places.items()
        }
        self._places = {due: places for due, places in kept.items() if places}
        self._instants = list(self._places)
        heapq.heapify(self._instants)
        self._length = sum(map(len, self._places.values()))


def _instant(first: tuple[datetime, _Instants]) -> datetime:
    return first[0]


def _plan_key(job: Job) -> tuple[datetime, datetime, str]:
    # Jobs without a next poll are never due.
    return job.schedule.next_poll or job.created_at, job.created_at, job.id
