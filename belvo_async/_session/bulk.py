"""Many tasks, a bounded number of them open, handles in the order they settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from ..errors import JobError
from ..jobs import Task
from .handle import JobHandle

R = TypeVar("R")


async def run(
    fire: Callable[[Task[R]], Awaitable[JobHandle[R]]],
    tasks: Iterable[Task[R]] | AsyncIterable[Task[R]],
    concurrency: int,
) -> AsyncIterator[JobHandle[R]]:
    """Keep up to `concurrency` jobs under way; see `Session.run`."""
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    under_way: set[asyncio.Task[Any]] = set()
    slots = asyncio.Semaphore(concurrency)

    def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        task.add_done_callback(ended.put_nowait)
        under_way.add(task)
        return task

    # Drawn beside, by one task: a source that waits must not hold back the handles that have settled.
    drawing = begin(_draw(tasks, slots, lambda task: begin(_settle(fire, task))))
    try:
        while under_way:
            task = await ended.get()
            under_way.discard(task)
            outcome = task.result()
            if task is not drawing:
                slots.release()
                yield outcome
    finally:
        await _abandon(under_way)


async def _draw(
    tasks: Iterable[Task[R]] | AsyncIterable[Task[R]], slots: asyncio.Semaphore, begin: Callable[[Task[R]], object]
) -> None:
    """Begin each task as soon as there is a slot; a task is drawn only then."""
    async with aclosing(_each(tasks)) as source:
        await slots.acquire()
        async for task in source:
            begin(task)
            await slots.acquire()


async def _settle(fire: Callable[[Task[R]], Awaitable[JobHandle[R]]], task: Task[R]) -> JobHandle[R]:
    handle = await fire(task)
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
