"""The jobs of a memory store, and every order they are asked for in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import islice

from ...jobs import Job, Observation, normal_id
from ..parked import Label, claims_of
from ..rules import TIMELINE_LIMIT, stands_in_the_way
from ..walks import SLICE
from .due import DueJobs, Kept, OrderKey, entry_key, order_key
from .held import IdsByValue, Names


class Index:
    """Jobs by id, with an index for each question a store is asked. A hundred thousand open jobs are meant to fit."""

    def __init__(self, finished_limit: int, evicted: Callable[[Job], None]) -> None:
        self._entries: dict[str, Kept] = {}
        self._equal = IdsByValue()
        self._whole = IdsByValue()
        self._names = Names()
        self._remote = IdsByValue()
        # By what jobs without a name could claim.
        self._nameless = IdsByValue()
        # By lane, and under None all of them.
        self._open: dict[str | None, _LaneOrder] = {}
        self._due = DueJobs(self._entries)
        # Those that hold no name may go, the first that closed first; the others stay.
        self._closed: dict[str, None] = {}
        self._closed_with_name: dict[str, None] = {}
        self._finished_limit = finished_limit
        self._evicted = evicted

    def get(self, job_id: str) -> Job | None:
        entry = self._entries.get(job_id)
        return entry.job if entry else None

    def equal(self, account: str, key: str) -> Job | None:
        ids = self._equal.get(account, key) if key else ()
        return min((self._entries[each].job for each in ids), key=order_key, default=None)

    def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        jobs = (self._entries[each].job for each in (self._whole.get(account, key) if key else ()))
        settled = ((job.settled_at, *order_key(job), job) for job in jobs if job.settled_at is not None)
        return max((each for each in settled if each[0] >= since), key=lambda each: each[:3], default=(None,))[-1]

    def holder(self, account: str, name: str) -> Job | None:
        job_id = self._names.holder(account, name)
        return None if job_id is None else self.get(job_id)

    def other_holder(self, job: Job) -> Job | None:
        job_id = self._names.other_holder(job) if job.once else None
        return None if job_id is None else self.get(job_id)

    def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        ids = self._remote.get(account, normal_id(remote_id))
        if len(ids) < 2:
            return tuple([self._entries[each].job for each in ids])
        return tuple(sorted((self._entries[each].job for each in ids), key=order_key))

    def nameless(self, account: str, subject: str | None, resource: str | None) -> tuple[Job, ...]:
        ids = self._nameless.get(account, _claim_key(None if subject is None else normal_id(subject), resource))
        return tuple(sorted((self._entries[each].job for each in ids), key=order_key))

    def could_claim(self, account: str, label: Label) -> bool:
        """Whether some job could claim an observation now."""
        if label.remote_id is not None and self._remote.get(account, label.remote_id):
            return True
        return bool(self._nameless.get(account, _claim_key(label.subject, label.claim)))

    def timeline(self, job_id: str) -> tuple[Observation, ...]:
        entry = self._entries.get(job_id)
        return tuple(entry.seen or ()) if entry else ()

    def open_after(self, after: OrderKey, lane: str | None) -> list[Job]:
        order = self._open.get(lane)
        return [] if order is None else order.after(after)

    def closed_ids(self) -> list[str]:
        return sorted((*self._closed, *self._closed_with_name), key=lambda job_id: order_key(self._entries[job_id].job))

    def count(self, *, ended: bool) -> dict[str, int]:
        whose = (entry.job.account for entry in self._entries.values() if entry.job.is_open is not ended)
        return dict(Counter(whose))

    def write(self, job: Job, observation: Observation | None, *, keeps_lease: bool = False) -> None:
        entry = self._entries.get(job.id)
        if entry is None:
            entry = self._entries[job.id] = Kept(job)
            self._list(entry, None)
        else:
            before, entry.job = entry.job, job
            self._list(entry, before, keeps_lease=keeps_lease)
        if observation is not None:
            entry.seen = deque(maxlen=TIMELINE_LIMIT) if entry.seen is None else entry.seen
            entry.seen.append(observation)
        while len(self._closed) > self._finished_limit:
            job_id = next(iter(self._closed))
            self._evicted(self._entries[job_id].job)
            self.drop(job_id)

    def plan(self, job: Job) -> bool:
        """Write the next version of a job if nothing differs but when it is due; whether it did."""
        entry = self._entries.get(job.id)
        if entry is None or entry.job.version != job.version - 1 or _is_listed_otherwise(entry.job, job):
            return False
        entry.job = job
        self._due.plan(entry)
        return True

    def drop(self, job_id: str) -> bool:
        entry = self._entries.pop(job_id, None)
        if entry is None:
            return False
        job = entry.job
        if stands_in_the_way(job):
            self._equal.drop(job.account, job.key, job_id)
        if job.remote_id is not None:
            self._remote.drop(job.account, normal_id(job.remote_id), job_id)
        self._list_nameless(None, job)
        if job.is_open:
            self._close(entry, job)
        self._list_whole(None, job)
        self._names.give_back(job)
        self._closed.pop(job_id, None)
        self._closed_with_name.pop(job_id, None)
        return True

    def claim(
        self, accounts: Collection[str], now: datetime, until: datetime, limit: int, latest: datetime | None
    ) -> list[Job]:
        return self._due.claim(accounts, now, until, limit, latest)

    def first_due(self, accounts: Collection[str]) -> datetime | None:
        return self._due.first(accounts)

    def _list(self, entry: Kept, before: Job | None, *, keeps_lease: bool = False) -> None:
        """Bring every index up to an entry's job."""
        job = entry.job
        if before is None or _is_listed_otherwise(before, job):
            self._list_anew(entry, job, before)
        if before is not None and before.account != job.account:
            entry.due = None  # its place in its other account counts no more
        if entry.due is None or not (keeps_lease and job.is_open):
            self._due.plan(entry)

    def _list_anew(self, entry: Kept, job: Job, before: Job | None) -> None:
        self._list_equal(job, before)
        self._list_remote(job, before)
        self._list_nameless(job, before)
        self._list_whole(job, before)
        was_open = before is not None and before.is_open
        if before is not None and was_open and (job.lane, job.created_at) != (before.lane, before.created_at):
            self._close(entry, before)
            was_open = False
        if job.is_open != was_open:
            if was_open:
                self._close(entry, job)
            else:
                self._reopen(entry)
        if before is not None and before.once:
            self._names.give_back(before)
        self._names.take(job)
        if not job.is_open:
            here, elsewhere = self._closed, self._closed_with_name
            if job.once:
                here, elsewhere = elsewhere, here
            elsewhere.pop(job.id, None)
            here.setdefault(job.id)

    def _list_equal(self, job: Job, before: Job | None) -> None:
        new = (job.account, job.key) if stands_in_the_way(job) else None
        old = (before.account, before.key) if before is not None and stands_in_the_way(before) else None
        if new != old:
            if old is not None:
                self._equal.drop(*old, job.id)
            if new is not None:
                self._equal.add(*new, job.id)

    def _list_whole(self, job: Job | None, before: Job | None) -> None:
        if before is not None and before.key and before.is_whole:
            self._whole.drop(before.account, before.key, before.id)
        if job is not None and job.key and job.is_whole:
            self._whole.add(job.account, job.key, job.id)

    def _list_remote(self, job: Job, before: Job | None) -> None:
        if before is not None and (before.account, before.remote_id) == (job.account, job.remote_id):
            return
        new = None if job.remote_id is None else (job.account, normal_id(job.remote_id))
        old = None if before is None or before.remote_id is None else (before.account, normal_id(before.remote_id))
        if new != old:
            if old is not None:
                self._remote.drop(*old, job.id)
            if new is not None:
                self._remote.add(*new, job.id)

    def _list_nameless(self, job: Job | None, before: Job | None) -> None:
        is_new, was = job is not None and job.is_nameless, before is not None and before.is_nameless
        if not (is_new or was):
            return
        new = _claim_keys(job) if job is not None and is_new else ()
        old = _claim_keys(before) if before is not None and was else ()
        if new != old:
            for each in old:
                self._nameless.drop(*each)
            for each in new:
                self._nameless.add(*each)

    def _reopen(self, entry: Kept) -> None:
        self._closed.pop(entry.job.id, None)
        self._closed_with_name.pop(entry.job.id, None)
        for lane in (None,) if entry.job.lane is None else (None, entry.job.lane):
            order = self._open.get(lane)
            if order is None:
                order = self._open[lane] = _LaneOrder(self._entries, lane)
            order.add(entry)

    def _close(self, entry: Kept, job: Job) -> None:
        for lane in (None,) if job.lane is None else (None, job.lane):
            order = self._open[lane]
            order.drop(entry, moved=entry.job.created_at != job.created_at)
            if not order.length:
                del self._open[lane]


class _LaneOrder:
    """Open jobs of a lane in the order of their creation.

    Jobs come in about that order, so almost every insertion is an append. One that is open no more is passed over, and
    taken out once such ones are the majority: taking each out at once would move all that stand behind it.
    """

    def __init__(self, entries: dict[str, Kept], lane: str | None) -> None:
        self._known = entries
        self._lane = lane
        self._entries: list[Kept] = []
        self.length = 0

    def add(self, entry: Kept) -> None:
        self.length += 1
        if not self._entries or order_key(self._entries[-1].job) < order_key(entry.job):
            self._entries.append(entry)
            return
        at = bisect_left(self._entries, order_key(entry.job), key=entry_key)
        # One that opens again may still be in it.
        if at == len(self._entries) or self._entries[at] is not entry:
            insort(self._entries, entry, key=entry_key)

    def drop(self, entry: Kept, *, moved: bool) -> None:
        self.length -= 1
        if moved:
            self._entries.remove(entry)
        elif self.length * 2 + SLICE < len(self._entries):
            self._entries = [each for each in self._entries if self._holds(each)]

    def after(self, key: OrderKey) -> list[Job]:
        """The next jobs, at most a slice of them."""
        start = bisect_right(self._entries, key, key=entry_key)
        entries = (self._entries[index] for index in range(start, len(self._entries)))
        return [entry.job for entry in islice(filter(self._holds, entries), SLICE)]

    def _holds(self, entry: Kept) -> bool:
        job = entry.job
        return job.is_open and self._lane in (None, job.lane) and self._known.get(job.id) is entry


def _is_listed_otherwise(before: Job, job: Job) -> bool:
    """Whether anything differs of what decides where a job is listed: most writes change only when it is due."""
    return (
        before.status is not job.status
        or before.abandoned is not job.abandoned
        or before.partial is not job.partial
        or before.settled_by is not job.settled_by
        or before.remote_id != job.remote_id
        or before.superseded_by != job.superseded_by
        or before.submission != job.submission
        or before.account != job.account
        or before.key != job.key
        or before.lane != job.lane
        or before.created_at != job.created_at
        or before.once != job.once
    )


def _claim_key(subject: str | None, resource: str | None) -> str:
    return "" if subject is None else f"s{subject}" if resource is None else f"r{resource}\0{subject}"


def _claim_keys(job: Job) -> tuple[tuple[str, str, str], ...]:
    return tuple((job.account, _claim_key(each.subject, each.claim), job.id) for each in claims_of(job))
