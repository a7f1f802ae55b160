"""Whose turn it is: when a request has a connection, a place in its budget and an open rate window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ..abc import Budget, Clock, Request, Retry
from .background import Errands
from .budget_queue import Queue
from .pools import Pool
from .rate_windows import Windows
from .request import Home
from .shared_limits import Pacing, Place, Sleep, Steady

__all__ = ["Turn", "Turns"]

# Waiting for one of our own connections is not the vendor's time; but a consumer that holds all of them must not
# stop every other call for ever.
SLOT: Final = timedelta(seconds=60)
# How long closing waits for places to be given back.
CLOSING: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Turn:
    """What a request holds that may go out now: a connection and, where it counts against a budget, a place."""

    pool: Pool
    queue: Queue | None = None
    place: Place | None = None

    def put_back(self) -> None:
        """Return all of it: nothing was sent."""
        self.pool.slots.release()
        if self.queue is not None and self.place is not None:
            self.queue.put_back(self.place)


class Turns:
    """Gives turns to the requests of one client. Made and used on one event loop."""

    def __init__(self, *, clock: Clock, chance: Callable[[], float], sleep: Sleep, pacing: Pacing | None) -> None:
        self.windows = Windows(clock, chance, sleep, pacing)
        self._sleep = sleep
        self._steady = None if pacing is None else Steady(pacing, clock)
        self._errands = Errands()
        self._queues: dict[tuple[Budget, int], Queue] = {}

    async def take(self, pool: Pool, home: Home, request: Request) -> Turn | None:
        """Wait until a request may go out; None when no connection got free in time. Raises StoreError."""
        window = (home.account, request.name)
        while True:
            # Who counts its requests itself needs no word from others: its budget is shared already.
            await self.windows.wait(window, is_shared=request.budget is None)
            turn = await self._take(pool, request)
            if turn is None or self.windows.is_open(window):
                return turn
            # The window was exhausted by others while this one waited for its turn.
            turn.put_back()

    async def close(self) -> None:
        """Send everybody away, and give all places back. Bounded."""
        for queue in self._queues.values():
            queue.close()
        await self._errands.settle(CLOSING.total_seconds())

    async def _take(self, pool: Pool, request: Request) -> Turn | None:
        # Who starts paid work waits as long as it takes: every other submission ends within minutes.
        patience = None if request.retry is Retry.SUBMIT else SLOT.total_seconds()
        if request.budget is None or self._steady is None:
            return Turn(pool) if await pool.take_slot(patience) else None
        queue = self._queues.get((request.budget, id(pool)))
        if queue is None:
            queue = Queue(request.budget, pool, self._steady, self._errands, self._sleep)
            self._queues[request.budget, id(pool)] = queue
        place = await queue.take(patience)
        return None if place is None else Turn(pool, queue, place)
