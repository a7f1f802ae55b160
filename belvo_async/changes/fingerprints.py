"""What is kept of a record: a short keyed digest for each of its fields, and nothing of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from .normal import normal

# One change of a field in 2^32 goes unseen. So short on purpose: of the amounts that an invoice may have, to the cent,
# many fit the same digest, so that it does not give away which it was.
WIDTH_BYTES: Final = 4
UNSAID: Final = bytes(WIDTH_BYTES)
"""Of a field of which nothing is known: whatever it says first is learned, and is no change."""
EMPTY: Final = (1).to_bytes(WIDTH_BYTES, "big")
"""Of a field that was empty."""
# A record of more fields than this is compared whole where it is nested deeper.
_DEEPEST: Final = 4


def paths_of(record: type[Any], ignored: Collection[str]) -> tuple[str, ...]:
    """The fields of a record type that are compared, with those of records within it, as paths with dots."""
    return tuple(path for path in _all_paths(record, "", 0, frozenset(ignored)))


def _all_paths(record: Any, before: str, depth: int, ignored: frozenset[str]) -> Iterator[str]:
    kinds = _kinds_of(record)
    for name in record.__struct_fields__:
        path = f"{before}{name}"
        if name in ignored or path in ignored:
            continue
        below = _struct_of(kinds[name])
        if below is None or depth >= _DEEPEST:
            yield path
        else:
            yield from _all_paths(below, f"{path}.", depth + 1, ignored)


@cache
def _kinds_of(record: Any) -> dict[str, Any]:
    return get_type_hints(record)


def _struct_of(kind: Any) -> type[Any] | None:
    """The one record type that a field may hold, beside None."""
    parts = [each for each in get_args(kind) if each is not type(None)] if _is_union(kind) else [kind]
    only = parts[0] if len(parts) == 1 else None
    return only if isinstance(only, type) and issubclass(only, msgspec.Struct) else None


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


class Fingerprints:
    """Makes the digests of records of one type, in the order of `paths`, by a key that whoever keeps them keeps."""

    def __init__(self, record: type[Any], ignored: Collection[str], key: bytes) -> None:
        self.paths: Sequence[str] = paths_of(record, ignored)
        self._ignored = frozenset(ignored)
        self._key = key
        self._readers = [(path.encode() + b"\0", _reader(path)) for path in self.paths]

    def digests(self, record: object, record_id: str, *, is_doubtful: bool) -> bytes:
        """The digests of a record. `is_doubtful`: what is empty in it may only not have come, and says nothing."""
        # The id is in each digest: equal values of two records do not look alike.
        seed = hashlib.blake2b(record_id.encode(), key=self._key, digest_size=WIDTH_BYTES)
        empty = UNSAID if is_doubtful else EMPTY
        found: list[bytes] = []
        for prefix, read in self._readers:
            form = normal(read(record), self._ignored)
            if not form:
                found.append(empty)
                continue
            digest = seed.copy()
            digest.update(prefix)
            digest.update(form.encode("utf-8", "surrogatepass"))
            said = digest.digest()
            # The two words above are no digest's: taken by one in four thousand million.
            found.append(said if said > EMPTY else b"\xff" * WIDTH_BYTES)
        return b"".join(found)


def _reader(path: str) -> Callable[[object], object]:
    names = path.split(".")

    def read(record: object) -> object:
        for name in names:
            record = getattr(record, name, None)
        return record

    return read
