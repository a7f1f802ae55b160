"""A bound on the time of what hardly ever has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Do work, for so long at most; then TimeoutError. No timer is set for what ends without having waited.

    To set one and take it back costs as much as to verify a delivery.
    """
    try:
        awaited = work.send(None)
    except StopIteration as end:
        done: T = end.value
        return done
    async with asyncio.timeout(seconds):
        return await _rest(work, awaited)


@coroutine
def _rest(work: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """Go on with work that waits for something, to its end, as `await` would."""
    step: Callable[[Any], Any]
    while True:
        try:
            told = yield awaited
        except BaseException as error:  # noqa: BLE001 - a cancellation as a rule, which is the work's to meet
            step, told = work.throw, error
        else:
            step = work.send
        try:
            awaited = step(told)
        except StopIteration as end:
            done: T = end.value
            return done
