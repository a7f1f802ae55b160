"""The queue before one budget: who is at the front of a line waits for the next place, and nobody else holds one."""

from __future__ import annotations

import asyncio
import itertools
from copy import copy
from functools import partial
from operator import attrgetter
from typing import Final

from ..abc import Budget, Urgency
from ..errors import SessionClosedError, StoreError
from .background import Background
from .fifo import Fifo, Precedence
from .pools import CLOSED, Pool
from .shared_limits import Reservation, Sleep, Steady

# The vendor counts when requests arrive, not when they were due. One that is later than its place by more than this
# part of the span takes another, and windows are taken that much longer: so requests that are late never meet, in one
# window of the vendor's, too many of those that are not. For 80 requests in 30 s it is half a second.
SLACK: Final = 1 / 60


class Rank(Fifo):
    """The callers of one kind of connection and one urgency. `number`: since when its front waits, among other fronts.

    `wants`: the front waits for a place now, and for nothing else. `stuck_since`: there are no connections since then.
    """

    def __init__(self, pool: Pool, urgency: Urgency) -> None:
        super().__init__()
        self.pool = pool
        self.urgency = urgency
        self.number = 0
        self.wants = False
        self.stuck_since: float | None = None


class BudgetQueue:
    """Requests that count against one budget, in lines that do not wait for each other's connections.

    The one place ahead belongs to the queue, not to a caller: who gives up costs no place, and a process that dies
    loses one. Which line's front has it is decided at the moment it may be used: the most urgent, then who came first.
    When everybody has left, it goes back to the store.
    """

    def __init__(self, budget: Budget, steady: Steady, background: Background, sleep: Sleep) -> None:
        slack = budget.span * SLACK
        self._budget = Budget(budget.key, budget.limit, budget.span + slack)
        self._slack = slack.total_seconds()
        self._steady = steady
        self._background = background
        self._sleep = sleep
        self._loop = asyncio.get_running_loop()
        self._lines: dict[tuple[int, Urgency], Rank] = {}
        self._precedence = Precedence()
        self._numbers = itertools.count()
        self._ahead: asyncio.Future[Reservation] | None = None
        # Fronts that found another's turn come: they look again when it has been taken.
        self._outranked: list[asyncio.Future[None]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nobody is here."""
        return all(line.is_empty for line in self._lines.values())

    async def take(self, pool: Pool, urgency: Urgency, patience: float | None) -> Reservation | None:
        """Wait for a place and a connection; None when no connection got free in time. Raises StoreError."""
        line = self._line(pool, urgency)
        came = self._loop.time()
        place: Reservation | None = None
        try:
            await line.reach_front()
        except BaseException:
            self._tidy()
            raise
        try:
            line.number = next(self._numbers)
            await self._turn(line)
            if await self._take_slot(line, came, patience):
                place = await self._place_in_slot(line)
            return place
        except StoreError as error:
            # Each would wait for the store in turn, and in vain.
            line.send_away(partial(copy, error))
            raise
        finally:
            line.leave(served=place is not None)
            self._tidy()

    def _line(self, pool: Pool, urgency: Urgency) -> Rank:
        line = self._lines.get((id(pool), urgency))
        if line is None:
            line = self._lines[id(pool), urgency] = Rank(pool, urgency)
        return line

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
        for line in self._lines.values():
            line.send_away(lambda: SessionClosedError(CLOSED))
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            self._background.start(self._give_back(ahead))

    async def _turn(self, line: Rank) -> Reservation:
        """The place ahead, once it may be used and it is this line's turn: until the caller waits for anything else."""
        line.wants = True
        try:
            while True:
                place = await self._due_place()
                if self._chosen() is line:
                    return place
                outranked = self._loop.create_future()
                self._outranked.append(outranked)
                await outranked
        finally:
            line.wants = False
            self._stir()

    def _chosen(self) -> Rank:
        wanting = [line for line in self._lines.values() if line.wants]
        urgency = self._precedence.choose({line.urgency for line in wanting})
        return min((line for line in wanting if line.urgency is urgency), key=attrgetter("number"))

    def _stir(self) -> None:
        outranked, self._outranked = self._outranked, []
        for each in outranked:
            if not each.done():
                each.set_result(None)

    async def _due_place(self) -> Reservation:
        """The place ahead, once its request may go out; another one when that was too long ago."""
        is_new = False
        while True:
            if self._ahead is None:
                self._ahead, is_new = self._background.start(self._steady.reserve(self._budget)), True
            ahead = self._ahead
            # Not awaited itself: when this caller gives up, the place is the next one's.
            await asyncio.wait({ahead})
            if ahead.cancelled() or ahead.exception() is not None:
                self._ahead = None if self._ahead is ahead else self._ahead
            place = _result(ahead)
            await self._sleep(place.due - self._loop.time())
            if self._ahead is not ahead:
                is_new = False  # another line's front has used it
                continue
            # A new one may be late because the store is slow: the next would be no better.
            if is_new or self._loop.time() - place.due <= self._slack:
                return place
            self._ahead, is_new = self._background.start(self._exchange(place)), True

    async def _exchange(self, late: Reservation) -> Reservation:
        await self._steady.give_back(self._budget, late)
        return await self._steady.reserve(self._budget)

    async def _take_slot(self, line: Rank, came: float, patience: float | None) -> bool:
        """Take a connection. Patience counts from when this caller came, and since when there are none."""
        now = self._loop.time()
        if line.stuck_since is None:
            line.stuck_since = now
        if patience is not None:
            patience += max(came, line.stuck_since) - now
        if not await line.pool.take_slot(patience, line.urgency):
            return False
        line.stuck_since = None
        return True

    async def _place_in_slot(self, line: Rank) -> Reservation:
        try:
            # At once, unless the wait for the connection made it too late, or another line's front was there.
            place = await self._turn(line)
        except BaseException:
            line.pool.slots.release()
            raise
        self._ahead = None
        self._precedence.serve({line.urgency, *(each.urgency for each in self._lines.values() if each.wants)})
        return place

    def _tidy(self) -> None:
        if self.is_empty and self._ahead is not None:
            self._background.start(self._return_ahead(self._ahead))

    async def _return_ahead(self, ahead: asyncio.Future[Reservation]) -> None:
        """Give the place ahead back, unless somebody came for it meanwhile."""
        await asyncio.wait({ahead})
        if self.is_empty and self._ahead is ahead:
            self._ahead = None
            await self._give_back(ahead)

    async def _give_back(self, ahead: asyncio.Future[Reservation]) -> None:
        await asyncio.wait({ahead})
        if not ahead.cancelled() and ahead.exception() is None:
            await self._steady.give_back(self._budget, ahead.result())


def _result(ahead: asyncio.Future[Reservation]) -> Reservation:
    """What a reservation gave, or an error of the caller's own: several wait for it."""
    error = None if ahead.cancelled() else ahead.exception()
    if error is not None:
        raise copy(error)
    return ahead.result()
