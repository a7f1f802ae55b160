"""Taxpayers by months: who is whole, who will be, who needs a person; and which of them are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum
from itertools import islice
from typing import Final

import msgspec

from ..jobs import Job
from ..planning import Cell, Known
from .asked import Scope
from .facts import Calendar, CalendarRow, Days, Standing
from .months import LOUDEST, month_number, strips
from .naming import Namer

# Rows of one calendar, and the pieces that all of them are drawn of: what a browser scrolls through without effort.
ROWS_LIMIT: Final = 200
PIECES_LIMIT: Final = 15_000
# Stretches of days that are told of one taxpayer.
DAYS_LIMIT: Final = 24


class Need(IntEnum):
    """How a taxpayer stands; the first come first."""

    PERSON = 0
    PATIENCE = 1
    NOTHING = 2


def needs_a_person(cell: Cell, jobs: Mapping[str, Job], now: datetime) -> bool:
    """Whether days stay as they are until somebody decides: asking again is for a person, or nobody waits any more."""
    if cell.known is Known.PROVEN:
        return False
    job = jobs.get(cell.job or "")
    return cell.is_final or (job is not None and job.is_open and job.is_past(now))


def need_of(cells: Iterable[Cell], jobs: Mapping[str, Job], now: datetime) -> Need:
    """How a taxpayer stands in one plan."""
    need = Need.NOTHING
    for cell in cells:
        if needs_a_person(cell, jobs, now):
            return Need.PERSON
        if cell.known is not Known.PROVEN:
            need = Need.PATIENCE
    return need


def standing(needs: Mapping[tuple[str, str], Need]) -> Standing:
    """Count taxpayers by what they need in the worst of the plans."""
    counts = dict.fromkeys(Need, 0)
    for need in needs.values():
        counts[need] += 1
    return Standing(whole=counts[Need.NOTHING], in_progress=counts[Need.PATIENCE], needs_a_person=counts[Need.PERSON])


class _Weighed(msgspec.Struct, frozen=True):
    subject: str
    cells: Sequence[Cell]
    need: Need


def calendar_of(
    scope: Scope, jobs: Mapping[str, Job], names: Namer, now: datetime, *, rows_limit: int = ROWS_LIMIT
) -> Calendar:
    """Draw one plan: who is not whole first, as many as can be shown."""
    seen = [_Weighed(subject, cells, need_of(cells, jobs, now)) for subject, cells in scope.cells.items()]
    seen.sort(key=lambda each: each.need)
    start, months = _axis(cell for each in seen for cell in each.cells)
    rows: list[CalendarRow] = []
    pieces = 0
    for each in islice(seen, rows_limit):
        row = _row(each, start, names)
        pieces += sum(len(strip.stretches) for strip in row.strips)
        if rows and pieces > PIECES_LIMIT:
            break
        rows.append(row)
    left = seen[len(rows) :]
    whole_left = sum(each.need is Need.NOTHING for each in left)
    return Calendar(
        name=scope.name,
        vendor=scope.vendor,
        resource=scope.resource,
        start=start,
        months=months,
        taxpayers=len(seen),
        whole=sum(each.need is Need.NOTHING for each in seen),
        rows=tuple(rows),
        whole_left_off=whole_left,
        others_left_off=len(left) - whole_left,
    )


def _axis(cells: Iterable[Cell]) -> tuple[date | None, int]:
    days = [(cell.first, cell.last) for cell in cells if cell.first is not None and cell.last is not None]
    if not days:
        return None, 1
    first, last = min(each[0] for each in days), max(each[1] for each in days)
    return first.replace(day=1), month_number(last) - month_number(first) + 1


def _row(seen: _Weighed, start: date | None, names: Namer) -> CalendarRow:
    unproven = [cell for cell in seen.cells if cell.known is not Known.PROVEN]
    told = sorted(unproven, key=lambda cell: (LOUDEST.index(cell.known), cell.first or date.min, cell.direction))
    return CalendarRow(
        subject=names.of(seen.subject),
        is_whole=seen.need is Need.NOTHING,
        needs_a_person=seen.need is Need.PERSON,
        proven_days=sum(cell.days for cell in seen.cells) - sum(cell.days for cell in unproven),
        wanted_days=sum(cell.days for cell in seen.cells),
        strips=strips(seen.cells, start),
        open_days=tuple(_days(cell) for cell in told[:DAYS_LIMIT]),
        left_off=max(0, len(told) - DAYS_LIMIT),
    )


def _days(cell: Cell) -> Days:
    return Days(
        direction=cell.direction,
        first=cell.first,
        last=cell.last,
        known=cell.known,
        code=cell.code,
        job=cell.job,
        at=cell.at,
        retry_at=cell.retry_at,
    )
