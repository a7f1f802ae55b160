"""A loop whose time jumps to the next timer where nothing else can happen, and the clock that goes with it.

Loopback sockets keep working: before a jump, the kernel gets a moment for whatever was just written.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 6, 1, 6, tzinfo=UTC)
# Real seconds; and how often after a socket was last ready: then nothing can be in flight.
GRACE_SECONDS = 0.0005
GRACES = 3


class JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets a little, and for time not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_seconds = 0.0
        self._graces = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        while not ready and timeout != 0 and self._graces:
            self._graces -= 1
            ready = super().select(GRACE_SECONDS)
        if ready or timeout == 0:
            self._graces = GRACES
        elif timeout is None:
            ready = super().select(None)
        else:
            self.ahead_seconds += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop, and a clock, which is set to any day: `now`."""

    def __init__(self, start: datetime = START) -> None:
        self._jumping = JumpingSelector()
        self._start = start
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.ahead_seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._jumping.ahead_seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)
