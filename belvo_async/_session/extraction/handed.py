"""That a job's rows were handed to a sink: which of them, and the sink's receipt."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

import msgspec

from ...abc import Entry, Receipt, RowPlace
from ...planning import Cell, Known, Plan
from ...planning.calendar import TIMELESS, number
from ...planning.spans import Canvas, Span, join

RECEIPT: Final = "receipt"

# Direction, first and last day, both counted.
HeldSpan: TypeAlias = tuple[str, int, int]


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, and of which days and directions the rows are that it tells of.

    `files` are the forms of documents that were saved beside them, of which `unsaved` could not be had.
    """

    receipt: Receipt
    held: tuple[HeldSpan, ...]
    files: tuple[str, ...] = ()
    unsaved: int = 0

    def is_done(self, due: Sequence[HeldSpan], forms: Sequence[str]) -> bool:
        """Whether nothing is left to do for these rows and documents."""
        has_files = not forms or (set(forms) <= set(self.files) and not self.unsaved)
        return has_files and unite(self.held) == due

    def brings(self, wanted: Sequence[HeldSpan]) -> bool:
        """Whether it tells of all rows that the job is to bring."""
        return unite([*self.held, *wanted]) == unite(self.held)


def entry_of(account: str, handed: Handed) -> Entry:
    """Keep it under the sink and the job: a job that is written again replaces its own."""
    key = f"{_digest(handed.receipt.sink)}/{handed.receipt.job}"
    return Entry(account=account, kind=RECEIPT, key=key, document=msgspec.json.encode(handed))


def is_of_sink(entry: Entry, sink_name: str) -> bool:
    """Whether an entry is of a sink, before it is read."""
    return entry.key.startswith(f"{_digest(sink_name)}/")


def read_handed(entry: Entry) -> Handed:
    """Read what was kept."""
    return msgspec.json.decode(entry.document, type=Handed)


def _digest(sink_name: str) -> str:
    return hashlib.sha256(sink_name.encode()).hexdigest()[:16]


def unite(spans: Iterable[HeldSpan]) -> tuple[HeldSpan, ...]:
    """The same days, in as few spans as there can be."""
    found: dict[str, list[Span]] = {}
    for direction, begins, ends in spans:
        found.setdefault(direction, []).append((begins, ends))
    return tuple((direction, *each) for direction in sorted(found) for each in join(found[direction]))


def wanted_of(cells: Iterable[Cell]) -> Mapping[str, tuple[HeldSpan, ...]]:
    """Which rows each job is to bring: those of the days that it proves, or brought a part of."""
    wanted: dict[str, list[HeldSpan]] = {}
    for cell in cells:
        if cell.job is not None and cell.known in (Known.PROVEN, Known.PARTIAL):
            wanted.setdefault(cell.job, []).append((cell.direction, number(cell.first), number(cell.last)))
    return {job: unite(spans) for job, spans in wanted.items()}


def due_of(job_id: str, handed: Handed | None, wanted: Mapping[str, Sequence[HeldSpan]]) -> tuple[HeldSpan, ...]:
    """Which rows are to be in the part of a job: those it is to bring, and what it holds that no other job brings.

    So what was handed over stays where it is until a newer answer is there, and what a plan does not want for good.
    """
    mine = tuple(wanted.get(job_id, ()))
    if handed is None or unite(handed.held) == mine:
        return mine
    every = [span for spans in wanted.values() for span in spans]
    return unite([*mine, *(left for span in handed.held for left in _without(span, every))])


def _without(span: HeldSpan, others: Iterable[HeldSpan]) -> Iterator[HeldSpan]:
    direction, begins, ends = span
    canvas = Canvas((begins, ends))
    for side, first, last in others:
        if side == direction:
            canvas.paint(first, last)
    return ((direction, *each) for each in canvas.bare)


class Axis:
    """Tells which of several parts a row belongs to, if to any.

    By one reading of its day, so that a row at the edge of two jobs belongs to one of them. What lies before or behind
    the plan, by that reading, was asked for by the other: it belongs to the plan's first or last day.
    """

    def __init__(self, plan: Plan, parts: Sequence[Sequence[HeldSpan]]) -> None:
        self._first, self._last = plan.span
        self._directions = tuple(plan.directions)
        self._spans: dict[str, list[tuple[int, int, int]]] = {}
        for place, spans in enumerate(parts):
            for direction, begins, ends in spans:
                self._spans.setdefault(direction, []).append((begins, ends, place))
        for each in self._spans.values():
            each.sort()
        every = [span for each in self._spans.values() for span in each]
        self._outside = any(begins < self._first or ends > self._last for begins, ends, _ in every)

    def owner(self, row: RowPlace) -> int | None:
        """The place of the part that a row belongs to; None where another job brings it."""
        day = self._day(row.day)
        for direction in [each for each in self._directions if each in row.directions][:1] or self._spans:
            spans = self._spans.get(direction, ())
            if day is None:
                return spans[0][2] if spans else None
            found = bisect_right(spans, (day, MANY, MANY)) - 1
            if found >= 0 and spans[found][0] <= day <= spans[found][1]:
                return spans[found][2]
        return None

    def _day(self, day: date | None) -> int | None:
        if day is None or self._first == TIMELESS:
            return None
        ordinal = day.toordinal()
        return ordinal if self._outside else min(max(ordinal, self._first), self._last)


# More than any day's number, or any part's.
MANY: Final = 10**9
