"""The entries of an SQLite store. Every function runs inside a transaction of the store's thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from ...abc import Entry
from ...jobs import Job
from ..ledger import Place, entry_at, place_of, proof_entry, raw
from ..walks import SLICE


def enter(database: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Keep entries."""
    rows = [(*place_of(entry), entry.document) for entry in entries]
    database.executemany("INSERT OR REPLACE INTO entry (kind, account, key, document) VALUES (?, ?, ?, ?)", rows)


def enter_proof(database: sqlite3.Connection, job: Job) -> None:
    """Enter what a job proves that is dropped."""
    entry = proof_entry(job)
    if entry is not None:
        enter(database, [entry])


def after(
    database: sqlite3.Connection, place: Place | None, kind: str | None, accounts: Collection[str] | None
) -> tuple[list[Entry], Place | None]:
    """The next slice of entries, and where to go on; None at the end."""
    # The first place there can be: no text is shorter, and no kind is before the one that is asked for.
    start = place or Place(b"" if kind is None else raw(kind), b"", b"")
    values = {
        **start._asdict(),
        "accounts": None if accounts is None else json.dumps([raw(each).hex().upper() for each in accounts]),
        "wanted": None if kind is None else raw(kind),
        "slice": SLICE,
    }
    rows = database.execute(_AFTER if place else _FROM, values).fetchall()
    entries = [entry_at(Place(*where), document) for *where, document in rows]
    return entries, place_of(entries[-1]) if len(entries) == SLICE else None


_FROM: Final = """
    SELECT kind, account, key, document FROM entry WHERE (kind, account, key) >= (:kind, :account, :key)
    AND (:wanted IS NULL OR kind <= :wanted)
    AND (:accounts IS NULL OR hex(account) IN (SELECT value FROM json_each(:accounts)))
    ORDER BY kind, account, key LIMIT :slice
"""
_AFTER: Final = _FROM.replace(">=", ">")


def strike(database: sqlite3.Connection, account: str, kind: str, keys: Iterable[str]) -> None:
    """Drop entries."""
    rows = [(raw(kind), raw(account), raw(key)) for key in keys]
    database.executemany("DELETE FROM entry WHERE kind = ? AND account = ? AND key = ?", rows)
