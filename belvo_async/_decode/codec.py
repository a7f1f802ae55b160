"""Rows of JSON become records of the wanted type."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from types import GenericAlias
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

from ..abc import Shape
from ..errors import PayloadError
from ..payload import check_numbers, rethrow
from ..tolerant import UNFIT, Reread, Told, bare, exact, rereader
from .numbers import may_hold_long_number, mentions, sound_check

R = TypeVar("R")


class Odd(NamedTuple):
    """A row that did not fit and was read tolerantly: its number in the page, and what could not be read of it.

    `place` is where its record stands in the batch; None for a row that gave none. `row` is what the shape's functions
    look at, `unread` the attributes of it that are None for that reason, as paths like `taxpayer.id`.
    """

    number: int
    place: int | None
    told: Sequence[Told]
    row: Any = None
    unread: frozenset[str] = frozenset()


class Batch(NamedTuple, Generic[R]):
    """Records that stood side by side in a page, in its order. Never empty where the reader yields one."""

    records: Sequence[R]
    """The rows as the type that was asked for."""
    seen: Sequence[Any]
    """The same rows as what `keep`, `record_id` and `remark` of the shape look at; often the records themselves."""
    odd: Sequence[Odd] = ()
    """Those among them that were read tolerantly."""


class RecordCodec(Generic[R]):
    """Decodes rows into the caller's type, and where it is not the shape's own, into the shape's guard besides.

    With `strict`, a row that does not fit is refused; otherwise it is read a second time, tolerantly.
    """

    def __init__(self, shape: Shape[Any], record: type[R] | None, *, strict: bool = False) -> None:
        own = record is None or record is shape.record
        self._wanted = _codec(cast("Hashable", shape.record if own else record))  # mypy does not see that types hash
        watched = shape.keep is not None or shape.record_id is not None or shape.remark is not None
        self._guard = _codec(cast("Hashable", shape.guard or shape.record)) if watched and not own else None
        self._record_id = shape.record_id if shape.has_ids else None
        self.is_strict = strict

    def many(self, text: bytearray, size: int) -> Batch[R]:
        """Decode the array that the first `size` bytes hold. Raises one of UNFIT."""
        records = self._wanted.many(text, size)
        return Batch(records, records if self._guard is None else self._guard.many(text, size))

    def one(self, row: memoryview, *, at: str, number: int, offset: int) -> Batch[R]:
        """Decode one row. Raises PayloadError; `at` is its path, `offset` its place in the body.

        The batch is empty, and holds only what is odd, for a null that stands where a row should.
        """
        try:
            record = self._wanted.one(row)
            return Batch((record,), (record if self._guard is None else self._guard.one(row),))
        except PayloadError as error:
            failure = PayloadError(error.reason, path=at + error.path[1:])
        except UNFIT as error:
            failure = rethrow(error, at=at, offset=offset)
        if not self.is_strict:
            batch = self._again(bytes(row).strip(), at, number, failure)
            if isinstance(batch, Batch):
                return batch
            failure = batch
        # Raised out here, the decoder's exception, which may hold the input, is not kept as the context.
        raise failure

    def _again(self, row: bytes, at: str, number: int, failure: PayloadError) -> Batch[R] | PayloadError:
        """Read a row tolerantly, or say why it cannot be: it is no JSON, or its id is not there."""
        if row == b"null":
            return Batch((), (), (Odd(number, None, (Told.of(at, row),)),))
        try:
            wanted = self._wanted.again(row, at)
            seen = wanted if self._guard is None else self._guard.again(row, at)
        except PayloadError as error:
            # A traceback would keep this frame, and with it the row.
            return error.with_traceback(None)
        if wanted is None or seen is None:
            return failure
        if self._record_id is not None and self._record_id(seen.value) is None:
            return PayloadError("a row without its id", path=at)
        paths = {each.place.path for each in wanted.told}
        told = [*wanted.told, *(each for each in seen.told if each.place.path not in paths)]
        unread = frozenset(each.place.attribute for each in seen.told)
        return Batch((wanted.value,), (seen.value,), (Odd(number, 0, told, seen.value, unread),) if told else ())


class _Decoders:
    """The decoders of one type."""

    def __init__(self, record: Any) -> None:
        kind = bare(inspect.type_info(record))
        self._record = record
        self._is_raw = isinstance(kind, inspect.RawType)
        self._holds_raw = not self._is_raw and mentions(kind, inspect.RawType)
        self._check = sound_check(record)
        # Where the type says nothing of a number, it is exact all the same.
        self._one = msgspec.json.Decoder(record, float_hook=exact)
        self._many: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
            cast("type[list[Any]]", GenericAlias(list, record)), float_hook=exact
        )

    def many(self, text: bytearray, size: int) -> list[Any]:
        records = self._decode(text, size)
        check = self._check
        if check is not None and (may_hold_long_number(text, size) or not check(records)):
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
        if self._check is not None:
            check_numbers(record)
        return record

    def again(self, row: bytes, at: str) -> Reread[Any] | None:
        """The record of a row that may not fit; None when nothing can be made of it. Raises PayloadError."""
        try:
            return Reread(self.one(memoryview(row)), ())
        except UNFIT:
            pass
        tolerant = rereader(self._record)
        return None if tolerant is None else tolerant.reread(row, at)


@cache
def _codec(record: Any) -> _Decoders:
    return _Decoders(record)
