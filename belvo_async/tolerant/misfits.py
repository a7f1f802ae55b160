"""Values that could not be read: told by row, path and raw value, never fatal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

# A vendor that changes a field makes a misfit of every row: the first ones show what it is, the others are counted.
MOST_KEPT: Final = 100
# The raw value of one misfit may be a whole row: what is kept stays bounded.
_RAW_CHARACTERS: Final = 64 * 1024


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """One value that no reading fits; the record says None there.

    `path` is its place, like `$.results[3].total_amount`, in the vendor's own names; `row_id` the id of its row, None
    where it has none. `raw` is the value as the vendor wrote it, in JSON (of a very long one, its beginning), "" for a
    field that is required and missing. It is a taxpayer's: neither repr nor str shows it.
    """

    path: str
    raw: str
    row_id: str | None = None

    def __repr__(self) -> str:
        return f"Misfit({self.path})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("path", self.path)]


class Misfits:
    """What could not be read: `count` tells how many, iterating and indexing give the first hundred."""

    count = 0

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Misfit] = []

    def add(self, path: str, raw: bytes, row_id: str | None = None) -> None:
        """Count one, and keep it if it is among the first."""
        self.count += 1
        if len(self._kept) < MOST_KEPT:
            text = raw[:_RAW_CHARACTERS].decode("utf-8", "replace")
            self._kept.append(Misfit(path=path, raw=text, row_id=row_id))

    def take(self, others: Misfits) -> None:
        """Add others, counted and kept as these are."""
        self.count += others.count
        self._kept += others._kept[: MOST_KEPT - len(self._kept)]

    def __iter__(self) -> Iterator[Misfit]:
        return iter(self._kept)

    def __getitem__(self, index: int) -> Misfit:
        return self._kept[index]

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<Misfits: {self.count}>"
