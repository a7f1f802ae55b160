"""Reading files: bytes as they come, checked against the length the vendor tells."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import BinaryIO, Final

from ..._http import Send
from ...abc import Fetch, Response, Vendor
from ...discreet import Discretion, discreet
from ...errors import IncompleteResultError, PayloadError, TaskError, VendorError

# Above any document of either vendor; more belongs on a disk.
READ_BYTES: Final = 64 * 1024 * 1024

# What a storage answers to a link that has run out: they live for minutes.
_REFUSED: Final = frozenset({403, 410})


class RemoteFile:
    """A file of a vendor's: `async for chunk in file`, `await file.read()` or `await file.save(path)`.

    Each of them fetches it anew; nothing is sent before. Raises VendorError for an error answer, TransportError when
    the bytes break off, IncompleteResultError when there are fewer or more than the vendor tells.
    """

    def __init__(self, find: Callable[[], Awaitable[Fetch]], vendor: Vendor, send: Send) -> None:
        self._find = find
        self._vendor = vendor
        self._send = send

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        with Discretion():
            async with aclosing(self._chunks(None)) as chunks:
                async for chunk in chunks:
                    yield chunk
                    # What stands in a frame may be shown with the traceback of a later fault.
                    del chunk

    @discreet
    async def read(self, *, limit_bytes: int = READ_BYTES) -> bytes:
        """The whole file. PayloadError when it is longer than `limit_bytes`: save it, or take it in chunks."""
        if type(limit_bytes) is not int or limit_bytes < 0:
            raise TaskError("`limit_bytes` is a number of bytes", field="limit_bytes")
        async with aclosing(self._chunks(limit_bytes)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    @discreet
    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write the file to a path, whole or not at all, and give its length in bytes. Raises OSError as writing does.

        It grows beside the path, under a name of its own that ends in `.part`, and takes its place when it is complete.
        """
        place = await asyncio.to_thread(Path(path).resolve)
        if await asyncio.to_thread(place.is_dir):
            raise IsADirectoryError(f"{place} is a directory: name the file")
        part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            # Opened here, not in a thread: one that opens while we are cancelled would leave its file behind.
            with part.open("wb") as out:
                size = await self._write(out)
            await asyncio.to_thread(part.replace, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
        return size

    async def _write(self, out: BinaryIO) -> int:
        size = 0
        async with aclosing(self._chunks(None)) as chunks:
            async for chunk in chunks:
                size += await asyncio.to_thread(out.write, chunk)
                del chunk
        out.flush()
        await asyncio.to_thread(os.fsync, out.fileno())
        return size

    def __repr__(self) -> str:
        whose = f" of {self._vendor.name}" if hasattr(self, "_vendor") else ""
        return f"<RemoteFile{whose}: iterate it, or await its read() or save(path)>"

    async def _chunks(self, limit: int | None) -> AsyncGenerator[bytes, None]:
        """The bytes as they come. A link into the vendor's storage that has run out is asked for once more."""
        for is_last in (False, True):
            fetch = await self._find()
            _check_limit(fetch.size_bytes or 0, limit)
            async with self._send(fetch.request) as response:
                if response.status == 200:
                    async with aclosing(_checked(response, fetch, limit)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                            del chunk
                    return
                if not fetch.request.follow or response.status not in _REFUSED:
                    raise self._vendor.read_error(await response.answer())
                if is_last:
                    text = f"the storage refused the vendor's own link to the file (HTTP {response.status})"
                    raise VendorError(text, status_code=response.status)


async def _checked(response: Response, fetch: Fetch, limit: int | None) -> AsyncGenerator[bytes, None]:
    received = 0
    async with aclosing(_no_page(response.chunks())) as chunks:
        async for chunk in chunks:
            received += len(chunk)
            if limit is None or received <= limit:
                yield chunk
            del chunk
            _check_limit(received, limit)
    if fetch.size_bytes is not None and fetch.size_bytes != received:
        text = f"{received} bytes arrived, the vendor tells {fetch.size_bytes}; fetch the file again"
        raise IncompleteResultError(text, expected=fetch.size_bytes, received=received)


# No file of either vendor is HTML; a login, a captive portal or a proxy that is being mended is, and says 200.
_PAGE: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HEAD_BYTES: Final = 64


async def _no_page(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same bytes, but for a page, which is refused before its first."""
    async with aclosing(chunks):
        head = b""
        async for chunk in chunks:
            head += chunk
            del chunk
            if len(head) >= _HEAD_BYTES:
                break
        if _PAGE.match(head):
            raise PayloadError("a page (HTML) came instead of the file")
        if head:
            yield head
        del head
        async for chunk in chunks:
            yield chunk
            del chunk


def _check_limit(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise PayloadError(f"a file of more than {limit} bytes")
