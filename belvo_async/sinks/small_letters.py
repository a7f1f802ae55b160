"""UUIDs in small letters, and names in snake_case: rows as they are written, made of rows as they were read."""

from __future__ import annotations

import re
from binascii import unhexlify
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain, compress, islice, repeat, starmap
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec
from msgspec.structs import astuple, force_setattr

from .columns import Column, ColumnKind, columns_of, open_text

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UUID_LENGTH: Final = 36

Values = tuple[Any, ...]
"""What a row holds, in the order of its fields. Got at once, since asking a row field by field takes thrice as long."""


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, in whatever letters."""
    return len(text) == _UUID_LENGTH and _UUID.fullmatch(text) is not None


def uuid_bytes(lines: bytes, count: int) -> bytes | None:
    """The 16 bytes each of so many lines, if all are UUIDs, as a column of ids nearly always is: no look at each."""
    step = _UUID_LENGTH + 1
    digits = lines.translate(None, b"-\n")
    if len(lines) != step * count - 1 or len(digits) != 32 * count:
        return None
    marks = b"".join([lines[place::step] for place in (8, 13, 18, 23)])
    if marks.strip(b"-") or lines[_UUID_LENGTH::step].strip(b"\n"):
        return None
    try:
        return unhexlify(digits)
    except ValueError:
        return None


def small(text: str) -> str:
    """A UUID in small letters; any other text as it is."""
    return text.lower() if is_uuid(text) else text


def values_of(rows: Iterable[Any]) -> list[Values]:
    """What rows hold."""
    return list(map(astuple, rows))


def positions(record: type) -> dict[str, int]:
    """Where in its values a record type has which field."""
    return {name: position for position, name in enumerate(cast("type[msgspec.Struct]", record).__struct_fields__)}


class Recast(Protocol):
    """Turns rows of a type, whose values are given too, into rows that msgspec encodes as they are to be written."""

    def __call__(self, rows: Sequence[Any], values: Sequence[Values]) -> Sequence[Any]: ...


# Gives what is to be written in place of what is there; () where it is already as it is to be.
_Change = Callable[[list[Any]], Sequence[Any]]


class _Columnwise(NamedTuple):
    """Rows of one type, changed column by column: all that is done a row is done by a loop of C."""

    twin: Callable[..., Any]
    is_otherwise: bool
    changes: tuple[tuple[str, itemgetter[Any], _Change], ...]

    @property
    def is_none(self) -> bool:
        return not self.is_otherwise and not self.changes

    def __call__(self, rows: Sequence[Any], values: Sequence[Values]) -> Sequence[Any]:
        # Others may hold a row, and what it holds: what is written are structs of our own.
        made = list(starmap(self.twin, values)) if self.is_otherwise else []
        for name, get, change in self.changes:
            column = list(map(get, values))
            # Most columns of lists are nearly empty: only what is there is looked at.
            there: list[Any] = column if all(column) else list(filter(None, column))
            new = change(there) if there else ()
            if new:
                made = made or list(starmap(self.twin, values))
                changed = made if there is column else compress(made, column)
                deque(map(force_setattr, changed, repeat(name), new), maxlen=0)
        return made or rows


@cache
def recaster(record: type) -> Recast:
    """Make what recasts rows of a type; those given stay as they are."""
    return _columnwise(record, columns_of(record))


def _columnwise(record: type, columns: Sequence[Column]) -> _Columnwise:
    changes = ((each.name, _change(each)) for each in columns)
    places = positions(record)
    return _Columnwise(
        # Of the same fields, under their own names. Nothing is checked again.
        twin=msgspec.defstruct(record.__name__, [(name, Any) for name in places], gc=False),
        is_otherwise=_is_otherwise(record, columns),
        changes=tuple((name, itemgetter(places[name]), change) for name, change in changes if change is not None),
    )


def _is_otherwise(record: type, columns: Sequence[Column]) -> bool:
    """Whether msgspec would not write a record as an object of all its fields, under their names."""
    config = cast("type[msgspec.Struct]", record).__struct_config__
    is_other = config.omit_defaults or config.array_like or config.tag is not None
    return is_other or any(each.is_renamed for each in columns)


def _change(column: Column) -> _Change | None:
    if column.is_uuid:
        return _small_letters
    if column.kind is ColumnKind.OPEN:
        return _one_line
    if column.kind is ColumnKind.RECORD:
        below = _below(column)
        return None if below.is_none else lambda held: _records(held, below)
    if column.item is not None and column.item.kind is ColumnKind.RECORD:
        items = _below(column.item)
        return None if items.is_none else lambda held: _lists(held, items)
    if column.item is not None and column.item.kind is ColumnKind.OPEN:
        return _open_lists
    return None


def _below(column: Column) -> _Columnwise:
    assert column.record is not None
    return _columnwise(column.record, column.below)


def _small_letters(texts: list[str]) -> Sequence[str]:
    lines = "\n".join(texts).encode()
    letters = lines.lower()
    if letters == lines:
        return ()
    return letters.decode().split("\n") if uuid_bytes(letters, len(texts)) else list(map(small, texts))


def _one_line(values: list[Any]) -> Sequence[Any]:
    if msgspec.Raw not in set(map(type, values)):
        return ()
    return [msgspec.Raw(open_text(each).encode()) if isinstance(each, msgspec.Raw) else each for each in values]


def _open_lists(held: list[Sequence[Any]]) -> Sequence[Any]:
    """The values of all lists in one go."""
    new = _one_line([*chain.from_iterable(held)])
    ahead = iter(new)
    return [tuple(islice(ahead, len(items))) for items in held] if new else ()


def _records(held: list[Any], recast: _Columnwise) -> Sequence[Any]:
    new = recast(held, values_of(held))
    return () if new is held else new


def _lists(held: list[Sequence[Any]], recast: _Columnwise) -> Sequence[Any]:
    """The records of all lists in one go."""
    some = [each for each in chain.from_iterable(held) if each is not None]
    new = recast(some, values_of(some))
    if new is some:
        return ()
    ahead = iter(new)
    return [tuple([None if each is None else next(ahead) for each in items]) for items in held]
