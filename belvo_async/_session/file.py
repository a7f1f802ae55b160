"""Reading files: bytes as they come, checked against the length the vendor tells."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from .._http import Send, converse
from ..abc import Conversation, Fetch, Vendor
from ..errors import IncompleteResultError, PayloadError

# Above any document of either vendor; more belongs on a disk.
READ_BYTES: Final = 64 * 1024 * 1024


class File:
    """A file of a vendor's: `async for chunk in file`, `await file.read()` or `await file.save(path)`.

    Each of them fetches it anew; nothing is sent before. Raises VendorError for an error answer, TransportError when
    the bytes break off, IncompleteResultError when there are fewer or more than the vendor tells.
    """

    def __init__(self, find: Callable[[], Conversation[Fetch]], vendor: Vendor, send: Send) -> None:
        self._find = find
        self._vendor = vendor
        self._send = send

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        fetch = await converse(self._send, self._find())
        received = 0
        async with self._send(fetch.request) as response:
            if response.status != 200:
                raise self._vendor.read_error(await response.answer())
            async with aclosing(response.chunks()) as chunks:
                async for chunk in chunks:
                    received += len(chunk)
                    yield chunk
        if fetch.size_bytes is not None and fetch.size_bytes != received:
            text = f"{received} bytes arrived, the vendor tells {fetch.size_bytes}; fetch the file again"
            raise IncompleteResultError(text, expected=fetch.size_bytes, received=received)

    async def read(self, *, limit_bytes: int = READ_BYTES) -> bytes:
        """The whole file. PayloadError when it is longer than `limit_bytes`: save it, or take it in chunks."""
        parts: list[bytes] = []
        async with aclosing(self.__aiter__()) as chunks:
            async for chunk in chunks:
                parts.append(chunk)
                limit_bytes -= len(chunk)
                if limit_bytes < 0:
                    raise PayloadError("a file longer than the limit")
        return b"".join(parts)

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write the file to a path, whole or not at all, and give its length in bytes. Raises OSError as writing does.

        It grows beside the path, under the same name with `.part`, and takes its place when it is complete.
        """
        part = Path(f"{os.fspath(path)}.part")
        size = 0
        try:
            with await asyncio.to_thread(part.open, "wb") as out:
                async with aclosing(self.__aiter__()) as chunks:
                    async for chunk in chunks:
                        size += await asyncio.to_thread(out.write, chunk)
                out.flush()
                await asyncio.to_thread(os.fsync, out.fileno())
            await asyncio.to_thread(part.replace, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
        return size
