"""Many tasks, a bounded number of them open, handles in the order they settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from ..discreet import Discretion
from ..errors import AuthenticationError, JobError, TaskError, outcome_error
from ..jobs import Job, Status, Task
from .handle import JobHandle

R = TypeVar("R")


async def run(
    fire: Callable[[Task[R]], Awaitable[JobHandle[R]]],
    tasks: Iterable[Task[R]] | AsyncIterable[Task[R]],
    concurrency: int,
    *,
    refuse: Callable[[Task[R], TaskError], JobHandle[R]],
) -> AsyncIterator[JobHandle[R]]:
    """Keep up to `concurrency` jobs under way; see `Session.run`. `refuse` makes the handle of a wrong task."""
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    under_way: set[asyncio.Task[Any]] = set()
    slots = asyncio.Semaphore(concurrency)

    def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        task.add_done_callback(ended.put_nowait)
        under_way.add(task)
        return task

    # Drawn beside, by one task: a source that waits must not hold back the handles that have settled.
    drawing = begin(_draw(tasks, slots, lambda task: begin(_settle(fire, task, refuse))))
    with Discretion():
        try:
            while under_way:
                task = await ended.get()
                under_way.discard(task)
                # What the source raises waits for the jobs that were fired before: their handles are still wanted.
                if task is not drawing:
                    handle: JobHandle[R] = task.result()
                    check_key(handle.job)
                    slots.release()
                    yield handle
            drawing.result()
        finally:
            await _abandon(under_way)


def check_key(job: Job) -> None:
    """Raise AuthenticationError when the vendor refused the key itself: no further task would pass."""
    failure = job.failure
    if job.status is Status.REJECTED and failure is not None and failure.refused_key is not None:
        text = f"the run is stopped: {failure.message or failure.code}; jobs that were started before go on"
        raise AuthenticationError(text, status_code=failure.refused_key, code=failure.code) from outcome_error(job)


async def _draw(
    tasks: Iterable[Task[R]] | AsyncIterable[Task[R]], slots: asyncio.Semaphore, begin: Callable[[Task[R]], object]
) -> None:
    """Begin each task as soon as there is a slot; a task is drawn only then."""
    async with aclosing(_each(tasks)) as source:
        await slots.acquire()
        async for task in source:
            begin(task)
            await slots.acquire()


async def _settle(
    fire: Callable[[Task[R]], Awaitable[JobHandle[R]]],
    task: Task[R],
    refuse: Callable[[Task[R], TaskError], JobHandle[R]],
) -> JobHandle[R]:
    try:
        handle = await fire(task)
    except TaskError as error:
        return refuse(task, error)
    with suppress(JobError):  # whoever gets the handle awaits it and meets the error there
        await handle
    return handle


async def _abandon(waiting: set[asyncio.Task[Any]]) -> None:
    """Stop waiting; the jobs go on."""
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _each(tasks: Iterable[Task[R]] | AsyncIterable[Task[R]]) -> AsyncGenerator[Task[R], None]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task
    else:
        for task in tasks:
            yield task
