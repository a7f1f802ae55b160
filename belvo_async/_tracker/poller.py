"""Polling jobs that no webhook has settled: one timer, leased batches, one list call for many jobs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec.structs import replace

from ..abc import ASIDE_FOR, EVER, Urgency, Vendor
from ..accounts import accounts_of
from ..errors import PayloadError, RateLimitError, StoreError, StoreLostError, TransportError, VendorError, name_fault
from ..jobs import (
    CLOCKS_DIFFER,
    DOWN_AFTER,
    Absent,
    Found,
    Job,
    Misread,
    Observation,
    Reported,
    Seen,
    Status,
    later,
    normal_id,
    without_inference,
)
from .attempts import LOST_AFTER
from .changes import Changes
from .context import STORE_RETRY, Context, all_of, log
from .reconciler import Reconciler
from .submitter import Submitter
from .timer import Alarm

T = TypeVar("T")

# Even with nothing due, the store is asked this often: another process may have added jobs.
POLL_EVERY: Final = timedelta(seconds=30)
# How often what other workers planned is doubted.
DOUBT_EVERY: Final = timedelta(minutes=5)
# Longer than one batched poll with all its retries; a crashed process's jobs are polled again after it.
LEASE: Final = timedelta(minutes=5)
CLAIM_LIMIT: Final = 1000
# Jobs of one poll: a list page tells about a hundred of them at once, but only the poll that reads it profits. Reading
# the list for so many takes well under a lease.
POLL_LIMIT: Final = 10_000
# Deliveries about jobs of other people or other stores pile up for ever otherwise. Belvo and Syntage both give up
# repeating long before; Syntage keeps events for 7 days.
PARKED_FOR: Final = timedelta(days=1)
# No delivery waits longer for its job where jobs are fired; only then is one dropped for an age that may be a mistake.
PARK_GRACE: Final = timedelta(minutes=30)
# Read at a time of what is dropped for its age.
DROPPED_AT_ONCE: Final = 500
PARK_TIDIED_EVERY: Final = timedelta(hours=1)
# Polls one by one, after a poll of many that went wrong in a way nobody foresaw: so many are well within a lease.
SINGLE_POLLS: Final = 20
# How long a search goes on that shows nothing but other jobs of ours; dialects say when one that shows nothing ends.
SEARCHED_FOR: Final = timedelta(minutes=2)


class Poller:
    """Claims due jobs and does for each what its status asks for: submit, find, or poll.

    Without `claims` that is left to other processes, and a round only reads again what is awaited here.
    """

    def __init__(
        self, context: Context, reconciler: Reconciler, submitter: Submitter, changes: Changes, *, claims: bool
    ) -> None:
        self._context = context
        self._store = context.store
        self._reconciler = reconciler
        self._submitter = submitter
        self._changes = changes
        self._claims = claims
        self._alarm: Alarm | None = None
        # The alarm rings at this instant at the latest, unless the clock was set since.
        self._noted_until = EVER
        self._noted_steps = 0
        self._polling = False
        self._rang = False
        self._closed = False
        self._has_lost = False
        self._store_wait = STORE_RETRY[0]
        self._parked_swept_at: float | None = None
        # In the loop's time: when this session first polled, and when it doubts again what others planned.
        self._began_at: float | None = None
        self._doubts_at = -math.inf
        self._steps: int = 0

    def note_due(self, when: datetime) -> None:
        """Be awake at `when`, as far away as it is now."""
        steps = self._context.clock.steps
        # Most are later than what was noted before: thousands of jobs in a row, or one that is just being sent.
        if self._alarm is None or steps != self._noted_steps or when < self._noted_until:
            self._wake_after(when - self._context.clock.now())
            self._noted_until, self._noted_steps = when, steps

    def _wake_after(self, span: timedelta) -> None:
        earlier = self._alarm
        due_seconds = asyncio.get_running_loop().time() + max(0.0, span.total_seconds())
        if self._closed or (earlier is not None and earlier.due_seconds <= due_seconds):
            return
        if earlier is not None:
            earlier.cancel()
        self._alarm = self._context.timer.after(span, self._ring)

    def close(self) -> None:
        """Wake no more."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _ring(self) -> None:
        self._alarm, self._noted_until = None, EVER
        self._rang = self._polling
        if not (self._polling or self._closed):
            self._polling = True
            self._context.spawn(self._poll_on(), name="round")

    async def _poll_on(self) -> None:
        # Whatever happens, somebody is awake again later: a round that dies would leave every waiter in silence.
        again = POLL_EVERY
        try:
            if self._claims:
                await self._claim()
            await self._changes.read_sometimes()
            next_due = await self._store.next_due(self._context.accounts) if self._claims else None
            again = POLL_EVERY if next_due is None else min(POLL_EVERY, next_due - self._context.clock.now())
            self._store_wait = STORE_RETRY[0]
        except StoreError as error:
            if isinstance(error, StoreLostError):
                self._note_loss()
            else:
                log.warning("the store is down; polling jobs is put off: %s", error)
            again = self._store_wait
            self._store_wait = min(self._store_wait * 2, STORE_RETRY[1])
        finally:
            self._polling = False
            # What fell due while this round ran may have come too late for it.
            self._wake_after(timedelta(0) if self._rang else again)
            self._rang = False

    def _note_loss(self) -> None:
        self._changes.lose_all()
        if not self._has_lost:
            self._has_lost = True
            log.error("the store has lost what it kept; jobs may go on at the vendors, but nobody follows them")

    async def _claim(self) -> None:
        due: list[Job] = []
        part: Sequence[Job] | None = None
        try:
            while part is None or len(part) == CLAIM_LIMIT:
                now = self._context.clock.now()
                part = await self._store.claim_due(
                    self._context.accounts, now=now, until=now + LEASE, limit=CLAIM_LIMIT, latest=self._believed(now)
                )
                due += part
                if len(due) >= POLL_LIMIT:
                    self._dispatch_all(due)
                    due = []
                # A store that need not wait would hold the loop until all are claimed.
                await asyncio.sleep(0)
        except StoreError:
            # What was claimed before is ours for the length of a lease: nobody else would poll it.
            self._dispatch_all(due)
            raise
        self._dispatch_all(due)
        self._note_claimed()
        await self._tidy_park()

    def _believed(self, now: datetime) -> datetime | None:
        """The latest instant that clocks which planned polls may have shown; None while no clock is doubted.

        They are when a session begins, when our own was set, and now and then: another worker may have planned polls by
        a wrong clock and be gone. While it is there, though, two that disagree must not race each other.
        """
        return later(now, CLOCKS_DIFFER) if self._is_time_to_doubt() else None

    def _is_time_to_doubt(self) -> bool:
        return asyncio.get_running_loop().time() >= self._doubts_at or self._context.clock.steps != self._steps

    def _note_claimed(self) -> None:
        now = asyncio.get_running_loop().time()
        self._began_at = now if self._began_at is None else self._began_at
        if self._is_time_to_doubt():
            self._doubts_at, self._steps = now + DOUBT_EVERY.total_seconds(), self._context.clock.steps

    async def _tidy_park(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._parked_swept_at is None:
            self._parked_swept_at = now
        if now - self._parked_swept_at >= PARK_TIDIED_EVERY.total_seconds():
            self._parked_swept_at = now
            await self._drop_old()

    async def _drop_old(self) -> None:
        """Unpark deliveries that nobody claimed for a day, and drop those laid aside a month ago."""
        # Right after a step of the clock everything may look old, or nothing.
        if not self._context.clock.is_steady_for(PARK_GRACE):
            return
        now = self._context.clock.now()
        for account in self._context.accounts:
            while old := await self._store.parked(account, before=now - PARKED_FOR, limit=DROPPED_AT_ONCE):
                await self._store.unpark(account, old)
        gone = await self._store.prune_aside(now - ASIDE_FOR)
        if gone:
            log.info("deliveries that could not be read were dropped for their age", extra={"count": gone})

    def _dispatch_all(self, due: Sequence[Job]) -> None:
        for vendor in self._context.vendors.values():
            mine = frozenset(accounts_of(vendor))
            self._dispatch(vendor, [job for job in due if job.account in mine])

    def _dispatch(self, vendor: Vendor, due: Sequence[Job]) -> None:
        known = [job for job in due if job.remote_id is not None]
        waiting = self._reconciler.that_may_wait(known, self._context.clock.now())
        may_wait = {job.id for job in waiting}
        asked = [job for job in known if job.id not in may_wait] if waiting else known
        if asked:
            self._context.spawn(self._poll_safely(vendor, asked), name="poll")
        if waiting:
            self._context.spawn(self._let_wait(vendor, waiting), name="poll")
        for job in due if len(known) < len(due) else ():
            if job.remote_id is None:
                self._context.spawn(self._take_on(vendor, job), name="submission")

    async def _let_wait(self, vendor: Vendor, jobs: Sequence[Job]) -> None:
        """Plan the polls of jobs anew that need none yet."""
        try:
            await self._reconciler.replay_all(vendor.account, jobs)
            await self._reconciler.plan_all(jobs, self._context.plans_from(self._context.clock.now(), polled=0))
        except StoreError as error:
            log.debug("the store is down; polls are planned later: %s", error)

    async def _take_on(self, vendor: Vendor, job: Job) -> None:
        """Go on with a submission: send it, find it, or declare it lost with the process that sent it."""
        try:
            if job.is_queued:
                await self._submitter.attempt(job, leased_until=self._context.clock.now() + LEASE)
            elif job.status is Status.SUBMITTING:
                await self._settle_lost(job)
            else:
                await self.find(vendor, job)
        except StoreError as error:
            log.warning("the store is down; a submission is put off: %s", error, extra={"job": job.id})

    async def _settle_lost(self, job: Job) -> None:
        """Settle a lost submission, unless only a wrong clock says that it takes so long: then once more as long."""
        now, planned_at = self._context.clock.now(), job.schedule.planned_at or job.created_at
        here = asyncio.get_running_loop().time() - (self._began_at or 0.0)
        # We would have seen it fall due, had its clock been ours.
        is_odd = DOWN_AFTER < now - planned_at - LOST_AFTER < timedelta(seconds=here)
        if now - planned_at >= LOST_AFTER and not is_odd and self._context.clock.is_steady_for(LOST_AFTER):
            await self._submitter.settle_lost(job)
        else:
            later_on = replace(job.schedule, next_poll=now + LOST_AFTER, planned_at=now)
            await self._reconciler.plan(job, lambda _: later_on, planned=job.schedule.next_poll)

    async def find(self, vendor: Vendor, job: Job, *, urgency: Urgency = Urgency.POLL) -> None:
        """Look for an uncertain submission: among the parked deliveries, then at the vendor."""
        job = self._reconciler.at_present(job)
        await self._reconciler.match_uncertain(vendor, job.task.subject, job.task.resource)
        try:
            search = vendor.find(job, self._context.clock.now())
            seen = await self._context.talks[vendor.name](search, urgency=urgency)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a search that went wrong is made again, whatever it was
            self._warn(vendor, error)
            await self._put_off([job], error)
        else:
            # One poll, however long after the attempt, is no search.
            if isinstance(seen, Absent) and job.submission.absent_since is None:
                seen = replace(seen, final=False)
            seen = replace(seen, job_id=job.id)
            await self._reconciler.apply(job, await self._disown(vendor, job, seen))

    async def _disown(self, vendor: Vendor, job: Job, seen: Observation) -> Observation:
        """Take a search that found only what another job of ours started for one that found nothing."""
        known = await self._store.find(vendor.account, seen.remote_id) if seen.remote_id is not None else ()
        if all(each.id == job.id for each in known):
            return seen
        final = job.submission.absent_since is not None and seen.at - job.submission.absent_since >= SEARCHED_FOR
        return Absent(way=seen.way, at=seen.at, job_id=job.id, final=final)

    async def poll(self, vendor: Vendor, jobs: Sequence[Job], *, urgency: Urgency = Urgency.POLL) -> None:
        """Ask the vendor about these jobs and take in every row it shows. Raises what the vendor or the way raised.

        A row that cannot be taken in hides no other: its job is polled again later.
        """
        with self._context.telemetry.poll(vendor.name, len(jobs)):
            await self._poll(vendor, jobs, urgency)

    async def _poll(self, vendor: Vendor, jobs: Sequence[Job], urgency: Urgency) -> None:
        now = self._context.clock.now()
        kept, jobs = jobs, self._reconciler.all_at_present(jobs, now)
        polling = vendor.poll(jobs, now)
        told = await self._context.talks[vendor.name](polling, urgency=urgency)
        # What nothing but the clock's word about a long time would end is polled once more.
        both = () if jobs is kept else zip(kept, jobs, strict=True)
        doubtful = {job.id for before, job in both if job is not before}
        seen = [without_inference(one) if one.job_id in doubtful else one for one in told]
        named = _named(seen, jobs)
        if any(isinstance(one, Found | Reported) or (isinstance(one, Seen) and one.is_a_word) for one in seen):
            self._reconciler.note_found(vendor)
        misfits = [one.misfit for one in seen if isinstance(one, Misread)]
        polled: set[str] = set()

        async def take_in(job: Job | None, one: Observation) -> None:
            try:
                if job is None:
                    await self._reconciler.observe(vendor, one)
                elif not self._reconciler.tells_nothing(job, one):
                    await self._reconciler.apply(job, one)
                    polled.add(job.id)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other rows are taken in
                misfits.append(name_fault(error))

        await all_of(named, lambda each: take_in(*each))
        if misfits:
            log.warning(
                "part of a poll could not be read (%s); the rest was taken in",
                misfits[0],
                extra={"vendor": vendor.name, "misfit": misfits[0], "count": len(misfits)},
            )
        await self._put_off([job for job in jobs if job.id not in polled] if polled else jobs, None)

    async def _poll_safely(self, vendor: Vendor, jobs: Sequence[Job]) -> None:
        try:
            try:
                await self._reconciler.replay_all(vendor.account, jobs)
                await self.poll(vendor, jobs)
            except (TransportError, VendorError, PayloadError) as error:
                self._warn(vendor, error)
                await self._put_off(jobs, error)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - a mistake in reading about one job must not stop the others
                self._warn(vendor, error)
                await self._poll_singly(vendor, jobs)
        except StoreError as error:
            text = "the store is down; what a poll showed is read again later: %s"
            log.warning(text, error, extra={"vendor": vendor.name})

    async def _poll_singly(self, vendor: Vendor, jobs: Sequence[Job]) -> None:
        """Poll some of the jobs one by one, others the next time, when a poll of all of them went wrong."""
        alone = len(jobs) == 1
        begin = int(len(jobs) * self._context.chance())
        some = [] if alone else [*jobs[begin:], *jobs[:begin]][:SINGLE_POLLS]
        for job in some:
            try:
                await self.poll(vendor, [job])
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                await self._put_off([job], error)
                if isinstance(error, RateLimitError | TransportError):
                    break
        chosen = {job.id for job in some}
        await self._put_off([job for job in jobs if job.id not in chosen], None)

    async def _put_off(self, jobs: Sequence[Job], error: Exception | None) -> None:
        """Schedule the next poll of jobs that this one told nothing about."""
        wait = error.retry_after if isinstance(error, RateLimitError | TransportError) else None
        now = self._context.clock.now()
        earliest = None if wait is None else later(now, wait)
        await self._reconciler.plan_all(jobs, self._context.plans_from(now, earliest=earliest))

    def _warn(self, vendor: Vendor, error: Exception) -> None:
        log.warning(
            "polling open jobs failed (%s); they are polled again later",
            name_fault(error),
            extra={"vendor": vendor.name, "error": type(error).__name__},
        )


def _named(seen: Sequence[Observation], jobs: Sequence[Job]) -> list[tuple[Job | None, Observation]]:
    """Each observation with the one of these jobs that it is about."""
    if not seen:
        return []
    by_id = {job.id: job for job in jobs}
    by_remote = {normal_id(job.remote_id): job for job in jobs if job.remote_id}
    return [(by_id.get(one.job_id or "") or by_remote.get(normal_id(one.remote_id or "")), one) for one in seen]
