"""A body as a whole: an array of rows, or an object that holds one beside the link to the next page and the count."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec

from ..abc import Page, Shape
from ..errors import PayloadError
from ..payload import PAGE, UNREADABLE, is_markup, rethrow
from .buffer import Buffer
from .codec import Batch, RecordCodec
from .pagination import decoded, rows_without_array, told_beside
from .scanner import open_scanner
from .splitter import WHOLE_TARGETS, Splitter

R = TypeVar("R")

# A page of this size is waited for whole, and what stands behind its rows is read before they are.
PEEK_BYTES: Final = 1024 * 1024

_ARRAY_MARK, _OBJECT_MARK, _OBJECT_END, _STRING_MARK, _COLON, _COMMA = b'[{}":,'
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_KEY: Final = msgspec.json.Decoder(str)

Steps = Generator[Batch[R] | None, None, None]


class Envelope(Generic[R]):
    """Understands one body, as a generator of batches that yields None for more bytes in `buffer`."""

    def __init__(self, shape: Shape[Any], records: RecordCodec[R], target_bytes: int, row_bytes: int) -> None:
        self.buffer = Buffer()
        self._shape = shape
        self._records = records
        self._target_bytes = target_bytes
        self._row_bytes = row_bytes
        self._roots = {path[0] for path in (*shape.next, *shape.count)}
        self._found: dict[str, bytes] = {}
        self._met: set[str] = set()
        self._peeked: _Peek | None = None
        self._rows: Splitter[R] | None = None
        self._rank: int | None = None
        self._no_array: PayloadError | None = None
        self._page = Page()
        self._is_told = False
        # A batch that waits for what stands behind it, and whether rows are given by now or may still be others.
        self._held: Batch[R] | None = None
        self._is_given = True

    @property
    def page(self) -> Page:
        """What is known by now."""
        # Half a number would be a wrong one: readers work out from it how many pages there are.
        rows = self._rows.count if self._rows is not None and self._rows.closed else 0
        if self._peeked is not None:
            rows = max(rows, self._peeked.rows)
        return msgspec.structs.replace(self._page, rows=rows)

    def steps(self) -> Steps[R]:
        """Read the body. Raises PayloadError once all rows before the fault were yielded."""
        buffer = self.buffer
        yield from buffer.want(PEEK_BYTES)
        mark = yield from buffer.solid()
        if mark not in (_ARRAY_MARK, _OBJECT_MARK):
            raise PayloadError(PAGE) if is_markup(buffer.buf) else buffer.malformed(0, "$")
        if buffer.ended and len(buffer.buf) <= WHOLE_TARGETS * self._target_bytes:
            yield from self._one_behind(mark)
        else:
            self._peek(mark)
            yield from self._read(mark)
        if (yield from buffer.solid()) >= 0:
            raise buffer.malformed(0, "$")

    def _read(self, mark: int) -> Steps[R]:
        return self._read_rows("$") if mark == _ARRAY_MARK else self._read_object()

    def _one_behind(self, mark: int) -> Steps[R]:
        """Read a page whose rows are a single batch, and give that once all is known that stands behind it.

        So the next page can be asked for, and no row is read twice for that. Where odd rows make several batches, the
        earlier ones come before.
        """
        fault: PayloadError | None = None
        self._is_given = False
        try:
            for batch in self._read(mark):
                if batch is not None and self._held is not None:
                    self._is_given = True
                    yield self._held
                self._held = batch or self._held
                # Whoever is told of an error may be shown what the frames it passed through hold.
                del batch
        except PayloadError as error:
            # The rows before the fault are out first; a traceback would keep the frames behind.
            fault = error.with_traceback(None)
        held, self._held = self._held, None
        if held is not None:
            yield held
        del held
        if fault is not None:
            raise fault

    def _peek(self, mark: int) -> None:
        """Learn from a page that is wholly here what stands behind its rows, so that the next one can be asked for."""
        buffer = self.buffer
        if not buffer.ended or len(buffer.buf) > PEEK_BYTES or buffer.shallow() is not None:
            return
        # A page that cannot be read is told by the reading itself, once the rows before the fault are out.
        with suppress(*UNREADABLE, PayloadError):
            self._peeked = _peek(buffer.buf, self._shape, is_array=mark == _ARRAY_MARK)
            self._page = told_beside(self._peeked.roots, self._shape)
            self._is_told = True

    def _read_rows(self, path: str, buffer: Buffer | None = None) -> Steps[R]:
        self._rows = Splitter(buffer or self.buffer, self._records, path, self._target_bytes, self._row_bytes)
        return self._rows.read()

    def _read_object(self) -> Steps[R]:
        buffer = self.buffer
        if not self._shape.rows:
            raise PayloadError("no rows")
        buffer.drop(1)
        mark = yield from buffer.solid()
        while mark != _OBJECT_END:
            key = yield from self._read_key(mark)
            yield from self._read_member(key)
            mark = yield from buffer.solid()
            if mark == _COMMA:
                buffer.drop(1)
                mark = yield from buffer.solid()
                if mark == _STRING_MARK:
                    continue
            elif mark == _OBJECT_END:
                break
            raise buffer.malformed(0, "$")
        buffer.drop(1)
        if self._rank is None:
            raise PayloadError("no rows")
        if self._no_array is not None:
            raise self._no_array

    def _read_key(self, mark: int) -> Generator[None, None, str]:
        buffer = self.buffer
        if mark != _STRING_MARK:
            raise buffer.malformed(0, "$")
        key = decoded(_KEY, (yield from self._read_value("$")), "$")
        if (yield from buffer.solid()) != _COLON:
            raise buffer.malformed(0, "$")
        buffer.drop(1)
        if key in self._met:
            raise PayloadError("a key twice", path=f"$.{key}")
        if key in self._roots or key in self._shape.rows:
            self._met.add(key)
        return key

    def _read_member(self, key: str) -> Steps[R]:
        """Read the value of one key, or pass over it."""
        # The keys of others are the vendor's data, and stay out of paths.
        path = f"$.{key}" if key in self._met else "$"
        if (yield from self.buffer.solid()) == _ARRAY_MARK and self._are_rows(key):
            yield from self._read_rows(path)
            return
        value = yield from self._read_value(path, keep=key in self._met)
        # A page that was looked through told of all its keys: what came so far would be less.
        if key in self._roots and not self._is_told:
            self._found[key] = value
            self._page = told_beside(self._found, self._shape)
        if self._are_rows(key) and value != b"null":
            rows = None if self._records.is_strict else rows_without_array(value)
            if rows is None:
                self._no_array = _complaint(_ARRAY, value, path)
            else:
                yield from self._read_rows(path, Buffer.of(rows))

    def _are_rows(self, key: str) -> bool:
        """Whether these are the rows: the first name of the shape that is present, as far as can be known."""
        names = self._shape.rows
        if key not in names:
            return False
        rank = names.index(key)
        if self._rank is not None and rank < self._rank and self._rows is not None:
            if self._is_given:
                # Too late: the body was too long to look at its end first.
                raise PayloadError("rows under two names", path=f"$.{key}")
            self._held = None
        best = self._peeked.rank if self._peeked is not None else self._rank
        if best is not None and rank > best:
            return False
        self._rank = rank
        self._no_array = None
        return True

    def _read_value(self, path: str, *, keep: bool = True) -> Generator[None, None, bytes]:
        """Drop the value in front, and give it."""
        buffer = self.buffer
        wanted = 1
        while True:
            yield from buffer.want(wanted)
            end, fault = self._value_end(path)
            if fault is not None:
                raise fault
            if end is not None:
                break
            wanted = 2 * len(buffer.buf)
        value = bytes(buffer.buf[:end]).rstrip() if keep else b""
        buffer.drop(end)
        return value

    def _value_end(self, path: str) -> tuple[int | None, PayloadError | None]:
        buffer = self.buffer
        shallow = buffer.shallow()
        try:
            with memoryview(buffer.buf) as whole, whole[:shallow] as view:
                end = open_scanner(view).after(0)
                if end is not None:
                    # Skipping does not look into strings.
                    str(view[:end], "utf-8")
        except UNREADABLE as error:
            return None, rethrow(error, at=path, offset=buffer.offset)
        if end is not None and end < len(buffer.buf):
            return end, None
        if shallow is not None and shallow < len(buffer.buf):
            return None, PayloadError("nested too deeply", path=path)
        if len(buffer.buf) > self._row_bytes:
            return None, PayloadError(f"a value of more than {self._row_bytes} bytes", path=path)
        return None, buffer.malformed(len(buffer.buf), path) if buffer.ended else None


class _Peek(NamedTuple):
    """What a whole page shows before its rows are decoded: how many, under which of the names, and what is beside."""

    rows: int
    rank: int
    roots: Mapping[str, bytes]


def _peek(buf: bytearray, shape: Shape[Any], *, is_array: bool) -> _Peek:
    if is_array:
        return _Peek(len(_ARRAY.decode(buf)), 0, {})
    roots = tuple(sorted({path[0] for path in (*shape.next, *shape.count)}))
    envelope = _envelope(shape.rows, roots).decode(buf)
    held = [
        cast("list[msgspec.Raw] | msgspec.UnsetType | None", getattr(envelope, f"rows_{rank}"))
        for rank in range(len(shape.rows))
    ]
    rank = next((rank for rank, rows in enumerate(held) if rows is not msgspec.UNSET), len(held))
    rows = held[rank] if rank < len(held) else None
    values = {name: bytes(getattr(envelope, f"root_{index}")) for index, name in enumerate(roots)}
    return _Peek(len(rows or ()), rank, {name: value for name, value in values.items() if value})


@cache
def _envelope(rows: tuple[str, ...], roots: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    fields: list[tuple[str, Any, Any]] = [
        (f"rows_{rank}", list[msgspec.Raw] | msgspec.UnsetType | None, msgspec.field(name=name, default=msgspec.UNSET))
        for rank, name in enumerate(rows)
    ]
    fields += [
        (f"root_{index}", msgspec.Raw, msgspec.field(name=name, default=msgspec.Raw(b"")))
        for index, name in enumerate(roots)
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", fields))


def _complaint(decoder: msgspec.json.Decoder[Any], value: bytes, path: str) -> PayloadError | None:
    try:
        decoder.decode(value)
    except UNREADABLE as error:
        return rethrow(error, at=path, offset=None)
    return None
