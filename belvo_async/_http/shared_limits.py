"""What the workers of a store share to keep to the vendors' limits, and how this process asks for it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ..abc import Budget, Clock
from ..errors import StoreError

_log = logging.getLogger("belvo_async.http")

# A note about a rate window is a courtesy: nobody waits longer for the store to take or tell it.
NOTES_SECONDS: Final = 2.0

Sleep = Callable[[float], Awaitable[None]]
"""Sleeps so many seconds, or raises SessionClosedError as soon as the client closes."""


class SharedLimits(Protocol):
    """What is asked of a store, whose contract says what each means."""

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime: ...
    async def give_back(self, budget: Budget, mark: str) -> None: ...
    async def exhaust(self, window: str, until: datetime) -> None: ...
    async def exhausted_until(self, window: str) -> datetime | None: ...


@dataclass(frozen=True)
class Reservation:
    """A place in a budget: its name in the store, and from which loop time on its request may go out."""

    mark: str
    due: float


class Steady:
    """Takes and returns places, by a clock that does not step: the wall clock at the start, then the loop's."""

    def __init__(self, shared_limits: SharedLimits, clock: Clock) -> None:
        self._shared_limits = shared_limits
        self._loop = asyncio.get_running_loop()
        self._start = clock.now()
        self._started = self._loop.time()
        self._name = secrets.token_hex(8)
        self._numbers = itertools.count()

    async def reserve(self, budget: Budget) -> Reservation:
        """Take the next place. Raises StoreError."""
        mark = f"{self._name}.{next(self._numbers)}"
        asked = self._loop.time()
        now = self._start + timedelta(seconds=asked - self._started)
        instant = await self._shared_limits.reserve(budget, now, mark=mark)
        return Reservation(mark, asked + (instant - now).total_seconds())

    async def give_back(self, budget: Budget, place: Reservation) -> None:
        """Return a place that was not used. If the store cannot take it, it costs the budget one request."""
        try:
            await self._shared_limits.give_back(budget, place.mark)
        except StoreError:
            _log.debug("an unused place in a budget could not be given back", extra={"budget_limit": budget.limit})
