"""What rows are to be decoded into. What is wrong with the caller's type is told before a byte is sent."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from msgspec import inspect

from ...abc import Shape
from ...errors import TaskError
from ...tolerant import bare

_Record: TypeAlias = inspect.StructType | inspect.DataclassType | inspect.TypedDictType
# What a row, which is an object, can be decoded into; any of a union will do.
_ROWS: Final = (*_Record.__args__, inspect.DictType, inspect.AnyType, inspect.RawType)


def check_record(shape: Shape[object], record: object) -> None:
    """Raise TaskError for a type that no row can become, or whose fields have other names than those of the rows."""
    fault = _fault(cast("Hashable", shape.record), record) if isinstance(record, Hashable) else "a value is no type"
    if fault is not None:
        raise TaskError(f"`type`: {fault}", field="type")


@lru_cache(maxsize=256)
def _fault(own: Hashable, record: Hashable) -> str | None:
    try:
        kind = bare(inspect.type_info(record))
    except (TypeError, ValueError, RecursionError) as error:
        # msgspec's own words, about the type alone: say which two structs of a union it cannot tell apart.
        return f"msgspec cannot decode into it ({str(error).partition(chr(10))[0]})"
    strange = next(_strangers(kind, ()), None)
    if strange is not None:
        return f"msgspec does not know how to decode into {_name(strange)}; {_advice(strange)}"
    if not any(isinstance(each, _ROWS) and not _is_array(each) for each in _choices(kind)):
        return f"a row is an object, and {_name(record)} holds none; take a msgspec.Struct, a TypedDict or dict"
    return next(_misnamed(kind, bare(inspect.type_info(own)), ()), None)


def _strangers(kind: inspect.Type, above: tuple[object, ...]) -> Iterator[type]:
    """The classes within a type that msgspec does not know."""
    kind = bare(kind)
    if isinstance(kind, inspect.CustomType):
        yield kind.cls
    elif isinstance(kind, _Record | inspect.NamedTupleType):
        if kind.cls not in above:
            for field in kind.fields:
                yield from _strangers(field.type, (*above, kind.cls))
    else:
        for each in _inside(kind):
            yield from _strangers(each, above)


def _inside(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        return list(kind.types)
    if isinstance(kind, inspect.TupleType):
        return list(kind.item_types)
    # Mappings: newer releases of msgspec have a second one.
    parts = [getattr(kind, name, None) for name in ("item_type", "key_type", "value_type")]
    return [part for part in parts if isinstance(part, inspect.Type)]


def _misnamed(mine: inspect.Type, theirs: inspect.Type, above: tuple[object, ...]) -> Iterator[str]:
    """What is wrong with the names of a type's fields, at any depth the rows are known to."""
    mine, theirs = _only(mine), _only(theirs)
    if not isinstance(mine, _Record) or not isinstance(theirs, inspect.StructType) or mine.cls in above:
        return
    known = {field.encode_name: field for field in theirs.fields}
    by_letters = {_letters(name): name for name in known}
    for field in mine.fields:
        name = field.encode_name
        meant = by_letters.get(_letters(name))
        if name in known:
            yield from _misnamed(field.type, known[name].type, (*above, mine.cls))
        elif meant is not None:
            text = f"{_name(mine.cls)} has a field `{name}`, which the rows call `{meant}`"
            yield f"{text}; {_renaming(mine, name, meant)}"
        elif field.required:
            text = f"{_name(mine.cls)} wants a field `{name}`, which the rows are not known to have"
            yield f"{text}; give it a default if some do"
    names = {field.encode_name for field in mine.fields}
    if isinstance(mine, inspect.StructType) and mine.forbid_unknown_fields and not known.keys() <= names:
        yield f"{_name(mine.cls)} forbids unknown fields, and the rows have more than its own"


def _renaming(mine: _Record, name: str, meant: str) -> str:
    if not isinstance(mine, inspect.StructType):
        return f"call it `{meant}`, or take a msgspec.Struct, which can rename its fields"
    if re.sub("_+([a-z0-9])", lambda found: found[1].upper(), name) == meant:
        return f'write `class {mine.cls.__name__}(msgspec.Struct, rename="camel")`'
    return f'call it `{meant}`, or write `msgspec.field(name="{meant}")`'


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _only(kind: inspect.Type) -> inspect.Type:
    """The one record type within an optional value or a list."""
    kind = bare(kind)
    if isinstance(kind, inspect.CollectionType):
        return _only(kind.item_type)
    found = [each for each in _choices(kind) if not isinstance(each, inspect.NoneType)]
    return _only(found[0]) if len(found) == 1 and found[0] is not kind else kind


def _choices(kind: inspect.Type) -> list[inspect.Type]:
    return [bare(each) for each in kind.types] if isinstance(kind, inspect.UnionType) else [kind]


def _is_array(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.StructType) and kind.array_like


def _advice(cls: type) -> str:
    if hasattr(cls, "model_validate"):  # pydantic's word; it need not be installed
        return f"read with `type=dict` and make one of each row: `{cls.__name__}.model_validate(row)`"
    return "take a msgspec.Struct, a dataclass, a TypedDict or dict"


def _name(given: object) -> str:
    return given.__name__ if isinstance(given, type) else str(cast("Any", given))
