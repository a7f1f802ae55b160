"""One seeded history of a budget: workers with clocks of their own, callers who give up, a shaky store, kills.

What is real is everything of the library between a request and the store's rule; the vendor counts in true time.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from belvo_async._http.admission import Admission
from belvo_async._http.pools import Pool, Slots
from belvo_async._http.request import home_at
from belvo_async.abc import Budget, Request, Urgency
from belvo_async.errors import StoreError
from belvo_async.stores import MemoryStore
from belvo_async.stores.budgets import Ledger
from belvo_async.stores.rules import to_us
from tests.simulation.loop import SimulationLoop, simulation_loop
from tests.virtual_time import VirtualClock

# Callers come for this long, in virtual seconds; then all who still want an answer must get one.
BUSY_SECONDS = 300.0
HOMES = [home_at("http://vendor.test", dict, urgency=each) for each in Urgency]


class OwnClock(VirtualClock):
    """The clock of one machine: wrong by some amount, which may change."""

    error = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.error


class OwnStore(MemoryStore):
    """One worker's way to the shared budget: slow, down at times, and dead when its worker is."""

    def __init__(self, world: BudgetWorld) -> None:
        super().__init__()
        self._budgets = world.ledgers
        self._world = world
        self.is_dead = False
        # Places that were taken here, and that somebody of this worker answers for.
        self.places = 0

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        place = await self._shakily(lambda: super(OwnStore, self).reserve(budget, now, mark=mark))
        self.places += 1
        return place

    async def give_back(self, budget: Budget, mark: str) -> None:
        self.places -= 1
        try:
            await self._shakily(lambda: super(OwnStore, self).give_back(budget, mark))
        except StoreError:
            self._world.lost += 1
            raise

    async def _shakily(self, do: Callable[[], Awaitable[Any]]) -> Any:
        await asyncio.sleep(self._world.slowness * self._world.chance.random())
        if self.is_dead:
            await asyncio.sleep(10**9)
        if self._world.chance.random() < self._world.failing:
            raise StoreError("the simulated store is down")
        done = await do()
        await asyncio.sleep(self._world.slowness * self._world.chance.random())
        return done


class Worker:
    """A process: its clock, its store, its connections."""

    def __init__(self, world: BudgetWorld) -> None:
        self.world = world
        self.clock = OwnClock(world.loop)
        self.store = OwnStore(world)
        slots = Slots(world.chance.choice((1, 2, 8)))
        self.pools = [Pool(None, slots, lambda: False), Pool(None, Slots(4), lambda: False)]  # type: ignore[arg-type]
        self.turns: Admission | None = None
        self.callers: set[asyncio.Task[None]] = set()
        self.waiting = 0
        self.idle_since = 0.0

    def note_waiting(self, change: int) -> None:
        """Somebody begins to wait here, or no longer does."""
        if self.waiting == 0:
            self.idle_since = self.world.loop.time()
        self.waiting += change

    async def open(self) -> None:
        await self.store.__aenter__()
        self.turns = Admission(
            clock=self.clock, chance=self.world.chance.random, sleep=_sleep, shared_limits=self.store
        )

    def kill(self) -> None:
        """End as kill -9 does: nothing more reaches the store."""
        self.store.is_dead = True
        for caller in list(self.callers):
            caller.cancel()


async def _sleep(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


class BudgetWorld:
    """Everything of one seed."""

    def __init__(self, seed: int, loop: SimulationLoop) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.budget = Budget("b", self.chance.randint(1, 6), timedelta(seconds=self.chance.choice((6, 30))))
        self.ledgers: dict[str, Ledger] = {}
        self.slowness = self.chance.choice((0.0, 0.0, 0.02))
        self.failing = self.chance.choice((0.0, 0.0, 0.05))
        self.crooked = self.chance.choice((0.0, 0.0, 0.5))
        self.hits: Counter[str] = Counter()
        self.broken: list[str] = []
        self.sent: list[float] = []
        self.lost = 0
        self._actors: set[asyncio.Task[None]] = set()
        self.workers = [Worker(self) for _ in range(self.chance.randint(1, 3))]

    async def play(self) -> None:
        """Run the history to its end and check it."""
        for worker in self.workers:
            if self.chance.random() < self.crooked:
                self._set_clock(worker)
            await worker.open()
        for _ in range(self.chance.randint(5, 60)):
            start = self.chance.uniform(0, BUSY_SECONDS) if self.chance.random() < 0.6 else 1.0
            self._act(self._caller(start))
        if self.chance.random() < 0.4:
            self._act(self._fate())
        await self._watch()
        await self._rest()

    def _act(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work)
        self._actors.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._actors.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken.append(f"a caller ended with {error!r}")

    def _set_clock(self, worker: Worker) -> None:
        worker.clock.error = timedelta(seconds=self.chance.choice((-86_400, -3_600, -40, 40, 3_600, 10**9)))
        self.hits["clock is wrong"] += 1

    async def _fate(self) -> None:
        """What happens to a worker: its clock is set, or it is killed."""
        await asyncio.sleep(self.chance.uniform(0, BUSY_SECONDS))
        worker = self.chance.choice(self.workers)
        if self.crooked and self.chance.random() < 0.5:
            self._set_clock(worker)
        elif len(self.workers) > 1:
            self.hits["killed"] += 1
            self.workers.remove(worker)
            # The place ahead of each of its queues is lost.
            self.lost += len(worker.pools)
            worker.kill()

    async def _caller(self, start: float) -> None:
        """Somebody who wants one answer, gives up after a while, and comes again."""
        await asyncio.sleep(start)
        limit = self.chance.choice((None, None, self.chance.uniform(0, 2), self.chance.uniform(1, 10)))
        tries = self.chance.choice((1, 3, 10**6)) if limit is not None else 10**6
        for _ in range(tries):
            if not self.workers:
                return
            worker = self.chance.choice(self.workers)
            call = self._act(self._call(worker))
            worker.callers.add(call)
            call.add_done_callback(worker.callers.discard)
            done, _ = await asyncio.wait({call}, timeout=limit)
            if not done:
                self.hits["gave up"] += 1
                call.cancel()
                await asyncio.wait({call})
            elif not call.cancelled() and call.exception() is None:
                return
            # After the rush, whoever still wants an answer waits for it.
            limit = limit if self.loop.time() < BUSY_SECONDS else None
            await asyncio.sleep(self.chance.choice((0, 0, 0.5)))

    async def _call(self, worker: Worker) -> None:
        assert worker.turns is not None
        pool, home = self.chance.choice(worker.pools), self.chance.choice(HOMES)
        request = self._request()
        worker.note_waiting(1)
        try:
            turn = await worker.turns.take(pool, home, request)
            while turn is None:
                turn = await worker.turns.take(pool, home, request)
        except StoreError:
            self.hits["store refused"] += 1
            worker.note_waiting(-1)
            await asyncio.sleep(1)
            await self._call(worker)
            return
        except BaseException:
            worker.note_waiting(-1)
            raise
        worker.note_waiting(-1)
        if self.chance.random() < 0.1:
            self.hits["never sent"] += 1
            turn.put_back()
            await self._call(worker)
            return
        self._send(worker)
        try:
            await asyncio.sleep(self.chance.choice((0, 0.1, 3.0)))
        finally:
            pool.slots.release()

    def _request(self) -> Request:
        return Request(method="GET", target="/", name="GET /", budget=self.budget)

    def _send(self, worker: Worker) -> None:
        now = worker.idle_since = self.loop.time()
        worker.store.places -= 1
        self.sent.append(now)
        since = now - self.budget.span.total_seconds()
        window = sum(at > since + 1e-6 for at in self.sent)
        # A wrong clock lets one more window out when it first meets the others, and once more when it is set.
        most = self.budget.limit * (1 + 2 * self.hits["clock is wrong"])
        if window > most:
            self.broken.append(f"{window} requests within a span, of {self.budget.limit}, at {now:.3f}")

    async def _watch(self) -> None:
        """Time goes by; as long as somebody waits at a worker, it must send something."""
        while self._actors:
            await asyncio.sleep(0.5)
            for worker in self.workers:
                if worker.waiting and self.loop.time() - worker.idle_since > self._longest_pause():
                    self.broken.append(f"nothing was sent for {self._longest_pause():.0f} s while somebody waited")
                    return

    def _longest_pause(self) -> float:
        """What was sent before, what each queue has ahead, and what was lost; clocks that differ a little cost more."""
        ahead = sum(len(worker.pools) for worker in self.workers) + self.lost
        spans = 2 + ahead / self.budget.limit + 4 * bool(self.hits["clock is wrong"])
        return self.budget.span.total_seconds() * spans + 10

    async def _rest(self) -> None:
        """When all is over, nobody holds a connection or a place: each place was used, or given back."""
        if self.broken:
            return
        await asyncio.sleep(1)
        for worker in self.workers:
            assert worker.turns is not None
            if worker.store.places:
                self.broken.append("a place is held by nobody's queue")
            for pool in worker.pools:
                await self._come_once_more(worker, pool)
            await worker.turns.close()
        now = to_us(self.workers[0].clock.now())
        held = sum(place > now for ledger in self.ledgers.values() for place in ledger.taken)
        if held > self.lost and not self.hits["clock is wrong"]:
            self.broken.append(f"{held} places ahead are held by nobody")

    async def _come_once_more(self, worker: Worker, pool: Pool) -> None:
        """Nobody stands in the way of whoever comes next."""
        assert worker.turns is not None
        try:
            async with asyncio.timeout(self._longest_pause()):
                turn = await worker.turns.take(pool, HOMES[0], self._request())
        except TimeoutError:
            self.broken.append("a queue whose callers have left lets nobody pass")
        except StoreError:
            return
        else:
            assert turn is not None
            turn.put_back()


def run_budget_seed(seed: int) -> BudgetWorld:
    """Run one seed on a loop of its own."""

    async def play() -> BudgetWorld:
        world = BudgetWorld(seed, loop)
        await world.play()
        return world

    with simulation_loop(seed) as loop:
        world: BudgetWorld = loop.run_until_complete(play())
        world.broken += loop.complaints
    return world
