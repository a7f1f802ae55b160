"""What is typed as days, spans of time, sums and subjects."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeVar

from ..errors import ConfigurationError

T = TypeVar("T")

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DAYS: Final = "a date (2021-03-31), a month (2021-03), a year (2021), `today` or `yesterday`"


def read_day(given: object, now: datetime, *, is_last: bool) -> date:
    """Read a day: of a year or a month its first or last one. Raises ValueError. Days are Mexico's."""
    from ..planning.calendar import mexican_day  # `--help` needs no planner

    text = str(given).strip()
    today = mexican_day(now)
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    if re.fullmatch(r"\d{4}", text):
        return date(int(text), 12, 31) if is_last else date(int(text), 1, 1)
    if re.fullmatch(r"\d{4}-\d{2}", text):
        first = date.fromisoformat(f"{text}-01")
        return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1) if is_last else first
    return date.fromisoformat(text)


def _day_as_typed(text: str) -> str:
    """The text itself, once it is known that a day can be read from it: which one is said by when it is asked."""
    read_day(text, datetime.now(UTC), is_last=False)
    return text


def read_span(text: str) -> timedelta:
    """Read `90m`, `12h`, `30d`, `8w`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if found is None or not int(found[1]):
        raise ValueError("no span of time")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_amount(text: str) -> Decimal:
    """Read a sum. Raises ValueError."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError("no sum") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("no sum")
    return amount


def read_subjects(lines: Iterable[str]) -> tuple[str, ...]:
    """Subjects, one a line; blank lines and what follows a `#` are passed over."""
    texts = (line.partition("#")[0].strip() for line in lines)
    return tuple(dict.fromkeys(text for text in texts if text))


def subjects_of(place: str) -> tuple[str, ...]:
    """Read the subjects that a file holds, or standard input for `-`."""
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigurationError(f"the subjects in {place} cannot be read: {reason}") from None
    found = read_subjects(text.splitlines())
    if not found:
        where = "standard input" if place == "-" else place
        raise ConfigurationError(f"{where} names no subject: write one link or entity a line")
    return found


def argument(read: Callable[[str], T], expected: str) -> Callable[[str], T]:
    """Make a reader into one that argparse complains by."""

    def parse(text: str) -> T:
        try:
            return read(text)
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"must be {expected}") from None

    return parse


SPAN: Final = argument(read_span, "a span of time above zero like 90m, 12h, 30d or 8w")
DAY: Final = argument(_day_as_typed, DAYS)
AMOUNT: Final = argument(read_amount, "a sum like 500 or 1250.50")
