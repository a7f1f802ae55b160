"""Spans of days, and what is left of them. Pairs of whole numbers, both ends meant; sorted, apart from each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
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


# Subjects of a plan mostly want the same days.
@lru_cache(maxsize=1024)
def cut(span: Span, longest: int | None) -> Sequence[Span]:
    """Cut a span into pieces of at most so many days: into as few as there can be.

    A piece ends with a year where that costs no more of them, else with a month, else where it must. What is left when
    some pieces are done is cut at the same edges: so two workers, of whom one knows less, ask for the same pieces. For
    an edge is taken if the days that all the pieces could hold beyond what is asked of them allow for it; and of a few
    neighbours out of them, they are always as many as these gave away.
    """
    first, last = span
    pieces: list[Span] = []
    while longest is not None and last - first >= longest:
        reach = first + longest - 1
        spare = -(last - first + 1) % longest
        ends = next(
            (edge for edge in (year_end(reach), month_end(reach)) if first <= edge and reach - edge <= spare), reach
        )
        pieces.append((first, ends))
        first = ends + 1
    return (*pieces, (first, last))


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
