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
        pieces = _joint(list(_bands(spans)))
    else:
        pieces = [((direction,), span) for direction, each in spans.items() for span in each]
    parts = [(directions, part) for directions, span in pieces for part in cut(span, rules.longest_days)]
    if len(spans) > 1:
        parts.sort(key=lambda each: (each[1], each[0]))
    return parts


class _Band(NamedTuple):
    """Days in which the same directions are wanted throughout."""

    wanted: tuple[str, ...]
    span: Span


def _bands(spans: Mapping[str, Sequence[Span]]) -> Iterator[_Band]:
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
            yield _Band(tuple(wanted), (first, after - 1))


def _joint(bands: Sequence[_Band]) -> list[Piece]:
    """Choose for each band whether its directions are asked for together or each alone; together where equal.

    Whatever was chosen so far, only the last choice bears on the next one: whether its requests reach on.
    """
    costs, choices = (0, _DEAR), list[tuple[bool, bool]]()
    before: _Band | None = None
    for band in bands:
        ways: list[tuple[int, bool]] = []
        for alone in (False, True):
            reached = [cost + _begun(before, band, was_alone, alone) for was_alone, cost in enumerate(costs)]
            ways.append((min(reached), reached[1] < reached[0]))
        costs = (ways[0][0], ways[1][0])
        choices.append((ways[0][1], ways[1][1]))
        before = band
    return _pieces(bands, _chosen(choices, alone=costs[1] < costs[0]))


def _begun(before: _Band | None, band: _Band, was_alone: bool | int, alone: bool) -> int:
    """How many requests begin with a band."""
    groups = _groups(band, alone)
    if before is None or before.span[1] + 1 < band.span[0]:
        return len(groups)
    return len(groups - _groups(before, bool(was_alone)))


def _groups(band: _Band, alone: bool) -> set[tuple[str, ...]]:
    return {(each,) for each in band.wanted} if alone else {band.wanted}


def _chosen(choices: Sequence[tuple[bool, bool]], *, alone: bool) -> list[bool]:
    """Walk back along the choices that led to the end."""
    chosen: list[bool] = []
    for before in reversed(choices):
        chosen.append(alone)
        alone = before[alone]
    return chosen[::-1]


def _pieces(bands: Sequence[_Band], chosen: Sequence[bool]) -> list[Piece]:
    pieces: list[Piece] = []
    open_pieces: dict[tuple[str, ...], Span] = {}
    for band, alone in zip(bands, chosen, strict=True):
        first, last = band.span
        going_on: dict[tuple[str, ...], Span] = {}
        for group in sorted(_groups(band, alone)):
            reaching = open_pieces.pop(group, None)
            is_on = reaching is not None and reaching[1] + 1 == first
            if reaching is not None and not is_on:
                pieces.append((group, reaching))
            going_on[group] = (reaching[0] if reaching is not None and is_on else first, last)
        pieces.extend(open_pieces.items())
        open_pieces = going_on
    return [*pieces, *open_pieces.items()]
