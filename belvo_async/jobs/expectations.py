"""What to expect of deliveries: whether they come, how long jobs take until then, and when a poll is due meanwhile.

Polls cost requests, and requests are what vendors count. While deliveries come, a poll is only for the one that got
lost. Nothing of this is stored: a process that begins knows nothing, and polls on the usual schedule until it is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from math import ceil
from typing import Final

from .model import Job, Way
from .polling import Polling, later, on_grid

# Of each kind of job, so many durations are remembered; a quantile of so few is enough to know the usual.
REMEMBERED: Final = 64
KINDS_AT_MOST: Final = 256
# With fewer durations than this the slow jobs are still under way: what is known is of the quick ones.
FEW: Final = 20
USUAL_SHARE: Final = 0.9
# What is usual before anything is known, and how long a delivery may come after the poll that settled its job; in
# multiples of `Polling.first`: 60 s and 16 s of two.
USUAL_FIRST: Final = 30
GRACE_FIRST: Final = 8
# So many jobs in a row without their delivery are no accident, and so many with it are none either: more, so that where
# every other is lost nobody goes to and fro.
MISSED: Final = 3
HEARD: Final = 5
# Jobs of an account that are waited for to be told of, at most; more are no more evidence.
NOTED_AT_MOST: Final = 256


class News(Enum):
    """What became known of an account's deliveries."""

    COME = "come"
    """The first has come."""
    AWAY = "away"
    """They stay away: jobs end that none told of."""
    BACK = "back"
    """They come again."""


class Expectations:
    """What is known of the deliveries of each account. Pure; `now` is the wall clock.

    They are expected of kinds of jobs that one has told the end of: some kinds no delivery ever ends.
    """

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self._accounts: dict[str, _Account] = {}
        self._kinds: dict[tuple[str, str, str], _Kind] = {}

    def hear(self, job: Job, now: datetime, *, tells_end: bool = True) -> News | None:
        """Note a delivery about a job: whether it told the end, or asked for the poll that does, or something else."""
        account = self._accounts.get(job.account)
        is_first = account is None
        if account is None:
            account = self._accounts[job.account] = _Account(since=now)
        if tells_end and job.status.is_terminal:
            kind = self._kind_of(job)
            kind.told_since = kind.told_since or now
        news = account.hear(job.id, now, tells_end=tells_end)
        return News.COME if is_first else news

    def end(self, job: Job, now: datetime) -> News | None:
        """Note the end of a job that was open until now: its duration, and whether a delivery told it."""
        if job.settled_by is Way.WEBHOOK:
            self._learn(job)
            return self.hear(job, now)
        if job.settled_by is Way.USER or job.remote_id is None or not job.status.is_terminal:
            return None
        account = self._accounts.get(job.account)
        if job.settled_by is Way.POLL and account is not None and account.was_told(job.id):
            # By the poll that a delivery has asked for.
            self._learn(job)
            return self.hear(job, now)
        if self._is_told(job) and account is not None:
            account.miss(job.id, now)
        if job.settled_by is Way.POLL and not self._is_expected(job):
            # A poll on the usual schedule sees an end soon; one for safety, long after it.
            self._learn(job)
        return None

    def ask_in_vain(self, job: Job, now: datetime) -> News | None:
        """Note a poll that told nothing at all about a job. Of one that is late it speaks against its delivery."""
        account = self._accounts.get(job.account)
        if account is None or not self._is_expected(job) or now < self._safe_at(job, now):
            return None
        return account.find_late(job.id, now, self.usual(job) + self._polling.longest)

    def review(self, job: Job, now: datetime) -> News | None:
        """Say what only time tells: a delivery that was still to come has not."""
        account = self._accounts.get(job.account)
        return None if account is None else account.review(now, self._polling.first * GRACE_FIRST)

    def due(self, job: Job, polls: int, now: datetime, *, phase: float) -> datetime:
        """When to poll a job that has been polled so often; in time before its deadline where that comes first."""
        usual = self._polling.instant(now, polls, phase=phase)
        if not self._is_expected(job):
            return usual
        margin, safe_at = self._margin(job), self._safe_at(job, now)
        due = self._polling.instant(now, polls, phase=phase, first=margin)
        if now < safe_at:
            due = on_grid(safe_at, margin / 2, phase)
        if job.deadline is not None and now < job.deadline < due:
            return max(usual, min(due, later(job.deadline, -2 * self._polling.first)))
        return max(usual, due)

    def may_wait(self, job: Job, now: datetime) -> bool:
        """Whether a poll that is due was planned before deliveries came, and would not be due had they come then."""
        planned_at = job.schedule.planned_at
        if planned_at is None or not self._is_expected(job):
            return False
        since = max(self._kinds[_kind(job)].told_since or now, self._accounts[job.account].since)
        return planned_at < since and now < self._safe_at(job, now)

    def that_may_wait(self, jobs: Sequence[Job], now: datetime) -> list[Job]:
        """Those of many jobs that may wait: none where no deliveries are expected."""
        accounts = {job.account for job in jobs}
        return [job for job in jobs if self.may_wait(job, now)] if any(map(self.expects, accounts)) else []

    def usual(self, job: Job) -> timedelta:
        """In what time nine of ten such jobs have ended, as far as is known."""
        kind = self._kinds.get(_kind(job))
        known = () if kind is None else kind.in_order
        if len(known) >= FEW:
            return known[ceil(USUAL_SHARE * len(known)) - 1]
        return max([min(self._polling.first * USUAL_FIRST, self._polling.longest), *known[-1:]])

    def _is_told(self, job: Job) -> bool:
        """Whether a delivery has ever told how such a job ended."""
        kind = self._kinds.get(_kind(job))
        return kind is not None and kind.told_since is not None

    def expects(self, account: str) -> bool:
        """Whether any deliveries of an account are expected."""
        known = self._accounts.get(account)
        return known is not None and known.is_expected

    def _is_expected(self, job: Job) -> bool:
        return self.expects(job.account) and self._is_told(job)

    def _margin(self, job: Job) -> timedelta:
        return min(self._polling.longest, max(self._polling.first, self.usual(job)))

    def _safe_at(self, job: Job, now: datetime) -> datetime:
        began = min(job.submission.attempted_at or job.created_at, now)
        return later(began, self.usual(job) + self._margin(job) / 2)

    def _learn(self, job: Job) -> None:
        began = job.submission.attempted_at
        if began is not None and job.settled_at is not None and job.settled_at >= began:
            self._kind_of(job).learn(job.settled_at - began)

    def _kind_of(self, job: Job) -> _Kind:
        name = _kind(job)
        kind = self._kinds.get(name)
        if kind is None:
            if len(self._kinds) >= KINDS_AT_MOST:
                del self._kinds[next(iter(self._kinds))]
            kind = self._kinds[name] = _Kind()
        return kind


class _Kind:
    """What is known of one kind of jobs; `told_since`: when a delivery first told the end of one."""

    def __init__(self) -> None:
        self.told_since: datetime | None = None
        self.durations = deque[timedelta](maxlen=REMEMBERED)
        # Read with each plan, of thousands of jobs in a row.
        self.in_order: Sequence[timedelta] = ()

    def learn(self, duration: timedelta) -> None:
        self.durations.append(duration)
        self.in_order = sorted(self.durations)


class _Account:
    """One account's deliveries: `since` when they are expected, and when the last came."""

    def __init__(self, *, since: datetime) -> None:
        self.is_expected = True
        self.since = since
        self.last_at = since
        # Jobs in a row without their delivery, and with it.
        self._missed = 0
        self._heard = 0
        # Settled by a poll, by when; told of already; late, and nobody knows why.
        self._unheard: dict[str, datetime] = {}
        self._told: dict[str, None] = {}
        self._late: set[str] = set()

    def hear(self, job_id: str, now: datetime, *, tells_end: bool) -> News | None:
        self.last_at = now
        self._missed = 0
        self._late.clear()
        self._unheard.pop(job_id, None)
        if tells_end and job_id not in self._told:
            self._heard += 1
            self._told[job_id] = None
            _bound(self._told)
        if self.is_expected or self._heard < HEARD:
            return None
        self.is_expected, self.since = True, now
        return News.BACK

    def was_told(self, job_id: str) -> bool:
        return job_id in self._told

    def miss(self, job_id: str, now: datetime) -> None:
        self._late.discard(job_id)
        if job_id not in self._told:
            self._unheard[job_id] = now
            _bound(self._unheard)

    def find_late(self, job_id: str, now: datetime, explained: timedelta) -> News | None:
        # While others are told of, the vendor is slow with this one.
        if now - self.last_at >= explained and job_id not in self._told and len(self._late) < NOTED_AT_MOST:
            self._late.add(job_id)
        return self._judge()

    def review(self, now: datetime, grace: timedelta) -> News | None:
        while self._unheard:
            job_id, at = next(iter(self._unheard.items()))
            # By a clock that was set back none would ever be old.
            if -grace <= now - at < grace:
                break
            del self._unheard[job_id]
            self._missed += 1
            self._heard = 0
        return self._judge()

    def _judge(self) -> News | None:
        if not self.is_expected or self._missed + len(self._late) < MISSED:
            return None
        self.is_expected = False
        self._heard = 0
        self._late.clear()
        return News.AWAY


def _bound(noted: dict[str, datetime] | dict[str, None]) -> None:
    if len(noted) > NOTED_AT_MOST:
        del noted[next(iter(noted))]


def _kind(job: Job) -> tuple[str, str, str]:
    return job.account, job.task.kind, job.task.resource
