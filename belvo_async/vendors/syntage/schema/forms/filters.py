"""What a query may be narrowed by: said to the vendor, and asked of each row again.

Syntage ignores filters it does not know and matches some texts in part, so a filter sent proves nothing.

By convention a field of a query is the vendor's parameter in camel case, and is compared with the attribute of the row
that has its name; a pair `x_after` and `x_before` is the span of the row's `x_at`, or of its `x`. Others are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, cast

from .....abc import answer_of
from .....errors import TaskError
from .kinds import camel, check_kind, is_instant


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
class Span(Filter):
    """Between the instants of the fields `<field>_after` and `<field>_before`, both included."""

    def check(self, query: object) -> None:
        """Demand a time zone (without one, an instant could be anywhere in a day), and an end after the beginning."""
        bounds = self._bounds(query)
        for side, at in bounds:
            if not is_instant(at):
                raise TaskError(
                    f"{self.field}_{side} must be a datetime with a time zone", field=f"{self.field}_{side}"
                )
        if [at for _, at in bounds] != sorted(at for _, at in bounds):
            raise TaskError(f"{self.field}_before must not lie before {self.field}_after", field=f"{self.field}_before")

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`created_after` becomes `createdAt[after]`, which includes its bound."""
        for side, at in self._bounds(query):
            yield f"{self.param}[{side}]", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row says. Filters are sent in whole seconds: 12:00:00.4 was sent as 12:00:00."""
        bounds = self._bounds(query)
        if not bounds:
            return True
        at = value_at(row, self.path)
        return isinstance(at, datetime) and all(
            at >= bound if side == "after" else at <= bound for side, bound in bounds
        )

    def _bounds(self, query: object) -> list[tuple[str, datetime]]:
        given = ((side, getattr(query, f"{self.field}_{side}")) for side in ("after", "before"))
        return [(side, at) for side, at in given if at is not None]


# Fields that say which list is read, not what narrows it.
_PLACES: Final = frozenset({"entity", "invoice", "side", "postal_code"})


@cache
def filters_of(query_type: type[Any]) -> tuple[Filter, ...]:
    """Every filter of a query type, in the order of its fields: the ones it names, and those of the convention."""
    named: dict[str, Filter] = {each.field: each for each in query_type.filters}
    shown: tuple[str, ...] = answer_of(query_type).__struct_fields__
    found: dict[str, Filter] = {}
    for name in query_type.__struct_fields__:
        field = name.removesuffix("_after").removesuffix("_before")
        if name not in _PLACES:
            found.setdefault(field, named.get(field) or _by_convention(field, shown, is_span=field != name))
    return tuple(found.values())


def _by_convention(field: str, shown: Collection[str], *, is_span: bool) -> Filter:
    path = f"{field}_at" if is_span and f"{field}_at" in shown else field
    if path not in shown:
        raise TypeError(f"a filter {field} that no attribute of the row answers to must be named")
    return (Span if is_span else Same)(field, camel(path), path)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
