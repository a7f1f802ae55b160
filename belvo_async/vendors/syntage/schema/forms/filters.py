"""What a query may be narrowed by: said to the vendor, and asked of each row again.

Syntage ignores filters it does not know and matches some texts in part, so a filter sent proves nothing.

By convention a field of a query is the vendor's parameter in camel case, and is compared with the attribute of the row
that has its name; a pair `x_after` and `x_before` is the span of the row's `x_at`, or of its `x`; a field that takes an
AmountRange is a range of the row's amount; `order` is the order of the rows. Others are named.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast

from .....abc import answer_of
from .....errors import TaskError
from .bounds import AmountRange, Strictly
from .kinds import camel, check_kind, is_instant, takes
from .paths import places_of


def value_at(row: object, path: str) -> object:
    """Follow attributes, like `taxpayer.id`; None where one is missing."""
    for name in path.split("."):
        row = getattr(row, name, None)
    return row


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a query type: the query's field, the vendor's parameter, and the attribute of the row to compare.

    Without a `path` it is left to the vendor: a part of a text, or something the row does not show.
    """

    field: str
    param: str
    path: str = ""

    def check(self, query: object) -> None:
        """Raise TaskError for a value that is none of the field's type: nothing would match it."""
        check_kind(query, self.field)

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """Write what the query asks; nothing when it does not ask."""
        wanted = getattr(query, self.field)
        if wanted is not None:
            yield self.param, _text(wanted)

    def fits(self, query: object, row: object) -> bool:
        """Tell whether a row is what the query asks for. A row that does not say is not."""
        return True


@dataclass(frozen=True, slots=True)
class Same(Filter):
    """Equal to the field of the query, or to one of its values if it holds a tuple; `folded`: in either case."""

    folded: bool = False

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`f=v`, or `f[]=a&f[]=b` for several (guides/api/filtering)."""
        wanted = getattr(query, self.field)
        if isinstance(wanted, tuple):
            yield from ((f"{self.param}[]", _text(each)) for each in cast("tuple[object, ...]", wanted))
        elif wanted is not None:
            yield self.param, _text(wanted)

    def fits(self, query: object, row: object) -> bool:
        """Compare exactly."""
        wanted = getattr(query, self.field)
        if wanted is None:
            return True
        values = cast("tuple[object, ...]", wanted) if isinstance(wanted, tuple) else (wanted,)
        return self._form(value_at(row, self.path)) in [self._form(each) for each in values]

    def _form(self, value: object) -> object:
        return value.lower() if self.folded and isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Contains(Filter):
    """A part of a text. Case and accents make no difference, as they may make none to the vendor."""

    def fits(self, query: object, row: object) -> bool:
        """Look for what is asked in what the row says."""
        wanted = getattr(query, self.field)
        if wanted is None:
            return True
        said = value_at(row, self.path)
        return isinstance(said, str) and _plain(wanted) in _plain(said)


@dataclass(frozen=True, slots=True)
class Present(Filter):
    """Whether a field is there: `exists[f]`."""

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row has."""
        return getattr(query, self.field) in (None, value_at(row, self.path) is not None)


@dataclass(frozen=True, slots=True)
class Holds(Filter):
    """One of the several values that the row has."""

    def fits(self, query: object, row: object) -> bool:
        """Look for it among what the row has."""
        wanted, held = getattr(query, self.field), value_at(row, self.path)
        return wanted is None or (isinstance(held, tuple) and wanted in held)


@dataclass(frozen=True, slots=True)
class Within(Filter):
    """An amount in an AmountRange."""

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`f[gte]=a` and its like; two bounds that are both in it are `f[between]=a..b`."""
        wanted: AmountRange | None = getattr(query, self.field)
        if wanted is None:
            return
        low, high = wanted.at_least, wanted.at_most
        if low is not None and high is not None:
            yield f"{self.param}[between]", f"{low:f}..{high:f}"
            return
        for operator, bound in (("gte", low), ("gt", wanted.more_than), ("lte", high), ("lt", wanted.less_than)):
            if bound is not None:
                yield f"{self.param}[{operator}]", f"{bound:f}"

    def fits(self, query: object, row: object) -> bool:
        """Compare exactly, in decimals."""
        wanted: AmountRange | None = getattr(query, self.field)
        return wanted is None or wanted.holds(value_at(row, self.path))


@dataclass(frozen=True, slots=True)
class Ordered(Filter):
    """The order of the rows: the words that a list documents, each also with a `-` for the last first."""

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`-issued_at` becomes `order[issuedAt]=desc`."""
        wanted: str | None = getattr(query, self.field)
        if wanted is not None:
            word = wanted.removeprefix("-")
            yield f"{self.param}[{camel(word)}]", "asc" if word == wanted else "desc"


@dataclass(frozen=True, slots=True)
class Span(Filter):
    """Between the instants of the fields `<field>_after` and `<field>_before`, both included unless `Strictly`."""

    def check(self, query: object) -> None:
        """Demand a time zone (without one, an instant could be anywhere in a day), and an end after the beginning."""
        given = self._given(query)
        for side, bound in given:
            if not self._is_bound(_at(bound)):
                raise TaskError(f"{self.field}_{side} must be {self._kind()}", field=f"{self.field}_{side}")
        bounds = [_at(bound) for _, bound in given]
        if bounds != sorted(bounds):
            raise TaskError(f"{self.field}_before must not lie before {self.field}_after", field=f"{self.field}_before")
        if len(set(bounds)) < len(bounds) and any(isinstance(bound, Strictly) for _, bound in given):
            raise TaskError(
                f"{self.field}_before must lie after {self.field}_after: that instant is left out",
                field=f"{self.field}_before",
            )

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`created_after` becomes `createdAt[after]`, which includes its bound; see `Strictly`."""
        for side, bound in self._given(query):
            operator = f"strictly_{side}" if isinstance(bound, Strictly) else side
            yield f"{self.param}[{operator}]", self._written(side, bound)

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row says, exactly: filters are sent in whole seconds."""
        given = self._given(query)
        if not given or not self.path:
            return True
        at = value_at(row, self.path)
        return self._is_comparable(at) and all(_is_beyond(at, side, bound) for side, bound in given)

    def _given(self, query: object) -> list[tuple[str, Any]]:
        given = ((side, getattr(query, f"{self.field}_{side}")) for side in ("after", "before"))
        return [(side, bound) for side, bound in given if bound is not None]

    def _kind(self) -> str:
        return "a datetime with a time zone"

    def _is_bound(self, bound: object) -> bool:
        return is_instant(bound)

    def _is_comparable(self, said: object) -> bool:
        return isinstance(said, datetime)

    def _written(self, side: str, bound: Any) -> str:
        at = _at(bound).astimezone(UTC)
        whole = at.replace(microsecond=0)
        # A second too much rather than one too little: what is beyond the bound itself is left out here.
        if side == "before" and whole < at < _LAST_SECOND:
            whole += timedelta(seconds=1)
        return f"{whole.replace(tzinfo=None).isoformat()}Z"


@dataclass(frozen=True, slots=True)
class DaySpan(Span):
    """Between the days of the fields `<field>_after` and `<field>_before`, both included unless `Strictly`."""

    def _kind(self) -> str:
        return "a date"

    def _is_bound(self, bound: object) -> bool:
        return self._is_comparable(bound)

    def _is_comparable(self, said: object) -> bool:
        return isinstance(said, date) and not isinstance(said, datetime)

    def _written(self, side: str, bound: Any) -> str:
        return f"{_at(bound).isoformat()}T00:00:00Z"


_LAST_SECOND: Final = datetime.max.replace(microsecond=0, tzinfo=UTC)


def _at(bound: Any) -> Any:
    return bound.at if isinstance(bound, Strictly) else bound


def _is_beyond(at: Any, side: str, bound: Any) -> bool:
    limit = _at(bound)
    if at == limit:
        return not isinstance(bound, Strictly)
    return bool(at > limit if side == "after" else at < limit)


# Fields that say which list is read, not what narrows it: these, and those in the path of a list.
_PLACES: Final = frozenset({"entity", "invoice", "side"})


@cache
def filters_of(query_type: type[Any]) -> tuple[Filter, ...]:
    """Every filter of a query type, in the order of its fields: the ones it names, and those of the convention."""
    named: dict[str, Filter] = {each.field: each for each in query_type.filters}
    places = _PLACES.union(places_of(getattr(query_type, "path", "")))
    found: dict[str, Filter] = {}
    for name in query_type.__struct_fields__:
        field = name.removesuffix("_after").removesuffix("_before")
        if name not in places:
            found.setdefault(field, named.get(field) or _by_convention(query_type, field, name))
    return tuple(found.values())


def _by_convention(query_type: type[Any], field: str, name: str) -> Filter:
    shown: Collection[str] = answer_of(query_type).__struct_fields__
    if field == "order":
        return Ordered(field, field)
    path = f"{field}_at" if field != name and f"{field}_at" in shown else field
    if path not in shown:
        raise TypeError(f"a filter {field} that no attribute of the row answers to must be named")
    kind = Span if field != name else Within if takes(query_type, name, AmountRange) else Same
    return kind(field, camel(path), path)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(text: str) -> str:
    """Write a text without accents, in one case."""
    return "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
