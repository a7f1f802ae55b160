"""A delivery as frameworks hand it over: headers and a body in one of many shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias, cast

from ..abc import Headers

Text: TypeAlias = str | bytes
GivenHeaders: TypeAlias = (
    Headers | Mapping[str, str] | Mapping[Text, Text | Iterable[Text] | None] | Iterable[tuple[Text, Text]] | None
)
"""A mapping of names to values or lists of values, or pairs; text, or bytes as ASGI has them. None: there are none."""
GivenBody: TypeAlias = bytes | bytearray | memoryview | str
"""The raw bytes as they came; a text is taken for UTF-8."""

_HEADERS: Final = "`headers` are a mapping of names to values or pairs of both, in str or bytes; not {}"
_BODY: Final = "`body` is the raw bytes as they came, or their text: what was parsed cannot be proven; not {}"


def read_delivery(headers: object, body: object) -> tuple[Headers, bytes] | str:
    """Bring a delivery into the one shape that is verified; a sentence that says what is wanted for what is none.

    Never raises for what a stranger sent, nor holds in an error what one did.
    """
    taken = _read_headers(headers)
    if taken is None:
        return _HEADERS.format(_kind(headers))
    raw = _read_body(body)
    return _BODY.format(_kind(body)) if raw is None else (taken, raw)


def _read_body(given: object) -> bytes | None:
    if isinstance(given, bytes):
        return given
    if isinstance(given, str):
        # Any text at all: what is not UTF-8 is no delivery that could be proven.
        return given.encode("utf-8", "surrogatepass")
    try:
        return bytes(memoryview(given))  # type: ignore[arg-type]  # which asks whether it is one
    except (TypeError, BufferError):
        return None


def _read_headers(given: object) -> Headers | None:
    if isinstance(given, Headers):
        return given
    pairs = _read_pairs(given)
    return None if pairs is None else Headers(pairs)


def _read_pairs(given: object) -> list[tuple[str, str]] | None:
    if given is None:
        return []
    # Of messages and the like as well, which are no mappings: they iterate over names alone.
    items = getattr(given, "items", None)
    entries = items() if callable(items) else given
    if isinstance(entries, str | bytes) or not isinstance(entries, Iterable):
        return None
    pairs: list[tuple[str, str]] = []
    for entry in cast("Iterable[object]", entries):
        if not isinstance(entry, (tuple, list)) or len(cast("list[object]", entry)) != 2:
            return None
        name, value = cast("tuple[object, object]", entry)
        if isinstance(name, str) and isinstance(value, str):  # as nearly all come
            pairs.append((name, value))
            continue
        values = list(_values(value))
        if not isinstance(name, str | bytes) or not all(isinstance(each, str | bytes) for each in values):
            return None
        pairs += ((_text(name), _text(cast("Text", each))) for each in values)
    return pairs


def _values(given: object) -> Iterator[object]:
    if isinstance(given, list | tuple):
        yield from cast("list[object]", given)
    elif given is not None:
        yield given


def _text(given: Text) -> str:
    return given if isinstance(given, str) else given.decode("latin-1")


def _kind(given: object) -> str:
    return f"of type {type(given).__name__}"
