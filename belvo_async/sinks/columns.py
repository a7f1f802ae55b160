"""Which columns a record type has: read from the type, once, before a row has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import msgspec
from msgspec import inspect

from ..errors import ConfigurationError


class ColumnKind(StrEnum):
    """What the values of a column are, besides None."""

    TEXT = "text"
    DECIMAL = "decimal"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    RECORD = "record"
    LIST = "list"
    # Content without a shape: JSON as it came, mappings, values of several types. Written as text.
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field, under its name in Python: snake_case whatever the vendor calls it.

    Of a record, `below` are its fields and `record` its type; of a list, `item` is what it holds. `is_uuid`: a value
    that is a UUID is written in small letters.
    """

    name: str
    kind: ColumnKind
    is_uuid: bool = False
    is_renamed: bool = False
    record: type | None = None
    below: tuple[Column, ...] = ()
    item: Column | None = None


_PLAIN: Final[tuple[tuple[type[inspect.Type], ColumnKind], ...]] = (
    (inspect.StrType, ColumnKind.TEXT),
    (inspect.DecimalType, ColumnKind.DECIMAL),
    (inspect.BoolType, ColumnKind.BOOLEAN),
    (inspect.IntType, ColumnKind.INTEGER),
    (inspect.FloatType, ColumnKind.FLOAT),
    (inspect.DateTimeType, ColumnKind.INSTANT),
    (inspect.DateType, ColumnKind.DATE),
)


@cache
def columns_of(record: type) -> tuple[Column, ...]:
    """The columns of a record type, in the order of its fields. ConfigurationError for what is no msgspec.Struct."""
    found = inspect.type_info(record)
    if not isinstance(found, inspect.StructType):
        raise ConfigurationError(f"a sink writes records of a msgspec.Struct, and {record.__name__} is none")
    return tuple(_column(field, (record,)) for field in found.fields)


def _column(field: inspect.Field, above: tuple[type, ...]) -> Column:
    return _of(field.type, field.name, above, is_renamed=field.name != field.encode_name)


def _of(kind: inspect.Type, name: str, above: tuple[type, ...], *, is_renamed: bool = False) -> Column:
    kind = _bare(kind)
    if isinstance(kind, inspect.StructType) and kind.cls not in above:
        below = tuple(_column(field, (*above, kind.cls)) for field in kind.fields)
        return Column(name=name, kind=ColumnKind.RECORD, is_renamed=is_renamed, record=kind.cls, below=below)
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        item = _of(kind.item_type, name, above)
        return Column(name=name, kind=ColumnKind.LIST, is_renamed=is_renamed, item=item)
    plain = next((each for known, each in _PLAIN if isinstance(kind, known)), ColumnKind.OPEN)
    return Column(name=name, kind=plain, is_uuid=plain is ColumnKind.TEXT and _may_be_uuid(name), is_renamed=is_renamed)


def _bare(kind: inspect.Type) -> inspect.Type:
    """The one type of an optional value; a union of several stays one."""
    if isinstance(kind, inspect.Metadata):
        return _bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        some = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return _bare(some[0]) if len(some) == 1 else kind
    return kind


def _may_be_uuid(name: str) -> bool:
    # Ids and fiscal folios, which sources spell in capitals or not: joins by them broke in three code bases.
    return name in {"id", "uuid"} or name.endswith(("_uuid", "invoice_identification"))


def walk(columns: tuple[Column, ...]) -> Iterator[Column]:
    """Every column, at any depth."""
    for each in columns:
        yield each
        yield from walk(each.below)
        if each.item is not None:
            yield from walk((each.item,))


@cache
def id_fields(record: type) -> tuple[str, ...]:
    """The fields that may hold a row's id, the first that has a value does; () where rows have none."""
    names = {each.name for each in columns_of(record)}
    return tuple(each for each in ("uuid", "id") if each in names)


def open_text(value: object) -> str:
    """Content without a shape, as text: a text as it stands, all else as JSON on one line, its numbers as they came."""
    if isinstance(value, str):
        return value
    text = bytes(value) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
    return msgspec.json.format(text, indent=-1).decode()
