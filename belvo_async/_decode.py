"""A page's bytes in, typed records out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, cast

import msgspec
from msgspec import inspect

from .abc import Page, Shape
from .errors import PayloadError
from .payload import check_number, rethrow

R = TypeVar("R")

BATCH: Final = 64
# The largest page either vendor documents is 1000 records of a few KiB; the largest seen are under 10 MiB.
LIMIT_BYTES: Final = 64 * 1024 * 1024

# Leading white space looked through to see whether the body is an object or an array.
_BLANK: Final = 64

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, MemoryError, ValueError)
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ARRAY_OR_NULL: Final[msgspec.json.Decoder[list[msgspec.Raw] | None]] = msgspec.json.Decoder(list[msgspec.Raw] | None)
_TEXT: Final[msgspec.json.Decoder[str | None]] = msgspec.json.Decoder(str | None)
_COUNT: Final[msgspec.json.Decoder[int | None]] = msgspec.json.Decoder(int | None)


class PageReader(Generic[R]):
    """Reads one page: `async for batch in reader.batches(chunks)`, then `reader.page`.

    A page is held whole, up to `limit_bytes`, and its records are decoded `batch` at a time, so the first ones are out
    before the last are read and other tasks run in between; splitting while the bytes still arrive belongs behind this
    same class.
    """

    def __init__(self, shape: Shape[R], *, batch: int = BATCH, limit_bytes: int = LIMIT_BYTES) -> None:
        self._shape = shape
        self._batch = batch
        self._limit_bytes = limit_bytes
        record = cast("Hashable", shape.record)  # mypy does not see that types hash
        self._decode: Callable[[msgspec.Raw], R] = _decoder(record).decode
        self._numbers = _holds_numbers(record)
        self._page = Page()

    @property
    def page(self) -> Page:
        """What the page told beside its rows. Complete once `batches` is exhausted; `rows` counts before `keep`."""
        return self._page

    async def batches(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[R, ...]]:
        """Yield the records that `keep` lets through, in the page's order, in batches that are never empty.

        Raises PayloadError naming where the page does not fit; the records before that place are yielded first.
        """
        self._page = Page()
        body = await self._gather(chunks)
        rows, where, page = _open_page(body, self._shape)
        del body
        for start in range(0, len(rows), self._batch):
            if start:
                await asyncio.sleep(0)
            records, failure = self._read(rows[start : start + self._batch], start, where)
            if records:
                yield records
            if failure is not None:
                raise failure
        self._page = page

    async def _gather(self, chunks: AsyncIterator[bytes]) -> bytearray:
        body = bytearray()
        try:
            async for chunk in chunks:
                body += chunk
                if len(body) > self._limit_bytes:
                    raise PayloadError(f"a page of more than {self._limit_bytes} bytes")
        finally:
            # Left to the garbage collector, its clean-up would run in a task that nobody owns.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        return body

    def _read(self, rows: list[msgspec.Raw], start: int, where: str) -> tuple[tuple[R, ...], PayloadError | None]:
        """Decode rows up to the first that does not fit."""
        decode = self._decode
        numbers = self._numbers
        records: list[R] = []
        failure: PayloadError | None = None
        index = start
        try:
            for index, row in enumerate(rows, start):  # noqa: B007 - says where it stopped
                record = decode(row)
                if numbers and not _is_sound(record):
                    _check_numbers(record, "$")
                records.append(record)
        except _UNREADABLE as error:
            failure = rethrow(error, at=f"{where}[{index}]")
        except PayloadError as error:
            failure = PayloadError(error.reason, path=f"{where}[{index}]{error.path[1:]}")
        keep = self._shape.keep
        return tuple(records if keep is None else filter(keep, records)), failure


def _open_page(body: bytearray, shape: Shape[Any]) -> tuple[list[msgspec.Raw], str, Page]:
    """Split a page into its undecoded rows, the path of their array, and what stands beside them."""
    if body[:_BLANK].lstrip().startswith(b"["):
        array = _value(body, _ARRAY, "$")
        return array, "$", Page(rows=len(array))
    envelope = _value(body, _OBJECT, "$")
    key = next((name for name in shape.rows if name in envelope), None)
    if key is None:
        raise PayloadError("no rows")
    where = f"$.{key}"
    rows = _value(envelope[key], _ARRAY_OR_NULL, where) or []
    link = _first(envelope, shape.next, _TEXT)
    return rows, where, Page(next=link or None, count=_first(envelope, shape.count, _COUNT), rows=len(rows))


_V = TypeVar("_V")


def _first(
    envelope: Mapping[str, msgspec.Raw], paths: tuple[tuple[str, ...], ...], decoder: msgspec.json.Decoder[_V | None]
) -> _V | None:
    """The first value that one of the key paths leads to."""
    for path in paths:
        raw = _follow(envelope, path)
        value = None if raw is None else _value(raw, decoder, ".".join(("$", *path)))
        if value is not None:
            return value
    return None


def _follow(envelope: Mapping[str, msgspec.Raw], path: tuple[str, ...]) -> msgspec.Raw | None:
    raw = envelope.get(path[0])
    for name in path[1:]:
        if raw is None or memoryview(raw)[:1].tobytes() != b"{":
            return None
        raw = _value(raw, _OBJECT, f"$.{path[0]}").get(name)
    return raw


def _value(raw: msgspec.Raw | bytearray, decoder: msgspec.json.Decoder[_V], where: str) -> _V:
    try:
        return decoder.decode(raw)
    except _UNREADABLE as error:
        failure = rethrow(error, at=where)
    # Raised out here, the decoder's exception, which may hold the input, is not kept as the context.
    raise failure


@cache
def _decoder(record: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(record)


# Far above any amount, far below what makes a bomb of `int()` or `format()`. Only the first, cheap look: what it
# suspects, `check_number` decides.
_USUAL_DIGITS: Final = 64


def _is_sound(value: object) -> bool:
    """Whether every Decimal in a decoded value is finite and of usual size: 30 ns for each."""
    for each in _members(value):
        if each is None:
            continue
        if type(each) is Decimal:
            if not (each.is_finite() and -_USUAL_DIGITS <= each.adjusted() <= _USUAL_DIGITS):
                return False
        elif not _is_sound(each):
            return False
    return True


def _members(value: object) -> Iterable[object]:
    if isinstance(value, msgspec.Struct):
        return _number_fields(type(value)).get(value)
    if isinstance(value, list | tuple):
        return cast("Iterable[object]", value)
    return cast("Mapping[object, object]", value).values() if isinstance(value, dict) else ()


def _check_numbers(value: object, path: str) -> None:
    """Raise PayloadError with the path of the first number out of bounds."""
    if isinstance(value, Decimal):
        check_number(value, path=path)
    for place, each in zip(_places(value), _members(value), strict=False):
        _check_numbers(each, path + place)


def _places(value: object) -> Iterable[str]:
    if isinstance(value, msgspec.Struct):
        return (f".{name}" for name in _number_fields(type(value)).encoded)
    # The keys of a mapping are the vendor's data: they stay out of the path, as in msgspec's own.
    return itertools.repeat("[...]") if isinstance(value, dict) else (f"[{index}]" for index in itertools.count())


class _NumberFields:
    """The fields of a record type that may hold Decimals, at any depth."""

    def __init__(self, record: type[msgspec.Struct]) -> None:
        info = inspect.type_info(record)
        assert isinstance(info, inspect.StructType)
        fields = [field for field in info.fields if _may_hold_numbers(field.type)]
        self.encoded = tuple(field.encode_name for field in fields)
        self._names = tuple(field.name for field in fields)
        self._many: Callable[[object], tuple[object, ...]] | None = (
            attrgetter(*self._names) if len(fields) > 1 else None
        )

    def get(self, record: object) -> tuple[object, ...]:
        # An attrgetter of one name gives no tuple.
        return self._many(record) if self._many else tuple(getattr(record, name) for name in self._names)


@cache
def _number_fields(record: type[msgspec.Struct]) -> _NumberFields:
    return _NumberFields(record)


@cache
def _holds_numbers(record: Any) -> bool:
    return _may_hold_numbers(inspect.type_info(record))


def _may_hold_numbers(kind: inspect.Type) -> bool:
    """Whether values of this type can hold a Decimal. A record inside a record counts: it may be recursive."""
    if isinstance(kind, inspect.DecimalType | inspect.StructType):
        return True
    if isinstance(kind, inspect.UnionType):
        return any(map(_may_hold_numbers, kind.types))
    if isinstance(kind, inspect.CollectionType):
        return _may_hold_numbers(kind.item_type)
    if isinstance(kind, inspect.TupleType):
        return any(map(_may_hold_numbers, kind.item_types))
    return isinstance(kind, inspect.DictType) and _may_hold_numbers(kind.value_type)
