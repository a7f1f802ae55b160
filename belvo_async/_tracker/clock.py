"""The wall clock, watched: it is set at times, and goes on while a machine sleeps and its event loop stands still."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta
from typing import Final

from ..abc import Clock

# Clocks that are slewed gain or lose a thousandth at most; between two readings, one at each round, that is far less.
STEP_SECONDS: Final = 1.0


class WatchedClock:
    """Tells the time of another clock, and counts how often that was stepped: it and the loop's disagree about a span.

    What is close together in this process is measured by the loop; from what this clock says of a long time, nothing is
    concluded right after a step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_now: datetime | None = None
        self._last_at = 0.0
        self._stepped_at = -math.inf
        self.steps: int = 0

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        now, at, last = self._clock.now(), asyncio.get_running_loop().time(), self._last_now
        # In seconds, which a float tells to the microsecond: this is read many times for each observation.
        if last is not None and abs((now - last).total_seconds() - (at - self._last_at)) > STEP_SECONDS:
            self._stepped_at = at
            self.steps += 1
        self._last_now, self._last_at = now, at
        return now

    def is_steady_for(self, span: timedelta) -> bool:
        """Whether no step was noticed for so long."""
        self.now()
        return asyncio.get_running_loop().time() - self._stepped_at >= span.total_seconds()
