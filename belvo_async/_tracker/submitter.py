"""Submitting without an idempotency key: intent first, never twice, uncertain when nobody can say."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from ..abc import Urgency
from ..errors import PayloadError, StoreError, StoreLostError, TaskError, TransportError, VendorError
from ..jobs import (
    NO_WISH,
    Job,
    Later,
    Note,
    Observation,
    Schedule,
    Seen,
    Status,
    Task,
    Way,
    Wish,
    is_joined,
    is_of_task,
    joined,
    normal_id,
    shares_name,
    task_key,
    undelivered,
    withdrawal,
)
from . import attempts
from .attempts import Attempt, Attempts, LaneBusyError, RefusedError, RestoredError, begun_when_answered
from .context import Context, log
from .lanes import Lanes
from .reconciler import Reconciler
from .remote_ids import RemoteIds


class Submitter:
    """Starts jobs at the vendor. At most one submission per job leaves, and only after its intent is durable."""

    def __init__(self, context: Context, reconciler: Reconciler) -> None:
        self._context = context
        self._store = context.store
        self._reconciler = reconciler
        self._names = RemoteIds(context)
        self._lanes = Lanes(context, reconciler)
        self.attempts = Attempts(context, reconciler, take_lane=self._lanes.retake)
        # Who waits for a submission, by job: done when it is, or when the store takes its time to keep what was said.
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._closed = False

    async def submit(
        self, task: Task[Any], *, deadline: datetime, wish: Wish = NO_WISH, urgency: Urgency = Urgency.INTERACTIVE
    ) -> Job:
        """Keep the intent, then send it unless its lane is busy; an equal open job or one wished for is joined instead.

        Returns when the vendor answered, the outcome is uncertain, or, while the lane is busy, the intent is stored.
        Raises TaskError where another task has the name.
        """
        job = self._intend(task, deadline, wish)
        self.attempts.note_urgency(job, urgency)
        kept = await self._begin(job, fresh_since=wish.fresh_since)
        if kept.id != job.id:
            self.attempts.note_urgency(kept, urgency)
        return kept

    def close(self) -> None:
        """Send nothing more: what is queued stays so in the store."""
        self._closed = True
        self.attempts.close()

    def drop(self, job: Job) -> None:
        """Stop waiting for the turn of a job that ended or was forgotten."""
        self.attempts.drop(job.id)

    async def attempt(self, job: Job, *, leased_until: datetime | None = None) -> Job | None:
        """Send a queued job if its lane is free, when it has its turn. Runs on even when the caller is cancelled.

        Returns when the answer is kept, or the job queued again; or not yet, when keeping it takes its time: that goes
        on by itself. Gives what was kept; None where only the store knows. `leased_until`: how long no other worker
        claims it.
        """
        if self._closed or job.id in self.attempts:
            return None
        over = self._waiting[job.id] = asyncio.get_running_loop().create_future()
        sending = self._context.spawn(self._attempt(job, leased_until), name="submission")
        sending.add_done_callback(lambda _: self._let_go(job, over))
        try:
            await over  # not the task: that goes on when this caller is cancelled, and lives short
        finally:
            self._waiting.pop(job.id, None)
        is_over = sending.done() and not sending.cancelled() and sending.exception() is None
        return sending.result() if is_over else None

    async def adopt(self, vendor_name: str, remote_id: str, task: Task[Any], *, deadline: datetime) -> Job:
        """Track a job that was started elsewhere, or that an uncertain submission turned out to have started."""
        vendor = self._context.vendors[vendor_name]
        known = await self._store.find(vendor.account, remote_id)
        if known:
            return await self._take_up(known[0], deadline)
        now = self._context.clock.now()
        job = replace(self._intend(task, deadline), status=Status.PENDING, remote_id=remote_id)
        job = job.submitted(attempted_at=now).scheduled(next_poll=now)
        standing = await self._store.put(job, expected=None)
        if standing is not None and self._reconciler.may_have_been_sent(standing):
            standing = await self._reconciler.doubt(standing)
        if standing is not None and standing.status is Status.UNCERTAIN:
            seen = Seen(way=Way.ANSWER, at=now, status=Status.PENDING, remote_id=remote_id)
            return await self._reconciler.apply(standing, seen)
        if standing is not None:
            if normal_id(standing.remote_id or "") == normal_id(remote_id):
                return standing
            # A different run of an equal task: tracked beside it, joined by nobody.
            job = replace(job, key="")
            await self._store.put(job, expected=None)
        self._reconciler.announce(job)
        # It runs already: a lane that another job holds cannot be helped, a free one must not be used beside it.
        await self._lanes.take(job)
        await self._reconciler.replay(job)
        return await self._store.get(job.id) or job

    async def _take_up(self, job: Job, deadline: datetime) -> Job:
        """Follow a job again that was given up; of one that is followed, put the deadline off."""

        def again(job: Job) -> Job | None:
            if job.status.is_terminal or not job.abandoned:
                return None
            reopened = replace(job, abandoned=False, settled_by=None, settled_at=None, failure=None, deadline=deadline)
            return reopened.weighed(quiet=None).scheduled(next_poll=self._context.clock.now())

        return await self.promise(await self._reconciler.change(job, again), deadline)

    async def resubmit(self, job: Job, *, deadline: datetime) -> Job:
        """Submit an uncertain job once more, as a new job linked from the old one. Only users ask for this."""
        successor = self._intend(job.task, deadline, Wish(tags=job.tags))
        self.attempts.note_urgency(successor, Urgency.INTERACTIVE)
        old = await self._supersede(job, successor)
        if old.status is not Status.UNCERTAIN:
            return old  # it turned up at the vendor meanwhile: nothing is sent twice
        named = await self._store.get(old.superseded_by or "")
        return named or await self._begin(successor)

    async def promise(self, job: Job, until: datetime) -> Job:
        """See `Lanes.promise`."""
        return await self._lanes.promise(job, until)

    async def release_lane(self, job: Job) -> None:
        """Give the lane of a closed job to the oldest job that waits for it."""
        waiting = await self._lanes.give_back(job, tried=self.attempts)
        if waiting is not None and not self._closed:
            self._context.spawn(self._attempt(waiting), name="submission")

    async def settle_lost(self, job: Job) -> None:
        """Make a submission uncertain whose process ended between its first byte and its answer."""
        if job.id not in self.attempts:
            doubt = "the process ended before the answer was kept"
            seen = undelivered(job, maybe_sent=True, reason=doubt, at=self._context.clock.now())
            # Its process may live, and have just noted that nothing was sent.
            await self._reconciler.apply(job, seen, only=lambda kept: _mark(kept) == _mark(job))

    def _intend(self, task: Task[Any], deadline: datetime, wish: Wish = NO_WISH) -> Job:
        vendor, now = self._context.vendors[task.vendor], self._context.clock.now()
        return Job(
            id=wish.job_id or self._context.new_id(),
            vendor=vendor.name,
            account=vendor.account,
            task=task,
            key=task_key(vendor.account, task),
            lane=vendor.lane(task),
            once=() if wish.once is None else (wish.once,),
            tags=wish.tags,
            era=self._store.era,
            traceparent=self._context.telemetry.traceparent(),
            created_at=now,
            deadline=deadline,
            schedule=Schedule(next_poll=now + attempts.RETAKEN_AFTER, planned_at=now),
        )

    async def _begin(self, job: Job, seen: Observation | None = None, *, fresh_since: datetime | None = None) -> Job:
        """Keep the intent and send it; `seen` is the beginning of its timeline, told when it is kept."""
        try:
            standing = await self._store.put(job, expected=None, observation=seen, fresh_since=fresh_since)
        except StoreError as error:
            if not error.maybe_done:
                raise
            text = f"{error}; job {job.id} may have been kept all the same, and is sent then: {_ADVICE}"
            raise StoreError(text, maybe_done=True, job_id=job.id) from error
        if standing is not None:
            return await self._join(standing, job, fresh_since)
        if seen is not None:
            log.warning("an equal job is past its deadline; a new one is started", extra={"job": job.id})
        self._reconciler.announce(job)
        # Held meanwhile: what others of this process write after the attempt's own answer is no less what is kept.
        watch = self._context.watches.on(job)
        kept = await self.attempt(job)
        if kept is not None:
            return watch.job if watch.job.version > kept.version else kept
        try:
            return await self._store.get(job.id) or job
        except StoreError:
            return job  # it is kept and maybe sent: a failing read must not look like a failed submission

    async def _join(self, standing: Job, job: Job, fresh_since: datetime | None) -> Job:
        """Go on with a job that stands in the way; start anew when its deadline has passed."""
        is_named = shares_name(standing, job)
        if is_named and not is_of_task(standing, job):
            raise TaskError(f"the name is that of job {standing.id}, which is of another task", field="once")
        clock = self._context.clock
        # Right after a step of the clock everything may look past: joining costs a wait, starting anew money.
        is_late = standing.is_open and standing.is_past(clock.now()) and clock.is_steady_for(attempts.LOST_AFTER)
        if is_named or not is_late:
            taken = await self._take_on(standing, job)
            if taken is not None:
                return await self.promise(taken, job.deadline or standing.created_at)
            return await self._begin(job, fresh_since=fresh_since)
        old = await self._put_aside(standing, job)
        if old.is_open and old.superseded_by is None:
            # Somebody was promised to wait for it meanwhile, or it is being sent.
            return await self._join(old, job, fresh_since)
        note = f"started anew: the equal job {old.id} is past its deadline"
        return await self._begin(job, self._note(job, note), fresh_since=fresh_since)

    async def _take_on(self, standing: Job, job: Job) -> Job | None:
        """Have a job take over the names and tags of the one that joins it; None where another one is joined now."""
        while (taken := joined(standing, job)) is not None:
            newer = await self._reconciler.write(taken, expected=standing)
            if newer is None:
                return replace(taken, version=standing.version + 1)
            if newer.id != standing.id or not is_joined(newer, job):
                return None
            standing = newer
        return standing

    async def _put_aside(self, old: Job, successor: Job) -> Job:
        """Take a job past its deadline out of the way: unsent, it is withdrawn; sent, it is followed on, beside."""
        if old.is_queued:
            return await self._reconciler.withdraw(old, withdrawal(old, self._context.clock.now()))
        aside = replace(old, superseded_by=successor.id)
        note = f"past its deadline: job {successor.id} is started anew"
        standing = await self._reconciler.write(aside, expected=old, seen=self._note(old, note))
        return aside if standing is None else standing

    def _note(self, job: Job, text: str) -> Observation:
        return Note(way=Way.USER, at=self._context.clock.now(), job_id=job.id, note=text)

    async def _supersede(self, job: Job, successor: Job) -> Job:
        def given_up(job: Job) -> Job | None:
            if job.status is not Status.UNCERTAIN or job.superseded_by is not None:
                return None
            return replace(job, superseded_by=successor.id, abandoned=True).scheduled(next_poll=None)

        return await self._reconciler.change(job, given_up)

    async def _attempt(self, job: Job, leased_until: datetime | None = None) -> Job | None:
        if job.id in self.attempts:
            return None
        with self.attempts.begun(job, leased_until) as attempt:
            try:
                await self._attempt_alone(attempt)
            except StoreError as error:
                log.warning("the store is down; a submission was not sent: %s", error, extra={"job": job.id})
        return attempt.kept

    async def _attempt_alone(self, attempt: Attempt) -> None:
        job = attempt.job
        if self._reconciler.may_have_been_sent(job):
            await self._doubt(job)
            return
        attempt.lane_until = await self._lanes.take(job)
        if job.lane is not None and attempt.lane_until is None:
            await self._wait_for_lane(attempt)
            return
        await self._lanes.overtake(job)
        try:
            seen = await self._send(attempt)
        except LaneBusyError:
            await self._wait_for_lane(attempt)
            return
        except RestoredError:
            await self._doubt(attempt.job)
            return
        except RefusedError:
            await self._context.insist(lambda: self._return_lane(job), job, late=lambda: self._let_go(job))
            return
        await self._keep_surely(attempt, seen)
        if seen.status is Status.UNCERTAIN:
            await self._reconciler.match_uncertain(
                self._context.vendors[job.vendor], job.task.subject, job.task.resource
            )
        elif isinstance(seen, Later) and seen.counts:
            _warn(attempt.sent, seen)

    async def _keep_surely(self, attempt: Attempt, seen: Observation) -> None:
        job = attempt.job
        try:
            await self._context.insist(lambda: self._keep(attempt, seen), job, late=lambda: self._let_go(job))
        except asyncio.CancelledError:
            if seen.remote_id is not None:
                log.warning(
                    "the session closed before the store took the vendor's answer: adopt it, it is job %s there",
                    seen.remote_id,
                    extra={"job": job.id, "vendor": job.vendor},
                )
            raise

    def _let_go(self, job: Job, waiter: asyncio.Future[None] | None = None) -> None:
        """Let the caller of a submission go on: its handle stands for a job that is kept and sent."""
        waiter = waiter or self._waiting.get(job.id)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _keep(self, attempt: Attempt, seen: Observation) -> None:
        """Apply what was answered, unless the job was forgotten meanwhile: a write that can never be taken."""
        job = attempt.job
        try:
            await self._apply(attempt, seen)
        except StoreError as error:
            is_lost = isinstance(error, StoreLostError)
            if not is_lost and await self._store.get(job.id) is not None:
                raise
            if seen.remote_id is not None:
                facts = {"job": job.id, "vendor": job.vendor, "remote_id": seen.remote_id}
                # Whoever forgot it while it was sent meant to.
                level = logging.ERROR if is_lost else logging.INFO
                log.log(level, "a started job is kept no longer: adopt it by its remote id", extra=facts)
            self._context.watches.lose(replace(job, remote_id=seen.remote_id))

    async def _apply(self, attempt: Attempt, seen: Observation) -> None:
        """Apply what came of an attempt. That nothing came of it says nothing of another worker's."""
        told = attempt.told
        if attempt.in_doubt:
            # Another worker's mark may have the version that this one's would have had.
            kept = await self._store.get(told.id)
            if kept is None or not attempt.is_own(kept):
                return
            told = kept.submitted(attempts=told.submission.attempts)
        async with self._names.given(told, seen) as seen:
            is_final = attempt.is_marked and seen.status not in (Status.SUBMITTING, Status.UNCERTAIN)
            attempt.kept = await self._reconciler.apply(told, seen, only=None if is_final else attempt.is_own)

    async def _return_lane(self, job: Job) -> None:
        """Give the lane back that was taken for a job which closed meanwhile: nobody else would."""
        current = await self._store.get(job.id)
        if current is None or not current.is_open:
            await self.release_lane(job)

    async def _wait_for_lane(self, attempt: Attempt) -> None:
        """Come back after a while, and at the moment the holder's deadline passes."""
        job = attempt.job
        now, due = self._context.clock.now(), self._context.due_after(job.schedule.polls)
        held_until = await self._store.leased_until(job.lane) if job.lane is not None else None
        queued = Schedule(polls=job.schedule.polls + 1, next_poll=min(due, held_until or due), planned_at=now)
        attempt.kept = await self._reconciler.plan(job, lambda _: queued, planned=job.schedule.next_poll)

    async def _doubt(self, job: Job) -> None:
        """Look for a job that may have been sent before the store went back, instead of sending it."""
        # Should it run already, its lane is busy.
        await self._lanes.take(job)
        await self._reconciler.doubt(job)
        await self._reconciler.match_uncertain(self._context.vendors[job.vendor], job.task.subject, job.task.resource)

    async def _send(self, attempt: Attempt) -> Observation:
        """Send a job in its turn, and say what came of it. Raises what `Attempts.mark` does when it may not go."""
        vendor, now = self._context.vendors[attempt.job.vendor], self._context.clock.now
        try:
            with attempt.waiting():
                conversation = begun_when_answered(lambda: vendor.start(attempt.sent, now()))
                permit = partial(self.attempts.mark, attempt)
                urgency = self.attempts.urgency_of(attempt.job)
                seen = await self._context.talks[vendor.name](conversation, permit=permit, urgency=urgency)
        except StoreError:
            # Raised where a place in a budget is taken or the mark is written, which comes before the first byte.
            attempt.uncount()
            return Later(way=Way.ANSWER, at=now(), job_id=attempt.job.id, doubt="the store is down")
        except TransportError as error:
            return undelivered(attempt.sent, maybe_sent=error.maybe_sent, reason=str(error), at=now())
        except (PayloadError, VendorError) as error:
            doubt = f"the answer could not be read ({type(error).__name__})"
            return undelivered(attempt.sent, maybe_sent=True, reason=doubt, at=now())
        return replace(seen, job_id=attempt.job.id)


_ADVICE: Final = "once the store is back, fire the same task again, which joins it, or attach to it by this id"


def _mark(job: Job) -> tuple[datetime | None, str | None]:
    return job.submission.attempted_at, job.submission.sender


def _warn(job: Job, seen: Later) -> None:
    facts = {"job": job.id, "vendor": job.vendor, "attempt": job.submission.attempts}
    why, fault = seen.doubt or "no reason was given", {"fault": seen.doubt} if seen.doubt else {}
    log.warning("a submission was not accepted; it is tried again: %s", why, extra=facts | fault)
