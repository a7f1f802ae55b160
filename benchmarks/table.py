"""What every area reports: one row a goal, printed as one table; and how figures are written in it."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

_HEAD = ("area", "what", "ours", "peer", "ratio", "goal", "", "limit")
# Figures stand to the right, words to the left.
_RIGHT = {2, 3, 4, 5}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One goal: what we measured, what the peer did in the same run, and how the two compare.

    `ratio` is in the direction of the goal: at least `goal`, or at most `goal` where `at_least` is false. Without a
    goal, the row is there for comparison; without a ratio, it says why nothing was measured. `limit`: what no code
    gets past here, and how far ours is from it.
    """

    area: str
    what: str
    ours: str = ""
    peer: str = ""
    # Measured while somebody else was at work on the machine.
    is_rough: bool = False
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = True
    limit: str = ""

    @property
    def reach(self) -> float | None:
        """How far the goal is met, 1 being just met; more is better whatever the goal's direction."""
        if self.goal is None or self.ratio is None:
            return None
        if self.at_least:
            return self.ratio / self.goal
        # What cannot be told from nothing is far below any bound.
        return self.goal / self.ratio if self.ratio > self.goal / 1000 else 1000.0

    @property
    def verdict(self) -> str:
        """`ok`, `short`, or nothing where there is no goal; with a mark where the machine was busy."""
        word = "" if self.reach is None else "ok" if self.is_met else "short"
        return f"{word} rough".strip() if self.is_rough else word

    @property
    def is_met(self) -> bool:
        """Whether it reaches its goal; so does a row without one."""
        return self.reach is None or self.reach >= 1


T = TypeVar("T")


class Size(IntEnum):
    """How much an area measures: all, as little as still tells something, or so little that it only shows it runs.

    The full size is false: `if size` reads "if less".
    """

    FULL = 0
    QUICK = 1
    SMOKE = 2

    def pick(self, full: T, quick: T, smoke: T) -> T:
        """What this size takes."""
        return (full, quick, smoke)[self]


class Middle(float):
    """The median of some rounds; wherever it is written, it shows how far they lie apart: `0.71 (0.66-0.75)`."""

    rounds: tuple[float, ...]

    def __new__(cls, rounds: Iterable[float]) -> Middle:
        found = tuple(rounds)
        middle = super().__new__(cls, statistics.median(found))
        middle.rounds = found
        return middle

    def __format__(self, form: str) -> str:
        middle, least, most = (format(float(each), form) for each in (self, min(self.rounds), max(self.rounds)))
        return f"{middle} ({least}-{most})" if len(self.rounds) > 1 else middle


def rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s"


def span(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.2f} ms"


def middle_ratio(above: Iterable[float], below: Iterable[float]) -> Middle:
    """The median of the ratios of each round."""
    return Middle(one / other for one, other in zip(above, below, strict=True))


def beside(
    area: str, what: str, ours: Sequence[float], peer: Sequence[float], goal: float | None, *, limit: str = ""
) -> Row:
    """The row of two rates a second, measured round by round."""
    shown = [rate(statistics.median(each)) for each in (ours, peer)]
    ratio = middle_ratio(ours, peer)
    return Row(area=area, what=what, ours=shown[0], peer=shown[1], ratio=ratio, goal=goal, limit=limit)


def part_of(what: str, ours: float, limit: float) -> str:
    """How far ours gets towards a limit, both in the same unit and more being better."""
    return f"{what}: {ours / limit:.0%} of it"


def run(measure: Callable[[Size], Iterable[Row]], description: str) -> None:
    """What an area does as a script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer rounds, rougher figures")
    show(measure(Size(parser.parse_args().quick)))


def show(rows: Iterable[Row]) -> None:
    """Print one aligned table."""
    lines = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for line in lines:
        print("  ".join(_padded(cell, column, widths) for column, cell in enumerate(line)).rstrip(), flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    sign = ">=" if row.at_least else "<="
    goal = "" if row.goal is None else f"{sign} {row.goal:.3g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    return row.area, row.what, row.ours, row.peer, ratio, goal, row.verdict, row.limit


def _padded(cell: str, column: int, widths: Sequence[int]) -> str:
    return cell.rjust(widths[column]) if column in _RIGHT else cell.ljust(widths[column])
