"""Whether what was read is what was said: exactly, wherever it was said in the type it is read as."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from belvo_async.abc import Secret

_PLAIN: Final[Mapping[type[inspect.Type], type[object]]] = {
    inspect.StrType: str,
    inspect.IntType: int,
    inspect.BoolType: bool,
    inspect.DecimalType: Decimal,
    inspect.DateType: date,
    inspect.DateTimeType: datetime,
    inspect.RawType: msgspec.Raw,
}
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")

type_of = cache(inspect.type_info)


def wrong(said: object, found: Any, kind: inspect.Type, at: str = "$") -> Iterator[str]:
    """The places, by the vendor's names, at which something else was read than was said."""
    kinds = _members(kind)
    if found is None:
        if said is not None and fits(said, kind):
            yield f"{at} is lost"
        return
    for each in kinds:
        if isinstance(each, inspect.StructType) and isinstance(found, each.cls):
            yield from _wrong_fields(said, found, each, at)
            return
        if isinstance(each, inspect.CollectionType) and isinstance(found, tuple):
            yield from _wrong_items(said, found, each, at)
            return
        if isinstance(found, Secret):
            yield from () if not isinstance(said, str) or found.matches(said) else (f"{at} is something else",)
            return
        if isinstance(each, inspect.DictType | inspect.AnyType) or type(found) is _PLAIN.get(type(each)):
            is_number = isinstance(found, Decimal)
            if (is_number and not found.is_finite()) or (_is(said, each) and not _is_same(said, found)):
                yield f"{at} is something else"
            return
    yield f"{at} is of {type(found).__name__}"


def _wrong_fields(said: object, found: Any, kind: inspect.StructType, at: str) -> Iterator[str]:
    if not isinstance(said, dict):
        return
    for each in kind.fields:
        value, place = getattr(found, each.name), f"{at}.{each.encode_name}"
        if each.encode_name in said:
            yield from wrong(said[each.encode_name], value, each.type, place)
        elif not _is_nothing(value) and value != each.default:
            yield f"{place} was never said"


def _is_nothing(value: object) -> bool:
    return bytes(value) in (b"", b"null") if isinstance(value, msgspec.Raw) else value in (None, (), {}, msgspec.UNSET)


def _wrong_items(said: object, found: tuple[Any, ...], kind: inspect.CollectionType, at: str) -> Iterator[str]:
    if not isinstance(said, list):
        return
    if len(said) != len(found):
        yield f"{at} has {len(found)} of {len(said)}"
    for one, other in zip(said, found, strict=False):
        yield from wrong(one, other, kind.item_type, f"{at}[]")


def _members(kind: inspect.Type) -> list[inspect.Type]:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return [each for one in kind.types for each in _members(one)] if isinstance(kind, inspect.UnionType) else [kind]


def fits(said: object, kind: inspect.Type) -> bool:
    """Whether JSON is a value of a type for certain; where it only may be meant as one, nothing is asked."""
    kinds = _members(kind)
    # An object beside another type stands in for that: a reference, or a page in the place of its rows.
    plain = [each for each in kinds if not isinstance(each, inspect.StructType | inspect.NoneType)]
    return any(_is(said, each) for each in plain or kinds)


def _is(said: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType():
            return isinstance(said, str)
        case inspect.CustomType():  # a Secret
            return isinstance(said, str) and said.strip() != ""
        case inspect.BoolType():
            return isinstance(said, bool)
        case inspect.IntType():
            return type(said) is int and -(2**63) <= said < 2**63
        case inspect.DecimalType():
            number = _number(said)
            return number is not None and abs(number.adjusted()) < 100 and len(number.as_tuple().digits) < 100
        case inspect.DateType():
            return isinstance(said, str) and _DAY.fullmatch(said) is not None and said > "0001"
        case inspect.DateTimeType():
            # At both ends of time a zone may lead beyond it.
            return isinstance(said, str) and _INSTANT.fullmatch(said) is not None and "0002" < said < "9999"
        case inspect.StructType():
            return isinstance(said, dict) and len(said) > 0
        case inspect.CollectionType():
            return isinstance(said, list)
        case _:
            return isinstance(kind, inspect.RawType) and said is not None


def _number(said: object) -> Decimal | None:
    if isinstance(said, msgspec.Raw):
        return None if bytes(said)[:1] == b'"' else Decimal(bytes(said).decode())
    return Decimal(repr(said)) if isinstance(said, int | float) and not isinstance(said, bool) else None


def _literal(text: bytes) -> object:
    return json.loads(text, parse_int=str, parse_float=str)


def _is_same(said: object, found: object) -> bool:
    if isinstance(found, msgspec.Raw):
        return _literal(bytes(found)) == _literal(msgspec.json.encode(said))
    if isinstance(found, Decimal):
        return found == _number(said)
    if isinstance(found, datetime):
        meant = datetime.fromisoformat(str(said))
        # What has no zone is kept so, or is in UTC: the vendor's records say which.
        return found == meant if meant.tzinfo else found.replace(tzinfo=None) == meant
    return said == (found.isoformat() if isinstance(found, date) else found)
