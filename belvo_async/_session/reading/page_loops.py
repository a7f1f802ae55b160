"""Noticing pages that lead round and round: every link is a new one, and yet nothing comes that was not read before."""

from __future__ import annotations

from typing import Final

from ...errors import PayloadError
from .dedup import WINDOW_IDS, PageSum

# Rows stored while a list is read push others onto the next page; a page of nothing else is possible, so many in a row
# are not.
STALE_PAGES: Final = 10

_ROUND: Final = (
    "the pages lead round and round: a page that has a next one holds what was read before; read it again later"
)

_BACK: Final = (
    "the pages lead back: the next one was read before, so that the rest cannot be reached; read it again later"
)


class PageLoops:
    """Watches the pages of one reading, in memory that does not grow. Raises PayloadError once they go round."""

    def __init__(self) -> None:
        self._stale = 0
        self._pages = 0
        # One page to compare the later ones to, taken anew after twice as many: in a ring it comes again.
        self._anchor: PageSum | None = None
        self._anchor_at = 0

    def check(self, page: PageSum, counted: int, expected: int | None, *, leads_on: bool) -> None:
        """Look at a page with a next one, at the rows counted so far and at those the vendor counts.

        One that leads on to no page that was not read is the last; without a count, nobody knows what is missing.
        """
        if not leads_on and page.rows and expected is None:
            raise PayloadError(_BACK)
        self._pages += 1
        self._stale = self._stale + 1 if page.rows and not page.new else 0
        is_ring = page.new > 0 and page.first is not None and page._replace(new=0) == self._anchor
        if is_ring or self._stale >= STALE_PAGES or _are_far_too_many(counted, expected):
            raise PayloadError(_ROUND)
        if self._pages >= 2 * self._anchor_at:
            self._anchor, self._anchor_at = page._replace(new=0), self._pages


def _are_far_too_many(counted: int, expected: int | None) -> bool:
    # Beyond the window rows are not told apart; a list that grew so fast would count its new rows as well.
    return expected is not None and counted > 2 * expected + WINDOW_IDS
