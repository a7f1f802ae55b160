"""Many tasks, a bounded number of them open, handles in the order they settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
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
    source = _each(tasks)
    under_way: set[asyncio.Task[JobHandle[R]]] = set()
    drained = False
    try:
        while True:
            while not drained and len(under_way) < concurrency:
                task = await anext(source, None)
                if task is None:
                    drained = True
                else:
                    under_way.add(asyncio.create_task(_settle(fire, task)))
            if not under_way:
                return
            settled, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for each in settled:
                yield each.result()
    finally:
        await _abandon(under_way)
        await source.aclose()


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
