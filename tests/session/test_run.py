"""`session.run`: many tasks, a bounded number open, handles as they settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from belvo_async import JobFailedError, JobTimeoutError, SessionClosedError, Status, Task, TaskError, syntage
from tests.session.world import World

# `invoice` needs options, and companies have no tax declarations of the RIF.
EXTRACTORS = [name for name in syntage.EXTRACTORS if name not in ("invoice", "rif_tax_return")]


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


async def test_a_wrong_task_ends_the_iteration(world: World) -> None:
    """A TaskError is raised; the jobs fired before go on."""
    session = await world.open()
    tasks = [world.extraction(), world.extraction(extractor="tax_status"), "no task"]

    with pytest.raises(TaskError):
        async for _ in session.run(tasks):  # type: ignore[arg-type]
            pass

    open_jobs = [handle async for handle in session.open_jobs()]
    assert 2 == len(open_jobs)
    assert [Status.FINISHED] * 2 == [job.status for job in await asyncio.gather(*open_jobs)]


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
