"""What a query may be narrowed by: said to the vendor, and asked of each row again.

Syntage ignores filters it does not know and matches some texts in part, so a filter sent proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from ....errors import TaskError

__all__ = ["Filter", "Present", "Same", "Span", "look_at"]


def look_at(row: object, path: str) -> object:
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
        """Raise TaskError for a value that cannot be sent."""

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

    def check(self, query: object) -> None:
        """Demand one plain value, or a tuple of them."""
        if not isinstance(getattr(query, self.field), str | int | tuple | None):
            raise TaskError("expected one value or a tuple of values", field=self.field)

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
        return self._form(look_at(row, self.path)) in [self._form(each) for each in values]

    def _form(self, value: object) -> object:
        return value.lower() if self.folded and isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Present(Filter):
    """Whether a field is there: `exists[f]`."""

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row has."""
        return getattr(query, self.field) in (None, look_at(row, self.path) is not None)


@dataclass(frozen=True, slots=True)
class Span(Filter):
    """Between the instants of the fields `<field>_after` and `<field>_before`, both included."""

    def check(self, query: object) -> None:
        """Demand a time zone: without one, an instant could be anywhere in a day."""
        for side, at in self._bounds(query):
            if not isinstance(cast("object", at), datetime) or at.tzinfo is None:
                raise TaskError("expected a datetime with a time zone", field=f"{self.field}_{side}")

    def params(self, query: object) -> Iterator[tuple[str, str]]:
        """`created_after` becomes `createdAt[after]`, which includes its bound."""
        for side, at in self._bounds(query):
            yield f"{self.param}[{side}]", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def fits(self, query: object, row: object) -> bool:
        """Compare with what the row says. Filters are sent in whole seconds: 12:00:00.4 was sent as 12:00:00."""
        bounds = self._bounds(query)
        if not bounds:
            return True
        at = look_at(row, self.path)
        return isinstance(at, datetime) and all(
            at >= bound if side == "after" else at <= bound for side, bound in bounds
        )

    def _bounds(self, query: object) -> list[tuple[str, datetime]]:
        given = ((side, getattr(query, f"{self.field}_{side}")) for side in ("after", "before"))
        return [(side, at) for side, at in given if at is not None]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
