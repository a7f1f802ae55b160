"""Valid JSON of any record type, made of what msgspec knows of it; and any JSON in its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from belvo_async.vendors import belvo, syntage

Path = tuple[str | int, ...]


def record_types() -> list[type[msgspec.Struct]]:
    """Every record of both catalogues, the parts of records too."""
    found: dict[str, type[msgspec.Struct]] = {}
    for module, base in ((belvo, belvo.Invoice.__mro__[1]), (syntage, syntage.Issuer.__mro__[1])):
        for name in dir(module):
            each = getattr(module, name)
            if isinstance(each, type) and issubclass(each, base):
                found[f"{module.__name__.rpartition('.')[2]}.{name}"] = each
    return list(found.values())


@cache
def full_row(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """A row that holds every field, each array once."""
    row = _sample(inspect.type_info(kind))
    assert isinstance(row, dict)
    return row


_SAMPLES: dict[type[inspect.Type], Any] = {
    inspect.StrType: "Ñandú",
    inspect.IntType: 7,
    inspect.FloatType: 1.5,
    inspect.DecimalType: msgspec.Raw(b"10.50"),
    inspect.BoolType: False,
    inspect.DateType: "2025-03-14",
    inspect.DateTimeType: "2025-03-14T10:20:30Z",
    inspect.RawType: {"a": [1]},
    inspect.CustomType: "anything",
    inspect.AnyType: "anything",
}


def _sample(kind: inspect.Type, above: tuple[type, ...] = ()) -> Any:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return _sample(next(each for each in kind.types if not isinstance(each, inspect.NoneType)), above)
    if isinstance(kind, inspect.StructType):
        around = (*above, kind.cls)
        return {each.encode_name: _sample(each.type, around) for each in kind.fields if not _leads_back(each, around)}
    if isinstance(kind, inspect.CollectionType):
        return [_sample(kind.item_type, above)]
    if isinstance(kind, inspect.DictType):
        return {"2025" if isinstance(kind.key_type, inspect.IntType) else "key": _sample(kind.value_type, above)}
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    return copy.deepcopy(_SAMPLES[type(kind)])


def _leads_back(field: inspect.Field, around: tuple[type, ...]) -> bool:
    """Whether it holds a record of a type it stands in: a row has an end, be it without what would go on for ever."""
    kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
    items = (_content(each) for each in kinds)
    return any(isinstance(each, inspect.StructType) and each.cls in around for each in items)


def _content(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    return kind.item_type if isinstance(kind, inspect.CollectionType) else kind


def paths(value: object, above: Path = ()) -> Iterator[Path]:
    """Every place in a row but the row itself and its id."""
    if above and above != ("id",):
        yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from paths(each, (*above, key))


def changed(row: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """The row with another value at a place."""
    new: dict[str, Any] = dict(row)
    holder: Any = new
    for key in path[:-1]:
        holder[key] = copy.copy(holder[key])
        holder = holder[key]
    holder[path[-1]] = value
    return new


ODD = [
    *("", " ", "x", "Sí", "null", "1,234.50", "1,234", "NaN", "1e999999", "0x1", "04", "10.0", "true"),
    *("2019-12-10", "2019-12-10 00:00:00", "01/01/2017 12:00:00 T.CENTRO", "31/02/2020", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59-14:00", "0000-00-00", "/taxpayers/X", "\U0001f600", "\u0661"),
    *(0, 1, -1, 10.0, 1.5, 2**70, -(2**70), 1e300, True, False, None),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        [1],
        [1, 2],
        ["a"],
        {"a": 1},
        {"0": {"id": "x"}, "2": 5},
        {"id": {}},
        {"@id": "/x/1"},
    ),
    *(msgspec.Raw(b"1e999999"), msgspec.Raw(b"-0.0"), msgspec.Raw(b"9" * 200), msgspec.Raw(b'"\\u0000"')),
]

any_json = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
