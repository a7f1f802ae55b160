"""One seeded history: users, waiters, two workers at most, vendors, a bad network and a shaky store."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from belvo_async._tracker import Tracker
from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Polling
from tests.simulation.checks import Checks
from tests.simulation.dialect import Fetch, MuteFetch, MuteVendor, OpenFetch, OpenVendor, SimulatedVendor
from tests.simulation.loop import SimulationLoop
from tests.simulation.network import Network
from tests.simulation.postman import WebhookSender
from tests.simulation.server import Run, Server
from tests.simulation.store import ShakyStore
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace
from tests.simulation.users import Users
from tests.virtual_time import VirtualClock

Plant = Callable[[Tracker], None]

# Faults stop after this much virtual time; then everything must come to an end by itself.
FAULTY_SECONDS = 1500.0
# The last waiter's deadline, and how long the tracker may need from there: queued jobs are sent when their lane's
# deadline has passed, lost leases and polls wait five minutes each.
LONGEST_DEADLINE = timedelta(minutes=100)
SETTLE_SECONDS = 4 * 3600.0


class World:
    """Everything of one seed. `plant` spoils each tracker, to prove that the checks can fail."""

    store_type = ShakyStore
    checks_type = Checks

    def __init__(self, seed: int, loop: SimulationLoop, plant: Plant | None = None) -> None:
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.swarm = Swarm(seed)
        self.trace = Trace(loop)
        self.vendors: dict[str, SimulatedVendor] = {"open": OpenVendor(), "mute": MuteVendor()}
        self.store = self.store_type(self.swarm, self.trace, self._draw_outages())
        self.server = Server(self.clock, self.swarm, self.trace, self._on_accept)
        self.checks = self.checks_type(self)
        network = Network(self.server, self.swarm, self.trace, self.checks.before_send, self.store.reserve_somewhere)
        self.talks = {name: network.talk_with(name) for name in self.vendors}
        self.trackers: list[Tracker] = []
        self.postman = WebhookSender(self)
        self.users = Users(self)
        self._plant = plant
        self._ids = itertools.count(1)
        self._actors: set[asyncio.Task[None]] = set()

    async def play(self) -> None:
        """Run the history to its end and check it."""
        async with self.store:
            count = 2 if self.swarm.happens("second worker") else 1
            self.trackers = [await self.open_tracker() for _ in range(count)]
            tasks = self._draw_tasks()
            for task, start in tasks:
                self.act(self.users.play(task, start), "user")
            self.act(self.postman.forge(), "forger")
            if self.swarm.happens("restart"):
                # Often just when a user comes: the close and the submission race each other.
                start = self.swarm.chance.choice([tasks[0][1] + self.swarm.span(3), self.swarm.span(900)])
                self.act(self._restart(start), "operator")
            await asyncio.sleep(FAULTY_SECONDS)
            self.swarm.on = False
            self.trace.note("world", "faults stop")
            await self._settle()
            await self._close()

    def act(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start an actor of the world; none may end with an error."""
        task = self.loop.create_task(work, name=name)
        self._actors.add(task)
        task.add_done_callback(self._on_actor_done)
        return task

    def pick_tracker(self) -> Tracker | None:
        """Any tracker that is open now."""
        return self.swarm.chance.choice(self.trackers) if self.trackers else None

    async def open_tracker(self) -> Tracker:
        tracker = Tracker(
            store=self.store,
            vendors=self.vendors,  # type: ignore[arg-type]
            talks=self.talks,  # type: ignore[arg-type]
            polling=Polling(),
            clock=self.clock,
            chance=self.swarm.chance.random,
            new_id=lambda: f"job{next(self._ids)}",
        )
        if self._plant is not None:
            self._plant(tracker)
        return await tracker.__aenter__()

    def _on_accept(self, run: Run) -> None:
        self.checks.on_accept(run)
        self.act(self.postman.deliver(run), "postman")

    def _on_actor_done(self, task: asyncio.Task[None]) -> None:
        self._actors.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.trace.check(False, f"{task.get_name()} ended with {error!r}")

    def _draw_tasks(self) -> list[tuple[Fetch, float]]:
        kinds: list[type[Fetch]] = self.swarm.chance.choice([[OpenFetch], [MuteFetch], [OpenFetch, MuteFetch]])
        return [
            (
                self.swarm.chance.choice(kinds)(owner=self.swarm.chance.choice("ab"), year=2020 + number),
                self.swarm.span(600),
            )
            for number in range(self.swarm.chance.randint(1, 4))
        ]

    def _draw_outages(self) -> list[tuple[float, float]]:
        if not self.swarm.happens("store down"):
            return []
        starts = [self.swarm.span(FAULTY_SECONDS) for _ in range(self.swarm.chance.randint(1, 4))]
        return [(start, start + self.swarm.span(90)) for start in starts]

    async def _restart(self, start: float) -> None:
        """Close a worker at some moment and open another on the same store."""
        await asyncio.sleep(start)
        leaving = self.trackers.pop()
        self.trace.note("world", "a worker closes")
        await self.checks.close_in_time(leaving)
        await asyncio.sleep(self.swarm.span(120))
        self.checks.is_quiet(leaving)
        self.trackers.append(await self.open_tracker())
        self.trace.note("world", "a worker opens")

    async def _settle(self) -> None:
        """Wait until nothing is left to happen, at most until the liveness bound."""
        until = self.loop.time() + SETTLE_SECONDS
        while self.loop.time() < until and not (self.users.are_done and self.checks.all_settled()):  # noqa: ASYNC110
            await asyncio.sleep(60)
        self.checks.at_rest()

    async def _close(self) -> None:
        waiters = await self.checks.waiters_at_close()
        for tracker in self.trackers:
            await self.checks.close_in_time(tracker)
        await self.checks.after_close(waiters)
        for actor in list(self._actors):
            actor.cancel()

    async def stored(self, job_id: str) -> Job | None:
        """Read a job as a user would who attaches to it."""
        try:
            return await self.store.get(job_id)
        except StoreError:
            return None

    def deadline(self) -> datetime:
        """How long a user is ready to wait."""
        if self.swarm.happens("short deadline"):
            return self.clock.now() + timedelta(seconds=self.swarm.between(5, 600))
        return self.clock.now() + LONGEST_DEADLINE * self.swarm.between(0.5, 1)
