"""Which part a row belongs to: of several jobs whose lists hold it, one brings it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

from ...abc import RowPlace
from ...planning import Settled
from ...planning.calendar import TIMELESS
from ...planning.spans import Span
from .handed import HeldSpan, unite

# By direction: days, and the place of the part that has them. Sorted.
_Spans: TypeAlias = Mapping[str, Sequence[tuple[int, int, int]]]


class Axis:
    """Tells which of several parts a row belongs to, if to any.

    By one reading of its day and direction, so that a row at the edge of two jobs belongs to one of them. What a job
    brings of days that it did not ask for, by that reading, was asked for by another reading: it is with the job's
    first or last day as long as no other part is to have it, and so it is with a row of two directions.
    `asked`: the days that the jobs asked for. `others`: what is in other parts.
    """

    def __init__(
        self, settled: Settled, parts: Sequence[Sequence[HeldSpan]], asked: Span, others: Iterable[HeldSpan]
    ) -> None:
        self._plan = settled.plan
        self._directions = tuple(settled.rules.directions)
        self._asked = asked
        self._spans = _by_direction((span, place) for place, spans in enumerate(parts) for span in spans)
        self._others = _by_direction((span, 0) for span in unite(others))
        self._strays = [set[HeldSpan]() for _ in parts]
        self._given = set[HeldSpan]()

    def owner(self, row: RowPlace) -> int | None:
        """The place of the part that a row belongs to; None where another job brings it."""
        # A row that does not say is of any direction.
        sides = [each for each in self._directions if each in row.directions] or self._directions
        day = None if row.day is None or self._asked[0] == TIMELESS else row.day.toordinal()
        for number, side in enumerate(sides):
            place = self._anywhere(side) if day is None else _at(self._spans, side, day)
            if place is not None:
                if number and day is not None:
                    self._note(place, sides[:number], day)
                return place
            if self._is_claimed(side, day):
                if day is not None and not self._asked[0] <= day <= self._asked[1]:
                    self._given.add((side, day, day))
                return None
        return None if day is None else self._stray(sides, day)

    def strays(self, place: int) -> tuple[HeldSpan, ...]:
        """Where rows of a part belong, should another job bring what is there."""
        return unite(self._strays[place])

    @property
    def given(self) -> tuple[HeldSpan, ...]:
        """Where rows belong that the jobs did not ask for, by this reading: they were left to those who did."""
        return unite(self._given)

    def _stray(self, sides: Sequence[str], day: int) -> int | None:
        first, last = self._asked
        near = min(max(day, first), last)
        if near == day:
            return None
        place = next((found for side in sides if (found := _at(self._spans, side, near)) is not None), None)
        if place is not None:
            self._note(place, sides, day)
        return place

    def _note(self, place: int, sides: Iterable[str], day: int) -> None:
        self._strays[place].update((side, day, day) for side in sides)

    def _anywhere(self, side: str) -> int | None:
        spans = self._spans.get(side)
        return spans[0][2] if spans else None

    def _is_claimed(self, side: str, day: int | None) -> bool:
        """Whether another part has what is there, or is to have it."""
        first, last = self._plan.span
        if side in self._plan.directions and (day is None or first <= day <= last):
            return True
        return day is not None and _at(self._others, side, day) is not None


# More than any day's number, or any part's.
_MANY: Final = 10**9


def _by_direction(spans: Iterable[tuple[HeldSpan, int]]) -> _Spans:
    found: dict[str, list[tuple[int, int, int]]] = {}
    for (direction, begins, ends), place in spans:
        found.setdefault(direction, []).append((begins, ends, place))
    return {direction: sorted(each) for direction, each in found.items()}


def _at(spans: _Spans, side: str, day: int) -> int | None:
    of_side = spans.get(side, ())
    found = bisect_right(of_side, (day, _MANY, _MANY)) - 1
    return of_side[found][2] if found >= 0 and of_side[found][0] <= day <= of_side[found][1] else None


def asked_by(extents: Iterable[tuple[date | None, date | None]]) -> Span:
    """The days that some jobs asked for, from the first to the last."""
    known = [(first.toordinal(), last.toordinal()) for first, last in extents if first is not None and last is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else (TIMELESS, TIMELESS)
