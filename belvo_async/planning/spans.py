"""Spans of days, and what is left of them. Pairs of whole numbers, both ends meant; sorted, apart from each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from .calendar import month_end, year_end

Span: TypeAlias = tuple[int, int]


class Canvas:
    """Days that are painted once: who comes first has them."""

    def __init__(self, span: Span) -> None:
        self._bare = [span]

    def paint(self, first: int, last: int) -> list[Span]:
        """Take what is bare between two days, and give it."""
        bare = self._bare
        start = bisect_left(bare, first, key=lambda span: span[1])
        stop, taken, left = start, list[Span](), list[Span]()
        while stop < len(bare) and bare[stop][0] <= last:
            begins, ends = bare[stop]
            taken.append((max(begins, first), min(ends, last)))
            if begins < first:
                left.append((begins, first - 1))
            if ends > last:
                left.append((last + 1, ends))
            stop += 1
        if taken:
            bare[start:stop] = left
        return taken

    @property
    def bare(self) -> list[Span]:
        """What nobody took."""
        return list(self._bare)


def join(spans: Iterable[Span]) -> list[Span]:
    """Put together what touches or overlaps."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


class Cuts:
    """Where requests of at most so many days are cut: into as few as there can be.

    The pieces of the whole period end with years where that takes no more of them, else with months, else wherever they
    must. What is left of it later is cut at the same edges, by whoever goes on: so two workers, of whom one knows less,
    ask for the same pieces.
    """

    def __init__(self, whole: Span, longest: int | None) -> None:
        self._longest = longest
        self._pieces = [whole] if longest is None else _cut_whole(whole, longest)
        self._starts = {first: place for place, (first, _) in enumerate(self._pieces)}
        self._ends = {last: place for place, (_, last) in enumerate(self._pieces)}

    def cut(self, span: Span) -> list[Span]:
        """Cut what is wanted of the period."""
        first, last = span
        if self._longest is None or last - first < self._longest:
            return [span]
        begins, ends = self._starts.get(first), self._ends.get(last)
        if begins is not None and ends is not None:
            return self._pieces[begins : ends + 1]
        # In one way, wherever the rest begins: each rest of it is cut as it was.
        return list(_cut_at(span, self._longest, _anywhere))


def _cut_whole(span: Span, longest: int) -> list[Span]:
    first, last = span
    fewest = -(-(last - first + 1) // longest)
    for edge in (year_end, month_end):
        pieces = list(_cut_at(span, longest, edge))
        if len(pieces) == fewest:
            return pieces
    return list(_cut_at(span, longest, _anywhere))


def _anywhere(ordinal: int) -> int:
    return ordinal


def _cut_at(span: Span, longest: int, edge: Callable[[int], int]) -> Iterator[Span]:
    first, last = span
    while first <= last:
        ends = min(first + longest - 1, last)
        if first <= (before := edge(ends)) and ends < last:
            ends = before
        yield first, ends
        first = ends + 1


def halve(span: Span) -> list[Span]:
    """Cut a span in two, near its middle: at the end of a year or a month where one lies in its middle half."""
    first, last = span
    if first == last:
        return [span]
    middle, reach = (first + last) // 2, (last - first) // 4
    for edge, length in ((year_end, 366), (month_end, 31)):
        # The last end before the middle, and the first behind it.
        around = [edge(middle), edge(edge(middle) + length)]
        near = [each for each in around if first <= each < last and abs(each - middle) <= reach]
        if near:
            ends = min(near, key=lambda each: (abs(each - middle), each))
            return [(first, ends), (ends + 1, last)]
    return [(first, middle), (middle + 1, last)]
