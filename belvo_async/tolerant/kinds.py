"""What msgspec knows of a type, turned back into types to decode into."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Mapping
from enum import Flag, auto
from typing import Annotated, Any, Final, Literal, Union, cast

import msgspec
from msgspec import inspect

OBJECTS: Final = (inspect.StructType, inspect.DataclassType, inspect.TypedDictType, inspect.NamedTupleType)
"""Types with named fields."""

ANYTHING: Final = inspect.AnyType()


class Scalar(Flag):
    """Which readings of a text, a number or a flag a type may take."""

    NONE = 0
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    DAY = auto()
    INSTANT = auto()
    OTHER = auto()


_SIMPLE: Final[Mapping[type[inspect.Type], Any]] = {
    inspect.AnyType: Any,
    inspect.NoneType: None,
    inspect.BoolType: bool,
    inspect.DateType: datetime.date,
    inspect.TimeDeltaType: datetime.timedelta,
    inspect.UUIDType: uuid.UUID,
    inspect.DecimalType: decimal.Decimal,
    inspect.RawType: msgspec.Raw,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.BytesType: bytes,
    inspect.ByteArrayType: bytearray,
    inspect.DateTimeType: datetime.datetime,
    inspect.TimeType: datetime.time,
}
_MANY: Final[Mapping[type[inspect.Type], Callable[[Any], Any]]] = {
    inspect.ListType: list.__class_getitem__,
    inspect.VarTupleType: lambda item: tuple.__class_getitem__((item, ...)),
    inspect.SetType: set.__class_getitem__,
    inspect.FrozenSetType: frozenset.__class_getitem__,
}
_SCALARS: Final[Mapping[type[inspect.Type], Scalar]] = {
    inspect.StrType: Scalar.TEXT,
    inspect.UUIDType: Scalar.OTHER,
    inspect.IntType: Scalar.NUMBER,
    inspect.FloatType: Scalar.NUMBER,
    inspect.DecimalType: Scalar.NUMBER,
    inspect.BoolType: Scalar.FLAG,
    inspect.DateType: Scalar.DAY,
    inspect.DateTimeType: Scalar.INSTANT,
    inspect.TimeType: Scalar.OTHER,
    inspect.TimeDeltaType: Scalar.OTHER,
    inspect.BytesType: Scalar.OTHER,
    inspect.ByteArrayType: Scalar.OTHER,
}


def bare(kind: inspect.Type) -> inspect.Type:
    """The type itself, without the title, description or examples that it was annotated with."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    # A plain `object` is anything, to the decoder as to us.
    return ANYTHING if isinstance(kind, inspect.CustomType) and kind.cls is object else kind


def members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """The types a value may be of: one, or those of a union."""
    kind = bare(kind)
    return tuple(map(bare, kind.types)) if isinstance(kind, inspect.UnionType) else (kind,)


def scalars(kinds: tuple[inspect.Type, ...]) -> Scalar:
    """Which readings these types take together."""
    found = Scalar.NONE
    for kind in kinds:
        if isinstance(kind, inspect.EnumType | inspect.LiteralType):
            values = kind.values if isinstance(kind, inspect.LiteralType) else [each.value for each in kind.cls]
            found |= Scalar.TEXT if any(isinstance(each, str) for each in values) else Scalar.NONE
            found |= Scalar.NUMBER if any(type(each) is int for each in values) else Scalar.NONE
            found |= Scalar.FLAG if any(isinstance(each, bool) for each in values) else Scalar.NONE
        else:
            found |= _SCALARS.get(type(kind), Scalar.NONE)
    return found


def annotation(kind: inspect.Type) -> Any:
    """The type that an inspected one stands for. Raises TypeError for one that no reading is known for."""
    kind = bare(kind)
    if type(kind) in _SIMPLE:
        return _bound(_SIMPLE[type(kind)], kind)
    if isinstance(kind, inspect.UnionType):
        return Union[tuple(annotation(each) for each in kind.types)]  # noqa: UP007 - made of many
    if type(kind) in _MANY:
        held = cast("inspect.CollectionType", kind)
        return _bound(_MANY[type(kind)](annotation(held.item_type)), kind)
    if isinstance(kind, inspect.TupleType):
        return tuple[tuple(annotation(each) for each in kind.item_types)]  # type: ignore[misc] # made of many
    if isinstance(kind, inspect.DictType):
        return _bound(dict[annotation(kind.key_type), annotation(kind.value_type)], kind)  # type: ignore[misc]
    if isinstance(kind, inspect.LiteralType):
        return Literal[kind.values]
    if isinstance(kind, (*OBJECTS, inspect.EnumType)):
        return kind.cls
    raise TypeError(f"no second reading is known for {type(kind).__name__}")


_BOUNDS: Final = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz")


def _bound(plain: Any, kind: inspect.Type) -> Any:
    given = {name: getattr(kind, name, None) for name in _BOUNDS}
    given = {name: value for name, value in given.items() if value is not None}
    return Annotated[plain, msgspec.Meta(**given)] if given else plain
