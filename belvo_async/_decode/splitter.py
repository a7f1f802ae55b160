"""One array of rows, split into batches while it arrives.

The end of a batch is guessed: the last place in the buffer that looks like the border of two rows. The comma there is
overwritten by a bracket, and a successful decode proves the guess, for JSON can be read in one way only. What a guess
does not settle, the exact way does: it finds the end of each row by skipping it, and it alone raises errors.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ..errors import PayloadError
from ..payload import UNREADABLE, rethrow
from ..tolerant import UNFIT
from .buffer import Buffer
from .codec import Batch, Odd, RecordCodec
from .scanner import Scanner, open_scanner

R = TypeVar("R")

_OPEN, _CLOSE, _COMMA = b"[],"[0], b"[],"[1], b"[],"[2]
# What is here to its end is read at once, up to so many targets: 1.1 MiB, a few milliseconds, as long as its second
# half would be without.
WHOLE_TARGETS: Final = 6
# Rows built to mislead cost this many decodes of one buffer, and no more.
_WRONG_GUESSES: Final = 3
_SEPARATOR_BYTES: Final = 64
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*"(?:[^"\\]|\\.)*"')
_ROWS_TO_LEARN_FROM: Final = 16


class _Stretch(NamedTuple):
    """Where a row begins, and what stands behind it: a comma or the array's end."""

    start: int
    end: int


class Splitter(Generic[R]):
    """Reads the array whose `[` is the first byte of the buffer; then the byte behind its `]` is the first.

    From batch to batch the buffer begins with a `[`: the real one, or the comma before the next row, overwritten.
    """

    def __init__(self, buffer: Buffer, records: RecordCodec[R], path: str, target_bytes: int, row_bytes: int) -> None:
        self.count = 0
        self._buffer = buffer
        self._records = records
        self._path = path
        self._target_bytes = target_bytes
        self._row_bytes = row_bytes
        self._wanted_bytes = target_bytes
        self.closed = False
        self._wrong = 0
        self._is_new = True
        self._separator: Separator | None = None

    def read(self) -> Generator[Batch[R] | None, None, None]:
        """Yield batches, and None for more bytes. Raises PayloadError once all rows before the fault were yielded."""
        while not self.closed:
            yield from self._buffer.want(self._wanted_bytes)
            batch = self._guess()
            if batch is None:
                yield from self._read_exactly()
            elif batch.records:
                yield batch

    # Guessing.

    def _guess(self) -> Batch[R] | None:
        buffer = self._buffer
        if self._wrong >= _WRONG_GUESSES or buffer.shallow() is not None:
            return None
        if buffer.ended and len(buffer.buf) <= WHOLE_TARGETS * self._target_bytes:
            return self._prove(buffer.buf.rfind(b"]"))
        if self._is_new:
            self._is_new = False
            self._separator = _learn(buffer.buf, self._find_rows(most=2).spans, 0)
        return None if self._separator is None else self._prove(self._separator.find(buffer.buf, self._target_bytes))

    def _prove(self, at: int) -> Batch[R] | None:
        """Take the rows before the comma or bracket at `at`, or leave all as it was."""
        buf = self._buffer.buf
        if not 0 < at <= self._row_bytes:
            return None
        mark = buf[at]
        buf[at] = _CLOSE
        try:
            batch = self._records.many(buf, at + 1)
            if batch.records or (mark == _CLOSE and not self.count):
                self._take(at, len(batch.records), closed=mark == _CLOSE)
                return batch
        except UNFIT:
            pass
        buf[at] = mark
        self._wrong += 1
        self._separator = None
        return None

    def _take(self, at: int, count: int, *, closed: bool) -> None:
        self.count += count
        self.closed = closed
        self._wanted_bytes = self._target_bytes
        self._buffer.drop(at + closed)
        if not closed:
            self._buffer.buf[0] = _OPEN

    # The exact way.

    def _read_exactly(self) -> Generator[Batch[R], None, None]:
        found = self._find_rows()
        if found.spans:
            batch, fault = self._decode(found.spans)
            fault = fault or found.fault
            if fault is None:
                self._learn_again(found.spans)
                self._take(found.spans[-1].end, len(found.spans), closed=found.closed_at is not None)
            if batch.records or batch.odd:
                yield batch
            if fault is not None:
                raise fault
        elif found.closed_at is not None:
            self._take(found.closed_at, 0, closed=True)
        elif found.fault is not None:
            raise found.fault
        else:
            self._ask_for_more(found.blank)

    def _find_rows(self, most: int | None = None) -> _Rows:
        """Find the rows that end in the front of the buffer."""
        buf = self._buffer.buf
        spans: list[_Stretch] = []
        with memoryview(buf) as whole, whole[: self._buffer.shallow()] as view:
            ends = open_scanner(view)
            at = 0
            while at < self._target_bytes and (most is None or len(spans) < most):
                start = self._buffer.find_solid(at + 1)
                if start < 0:
                    return _Rows(spans, blank=not spans)
                if buf[start] == _CLOSE and not (spans or self.count):
                    return _Rows(spans, closed_at=start)
                end, fault = self._row_end(ends, start, self.count + len(spans))
                if end is not None:
                    spans.append(_Stretch(start, end))
                if end is None or fault is not None:
                    return _Rows(spans, fault=fault)
                if buf[end] == _CLOSE:
                    return _Rows(spans, closed_at=end)
                at = end
        return _Rows(spans)

    def _row_end(self, ends: Scanner, start: int, index: int) -> tuple[int | None, PayloadError | None]:
        """What stands behind the row at `start`, and what is wrong with it. Neither: more bytes are needed."""
        buffer = self._buffer
        path = f"{self._path}[{index}]"
        try:
            end = ends.after(start)
        except UNREADABLE as error:
            return None, rethrow(error, at=path, offset=buffer.offset + start)
        shallow = buffer.shallow()
        if end is None and shallow is not None and shallow < len(buffer.buf):
            return None, PayloadError("nested too deeply", path=path)
        arrived = len(buffer.buf)
        if (arrived if end is None else end) - start > self._row_bytes:
            return None, PayloadError(f"a row of more than {self._row_bytes} bytes", path=path)
        if end is None or end == arrived:
            return (end, buffer.malformed(arrived, self._path if end else path)) if buffer.ended else (None, None)
        return end, None if buffer.buf[end] in (_COMMA, _CLOSE) else buffer.malformed(end, self._path)

    def _decode(self, spans: Sequence[_Stretch]) -> tuple[Batch[R], PayloadError | None]:
        """Decode rows whose ends are known; up to the first that cannot be read."""
        buf = self._buffer.buf
        end = spans[-1].end
        if end < len(buf):
            mark = buf[end]
            buf[end] = _CLOSE
            try:
                return self._records.many(buf, end + 1), None
            except UNFIT:
                pass
            finally:
                buf[end] = mark
        return self._decode_singly(spans)

    def _decode_singly(self, spans: Sequence[_Stretch]) -> tuple[Batch[R], PayloadError | None]:
        records: list[R] = []
        seen: list[Any] = []
        odd: list[Odd] = []
        with memoryview(self._buffer.buf) as view:
            for number, span in enumerate(spans, self.count):
                at, offset = f"{self._path}[{number}]", self._buffer.offset + span.start
                try:
                    with view[span.start : span.end] as row:
                        one = self._records.one(row, at=at, number=number, offset=offset)
                except PayloadError as error:
                    # A traceback would keep these frames, and with them the rows.
                    return Batch(records, seen, odd), error.with_traceback(None)
                odd += [each._replace(place=len(records)) if one.records else each for each in one.odd]
                records += one.records
                seen += one.seen
        return Batch(records, seen, odd), None

    def _ask_for_more(self, blank: bool) -> None:
        """No row ends in what is here: forget white space, or wait for twice as much."""
        buffer = self._buffer
        if blank:
            if buffer.ended:
                raise buffer.malformed(len(buffer.buf), self._path)
            buffer.drop(len(buffer.buf) - 1)
            buffer.buf[0] = _OPEN
        self._wanted_bytes = max(self._target_bytes if blank else 2 * len(buffer.buf), 2)

    def _learn_again(self, spans: Sequence[_Stretch]) -> None:
        if self._wrong < _WRONG_GUESSES:
            self._separator = _learn(self._buffer.buf, spans, self._wrong)


class _Rows(NamedTuple):
    """What the exact way found in the buffer."""

    spans: Sequence[_Stretch]
    closed_at: int | None = None
    fault: PayloadError | None = None
    blank: bool = False


class Separator(NamedTuple):
    """What stands between two rows, from the end of the one to the first key of the other."""

    text: bytes
    comma_at: int

    def __repr__(self) -> str:
        # The text is the end of a row.
        return f"Separator({len(self.text)} bytes)"

    def find(self, buf: bytearray, target_bytes: int) -> int:
        """The comma of the last border before the target, else of the first one after it; or -1."""
        at = buf.rfind(self.text, 0, target_bytes)
        if at < 0:
            at = buf.find(self.text, max(0, target_bytes - len(self.text)))
        return at + self.comma_at if at >= 0 else -1


def _learn(buf: bytearray, spans: Sequence[_Stretch], wrong: int) -> Separator | None:
    """Learn the border of rows from some whose ends are known; after a wrong guess, from more of each row's end."""
    if len(spans) < 2:
        return None
    first, second = spans[0], spans[1]
    end = len(buf[first.start : first.end].rstrip()) + first.start
    before = bytes(buf[end - 1 : end]) if buf[end - 1] in b'}]"' else b""
    if wrong:
        before = _common_end(buf, spans[:_ROWS_TO_LEARN_FROM]) or before
    key = _FIRST_KEY.match(buf, second.start, second.start + _SEPARATOR_BYTES)
    after = key.group() if key else bytes(buf[second.start : second.start + 1]) if buf[second.start] in b'{["' else b""
    text = before + bytes(buf[end : second.start]) + after
    return Separator(text, len(before) + first.end - end) if len(text) <= 2 * _SEPARATOR_BYTES else None


def _common_end(buf: bytearray, spans: Sequence[_Stretch]) -> bytes:
    """The bytes that all rows end with, as far as they agree."""
    tails = [bytes(buf[max(span.start, span.end - _SEPARATOR_BYTES) : span.end]).rstrip() for span in spans]
    common = tails[0]
    for tail in tails[1:]:
        while not tail.endswith(common):
            common = common[1:]
    return common
