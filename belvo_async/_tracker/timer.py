"""One event-loop timer for any number of instants: open jobs and waiters need no task of their own."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta

from ..abc import Clock


class Alarm:
    """One instant set in a `Timer`. `cancel` may be called any number of times."""

    __slots__ = ("_callback", "_timer", "due_seconds")

    def __init__(self, timer: Timer, due_seconds: float, callback: Callable[[], None]) -> None:
        self._timer = timer
        self._callback: Callable[[], None] | None = callback
        self.due_seconds = due_seconds

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._timer.forget_one()

    def ring(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    @property
    def is_set(self) -> bool:
        return self._callback is not None


class Timer:
    """Calls back at instants, with a single timer of the loop armed for the earliest.

    Instants are wall-clock times but only the distance from now counts: a jump of the clock moves nothing that is
    already set. Callbacks see none of the context variables of whoever set them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()
        self._cancelled = 0
        self._armed: asyncio.TimerHandle | None = None

    def at(self, when: datetime, callback: Callable[[], None]) -> Alarm:
        """Call `callback` at `when`, or soon when that has passed. It must not raise."""
        return self.after(when - self._clock.now(), callback)

    def after(self, span: timedelta, callback: Callable[[], None]) -> Alarm:
        """Call `callback` when a span has passed, or soon when it is none. It must not raise."""
        loop = asyncio.get_running_loop()
        due_seconds = loop.time() + max(0.0, span.total_seconds())
        alarm = Alarm(self, due_seconds, callback)
        heapq.heappush(self._heap, (due_seconds, next(self._order), alarm))
        if self._heap[0][2] is alarm:
            self._arm(loop)
        return alarm

    def forget_one(self) -> None:
        """Count a cancelled alarm; when most are cancelled, sweep them out so that memory follows the live ones."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].is_set]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def close(self) -> None:
        """Forget every alarm."""
        if self._armed is not None:
            self._armed.cancel()
        self._armed = None
        self._heap.clear()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._armed is not None:
            self._armed.cancel()
        # Nothing of whoever armed it goes along: what is current there (a span, a permit) would be so for ever, since
        # each ring arms the next one.
        self._armed = loop.call_at(self._heap[0][0], self._ring, context=Context()) if self._heap else None

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        now_seconds = loop.time()
        while self._heap and (self._heap[0][0] <= now_seconds or not self._heap[0][2].is_set):
            alarm = heapq.heappop(self._heap)[2]
            self._cancelled -= 0 if alarm.is_set else 1
            alarm.ring()
        self._armed = None
        self._arm(loop)
