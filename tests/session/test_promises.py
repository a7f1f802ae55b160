"""What must hold under load and when one of the two ways, webhook or poll, fails altogether."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from belvo_async import JobHandle, Session, Status, Syntage, Way, syntage
from belvo_async._tracker import Timer
from belvo_async.simulator import SyntageSimulator
from tests.session.world import World
from tests.virtual_time import VirtualClock, armed_timers


async def test_syntage_settles_without_any_webhook(world: World) -> None:
    """Polling alone settles every outcome."""
    session = await world.open(webhooks=False)
    world.syntage.next_job(outcome="failed")
    world.syntage.next_job(outcome="rate_limited")

    handles = [await session.fire(world.extraction(entity)) for entity in range(3)]
    await asyncio.gather(*(handle.wait() for handle in handles), return_exceptions=True)

    assert [Status.FAILED, Status.FINISHED, Status.FINISHED] == [handle.status for handle in handles]
    assert {Way.POLL} == {handle.job.settled_by for handle in handles}
    assert [] == world.syntage.deliveries


@pytest.mark.parametrize(
    "fault",
    [
        "cut_body",
        *(
            pytest.param(each, marks=pytest.mark.proof)
            for each in ("unsent", "server_error", "rate_limited", "timeout")
        ),
    ],
)
async def test_both_settle_with_polls_failing(world: World, fault: str) -> None:
    """Webhooks alone settle; what polling meets is logged and harms nobody."""
    session = await world.open()
    for vendor in (world.belvo, world.syntage):
        vendor.next_answer(fault, method="GET", count=10**6)

    handles = [await session.fire(world.invoices()), await session.fire(world.extraction())]
    jobs = [await handle for handle in handles]

    assert [(Status.FINISHED, Way.WEBHOOK)] * 2 == [(job.status, job.settled_by) for job in jobs]


@pytest.fixture
async def crowd(clock: VirtualClock) -> AsyncIterator[SyntageSimulator]:
    """A Syntage with many entities and wide limits."""
    async with SyntageSimulator(now=clock.now, entities=100, invoices_per_year=1, rate_limit=10**6) as simulator:
        yield simulator


def _many(simulator: SyntageSimulator, count: int) -> list[syntage.Extraction]:
    """So many different tasks."""
    entities = simulator.entities
    tasks: list[syntage.Extraction] = []
    for number in range(count):
        begin = date(2025, 1, 1) + timedelta(days=number // len(entities))
        options = syntage.InvoiceOptions(period=syntage.Period(from_=begin, to=date(2025, 3, 31)), xml=False, pdf=False)
        tasks.append(syntage.Extraction(entity=entities[number % len(entities)], extractor="invoice", options=options))
    return tasks


def _session(simulator: SyntageSimulator, clock: VirtualClock, **options: object) -> Session:
    vendor = Syntage(simulator.api_key, base_url=simulator.url, webhook_secrets=(simulator.signing_secret,))
    return Session(vendor, clock=clock, **options)  # type: ignore[arg-type]


async def _fire(session: Session, simulator: SyntageSimulator, count: int) -> list[JobHandle[syntage.Invoice]]:
    return await asyncio.gather(*(session.fire(task) for task in _many(simulator, count)))


@pytest.mark.parametrize(
    ("count", "minutes"),
    [
        pytest.param(100, None, id="fewer jobs"),
        pytest.param(300, None, id="usual jobs", marks=pytest.mark.proof),
        pytest.param(300, (0, 1), id="short jobs", marks=pytest.mark.proof),
        pytest.param(300, (5, 30), id="long jobs", marks=pytest.mark.proof),
    ],
)
async def test_300_jobs_are_settled_by_60_polls(
    crowd: SyntageSimulator, clock: VirtualClock, count: int, minutes: tuple[int, int] | None
) -> None:
    """One list call answers for all jobs that are due: polling stays cheap however many are open, however long."""
    for number in range(count) if minutes else ():
        spread = timedelta(minutes=minutes[1] - minutes[0]) if minutes else timedelta(0)
        crowd.next_job(duration=timedelta(minutes=minutes[0] if minutes else 0, seconds=1) + spread * number / count)
    async with _session(crowd, clock) as session:
        handles = await _fire(session, crowd, count)

        jobs = await asyncio.gather(*handles)

    polls = [request for request in crowd.requests if request.method == "GET"]
    assert {(Status.FINISHED, Way.POLL)} == {(job.status, job.settled_by) for job in jobs}
    assert len(polls) <= count / 5


@pytest.mark.proof
@pytest.mark.parametrize("count", [70, pytest.param(300, marks=pytest.mark.proof)])
async def test_bulk_submissions_outlast_the_rate_limit(clock: VirtualClock, count: int) -> None:
    """Fired all at once against 60 requests a minute, every job is started in the end, and none twice."""
    async with SyntageSimulator(now=clock.now, entities=100, rate_limit=60) as narrow:
        async with _session(narrow, clock) as session:
            jobs = await asyncio.gather(*await _fire(session, narrow, count))

        assert {Status.FINISHED} == {job.status for job in jobs}
        assert count == len(narrow.jobs)


@pytest.mark.proof
async def test_1000_jobs_are_awaited_on_64_connections_and_one_timer(
    crowd: SyntageSimulator, clock: VirtualClock
) -> None:
    """A job costs no task and no timer of its own; requests share the connections."""
    crowd.next_answer("slow", count=1000)  # two seconds each, so that many are under way at once
    for _ in range(1000):
        crowd.next_job(duration=timedelta(seconds=30))
    before = _open_sockets()
    async with _session(crowd, clock, connections=64) as session:
        firing = asyncio.create_task(_fire(session, crowd, 1000))
        open_sockets: list[int] = []
        while not firing.done():
            await asyncio.sleep(1)
            open_sockets.append(_open_sockets() - before)
        others = asyncio.all_tasks()
        gathered = asyncio.gather(*await firing)
        await asyncio.sleep(5)

        ours = [task for task in asyncio.all_tasks() - others if task.get_name().startswith("belvo_async")]
        assert len(ours) <= 3
        assert 1 == len(armed_timers(of=Timer))
        assert {Status.FINISHED} == {job.status for job in await gathered}
    # Each connection has two ends here.
    assert 2 * 28 <= max(open_sockets) <= 2 * 64


def _open_sockets() -> int:
    return sum(
        os.path.realpath(f"/proc/self/fd/{number}").rpartition("/")[2].startswith("socket:") for number in _fds()
    )


def _kinds(descriptors: set[str]) -> set[str]:
    """What the sockets and stores among these descriptors are."""
    shown = {os.path.realpath(f"/proc/self/fd/{number}").rpartition("/")[2] for number in descriptors}
    return {each for each in shown if "jobs.db" in each or each.startswith("socket:")}


def _fds() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


async def test_cancelling_any_of_the_waiters_leaves_the_rest(crowd: SyntageSimulator, clock: VirtualClock) -> None:
    """Every third waiter of 90 gives up; every job ends all the same, and the others get it."""
    async with _session(crowd, clock) as session:
        handles = await _fire(session, crowd, 90)
        waiters = [asyncio.create_task(handle.wait()) for handle in handles]
        await asyncio.sleep(3)

        for waiter in waiters[::3]:
            waiter.cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)

        assert {0} == {index % 3 for index, each in enumerate(outcomes) if isinstance(each, asyncio.CancelledError)}
        assert 30 == sum(isinstance(each, asyncio.CancelledError) for each in outcomes)
        assert {Status.FINISHED} == {job.status for job in await asyncio.gather(*handles)}


async def test_cancelling_fires_leaves_the_rest(crowd: SyntageSimulator, clock: VirtualClock) -> None:
    """Callers that give up while firing disturb nobody else's submission."""
    async with _session(crowd, clock, connections=4) as session:
        firing = [asyncio.create_task(session.fire(task)) for task in _many(crowd, 60)]
        while len(crowd.jobs) < 5:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0)

        for task in firing[::2]:
            task.cancel()
        outcomes = await asyncio.gather(*firing, return_exceptions=True)

        handles = [each for each in outcomes if isinstance(each, JobHandle)]
        assert len(handles) >= 30
        assert {Status.FINISHED} == {job.status for job in await asyncio.gather(*handles)}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_close_leaves_nothing(crowd: SyntageSimulator, clock: VirtualClock, kind: str, tmp_path: Path) -> None:
    """No task, no descriptor, no timer of ours is left, whatever was going on."""
    store = "memory:" if kind == "memory" else f"sqlite:{tmp_path / 'jobs.db'}"
    await asyncio.sleep(1)
    tasks, descriptors = asyncio.all_tasks(), _fds()
    session = _session(crowd, clock, store=store)
    await session.open()
    handles = await _fire(session, crowd, 40)
    waiting = [asyncio.create_task(handle.wait()) for handle in handles]
    running = session.run(_many(crowd, 50)[40:])
    drawing = asyncio.create_task(anext(running))
    reading = aiter(handles[0].results())
    await asyncio.gather(anext(reading), return_exceptions=True)
    crowd.next_answer("timeout", count=3)
    firing = [asyncio.create_task(session.fire(task)) for task in _many(crowd, 55)[50:]]
    await asyncio.sleep(30)

    await session.close()
    await asyncio.gather(*waiting, drawing, *firing, return_exceptions=True)
    await running.aclose()  # type: ignore[attr-defined]
    await crowd.close()
    gc.collect()

    assert set() == asyncio.all_tasks() - tasks
    assert [] == armed_timers(of=Timer)
    assert set() == _kinds(_fds() - descriptors)


async def test_closing_twice_is_closing_once(world: World) -> None:
    """A second close does nothing."""
    session = await world.open()

    await session.close()
    await session.close()


async def test_threads_end_with_the_session(world: World, tmp_path: Path) -> None:
    """The store's thread is gone when `close` returns."""
    import threading

    before = set(threading.enumerate())
    session = await world.open(store=f"sqlite:{tmp_path / 'jobs.db'}")
    await session.fire(world.extraction())

    await session.close()

    assert set() == set(threading.enumerate()) - before
