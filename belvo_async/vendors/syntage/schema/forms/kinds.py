"""Whether what is asked or sent is of the kind its field is declared with, and how such a kind is called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from .....errors import TaskError
from .....payload import MAGNITUDE_LIMIT


def camel(name: str) -> str:
    """Write a name as Syntage does: `created_at` becomes `createdAt`."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def check_kind(asked: object, field: str) -> None:
    """Raise TaskError for a field whose value is none of its type."""
    asked_type: Any = type(asked)
    kind = _kinds_of(asked_type)[field]
    if not _is_of(getattr(asked, field), kind):
        raise TaskError(f"{field} must be {_describe(kind)}", field=field)


def is_instant(value: object) -> bool:
    """Whether it is a moment that has a time zone, and a place in UTC."""
    try:
        return isinstance(value, datetime) and value.tzinfo is not None and value.astimezone(UTC).year > 0
    except OverflowError:
        # The first and the last hours of the calendar do not exist in UTC.
        return False


def takes(asked_type: type[object], field: str, kind: type) -> bool:
    """Whether values of a kind are among those that a field is declared for."""
    known: Any = asked_type
    declared = _kinds_of(known)[field]
    return kind in (declared, *get_args(declared))


@cache
def _kinds_of(asked_type: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(asked_type)


def _is_of(value: object, kind: Any) -> bool:
    """Tell whether a value is exactly of a type that a field may have; an empty text or tuple says nothing."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_is_of(value, each) for each in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is tuple:
        values = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
        return values != () and all(_is_of(each, parts[0]) for each in values)
    if kind is datetime:
        return is_instant(value)
    if kind is date and isinstance(value, datetime):
        return False
    if kind is Decimal:
        # Written out, a number of another magnitude would be nothing but noughts, as many as fill the memory.
        return isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= MAGNITUDE_LIMIT
    return isinstance(value, origin or kind) and value != "" and not (kind is int and isinstance(value, bool))


_PLAIN_WORDS: Final[Mapping[object, str]] = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    date: "a date",
    datetime: "a datetime with a time zone",
    Decimal: "a finite Decimal",
    Mapping: "a mapping",
}


def _describe(kind: Any) -> str:
    """Write a type as the end of "must be ..."."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        one, *others = [each for each in parts if each not in (NoneType, msgspec.UnsetType)]
        return " or ".join([_describe(one), *(_describe_beside(one, each) for each in others)])
    if origin is Literal:
        return f"one of {', '.join(parts)}"
    if origin is tuple:
        return f"a tuple, each {_describe(parts[0])}"
    name: str = getattr(kind, "__name__", "")
    return _PLAIN_WORDS.get(origin or kind) or f"{'an' if name[:1] in 'AEIO' else 'a'} {name}"


def _describe_beside(one: Any, other: Any) -> str:
    is_several = get_origin(other) is tuple and get_args(other)[0] == one
    return "a tuple of them" if is_several else _describe(other)
