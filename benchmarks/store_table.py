"""How the parts of `store.py` report: one line a case, with what it is compared to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """A case: how fast it was, and how that compares. Goals are about the ratio, or the seconds where there is none."""

    name: str
    per_second: float | None = None
    seconds: float | None = None
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def speed(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds:.2f} s" if self.seconds >= 1 else f"{1000 * self.seconds:.2f} ms"
        return "" if self.per_second is None else f"{self.per_second:,.0f}/s"

    @property
    def goal(self) -> str:
        unit = "s" if self.ratio is None else "x"
        if self.at_least is not None:
            return f">= {self.at_least:g} {unit}"
        return "" if self.at_most is None else f"<= {self.at_most:g} {unit}"

    @property
    def verdict(self) -> str:
        measured = self.seconds if self.ratio is None else self.ratio
        if measured is None or not self.goal:
            return ""
        is_met = measured >= (self.at_least or 0.0) and measured <= (self.at_most or float("inf"))
        return "ok" if is_met else "short"


def show(lines: Iterable[Line]) -> None:
    """Print the rows of the table."""
    for line in lines:
        ratio = "" if line.ratio is None else f"{line.ratio:.2f} x"
        print(f"{line.name:60} {line.speed:>10} {ratio:>8} {line.goal:>9} {line.verdict}".rstrip(), flush=True)


def show_head() -> None:
    """Print what the columns are."""
    print(f"{'case':60} {'speed':>10} {'ratio':>8} {'goal':>9}")
