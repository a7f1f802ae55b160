"""Rows of JSON become records of the wanted type."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

from ..abc import Shape
from ..errors import PayloadError
from ..payload import UNREADABLE, check_numbers, rethrow
from .numbers import bare, may_hold_long_number, mentions, sound_look

R = TypeVar("R")

# TypeError: what cannot be hashed, such as a signaling NaN, where the type asks for a set.
UNFIT: Final = (*UNREADABLE, PayloadError, TypeError)


class Batch(NamedTuple, Generic[R]):
    """Records that stood side by side in a page, in its order. Never empty where the reader yields one."""

    records: Sequence[R]
    """The rows as the type that was asked for."""
    seen: Sequence[Any]
    """The same rows as what `keep`, `record_id` and `remark` of the shape look at; often the records themselves."""


class Records(Generic[R]):
    """Decodes rows into the caller's type, and where it is not the shape's own, into the shape's guard besides."""

    def __init__(self, shape: Shape[Any], record: type[R] | None) -> None:
        own = record is None or record is shape.record
        self._wanted = _codec(cast("Hashable", shape.record if own else record))  # mypy does not see that types hash
        watched = shape.keep is not None or shape.record_id is not None or shape.remark is not None
        self._guard = _codec(cast("Hashable", shape.guard or shape.record)) if watched and not own else None

    def many(self, text: bytearray, size: int) -> Batch[R]:
        """Decode the array that the first `size` bytes hold. Raises one of UNFIT."""
        records = self._wanted.many(text, size)
        return Batch(records, records if self._guard is None else self._guard.many(text, size))

    def one(self, row: memoryview, *, at: str, offset: int) -> Batch[R]:
        """Decode one row. Raises PayloadError; `at` is its path, `offset` its place in the body."""
        try:
            record = self._wanted.one(row)
            return Batch((record,), (record if self._guard is None else self._guard.one(row),))
        except PayloadError as error:
            failure = PayloadError(error.reason, path=at + error.path[1:])
        except UNFIT as error:
            failure = rethrow(error, at=at, offset=offset)
        # Raised out here, the decoder's exception, which may hold the input, is not kept as the context.
        raise failure


class _Codec:
    """The decoders of one type."""

    def __init__(self, record: Any) -> None:
        kind = bare(inspect.type_info(record))
        self._is_raw = isinstance(kind, inspect.RawType)
        self._holds_raw = not self._is_raw and mentions(kind, inspect.RawType)
        self._look = sound_look(record)
        self._one = msgspec.json.Decoder(record)
        self._many: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[record])

    def many(self, text: bytearray, size: int) -> list[Any]:
        records = self._decode(text, size)
        look = self._look
        if look is not None and (may_hold_long_number(text, size) or not look(records)):
            check_numbers(records)
        return records

    def _decode(self, text: bytearray, size: int) -> list[Any]:
        # A raw value is a window on what it was decoded from, and the buffer is about to be used again.
        with memoryview(text) as view, view[:size] as front:
            if self._is_raw:
                return [raw.copy() for raw in self._many.decode(front)]
            return self._many.decode(bytes(front) if self._holds_raw else front)

    def one(self, row: memoryview) -> Any:
        record = self._one.decode(bytes(row))
        if self._look is not None:
            check_numbers(record)
        return record


@cache
def _codec(record: Any) -> _Codec:
    return _Codec(record)
