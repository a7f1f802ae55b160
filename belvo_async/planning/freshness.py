"""How new an answer must be, by how old the days are that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import msgspec

from ..errors import TaskError
from .calendar import TIMELESS, mexican_day, month_end
from .coverage import Window
from .plan import Plan

_DAY: Final = timedelta(days=1)


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How old an answer may be for a day to count as proven.

    `max_age` for any day, None for any age. The days that are still alive change more often: the last `live_days`,
    today among them (an invoice may be certified up to 72 hours after it is issued), and the last `open_months`, the
    month of today among them, in which it may still be cancelled (by law until the annual return is due; most are
    within a month or two). Those whose answers are older than `live_age` and `open_age` are asked again.
    """

    max_age: timedelta | None = None
    live_days: int = 0
    live_age: timedelta = _DAY
    open_months: int = 0
    open_age: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        for field in ("max_age", "live_age", "open_age"):
            span = getattr(self, field)
            is_any = span is None and field == "max_age"
            if not is_any and (not isinstance(span, timedelta) or span <= timedelta(0)):
                raise TaskError(f"{field} must be a timedelta above zero", field=field)
        for field in ("live_days", "open_months"):
            count = getattr(self, field)
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise TaskError(f"{field} must be a whole number from 0", field=field)


# What `sync` takes unless told otherwise.
LIVE: Final = Freshness(live_days=4, open_months=2)


def windows(plan: Plan, freshness: Freshness, now: datetime) -> Sequence[Window]:
    """For which days of a settled plan an answer must be how new: one window after the other.

    To be taken once for a run: a run that lasts longer than an answer may be old would never end otherwise.
    """
    first, last = plan.span
    oldest = _before(now, freshness.max_age)
    if first == TIMELESS:
        # What has no days is as alive as the last of them.
        live = _before(now, freshness.live_age) if freshness.live_days else None
        return (Window(plan.span, _latest(oldest, live)),)
    today = mexican_day(now).toordinal()
    rules = (
        (_months_ago(today, freshness.open_months), _before(now, freshness.open_age)),
        (today - freshness.live_days + 1, _before(now, freshness.live_age)),
    )
    # Where a rule begins, all of those that have begun hold.
    edges = sorted({first, *(min(max(begins, first), last + 1) for begins, _ in rules)})
    return tuple(
        Window((begins, after - 1), _latest(oldest, *(since for start, since in rules if start <= begins)))
        for begins, after in pairwise([*edges, last + 1])
        if begins < after
    )


def _before(now: datetime, age: timedelta | None) -> datetime | None:
    try:
        return None if age is None else now - age
    except OverflowError:
        return None


def _months_ago(today: int, months: int) -> int:
    """The first day of the last so many months; tomorrow for none."""
    begins = today + 1
    for _ in range(months):
        if begins <= 1:
            break
        begins = month_end(begins - 2) + 1
    return begins


def _latest(*instants: datetime | None) -> datetime | None:
    return max((each for each in instants if each is not None), default=None)
