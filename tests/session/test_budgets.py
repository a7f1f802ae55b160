"""The vendors' rate limits through the session: nobody waits for who gave up, and nobody is told to slow down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Belvo, Session, TransportError, belvo, syntage
from belvo_async.abc import Budget, Store
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.stores import open_store
from tests.session.world import World
from tests.stores.conftest import postgres_stores, redis_stores
from tests.virtual_time import VirtualClock

__all__ = ["postgres_stores", "redis_stores"]

Use = Callable[[Session, World], Awaitable[object]]


async def _results(session: Session, world: World) -> object:
    job = next(iter([handle async for handle in session.open_jobs()]))
    return await job.results().to_list()


async def _run(session: Session, world: World) -> object:
    return [handle async for handle in session.run([world.invoices(link) for link in range(3)])]


async def _save(session: Session, world: World) -> object:
    return await session.download(syntage.FileDownload(world.syntage.add_file(10))).read()


BELVO: dict[str, Use] = {
    "call": lambda session, world: session.call(belvo.GetLink(world.belvo.links[0])),
    "list": lambda session, world: session.list(belvo.InvoiceList(link=world.belvo.links[0])).to_list(),
    "results": _results,
    "run": _run,
}
SYNTAGE: dict[str, Use] = {
    "call": lambda session, world: session.call(syntage.GetEntity(world.syntage.entities[0])),
    "list": lambda session, world: session.list(syntage.Invoices(entity=world.syntage.entities[0])).to_list(),
    "download": _save,
}


# Of a session that is not told otherwise; its requests wait in one queue a budget, with one place ahead.
CONNECTIONS, PLACES_AHEAD = 64, 1


async def check_rest(world: World, session: Session) -> None:
    """No connection, no place in the budget and no rank in a queue is held: the next who come get them all at once."""
    assert [] == [task for task in asyncio.all_tasks() if task.get_name() == "belvo_async errand"]
    # Until what was sent before counts no more, even if it was sent a window later than it was asked for.
    await asyncio.sleep(65)
    world.belvo.answer_delay = timedelta(hours=1)
    before = len(world.belvo.requests)

    calls = [
        asyncio.ensure_future(use(session, world))
        for use in (BELVO["call"], BELVO["list"], _submission)
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(1)
    budget, now = budget_of(world.belvo_vendor()), world.clock.now()
    places = [await session.store.reserve(budget, now) for _ in range(budget.limit)]
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)

    assert CONNECTIONS == len(world.belvo.requests) - before
    assert budget.limit - CONNECTIONS - PLACES_AHEAD == sum(place <= now for place in places)


def _submission(session: Session, _world: World) -> Awaitable[object]:
    return session.call(belvo.CreateLink(institution="sat_mx_fiscal", username="XAXX010101000", password="invented1"))


def budget_of(vendor: Belvo) -> Budget:
    return Budget(vendor.account, 80, timedelta(seconds=30))


async def use_up(session: Session, vendor: Belvo, clock: VirtualClock) -> Budget:
    """Other workers send what is left of eighty requests."""
    budget = budget_of(vendor)
    for _ in range(79):
        await session.store.reserve(budget, clock.now())
    return budget


async def cancelled(works: list[Awaitable[object]], *, after: float) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.sleep(after)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.1)


@pytest.fixture
async def session(world: World) -> Session:
    session = await world.open(world.belvo_vendor(), world.syntage_vendor(), webhooks=False, sweep=False)
    await session.fire(world.invoices())
    return session


@pytest.mark.parametrize("kind", BELVO)
async def test_who_gives_up_waiting_for_a_place_holds_none(world: World, session: Session, kind: str) -> None:
    """A hundred of each kind come and go: the next one waits for what was sent, and not a second for them."""
    budget = await use_up(session, world.belvo_vendor(), world.clock)
    began = world.clock.now()

    for _ in range(4):
        await cancelled([BELVO[kind](session, world) for _ in range(25)], after=5)

    # Submissions belong to the session: they go on without their callers.
    submissions = 2 if kind == "run" else 0
    places = [await session.store.reserve(budget, world.clock.now()) for _ in range(80 - submissions)]
    assert max(places) <= began + timedelta(seconds=31)
    await check_rest(world, session)


@pytest.mark.parametrize("kind", BELVO)
async def test_who_gives_up_in_flight_gives_the_connection_back(world: World, session: Session, kind: str) -> None:
    """Whether it waits for an answer, or for a connection that others hold."""
    world.belvo.next_answer("timeout", method=None, count=10**6)

    await cancelled([BELVO[kind](session, world) for _ in range(70)], after=5)
    await asyncio.sleep(600)

    await check_rest(world, session)


@pytest.mark.parametrize("kind", SYNTAGE)
async def test_who_gives_up_on_a_window_gives_the_connection_back(world: World, session: Session, kind: str) -> None:
    """Whether it waits for the window to end, for the store that knows of it, or for the answer."""
    await SYNTAGE[kind](session, world)
    world.syntage.next_answer("rate_limited", method="GET", count=3)
    await cancelled([SYNTAGE[kind](session, world) for _ in range(30)], after=0.5)
    world.syntage.next_answer("timeout", method="GET", count=30)
    await cancelled([SYNTAGE[kind](session, world) for _ in range(30)], after=10)

    await check_rest(world, session)


async def test_a_cancelled_fire_is_sent_once_and_in_its_turn(world: World, session: Session) -> None:
    """The submission goes on; nothing but its own place is taken."""
    await use_up(session, world.belvo_vendor(), world.clock)

    await cancelled([session.fire(world.invoices(link)) for link in (1, 2)], after=5)
    await asyncio.sleep(60)

    assert 3 == len(world.sent("POST", "/api/invoices/"))
    await check_rest(world, session)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores that several processes share."""
    if request.param == "sqlite":
        return lambda: open_store(f"sqlite:{tmp_path}/jobs.db")
    with_server: Callable[[], Store] = request.getfixturevalue(f"{request.param}_stores")
    return with_server


@pytest.mark.parametrize(
    ("readers", "seed"), [(120, 0), *(pytest.param(300, seed, marks=pytest.mark.proof) for seed in (0, 1))]
)
async def test_three_workers_are_never_told_to_slow_down(
    world: World, make_store: Callable[[], Store], readers: int, seed: int
) -> None:
    """More readers than a window has places, with and without time limits, who come again: Belvo refuses nobody."""
    chance = random.Random(seed)
    sessions = [
        await world.open(world.belvo_vendor(), webhooks=False, sweep=False, store=make_store()) for _ in range(3)
    ]
    answered: list[int] = []

    async def reader(number: int) -> None:
        session = sessions[number % 3]
        use = BELVO["call" if number % 2 else "list"]
        await asyncio.sleep(chance.uniform(0, 20))
        while True:
            limit = chance.choice([None, 3, 5, 8])
            try:
                async with asyncio.timeout(limit):
                    await use(session, world)
            except (TimeoutError, TransportError):
                continue
            answered.append(number)
            return

    began = world.clock.now()
    await asyncio.gather(*(reader(number) for number in range(readers)))
    seconds = (world.clock.now() - began).total_seconds()

    statuses = [each.status for each in world.belvo.requests]
    assert readers == len(set(answered))
    assert {200} == set(statuses)
    # The full rate: whatever was asked went out as fast as eighty in half a minute allow.
    assert seconds <= len(statuses) / 80 * 31 + 31


@pytest.mark.parametrize("error", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=3_000)], ids=str)
async def test_a_worker_with_a_wrong_clock_makes_nobody_wait(
    clock: VirtualClock, make_store: Callable[[], Store], error: timedelta
) -> None:
    """Eighty reads of its own, then one of another worker, and one of its own again: half a minute each at most.

    Two clocks that meet for the first time cannot tell skew from idleness: the vendor may see one window more.
    """
    async with BelvoSimulator(now=clock.now, limits=False) as simulator:
        world = World(simulator, None, clock, None)  # type: ignore[arg-type]
        options: dict[str, Any] = {"sweep": False, "clock": clock}
        wrong = Session(world.belvo_vendor(), store=make_store(), **options | {"clock": _WrongClock(clock, error)})
        async with wrong, Session(world.belvo_vendor(), store=make_store(), **options) as right:
            await asyncio.gather(*(BELVO["call"](wrong, world) for _ in range(80)))
            for session in (right, wrong, right):
                began = clock.now()
                await BELVO["call"](session, world)

                assert clock.now() - began <= timedelta(seconds=31)


class _WrongClock:
    def __init__(self, clock: VirtualClock, error: timedelta) -> None:
        self._clock = clock
        self._error = error

    def now(self) -> datetime:
        return self._clock.now() + self._error


async def test_two_workers_share_the_windows_of_a_key(clock: VirtualClock, tmp_path: Path) -> None:
    """Five calls a minute, two processes: none of theirs is refused."""
    async with SyntageSimulator(now=clock.now, rate_limit=5) as simulator:
        world = World(None, simulator, clock, None)  # type: ignore[arg-type]
        async with (
            Session(world.syntage_vendor(), store=f"sqlite:{tmp_path}/jobs.db", sweep=False, clock=clock) as one,
            Session(world.syntage_vendor(), store=f"sqlite:{tmp_path}/jobs.db", sweep=False, clock=clock) as other,
        ):
            for _ in range(10):
                for session in (one, other):
                    await SYNTAGE["call"](session, world)
        assert [200] * 20 == [each.status for each in simulator.requests]


async def test_the_windows_of_another_key_are_its_own(world: World, tmp_path: Path) -> None:
    """Of two workers that make the same calls, only the one of the exhausted key waits."""
    store = f"sqlite:{tmp_path}/jobs.db"
    others = [world.syntage_vendor(), world.syntage_vendor(account="another")]
    same, other = [await world.open(vendor, webhooks=False, sweep=False, store=store) for vendor in others]
    world.syntage.next_answer("rate_limited", method="GET")
    exhausting = asyncio.create_task(SYNTAGE["call"](await world.open(others[0], webhooks=False, store=store), world))
    await asyncio.sleep(1)
    began = world.clock.now()

    await SYNTAGE["call"](other, world)
    at_once = world.clock.now() - began
    await SYNTAGE["call"](same, world)
    await exhausting

    assert at_once < timedelta(seconds=1)
    assert timedelta(seconds=3) < world.clock.now() - began < timedelta(seconds=7)


async def test_a_single_submission_goes_before_those_of_a_run(clock: VirtualClock) -> None:
    """A hundred and twenty wait for the budget; the one that somebody fires now is the next to go."""
    async with BelvoSimulator(now=clock.now, links=121) as simulator, AsyncExitStack() as stack:
        world = World(simulator, None, clock, stack)  # type: ignore[arg-type]
        session = await world.open(world.belvo_vendor(), webhooks=False)
        rest = asyncio.ensure_future(
            _drain(session.run((world.invoices(link) for link in range(120)), concurrency=120))
        )
        await asyncio.sleep(10)
        before = len(simulator.requests)

        await session.fire(world.invoices(120))

        since = [each.body for each in simulator.requests[before:] if each.method == "POST"]
        rest.cancel()
        assert before <= 80
        assert simulator.links[120].encode() in b"".join(since[:2])


async def _drain(handles: AsyncIterator[object]) -> None:
    async for _ in handles:
        pass
