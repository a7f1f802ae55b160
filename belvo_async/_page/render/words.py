"""Numbers, instants and ids as a reader takes them in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ...planning import Known, Price
from ...planning.calendar import MEXICO_CITY
from .markup import Markup, h

# An id that is longer is shown by its ends.
_LONGEST_ID: Final = 20
KNOWN_WORDS: Final = {
    Known.PROVEN: "proven",
    Known.PARTIAL: "partial",
    Known.FAILED: "failed",
    Known.MISSING: "missing",
    Known.NEVER_ASKED: "never asked",
}


def count(number: int, one: str, several: str | None = None) -> str:
    """A number and its noun."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = int(length.total_seconds())
    for size, unit, below, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{max(seconds, 0)} s"


def clock(at: datetime, *, now: datetime | None = None) -> str:
    """An instant in Mexico City; only its time where it is today's."""
    there = at.astimezone(MEXICO_CITY)
    if now is not None and there.date() == now.astimezone(MEXICO_CITY).date():
        return f"today {there:%H:%M}"
    return f"{there:%Y-%m-%d %H:%M}"


def instant(at: datetime | None, now: datetime) -> Markup:
    """An instant as an element that programs can read, too."""
    if at is None:
        return Markup("")
    return h("time", clock(at, now=now), datetime=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def days(first: date | None, last: date | None) -> str:
    """Days as the shortest thing that says them: a year, a month, a day, or from one to another."""
    if first is None or last is None:
        return "no period"
    if first == last:
        return first.isoformat()
    after = date.fromordinal(last.toordinal() + 1) if last < date.max else last
    if first.day == after.day == 1:
        final = date.fromordinal(after.toordinal() - 1)
        if first.month == after.month == 1:
            return f"{first.year}" if final.year == first.year else f"{first.year} to {final.year}"
        if (final.year, final.month) == (first.year, first.month):
            return f"{first:%Y-%m}"
        return f"{first:%Y-%m} to {final:%Y-%m}"
    return f"{first} to {last}"


def amount(currency: str, sum_: Decimal) -> str:
    """A sum of money; cents only where there are some."""
    return f"{currency} {sum_:,.0f}" if sum_ == sum_.to_integral_value() else f"{currency} {sum_:,.2f}"


def price(currency: str, cost: Price) -> str:
    """A price, or from the lowest to the highest."""
    if cost.low == cost.high:
        return amount(currency, cost.low)
    low, high = amount("", cost.low).strip(), amount("", cost.high).strip()
    return f"{currency} {low}–{high}"


def rough_price(cost: Price) -> str:
    """A price without cents, where it is large enough to do without."""
    low, high = _rough(cost.low), _rough(cost.high)
    return low if low == high else f"{low}–{high}"


def _rough(sum_: Decimal) -> str:
    return f"{sum_.quantize(Decimal(1), ROUND_HALF_UP):,}" if sum_ >= 100 else f"{sum_:,.2f}".removesuffix(".00")


def short_id(text: str) -> Markup:
    """An id, by its ends where it is long; the whole of it where a pointer rests."""
    bare = text.rpartition("/")[2]
    if len(bare) <= _LONGEST_ID:
        return h("span", bare, class_="id")
    return h("span", f"{bare[:8]}…{bare[-4:]}", class_="id", title=text)


def command(text: str) -> Markup:
    """What is to be typed."""
    return h("code", text, class_="type")
