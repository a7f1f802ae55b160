"""When to look again at a job that no webhook has settled."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec

_GRID_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """When to look again at a job that no webhook has settled.

    The n-th look waits a random part (full jitter, so that a restart does not bring all jobs at once) of
    `first` x `factor`^n, at most `longest`.
    """

    first: timedelta = timedelta(seconds=2)
    factor: float = 1.6
    longest: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.first <= timedelta(0) or self.longest < self.first or self.factor < 1:
            raise ValueError("polling needs 0 < first <= longest and factor >= 1")

    def interval(self, polls: int) -> timedelta:
        """The longest wait before look number `polls` (from 0)."""
        # 64 steps of any useful factor are past every cap; more would only overflow the float.
        return min(self.longest, self.first * min(self.factor ** min(polls, 64), 1e9))

    def delay(self, polls: int, chance: float) -> timedelta:
        """The wait before look number `polls`, for a `chance` drawn evenly from 0..1."""
        return self.interval(polls) * chance

    def instant(self, now: datetime, polls: int, *, chance: float, phase: float = 0.0) -> datetime:
        """When look number `polls` is due: after the delay, on a grid half as wide as the interval.

        The grid lets jobs of the same age fall due together, so that one list call answers for all of them;
        `phase` (0..1) shifts it, so that processes do not all ask at the same second.
        """
        width = self.interval(polls) / 2
        steps = (now + self.delay(polls, chance) - _GRID_ORIGIN) / width - phase
        due = _GRID_ORIGIN + (math.ceil(steps) + phase) * width
        return due if due > now else due + width
