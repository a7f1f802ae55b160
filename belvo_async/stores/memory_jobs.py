"""The jobs of a memory store, and every order they are asked for in."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from belvo_async.jobs import Job, Observation, normal_id

from .rules import SLICE, TIMELINE_LIMIT, stands_in_the_way, to_us

__all__ = ["Shelf"]

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Row:
    job: Job
    due_us: int | None = None
    seen: deque[Observation] | None = None


class _Index(Generic[K]):
    """Which jobs share a value; values nobody has take no room."""

    def __init__(self) -> None:
        self._ids: dict[K, dict[str, None]] = {}

    def add(self, value: K, job_id: str) -> None:
        self._ids.setdefault(value, {})[job_id] = None

    def drop(self, value: K, job_id: str) -> None:
        ids = self._ids.get(value)
        if ids is None:
            return
        ids.pop(job_id, None)
        if not ids:
            del self._ids[value]

    def get(self, value: K) -> Collection[str]:
        return self._ids.get(value, {})


class Shelf:
    """Jobs by id, with an index for each question a store is asked."""

    def __init__(self, finished_limit: int) -> None:
        self._rows: dict[str, _Row] = {}
        self._equal = _Index[tuple[str, str]]()
        self._remote = _Index[tuple[str, str]]()
        # By lane, and under None all of them: (created, id), sorted. Jobs come in about the order of their creation,
        # so almost every insertion is an append.
        self._open: dict[str | None, list[tuple[int, str]]] = {}
        self._due = _DueHeaps(self._rows)
        self._closed: dict[str, None] = {}
        self._finished_limit = finished_limit

    def get(self, job_id: str) -> Job | None:
        row = self._rows.get(job_id)
        return row.job if row else None

    def equal(self, job: Job) -> Job | None:
        ids = self._equal.get((job.account, job.key)) if job.key else ()
        return min((self._rows[each].job for each in ids), key=_age, default=None)

    def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        ids = self._remote.get((account, normal_id(remote_id)))
        return tuple(sorted((self._rows[each].job for each in ids), key=_age))

    def timeline(self, job_id: str) -> tuple[Observation, ...]:
        row = self._rows.get(job_id)
        return tuple(row.seen or ()) if row else ()

    def open_after(self, after: tuple[int, str], lane: str | None) -> list[tuple[int, str]]:
        places = self._open.get(lane, [])
        start = bisect_right(places, after)
        return places[start : start + SLICE]

    def closed_ids(self) -> list[str]:
        return sorted(self._closed, key=lambda job_id: _age(self._rows[job_id].job))

    def write(self, job: Job, observation: Observation | None) -> None:
        row = self._rows.get(job.id)
        if row is None:
            row = self._rows[job.id] = _Row(job)
        else:
            self._unlist(row.job)
        row.job = job
        self._list(row)
        if observation is not None:
            row.seen = deque(maxlen=TIMELINE_LIMIT) if row.seen is None else row.seen
            row.seen.append(observation)
        while len(self._closed) > self._finished_limit:
            self.drop(next(iter(self._closed)))

    def drop(self, job_id: str) -> bool:
        row = self._rows.get(job_id)
        if row is None:
            return False
        self._unlist(row.job)
        self._closed.pop(job_id, None)
        del self._rows[job_id]
        return True

    def claim(self, accounts: Collection[str], now_us: int, until_us: int, limit: int) -> list[Job]:
        claimed: dict[str, _Row] = {}
        while len(claimed) < limit:
            first = self.first_due(accounts)
            if first is None or first[0] > now_us:
                break
            row = claimed[first[1]] = self._rows[first[1]]
            row.due_us = None
        for row in claimed.values():
            self._due.push(row, leased_us=until_us)
        return sorted((row.job for row in claimed.values()), key=lambda job: (job.next_poll, _age(job)))

    def first_due(self, accounts: Collection[str]) -> tuple[int, str] | None:
        firsts = (self._due.first(account) for account in accounts)
        return min((each for each in firsts if each is not None), default=None)

    def _list(self, row: _Row) -> None:
        job = row.job
        if stands_in_the_way(job):
            self._equal.add((job.account, job.key), job.id)
        if job.remote_id is not None:
            self._remote.add((job.account, normal_id(job.remote_id)), job.id)
        if job.is_open:
            self._closed.pop(job.id, None)
            for lane in {None, job.lane}:
                insort(self._open.setdefault(lane, []), _age(job))
        else:
            self._closed.setdefault(job.id)
        self._due.push(row)

    def _unlist(self, job: Job) -> None:
        self._equal.drop((job.account, job.key), job.id)
        if job.remote_id is not None:
            self._remote.drop((job.account, normal_id(job.remote_id)), job.id)
        if job.is_open:
            for lane in {None, job.lane}:
                self._unlist_open(job, lane)

    def _unlist_open(self, job: Job, lane: str | None) -> None:
        places = self._open[lane]
        del places[bisect_left(places, _age(job))]
        if not places:
            del self._open[lane]


class _DueHeaps:
    """Open jobs by the instant they may be claimed, one heap for each account.

    An entry counts only while its row still says the same instant; the others are dropped when they come up, or all
    together once they are the majority.
    """

    def __init__(self, rows: dict[str, _Row]) -> None:
        self._rows = rows
        self._heaps: dict[str, list[tuple[int, str]]] = {}

    def push(self, row: _Row, *, leased_us: int = 0) -> None:
        job = row.job
        due_us = max(to_us(job.next_poll), leased_us) if job.is_open and job.next_poll is not None else None
        if due_us == row.due_us:
            return
        row.due_us = due_us
        if due_us is not None:
            heapq.heappush(self._heaps.setdefault(job.account, []), (due_us, job.id))
        self._tidy(job.account)

    def first(self, account: str) -> tuple[int, str] | None:
        heap = self._heaps.get(account, [])
        while heap and not self._counts(heap[0]):
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _counts(self, entry: tuple[int, str]) -> bool:
        row = self._rows.get(entry[1])
        return row is not None and row.due_us == entry[0]

    def _tidy(self, account: str) -> None:
        heap = self._heaps.get(account, [])
        if len(heap) > 2 * len(self._rows) + SLICE:
            heap[:] = {entry for entry in heap if self._counts(entry)}
            heapq.heapify(heap)


def _age(job: Job) -> tuple[int, str]:
    return to_us(job.created_at), job.id
