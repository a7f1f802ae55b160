"""What every area reports: one row a goal, printed as one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEAD = ("area", "what", "ours", "peer", "ratio", "goal", "")
# Figures stand to the right, words to the left.
_RIGHT = {2, 3, 4, 5}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One goal: what we measured, what the peer did in the same run, and how the two compare.

    `ratio` is in the direction of the goal: at least `goal`, or at most `goal` where `at_least` is false. Without a
    goal, the row is there for comparison.
    """

    area: str
    what: str
    ours: str
    peer: str
    ratio: float
    goal: float | None = None
    at_least: bool = True

    @property
    def reach(self) -> float | None:
        """How far the goal is met, 1 being just met; more is better whatever the goal's direction."""
        if self.goal is None:
            return None
        if self.at_least:
            return self.ratio / self.goal
        # What cannot be told from nothing is far below any bound.
        return self.goal / self.ratio if self.ratio > self.goal / 1000 else 1000.0

    @property
    def verdict(self) -> str:
        """`ok`, `short`, or nothing where there is no goal."""
        return "" if self.reach is None else "ok" if self.reach >= 1 else "short"


def show(rows: Iterable[Row]) -> None:
    """Print one aligned table."""
    lines = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for line in lines:
        print("  ".join(_padded(cell, column, widths) for column, cell in enumerate(line)).rstrip(), flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    sign = ">=" if row.at_least else "<="
    goal = "" if row.goal is None else f"{sign} {row.goal:.3g}"
    return row.area, row.what, row.ours, row.peer, f"{row.ratio:.3g}", goal, row.verdict


def _padded(cell: str, column: int, widths: Sequence[int]) -> str:
    return cell.rjust(widths[column]) if column in _RIGHT else cell.ljust(widths[column])
