"""The planner: the fewest paid requests that make a plan whole, and what cannot be asked for now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise, zip_longest
from typing import Any, TypeAlias

import msgspec

from ..abc import PlanRules
from ..jobs import Extent, Task
from .calendar import day_of, number
from .coverage import Cell, Coverage, Known
from .plan import Plan
from .spans import Cuts, Span, halve, join

# When a span may be asked for: now, or not before an instant.
_When: TypeAlias = datetime | None


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One paid request: days of one subject, in one direction or in both; not before an instant, or now."""

    subject: str
    directions: tuple[str, ...]
    first: date | None
    last: date | None
    not_before: datetime | None = None

    def task(self, plan: Plan, rules: PlanRules) -> Task[Any]:
        """The task that asks for it."""
        extent = Extent(directions=self.directions, first=self.first, last=self.last, options=tuple(plan.options))
        return rules.start(self.subject, extent)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to do for a plan.

    `chunks`: what is asked for now, fair between subjects; `later`: what may be asked for only after an instant, the
    earliest first; `under_way`: ids of the open jobs that are waited for; `reused`: ids of the jobs that prove days of
    it; `refused`: what is for a person to decide.
    """

    chunks: tuple[Chunk, ...]
    later: tuple[Chunk, ...]
    under_way: tuple[str, ...]
    reused: tuple[str, ...]
    refused: tuple[Cell, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask or to wait for."""
        return not (self.chunks or self.later or self.under_way)


def propose(coverage: Coverage, rules: PlanRules, now: datetime, *, decided: Collection[str] = ()) -> Proposal:
    """Decide what to ask for.

    Days that are proven are not asked again; what overlaps is asked once; each request keeps to the vendor's limits.
    `decided`: ids of jobs whose days a person decided to ask for again.
    """
    under_way, reused, refused = dict[str, None](), dict[str, None](), list[Cell]()
    by_subject: list[list[Chunk]] = []
    cuts = Cuts(coverage.plan.span, rules.longest_days)
    for subject, cells in coverage.by_subject():
        wanted = _Asks(subject)
        for cell in cells:
            if cell.known is Known.PROVEN:
                reused[cell.job or ""] = None
            elif _is_open(cell):
                under_way[cell.job or ""] = None
            elif cell.is_final and cell.job not in decided:
                refused.append(cell)
            else:
                wanted.add(cell, rules, now)
        by_subject.append(list(wanted.chunks(rules, cuts)))
    every = list(_in_turn(by_subject))
    return Proposal(
        chunks=tuple(each for each in every if each.not_before is None),
        later=tuple(sorted((each for each in every if each.not_before is not None), key=_place)),
        under_way=tuple(under_way),
        reused=tuple(reused),
        refused=tuple(refused),
    )


def _is_open(cell: Cell) -> bool:
    return cell.known is Known.MISSING and cell.at is None and not cell.is_final


class _Asks:
    """What is to be asked of one subject, by when it may be."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        # By direction. What touches is put together, except for the halves of what was too much at once.
        self._spans = defaultdict[_When, dict[str, list[Span]]](lambda: defaultdict(list))
        self._halves = defaultdict[tuple[_When, Span], list[str]](list)

    def add(self, cell: Cell, rules: PlanRules, now: datetime) -> None:
        when = None if cell.retry_at is None or cell.retry_at <= now else cell.retry_at
        span = number(cell.first), number(cell.last)
        if rules.is_bisected and cell.is_cut:
            for half in halve(span):
                self._halves[when, half].append(cell.direction)
        else:
            self._spans[when][cell.direction].append(span)

    def chunks(self, rules: PlanRules, cuts: Cuts) -> Iterator[Chunk]:
        for when, by_direction in self._spans.items():
            spans = {direction: join(each) for direction, each in by_direction.items()}
            for together, span in _fewest(spans, rules, cuts):
                yield self._chunk(together, span, when)
        for (when, half), directions in self._halves.items():
            asked: list[tuple[str, ...]] = [(side,) for side in directions]
            for some in [tuple(directions)] if rules.is_joint else asked:
                yield from (self._chunk(some, span, when) for span in cuts.cut(half))

    def _chunk(self, directions: tuple[str, ...], span: Span, when: _When) -> Chunk:
        first, last = day_of(span[0]), day_of(span[1])
        return Chunk(subject=self._subject, directions=directions, first=first, last=last, not_before=when)


_Piece: TypeAlias = tuple[tuple[str, ...], Span]


def _fewest(spans: Mapping[str, Sequence[Span]], rules: PlanRules, cuts: Cuts) -> list[_Piece]:
    """The fewest requests for what is wanted in each direction."""
    apart = _cut_all((((direction,), span) for direction, each in spans.items() for span in each), cuts)
    if not rules.is_joint or len(spans) < 2:
        return apart
    together = _cut_all(_elementary(spans), cuts)
    return together if len(together) <= len(apart) else apart


def _cut_all(pieces: Iterable[_Piece], cuts: Cuts) -> list[_Piece]:
    parts = [(directions, part) for directions, span in pieces for part in cuts.cut(span)]
    return sorted(parts, key=lambda each: (each[1], each[0]))


def _elementary(spans: Mapping[str, Sequence[Span]]) -> Iterator[_Piece]:
    """Spans in which the same directions are wanted throughout."""
    edges = sorted({edge for each in spans.values() for first, last in each for edge in (first, last + 1)})
    for first, after in pairwise(edges):
        wanted = tuple(
            direction
            for direction, each in spans.items()
            if any(begins <= first and after - 1 <= ends for begins, ends in each)
        )
        if wanted:
            yield wanted, (first, after - 1)


def _in_turn(by_subject: Sequence[Sequence[Chunk]]) -> Iterator[Chunk]:
    """One of each subject, then the next of each: nobody waits for all that another one wants."""
    return (each for turn in zip_longest(*by_subject) for each in turn if each is not None)


def _place(chunk: Chunk) -> tuple[str, str, date]:
    return f"{chunk.not_before:%Y%m%d%H%M%S%f}", chunk.subject, chunk.first or date.min
