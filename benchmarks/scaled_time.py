"""Time that passes so many times faster: an event loop and a clock, alike in all processes that know the start."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class ScaledClock:
    """The wall clock that was right at `start` (seconds since 1970) and goes `speed` times as fast from there."""

    def __init__(self, start: float, speed: float) -> None:
        self._start = start
        self._speed = speed

    def now(self) -> datetime:
        since = (time.time() - self._start) * self._speed
        return datetime.fromtimestamp(self._start, UTC) + timedelta(seconds=since)


class _ScaledSelector(selectors.DefaultSelector):
    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._speed)


class ScaledLoop(asyncio.SelectorEventLoop):
    """Whatever waits on it waits `speed` times less long, and all spans it measures are that much longer."""

    def __init__(self, speed: float) -> None:
        super().__init__(_ScaledSelector(speed))
        self._speed = speed

    def time(self) -> float:
        return super().time() * self._speed


def run(work: Coroutine[Any, Any, T], speed: float) -> T:
    """Run one coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(speed)) as runner:
        return runner.run(work)
