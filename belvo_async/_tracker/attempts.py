"""Jobs on their way to the vendor: kept ours while they wait for their turn, marked as sent when they have it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec.structs import replace

from ..abc import Answer, Conversation, Urgency
from ..errors import PayloadError, StoreError, TransportError
from ..jobs import Job
from ..within import within
from .context import Context, RecentJobs, all_of, log
from .reconciler import Reconciler
from .timer import Alarm

T = TypeVar("T")

# A submission that is still unanswered this long after its first byte was lost with its process: longer than the
# longest request (a retrieval that turned out synchronous: Belvo's five minutes).
LOST_AFTER: Final = timedelta(minutes=8)

# Should this process die before a job's first byte, whoever polls after this long sends it: nothing has left yet. For
# one that waits longer it is as long as it has waited, up to the length of a lease: long queues cost few writes.
RETAKEN_AFTER: Final = timedelta(seconds=30)
RETAKEN_AFTER_AT_MOST: Final = timedelta(minutes=5)

# The connection is made and the place in the budget runs out meanwhile: a store that takes longer to note that a job is
# sent is asked again in another turn. A process that was stopped in between may come back when all is decided.
MARK_PATIENCE: Final = timedelta(seconds=10)


class RefusedError(Exception):
    """A job may not be sent: withdrawn, forgotten, sent by another worker, or the session closes."""


class LaneBusyError(Exception):
    """A job may not be sent yet: it lost its lane while it waited for its turn."""


class RestoredError(Exception):
    """A job may have been sent already: its store went back to an earlier state."""


@dataclass(eq=False)
class Attempt:
    """One job on its way.

    `job` is what is kept of it, as far as is known here, `sent` what it is at the vendor if this attempt gets there.
    `safe_until`: no other worker takes it for left behind before. `is_marked`: bytes may have left; `in_doubt`: whether
    the store has noted so is unknown, and nothing has. `kept` is what the store holds when the attempt is over, where
    that is known without asking it.
    """

    job: Job
    safe_until: datetime
    began: datetime
    lane_until: datetime | None = None
    task: asyncio.Task[None] | None = None
    sent: Job = field(init=False)
    is_waiting: bool = False
    is_marked: bool = False
    in_doubt: bool = False
    is_dropped: bool = False
    kept: Job | None = None
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    schedules: set[datetime | None] = field(init=False)

    def __post_init__(self) -> None:
        self.schedules = {self.job.schedule.next_poll}
        self.sent = self.job.submitted(attempts=self.job.submission.attempts + 1)

    @property
    def told(self) -> Job:
        """The job that what comes of the attempt is told of."""
        return self.sent if self.is_marked else self.job.submitted(attempts=self.sent.submission.attempts)

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Wait for the turn, and then for the answer, in this block."""
        self.is_waiting = True
        try:
            yield
        finally:
            self.is_waiting = False

    def uncount(self) -> None:
        """Count it not: the vendor was not even tried."""
        self.sent = self.sent.submitted(attempts=self.job.submission.attempts)

    def is_own(self, standing: Job) -> bool:
        """Whether a newer version bears the mark of this attempt, or none yet."""
        sender = standing.submission.sender
        return (sender is not None and sender == self.sent.submission.sender) or self.still_holds(standing)

    def still_holds(self, standing: Job) -> bool:
        """Whether a newer version only changed what does not matter here: the job is queued, on our own schedule."""
        is_ours = standing.schedule.next_poll in self.schedules and standing.superseded_by is None
        return standing.is_queued and standing.is_open and is_ours

    def drop(self) -> None:
        """Give it up, unless it has its turn already: then the store decides."""
        self.is_dropped = True
        if self.task is not None and self.is_waiting and not (self.is_marked or self.writing.locked()):
            self.task.cancel()


class Attempts:
    """All jobs of this worker that are on their way.

    `take_lane` takes or renews the lane of a job: until when it is its own, None when another job has it.
    """

    def __init__(
        self, context: Context, reconciler: Reconciler, *, take_lane: Callable[[Job], Awaitable[datetime | None]]
    ) -> None:
        self._context = context
        self._reconciler = reconciler
        self._take_lane = take_lane
        # Tells the mark of this worker from that of another, made at the same moment.
        self._sender = secrets.token_hex(6)
        self._by_job: dict[str, Attempt] = {}
        # Queued jobs that were fired one by one. What others left behind, and what is one of many, is bulk.
        self._hurried = RecentJobs()
        self._alarm: Alarm | None = None
        self._wakes_at: datetime | None = None
        self._closed = False

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._by_job

    def note_urgency(self, job: Job, urgency: Urgency) -> None:
        """Remember how urgent a queued job is, until it is sent. Once somebody waits for it, it stays urgent."""
        if urgency is Urgency.INTERACTIVE and job.is_queued:
            self._hurried.add(job.id)

    def urgency_of(self, job: Job) -> Urgency:
        """How urgently a job is to be sent."""
        return Urgency.INTERACTIVE if job.id in self._hurried else Urgency.BULK

    @contextmanager
    def begun(self, job: Job, leased_until: datetime | None) -> Generator[Attempt]:
        """Keep a job ours in this block; `leased_until` says how long a claim does so by itself."""
        now = self._context.clock.now()
        safe_until = max(job.schedule.next_poll or now, leased_until or now)
        attempt = Attempt(job, safe_until, now, task=asyncio.current_task())
        self._by_job[job.id] = attempt
        self._set_alarm(attempt.safe_until, now)
        try:
            yield attempt
        finally:
            del self._by_job[job.id]
            if attempt.is_marked:
                self._hurried.discard(job.id)

    def drop(self, job_id: str) -> None:
        """Stop waiting with a job that ended or was forgotten. One that is being sent goes on."""
        self._hurried.discard(job_id)
        attempt = self._by_job.get(job_id)
        if attempt is not None:
            attempt.drop()

    def close(self) -> None:
        """Send nothing more: what waits for its turn stays queued in the store."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for attempt in self._by_job.values():
            attempt.drop()

    async def mark(self, attempt: Attempt) -> None:
        """Record durably, now that a job has its turn, that its bytes may leave. Raises where they may not.

        That the job is still the one that was queued, and nobody else's, is checked by the same write.
        """
        if attempt.is_marked:
            return
        clock, loop = self._context.clock, asyncio.get_running_loop()
        came, began = clock.now(), loop.time()
        try:
            await within(MARK_PATIENCE.total_seconds(), self._mark_alone(attempt))
        except TimeoutError:
            raise StoreError("the store took too long to note that a job is sent, so it was not") from None
        # By the wall clock as well: the other stands still in a machine that sleeps.
        took = max(timedelta(seconds=loop.time() - began), clock.now() - came)
        if took >= MARK_PATIENCE:
            raise StoreError("too late to send a job: whether it was lost may be decided")
        attempt.is_marked, attempt.in_doubt = True, False

    async def _mark_alone(self, attempt: Attempt) -> None:
        async with attempt.writing:
            await self._write_mark(attempt)

    async def _check_lane(self, attempt: Attempt, now: datetime) -> None:
        """See that the lane is still the job's, and until its deadline, which may have been put off."""
        held_until, deadline = attempt.lane_until, attempt.job.deadline
        if held_until is None or now < held_until >= (deadline or held_until):
            return
        attempt.lane_until = await self._take_lane(attempt.job)
        if attempt.lane_until is None:
            raise LaneBusyError

    async def _write_mark(self, attempt: Attempt) -> None:
        while True:
            if self._closed or attempt.is_dropped:
                raise RefusedError
            if self._reconciler.may_have_been_sent(attempt.job):
                raise RestoredError
            await self._check_lane(attempt, self._context.clock.now())
            now = self._context.clock.now()
            job = self._reconciler.at_present(attempt.job, now)
            marked = job.submitted(attempted_at=now, attempts=job.submission.attempts + 1, sender=self._sender)
            marked = marked.scheduled(polls=0, next_poll=now + LOST_AFTER, planned_at=now)
            attempt.sent = replace(marked, version=job.version + 1)
            attempt.in_doubt = True
            standing = await self._reconciler.write(marked, expected=attempt.job)
            # A store may find our own write in the way when it had to repeat it.
            if standing is None or standing == attempt.sent:
                await self._check_era(attempt)
                return
            attempt.in_doubt = False
            if not attempt.still_holds(standing):
                raise RefusedError
            attempt.job = standing

    async def _check_era(self, attempt: Attempt) -> None:
        """Take the mark back if its writing showed that the store went back: nothing has left yet."""
        job, marked = attempt.job, attempt.sent
        if marked.era == self._context.store.era:
            return
        unmarked = marked.submitted(attempted_at=None, attempts=job.submission.attempts, sender=None)
        standing = await self._reconciler.write(unmarked, expected=marked)
        attempt.job, attempt.in_doubt = standing or replace(unmarked, version=marked.version + 1), False
        raise RestoredError

    def _set_alarm(self, safe_until: datetime, now: datetime) -> None:
        """Be awake before a job looks left behind; however little time is left, the store is given some of it."""
        when = max(safe_until - RETAKEN_AFTER / 3, now + RETAKEN_AFTER / 6)
        if self._closed or (self._wakes_at is not None and self._wakes_at <= when):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._wakes_at = when
        self._alarm = self._context.timer.at(when, self._ring)

    def _ring(self) -> None:
        self._alarm = self._wakes_at = None
        self._context.spawn(self._renew_all(), name="queue")

    async def _renew_all(self) -> None:
        try:
            now = self._context.clock.now()
            # What is safe for longer than was ever said was so by a clock that has been set back.
            soon, longest = now + RETAKEN_AFTER / 2, now + RETAKEN_AFTER_AT_MOST
            due = [each for each in self._by_job.values() if not soon < each.safe_until <= longest]
            await all_of(due, self._renew)
        finally:
            waiting = [each.safe_until for each in self._by_job.values() if not each.is_marked]
            if waiting:
                self._set_alarm(min(waiting), self._context.clock.now())

    async def _renew(self, attempt: Attempt) -> None:
        """Keep a job that waits for its turn from looking left behind. One that another worker took is dropped."""
        if attempt.is_marked or attempt.is_dropped or attempt.writing.locked():
            return
        try:
            async with attempt.writing:
                await self._write_renewal(attempt)
            attempt.is_dropped = attempt.is_dropped or self._reconciler.may_have_been_sent(attempt.job)
        except StoreError as error:
            log.debug("the store is down; a queued job may be taken over: %s", error, extra={"job": attempt.job.id})
        if attempt.is_dropped:
            attempt.drop()

    async def _write_renewal(self, attempt: Attempt) -> None:
        now = self._context.clock.now()
        until = now + min(max(now - attempt.began, RETAKEN_AFTER), RETAKEN_AFTER_AT_MOST)
        if attempt.lane_until is not None and attempt.lane_until <= until:
            # Where another job has it by now, this one is told when it has its turn.
            attempt.lane_until = await self._take_lane(attempt.job) or attempt.lane_until
        attempt.schedules.add(until)
        while True:
            renewed = self._reconciler.at_present(attempt.job).scheduled(next_poll=until, planned_at=now)
            standing = await self._reconciler.write(renewed, expected=attempt.job)
            if standing is None:
                attempt.job, attempt.safe_until = replace(renewed, version=attempt.job.version + 1), until
                return
            if not attempt.still_holds(standing):
                attempt.is_dropped = True
                return
            attempt.job = standing


def begun_when_answered(begin: Callable[[], Conversation[T]]) -> Conversation[T]:
    """Hold a conversation whose present is that of its first answer: its first request may have waited long.

    So what an answer asks for (come back in a minute) counts from then. `begin` gives the same first request each time.
    """
    conversation, is_early = begin(), True
    try:
        request = next(conversation)
        while True:
            said: Answer | TransportError | PayloadError
            try:
                said = yield request
            except (TransportError, PayloadError) as failure:
                said = failure
            if is_early:
                conversation.close()
                conversation, is_early = begin(), False
                next(conversation)
            request = conversation.send(said) if isinstance(said, Answer) else conversation.throw(said)
    except StopIteration as end:
        learned: T = end.value
        return learned
    finally:
        conversation.close()
