"""What a task asks for, in words that both vendors' tasks share: which days, which directions, which options."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

ISSUED: Final = "issued"
RECEIVED: Final = "received"
# Of a resource that has no directions.
UNDIRECTED: Final = "all"


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """Which days of a resource a task asks for, both ends meant, and in which directions.

    `directions` are `issued` and `received`, or `all` of a resource that has none. A task without a period has no days:
    it asks for what there is. `options` are what the records hold beyond the usual, in the dialect's words (`xml`): an
    answer with more of them holds what one with fewer does.
    """

    directions: tuple[str, ...] = (UNDIRECTED,)
    first: date | None = None
    last: date | None = None
    options: tuple[str, ...] = ()

    @property
    def is_dated(self) -> bool:
        """Whether it is about days."""
        return self.first is not None
