"""What stands beside the rows of a page: the link to the next one, and the count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from ..abc import Page, Shape
from ..payload import UNREADABLE, rethrow
from ..tolerant import elements_of, text_of, whole_number

V = TypeVar("V")

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINK: Final[msgspec.json.Decoder[str | None]] = msgspec.json.Decoder(str | None)

# A list without a next page says so in one of these ways.
_NO_LINK: Final = (b"null", b'""', b"[]", b"{}", b"false")
# No list has more rows than so many digits can tell.
_MOST_DIGITS: Final = 15


def told_beside(roots: Mapping[str, bytes], shape: Shape[Any]) -> Page:
    """Read link and count from the values of a page's top level.

    The count is only advice: one that is no whole number is none. Raises PayloadError for a link that cannot be read:
    without it, rows would be missing that nobody misses.
    """
    count = next((each for path in shape.count if (each := _count(_follow(roots, path))) is not None), None)
    return Page(next=_link(roots, shape), count=count)


def _link(roots: Mapping[str, bytes], shape: Shape[Any]) -> str | None:
    for path in shape.next:
        raw = _follow(roots, path)
        if raw is not None and raw not in _NO_LINK:
            return decoded(_LINK, raw, ".".join(("$", *path)))
    return None


def _count(raw: bytes | None) -> int | None:
    text = None if raw is None else text_of(raw) if raw[:1] == b'"' else raw.decode("ascii", "replace")
    whole = whole_number(text.strip()) if text is not None and len(text) <= _MOST_DIGITS else None
    return int(whole) if whole is not None and len(whole) <= _MOST_DIGITS and not whole.startswith("-") else None


def _follow(roots: Mapping[str, bytes], path: tuple[str, ...]) -> bytes | None:
    raw = roots.get(path[0])
    for name in path[1:]:
        if raw is None or not raw.startswith(b"{"):
            return None
        inside = decoded(_OBJECT, raw, f"$.{path[0]}").get(name)
        raw = None if inside is None else bytes(inside)
    return raw


def rows_without_array(value: bytes) -> bytes | None:
    """Write as an array what stands where the rows should; None for what holds none for certain.

    Met in the field: nothing, one row by itself, and the object that PHP makes of an array with gaps.
    """
    if value[:1] == b"{":
        found = decoded(_OBJECT, value, "$")
        rows = elements_of(found)
        return b"[" + b",".join([value] if rows is None else map(bytes, rows)) + b"]"
    return b"[]" if value in _NO_LINK else None


def decoded(decoder: msgspec.json.Decoder[V], raw: bytes, path: str) -> V:
    """Decode one value, or raise PayloadError with its path."""
    try:
        return decoder.decode(raw)
    except UNREADABLE as error:
        failure = rethrow(error, at=path, offset=None)
    # Raised out here, the decoder's exception, which may hold the input, is not kept as the context.
    raise failure
