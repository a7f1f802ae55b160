"""Callers in the order they came, and which kind of them goes first."""

from __future__ import annotations

import asyncio
import itertools
from bisect import bisect_left, insort
from collections.abc import Callable, Collection
from heapq import heapify, heappop, heappush
from typing import Final

from ..abc import Urgency

# So many more urgent requests may pass one that waits. Of a budget of 80 in half a minute, polls get four or five
# places in each, however much else there is to send, and wait for half a minute at most.
PASSED_AT_MOST: Final = 16


class Precedence:
    """Which of several kinds of callers goes next: the most urgent, unless another was passed too often."""

    def __init__(self) -> None:
        self._passed = dict.fromkeys(Urgency, 0)

    def choose(self, waiting: Collection[Urgency]) -> Urgency:
        """Say whose turn it is of those that wait, one at least."""
        return min([each for each in waiting if self._passed[each] >= PASSED_AT_MOST] or waiting)

    def serve(self, waiting: Collection[Urgency]) -> Urgency:
        """Give the turn to one of those that wait, and remember whom it passes."""
        served = self.choose(waiting)
        for each in waiting:
            if each > served:
                self._passed[each] += 1
        self._passed[served] = 0
        return served


class Fifo:
    """One caller at a time is at the front; the others wait behind it.

    Who gives up leaves its number to the next who comes, until somebody behind it was served. So callers with short
    time limits that come again keep their rank, and nobody waits longer than if they had stayed.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._left: list[int] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._front: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody is here, at the front or behind."""
        return self._front is None

    async def reach_front(self) -> None:
        """Wait until all who came before have left. Whoever returns from here calls `leave`."""
        number = heappop(self._left) if self._left else next(self._numbers)
        if self._front is None:
            self._front = number
            return
        mine = (number, asyncio.get_running_loop().create_future())
        insort(self._waiting, mine)
        try:
            await mine[1]
        except BaseException:
            if self._front == number:
                self.leave(served=False)
            else:
                self._step_out(number)
            raise

    def leave(self, *, served: bool) -> None:
        """Let the next one to the front."""
        number, self._front = self._front, None
        if number is not None and served:
            self._left = [each for each in self._left if each > number]
            heapify(self._left)
        elif number is not None:
            heappush(self._left, number)
        for index, (following, future) in enumerate(self._waiting):
            # One that is done was cancelled this moment, and is about to leave.
            if not future.done():
                del self._waiting[index]
                self._front = following
                future.set_result(None)
                return

    def _step_out(self, number: int) -> None:
        index = bisect_left(self._waiting, (number,))
        if index < len(self._waiting) and self._waiting[index][0] == number:
            del self._waiting[index]
            heappush(self._left, number)

    def send_away(self, error: Callable[[], Exception]) -> None:
        """Tell everybody behind the front that there is nothing to wait for."""
        waiting, self._waiting = self._waiting, []
        for number, future in waiting:
            heappush(self._left, number)
            if not future.done():
                future.set_exception(error())
