"""The queue before one budget: who is at the front waits for the next place, and nobody else holds one."""

from __future__ import annotations

import asyncio
from copy import copy
from functools import partial
from typing import Final

from ..abc import Budget
from ..errors import SessionClosedError, StoreError
from .background import Background
from .fifo import Fifo
from .pools import CLOSED, Pool
from .shared_limits import Reservation, Sleep, Steady

# The vendor counts when requests arrive, not when they were due. One that is later than its place by more than this
# part of the span takes another, and windows are taken that much longer: so requests that are late never meet, in one
# window of the vendor's, too many of those that are not. For 80 requests in 30 s it is half a second.
SLACK: Final = 1 / 60


class BudgetQueue:
    """Requests of one kind of connection that count against one budget.

    The one place ahead belongs to the queue, not to the caller at its front: who gives up costs no place, and a process
    that dies loses one. When everybody has left, it goes back to the store.
    """

    def __init__(self, budget: Budget, pool: Pool, steady: Steady, background: Background, sleep: Sleep) -> None:
        slack = budget.span * SLACK
        self._budget = Budget(budget.key, budget.limit, budget.span + slack)
        self._slack = slack.total_seconds()
        self._pool = pool
        self._steady = steady
        self._background = background
        self._sleep = sleep
        self._loop = asyncio.get_running_loop()
        self._line = Fifo()
        self._ahead: asyncio.Future[Reservation] | None = None
        self._stuck_since: float | None = None

    async def take(self, patience: float | None) -> Reservation | None:
        """Wait for a place and a connection; None when no connection got free in time. Raises StoreError."""
        came = self._loop.time()
        place: Reservation | None = None
        try:
            await self._line.reach_front()
        except BaseException:
            self._tidy()
            raise
        try:
            await self._due_place()
            if await self._take_slot(came, patience):
                place = await self._place_in_slot()
            return place
        except StoreError as error:
            # Each would wait for the store in turn, and in vain.
            self._line.send_away(partial(copy, error))
            raise
        finally:
            self._line.leave(served=place is not None)
            self._tidy()

    def put_back(self, place: Reservation) -> None:
        """Return a place with which nothing was sent: to the next in the queue, else to the store."""
        if self._ahead is not None:
            self._background.start(self._steady.give_back(self._budget, place))
            return
        self._ahead = self._loop.create_future()
        self._ahead.set_result(place)
        self._tidy()

    def close(self) -> None:
        """Send everybody away and give the place ahead back."""
        self._line.send_away(lambda: SessionClosedError(CLOSED))
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            self._background.start(self._give_back(ahead))

    async def _due_place(self) -> Reservation:
        """The place ahead, once its request may go out; another one when that was too long ago."""
        is_new = self._ahead is None
        ahead = self._ahead or self._background.start(self._steady.reserve(self._budget))
        while True:
            self._ahead = ahead
            # Not awaited itself: when this caller gives up, the place is the next one's.
            await asyncio.wait({ahead})
            if ahead.cancelled() or ahead.exception() is not None:
                self._ahead = None
            place = ahead.result()
            await self._sleep(place.due - self._loop.time())
            # A new one may be late because the store is slow: the next would be no better.
            if is_new or self._loop.time() - place.due <= self._slack:
                return place
            is_new = True
            ahead = self._background.start(self._exchange(place))

    async def _exchange(self, late: Reservation) -> Reservation:
        await self._steady.give_back(self._budget, late)
        return await self._steady.reserve(self._budget)

    async def _take_slot(self, came: float, patience: float | None) -> bool:
        """Take a connection. Patience counts from when this caller came, and since when there are none."""
        now = self._loop.time()
        if self._stuck_since is None:
            self._stuck_since = now
        if patience is not None:
            patience += max(came, self._stuck_since) - now
        if not await self._pool.take_slot(patience):
            return False
        self._stuck_since = None
        return True

    async def _place_in_slot(self) -> Reservation:
        try:
            # At once, unless the wait for the connection made it too late.
            place = await self._due_place()
        except BaseException:
            self._pool.slots.release()
            raise
        self._ahead = None
        return place

    def _tidy(self) -> None:
        if self._line.is_empty and self._ahead is not None:
            self._background.start(self._return_ahead(self._ahead))

    async def _return_ahead(self, ahead: asyncio.Future[Reservation]) -> None:
        """Give the place ahead back, unless somebody came for it meanwhile."""
        await asyncio.wait({ahead})
        if self._line.is_empty and self._ahead is ahead:
            self._ahead = None
            await self._give_back(ahead)

    async def _give_back(self, ahead: asyncio.Future[Reservation]) -> None:
        await asyncio.wait({ahead})
        if not ahead.cancelled() and ahead.exception() is None:
            await self._steady.give_back(self._budget, ahead.result())
