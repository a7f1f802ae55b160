"""The jobs of a memory store, and every order they are asked for in."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from ...jobs import Job, Observation, normal_id
from ..parked import Label, claims_of
from ..rules import TIMELINE_LIMIT, stands_in_the_way
from ..walks import SLICE

__all__ = ["Place", "Shelf"]

# Where a job stands among those of its store: the instant of its creation, then its id.
Place = tuple[datetime, str]
START: Place = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(slots=True, eq=False)
class _Row:
    job: Job
    due: datetime | None = None
    # By whose clock `due` was set.
    planned_at: datetime | None = None
    seen: deque[Observation] | None = None


class Shelf:
    """Jobs by id, with an index for each question a store is asked. A hundred thousand open jobs are meant to fit."""

    def __init__(self, finished_limit: int) -> None:
        self._rows: dict[str, _Row] = {}
        self._equal = _Index()
        self._remote = _Index()
        # By what jobs without a name could claim.
        self._nameless = _Index()
        # By lane, and under None all of them.
        self._open: dict[str | None, _Line] = {}
        self._due = _DueHeaps(self._rows)
        self._closed: dict[str, None] = {}
        self._finished_limit = finished_limit

    def get(self, job_id: str) -> Job | None:
        row = self._rows.get(job_id)
        return row.job if row else None

    def equal(self, account: str, key: str) -> Job | None:
        ids = self._equal.get(account, key) if key else ()
        return min((self._rows[each].job for each in ids), key=place_of, default=None)

    def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        ids = self._remote.get(account, normal_id(remote_id))
        if len(ids) < 2:
            return tuple(self._rows[each].job for each in ids)
        return tuple(sorted((self._rows[each].job for each in ids), key=place_of))

    def nameless(self, account: str, subject: str | None, resource: str | None) -> tuple[Job, ...]:
        ids = self._nameless.get(account, _claim_key(None if subject is None else normal_id(subject), resource))
        return tuple(sorted((self._rows[each].job for each in ids), key=place_of))

    def could_claim(self, account: str, label: Label) -> bool:
        """Whether some job could claim an observation now."""
        if label.remote_id is not None and self._remote.get(account, label.remote_id):
            return True
        return bool(self._nameless.get(account, _claim_key(label.subject, label.claim)))

    def timeline(self, job_id: str) -> tuple[Observation, ...]:
        row = self._rows.get(job_id)
        return tuple(row.seen or ()) if row else ()

    def open_after(self, after: Place, lane: str | None) -> list[Job]:
        line = self._open.get(lane)
        return [] if line is None else line.after(after)

    def closed_ids(self) -> list[str]:
        return sorted(self._closed, key=lambda job_id: place_of(self._rows[job_id].job))

    def count(self, *, ended: bool) -> dict[str, int]:
        whose = (row.job.account for row in self._rows.values() if row.job.is_open is not ended)
        return dict(Counter(whose))

    def write(self, job: Job, observation: Observation | None) -> None:
        row = self._rows.get(job.id)
        if row is None:
            row = self._rows[job.id] = _Row(job)
            self._list(row, None)
        else:
            before, row.job = row.job, job
            self._list(row, before)
        if observation is not None:
            row.seen = deque(maxlen=TIMELINE_LIMIT) if row.seen is None else row.seen
            row.seen.append(observation)
        while len(self._closed) > self._finished_limit:
            self.drop(next(iter(self._closed)))

    def drop(self, job_id: str) -> bool:
        row = self._rows.pop(job_id, None)
        if row is None:
            return False
        job = row.job
        if stands_in_the_way(job):
            self._equal.drop(job.account, job.key, job_id)
        if job.remote_id is not None:
            self._remote.drop(job.account, normal_id(job.remote_id), job_id)
        self._list_nameless(None, job)
        if job.is_open:
            self._close(row, job)
        self._closed.pop(job_id, None)
        return True

    def claim(
        self, accounts: Collection[str], now: datetime, until: datetime, limit: int, latest: datetime | None
    ) -> list[Job]:
        claimed = self._due.take(accounts, now, limit)
        if latest is not None:
            claimed += self._due.take_doubtful(accounts, latest, limit - len(claimed))
        for row in claimed:
            self._due.push(row, leased=until, now=now)
        return sorted((row.job for row in claimed), key=lambda job: (job.next_poll, job.created_at, job.id))

    def first_due(self, accounts: Collection[str]) -> datetime | None:
        firsts = (self._due.first(account) for account in accounts)
        return min((each for each in firsts if each is not None), default=None)

    def _list(self, row: _Row, before: Job | None) -> None:
        """Bring every index up to a row's job."""
        job = row.job
        if before is None or _marks(before) != _marks(job):
            self._list_anew(row, job, before)
        if before is not None and before.account != job.account:
            row.due = None  # the entry in the heap of its other account counts no more
        self._due.push(row, now=job.planned_at)

    def _list_anew(self, row: _Row, job: Job, before: Job | None) -> None:
        self._list_equal(job, before)
        self._list_remote(job, before)
        self._list_nameless(job, before)
        was_open = before is not None and before.is_open
        if before is not None and was_open and (job.lane, job.created_at) != (before.lane, before.created_at):
            self._close(row, before)
            was_open = False
        if job.is_open != was_open:
            if was_open:
                self._close(row, job)
            else:
                self._reopen(row)
        if not job.is_open:
            self._closed.setdefault(job.id)

    def _list_equal(self, job: Job, before: Job | None) -> None:
        new = (job.account, job.key) if stands_in_the_way(job) else None
        old = (before.account, before.key) if before is not None and stands_in_the_way(before) else None
        if new != old:
            if old is not None:
                self._equal.drop(*old, job.id)
            if new is not None:
                self._equal.add(*new, job.id)

    def _list_remote(self, job: Job, before: Job | None) -> None:
        new = None if job.remote_id is None else (job.account, normal_id(job.remote_id))
        old = None if before is None or before.remote_id is None else (before.account, normal_id(before.remote_id))
        if new != old:
            if old is not None:
                self._remote.drop(*old, job.id)
            if new is not None:
                self._remote.add(*new, job.id)

    def _list_nameless(self, job: Job | None, before: Job | None) -> None:
        new = _claim_keys(job) if job is not None and job.is_nameless else ()
        old = _claim_keys(before) if before is not None and before.is_nameless else ()
        if new != old:
            for each in old:
                self._nameless.drop(*each)
            for each in new:
                self._nameless.add(*each)

    def _reopen(self, row: _Row) -> None:
        self._closed.pop(row.job.id, None)
        for lane in {None, row.job.lane}:
            line = self._open.get(lane)
            if line is None:
                line = self._open[lane] = _Line(self._rows, lane)
            line.add(row)

    def _close(self, row: _Row, job: Job) -> None:
        for lane in {None, job.lane}:
            line = self._open[lane]
            line.drop(row, moved=row.job.created_at != job.created_at)
            if not line.length:
                del self._open[lane]


class _Index:
    """Which jobs of an account share a value. Nearly always it is one, so a set is made only for more."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, str | dict[str, None]]] = {}

    def add(self, account: str, value: str, job_id: str) -> None:
        ids = self._ids.setdefault(account, {})
        there = ids.get(value)
        if there is None:
            ids[value] = job_id
        elif isinstance(there, dict):
            there[job_id] = None
        elif there != job_id:
            ids[value] = {there: None, job_id: None}

    def drop(self, account: str, value: str, job_id: str) -> None:
        ids = self._ids.get(account, {})
        there = ids.get(value)
        if isinstance(there, dict):
            there.pop(job_id, None)
        if not there or there == job_id:
            ids.pop(value, None)

    def get(self, account: str, value: str) -> Collection[str]:
        there = self._ids.get(account, {}).get(value, ())
        return (there,) if isinstance(there, str) else there


class _Line:
    """Open jobs of a lane in the order of their creation.

    Jobs come in about that order, so almost every insertion is an append. One that is open no more is passed over, and
    taken out once such ones are the majority: taking each out at once would move all that stand behind it.
    """

    def __init__(self, rows: dict[str, _Row], lane: str | None) -> None:
        self._known = rows
        self._lane = lane
        self._rows: list[_Row] = []
        self.length = 0

    def add(self, row: _Row) -> None:
        self.length += 1
        if not self._rows or place_of(self._rows[-1].job) < place_of(row.job):
            self._rows.append(row)
            return
        at = bisect_left(self._rows, place_of(row.job), key=_place_of)
        # One that opens again may still be in it.
        if at == len(self._rows) or self._rows[at] is not row:
            insort(self._rows, row, key=_place_of)

    def drop(self, row: _Row, *, moved: bool) -> None:
        self.length -= 1
        if moved:
            self._rows.remove(row)
        elif self.length * 2 + SLICE < len(self._rows):
            self._rows = [each for each in self._rows if self._holds(each)]

    def after(self, place: Place) -> list[Job]:
        """The next jobs, at most a slice of them."""
        start = bisect_right(self._rows, place, key=_place_of)
        rows = (self._rows[index] for index in range(start, len(self._rows)))
        return [row.job for row in islice(filter(self._holds, rows), SLICE)]

    def _holds(self, row: _Row) -> bool:
        job = row.job
        return job.is_open and self._lane in (None, job.lane) and self._known.get(job.id) is row


class _DueHeaps:
    """Open jobs by the instant they may be claimed, one heap for each account.

    An entry counts only while its row still says the same instant; the others are dropped when they come up, or all
    together once they are the majority.
    """

    def __init__(self, rows: dict[str, _Row]) -> None:
        self._rows = rows
        self._heaps: dict[str, list[tuple[datetime, str]]] = {}
        # No row was set by a clock that showed more.
        self._latest: datetime | None = None

    def push(self, row: _Row, *, leased: datetime | None = None, now: datetime | None) -> None:
        """List a row anew. `now` is what the clock showed that set when it is due."""
        job = row.job
        due = job.next_poll if job.is_open else None
        if due is not None and leased is not None and now is not None:
            due = max(min(due, now), leased)
        row.planned_at = now
        if now is not None and (self._latest is None or now > self._latest):
            self._latest = now
        if due == row.due:
            return
        row.due = due
        heap = self._heaps.get(job.account)
        if heap is None:
            heap = self._heaps[job.account] = []
        if due is not None:
            heapq.heappush(heap, (due, job.id))
        if len(heap) > 2 * len(self._rows) + SLICE:
            heap[:] = {entry for entry in heap if self._counts(job.account, entry)}
            heapq.heapify(heap)

    def take(self, accounts: Collection[str], now: datetime, limit: int) -> list[_Row]:
        """Take out up to `limit` rows that are due, earliest first."""
        taken: list[_Row] = []
        while len(taken) < limit:
            firsts = [(first, account) for account in accounts if (first := self.first(account)) is not None]
            if not firsts or min(firsts)[0] > now:
                break
            account = min(firsts)[1]
            row = self._rows[heapq.heappop(self._heaps[account])[1]]
            row.due = None
            taken.append(row)
        return taken

    def take_doubtful(self, accounts: Collection[str], latest: datetime, limit: int) -> list[_Row]:
        """Take out up to `limit` rows that a clock set which showed more. Looks at all: such a clock is rare."""
        if self._latest is None or self._latest <= latest:
            return []
        rows = [row for row in self._rows.values() if row.due and row.planned_at and row.planned_at > latest]
        taken = [row for row in rows if row.job.account in accounts][:limit]
        for row in taken:
            row.due = None
        self._latest = max((row.planned_at for row in rows if row.planned_at and row.due), default=latest)
        return taken

    def first(self, account: str) -> datetime | None:
        heap = self._heaps.get(account, ())
        while heap:
            if self._counts(account, heap[0]):
                return heap[0][0]
            heapq.heappop(heap)
        return None

    def _counts(self, account: str, entry: tuple[datetime, str]) -> bool:
        row = self._rows.get(entry[1])
        return row is not None and row.due == entry[0] and row.job.account == account


def _marks(job: Job) -> tuple[object, ...]:
    """What decides where a job is listed, but for when it is due: most writes change only that."""
    state = job.status.is_terminal, job.abandoned, job.remote_id, job.superseded_by, job.is_nameless
    return *state, job.account, job.key, job.lane, job.created_at


def _claim_key(subject: str | None, resource: str | None) -> str:
    return "" if subject is None else f"s{subject}" if resource is None else f"r{resource}\0{subject}"


def _claim_keys(job: Job) -> tuple[tuple[str, str, str], ...]:
    return tuple((job.account, _claim_key(each.subject, each.claim), job.id) for each in claims_of(job))


def place_of(job: Job) -> Place:
    return job.created_at, job.id


def _place_of(row: _Row) -> Place:
    return row.job.created_at, row.job.id
