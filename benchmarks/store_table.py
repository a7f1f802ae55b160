"""How the parts of `store.py` report: one line a case, with what it is compared to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """A case: how fast it was, and how that compares. `goal` is the least ratio, or the most seconds."""

    name: str
    per_second: float | None = None
    ratio: float | None = None
    seconds: float | None = None
    goal: float | None = None

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        if self.seconds is not None:
            return "ok" if self.seconds <= self.goal else "short"
        return "ok" if (self.ratio or 0.0) >= self.goal else "short"


def show(lines: Iterable[Line]) -> None:
    """Print the table."""
    print(f"{'case':58} {'events/s':>9} {'measured':>9} {'goal':>9}")
    for line in lines:
        speed = "" if line.per_second is None else f"{line.per_second:,.0f}"
        measured, goal = "", ""
        if line.seconds is not None:
            measured, goal = f"{line.seconds:.2f} s", "" if line.goal is None else f"<= {line.goal:g} s"
        elif line.ratio is not None:
            measured, goal = f"{line.ratio:.2f} x", "" if line.goal is None else f">= {line.goal:g} x"
        print(f"{line.name:58} {speed:>9} {measured:>9} {goal:>9} {line.verdict}")
