"""Which rows of a reading are passed on: each once, and only those that belong to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ..._decode import Batch, Odd
from ...abc import Shape

R = TypeVar("R")

# Rows move between pages while the vendor adds more; one that moved further than this is delivered twice.
WINDOW_IDS: Final = 20_000


class PageSum(NamedTuple):
    """What came with one page: how many rows and how many of them were new, and the ids of the first and the last."""

    rows: int
    new: int
    first: str | None
    last: str | None


class FilteredRows(NamedTuple, Generic[R]):
    """What is left of a batch: the records to pass on, what they are known by, and what is odd about them."""

    records: Sequence[R]
    seen: Sequence[Any]
    odd: Sequence[Odd]


class RowFilter(Generic[R]):
    """Drops rows met before (by id, within the last WINDOW_IDS) and rows of another subject, period or kind.

    Rows without an id are all taken for new; those of a page that is read again are told by their place. A row of which
    something could not be read is kept where that might have decided.
    """

    def __init__(self, shape: Shape[Any], counted: int = 0) -> None:
        self._keep = shape.keep
        self._keep_odd = shape.keep_odd
        self._record_id = shape.record_id
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self._place = 0
        self._known = 0
        self._told = -1
        self._new = 0
        self._ends: tuple[str | None, str | None] = (None, None)
        self.counted = counted
        """Rows that arrived so far, each counted once: kept or not, for the vendor counts them all."""

    def begin_page(self, *, again: bool) -> None:
        """A page begins: from its first row, or `again` after it broke off."""
        self._known = max(self._known, self._place) if again else 0
        self._place = 0
        self._told = self._told if again else -1
        if not again:
            self._new, self._ends = 0, (None, None)

    @property
    def page(self) -> PageSum:
        """What came with the page that was begun last."""
        return PageSum(self._place, self._new, *self._ends)

    def take(self, batch: Batch[R]) -> FilteredRows[R]:
        """Choose what to pass on."""
        records, seen = batch.records, batch.seen
        new = self._new_ones(seen)
        self._place += len(records)
        self._new += new.count(True)
        self.counted += new.count(True)
        passed = new if self._keep is None else self._kept(self._keep, batch)
        if passed is not new and not all(new):
            passed = [is_new and is_kept for is_new, is_kept in zip(new, passed, strict=True)]
        odd = [each for each in batch.odd if self._is_told(each, passed)] if batch.odd else ()
        if not all(passed):
            records, seen = tuple(compress(records, passed)), tuple(compress(seen, passed))
        return FilteredRows(records, seen, odd)

    def _kept(self, keep: Callable[[Any], bool], batch: Batch[R]) -> list[bool]:
        kept = list(map(keep, batch.seen))
        for each in batch.odd:
            if each.place is not None and each.unread and not kept[each.place]:
                kept[each.place] = self._keep_odd is not None and self._keep_odd(each.row, each.unread)
        return kept

    def _is_told(self, odd: Odd, passed: Sequence[bool]) -> bool:
        """Whether the reader hears of it: of records it gets, and once of rows that gave none."""
        if odd.place is not None:
            return passed[odd.place]
        is_first = odd.number > self._told
        self._told = max(self._told, odd.number)
        return is_first

    def _new_ones(self, seen: Sequence[Any]) -> list[bool]:
        if not seen:
            return []
        ids = list(map(self._record_id, seen)) if self._record_id is not None else [None] * len(seen)
        self._ends = (self._ends[0] if self._place else ids[0], ids[-1])
        return [self._is_new(record_id, place) for place, record_id in enumerate(ids, self._place)]

    def _is_new(self, record_id: str | None, place: int) -> bool:
        if record_id is None:
            return place >= self._known
        if record_id in self._seen:
            return False
        self._seen.add(record_id)
        self._order.append(record_id)
        if len(self._order) > WINDOW_IDS:
            self._seen.discard(self._order.popleft())
        return True
