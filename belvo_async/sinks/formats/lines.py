"""Formats that are lines of text: encoded on the loop, written in a thread, a megabyte at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..part import Closed, Work
from ..part_file import PartFile
from ..small_letters import Values

# So much is gathered for a thread, which hashes and writes it in one go: each time it comes back from the system, it
# may wait five milliseconds for its turn (`sys.getswitchinterval`). Memory is a few times this.
_PIECE_BYTES: Final = 8 * 1024 * 1024

Encode = Callable[[Sequence[Any], Sequence[Values]], bytes]


class LineWriter:
    """Writes lines that a function makes of rows. Keeps the contract `PartWriter`."""

    def __init__(self, file: PartFile, encode: Encode, head: bytes = b"") -> None:
        self._file = file
        self._encode = encode
        self._pieces: list[bytes] = [head]
        self._gathered_bytes = len(head)

    @property
    def path(self) -> str:
        """See `PartWriter.path`."""
        return str(self._file.place)

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        """See `PartWriter.take`."""
        piece = self._encode(rows, values)
        self._pieces.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes < _PIECE_BYTES:
            return None
        pieces, self._pieces, self._gathered_bytes = self._pieces, [], 0
        return lambda: self._write(pieces)

    def _write(self, pieces: list[bytes]) -> None:
        whole = b"".join(pieces)
        pieces.clear()
        self._file.write(whole)

    def close(self) -> Closed:
        """See `PartWriter.close`."""
        self._write(self._pieces)
        return Closed(*self._file.rename())

    def drop(self) -> None:
        """See `PartWriter.drop`."""
        self._pieces.clear()
        self._file.drop()
