"""The invariants, checked while the world runs and when it has come to rest."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from belvo_async._tracker import Tracker
from belvo_async.abc import Request
from belvo_async.errors import SessionClosedError, StoreError
from belvo_async.jobs import Job, Status, Way, normal_id
from belvo_async.stores.memory.store import MemoryStore
from tests.simulation.dialect import WORDS, MuteFetch
from tests.simulation.server import Run

if TYPE_CHECKING:
    from tests.simulation.world import World

CLOSE_SECONDS = 60.0
# A replay that the store refused comes with the next poll, one lease and one poll later at most.
REPLAY_SECONDS = 1200.0
# A worker learns within a sweep what another one wrote; then come the latencies of the store.
NEWS_SECONDS = 45.0


class Checks:
    """Watches a world. Every method notes broken rules in the trace."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._trace = world.trace
        self._sent: Counter[str] = Counter()
        self._accepted: dict[str, list[Run]] = defaultdict(list)
        self._outcomes: dict[str, set[str]] = defaultdict(set)
        self._closing: list[asyncio.Task[Tracker | Exception | None]] = []

    def before_send(self, request: Request) -> None:
        """I1, I2: a durable intent with its attempt precedes the first byte."""
        job_id = dict(request.headers).get("job")
        if request.target != "/jobs" or job_id is None:
            return
        job = self._world.store.peek(job_id)
        self._trace.check(
            job is not None and job.submission.attempted_at is not None, f"{job_id}: sent before it was kept"
        )
        self._trace.check(job is None or job.status is Status.SUBMITTING, f"{job_id}: sent while {job and job.status}")

    def on_accept(self, run: Run) -> None:
        """I2: at most one accepted submission of a job; and one open request in a lane."""
        now = self._world.clock.now()
        self._trace.check(not self._accepted[run.job_id], f"{run.job_id}: accepted twice")
        self._accepted[run.job_id].append(run)
        for other in self._world.server.runs.values():
            job = self._world.store.peek(other.job_id)
            if not other.is_open(now) or job is None or not job.is_open or self._was_fired_again(run):
                continue
            # Past its deadline a job is joined by nobody.
            is_joined = job.superseded_by is None
            self._trace.check(
                not (is_joined and other.task == run.task), f"{run.job_id} and {job.id}: equal tasks run at once"
            )
            is_same_lane = isinstance(run.task, MuteFetch) and isinstance(other.task, MuteFetch)
            is_same_lane = is_same_lane and other.task.owner == run.task.owner
            is_held = job.deadline is not None and job.deadline > now + timedelta(seconds=30)
            self._trace.check(not (is_same_lane and is_held), f"{run.job_id} and {job.id}: two requests in one lane")

    def on_outcome(self, job_id: str, outcome: str) -> None:
        """I5, and "woken after the write": what a waiter is told is durable, and the same for all."""
        self._trace.note("waiter", f"{job_id}: {outcome}")
        job = self._world.store.peek(job_id)
        is_over = job is not None and not job.is_open
        was_over = job_id in self._world.store.ended_at
        self._trace.check(is_over or was_over, f"{job_id}: a waiter woke before the end was kept")
        # These are no ends: the vendor's own word may come later, and then it counts.
        if not outcome.startswith(("SubmissionUncertain", "JobAbandoned", "JobUnconfirmed")):
            self._outcomes[job_id].add(outcome)
            self._trace.check(len(self._outcomes[job_id]) == 1, f"{job_id}: waiters were told {self._outcomes[job_id]}")

    def on_timeout(self, job_id: str, until: datetime) -> None:
        """A timeout comes at its time, and not when the job had ended before."""
        world = self._world
        self._trace.check(world.clock.now() >= until, f"{job_id}: a waiter timed out early")
        job = world.store.peek(job_id)
        ended_at = world.store.ended_at.get(job_id)
        if world.swarm.on or job is None or job.is_open or ended_at is None:
            return
        is_old = world.loop.time() - ended_at > NEWS_SECONDS
        self._trace.check(not is_old, f"{job_id}: a waiter timed out though the job had ended")

    def all_settled(self) -> bool:
        """Whether nothing is left that could still happen by itself."""
        return all(not job.is_open or self._is_silent(job) for job in self._world.store.jobs())

    def at_rest(self) -> None:
        """L1, L3, truth, acknowledged deliveries, bounds: when faults have stopped for long."""
        world = self._world
        for job in world.store.jobs():
            self._trace.check(not job.is_open or self._is_silent(job), f"{job.id}: still {job.status} at the end")
            self._check_truth(job)
        for job in world.store.jobs():
            self._check_delivery(job)
        self._trace.check(world.users.overdue == 0, "a waiter hangs")
        self._trace.check(world.store.parked_now() <= world.postman.count, "more is parked than was delivered")
        minutes = world.loop.time() / 60
        most = 40 * len(world.store.history) + 2 * minutes + world.postman.count
        self._trace.check(world.server.reads <= most, f"{world.server.reads} polls of vendors")

    def _check_delivery(self, job: Job) -> None:
        """I6, I10: an end that was answered 2xx ends its job, soon after both are known."""
        world = self._world
        accepted_at = world.postman.accepted.get(normal_id(job.remote_id or ""))
        if accepted_at is None:
            return
        late = max(accepted_at, world.store.known_at[job.id]) + REPLAY_SECONDS
        ended_at = world.store.ended_at.get(job.id, world.loop.time())
        self._trace.check(job.status.is_terminal and ended_at <= late, f"{job.id}: an accepted delivery was lost")

    def is_quiet(self, tracker: Tracker) -> None:
        """L5: nothing starts in a tracker that was closed."""
        self._trace.check(not tracker.context.tasks, "a closed tracker goes on working")

    async def close_in_time(self, tracker: Tracker) -> None:
        """L5: closing ends within its bound."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await tracker.__aexit__()
        except TimeoutError:
            self._trace.check(False, "closing takes for ever")
        self._trace.check(not tracker.context.tasks, "a closed tracker has tasks left")

    async def waiters_at_close(self) -> list[asyncio.Task[str]]:
        """Wait for a job nobody will ever end, on each worker."""
        endless = Job(
            id="endless",
            vendor="open",
            account="open.test#1",
            task=MuteFetch(owner="a"),
            created_at=self._world.clock.now(),
            status=Status.PENDING,
        )
        # Past the shaky part: a job that is not kept would be told to be lost.
        await MemoryStore.put(self._world.store, endless, expected=None)
        until = self._world.clock.now() + timedelta(days=1)
        return [
            self._world.loop.create_task(_end_of_wait(tracker, endless, until))
            for tracker in self._world.trackers
            for _ in range(2)
        ]

    async def after_close(self, waiters: list[asyncio.Task[str]]) -> None:
        """L5: waiters are told, nothing is left running."""
        await asyncio.sleep(1)
        for waiter in waiters:
            told = waiter.result() if waiter.done() else "nothing"
            self._trace.check(told == "SessionClosedError", f"a waiter at the close was told {told}")
            waiter.cancel()
        left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("belvo_async")]
        self._trace.check(not left, f"tasks outlive their tracker: {left}")

    def _was_fired_again(self, run: Run) -> bool:
        job = self._world.store.peek(run.job_id)
        return job is not None and job.superseded_by is not None

    def _has_unknown_twin(self, run: Run) -> bool:
        world = self._world
        known = {normal_id(job.remote_id) for job in world.store.jobs() if job.remote_id is not None}
        return any(
            other.task == run.task and other.end == "done" and normal_id(other.remote_id) not in known
            for other in world.server.runs.values()
        )

    def _is_silent(self, job: Job) -> bool:
        """Whether the vendor will never say more, so that the job rightly stays open: its waiters time out."""
        if job.remote_id is None:
            return False
        run = self._world.server.runs.get(normal_id(job.remote_id))
        if not isinstance(job.task, MuteFetch):
            return run is not None and self._is_lost_with_others(run)
        return run is None or run.end != "done" or run.ended_at > self._world.clock.now()

    def _is_lost_with_others(self, run: Run) -> bool:
        """Whether the vendor knows none of the jobs it is asked about: that is taken for a way that leads elsewhere."""
        now = self._world.clock.now()
        lost = [each for each in self._world.server.runs.values() if each.is_lost(now)]
        return run in lost and len({each.task.owner for each in lost}) > 1

    def _check_truth(self, job: Job) -> None:
        runs = self._accepted[job.id]
        self._trace.check(
            not (runs and job.status is Status.REJECTED), f"{job.id}: called refused, but the vendor accepted it"
        )
        if job.remote_id is None:
            return
        run = self._world.server.runs[normal_id(job.remote_id)]
        # Of a run that nobody knows nobody can say whose the rows are that it brought.
        excused = run.lost_at is not None or (job.settled_by is Way.INFERENCE and self._has_unknown_twin(run))
        if job.status.is_terminal and not excused:
            self._trace.check(WORDS[run.end] is job.status, f"{job.id}: {job.status}, at the vendor {run.end}")
        owner = self._world.store.peek(run.job_id)
        # A silent vendor's delivery names no submission: one whose search was given up cannot be told apart from ours.
        is_orphan = owner is None or owner.abandoned or owner.superseded_by is not None
        # Nor can that of one whose owner took an orphan for its own.
        is_orphan = is_orphan or (owner is not job and normal_id(owner.remote_id or "") != normal_id(run.remote_id))
        self._trace.check(run.task == job.task or is_orphan, f"{job.id}: is tracked as another task's job")
        self._trace.check(not runs or run is runs[0] or is_orphan, f"{job.id}: tracks another run than its own")


async def _end_of_wait(tracker: Tracker, job: Job, until: datetime) -> str:
    try:
        await tracker.settle(tracker.watch(job), until=until)
    except (SessionClosedError, StoreError) as error:
        return type(error).__name__
    return "the end"
