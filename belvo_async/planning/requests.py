"""The fewest requests for what is wanted of one subject: which directions go together, and where days are cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from ..abc import PlanRules
from .spans import Span, cut

# Directions that are asked for together, and of which days.
Piece: TypeAlias = tuple[tuple[str, ...], Span]

_DEAR: Final = 1 << 62


def fewest(spans: Mapping[str, Sequence[Span]], rules: PlanRules) -> list[Piece]:
    """Cut spans that are apart from each other, by direction, into the fewest requests; each day is in one of them."""
    if rules.is_joint and len(spans) > 1:
        pieces = _joint(list(_columns(spans)))
    else:
        pieces = [((direction,), span) for direction, each in spans.items() for span in each]
    parts = [(directions, part) for directions, span in pieces for part in cut(span, rules.longest_days)]
    if len(spans) > 1:
        parts.sort(key=lambda each: (each[1], each[0]))
    return parts


class _Column(NamedTuple):
    """Days in which the same directions are wanted throughout."""

    wanted: tuple[str, ...]
    span: Span


def _columns(spans: Mapping[str, Sequence[Span]]) -> Iterator[_Column]:
    edges = sorted({edge for each in spans.values() for first, last in each for edge in (first, last + 1)})
    places = dict.fromkeys(spans, 0)
    for first, after in pairwise(edges):
        wanted: list[str] = []
        for direction, each in spans.items():
            while places[direction] < len(each) and each[places[direction]][1] < first:
                places[direction] += 1
            if places[direction] < len(each) and each[places[direction]][0] <= first:
                wanted.append(direction)
        if wanted:
            yield _Column(tuple(wanted), (first, after - 1))


def _joint(columns: Sequence[_Column]) -> list[Piece]:
    """Choose for each column whether its directions are asked for together or each alone; together where equal.

    Whatever was chosen so far, only the last choice bears on the next one: whether its requests reach on.
    """
    costs, choices = (0, _DEAR), list[tuple[bool, bool]]()
    before: _Column | None = None
    for column in columns:
        ways: list[tuple[int, bool]] = []
        for alone in (False, True):
            reached = [cost + _begun(before, column, was_alone, alone) for was_alone, cost in enumerate(costs)]
            ways.append((min(reached), reached[1] < reached[0]))
        costs = (ways[0][0], ways[1][0])
        choices.append((ways[0][1], ways[1][1]))
        before = column
    return _pieces(columns, _chosen(choices, alone=costs[1] < costs[0]))


def _begun(before: _Column | None, column: _Column, was_alone: bool | int, alone: bool) -> int:
    """How many requests begin with a column."""
    groups = _groups(column, alone)
    if before is None or before.span[1] + 1 < column.span[0]:
        return len(groups)
    return len(groups - _groups(before, bool(was_alone)))


def _groups(column: _Column, alone: bool) -> set[tuple[str, ...]]:
    return {(each,) for each in column.wanted} if alone else {column.wanted}


def _chosen(choices: Sequence[tuple[bool, bool]], *, alone: bool) -> list[bool]:
    """Walk back along the choices that led to the end."""
    chosen: list[bool] = []
    for before in reversed(choices):
        chosen.append(alone)
        alone = before[alone]
    return chosen[::-1]


def _pieces(columns: Sequence[_Column], chosen: Sequence[bool]) -> list[Piece]:
    pieces: list[Piece] = []
    open_pieces: dict[tuple[str, ...], Span] = {}
    for column, alone in zip(columns, chosen, strict=True):
        first, last = column.span
        going_on: dict[tuple[str, ...], Span] = {}
        for group in sorted(_groups(column, alone)):
            reaching = open_pieces.pop(group, None)
            is_on = reaching is not None and reaching[1] + 1 == first
            if reaching is not None and not is_on:
                pieces.append((group, reaching))
            going_on[group] = (reaching[0] if reaching is not None and is_on else first, last)
        pieces.extend(open_pieces.items())
        open_pieces = going_on
    return [*pieces, *open_pieces.items()]
