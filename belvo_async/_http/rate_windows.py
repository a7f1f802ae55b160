"""Rate windows a vendor tells about in its answers: an exhausted one is waited out, by all workers of a store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ..abc import Clock, Response
from ..errors import StoreError
from ..rate_limits import calls_left, calls_of_window, is_exhausted
from ..within import within
from .retry_after import exhausted_until
from .shared_limits import NOTES_SECONDS, SharedLimits, Sleep

_log = logging.getLogger("belvo_async.http")

# Nobody is believed who asks for more, neither a vendor nor a note of another worker: either clock may be wrong. Then
# the request goes out and gets its own answer.
LONGEST: Final = timedelta(seconds=60)
# Many callers are told the same instant; they come back spread over this span.
SPREAD: Final = timedelta(seconds=1)

Window = tuple[str, str]
"""The account and the request's name: windows are counted for each key and route."""


@dataclass(slots=True)
class _Flight:
    """The requests of one window that are on their way, and who waits until there are fewer.

    `left`: how many calls remained when an answer last told; None while that is not known. `reset`: of which window.
    `whole`: how many calls a window has.
    """

    sent: int = 0
    left: int | None = None
    whole: int | None = None
    reset: str | None = None
    waiting: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])

    @property
    def has_room(self) -> bool:
        """Whether one more keeps within what is left, were none of those on their way counted yet."""
        return self.left is None or self.sent < max(self.left, 1)

    def learn(self, response: Response) -> None:
        """Remember what is left; answers of one window may overtake each other, and the least is the latest."""
        left, reset = calls_left(response.headers), response.headers.get("x-ratelimit-reset")
        known = self.left if reset is not None and reset == self.reset else None
        self.left = left if left is None or known is None else min(left, known)
        self.reset = reset
        self.whole = calls_of_window(response.headers)

    def begin_anew(self) -> None:
        """The window is over, or will be before the next request."""
        self.left = self.whole


class RateWindows:
    """What is known of exhausted windows. Without a store, of those this process met."""

    def __init__(
        self, clock: Clock, chance: Callable[[], float], sleep: Sleep, shared_limits: SharedLimits | None
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self._shared_limits = shared_limits
        self._loop = asyncio.get_running_loop()
        self._opens: dict[Window, float] = {}
        self._noted: dict[Window, datetime] = {}
        self._flights: dict[Window, _Flight] = {}

    async def wait(self, window: Window, *, is_shared: bool) -> None:
        """Sleep until a window is open again, as far as is known now. One that is shared is looked up in the store."""
        if is_shared and self.is_open(window):
            await self._look_up(window)
        await self._sleep(self._opens.get(window, 0.0) - self._loop.time())

    def is_open(self, window: Window) -> bool:
        """Whether requests may go out, as far as is known."""
        # A sleep may end a hair early: the loop's timers are as coarse as its clock.
        return self._opens.get(window, 0.0) <= self._loop.time() + 0.001

    async def enter(self, window: Window) -> bool:
        """Count a request that goes out now, once no more are on their way than the window has calls left.

        False when the window was exhausted meanwhile. Who entered leaves.
        """
        flight = self._flights.setdefault(window, _Flight())
        while self.is_open(window) and not flight.has_room:
            answered: asyncio.Future[None] = self._loop.create_future()
            flight.waiting.append(answered)
            await answered
        if not self.is_open(window):
            return False
        flight.sent += 1
        return True

    def leave(self, window: Window) -> None:
        """Count a request that was answered or failed."""
        flight = self._flights[window]
        flight.sent -= 1
        waiting, flight.waiting = flight.waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def note(self, window: Window, response: Response, *, is_shared: bool) -> None:
        """Remember what an answer tells: after the last call of a window, the next one waits for its end."""
        self._flights[window].learn(response)
        now = self._clock.now()
        wait = exhausted_until(response.status, response.headers, now) if is_exhausted(response.headers) else None
        if wait is None:
            if self.is_open(window):
                self._opens.pop(window, None)
            return
        until = now + min(wait, LONGEST)
        self._close(window, until, now)
        if is_shared and self._shared_limits is not None:
            try:
                await within(NOTES_SECONDS, self._shared_limits.exhaust(" ".join(window), until))
            except (StoreError, TimeoutError) as error:
                why = str(error) or "the store took too long"
                text = "other workers could not be told of an exhausted rate window: %s"
                _log.warning(text, why, extra={"request": window[1]})

    async def _look_up(self, window: Window) -> None:
        if self._shared_limits is None:
            return
        try:
            until = await within(NOTES_SECONDS, self._shared_limits.exhausted_until(" ".join(window)))
        except (StoreError, TimeoutError):
            _log.debug("rate windows could not be looked up", extra={"request": window[1]})
            return
        now = self._clock.now()
        if until is not None and until != self._noted.get(window) and now < until <= now + LONGEST:
            self._close(window, until, now)

    def _close(self, window: Window, until: datetime, now: datetime) -> None:
        self._flights.setdefault(window, _Flight()).begin_anew()
        self._noted[window] = until
        self._opens[window] = self._loop.time() + (until - now + SPREAD * self._chance()).total_seconds()
