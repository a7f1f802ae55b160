"""A table of short texts, and its plain form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table:
    """Headings and rows of equal length; the columns named in `right` are aligned to the right."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: frozenset[str] = frozenset()

    def lines(self) -> list[str]:
        """The table as aligned lines, each column as wide as its widest text."""
        texts = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        rule = tuple("-" * width for width in widths)
        return [self._line(row, widths) for row in (self.headings, rule, *self.rows)]

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        cells = zip(self.headings, row, widths, strict=True)
        return " ".join(
            text.rjust(width) if heading in self.right else text.ljust(width) for heading, text, width in cells
        ).rstrip()


def print_table(table: Table) -> None:
    """Print a table on stdout."""
    for line in table.lines():
        print(line)
