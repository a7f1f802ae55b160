"""Which rows of a reading are passed on: each once, and only those that belong to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import compress, repeat
from typing import Any, Final, Generic, TypeVar

from .._decode import Batch
from ..abc import Shape

R = TypeVar("R")

# Rows move between pages while the vendor adds more; one that moved further than this is delivered twice.
WINDOW_IDS: Final = 20_000


class Sieve(Generic[R]):
    """Drops rows met before (by id, within the last WINDOW_IDS) and rows of another subject, period or kind.

    Rows without an id are all taken for new; those of a page that is read again are told by their place.
    """

    def __init__(self, shape: Shape[Any], counted: int = 0) -> None:
        self._keep = shape.keep
        self._record_id = shape.record_id
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self._place = 0
        self._known = 0
        self.counted = counted
        """Rows that arrived so far, each counted once: kept or not, for the vendor counts them all."""

    def begin_page(self, *, again: bool) -> None:
        """A page begins: from its first row, or `again` after it broke off."""
        self._known = max(self._known, self._place) if again else 0
        self._place = 0

    def take(self, batch: Batch[R]) -> tuple[Sequence[R], Sequence[Any]]:
        """Give the records to pass on, and what they are known by, side by side."""
        records, seen = batch.records, batch.seen
        new = self._new_ones(seen)
        self._place += len(records)
        if not all(new):
            records, seen = tuple(compress(records, new)), tuple(compress(seen, new))
        self.counted += len(records)
        if self._keep is not None:
            kept = tuple(map(self._keep, seen))
            if not all(kept):
                records, seen = tuple(compress(records, kept)), tuple(compress(seen, kept))
        return records, seen

    def _new_ones(self, seen: Sequence[Any]) -> list[bool]:
        ids = map(self._record_id, seen) if self._record_id is not None else repeat(None, len(seen))
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
