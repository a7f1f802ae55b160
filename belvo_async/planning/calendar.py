"""Days as whole numbers, the edges of months and years, and when a day of Mexico's tax office has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

# Central time, in which the tax office counts its days, has been UTC-6 the whole year since October 2022 (Ley de los
# Husos Horarios). No job of this library is older.
MEXICO_CITY: Final = timezone(timedelta(hours=-6))
# Stands for all time, where a resource has no days.
TIMELESS: Final = 0


def number(day: date | None) -> int:
    """A day as a whole number; `TIMELESS` for none."""
    return TIMELESS if day is None else day.toordinal()


def day_of(ordinal: int) -> date | None:
    """The day of a number; None for `TIMELESS`."""
    return None if ordinal == TIMELESS else date.fromordinal(ordinal)


def mexican_day(at: datetime) -> date:
    """Which day it is in Mexico City."""
    return at.astimezone(MEXICO_CITY).date()


def midnight_after(ordinal: int) -> datetime:
    """When a day has ended in Mexico City, in UTC."""
    tomorrow = date.fromordinal(ordinal + 1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=MEXICO_CITY).astimezone(UTC)


def year_end(ordinal: int) -> int:
    """The last end of a year at or before a day."""
    return date(date.fromordinal(ordinal + 1).year, 1, 1).toordinal() - 1


def month_end(ordinal: int) -> int:
    """The last end of a month at or before a day."""
    return date.fromordinal(ordinal + 1).replace(day=1).toordinal() - 1
