"""A quick look at the Decimals of many records: are there any to be checked one by one?

Looking for bombs in the bytes was tried first: any pass that tells an exponent from an `e` in a key or an id costs more
than the look at the decoded numbers, sees no `"\\u004eaN"`, and costs the same when hardly a field is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

from msgspec import inspect

from ..errors import PayloadError
from ..payload import MAGNITUDE_LIMIT, check_numbers
from ..tolerant import bare

# One byte in so many is looked at, and so many digits in a row make a hit.
_STRIDE: Final = 256
_ALL_DIGITS: Final = b"0" * 8
# Whatever may stand in a number or in a string that is read as one: `\u0031`, `1_000`, digits of other scripts.
_DIGITS: Final = bytes(0x30 if 0x30 <= each <= 0x39 or each in b"_\\u" or each >= 0x80 else 0x20 for each in range(256))
# Deeper records are checked by the slow way; Python compiles at most 20 nested loops.
_INLINE: Final = 6

# Magnitudes of nearly all amounts, which need no second question. NaN and infinities say 0, as numbers from 1 to 9 do.
_USUAL: Final = frozenset({*range(-8, 0), *range(1, 16)})

Check = Callable[[Iterable[Any]], bool]


@cache
def sound_check(record: Any) -> Check | None:
    """Make the look for a record type: True when every Decimal is finite and of usual magnitude. None: it has none."""
    kind = bare(inspect.type_info(record))
    if not mentions(kind, inspect.DecimalType):
        return None
    if not isinstance(kind, inspect.StructType):
        return _all_sound
    lines = ["def look(records):", " for r in records:", *_check_inside(kind, "r", 2, ()), " return True"]
    names: dict[str, Any] = {"is_sound": _is_sound, "USUAL": _USUAL}
    # A loop over the fields by their names takes twice as long, and this runs for every record.
    exec("\n".join(lines), names)  # noqa: S102 - made of field names of the record type, which are identifiers
    check: Check = names["look"]
    return check


def _check_inside(kind: inspect.StructType, name: str, depth: int, above: tuple[type, ...]) -> list[str]:
    """The statements that look at the fields of one record."""
    lines: list[str] = []
    for field in kind.fields:
        if mentions(field.type, inspect.DecimalType):
            place = f"{name}.{field.name}"
            lines += [" " * depth + line for line in _check_of(field.type, place, (*above, kind.cls))]
    return lines


def _check_of(kind: inspect.Type, place: str, above: tuple[type, ...]) -> list[str]:
    only = _without_none(kind)
    if isinstance(only, inspect.DecimalType):
        fits = f"d.is_finite() and -{MAGNITUDE_LIMIT} <= d.adjusted() <= {MAGNITUDE_LIMIT}"
        return [f"d = {place}", f"if d is not None and d.adjusted() not in USUAL and not ({fits}): return False"]
    name = f"r{len(above)}"
    array = only if isinstance(only, inspect.ListType | inspect.VarTupleType) else None
    inner = only if array is None else _without_none(array.item_type)
    if not isinstance(inner, inspect.StructType) or inner.cls in above or len(above) >= _INLINE:
        return [f"if not is_sound({place}): return False"]
    each = [f"{name} = {place}"] if array is None else [f"for {name} in {place} or ():"]
    deeper = 0 if array is None else 1
    return [*each, " " * deeper + f"if {name} is not None:", *_check_inside(inner, name, deeper + 1, above)]


def _without_none(kind: inspect.Type) -> inspect.Type:
    kind = bare(kind)
    if isinstance(kind, inspect.UnionType):
        others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return bare(others[0]) if len(others) == 1 else kind
    return kind


def _is_sound(value: object) -> bool:
    try:
        check_numbers(value)
    except PayloadError:
        return False
    return True


def _all_sound(records: Iterable[object]) -> bool:
    return all(map(_is_sound, records))


def may_hold_long_number(text: bytearray, size: int) -> bool:
    """Whether the front of a text holds a run of some 2,000 digits: one byte in 256 is looked at."""
    glance = text[:size:_STRIDE].translate(_DIGITS)
    at = glance.find(_ALL_DIGITS)
    while at >= 0:
        # Short numbers may stand in step with the stride.
        if not text[at * _STRIDE : (at + len(_ALL_DIGITS) - 1) * _STRIDE].translate(_DIGITS).strip(b"0"):
            return True
        at = glance.find(_ALL_DIGITS, at + 1)
    return False


def mentions(kind: inspect.Type, wanted: type[inspect.Type], above: tuple[type, ...] = ()) -> bool:
    """Whether values of a type can hold values of another, at any depth."""
    kind = bare(kind)
    if isinstance(kind, wanted):
        return True
    if isinstance(kind, _RECORDS):
        inside = () if kind.cls in above else [field.type for field in kind.fields]
        return any(mentions(each, wanted, (*above, kind.cls)) for each in inside)
    return any(mentions(each, wanted, above) for each in _parts(kind))


_RECORDS = inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType


def _parts(kind: inspect.Type) -> Sequence[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        return kind.types
    if isinstance(kind, inspect.CollectionType):
        return (kind.item_type,)
    if isinstance(kind, inspect.TupleType):
        return kind.item_types
    # Mappings: newer releases of msgspec have a second one.
    return [part for part in (getattr(kind, "key_type", None), getattr(kind, "value_type", None)) if part is not None]
