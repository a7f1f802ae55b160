"""Bounds of what a query asks for: of instants, where not even the bound itself is meant; and of amounts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec

from .....discreet import discreet
from .....errors import TaskError
from .kinds import check_kind


class Strictly(msgspec.Struct, frozen=True):
    """An instant (or a day) that is itself left out: `issued_before=Strictly(midnight)`.

    Raises TaskError for an instant without a time zone.
    """

    at: datetime | date

    @discreet
    def __post_init__(self) -> None:
        check_kind(self, "at")


Bound: TypeAlias = datetime | Strictly
"""Where a span begins or ends: the instant, which is in it, or `Strictly` that instant, which is not."""

DayBound: TypeAlias = date | Strictly
"""The same of what has no time of day."""


class AmountRange(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts from one bound to another, of which either may be left open: `AmountRange(at_least=Decimal("0.01"))`.

    `at_least` and `at_most` are in it, `more_than` and `less_than` are not. Raises TaskError for bounds that are no
    Decimal, and for a range that holds nothing or everything.
    """

    at_least: Decimal | None = None
    more_than: Decimal | None = None
    at_most: Decimal | None = None
    less_than: Decimal | None = None

    @discreet
    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check_kind(self, name)
        low, high = self._one_of("at_least", "more_than"), self._one_of("at_most", "less_than")
        if low is None and high is None:
            raise TaskError(
                "at_least must be given, or another bound: without one all amounts are meant", field="at_least"
            )
        if low is not None and high is not None and not (low < high or (low == high and self._is_closed())):
            raise TaskError("at_most must not lie below at_least: no amount would be meant", field="at_most")

    def holds(self, amount: object) -> bool:
        """Tell whether an amount lies in it. None, an amount that is not there, does not."""
        return (
            isinstance(amount, Decimal)
            and (self.at_least is None or amount >= self.at_least)
            and (self.more_than is None or amount > self.more_than)
            and (self.at_most is None or amount <= self.at_most)
            and (self.less_than is None or amount < self.less_than)
        )

    def _one_of(self, including: str, excluding: str) -> Decimal | None:
        given: list[Decimal] = [each for name in (including, excluding) if (each := getattr(self, name)) is not None]
        if len(given) > 1:
            raise TaskError(f"{excluding} must be left out where {including} is given", field=excluding)
        return given[0] if given else None

    def _is_closed(self) -> bool:
        return self.more_than is None and self.less_than is None
