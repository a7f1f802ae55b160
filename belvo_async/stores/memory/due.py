"""Which jobs of a memory store may be claimed, and from when."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

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


# Where a job stands among those that are due.
Place = tuple[datetime, datetime, str]


class DueJobs:
    """Open jobs by the instant they may be claimed, each account for itself.

    A place counts only while its entry still says the same instant; the others are dropped when they come up, or all
    together once they are the majority.
    """

    def __init__(self, entries: dict[str, Kept]) -> None:
        self._entries = entries
        self._accounts: dict[str, _DuePlaces] = {}
        # No entry was set by a clock that showed more.
        self._latest: datetime | None = None

    def plan(self, entry: Kept) -> None:
        """List an entry as its job says."""
        job = entry.job
        schedule = job.schedule
        due, planned_at = schedule.next_poll if job.is_open else None, schedule.planned_at
        entry.planned_at = planned_at
        # Thousands in a row were planned at the same instant.
        if planned_at is not self._latest and planned_at is not None:
            self._note_clock(planned_at)
        if due != entry.due:
            entry.due = due
            if due is not None:
                self._places_of(job.account).add(due, ((due, job.created_at, job.id),))

    def claim(
        self, accounts: Collection[str], now: datetime, until: datetime, limit: int, latest: datetime | None
    ) -> list[Job]:
        """Lease jobs that are due, earliest first; with `latest`, then those that a clock set which showed more."""
        taken = self._take(accounts, now, limit)
        instants: set[datetime | None] = {due for due, _ in taken}
        claimed = [entry for _, entry in taken]
        if latest is not None:
            claimed += self.take_doubtful(accounts, latest, limit - len(claimed))
        self._note_clock(now)
        for entry in claimed:
            # What was not believed is due when the lease ends too, should nobody write it before.
            entry.due, entry.planned_at = until, now
        jobs = [entry.job for entry in claimed]
        for account in {job.account for job in jobs}:
            self._places_of(account).lease([entry for entry in claimed if entry.job.account == account], until)
        # As they were taken, where all were planned for the one instant that they were due at.
        instants.update([job.schedule.next_poll for job in jobs])
        return jobs if len(instants) < 2 else sorted(jobs, key=_plan_key)

    def first(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant at which a job may be claimed."""
        firsts = [self._accounts[account].first_due() for account in accounts if account in self._accounts]
        return min((due for due in firsts if due is not None), default=None)

    def _places_of(self, account: str) -> _DuePlaces:
        places = self._accounts.get(account)
        if places is None:
            places = self._accounts[account] = _DuePlaces(self._entries, account)
        return places

    def _note_clock(self, at: datetime) -> None:
        if self._latest is None or at > self._latest:
            self._latest = at

    def _firsts(self, accounts: Collection[str], now: datetime) -> list[tuple[Place, str]]:
        known = [account for account in accounts if account in self._accounts]
        return [(first, account) for account in known if (first := self._accounts[account].first(now)) is not None]

    def _take(self, accounts: Collection[str], now: datetime, limit: int) -> list[tuple[datetime, Kept]]:
        """Take out up to `limit` entries that are due, those that are earliest; each with when it was."""
        taken: list[tuple[datetime, Kept]] = []
        while len(taken) < limit:
            firsts = sorted(self._firsts(accounts, now))
            if not firsts:
                break
            # Of one account as many as come before the next one's.
            before = firsts[1][0] if len(firsts) > 1 else None
            taken += self._accounts[firsts[0][1]].take(now, limit - len(taken), before)
        return taken

    def take_doubtful(self, accounts: Collection[str], latest: datetime, limit: int) -> list[Kept]:
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


class _DuePlaces:
    """The places of one account, by the second: they are put in order when their second has come.

    Polls fall due together, on a grid. Leases that are taken together end together, and hardly any lasts so long: they
    stand in a list for each claim, and have no places before they end.
    """

    def __init__(self, entries: dict[str, Kept], account: str) -> None:
        self._entries = entries
        self._account = account
        self._seconds: list[int] = []
        self._places: dict[int, list[Place]] = {}
        self._length = 0
        # The second whose places stand in order, the earliest last.
        self._in_order: int | None = None
        self._leases: list[tuple[datetime, int, list[Kept]]] = []
        self._numbers = count()

    def add(self, due: datetime, places: Sequence[Place]) -> None:
        """List places of one instant."""
        second = int(due.timestamp())
        kept = self._places.get(second)
        if kept is None:
            self._places[second] = [*places]
            heapq.heappush(self._seconds, second)
        else:
            kept += places
            if second == self._in_order:
                self._in_order = None
        self._length += len(places)
        if self._length > 2 * len(self._entries) + SLICE:
            self._tidy()

    def lease(self, entries: list[Kept], until: datetime) -> None:
        """List entries that are leased until an instant."""
        heapq.heappush(self._leases, (until, next(self._numbers), entries))

    def first_due(self) -> datetime | None:
        """The earliest instant at which an entry may be claimed."""
        place, lease = self._first_place(), self._first_lease()
        return lease if place is None else place[0] if lease is None else min(place[0], lease)

    def first(self, now: datetime) -> Place | None:
        """The earliest place that counts, if it is due."""
        while self._leases and self._leases[0][0] <= now:
            until, _, entries = heapq.heappop(self._leases)
            jobs = [entry.job for entry in entries if self._holds(entry, until)]
            self.add(until, [(until, job.created_at, job.id) for job in jobs])
        place = self._first_place()
        return None if place is None or place[0] > now else place

    def _first_lease(self) -> datetime | None:
        while self._leases:
            until, _, entries = self._leases[0]
            while entries:
                if self._holds(entries[-1], until):
                    return until
                entries.pop()
            heapq.heappop(self._leases)
        return None

    def _holds(self, entry: Kept, due: datetime) -> bool:
        return entry.due == due and entry.job.account == self._account and self._entries.get(entry.job.id) is entry

    def _first_place(self) -> Place | None:
        while self._seconds:
            places = self._sorted(self._seconds[0])
            while places:
                if self._counts(places[-1]):
                    return places[-1]
                places.pop()
                self._length -= 1
            del self._places[heapq.heappop(self._seconds)]
        return None

    def take(self, now: datetime, limit: int, before: Place | None) -> list[tuple[datetime, Kept]]:
        """Take out up to `limit` entries of the first second that are due, as far as they come before a place."""
        places = self._sorted(self._seconds[0])
        taken: list[tuple[datetime, Kept]] = []
        while places and len(taken) < limit and places[-1][0] <= now and (before is None or places[-1] < before):
            due, _, job_id = places.pop()
            self._length -= 1
            entry = self._entries.get(job_id)
            if entry is not None and self._holds(entry, due):
                taken.append((due, entry))
                entry.due = None
        return taken

    def _sorted(self, second: int) -> list[Place]:
        places = self._places[second]
        if second != self._in_order:
            # By far the most are in order, or come after those that are.
            places.sort(reverse=True)
            self._in_order = second
        return places

    def _counts(self, place: Place) -> bool:
        entry = self._entries.get(place[-1])
        return entry is not None and self._holds(entry, place[0])

    def _tidy(self) -> None:
        kept = {second: list({*filter(self._counts, places)}) for second, places in self._places.items()}
        self._places = {second: places for second, places in kept.items() if places}
        self._seconds = list(self._places)
        heapq.heapify(self._seconds)
        self._length = sum(map(len, self._places.values()))
        self._in_order = None


def _plan_key(job: Job) -> tuple[datetime, datetime, str]:
    # Jobs without a next poll are never due.
    return job.schedule.next_poll or job.created_at, job.created_at, job.id
