"""Whose turn it is: when a request has a connection, a place in its budget and an open rate window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ..abc import Budget, Clock, Request, Retry, Urgency
from .background import Background
from .budget_queue import BudgetQueue
from .pools import Pool
from .rate_windows import RateWindows
from .request import Home
from .shared_limits import Reservation, SharedLimits, Sleep, Steady

# Waiting for one of our own connections is not the vendor's time; but a consumer that holds all of them must not
# stop every other call for ever.
SLOT: Final = timedelta(seconds=60)
# How long closing waits for places to be given back.
CLOSING: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Admitted:
    """What a request holds that may go out now: a connection and, where it counts against a budget, a place."""

    pool: Pool
    queue: BudgetQueue | None = None
    place: Reservation | None = None

    def put_back(self) -> None:
        """Return the connection and the place: nothing was sent."""
        self.pool.slots.release()
        if self.queue is not None and self.place is not None:
            self.queue.put_back(self.place)


class Admission:
    """Gives turns to the requests of one client. Made and used on one event loop."""

    def __init__(
        self, *, clock: Clock, chance: Callable[[], float], sleep: Sleep, shared_limits: SharedLimits | None
    ) -> None:
        self.windows = RateWindows(clock, chance, sleep, shared_limits)
        self._sleep = sleep
        self._steady = None if shared_limits is None else Steady(shared_limits, clock)
        self._background = Background()
        self._queues: dict[Budget, BudgetQueue] = {}

    async def take(self, pool: Pool, home: Home, request: Request) -> Admitted | None:
        """Wait until a request may go out; None when no connection got free in time. Raises StoreError.

        Who gets a turn tells `windows` when the request was answered or failed: `leave`.
        """
        window = (home.account, request.name)
        while True:
            # Who counts its requests itself needs no word from others: its budget is shared already.
            await self.windows.wait(window, is_shared=request.budget is None)
            turn = await self._take(pool, home.urgency, request)
            if turn is None:
                return None
            is_in = False
            try:
                is_in = await self.windows.enter(window)
            finally:
                if not is_in:
                    # The window was exhausted by others while this one waited for its turn.
                    turn.put_back()
            if is_in:
                return turn

    async def close(self) -> None:
        """Send everybody away, and give all places back. Bounded."""
        for queue in self._queues.values():
            queue.close()
        await self._background.settle(CLOSING.total_seconds())

    async def _take(self, pool: Pool, urgency: Urgency, request: Request) -> Admitted | None:
        # Who starts paid work waits as long as it takes: every other submission ends within minutes.
        patience = None if request.retry is Retry.SUBMIT else SLOT.total_seconds()
        if request.budget is None or self._steady is None:
            return Admitted(pool) if await pool.take_slot(patience, urgency) else None
        queue = self._queues.get(request.budget)
        if queue is None:
            queue = BudgetQueue(request.budget, self._steady, self._background, self._sleep)
            self._queues[request.budget] = queue
        place = await queue.take(pool, urgency, patience)
        return None if place is None else Admitted(pool, queue, place)
