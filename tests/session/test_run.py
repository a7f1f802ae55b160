"""`session.run`: many tasks, a bounded number open, handles as they settle."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from belvo_async import (
    AuthenticationError,
    Belvo,
    JobFailedError,
    JobHandle,
    JobNotFiredError,
    JobRejectedError,
    JobTimeoutError,
    SessionClosedError,
    Status,
    Syntage,
    Task,
    TaskError,
    UnknownJobError,
    syntage,
)
from tests.session.world import World

# `invoice` needs options, and companies have no tax declarations of the RIF.
EXTRACTORS = [name for name in syntage.EXTRACTORS if name not in ("invoice", "rif_tax_return")]


class StrangersTask(Task[object], frozen=True, kw_only=True, tag="strangers.Fetch"):
    """A task that no vendor of these sessions takes."""

    subject = "somebody"


def _tasks(world: World) -> list[Task[object]]:
    return [world.extraction(entity, name, options=None) for entity in range(2) for name in EXTRACTORS]


async def test_every_task_is_settled_once(world: World) -> None:
    """Each task gives one handle; awaiting a yielded handle returns at once."""
    session = await world.open()
    tasks = _tasks(world)

    handles = [handle async for handle in session.run(tasks)]

    assert len(tasks) == len({handle.id for handle in handles})
    assert all(handle.done() for handle in handles)
    before = world.clock.now()
    assert {Status.FINISHED} == {(await handle).status for handle in handles}
    assert before == world.clock.now()


async def test_handles_come_as_they_settle(world: World) -> None:
    """The order is that of the ends, not that of the tasks."""
    session = await world.open()

    handles = [handle async for handle in session.run(_tasks(world))]

    ends = [handle.job.settled_at for handle in handles]
    assert sorted(ends) == ends


async def test_no_more_than_the_bound_are_open(world: World) -> None:
    """`concurrency` bounds the jobs open at the vendor."""
    session = await world.open()
    most = 0

    async for _ in session.run(_tasks(world), concurrency=4):
        under_way = [job for job in world.syntage.jobs.values() if job.finished_at is None]
        most = max(most, len(under_way))

    assert 4 >= most >= 3


async def test_tasks_are_drawn_lazily(world: World) -> None:
    """An endless iterable is fine: no more is drawn than is under way."""
    session = await world.open()
    drawn = 0

    def endless() -> Iterator[Task[object]]:
        nonlocal drawn
        while True:
            for task in _tasks(world):
                drawn += 1
                yield task

    settled = 0
    async for _ in session.run(endless(), concurrency=3):
        settled += 1
        assert drawn <= settled + 3
        if settled == 10:
            break


async def test_tasks_may_come_asynchronously(world: World) -> None:
    """A source that waits does not hold back the handles that have settled."""
    session = await world.open()
    queue: asyncio.Queue[Task[object] | None] = asyncio.Queue()

    async def arriving() -> AsyncIterator[Task[object]]:
        while (task := await queue.get()) is not None:
            yield task

    queue.put_nowait(world.extraction(0, "tax_status"))
    running = aiter(session.run(arriving()))
    async with asyncio.timeout(600):
        first = await anext(running)
    queue.put_nowait(world.extraction(1, "tax_status"))
    queue.put_nowait(None)
    rest = [handle async for handle in running]

    assert [Status.FINISHED] * 2 == [handle.status for handle in (first, *rest)]


async def test_a_failed_job_is_one_among_others(world: World) -> None:
    """Whoever gets the handle meets the error by awaiting it; the iteration goes on."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    tasks = _tasks(world)

    outcomes = [handle.status async for handle in session.run(tasks)]

    assert (1, len(tasks) - 1) == (outcomes.count(Status.FAILED), outcomes.count(Status.FINISHED))


async def test_a_job_past_its_deadline_is_yielded(world: World) -> None:
    """A job that does not end holds the iteration no longer than its deadline."""
    session = await world.open()
    world.syntage.next_job(outcome="stuck")
    world.syntage.next_job(outcome="failed")

    handles = [handle async for handle in session.run(_tasks(world), deadline=timedelta(minutes=10))]

    stuck = next(handle for handle in handles if not handle.done())
    with pytest.raises(JobTimeoutError):
        await stuck
    failed = next(handle for handle in handles if handle.status is Status.FAILED)
    with pytest.raises(JobFailedError):
        await failed


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda world: world.invoices(date_from=date(2027, 1, 1), date_to=date(2027, 2, 1)), id="future"),
        pytest.param(lambda _: "no task", id="no task"),
        pytest.param(lambda _: syntage.Extraction, id="a class"),
        pytest.param(lambda _: StrangersTask(), id="of no vendor here"),
    ],
)
async def test_a_wrong_task_is_one_among_others(world: World, wrong: Callable[[World], Any]) -> None:
    """It has a handle as the others have; awaiting it tells what to mend, and nothing was sent or kept for it."""
    session = await world.open()
    tasks = [world.invoices(), wrong(world), world.extraction()]

    handles = [handle async for handle in session.run(tasks)]

    refused = next(handle for handle in handles if handle.status is Status.REJECTED)
    assert [Status.FINISHED] * 2 == [(await handle).status for handle in handles if handle is not refused]
    assert refused.done()
    for _ in range(2):
        with pytest.raises(JobNotFiredError) as caught:
            await refused
    assert isinstance(caught.value, TaskError)
    assert ("task", refused.id) == (caught.value.code, caught.value.job.id)
    with pytest.raises(UnknownJobError):
        await session.attach(refused.id)


async def test_a_wrong_task_says_what_fire_would_say(world: World) -> None:
    """The same sentence and field; it survives a pickle, since runs are divided among processes."""
    session = await world.open()
    wrong = world.invoices(date_from=date(2027, 1, 1), date_to=date(2027, 2, 1))
    with pytest.raises(TaskError) as alone:
        await session.fire(wrong)

    (handle,) = [handle async for handle in session.run([wrong])]
    with pytest.raises(JobNotFiredError) as caught:
        await handle

    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(alone.value), alone.value.field) == (str(again), again.field)
    assert wrong == handle.task == again.job.task


async def test_wrong_tasks_alone_are_a_run(world: World) -> None:
    """More of them than may be open at a time."""
    session = await world.open()

    handles = [handle async for handle in session.run([StrangersTask()] * 9, concurrency=2)]

    assert 9 == len(handles)


async def test_a_deadline_that_no_job_can_have_is_told_once(world: World) -> None:
    """It is the run's mistake and not each task's."""
    session = await world.open()

    with pytest.raises(TaskError, match="deadline"):
        session.run([world.extraction()], deadline=timedelta(0))


@pytest.mark.parametrize("vendor", ["belvo", "syntage"])
async def test_a_wrong_key_stops_the_run(world: World, vendor: str) -> None:
    """No further task would pass: not one is drawn any more, and the error is that of the credentials."""
    belvo_vendor = Belvo(world.belvo.secret_id, "wrong-password-1234", base_url=world.belvo.url)
    syntage_vendor = Syntage("wrong-key-123456789", base_url=world.syntage.url)
    session = await world.open(belvo_vendor if vendor == "belvo" else syntage_vendor, webhooks=False)
    drawn = 0

    def endless() -> Iterator[Task[object]]:
        nonlocal drawn
        for year in count(1930):
            drawn += 1
            period = syntage.Period(from_=date(year, 1, 1), to=date(year, 2, 1))
            options = syntage.InvoiceOptions(period=period)
            if vendor == "syntage":
                yield world.extraction(options=options)
            else:
                yield world.invoices(year % 3, date_from=period.from_, date_to=period.to)

    with pytest.raises(AuthenticationError, match="the run is stopped") as caught:
        async for _ in session.run(endless(), concurrency=4):
            pass

    assert 401 == caught.value.status_code
    assert isinstance(caught.value.__cause__, JobRejectedError)
    assert drawn <= 5


async def test_a_key_that_is_refused_later_leaves_the_jobs_that_run(world: World) -> None:
    """What the vendor had accepted before ends as ever."""
    session = await world.open()
    first = await session.fire(world.extraction())
    world.syntage.next_answer("unauthorized", path="/extractions")

    with pytest.raises(AuthenticationError):
        async for _ in session.run([world.extraction(1)]):
            pass

    assert Status.FINISHED == (await first).status


@pytest.mark.parametrize("fault", ["forbidden", "bad_request", "unprocessable"])
async def test_what_one_task_is_refused_for_stops_no_other(world: World, fault: str) -> None:
    """A key may have a right less than others: that is about what was asked for."""
    session = await world.open()
    world.syntage.next_answer(fault, path="/extractions")

    outcomes = [handle.status async for handle in session.run(_tasks(world))]

    assert 1 == outcomes.count(Status.REJECTED)
    assert len(outcomes) - 1 == outcomes.count(Status.FINISHED)


@pytest.mark.parametrize(("fault", "stops"), [("authentication_failed", True), ("access_to_production_denied", True),
                                              ("access_to_resource_denied", False), ("not_found", False)])  # fmt: skip
async def test_which_refusals_of_belvo_are_about_the_keys(world: World, fault: str, *, stops: bool) -> None:
    """Those that any request would meet."""
    session = await world.open()
    world.belvo.next_answer(fault, path="/api/invoices/")
    tasks = [world.invoices(), world.invoices(1)]

    outcomes: list[Status] = []
    with pytest.raises(AuthenticationError) if stops else nullcontext():
        async for handle in session.run(tasks, concurrency=1):
            outcomes.append(handle.status)

    assert ([] if stops else [Status.REJECTED, Status.FINISHED]) == outcomes


async def test_a_source_that_fails_loses_no_handle(world: World) -> None:
    """What it raises, a TaskError from making a task among it, comes after the handles of what was fired before."""
    session = await world.open()

    def failing() -> Iterator[Task[object]]:
        yield world.extraction()
        yield world.invoices(date_from=date(2025, 2, 1), date_to=date(2025, 1, 1))

    handles: list[JobHandle[object]] = []

    async def collect() -> None:
        async for handle in session.run(failing()):
            handles.append(handle)

    with pytest.raises(TaskError):
        await collect()

    assert [Status.FINISHED] == [handle.status for handle in handles]


async def test_a_source_that_fails_ends_the_iteration(world: World) -> None:
    """What the source raises comes out; nothing is left running here."""
    session = await world.open()

    def failing() -> Iterator[Task[object]]:
        yield world.extraction()
        raise LookupError("the source is broken")

    with pytest.raises(LookupError, match="the source is broken"):
        async for _ in session.run(failing()):
            pass

    assert set() == {"_draw", "_settle"} & {str(task.get_coro().__qualname__) for task in asyncio.all_tasks()}


async def test_leaving_early_leaves_the_jobs(world: World) -> None:
    """Breaking out stops the waiting; what was fired goes on and stays in the store."""
    session = await world.open()
    running = session.run(_tasks(world), concurrency=5)

    async for _ in running:
        break
    await running.aclose()  # type: ignore[attr-defined]

    open_jobs = [handle async for handle in session.open_jobs()]
    assert 4 == len(open_jobs)
    assert {Status.FINISHED} == {job.status for job in await asyncio.gather(*open_jobs)}


async def test_nothing_to_do_is_nothing(world: World) -> None:
    """No tasks, no handles."""
    session = await world.open()

    assert [] == [handle async for handle in session.run([])]


async def test_equal_tasks_share_a_job(world: World) -> None:
    """Equal tasks under way together are one job with several handles."""
    session = await world.open()

    handles = [handle async for handle in session.run([world.extraction()] * 3)]

    assert (3, 1) == (len(handles), len({handle.id for handle in handles}))
    assert 1 == len(world.sent("POST"))


async def test_closing_the_session_ends_the_iteration(world: World) -> None:
    """The iteration says that the session closed."""
    session = await world.open()

    async def work() -> None:
        async for _ in session.run([world.extraction()]):
            pass

    working = asyncio.create_task(work())
    await asyncio.sleep(1)
    await session.close()

    with pytest.raises(SessionClosedError):
        await working


async def test_a_bound_below_one_is_a_mistake(world: World) -> None:
    """Nothing could ever run."""
    session = await world.open(webhooks=False)

    with pytest.raises(ValueError, match="concurrency"):
        session.run([], concurrency=0)
