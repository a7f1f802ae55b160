"""Cron expressions: five fields, or a word like `@daily`; when one comes due next. In UTC: Syntage names no zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

WORDS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# First and last value of a field, and the names of some values. Sunday is 0 and 7.
_FIELDS: Final[tuple[tuple[int, int, Mapping[str, int]], ...]] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
# A 29th of February may be eight years away, from 1896 to 1904 and from 2096 to 2104.
_FARTHEST: Final = timedelta(days=8 * 366)


@dataclass(frozen=True, kw_only=True)
class Cron:
    """When something is due: in these minutes of these hours, on the days that fit.

    A day fits by its date and by its day of the week; where both are narrowed, one of the two is enough (POSIX).
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    dates: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """Read an expression. Raises ValueError for what is none, or never comes due."""
        parts = WORDS.get(text.strip().lower(), text).split()
        if len(parts) != len(_FIELDS):
            raise ValueError("five fields are wanted")
        if "?" in parts[0] + parts[1] + parts[3]:
            raise ValueError("only days may be left open by a question mark")
        minutes, hours, dates, months, days = (
            _read(part.lower(), *field) for part, field in zip(parts, _FIELDS, strict=True)
        )
        cron = cls(
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            dates=dates,
            months=months,
            weekdays=frozenset(day % 7 for day in days),
            is_either=not {parts[2], parts[4]} & {"*", "?"},
        )
        if not cron.is_either and not _ever(dates, months):
            raise ValueError("no month has such a day")
        return cron

    def after(self, moment: datetime) -> datetime:
        """Give the first instant after this one, to the minute."""
        first = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        day, last = first.replace(hour=0, minute=0), first + _FARTHEST
        while day <= last:
            if self._fits(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        due = day.replace(hour=hour, minute=minute)
                        if due >= first:
                            return due
            day += timedelta(days=1)
        raise AssertionError("every expression comes due within eight years")

    def _fits(self, day: datetime) -> bool:
        by_date, by_weekday = day.day in self.dates, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.is_either else by_date and by_weekday)


def _ever(dates: frozenset[int], months: frozenset[int]) -> bool:
    longest = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in months}
    return any(min(dates) <= days for days in longest.values())


def _read(text: str, lowest: int, highest: int, names: Mapping[str, int]) -> frozenset[int]:
    """Read one field: values, ranges and steps, parted by commas."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, pace = part.partition("/")
        if slash and (not pace.isdecimal() or int(pace) < 1):
            raise ValueError("a step is a number from 1 up")
        first, last = _span(span, lowest, highest, names, is_open=bool(slash))
        found |= set(range(first, last + 1, int(pace) if slash else 1))
    return frozenset(found)


def _span(text: str, lowest: int, highest: int, names: Mapping[str, int], *, is_open: bool) -> tuple[int, int]:
    """Read a value, a range or all there are; with a step, one value means from there on."""
    if text in ("*", "?"):
        return lowest, highest
    start, dash, end = text.partition("-")
    first = _value(start, names)
    last = _value(end, names) if dash else highest if is_open else first
    if not lowest <= first <= last <= highest:
        raise ValueError("a value out of its range")
    return first, last


def _value(text: str, names: Mapping[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdecimal() or not text.isascii():
        raise ValueError("neither a number nor a name")
    return int(text)
