"""What callers do: fire, wait, lose patience, cancel, stop, ask, fire again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from belvo_async._tracker import Tracker
from belvo_async.errors import (
    BelvoAsyncError,
    JobTimeoutError,
    SessionClosedError,
    StoreError,
    TransportError,
    UnsupportedError,
    VendorError,
    outcome_error,
    timeout_error,
)
from belvo_async.jobs import Job, Status
from tests.simulation.dialect import Fetch

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")

TRIES = 8


class Users:
    """One user for each task; each job has several waiters on any of the workers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[asyncio.Task[None], datetime] = {}
        self._playing = 0

    @property
    def are_done(self) -> bool:
        return self._playing == 0 and not self._waiting

    @property
    def overdue(self) -> int:
        """Waiters whose own deadline passed a minute ago."""
        late = self._world.clock.now() - timedelta(minutes=1)
        return sum(until < late for until in self._waiting.values())

    async def play(self, task: Fetch, start: float) -> None:
        """One user's afternoon."""
        self._playing += 1
        swarm = self._world.swarm
        try:
            await asyncio.sleep(start)
            if swarm.happens("stop at once"):
                self._world.act(self._stop_soon(task), "user")
            job = await self._fire(task)
            if job is None:
                return
            self._wait_for(job)
            if swarm.happens("equal task"):
                await asyncio.sleep(swarm.span(60))
                await self._join(task)
            if swarm.happens("refresh"):
                await asyncio.sleep(swarm.span(300))
                await self._ask(lambda tracker: tracker.refresh(job))
            if swarm.happens("stop"):
                await asyncio.sleep(swarm.span(300))
                await self._ask(lambda tracker: tracker.stop(job))
            if swarm.happens("abandon"):
                await asyncio.sleep(swarm.span(900))
                await self._ask(lambda tracker: tracker.abandon(job))
            if swarm.has("resubmit"):
                await self._resubmit(job)
            if swarm.happens("equal task much later"):
                await asyncio.sleep(self._until_much_later(job))
                await self._join(task)
        finally:
            self._playing -= 1

    def _until_much_later(self, job: Job) -> float:
        """Seconds to some later moment: about when its deadline passes, where that is near."""
        longest = 1500.0
        kept = self._world.store.peek(job.id)
        if kept is None or kept.deadline is None or not kept.is_open:
            return self._world.swarm.between(0, longest)
        left = (kept.deadline - self._world.clock.now()).total_seconds()
        return max(0.0, min(left, longest) + self._world.swarm.between(-5, 60))

    async def _fire(self, task: Fetch) -> Job | None:
        world = self._world
        until = world.deadline()
        if not world.swarm.happens("submit cancelled"):
            return await self._ask(lambda tracker: tracker.submit(task, deadline=until))
        tracker = world.pick_tracker()
        if tracker is not None:
            world.trace.note("user", f"fires {task.year} and is cancelled")
            firing = asyncio.ensure_future(tracker.submit(task, deadline=until))
            await asyncio.wait([firing], timeout=world.swarm.span(5))
            firing.cancel()
            await asyncio.wait([firing])
            if not firing.cancelled():
                firing.exception()
        return None

    async def _stop_soon(self, task: Fetch) -> None:
        """Stop a job while it is being submitted."""
        await asyncio.sleep(self._world.swarm.span(20))
        job = next((job for job in self._world.store.jobs() if job.task == task and job.is_open), None)
        if job is not None:
            await self._ask(lambda tracker: tracker.stop(job))

    async def _join(self, task: Fetch) -> None:
        before = {job.id for job in self._world.store.jobs() if job.task == task}
        job = await self._fire(task)
        if job is not None:
            if job.id in before and job.is_open:
                self._world.swarm.reach("joined an equal job")
            self._wait_for(job)

    async def _resubmit(self, job: Job) -> None:
        """Fire again, once, if nobody can say what became of the first."""
        swarm = self._world.swarm
        await asyncio.sleep(swarm.span(1500))
        current = self._world.store.peek(job.id)
        if current is not None and current.status is Status.UNCERTAIN and swarm.happens("resubmit"):
            until = self._world.deadline()
            again = await self._ask(lambda tracker: tracker.resubmit(current, deadline=until))
            if again is not None:
                self._wait_for(again)

    async def _ask(self, ask: Callable[[Tracker], Awaitable[T]]) -> T | None:
        """Call a tracker; try again while the store is down or the worker is closed."""
        world = self._world
        for _ in range(TRIES):
            tracker = world.pick_tracker()
            try:
                if tracker is not None:
                    return await ask(tracker)
            except (StoreError, SessionClosedError):
                world.trace.note("user", "is told to come back")
            except (UnsupportedError, VendorError, TransportError):
                return None
            await asyncio.sleep(world.swarm.between(1, 30))
        return None

    def _wait_for(self, job: Job) -> None:
        world = self._world
        for _ in range(world.swarm.chance.randint(1, 3)):
            until = world.deadline()
            waiter = world.act(self._wait(job, until), "waiter")
            self._waiting[waiter] = until
            waiter.add_done_callback(lambda done: self._waiting.pop(done, None))
            if world.swarm.happens("waiter cancelled"):
                world.loop.call_later(world.swarm.span(600), waiter.cancel)

    async def _wait(self, job: Job, until: datetime) -> None:
        world = self._world
        while world.clock.now() < until:
            tracker = world.pick_tracker()
            if tracker is None:
                await asyncio.sleep(world.swarm.between(1, 30))
                continue
            patience = until
            if world.swarm.happens("waiter impatient"):
                patience = min(until, world.clock.now() + timedelta(seconds=world.swarm.span(600)))
            try:
                outcome = await _await(tracker, job, patience)
            except SessionClosedError:
                continue
            except JobTimeoutError:
                world.checks.on_timeout(job.id, patience)
            except BelvoAsyncError as error:
                world.checks.on_outcome(job.id, f"{type(error).__name__} {getattr(error, 'code', '')}")
                return
            else:
                world.checks.on_outcome(job.id, f"{outcome.status}")
                return


async def _await(tracker: Tracker, job: Job, until: datetime) -> Job:
    """What `await handle` does."""
    watch = tracker.watch(job)
    if not await tracker.settle(watch, until=until):
        raise timeout_error(watch.job, "a while")
    error = outcome_error(watch.job)
    if error is not None:
        raise error
    return watch.job
