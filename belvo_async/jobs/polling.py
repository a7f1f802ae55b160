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

    That is for as long as no delivery (webhook) has told the end of a job of the same account and kind. Then a job is
    polled once for safety, after the time in which nine of ten such jobs have ended and as long again (at most
    `longest`), or just before its deadline; from there on, as if `first` were so long. When deliveries stay away, it is
    as before. What is usual is learned from jobs that end in this process; before twenty have ended it is 30 x `first`
    at least. See `Expectations`.
    """

    first: timedelta = timedelta(seconds=2)
    factor: float = 1.6
    longest: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.first <= timedelta(0) or self.longest < self.first or self.factor < 1:
            raise ValueError("polling needs 0 < first <= longest and factor >= 1")

    def interval(self, polls: int, *, first: timedelta | None = None) -> timedelta:
        """The longest wait before poll number `polls` (from 0), where the first is as long as it is or as given."""
        # 64 steps of any useful factor are past every cap; more would only overflow the float.
        try:
            return min(self.longest, (first or self.first) * min(self.factor ** min(polls, 64), 1e9))
        except OverflowError:
            return self.longest

    def instant(self, now: datetime, polls: int, *, phase: float, first: timedelta | None = None) -> datetime:
        """When poll number `polls` is due: at the next point of a grid as wide as its interval.

        `phase`, drawn evenly from 0..1 once for each process, shifts the grid: the wait is anything from nothing to the
        whole interval (full jitter), yet all jobs of one age fall due together, and one list call answers for them.
        """
        return on_grid(now, self.interval(polls, first=first), phase)


def on_grid(after: datetime, width: timedelta, phase: float) -> datetime:
    """The first point after an instant of a grid that is so wide and shifted by so much of its width."""
    steps = math.floor((after - _GRID_ORIGIN) / width - phase) + 1
    due = _GRID_ORIGIN + (steps + phase) * width
    return due if due > after else due + width
