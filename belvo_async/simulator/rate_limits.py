"""How many calls each vendor lets through: Belvo per source address, Syntage per key and route."""

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta


class SlidingBudget:
    """So many calls in any window of that length, in loop time."""

    def __init__(self, calls: int, window: timedelta) -> None:
        self._calls = calls
        self._window_seconds = window.total_seconds()
        self._seen_at: deque[float] = deque()

    def take(self) -> bool:
        """Count a call; False when it is one too many."""
        now = asyncio.get_running_loop().time()
        while self._seen_at and self._seen_at[0] <= now - self._window_seconds:
            self._seen_at.popleft()
        if len(self._seen_at) >= self._calls:
            return False
        self._seen_at.append(now)
        return True


class RouteBudgets:
    """So many calls per route in fixed windows that begin with a route's first call."""

    def __init__(self, calls: int, window: timedelta) -> None:
        self._calls = calls
        self._window_seconds = window.total_seconds()
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, route: str) -> bool:
        """Count a call of a route; False when it is one too many."""
        began, calls = self._current(route)
        self._windows[route] = (began, calls + 1)
        return calls < self._calls

    def headers(self, route: str, now: datetime) -> Mapping[str, str]:
        """Give the X-RateLimit headers of a route; the reset is in epoch seconds."""
        began, calls = self._current(route)
        left = began + self._window_seconds - asyncio.get_running_loop().time()
        return {
            "X-RateLimit-Limit": str(self._calls),
            "X-RateLimit-Remaining": str(max(0, self._calls - calls)),
            "X-RateLimit-Reset": str(math.ceil(now.timestamp() + left)),
        }

    def _current(self, route: str) -> tuple[float, int]:
        now = asyncio.get_running_loop().time()
        began, calls = self._windows.get(route, (now, 0))
        return (now, 0) if now - began >= self._window_seconds else (began, calls)
