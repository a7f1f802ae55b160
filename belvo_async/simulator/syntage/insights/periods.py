"""The periods that series are grouped by, in UTC. The document gives the written form of months alone."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

_STARTS: Final[Mapping[str, Callable[[date], date]]] = {
    "daily": lambda day: day,
    "weekly": lambda day: day - timedelta(days=day.weekday()),
    "monthly": lambda day: day.replace(day=1),
    "quarterly": lambda day: date(day.year, day.month - (day.month - 1) % 3, 1),
    "yearly": lambda day: date(day.year, 1, 1),
}
# The deprecated forms: `date` and `dateLabel`.
_DATES: Final[Mapping[str, Callable[[date], tuple[str, str]]]] = {
    "daily": lambda day: (f"{day:%Y%m%d}", f"{day:%Y/%b/%d}"),
    "weekly": lambda day: (f"{day:%G%V}", f"{day:%G/W%V}"),
    "monthly": lambda day: (f"{day:%Y%m}", f"{day:%Y/%b}"),
    "quarterly": lambda day: (f"{day:%Y}{(day.month + 2) // 3}", f"{day:%Y}/Q{(day.month + 2) // 3}"),
    "yearly": lambda day: (f"{day:%Y}", f"{day:%Y}"),
}


def start_of(periodicity: str, day: date) -> date:
    """Give the first day of the period that a day lies in."""
    return _STARTS[periodicity](day)


def written(periodicity: str, start: date) -> tuple[str, str]:
    """Write a period in the two deprecated ways."""
    return _DATES[periodicity](start)


def months_before(day: date, count: int) -> date:
    """Give the first day of the month so many months before a day's."""
    number = day.year * 12 + day.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
