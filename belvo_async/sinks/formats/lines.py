"""Formats that are lines of text: encoded on the loop, written in a thread, a megabyte at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..part import Closed, Work
from ..part_file import PartFile
from ..small_letters import Values

# So much is gathered for a thread, which hashes and writes it in one go: each time it comes back from the system, it
# may wait five milliseconds for its turn (`sys.getswitchinterval`). Memory is twice this.
_PIECE_BYTES: Final = 8 * 1024 * 1024

Encode = Callable[[Sequence[Any], Sequence[Values]], bytes]


class LineWriter:
    """Writes lines that a function makes of rows and what they hold. Keeps the contract `PartWriter`."""

    def __init__(self, file: PartFile, encode: Encode, head: bytes = b"") -> None:
        self._file = file
        self._encode = encode
        # One is filled while a thread writes the other: fresh memory for every piece takes longer than copying does.
        self._filling, self._resting = bytearray(head), bytearray()
        self._filled_bytes = len(head)

    @property
    def path(self) -> str:
        """See `PartWriter.path`."""
        return str(self._file.place)

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        """See `PartWriter.take`."""
        lines = self._encode(rows, values)
        end = self._filled_bytes + len(lines)
        self._filling[self._filled_bytes : end] = lines
        self._filled_bytes = end
        if end < _PIECE_BYTES:
            return None
        full, self._filling, self._resting = self._filling, self._resting, self._filling
        self._filled_bytes = 0
        # The other is not filled before this is handed over, and this not handed over before the other is written.
        return lambda: self._write(full, end)

    def _write(self, piece: bytearray, size_bytes: int) -> None:
        self._file.write(memoryview(piece)[:size_bytes])

    def close(self) -> Closed:
        """See `PartWriter.close`."""
        self._write(self._filling, self._filled_bytes)
        return Closed(*self._file.rename())

    def drop(self) -> None:
        """See `PartWriter.drop`."""
        self._file.drop()
