"""The other ways to write a value that say the very same, for the strict decoder of its type to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from .days import days, instants
from .kinds import Scalar
from .texts import flag, plain_number, rewrites_of_number, stripped, text_of, whole_number, written

V = TypeVar("V")


def elements_of(found: Mapping[str, V]) -> list[V] | None:
    """The elements of an array with gaps, which PHP writes as an object; None where the keys are names."""
    return list(found.values()) if all(key.isdecimal() for key in found) else None


def says_nothing(raw: bytes) -> bool:
    if raw[:1] in (b"[", b"{"):
        return not raw[1:-1].strip()
    text = text_of(raw) if raw[:1] == b'"' else None
    return raw == b"null" or (text is not None and not stripped(text))


def rewrites(raw: bytes, wanted: Scalar) -> Iterator[bytes]:
    """Every other way to write a text, a number or a flag that loses nothing, for types that take it."""
    if raw[:1] == b'"':
        text = text_of(raw)
        yield from () if text is None else _rewrites_of_text(text, wanted)
    elif raw in (b"true", b"false"):
        # A flag is no number: what is said with `false` where an amount belongs, nobody knows.
        yield written(raw.decode())
    elif wanted & (Scalar.TEXT | Scalar.NUMBER | Scalar.FLAG):
        yield from rewrites_of_number(raw)


def _rewrites_of_text(text: str, wanted: Scalar) -> Iterator[bytes]:
    core = stripped(text)
    number = plain_number(core) if wanted & Scalar.NUMBER else None
    if number is not None:
        yield number.encode()
        yield (whole_number(number) or number).encode()
    known = flag(core) if wanted & Scalar.FLAG else None
    if known is not None:
        yield known
    if wanted & Scalar.DAY:
        yield from map(written, days(core))
    if wanted & Scalar.INSTANT:
        yield from map(written, instants(core))
    if core != text:
        yield written(core)
