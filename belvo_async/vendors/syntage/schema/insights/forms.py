"""How insights are asked: what they have in common, and how their options are written.

The document says "greater than" and "less than" of the bounds of a period; its one example goes from a day's first
instant to another's last, so the bounds are sent like that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

from ..forms.filters import Filter, value_at
from ..forms.requests import OneRequest
from ..options import Period
from ..queries import ListQuery
from ..record import Part

R_co = TypeVar("R_co", covariant=True)
Row_co = TypeVar("Row_co", covariant=True, bound=Part)

Periodicity: TypeAlias = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
"""What one row of a series spans. Syntage's default is `monthly`."""


def option_pairs(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Write options as the query string has them: `options[periodicity]`, a period as `options[from]` and `[to]`.

    A day or an instant is where an open period begins.
    """
    for name, value in given.items():
        if isinstance(value, Period):
            yield "options[from]", _stamp(value.first)
            yield "options[to]", _stamp(value.last)
        elif isinstance(value, date):
            yield "options[from]", _stamp(_first_instant(value))
        elif value is not None:
            yield f"options[{name}]", str(value)


def _first_instant(moment: date) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time.min, tzinfo=UTC)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


class Insight(OneRequest[R_co], Generic[R_co], frozen=True, kw_only=True):
    """One insight, answered at once. Every field but the entity, and what is sent as a header, is one of its options.

    Raises NotFoundError when Syntage does not know the entity; one of which nothing is held has an empty insight.
    """

    method: ClassVar[str] = "GET"
    is_large: ClassVar[bool] = True

    entity: str

    def query(self) -> list[tuple[str, str]]:
        """Write the options, for the query string."""
        return list(option_pairs(self._said()))


class PeriodInsight(Insight[R_co], Generic[R_co], frozen=True, kw_only=True):
    """An insight of the invoices that were issued in a period; of all there are without one."""

    period: Period | None = None


class SeriesInsight(PeriodInsight[R_co], Generic[R_co], frozen=True, kw_only=True):
    """An insight in rows that each span a day, a week, a month, a quarter or a year."""

    periodicity: Periodicity | None = None


@dataclass(frozen=True, slots=True)
class PeriodOption(Filter):
    """The period of a list that is an insight. Its rows are sums: they cannot be compared with it again."""

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """Write the bounds."""
        yield from option_pairs({self.field: getattr(query, self.field)})


@dataclass(frozen=True, slots=True)
class DaysOption(Filter):
    """The period of a list that is asked for in plain days, of rows that have an instant of their own (`path`)."""

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """Write the days that hold the bounds: what comes beside the period is left out again."""
        period = getattr(query, self.field)
        if isinstance(period, Period):
            yield f"{self.param}[from]", f"{period.first:%Y-%m-%d}"
            yield f"{self.param}[to]", f"{period.last:%Y-%m-%d}"

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row says."""
        period, at = getattr(query, self.field), value_at(row, self.path)
        return period is None or (isinstance(at, datetime) and period.first <= at <= period.last)


class InsightList(ListQuery[Row_co], Generic[Row_co], frozen=True, kw_only=True):
    """An insight in pages, told apart by a link to the next one, or by number where there is none (`is_numbered`)."""

    entity: str
