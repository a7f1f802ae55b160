"""The entries of a PostgreSQL store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ...abc import Entry
from ..ledger import Place, entry_at, place_of, raw
from ..walks import SLICE
from .connection import Row, Statement
from .group_commit import Read, Steps, Write
from .rows import arrays


class Enter(Write[None]):
    """Keep entries."""

    rank = 6

    def __init__(self, entries: Iterable[Entry]) -> None:
        super().__init__()
        self.documents: dict[Place, bytes | None] = {place_of(entry): entry.document for entry in entries}

    @staticmethod
    def steps(operations: Sequence[Enter | Strike]) -> Steps:
        """Write what the calls leave, one after the other: each place once."""
        yield []
        documents: dict[Place, bytes | None] = {}
        for each in operations:
            documents |= each.documents
        struck = sorted(place for place, document in documents.items() if document is None)
        kept = {place: document for place, document in documents.items() if document is not None}
        yield [*([Statement(_STRIKE, arrays(struck))] if struck else ()), *enter(kept)]


class Strike(Write[None]):
    """Drop entries."""

    rank = 6

    def __init__(self, account: str, kind: str, keys: Iterable[str]) -> None:
        super().__init__()
        self.documents: dict[Place, bytes | None] = {Place(raw(kind), raw(account), raw(key)): None for key in keys}

    steps = staticmethod(Enter.steps)


def enter(documents: dict[Place, bytes]) -> list[Statement]:
    """What keeps documents in their places. Every worker takes them in their order, so that none waits in a ring."""
    rows = [(*place, document) for place, document in sorted(documents.items())]
    return [Statement(_ENTER, arrays(rows))] if rows else []


_STRIKE: Final = """
    DELETE FROM entry USING unnest(%b::bytea[], %b::bytea[], %b::bytea[]) AS struck (kind, account, key)
    WHERE entry.kind = struck.kind AND entry.account = struck.account AND entry.key = struck.key
"""
_ENTER: Final = """
    INSERT INTO entry (kind, account, key, document)
    SELECT * FROM unnest(%b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[])
    ON CONFLICT (kind, account, key) DO UPDATE SET document = excluded.document
"""


def after(
    place: Place | None, kind: str | None, accounts: Collection[str] | None
) -> Read[tuple[list[Entry], Place | None]]:
    """The next slice of entries, and where to go on; None at the end."""
    wanted = None if kind is None else raw(kind)
    # The first place there can be: no text is shorter, and no kind is before the one that is asked for.
    start = place or Place(wanted or b"", b"", b"")
    some = None if accounts is None else [raw(each) for each in accounts]
    return Read(Statement(_AFTER if place else _FROM, (*start, wanted, wanted, some, some, SLICE)), _entries)


def _entries(rows: list[Row]) -> tuple[list[Entry], Place | None]:
    entries = [entry_at(Place(*map(bytes, where)), bytes(document)) for *where, document in rows]
    return entries, place_of(entries[-1]) if len(entries) == SLICE else None


_FROM: Final = """
    SELECT kind, account, key, document FROM entry WHERE (kind, account, key) >= (%b, %b, %b)
    AND (%b::bytea IS NULL OR kind <= %b) AND (%b::bytea[] IS NULL OR account = ANY(%b))
    ORDER BY kind, account, key LIMIT %s
"""
_AFTER: Final = _FROM.replace(">=", ">")
