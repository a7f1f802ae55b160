"""How new an answer must be, by how old the days are that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ..errors import TaskError
from .calendar import TIMELESS, mexican_day, month_end
from .coverage import Window
from .plan import Plan

_DAY: Final = timedelta(days=1)


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How old an answer may be for a day to count as proven.

    `max_age` for any day, None for any age. The days that are still alive change more often: the last `live_days` (an
    invoice may be certified up to 72 hours after it is issued) and the last `open_months`, in which it may still be
    cancelled (by law until the annual return is due; most are within a month or two). Those whose answers are older
    than `live_age` and `open_age` are asked again.
    """

    max_age: timedelta | None = None
    live_days: int = 0
    live_age: timedelta = _DAY
    open_months: int = 0
    open_age: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        for field in ("max_age", "live_age", "open_age"):
            span = getattr(self, field)
            if span is not None and (not isinstance(span, timedelta) or span <= timedelta(0)):
                raise TaskError(f"{field} must be a timedelta above zero", field=field)
        for field in ("live_days", "open_months"):
            if not isinstance(getattr(self, field), int) or getattr(self, field) < 0:
                raise TaskError(f"{field} must be a whole number from 0", field=field)


# What `sync` takes unless told otherwise.
LIVE: Final = Freshness(live_days=4, open_months=2)


def windows(plan: Plan, freshness: Freshness, now: datetime) -> Sequence[Window]:
    """For which days of a settled plan an answer must be how new: one window after the other."""
    first, last = plan.span
    oldest = None if freshness.max_age is None else now - freshness.max_age
    if first == TIMELESS:
        return (Window(plan.span, oldest),)
    today = mexican_day(now).toordinal()
    live_from = today - freshness.live_days + 1
    open_from = live_from
    for _ in range(freshness.open_months):
        open_from = month_end(open_from - 1) + 1
    rules = ((first, oldest), (open_from, now - freshness.open_age), (live_from, now - freshness.live_age))
    found: list[Window] = []
    for place, (begins, since) in enumerate(rules):
        ends = rules[place + 1][0] - 1 if place + 1 < len(rules) else last
        span = max(first, begins), min(last, ends)
        if span[0] <= span[1]:
            found.append(Window(span, _later(since, oldest)))
    return tuple(found)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
