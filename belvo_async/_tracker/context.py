"""What the tracker's parts share: its tools, and the tasks under way."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Protocol, TypeVar

from ..abc import Conversation, Permit, Store, Urgency, Vendor
from ..errors import StoreError
from ..jobs import Expectations, Job, Polling, Schedule
from ..telemetry import SILENT, Telemetry
from .clock import WatchedClock
from .timer import Timer
from .watch import Watches

T = TypeVar("T")

# When a job that was claimed is polled next.
Planner = Callable[[Job], Schedule]

log = logging.getLogger("belvo_async.jobs")

# After a fault of the store, how long until it is tried again: doubling from the first to the last.
STORE_RETRY: Final = (timedelta(milliseconds=500), timedelta(seconds=5))
# Of these tries, the fourth comes after three and a half seconds: who still waits then has waited long enough.
LATE_AFTER: Final = 4
TOLD_EVERY: Final = 12

# Other workers of the store end jobs that something is remembered of here, and nothing tells of it: of more open jobs
# than this, the earliest are treated as any other.
REMEMBERED_AT_MOST: Final = 10_000


class RecentJobs:
    """Jobs of which one thing is remembered, by id: only the latest, for others may end them unnoticed."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, job_id: str) -> None:
        """Remember a job, as the latest; beyond the bound the earliest is forgotten."""
        self._ids[job_id] = None
        self._ids.move_to_end(job_id)
        if len(self._ids) > REMEMBERED_AT_MOST:
            self._ids.popitem(last=False)

    def take(self, jobs: Sequence[Job]) -> set[str]:
        """Forget those of these jobs that are remembered, and give their ids."""
        taken = {job.id for job in jobs if job.id in self._ids} if self._ids else set[str]()
        for job_id in taken:
            del self._ids[job_id]
        return taken

    def discard(self, job_id: str) -> None:
        """Forget a job, if it is remembered."""
        self._ids.pop(job_id, None)


class Converse(Protocol):
    """Carries one conversation with one vendor: sends each request, hands back each answer.

    Asks for the permit right before a request that starts work goes out. `urgency`: which conversations go first.
    """

    def __call__(
        self, conversation: Conversation[T], *, permit: Permit | None = None, urgency: Urgency = Urgency.INTERACTIVE
    ) -> Awaitable[T]: ...


@dataclass(frozen=True)
class Context:
    """The tools a tracker is given. Nothing here knows a vendor's rules or a store's mechanism."""

    store: Store
    vendors: Mapping[str, Vendor]
    talks: Mapping[str, Converse]
    polling: Polling
    clock: WatchedClock
    chance: Callable[[], float]
    new_id: Callable[[], str]
    timer: Timer
    phase: float
    expectations: Expectations
    telemetry: Telemetry = SILENT
    watches: Watches = field(default_factory=Watches)
    tasks: set[asyncio.Task[Any]] = field(default_factory=lambda: set[asyncio.Task[Any]]())

    @property
    def accounts(self) -> list[str]:
        return [vendor.account for vendor in self.vendors.values()]

    def due_after(self, polls: int) -> datetime:
        """When something that no delivery tells is tried again for the `polls`-th time, from now."""
        return self.polling.instant(self.clock.now(), polls, phase=self.phase)

    def poll_after(self, job: Job, polls: int) -> datetime:
        """When a job that runs at the vendor is polled next, as far as deliveries about it are expected."""
        return self.expectations.due(job, polls, self.clock.now(), phase=self.phase)

    def plans_from(self, now: datetime, *, polled: int = 1, earliest: datetime | None = None) -> Planner:
        """`due_after` and `poll_after` for many jobs at one instant: what is the same for all is worked out once.

        `polled`: how often each was polled since its last plan. None is due before `earliest`.
        """
        earliest = earliest or now
        expects = cache(self.expectations.expects)

        @cache
        def usual(polls: int) -> Schedule:
            due = self.polling.instant(now, polls, phase=self.phase)
            return Schedule(polls=polls, next_poll=max(earliest, due), planned_at=now)

        def plan(job: Job) -> Schedule:
            polls = job.schedule.polls + polled
            if job.remote_id is None or not expects(job.account):
                return usual(polls)
            due = self.expectations.due(job, polls, now, phase=self.phase)
            return Schedule(polls=polls, next_poll=max(earliest, due), planned_at=now)

        return plan

    def spawn(self, work: Coroutine[object, object, T], *, name: str) -> asyncio.Task[T]:
        """Run work the tracker owns: no caller's cancellation reaches it, and `close` ends it."""
        task = asyncio.get_running_loop().create_task(work, name=f"belvo_async {name}")
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its type only: a message from elsewhere may hold anything.
            name, kind = task.get_name(), type(error).__name__
            log.error("a tracker task ended with an error (%s in %s)", kind, name, extra={"task": name, "error": kind})

    async def insist(self, write: Callable[[], Awaitable[T]], job: Job, *, late: Callable[[], None] | None = None) -> T:
        """Repeat a write that must not be lost (the vendor has answered) until the store takes it.

        `late` is called once when that has taken a while: whoever waits beside need not do so any longer.
        """
        wait, longest = STORE_RETRY
        failures = 0
        while True:
            try:
                return await write()
            except StoreError as error:
                reason = str(error)
            # Every five seconds for as long as a disk stays full: one line a minute will do.
            if failures % TOLD_EVERY == 0:
                facts = {"job": job.id, "reason": reason}
                log.warning("the store is down; a write that must not be lost waits: %s", reason, extra=facts)
            failures += 1
            if failures == LATE_AFTER and late is not None:
                late()
            await asyncio.sleep(wait.total_seconds())
            wait = min(wait * 2, longest)


# Under way at once: the store commits what arrives together in one go.
AT_ONCE: Final = 256


async def all_of(works: Collection[T], do: Callable[[T], Awaitable[object]]) -> None:
    """Do all to their ends, many at once, then raise the first error: none may outlive its round."""
    rest = iter(works)
    errors: list[BaseException] = []

    async def work() -> None:
        for each in rest:
            try:
                await do(each)
            except Exception as error:  # noqa: BLE001 - raised below, once all have ended
                errors.append(error)
            # A store that need not wait would otherwise hold the loop until all are done.
            await asyncio.sleep(0)

    # A few tasks that each do many: making a task costs as much as keeping a job.
    # Exceptions as results: else a work that was cancelled ends the waiting for all others.
    ends = await asyncio.gather(*(work() for _ in range(min(len(works), AT_ONCE))), return_exceptions=True)
    errors += [end for end in ends if end is not None]
    if errors:
        raise errors[0]
