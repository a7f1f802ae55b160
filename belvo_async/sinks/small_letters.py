"""UUIDs in small letters, and names in snake_case: rows as they are written, made of rows as they were read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter, methodcaller
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import force_setattr

from .columns import Column, ColumnKind, columns_of, open_text, walk

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UUID_LENGTH: Final = 36
_COPY: Final = methodcaller("__copy__")


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, in whatever letters."""
    return len(text) == _UUID_LENGTH and _UUID.fullmatch(text) is not None


def small(text: str | None) -> str | None:
    """A UUID in small letters; any other text as it is."""
    return text.lower() if text is not None and is_uuid(text) else text


class _Change(NamedTuple):
    """What may have to be changed in records of a type: their UUIDs, what lies below, content that is no JSON line."""

    uuids: tuple[tuple[str, attrgetter[Any]], ...]
    records: tuple[tuple[str, attrgetter[Any], _Change], ...]
    lists: tuple[tuple[str, attrgetter[Any], _Change], ...]
    opens: tuple[tuple[str, attrgetter[Any]], ...]

    @property
    def is_none(self) -> bool:
        return not any(self)


def recaster(record: type) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Make what turns rows of a type into rows that msgspec encodes as they are to be written; those given stay."""
    columns = columns_of(record)
    change = _change(columns)
    if not any(each.is_renamed for each in walk(columns)):
        return lambda rows: _changed(rows, change)
    plain: Any = list[_twin(record, columns)]  # type: ignore[misc]
    return lambda rows: _changed(msgspec.convert(rows, plain, from_attributes=True), change)


@cache
def _twin(record: type, columns: tuple[Column, ...]) -> type:
    """A struct of the same fields, under their own names. Nothing is checked again."""
    fields: list[tuple[str, Any]] = [(each.name, _twin_type(each)) for each in columns]
    return msgspec.defstruct(record.__name__, fields, gc=False)


def _twin_type(column: Column) -> Any:
    if column.kind is ColumnKind.RECORD and column.record is not None:
        return _twin(column.record, column.below) | None
    if column.kind is ColumnKind.LIST and column.item is not None:
        inner = _twin_type(column.item)
        return Any if inner is Any else tuple[inner, ...] | None  # type: ignore[valid-type]  # made as it runs
    return Any


def _change(columns: Sequence[Column]) -> _Change:
    below = {each.name: _change(each.below) for each in columns if each.kind is ColumnKind.RECORD}
    items = {
        each.name: _change(each.item.below)
        for each in columns
        if each.item is not None and each.item.kind is ColumnKind.RECORD
    }
    return _Change(
        uuids=tuple((each.name, attrgetter(each.name)) for each in columns if each.is_uuid),
        records=tuple((name, attrgetter(name), each) for name, each in below.items() if not each.is_none),
        lists=tuple((name, attrgetter(name), each) for name, each in items.items() if not each.is_none),
        opens=tuple((each.name, attrgetter(each.name)) for each in columns if each.kind is ColumnKind.OPEN),
    )


def _changed(rows: Sequence[Any], change: _Change) -> Sequence[Any]:
    """The rows, with copies in place of those that are not as they are to be written; column by column, for speed."""
    new: dict[str, Sequence[object]] = {}
    for name, get in change.uuids:
        new[name] = _small_letters(list(map(get, rows)))
    for name, get in change.opens:
        new[name] = _one_line(list(map(get, rows)))
    for name, get, below in change.records:
        new[name] = [each and each[0] for each in _below([each and (each,) for each in map(get, rows)], below)]
    for name, get, below in change.lists:
        new[name] = _below(list(map(get, rows)), below)
    some = {name: values for name, values in new.items() if values}
    if not some:
        return rows
    # Others may hold a row: what is changed is a copy.
    copies = list(map(_COPY, rows))
    for name, values in some.items():
        for each, value in zip(copies, values, strict=True):
            force_setattr(each, name, value)
    return copies


def _small_letters(texts: list[str | None]) -> Sequence[object]:
    """The column as it is to be written; () where it is already."""
    joined = "".join([each for each in texts if each])
    letters = joined.lower()
    if letters == joined:
        return ()
    if len(joined) == _UUID_LENGTH * len(texts) and _are_uuids(texts, letters):
        return list(map(str.lower, filter(None, texts)))
    return list(map(small, texts))


def _are_uuids(texts: Sequence[str | None], letters: str) -> bool:
    """Whether a whole column is UUIDs, as it nearly always is: without a look at each, by what is left of them."""
    hyphens = "".join([letters[place::_UUID_LENGTH] for place in (8, 13, 18, 23)])
    if hyphens.strip("-") or letters.count("-") != 4 * len(texts) or not letters.isascii():
        return False
    longest = max([0 if each is None else len(each) for each in texts])
    return longest == _UUID_LENGTH and not letters.encode().translate(None, b"0123456789abcdef-")


def _one_line(values: Sequence[object]) -> Sequence[object]:
    if not any(isinstance(each, msgspec.Raw) for each in values):
        return ()
    return [msgspec.Raw(open_text(each).encode()) if isinstance(each, msgspec.Raw) else each for each in values]


def _below(held: Sequence[Sequence[Any] | None], change: _Change) -> Sequence[Any]:
    """The lists as they are to be written, all their records looked at in one go; () where they are already."""
    flat = [each for items in held if items for each in items if each is not None]
    new = _changed(flat, change) if flat else flat
    if new is flat:
        return ()
    ahead = iter(new)
    return [items and tuple([None if each is None else next(ahead) for each in items]) for items in held]
