"""What a record says, as one short text: the same for the same content, whenever and by whichever job it was read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import msgspec

from ...sinks.columns import Column, ColumnKind, columns_of

_DIGEST_BYTES: Final = 16
_encode: Final = msgspec.json.Encoder().encode


def versions_of(record: type, rows: Sequence[Any], subject: str, unversioned: frozenset[str]) -> list[str]:
    """The version of each row of a subject: 32 hexadecimal digits of what it says, but for fields that say nothing.

    Fields that are None or empty do not count, so that a record type that learns a field makes no new versions.
    """
    content, begin = _content_of(record, unversioned), blake2b(f"{subject}\0".encode(), digest_size=_DIGEST_BYTES)
    found: list[str] = []
    for row in rows:
        digest = begin.copy()
        digest.update(_encode(msgspec.convert(row, content, from_attributes=True)))
        found.append(digest.hexdigest())
    return found


@cache
def _content_of(record: type, left_out: frozenset[str]) -> type[msgspec.Struct]:
    return _struct(record.__name__, columns_of(record), left_out)


def _struct(name: str, columns: Sequence[Column], left_out: frozenset[str]) -> type[msgspec.Struct]:
    fields = [_field(each, left_out) for each in columns if each.name not in left_out]
    return msgspec.defstruct(name, fields, omit_defaults=True, frozen=True)


def _field(column: Column, left_out: frozenset[str]) -> tuple[str, Any, Any]:
    if column.kind is ColumnKind.RECORD and column.below:
        return column.name, _struct(column.name, column.below, left_out) | None, None
    if column.item is not None and column.item.kind is ColumnKind.RECORD:
        item = _struct(column.name, column.item.below, left_out)
        return column.name, tuple[item | None, ...] | None, ()  # type: ignore[valid-type]
    return column.name, Any, () if column.kind is ColumnKind.LIST else None
