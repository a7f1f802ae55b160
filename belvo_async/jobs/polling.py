"""When to poll a job again that no webhook has settled."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

_GRID_ORIGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)


def later(at: datetime, span: timedelta) -> datetime:
    """Add a span to an instant, however far: where the calendar ends, its last day stands for what lies beyond.

    Vendors name instants and waits, and some are nonsense. A day is left for whoever adds a zone or a little more.
    """
    try:
        return min(at + span, _LAST)
    except OverflowError:
        return _LAST if span > timedelta(0) else _FIRST


_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """When to poll a job again that no webhook has settled.

    The n-th poll waits a random part (full jitter, so that processes do not all ask at the same second) of
    `first` x `factor`^n, at most `longest`.
    """

    first: timedelta = timedelta(seconds=2)
    factor: float = 1.6
    longest: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.first <= timedelta(0) or self.longest < self.first or self.factor < 1:
            raise ValueError("polling needs 0 < first <= longest and factor >= 1")

    def interval(self, polls: int) -> timedelta:
        """The longest wait before poll number `polls` (from 0)."""
        # 64 steps of any useful factor are past every cap; more would only overflow the float.
        try:
            return min(self.longest, self.first * min(self.factor ** min(polls, 64), 1e9))
        except OverflowError:
            return self.longest

    def instant(self, now: datetime, polls: int, *, phase: float) -> datetime:
        """When poll number `polls` is due: at the next point of a grid as wide as its interval.

        `phase`, drawn evenly from 0..1 once for each process, shifts the grid: the wait is anything from nothing to the
        whole interval (full jitter), yet all jobs of one age fall due together, and one list call answers for them.
        """
        width = self.interval(polls)
        steps = math.floor((now - _GRID_ORIGIN) / width - phase) + 1
        due = _GRID_ORIGIN + (steps + phase) * width
        return due if due > now else due + width
