"""The entries of a memory store."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection

from ...abc import Entry
from ...jobs import Job
from ..ledger import Place, entry_at, place_of, proof_entry, raw
from ..walks import SLICE


class Entries:
    """Documents by place, and the places in their order."""

    def __init__(self) -> None:
        self._documents: dict[Place, bytes] = {}
        self._order: list[Place] = []

    def enter(self, entries: Collection[Entry]) -> None:
        for entry in entries:
            place = place_of(entry)
            if place not in self._documents:
                insort(self._order, place)
            self._documents[place] = entry.document

    def keep_proof(self, job: Job) -> None:
        """Enter what a job proves that is dropped."""
        entry = proof_entry(job)
        if entry is not None:
            self.enter([entry])

    def after(
        self, place: Place | None, kind: str | None, accounts: frozenset[bytes] | None
    ) -> tuple[list[Entry], Place | None]:
        """The next entries of a kind, at most as many as a slice has, and where to go on."""
        wanted = None if kind is None else raw(kind)
        start = bisect_right(self._order, place or Place(wanted or b"", b"", b""))
        if place is None:
            start = bisect_left(self._order, Place(wanted or b"", b"", b""))
        places = self._order[start : start + SLICE]
        within = [each for each in places if wanted is None or each.kind == wanted]
        found = [each for each in within if accounts is None or each.account in accounts]
        entries = [entry_at(each, self._documents[each]) for each in found]
        return entries, places[-1] if len(places) == SLICE == len(within) else None

    def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        for key in keys:
            place = Place(raw(kind), raw(account), raw(key))
            if self._documents.pop(place, None) is not None:
                del self._order[bisect_left(self._order, place)]
