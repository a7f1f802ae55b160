"""Examples of whatever a catalogue offers, made from type hints alone.

What a text must look like, its class knows: a TaskError names the field to mend, so words are tried until none does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from belvo_async.abc import Call, Secret
from belvo_async.errors import TaskError
from belvo_async.vendors import belvo, syntage

Given: TypeAlias = Mapping[str, object]

ID: Final = "0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"

# One that every kind of text takes stands first; the others are forms that some class insists on.
WORDS: Final = (
    ID,
    ID.replace("-", ""),
    "ZZT190415QA7",
    "sat_mx_fiscal",
    "valid",
    "healthy",
    "fiscal",
    "single",
    "store",
    "MX",
    "12h",
    "90d",
    "id",
    "/tags",
    f"/tags/{ID}",
    "invoice",
    "tax_status",
    "007",
    "01000",
    "@daily",
    "#a1b2c3",
    "--color-primary-base",
    "https://example.com/hook",
    "somebody@example.com",
)
# Of its own: what was once wrapped as a secret must show nowhere else.
SECRET_WORDS: Final = ("nevershown12",)
PLAIN: Final[Mapping[object, tuple[object, ...]]] = {
    str: WORDS,
    bytes: (b"bytes",),
    bool: (True, False),
    int: (2025, 1),
    float: (1.5,),
    Decimal: (Decimal("10.50"),),
    datetime: (datetime(2025, 3, 1, 12, tzinfo=UTC),),
    date: (date(2025, 3, 1),),
    # Anything at all may stand below a mapping of which nothing is known.
    object: ({"*": "x"},),
}
# The ways of giving structs of which one example says too little, each with the values that may be accepted.
EACH_WAY: Final[Mapping[object, tuple[tuple[object, ...], ...]]] = {
    syntage.AmountRange: (
        *((syntage.AmountRange(**{each: Decimal(1)}),) for each in syntage.AmountRange.__struct_fields__),
        (syntage.AmountRange(at_least=Decimal(1), at_most=Decimal(2)),),
    ),
    syntage.Strictly: (tuple(map(syntage.Strictly, (*PLAIN[datetime], *PLAIN[date]))),),
}
# What fields take whose type says next to nothing: words, values, or types to make one of.
WIDER: Final[Mapping[str, tuple[object, ...]]] = {
    "extractor": tuple(syntage.EXTRACTORS),
    "options": (*(kind for kind in dict.fromkeys(syntage.EXTRACTORS.values()) if kind), {"*": "x"}),
    "from_": PLAIN[date],
    "to": PLAIN[date],
    "call": (belvo.RetrieveInvoices, belvo.RetrieveTaxStatus, belvo.CreateLink),
}
# Not to be tried for ever, should a class complain of one field after another.
_LONGEST: Final = 400
_BEING_MADE: Final[list[type]] = []


def alternatives(hint: Any) -> Iterator[tuple[object, ...]]:
    """Each way of giving a field of this type, as the values that may be accepted; None is no way of giving one."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        for part in parts:
            yield from [SECRET_WORDS] if part is str and Secret in parts else alternatives(part)
    elif origin is Literal:
        yield from ((word,) for word in parts)
    elif hint in (NoneType, msgspec.UnsetType, Secret):
        return
    elif origin is tuple and parts[-1] is not ...:
        yield tuple(product(*(_values(part) for part in parts)))
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        keys = ("*",) if parts[0] is str else _values(parts[0])
        yield tuple({key: value} for key in keys for value in _values(parts[1]))
    elif isinstance(origin, type) and issubclass(origin, Collection):
        yield from (tuple((value,) for value in values) for values in alternatives(parts[0]))
    elif hint in EACH_WAY:
        yield from EACH_WAY[hint]
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in _BEING_MADE:  # what holds its own kind is made without, one level down
            _BEING_MADE.append(hint)
            made = tuple(_wholes(hint))
            _BEING_MADE.remove(hint)
            yield made
    else:
        yield PLAIN.get(hint, ())


def _wholes(*given: object) -> Iterator[object]:
    for each in given:
        value = whole(each) if isinstance(each, type) else each
        if value is not None:
            yield value


def _values(hint: Any) -> tuple[object, ...]:
    return tuple(value for values in alternatives(hint) for value in values)


@cache
def ways(kind: type[msgspec.Struct]) -> Mapping[str, tuple[tuple[object, ...], ...]]:
    """The ways of giving each field of a type."""
    hints = get_type_hints(kind)
    found = {name: tuple(alternatives(hints[name])) for name in kind.__struct_fields__}
    vague = [
        name for name in WIDER if name in found and (hints[name] in (object, str) or get_origin(hints[name]) is Call)
    ]
    return found | {name: tuple((value,) for value in _wholes(*WIDER[name])) for name in vague}


def make(kind: type[msgspec.Struct], given: Given) -> msgspec.Struct | None:
    """Make one with these fields, and whatever else it insists on; None where it will not have them."""
    needed = [each.name for each in msgspec.structs.fields(kind) if each.required and each.name not in given]
    tries: dict[str, Iterator[object]] = {}
    chosen: dict[str, object] = {}

    def choose(name: str) -> bool:
        tries.setdefault(name, iter([value for values in ways(kind)[name] for value in values]))
        chosen[name] = next(tries[name], tries)
        return chosen[name] is not tries

    if not all(map(choose, needed)):
        return None
    for _ in range(_LONGEST):
        try:
            return kind(**chosen, **given)
        except TaskError as error:
            field = error.field.partition(".")[0]
        if field in given or field not in kind.__struct_fields__ or not choose(field):
            return None
    return None


def whole(kind: type[msgspec.Struct]) -> msgspec.Struct | None:
    """One of a type with as many of its fields as it takes at once."""
    given: dict[str, object] = {}
    for name, values in ways(kind).items():
        for value in (each for way in values for each in way):
            if make(kind, {**given, name: value}) is not None:
                given[name] = value
                break
    return make(kind, given)
