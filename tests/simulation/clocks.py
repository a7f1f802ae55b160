"""One seeded history of clocks: workers whose clocks are wrong, are set, jump for seconds; machines that sleep; kills.

Vendors and checks live in true time. No webhook comes: polls alone must find every end, and conclude nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer, Permit, Request
from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Polling, Status, Way, normal_id
from tests.simulation.budgets import OwnClock
from tests.simulation.dialect import WORDS, Fetch, MuteFetch, MuteVendor, OpenFetch, OpenVendor
from tests.simulation.loop import SimulationLoop, simulation_loop
from tests.simulation.network import Network
from tests.simulation.server import Run, Server
from tests.simulation.store import OpenStore
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace
from tests.virtual_time import VirtualClock

# Clocks are set, and jobs fired, for this long; then all must come to its end.
BUSY_SECONDS = 3600.0
DEADLINE = timedelta(hours=8)
# A poll is at most five minutes after the one before, and found due within half a minute. One whose worker was killed
# comes when its lease ends, five minutes later.
LONGEST_SILENCE = 420.0
AFTER_A_KILL = 330.0
# Ten minutes of equal polls, but for half a minute that a step may count for, and once more.
LEAST_EVIDENCE = 500.0
# Of the two minutes of a search, workers whose clocks disagree may count more than passed.
LEAST_SEARCH = 60.0
# Polls of vendors for each job, within three hours, even where workers whose clocks disagree all poll.
MOST_POLLS = 250
STEPS = [timedelta(seconds=seconds) for seconds in (-86_400, -3_600, -600, -45, 45, 600, 3_600, 86_400)]


class Remembering(OpenStore):
    """The store of all workers, which tells the checks of each write."""

    def __init__(self, world: ClockWorld) -> None:
        super().__init__()
        self._world = world

    async def put(self, job: Job, **options: Any) -> Job | None:
        before = self.peek(job.id)
        standing = await super().put(job, **options)
        if standing is None:
            self._world.on_write(before, job)
        return standing


class SureReads(Network):
    """Only submissions meet faults: a poll that fails by itself is no poll too late."""

    async def exchange(self, vendor: str, request: Request, permit: Permit | None) -> Answer:
        if request.method == "POST":
            return await super().exchange(vendor, request, permit)
        await asyncio.sleep(self._swarm.span(2))
        return self._server.answer(vendor, request)


class OwnWay:
    """One worker's way to the store: some latency, and nothing once it was killed."""

    def __init__(self, store: Remembering, chance: random.Random) -> None:
        self._store = store
        self._chance = chance
        self.is_cut = False

    def __getattr__(self, name: str) -> Any:
        do = getattr(self._store, name)
        if not inspect.iscoroutinefunction(do):
            return do

        async def call(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(0.05 * self._chance.random())
            if self.is_cut:
                raise StoreError("this worker is dead")
            return await do(*args, **options)

        return call


async def kill(tracker: Tracker) -> None:
    """End all that a tracker does, without its leave."""
    context = tracker.context
    rest = set(context.tasks)
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest)
    context.timer.close()
    context.watches.close()


@dataclass
class Worker:
    """A process on a machine of its own."""

    clock: OwnClock
    store: OwnWay
    tracker: Tracker


class ClockWorld:
    """Everything of one seed."""

    def __init__(self, seed: int, loop: SimulationLoop, spoil: Callable[[Tracker], None] | None = None) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.true = VirtualClock(loop)
        self.swarm = Swarm(seed)
        self.swarm.rates = {"answer lost": 0.15, "request lost": 0.1, "list lags": 0.3}
        self.trace = Trace(loop)
        self.hits = self.swarm.hits
        self.server = Server(self.true, self.swarm, self.trace, self._on_accept)
        self.store = Remembering(self)
        self._network = SureReads(self.server, self.swarm, self.trace, lambda _request: None, self._dawdle)
        self._spoil = spoil
        self._ids = itertools.count(1)
        self._posts: Counter[str] = Counter()
        self._since: dict[tuple[str, Status], float] = {}
        self._ended: dict[str, float] = {}
        self._killed_at = -1e9
        self._is_crooked = False
        self.workers: list[Worker] = []

    async def play(self) -> None:
        """Run the history to its end and check it."""
        async with self.store:
            for _ in range(self.chance.choice((1, 1, 2, 3))):
                error = self.chance.choice(STEPS) if self.chance.random() < 0.3 else timedelta(0)
                self._is_crooked |= bool(error)
                self.workers.append(await self._open(error))
            async with asyncio.TaskGroup() as group:
                for number in range(self.chance.randint(1, 6)):
                    group.create_task(self._user(number))
                for _ in range(self.chance.randint(1, 4)):
                    group.create_task(self._fate())
                watching = self.loop.create_task(self._watch())
            await asyncio.sleep(2 * 3600)
            watching.cancel()
            self._check_rest()
            for worker in self.workers:
                await worker.tracker.__aexit__()

    async def _open(self, error: timedelta) -> Worker:
        # Its machine slept whenever all did.
        clock = OwnClock(self.loop, self.true.now() - timedelta(seconds=self.loop.time()))
        clock.error = error
        store = OwnWay(self.store, self.chance)
        tracker = Tracker(
            store=store,  # type: ignore[arg-type]
            vendors={"open": OpenVendor(), "mute": MuteVendor()},  # type: ignore[dict-item]
            talks={name: self._network.talk_with(name) for name in ("open", "mute")},  # type: ignore[dict-item]
            polling=Polling(),
            clock=clock,
            chance=self.chance.random,
            new_id=lambda: f"job{next(self._ids)}",
        )
        if self._spoil is not None:
            self._spoil(tracker)
        return Worker(clock, store, await tracker.__aenter__())

    async def _dawdle(self) -> None:
        """At times a vendor takes its time."""
        await asyncio.sleep(self.swarm.span(90) if self.chance.random() < 0.1 else 0)

    # What happens

    async def _user(self, number: int) -> None:
        await asyncio.sleep(self.chance.uniform(0, BUSY_SECONDS / 2))
        kind: type[Fetch] = self.chance.choice((OpenFetch, OpenFetch, MuteFetch))
        task = kind(owner=self.chance.choice("ab"), year=2000 + number)
        worker = self.chance.choice(self.workers)
        try:
            job = await worker.tracker.submit(task, deadline=worker.clock.now() + DEADLINE)
            self.loop.create_task(self._wait(worker, job))
        except StoreError:
            self.hits["killed while firing"] += 1

    async def _wait(self, worker: Worker, job: Job) -> None:
        span = timedelta(seconds=self.chance.uniform(60, 3600))
        began = self.loop.time()
        try:
            if await worker.tracker.settle(worker.tracker.watch(job), until=worker.clock.now() + span):
                return
        except Exception:
            return
        waited = self.loop.time() - began
        self.trace.check(abs(waited - span.total_seconds()) < 2, f"{job.id}: waited {waited:.0f} s for {span}")

    async def _fate(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, BUSY_SECONDS))
        worker = self.chance.choice(self.workers)
        what = self.chance.choice((self._set, self._set, self._jump, self._sleep, self._restart))
        self.hits[what.__name__.strip("_")] += 1
        self.trace.note("fate", what.__name__)
        await what(worker)

    async def _set(self, worker: Worker) -> None:
        """A clock is set: wrong, or right again."""
        worker.clock.error = timedelta(0) if worker.clock.error else self.chance.choice(STEPS)
        self._is_crooked = True

    async def _jump(self, worker: Worker) -> None:
        """A clock is wrong for seconds."""
        before, worker.clock.error = worker.clock.error, self.chance.choice(STEPS)
        await asyncio.sleep(self.chance.uniform(1, 60))
        worker.clock.error = before

    async def _sleep(self, _worker: Worker) -> None:
        """All machines sleep: their loops stand still, the vendor's work goes on."""
        by = timedelta(hours=self.chance.choice((1, 8, 60)))
        for clock in (self.true, *(worker.clock for worker in self.workers)):
            clock.step(by)

    async def _restart(self, worker: Worker) -> None:
        """A worker is killed; another comes, whose clock is right."""
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        worker.store.is_cut = True
        self._killed_at = self.loop.time()
        await kill(worker.tracker)
        self.workers.append(await self._open(timedelta(0)))

    # What must hold

    def _on_accept(self, run: Run) -> None:
        self._posts[run.job_id] += 1
        self.trace.check(self._posts[run.job_id] == 1, f"{run.job_id}: accepted twice")

    def on_write(self, before: Job | None, job: Job) -> None:
        now = self.loop.time()
        self.trace.note(
            "store", f"{job.id} v{job.version} {job.status} {job.schedule.next_poll} {job.schedule.planned_at}"
        )
        self._since.setdefault((job.id, job.status), now)
        if before is not None and before.is_open and not job.is_open:
            self._check_end(job, now)
        is_lost = job.status is Status.UNCERTAIN and "process ended" in (job.submission.doubt or "")
        if is_lost and before is not None and before.status is Status.SUBMITTING:
            self.hits["lost"] += 1
            # Who has just come, to a worker whose clock was always wrong, may be mistaken.
            is_excused = self._killed_at > -1e9 or self._is_crooked
            self.trace.check(is_excused, f"{job.id}: lost, but nobody was killed")

    def _check_end(self, job: Job, now: float) -> None:
        if job.abandoned:
            self.hits["given up"] += 1
            is_uncertain = job.status is Status.UNCERTAIN
            since = self._since.get((job.id, job.status), now)
            least = LEAST_SEARCH if is_uncertain else LEAST_EVIDENCE
            self.trace.check(now - since >= least, f"{job.id}: given up after {now - since:.0f} s")
            return
        if job.remote_id is None:
            return
        run = self.server.runs[normal_id(job.remote_id)]
        self.hits[f"ended by {job.settled_by}"] += 1
        if job.settled_by is Way.INFERENCE:
            since = self._since.get((job.id, Status.PENDING), now)
            self.trace.check(
                now - since >= LEAST_EVIDENCE, f"{job.id}: inferred to have ended after {now - since:.0f} s"
            )
        else:
            self.trace.check(WORDS[run.end] is job.status, f"{job.id}: {job.status}, at the vendor {run.end}")

    async def _watch(self) -> None:
        """No end stays unseen for longer than polls may be apart."""
        while True:
            await asyncio.sleep(5)
            now, true = self.loop.time(), self.true.now()
            for run in self.server.runs.values():
                if not run.is_open(true):
                    self._ended.setdefault(run.remote_id, now)
            for job in self.store.jobs():
                ended = self._ended.get(normal_id(job.remote_id or ""))
                if job.is_open and ended is not None and isinstance(job.task, OpenFetch):
                    silence = now - max(ended, self._killed_at + AFTER_A_KILL)
                    self.trace.check(silence < LONGEST_SILENCE, f"{job.id}: not polled")

    def _check_rest(self) -> None:
        for job in self.store.jobs():
            kept = job.remote_id is not None and isinstance(job.task, OpenFetch)
            self.trace.check(not (job.is_open and kept), f"{job.id}: still {job.status} at the end")
            is_sent = job.remote_id is not None or not job.is_open or isinstance(job.task, MuteFetch)
            self.trace.check(is_sent, f"{job.id}: still {job.status}, never sent or found")
        most = MOST_POLLS * len(self.store.jobs())
        self.trace.check(self.server.reads <= most, f"{self.server.reads} polls of vendors")


def run_clock_seed(seed: int, spoil: Callable[[Tracker], None] | None = None) -> ClockWorld:
    """Run one seed on a loop of its own."""

    async def play() -> ClockWorld:
        world = ClockWorld(seed, loop, spoil)
        await world.play()
        return world

    with simulation_loop(seed) as loop:
        world: ClockWorld = loop.run_until_complete(play())
        world.trace.broken += loop.complaints
    return world
