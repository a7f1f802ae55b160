"""One seeded history of a long queue: workers that close, are killed or stand still at any point before the first byte.

What is real is the tracker and the rules of a store; the queue is a lock that each request of a worker has to wait for.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from belvo_async._http import converse_by
from belvo_async._tracker import Tracker
from belvo_async.abc import Answer, Headers, Permit, Request, Urgency
from belvo_async.errors import SessionClosedError, StoreError, TransportError, UnsupportedError
from belvo_async.jobs import Job, Polling, Status
from tests.simulation.dialect import Fetch, MuteFetch, MuteVendor, OpenFetch, OpenVendor
from tests.simulation.loop import SimulationLoop, simulation_loop
from tests.simulation.network import sending
from tests.simulation.store import OpenStore
from tests.virtual_time import VirtualClock

Plant = Callable[[Tracker], None]

# Jobs are fired and workers lost for this long, in virtual seconds; then all must come to its end.
FAULTY_SECONDS = 1200.0
SETTLE_SECONDS = 3 * 3600.0
# How long a mark may take; a byte that leaves later than that after it was not asked for right before.
MARK_SECONDS = 12.0


class Worker:
    """One process: its tracker, its way to the store, its queue. Frozen for ever, it was killed."""

    def __init__(self, world: QueueWorld, name: str, *, sweeps: bool | None) -> None:
        self.name = name
        self.flows = asyncio.Event()
        self.flows.set()
        self.writing: set[str] = set()
        self._world = world
        self._turn = asyncio.Lock()
        talk = partial(converse_by, dict.fromkeys(Urgency, sending(self._exchange)))
        drawn = world.chance.random() < 0.6
        self.tracker = Tracker(
            store=self,  # type: ignore[arg-type]
            vendors={"open": OpenVendor(), "mute": MuteVendor()},  # type: ignore[dict-item]
            talks={"open": talk, "mute": talk},  # type: ignore[dict-item]
            polling=Polling(),
            clock=world.clock,
            chance=world.chance.random,
            new_id=lambda: f"job{next(world.ids)}",
            sweep=drawn if sweeps is None else sweeps,
        )

    def freeze(self) -> None:
        """Whoever was writing a mark just now may have come so far that it counts as sent."""
        self.flows.clear()
        self._world.excused |= self.writing

    async def put(self, job: Job, **options: Any) -> Job | None:
        is_mark = job.status is Status.SUBMITTING and job.submission.attempted_at is not None
        if is_mark:
            self.writing.add(job.id)
        try:
            await self._pause()
            fate = self._world.draw("answer of the store lost", 0.05)
            if fate and self._world.chance.random() < 0.5:
                raise StoreError("cut")
            standing = await self._world.store.put(job, **options)
            if is_mark and standing is None:
                self._world.note_mark(job)
            await self._pause()
            if fate:
                raise StoreError("cut")
            return standing
        finally:
            self.writing.discard(job.id)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._world.store, name)
        if not inspect.iscoroutinefunction(call):
            return call

        async def pass_on(*arguments: Any, **options: Any) -> Any:
            await self._pause()
            answer = await call(*arguments, **options)
            await self._pause()
            return answer

        return pass_on

    async def _pause(self) -> None:
        await asyncio.sleep(self._world.chance.random() * 0.2)
        await self.flows.wait()

    async def _exchange(self, request: Request, permit: Permit | None) -> Answer:
        world = self._world
        if permit is None:
            # What became of a job that was sent is of no interest here.
            raise TransportError("out of order", maybe_sent=False)
        async with self._turn:
            await asyncio.sleep(world.chance.choice((1.0, 20.0, 60.0)))
            await self.flows.wait()
            if world.draw("no connection", 0.1):
                raise TransportError("refused", maybe_sent=False)
            await permit()
        # Here the first byte leaves, whatever becomes of this process.
        answer = world.take(request)
        job_id = dict(request.headers)["job"]
        world.unanswered.add(job_id)
        await asyncio.sleep(world.chance.random() * 20)
        await self.flows.wait()
        world.unanswered.discard(job_id)
        return answer


class QueueWorld:
    """Two workers and a store that outlives them, users who fire and think again, and what may not happen."""

    def __init__(self, seed: int, loop: SimulationLoop, plant: Plant | None) -> None:
        self.chance = random.Random(seed)
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.store = OpenStore()
        self.ids = itertools.count(1)
        self.hits = Counter[str]()
        self.broken: list[str] = []
        self.posts = Counter[str]()
        self.unwanted: set[str] = set()
        self._marked: dict[str, float] = {}
        # Of these nobody can say whether they were sent: their worker was lost too late.
        self.excused: set[str] = set()
        self.unanswered: set[str] = set()
        self.workers: list[Worker] = []
        self.gone: list[Worker] = []
        self._plant = plant
        self._is_faulty = True
        self._tasks: set[asyncio.Task[Any]] = set()

    async def play(self) -> None:
        async with self.store:
            self.workers = [await self._hire() for _ in range(2)]
            for number in range(self.chance.randint(4, 9)):
                kind = self.chance.choice([OpenFetch, MuteFetch])
                self._begin(self._use(kind(owner=f"owner{number}", year=2000 + number)))
            self._begin(self._trouble())
            await asyncio.sleep(FAULTY_SECONDS)
            self._is_faulty = False
            for worker in self.workers:
                worker.flows.set()
            self.workers.append(await self._hire(sweeps=True))
            await asyncio.sleep(SETTLE_SECONDS)
            await self._judge()
            await asyncio.gather(*(worker.tracker.__aexit__() for worker in self.workers))

    def draw(self, trouble: str, rate: float) -> bool:
        """Whether this trouble comes now; counted when it does."""
        if not self._is_faulty or self.chance.random() >= rate:
            return False
        self.hits[trouble] += 1
        return True

    def note_mark(self, job: Job) -> None:
        self._marked[job.id] = self.loop.time()

    def take(self, request: Request) -> Answer:
        """The vendor's side of a submission."""
        job_id = dict(request.headers)["job"]
        kept = self.store.peek(job_id)
        self._check(job_id not in self.unwanted, f"{job_id}: sent although nobody wants it any more")
        marked = kept.submission.attempted_at if kept is not None else None
        is_fresh = marked is not None and (self.clock.now() - marked).total_seconds() <= MARK_SECONDS
        self._check(kept is None or is_fresh, f"{job_id}: sent without a mark of this moment")
        if self.draw("too many requests", 0.1):
            return Answer(429, Headers({"retry-after": "45"}), b"{}")
        self.posts[job_id] += 1
        self._check(self.posts[job_id] == 1, f"{job_id}: sent twice")
        return Answer(202, Headers(), msgspec.json.encode({"id": f"remote-{job_id}"}))

    async def _hire(self, *, sweeps: bool | None = None) -> Worker:
        worker = Worker(self, f"worker{next(self.ids)}", sweeps=sweeps)
        if self._plant is not None:
            self._plant(worker.tracker)
        await worker.tracker.__aenter__()
        return worker

    async def _use(self, task: Fetch) -> None:
        """Fire a task, and perhaps think again while it waits."""
        await asyncio.sleep(self.chance.random() * 300)
        worker = self.chance.choice(self.workers)
        until = self.clock.now() + timedelta(minutes=self.chance.choice((3, 40, 600)))
        try:
            firing = self._begin(worker.tracker.submit(task, deadline=until))
            await asyncio.sleep(self.chance.random() * 400)
            firing.add_done_callback(lambda done: None if done.cancelled() else done.exception())
            job = next((job for job in self.jobs() if job.task == task), None)
            if job is not None and self.draw("stopped", 0.15):
                await self._stop(self.chance.choice(self.workers), job)
            elif job is not None and self.draw("forgotten", 0.1):
                await self._forget(self.chance.choice(self.workers), job)
        except (StoreError, SessionClosedError, TransportError, UnsupportedError):
            return

    async def _stop(self, worker: Worker, job: Job) -> None:
        # One that was sent meanwhile this vendor cannot stop.
        stopped = await worker.tracker.stop(job) if job.is_queued else job
        if stopped.failure is not None and stopped.failure.code == "withdrawn":
            self.unwanted.add(job.id)

    async def _forget(self, worker: Worker, job: Job) -> None:
        await worker.tracker.forget(job)
        # One whose mark was written before may be on its way just now.
        if self._marked.get(job.id) is None:
            self.unwanted.add(job.id)

    async def _trouble(self) -> None:
        while self._is_faulty:
            await asyncio.sleep(self.chance.random() * 200)
            number = self.chance.randrange(len(self.workers))
            worker = self.workers[number]
            if not worker.flows.is_set() or not self._is_faulty:
                continue
            match self.chance.choice(["close", "kill", "stop", "none"]):
                case "close":
                    self.hits["closed"] += 1
                    self.gone.append(worker)
                    self.excused |= worker.writing
                    await worker.tracker.__aexit__()
                    self.excused |= self.unanswered
                    self.workers[number] = await self._hire()
                case "kill":
                    self.hits["killed"] += 1
                    self.gone.append(worker)
                    worker.freeze()
                    self.excused |= self.unanswered
                    self.workers[number] = await self._hire()
                case "stop":
                    self.hits["stood still"] += 1
                    worker.freeze()
                    self.excused |= self.unanswered
                    self.loop.call_later(self.chance.choice((20, 400, 900)), worker.flows.set)
                case _:
                    pass

    async def _judge(self) -> None:
        for job in self.jobs():
            sent = self.posts[job.id]
            in_doubt = job.status in (Status.UNCERTAIN, Status.SUBMITTING)
            if job.id in self.excused or job.superseded_by is not None or job.failure is not None:
                continue
            self._check(not (in_doubt and not sent), f"{job.id}: {job.status} although nothing was sent")
            self._check(sent == 1, f"{job.id}: {job.status}, sent {sent} times")

    def jobs(self) -> list[Job]:
        """Every job that is kept."""
        return self.store.jobs()

    def _check(self, holds: bool, rule: str) -> None:
        if not holds:
            self.broken.append(f"{self.loop.time():.1f} {rule}")

    def _begin(self, work: Any) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def run_queue_seed(seed: int, plant: Plant | None = None) -> QueueWorld:
    """Run one seed on a loop of its own."""
    with simulation_loop(seed) as loop:
        world = QueueWorld(seed, loop, plant)
        loop.run_until_complete(world.play())
        world.broken += loop.complaints
    return world
