"""The bytes that arrived and are not yet read."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from collections.abc import Generator
from typing import Final

from ..errors import PayloadError
from ..payload import DEPTH_LIMIT

_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_MARK: Final = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
_NEITHER: Final = bytes(each for each in range(256) if each not in b'"[]{}')
_STEPS: Final = {each: 1 if each in b"[{" else -1 for each in b"[]{}"}

# The interpreter's usual limit is 1000; on Python 3.11 a much higher one switches off msgspec's guard as well.
# A thousand levels of msgspec's recursion take about 400 KiB of stack, which the main thread has on all systems.
_USUAL_RECURSION: Final = 1500


class Buffer:
    """A buffer that grows at its end and is read from its front, by generators that yield None to ask for more.

    `buf[i]` is byte `offset + i` of the body; readers may overwrite bytes they have understood.
    """

    def __init__(self) -> None:
        self.buf = bytearray()
        self.offset = 0
        self.ended = False
        self._depth = _Depth() if guard_is_weak() else None

    @classmethod
    def of(cls, body: bytes) -> Buffer:
        """Make one of bytes that are all there."""
        whole = cls()
        whole.feed(body)
        whole.end()
        return whole

    def feed(self, piece: bytes | memoryview) -> None:
        """Add bytes that arrived."""
        if self._depth is not None:
            self._depth.feed(piece)
        self.buf += piece

    def end(self) -> None:
        """No more bytes will come."""
        self.ended = True

    def drop(self, size: int) -> None:
        """Forget bytes at the front."""
        del self.buf[:size]
        self.offset += size

    def want(self, size: int) -> Generator[None, None, None]:
        """Wait for a buffer of `size` bytes, or for the end."""
        while len(self.buf) < size and not self.ended:
            yield

    def solid(self) -> Generator[None, None, int]:
        """Drop white space; give the byte that then stands in front, or -1 at the end."""
        while True:
            at = self.find_solid(0)
            if at >= 0:
                if at:
                    self.drop(at)
                return self.buf[0]
            self.drop(len(self.buf))
            if self.ended:
                return -1
            yield

    def find_solid(self, start: int) -> int:
        """Where the first byte that is no white space stands, or -1."""
        if start < len(self.buf) and self.buf[start] > 0x20:
            return start
        blank = _BLANK.match(self.buf, start)
        end = blank.end() if blank else start
        return end if end < len(self.buf) else -1

    def shallow(self) -> int | None:
        """How much of the buffer may be given to a decoder that recurses, or None: all of it."""
        deep = self._depth.deep_at if self._depth is not None else None
        return None if deep is None else deep - self.offset

    def malformed(self, at: int, path: str) -> PayloadError:
        """The error for a byte that may not stand where it does; past the buffer's end, for a body that is cut."""
        if at >= len(self.buf):
            return PayloadError("Input data was truncated", path=path)
        return PayloadError(f"JSON is malformed (byte {self.offset + at})", path=path)


def guard_is_weak() -> bool:
    """Whether deep nesting could end the process before msgspec's own guard stops it."""
    # Nobody can tell how large another thread's stack is: `threading.stack_size` is about those to come, and asking
    # changes it.
    is_main = threading.get_ident() == threading.main_thread().ident
    return not is_main or sys.getrecursionlimit() > _USUAL_RECURSION


class _Depth:
    """Follows the nesting of a body as it arrives, and remembers where it first passed DEPTH_LIMIT."""

    def __init__(self) -> None:
        self.deep_at: int | None = None
        self._depth = 0
        self._in_string = False
        self._escape = b""
        self._total = 0

    def feed(self, piece: bytes | memoryview) -> None:
        if self.deep_at is not None:
            return
        text = self._escape + bytes(piece)
        bare = _ESCAPED.sub(b"", text) if b"\\" in text else text
        parts = bare.translate(None, _NEITHER).split(b'"')
        # Every second part is a string's, where brackets mean nothing.
        steps = map(_STEPS.__getitem__, b"".join(parts[self._in_string :: 2]))
        depths = list(itertools.accumulate(steps, initial=self._depth))
        if max(depths) > DEPTH_LIMIT:
            self.deep_at = self._total - len(self._escape) + self._find_deep(text)
        self._depth = depths[-1]
        self._in_string ^= len(parts) % 2 == 0
        # All pairs are gone: a backslash that is left has lost its second half to the next piece.
        self._escape = b"\\" if bare.endswith(b"\\") else b""
        self._total += len(piece)

    def _find_deep(self, text: bytes) -> int:
        """Where in `text` the limit is passed. Mark by mark, which is slow, but happens once a body."""
        depth, in_string = self._depth, self._in_string
        for found in _MARK.finditer(text):
            mark = found.group()
            if mark == b'"':
                in_string = not in_string
            elif not in_string and len(mark) == 1:
                depth += _STEPS[mark[0]]
                if depth > DEPTH_LIMIT:
                    return found.start()
        return len(text)
