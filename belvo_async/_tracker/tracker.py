"""The tracker as the session sees it: its parts put together, opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Self

from msgspec.structs import replace

from ..abc import Clock, Store, Urgency, Vendor
from ..discreet import Discretion
from ..errors import StoreError, UnsupportedError, lost_error
from ..jobs import NO_WISH, Expectations, Job, Observation, Polling, Status, Task, Wish, abandonment, withdrawal
from ..telemetry import SILENT, Telemetry
from .changes import Changes
from .clock import WatchedClock
from .context import Context, Converse, log
from .lanes import PROMISE_STEP
from .poller import Poller
from .presence import Presence
from .reconciler import Reconciler
from .submitter import Submitter
from .timer import Timer
from .watch import Watch, closed_error

# How long `close` lets a submission under way get its answer before it is cut off (and becomes uncertain).
CLOSE_GRACE: Final = timedelta(seconds=5)


class Tracker:
    """Reconciles jobs with answers, webhooks and polls, and wakes who waits for them."""

    def __init__(
        self,
        *,
        store: Store,
        vendors: Mapping[str, Vendor],
        talks: Mapping[str, Converse],
        polling: Polling,
        clock: Clock,
        chance: Callable[[], float],
        new_id: Callable[[], str],
        sweep: bool = True,
        telemetry: Telemetry = SILENT,
    ) -> None:
        watched = WatchedClock(clock)
        self.context = Context(
            store=store,
            vendors=vendors,
            talks=talks,
            polling=polling,
            clock=watched,
            chance=chance,
            new_id=new_id,
            timer=Timer(watched),
            phase=chance(),
            expectations=Expectations(polling),
            telemetry=telemetry,
        )
        self._store = store
        self._polls = sweep
        self._closing = False
        self.reconciler = Reconciler(self.context, closed=self._on_closed, due=self._on_due)
        self.submitter = Submitter(self.context, self.reconciler)
        self.changes = Changes(self.context, self.reconciler)
        self._presence = Presence(self.context)
        self.poller = Poller(self.context, self.reconciler, self.submitter, self.changes, claims=sweep)

    async def __aenter__(self) -> Self:
        await self._presence.begin()
        self.poller.note_due(self.context.clock.now())
        self.changes.begin(catch_up=self._polls)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Take nothing new, let submissions finish for a moment, stop the rest, wake the waiters."""
        self._closing = True
        self.poller.close()
        self.submitter.close()
        sending = {task for task in self.context.tasks if task.get_name().endswith("submission")}
        try:
            if sending:
                await asyncio.wait(sending, timeout=CLOSE_GRACE.total_seconds())
        finally:
            # Also when this call is cancelled: who closes twice wants it sooner, not by half.
            await self._stop_rest()
        await self._presence.leave()

    async def _stop_rest(self) -> None:
        rest = set(self.context.tasks)
        for task in rest:
            task.cancel()
        try:
            if rest:
                await asyncio.wait(rest)
        finally:
            self.context.timer.close()
            self.context.watches.close()

    async def submit(
        self, task: Task[Any], *, deadline: datetime, wish: Wish = NO_WISH, urgency: Urgency = Urgency.INTERACTIVE
    ) -> Job:
        """See `Submitter.submit`. The caller may be cancelled; the submission goes on."""
        self._check_open()
        return await self.submitter.submit(task, deadline=deadline, wish=wish, urgency=urgency)

    async def adopt(self, vendor_name: str, remote_id: str, task: Task[Any], *, deadline: datetime) -> Job:
        """See `Submitter.adopt`."""
        self._check_open()
        return await self.submitter.adopt(vendor_name, remote_id, task, deadline=deadline)

    async def resubmit(self, job: Job, *, deadline: datetime) -> Job:
        """See `Submitter.resubmit`."""
        self._check_open()
        return await self.submitter.resubmit(job, deadline=deadline)

    async def receive(self, vendor: Vendor, observations: Sequence[Observation]) -> None:
        """Take what a verified delivery said; durable when this returns."""
        self._check_open()
        await self.reconciler.receive(vendor, observations)

    async def set_aside(self, vendor: Vendor, body: bytes) -> None:
        """Keep an authentic delivery that could not be read."""
        self._check_open()
        await self._store.set_aside(vendor.account, body, self.context.clock.now())

    async def refresh(self, job: Job) -> Job:
        """Poll one job now. Raises what the vendor or the way raised; the job's schedule is not disturbed."""
        current = await self.current(job)
        vendor = self.context.vendors[current.vendor]
        if current.remote_id is not None and current.is_open:
            await self.poller.poll(vendor, [current], urgency=Urgency.INTERACTIVE)
        elif current.status is Status.UNCERTAIN:
            await self.poller.find(vendor, current, urgency=Urgency.INTERACTIVE)
        return await self._store.get(job.id) or current

    async def stop(self, job: Job) -> Job:
        """Ask the vendor to end a job; one that was not sent yet is withdrawn here."""
        job = await self.current(job)
        now = self.context.clock.now()
        if not job.is_open:
            return job
        if job.is_queued:
            job = await self.reconciler.withdraw(job, withdrawal(job, now))
            if not job.is_open:
                return job
        vendor = self.context.vendors[job.vendor]
        if job.remote_id is None:
            raise UnsupportedError(
                f"job {job.id} is {job.status}: the vendor's id, needed to stop it, is not known yet"
            )
        said = await self.context.talks[job.vendor](vendor.stop(job, now))
        return await self.reconciler.apply(job, said) if said is not None else job

    async def abandon(self, job: Job) -> Job:
        """Follow a job no longer: closed here, unchanged at the vendor. One that was not sent yet is withdrawn."""
        job = await self.current(job)
        now = self.context.clock.now()
        if job.is_queued:
            job = await self.reconciler.withdraw(job, withdrawal(job, now))
        elif job.is_open and job.remote_id is not None:
            # Nobody looks again for what is parked about a job that is followed no longer.
            await self.reconciler.replay(job)
            job = await self.current(job)
        return await self.reconciler.apply(job, abandonment(job, now)) if job.is_open else job

    async def promise(self, job: Job, until: datetime) -> Job:
        """See `Submitter.promise`."""
        self._check_open()
        return await self.submitter.promise(job, until)

    async def current(self, job: Job) -> Job:
        """The stored state of a job; what is known here when it was forgotten."""
        self._check_open()
        return await self._store.get(job.id) or job

    async def remark(self, job: Job, seen: Observation) -> None:
        """Add what the job's records told: data is missing. A store that is down costs the mark, not the records."""
        try:
            current = await self.current(job)
            await self.reconciler.apply(current, replace(seen, status=current.status))
        except StoreError as error:
            log.warning("the store is down; a job's partial mark is not kept: %s", error, extra={"job": job.id})

    async def forget(self, job: Job, *, keep_proof: bool = True) -> None:
        """Drop a job from the store, but for what it proves; the next in its lane may go."""
        self._check_open()
        await self._store.forget(job.id, keep_proof=keep_proof)
        self.context.watches.lose(job)
        if job.is_open:
            self._on_closed(job)

    def watch(self, job: Job) -> Watch:
        """The shared last known state of a job, kept up to date while it is held."""
        return self.context.watches.on(job)

    async def settle(self, watch: Watch, *, until: datetime) -> bool:
        """Wait until the job is over; False when `until` came first. Cancelling touches no other waiter.

        While it waits, the job stays joined and keeps its lane. Raises JobLostError when the store keeps the job no
        longer.
        """
        await self._promise(watch, until)
        # Once more when it opened again before its waiter ran: a search given up, and then found.
        while watch.job.is_open:
            self._check_open(watch)
            if not await self._wake_up(watch, until):
                await self._read_again(watch)
                break
        if watch.lost:
            raise lost_error(watch.job)
        return not watch.job.is_open

    async def _wake_up(self, watch: Watch, until: datetime) -> bool:
        waiter = watch.add_waiter()
        alarm = self.context.timer.at(until, lambda: None if waiter.done() else waiter.set_result(False))
        try:
            # Look after subscribing: what was written in between has woken nobody.
            await self._read_again(watch)
            return await waiter if watch.job.is_open else True
        finally:
            alarm.cancel()
            watch.drop_waiter(waiter)

    async def updates(self, watch: Watch) -> AsyncIterator[Observation]:
        """Every observation that changes the job, until it is over; JobLostError when the store keeps it no longer."""
        feed = watch.add_feed()
        with Discretion():
            try:
                while True:
                    while feed.pending:
                        yield feed.pending.popleft()
                    if not watch.job.is_open:
                        return
                    if watch.lost:
                        raise lost_error(watch.job)
                    self._check_open(watch)
                    await feed.wait()
            finally:
                watch.drop_feed(feed)

    async def _promise(self, watch: Watch, until: datetime) -> None:
        if watch.promised is None or until - watch.promised >= PROMISE_STEP:
            watch.promised = until
            with suppress(StoreError):  # waiting is no less worth for it
                await self.submitter.promise(watch.job, until)

    async def _read_again(self, watch: Watch) -> None:
        # While the store is down the waiter keeps waiting, and wakes when it is back.
        with suppress(StoreError):
            await self.changes.read_one(watch)

    def _check_open(self, watch: Watch | None = None) -> None:
        # A watch of a session that was closed and opened again is woken by nobody.
        if self._closing or (watch is not None and watch.closed):
            raise closed_error()

    def _on_due(self, when: datetime) -> None:
        if self._polls:
            self.poller.note_due(when)

    def _on_closed(self, job: Job) -> None:
        self.submitter.drop(job)
        if job.lane is not None and not self._closing:
            self.context.spawn(self._free_lane(job), name="lane")

    async def _free_lane(self, job: Job) -> None:
        await self.context.insist(lambda: self.submitter.release_lane(job), job)
