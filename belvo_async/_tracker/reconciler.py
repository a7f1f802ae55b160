"""The one door: every observation, whatever its way, is applied here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from ..abc import EVER, Vendor
from ..errors import StoreError
from ..jobs import (
    Absent,
    Gone,
    Job,
    Later,
    Misread,
    Note,
    Nudge,
    Observation,
    Seen,
    Status,
    Verdict,
    Way,
    are_at_present,
    at_present,
    choose_adopter,
    is_at_present,
    later,
    mistrust,
    normal_id,
    reconcile,
)
from .context import Context, Planner, RecentJobs, log
from .log import tell
from .losses import Losses
from .outlook import DeliveryOutlook

# At most so much is read of what one submission might adopt: two are too many.
STRANGE_LIMIT: Final = 10

# Jobs whose next polls are written in one call.
PLANNED_AT_ONCE: Final = 1000

# At most one poll per subject is caused by deliveries in this time, however many come.
NUDGE_PAUSE: Final = timedelta(seconds=2)


class Reconciler:
    """Applies observations to jobs: compare-and-swap on the store, park what comes too early, wake who waits.

    `closed` is called with each job that left the open ones, `due` with each new instant of a next poll.
    """

    def __init__(self, context: Context, *, closed: Callable[[Job], None], due: Callable[[datetime], None]) -> None:
        self._context = context
        self._store = context.store
        self._closed = closed
        self._due = due
        # When, in the loop's time, the last poll comes that was asked for.
        self._nudged: dict[tuple[str, str], float] = {}
        self._losses = Losses(context)
        self._outlook = DeliveryOutlook(context, hasten=self._make_due)
        # Jobs that a delivery has made due: nothing puts that poll off.
        self._asked_for = RecentJobs()

    async def receive(self, vendor: Vendor, observations: Sequence[Observation]) -> None:
        """Take what a delivery said. When this returns, it is durable."""
        for seen in observations:
            await self.observe(vendor, seen)

    async def observe(self, vendor: Vendor, seen: Observation) -> None:
        """Take one observation: apply it to every job it names, or park it until that job is known."""
        if seen.remote_id is not None:
            jobs = await self._store.find(vendor.account, seen.remote_id)
            for job in jobs:
                await self._take(job, seen)
            if not jobs and seen.way is Way.WEBHOOK:
                await self._park(vendor, seen)
        elif isinstance(seen, Nudge) and seen.subject is not None:
            await self._nudge(vendor, seen.subject)

    def may_have_been_sent(self, job: Job) -> bool:
        """Whether a queued job is from before the store went back: who sent it since is not known any more."""
        return job.is_queued and job.era != self._store.era

    async def doubt(self, job: Job) -> Job:
        """Make a queued job uncertain that may have been sent; give the job as it then is."""
        return await self._apply_queued(job, mistrust(job, self._context.clock.now()))

    async def withdraw(self, job: Job, seen: Observation) -> Job:
        """Apply an observation only while the job certainly was not sent; give the job as it then is."""
        if self.may_have_been_sent(job):
            return await self.doubt(job)
        return await self._apply_queued(job, seen)

    async def _apply_queued(self, job: Job, seen: Observation) -> Job:
        return await self.apply(job, seen, only=lambda each: each.is_queued) if job.is_queued else job

    def at_present(self, job: Job, now: datetime | None = None) -> Job:
        """Bring what a job remembers into line with our clock, read just now; see `jobs.at_present`."""
        now = now or self._context.clock.now()
        if is_at_present(job, now):
            return job
        usual, planned = self._context.polling.interval(job.schedule.polls), job.schedule
        if job.remote_id is not None and planned.next_poll is not None and planned.planned_at is not None:
            # It was planned to wait longer where a delivery was expected.
            usual = max(usual, min(planned.next_poll - planned.planned_at, self._context.polling.longest))
        return at_present(job, now, usual)

    def all_at_present(self, jobs: Sequence[Job], now: datetime) -> Sequence[Job]:
        """`at_present` for many jobs, of which nearly always all are."""
        return jobs if are_at_present(jobs, now) else [self.at_present(job, now) for job in jobs]

    async def apply(self, job: Job, seen: Observation, *, only: Callable[[Job], bool] | None = None) -> Job:
        """Apply an observation to one job, again on its newer version when another writer came first.

        Of newer versions, to those that `only` names. Gives the job as it then is.
        """
        while True:
            job = self.at_present(job)
            known = job
            made, verdict = reconcile(job, seen)
            if isinstance(seen, Gone) and verdict is Verdict.ADVANCED and await self._losses.are_common(job):
                seen = Note(way=seen.way, at=seen.at, job_id=seen.job_id)
                continue
            planned = self._plan(made, seen)
            if planned == job:
                self._note(known, made, seen, verdict)
                return job
            # A poll that found nothing new moves the schedule only: it is no event for a timeline.
            changes = None if made is job else seen
            job, is_written = await self._put(planned, expected=job, seen=changes)
            if is_written:
                self._note(known, made, seen, verdict)
            if is_written or (only is not None and not only(job)):
                return job

    def tells_nothing(self, job: Job, seen: Observation) -> bool:
        """Whether an observation leaves an open job as it is, but for its next poll; what it says is noted then."""
        made, verdict = reconcile(job, seen)
        if made is not job or not job.is_open or isinstance(seen, Later):
            return False
        self._note(job, job, seen, verdict)
        return True

    async def change(
        self, job: Job, make: Callable[[Job], Job | None], *, seen: Observation | None = None, ends_lease: bool = False
    ) -> Job:
        """Write what `make` makes of a job, again of its newer version when another writer came first.

        A job of which it makes None stays as it is. Gives the job as it then is.
        """
        while (made := make(job)) is not None:
            job, is_written = await self._put(made, expected=job, seen=seen, ends_lease=ends_lease)
            if is_written:
                break
        return job

    def note_found(self, vendor: Vendor) -> None:
        """Remember that a poll met something that the vendor still knows."""
        self._losses.note_found(vendor)

    async def write(self, job: Job, *, expected: Job, seen: Observation | None = None) -> Job | None:
        """Store the next version of a job; None when written, else what stands in the way. Wakes after the write."""
        standing, is_written = await self._put(job, expected=expected, seen=seen)
        return None if is_written else standing

    async def _put(
        self, job: Job, *, expected: Job, seen: Observation | None, ends_lease: bool = False
    ) -> tuple[Job, bool]:
        """Store the next version of a job: the job as it then is, and whether it was written."""
        written = self._noted(replace(job, version=expected.version + 1), expected)
        era = self._store.era
        # Who polls the job plans its next poll. Any other writer must not end the lease: it would be polled twice.
        keeps_lease = not ends_lease and written.schedule.next_poll == expected.schedule.next_poll
        standing = await self._store.put(written, expected=expected.version, observation=seen, keeps_lease=keeps_lease)
        if standing is not None:
            return standing, False
        self._context.watches.publish(written, seen, era=era)
        if written.schedule.next_poll is not None:
            self._due(written.schedule.next_poll)
        if expected.is_open and not written.is_open:
            self._asked_for.discard(written.id)
            self._closed(written)
        if written.remote_id is not None and expected.remote_id is None:
            written = await self.replay(written)
        return written, True

    async def plan_all(self, jobs: Sequence[Job], plan: Planner) -> None:
        """Write when jobs are polled next that were claimed, and of which nothing else is to be written.

        A writer that has planned one meanwhile came first. One that changed anything else of it has left it leased.
        """
        now = self._context.clock.now()
        for begin in range(0, len(jobs), PLANNED_AT_ONCE):
            some = jobs[begin : begin + PLANNED_AT_ONCE]
            present = self.all_at_present(some, now)
            written = [replace(job, schedule=plan(job), version=job.version + 1) for job in present]
            era = self._store.era
            standing = {job.id: job for job in await self._store.put_all(written)}
            self._due(min([job.schedule.next_poll or EVER for job in written]))
            self._context.watches.publish_all([job for job in written if job.id not in standing], era=era)
            for before in some if standing else ():
                if before.id in standing:
                    await self.plan(standing[before.id], plan, planned=before.schedule.next_poll)
            # A store that need not wait would hold the loop until all are written.
            await asyncio.sleep(0)

    async def plan(self, job: Job, plan: Planner, *, planned: datetime | None) -> Job:
        """`plan_all` for one job that was claimed when its next poll was `planned`; give the job as it then is."""

        def planned_anew(job: Job) -> Job | None:
            is_done = not job.is_open or job.schedule.next_poll != planned
            return None if is_done else replace(self.at_present(job), schedule=plan(job))

        return await self.change(job, planned_anew, ends_lease=True)

    def _noted(self, job: Job, before: Job) -> Job:
        """The job in line with our clock; where its next poll is another than before, it was planned now."""
        planned = job.schedule
        if planned.next_poll is None:
            return job
        now = self._context.clock.now()
        present = self.at_present(job, now)
        if planned.next_poll == before.schedule.next_poll:
            return present
        planned_at = now if planned.planned_at == before.schedule.planned_at else present.schedule.planned_at
        return present.scheduled(next_poll=planned.next_poll, planned_at=planned_at)

    def announce(self, job: Job) -> None:
        """Tell the poller about a job that was just stored."""
        if job.schedule.next_poll is not None:
            self._due(job.schedule.next_poll)

    async def replay(self, job: Job) -> Job:
        """Apply the deliveries that came before the job's remote id was known; give the job as it then is."""
        early = await self._store.parked(job.account, job.remote_id)
        for seen in early:
            job = await self._take_parked(job, seen)
        if early:
            await self._store.unpark(job.account, early)
        return job

    async def replay_all(self, account: str, jobs: Sequence[Job]) -> None:
        """Replay what is still parked about these jobs: a process or a store may have failed before it was applied."""
        early = await self._store.parked_about(account, [job.remote_id for job in jobs if job.remote_id is not None])
        named = {normal_id(seen.remote_id) for seen in early if seen.remote_id is not None}
        for job in jobs if named else ():
            if job.remote_id is not None and normal_id(job.remote_id) in named:
                await self.replay(job)

    async def match_uncertain(self, vendor: Vendor, subject: str, resource: str) -> None:
        """Give an uncertain submission the delivery nobody else can have caused, if there is exactly one of each.

        However much is parked, only what one of them could take is read.
        """
        jobs = await self._store.nameless_jobs(vendor.account, subject=subject, resource=resource)
        if any(job.status is Status.UNCERTAIN for job in jobs):
            since = min(job.submission.attempted_at or job.created_at for job in jobs)
            match = choose_adopter(jobs, await self._strange(vendor.account, subject, resource, since))
            if match is not None:
                await self.apply(*match)

    async def _strange(self, account: str, subject: str, resource: str, since: datetime) -> list[Observation]:
        """The deliveries about jobs nobody knows: one of each job, or of the first two; none when they are too many."""
        while True:
            some = await self._store.adoptable(
                account, subject=subject, resource=resource, since=since, limit=STRANGE_LIMIT
            )
            if any(isinstance(seen, Misread) for seen in some):
                return []  # it may be about the same submission: no other is the only one then
            strange = dict[str, Observation]()
            is_clean = True
            for seen in some:
                if await self._is_taken(account, seen):
                    is_clean = False
                else:
                    strange.setdefault(normal_id(seen.remote_id or ""), seen)
                if len(strange) > 1:
                    return list(strange.values())
            if is_clean:
                return list(strange.values()) if len(some) < STRANGE_LIMIT else []

    async def _is_taken(self, account: str, seen: Observation) -> bool:
        """Whether a parked delivery has a job after all: the store failed before it was applied, or unparked."""
        jobs = await self._store.find(account, seen.remote_id or "")
        for job in jobs:
            await self._take_parked(job, seen)
        if jobs:
            await self._store.unpark(account, [seen])
        return bool(jobs)

    async def _take(self, job: Job, seen: Observation) -> Job:
        """Apply an observation, or, when it only tells to go and poll, make the job due now."""
        if isinstance(seen, Nudge):
            self._outlook.note(job, job, seen)
            return await self._ask_for(job, self._poll_after((job.account, job.id)))
        return await self.apply(job, seen)

    async def _take_parked(self, job: Job, seen: Observation) -> Job:
        try:
            return await self._take(job, seen)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - it would stand in the way of every poll at its account
            facts = {"job": job.id, "error": type(error).__name__}
            log.warning("a parked delivery could not be applied (%s); it is dropped", type(error).__name__, extra=facts)
            return job

    async def _park(self, vendor: Vendor, seen: Observation) -> None:
        await self._store.park(vendor.account, seen)
        # The job may have been recorded between the search and the parking; whoever recorded it saw an empty park.
        jobs = await self._store.find(vendor.account, seen.remote_id or "")
        for job in jobs:
            await self._take(job, seen)
        if jobs:
            await self._store.unpark(vendor.account, [seen])
            return
        self._context.telemetry.park(vendor.name)
        log.debug("a delivery about an unknown job is parked", extra={"vendor": vendor.name})
        if isinstance(seen, Seen) and seen.adoptable and seen.subject is not None and seen.resource is not None:
            await self.match_uncertain(vendor, seen.subject, seen.resource)

    async def _nudge(self, vendor: Vendor, subject: str) -> None:
        wanted = normal_id(subject)
        due = self._poll_after((vendor.account, wanted))
        async for job in self._store.open_jobs([vendor.account]):
            if normal_id(job.task.subject) == wanted and job.remote_id is not None:
                await self._ask_for(job, due)

    def _poll_after(self, key: tuple[str, str]) -> datetime:
        """When a poll that a delivery asks for may come: now, or a pause after the last one it asked for."""
        now, pause = asyncio.get_running_loop().time(), NUDGE_PAUSE.total_seconds()
        self._nudged = {each: at for each, at in self._nudged.items() if now - at < pause}
        last = self._nudged.get(key)
        due = now if last is None else last if last > now else last + pause
        self._nudged[key] = due
        return self._context.clock.now() + timedelta(seconds=due - now)

    async def _ask_for(self, job: Job, due: datetime) -> Job:
        if job.is_open:
            self._asked_for.add(job.id)
        return await self._make_due(job, due)

    def that_may_wait(self, jobs: Sequence[Job], now: datetime) -> list[Job]:
        """Those of jobs that fell due which need not be polled, as far as no delivery has made them due."""
        asked_for, waiting = self._asked_for.take(jobs), self._context.expectations.that_may_wait(jobs, now)
        return [job for job in waiting if job.id not in asked_for]

    def note_elsewhere(self, before: Job, after: Job) -> None:
        """See `DeliveryOutlook.note_elsewhere`."""
        self._outlook.note_elsewhere(before, after)

    async def _make_due(self, job: Job, due: datetime) -> Job:
        def hastened(job: Job) -> Job | None:
            is_late = job.is_open and (job.schedule.next_poll is None or job.schedule.next_poll > due)
            return job.scheduled(next_poll=due) if is_late else None

        return await self.change(job, hastened)

    def _plan(self, job: Job, seen: Observation) -> Job:
        """Set when to poll, or to submit, next."""
        if not job.is_open:
            return job if job.schedule.next_poll is None else job.scheduled(next_poll=None)
        if isinstance(seen, Later) and job.status is Status.SUBMITTING:
            # Certainly not accepted: the submission may be tried again, as if it had never been.
            again_at = seen.retry_at or self._context.due_after(job.submission.attempts)
            # What was turned away together must not come back together.
            spread = self._context.polling.first * self._context.chance()
            attempts = job.submission.attempts if seen.counts else job.submission.attempts - 1
            next_poll = later(again_at, spread)
            return job.submitted(attempted_at=None, sender=None, attempts=attempts).scheduled(next_poll=next_poll)
        if seen.way is Way.WEBHOOK and job.schedule.next_poll is not None:
            return job
        polls = 0 if seen.way is Way.ANSWER and not isinstance(seen, Absent) else job.schedule.polls + 1
        due = self._context.due_after(polls) if job.remote_id is None else self._context.poll_after(job, polls)
        return job.scheduled(polls=polls, next_poll=due)

    def _note(self, before: Job, job: Job, seen: Observation, verdict: Verdict) -> None:
        self._outlook.note(before, job, seen)
        self._context.telemetry.observe(before, job, seen, verdict)
        tell(job, seen, verdict)
