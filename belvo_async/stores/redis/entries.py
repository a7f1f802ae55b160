"""Entries as the scripts of the Redis store know them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ...abc import Entry
from ..ledger import Place, entry_at, place_of, raw


def packed(entries: Iterable[Entry]) -> bytes:
    """Places and documents in turn, each after its length."""
    parts = (part for entry in entries for part in (member(place_of(entry)), entry.document))
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def member(place: Place) -> bytes:
    """Write a place as one text whose bytes sort as places do: a kind or account ends with a zero, which none holds."""
    return b"%b\0%b\0%b" % (_escaped(place.kind), _escaped(place.account), place.key)


def read_entries(found: list[bytes]) -> list[Entry]:
    """Read places and documents in turn."""
    return [entry_at(_place(each), document) for each, document in zip(found[::2], found[1::2], strict=True)]


def ranges(kind: str | None, accounts: Collection[str] | None, after: Place | None) -> Iterator[tuple[bytes, bytes]]:
    """From where to where the entries of a kind and of some accounts stand, in their order, after a place."""
    for begin, end in _all_ranges(kind, accounts):
        if after is None or member(after) < begin:
            yield b"[" + begin, b"(" + end
        elif member(after) < end:
            yield b"(" + member(after), b"(" + end


def _all_ranges(kind: str | None, accounts: Collection[str] | None) -> Iterator[tuple[bytes, bytes]]:
    if kind is None:
        yield b"", b"\xff"
        return
    start = _escaped(raw(kind))
    if accounts is None:
        yield start + b"\0", start + b"\1"
        return
    for account in sorted(_escaped(raw(each)) for each in set(accounts)):
        yield b"%b\0%b\0" % (start, account), b"%b\0%b\1" % (start, account)


def _place(text: bytes) -> Place:
    kind, account, key = text.split(b"\0", 2)
    return Place(_unescaped(kind), _unescaped(account), key)


def _escaped(text: bytes) -> bytes:
    return text.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")


def _unescaped(text: bytes) -> bytes:
    return text.replace(b"\1\1", b"\0").replace(b"\1\2", b"\1")
