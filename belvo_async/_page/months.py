"""Days drawn as months: what shows of a month of which several things are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from ..planning import Cell, Known
from .facts import Months, Strip

# Of several things known of one month, the first of these shows: what somebody may have to do something about.
LOUDEST: Final = (Known.FAILED, Known.MISSING, Known.PARTIAL, Known.NEVER_ASKED, Known.PROVEN)
_LOUDNESS: Final = {known: place for place, known in enumerate(LOUDEST)}


def month_number(day: date) -> int:
    """A month as a whole number."""
    return day.year * 12 + day.month - 1


def strips(cells: Iterable[Cell], start: date | None) -> tuple[Strip, ...]:
    """Draw the cells of one taxpayer: a strip for each direction, in their order, from the month of `start` on."""
    by_direction: dict[str, list[Cell]] = {}
    for cell in cells:
        by_direction.setdefault(cell.direction, []).append(cell)
    origin = 0 if start is None else month_number(start)
    return tuple(
        Strip(direction=direction, stretches=tuple(_stretches(several, origin)))
        for direction, several in by_direction.items()
    )


def _stretches(cells: Sequence[Cell], origin: int) -> list[Months]:
    """In the order of the cells, which is that of their days; each month once."""
    found: list[Months] = []
    for cell in cells:
        first, last = _months(cell, origin)
        while found and found[-1].last >= first:
            # The month that two share shows the louder of them.
            before = found.pop()
            if _LOUDNESS[before.known] <= _LOUDNESS[cell.known]:
                found.append(before)
                first = before.last + 1
            elif before.first < first:
                found.append(Months(before.first, first - 1, before.known))
        if first > last:
            continue
        if found and found[-1].known is cell.known and found[-1].last + 1 == first:
            first = found.pop().first
        found.append(Months(first, last, cell.known))
    return found


def _months(cell: Cell, origin: int) -> tuple[int, int]:
    if cell.first is None or cell.last is None:
        return 0, 0
    return month_number(cell.first) - origin, month_number(cell.last) - origin
