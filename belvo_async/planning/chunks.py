"""The planner: the fewest paid requests that make a plan whole, and what cannot be asked for now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, TypeAlias

import msgspec

from ..abc import PlanRules
from ..jobs import Extent, Task
from .calendar import day_of, number
from .coverage import Cell, Coverage, Known
from .plan import Plan
from .requests import fewest
from .spans import Span, cut, halve, join

# When a span may be asked for: now, or not before an instant.
_When: TypeAlias = datetime | None
_Spans: TypeAlias = Mapping[_When, Mapping[str, list[Span]]]


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One paid request: days of one subject, in one direction or in both; not before an instant, or now."""

    subject: str
    directions: tuple[str, ...]
    first: date | None
    last: date | None
    not_before: datetime | None = None

    def __repr__(self) -> str:
        # As of a cell: a subject may be an RFC.
        return f"<Chunk {'+'.join(self.directions)} {self.first}..{self.last}>"

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
    A subject that the tax office cut short is left alone until more may be had: its limit is for all that is asked.
    `decided`: ids of jobs whose days a person decided to ask for again.
    """
    under_way, reused, refused = dict[str, None](), dict[str, None](), list[Cell]()
    by_subject, later = list[list[Chunk]](), list[tuple[datetime, Chunk]]()
    for subject, cells in coverage.by_subject():
        wanted = _Asks(subject)
        for cell in cells:
            if cell.known is Known.PROVEN:
                reused[cell.job or ""] = None
            elif cell.known is Known.MISSING and not cell.is_final:
                under_way[cell.job or ""] = None
            elif cell.is_final and cell.job not in decided:
                refused.append(cell)
            else:
                wanted.add(cell, rules, now)
        if wanted.is_something:
            chunks = list(wanted.chunks(rules, _limited_until(cells, now)))
            by_subject.append([each for each in chunks if each.not_before is None])
            later += ((each.not_before, each) for each in chunks if each.not_before is not None)
    later.sort(key=lambda pair: (pair[0], pair[1].subject, pair[1].first or date.min))
    return Proposal(
        chunks=tuple(_in_turn(by_subject)),
        later=tuple(each for _, each in later),
        under_way=tuple(under_way),
        reused=tuple(reused),
        refused=tuple(refused),
    )


def _limited_until(cells: Sequence[Cell], now: datetime) -> _When:
    """Until when whatever is asked of a subject would be cut short as well; None where nothing says so."""
    return max(
        (each.retry_at for each in cells if each.is_limited and each.retry_at is not None and each.retry_at > now),
        default=None,
    )


class _Asks:
    """What is to be asked of one subject, by when it may be."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        # By direction. What touches is put together, except for what was too much at once: that by its job.
        self._spans = defaultdict[_When, dict[str, list[Span]]](lambda: defaultdict(list))
        self._cut = defaultdict[tuple[_When, Span], list[str]](list)

    @property
    def is_something(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self._spans or self._cut)

    def add(self, cell: Cell, rules: PlanRules, now: datetime) -> None:
        when = None if cell.retry_at is None or cell.retry_at <= now else cell.retry_at
        span = number(cell.first), number(cell.last)
        if rules.is_bisected and cell.is_cut:
            self._cut[when, span].append(cell.direction)
        else:
            self._spans[when][cell.direction].append(span)

    def chunks(self, rules: PlanRules, limited_until: _When) -> Iterator[Chunk]:
        for when, spans in _delayed(self._spans, limited_until).items():
            for together, span in fewest({side: join(each) for side, each in spans.items()}, rules):
                yield self._chunk(together, span, when)
        for (when, span), directions in self._cut.items():
            groups: list[tuple[str, ...]] = [(side,) for side in directions]
            for half in halve(span):
                for group in [tuple(directions)] if rules.is_joint else groups:
                    for part in cut(half, rules.longest_days):
                        yield self._chunk(group, part, _later(when, limited_until))

    def _chunk(self, directions: tuple[str, ...], span: Span, when: _When) -> Chunk:
        first, last = day_of(span[0]), day_of(span[1])
        return Chunk(subject=self._subject, directions=directions, first=first, last=last, not_before=when)


def _delayed(by_when: _Spans, limited_until: _When) -> _Spans:
    """Spans by when they may be asked for, none before a limit has passed."""
    if limited_until is None:
        return by_when
    delayed = defaultdict[_When, dict[str, list[Span]]](lambda: defaultdict(list))
    for when, spans in by_when.items():
        for side, each in spans.items():
            delayed[_later(when, limited_until)][side] += each
    return delayed


def _later(one: _When, other: _When) -> _When:
    return max((each for each in (one, other) if each is not None), default=None)


def _in_turn(by_subject: Sequence[Sequence[Chunk]]) -> Iterator[Chunk]:
    """One of each subject, then the next of each: nobody waits for all that another one wants."""
    return (each for turn in zip_longest(*by_subject) for each in turn if each is not None)
