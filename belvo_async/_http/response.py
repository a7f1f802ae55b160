"""A response whose body streams, decompressed by us and bounded: aiohttp inflates without a limit on the whole."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Final, Self

import aiohttp

from ..abc import Answer, Headers, Request
from ..errors import BelvoAsyncError, PayloadError, TransportError
from ..within import within
from .faults import FAULTS

# A decoder handed more at once holds the loop for too long; less costs more calls.
SLICE_BYTES: Final = 128 * 1024
# Fiscal JSON shrinks to a twentieth; a bomb to a thousandth. Memory is bounded either way, this bounds the time.
LARGEST_RATIO: Final = 250
FREE_BYTES: Final = 64 * 1024 * 1024
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS


class HttpResponse:
    """Implements `abc.Response` over aiohttp. `explain` turns the client's exceptions into ours."""

    def __init__(
        self,
        raw: aiohttp.ClientResponse,
        request: Request,
        *,
        explain: Callable[[Exception], BelvoAsyncError],
        release: Callable[[], None],
        answer_by: float,
        answer_bytes: int,
        body_bytes: int,
    ) -> None:
        self._raw = raw
        self._request = request
        self._explain = explain
        self._release = release
        self._answer_by = answer_by
        self._answer_bytes = answer_bytes
        self._body_bytes = body_bytes
        self._closed = False
        self._headers = Headers(raw.headers.items())

    @property
    def status(self) -> int:
        return self._raw.status

    @property
    def headers(self) -> Headers:
        return self._headers

    def __repr__(self) -> str:
        return f"HttpResponse({self._request.name}, {self.status})"

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the decompressed body in slices of at most SLICE_BYTES. For one reader, once."""
        inflate = _decoder(self._headers)
        received = produced = 0
        while data := await self._read():
            received += len(data)
            pieces = inflate.feed(data)
            # What a frame holds is shown with the traceback of a fault: here as below, and in who is handed a piece.
            del data
            while piece := next(pieces, b""):
                size = len(piece)
                produced += size
                fault = self._fault(produced, received)
                if fault is None:
                    yield piece
                del piece
                if fault is not None:
                    raise fault
                if size >= SLICE_BYTES:
                    # One read of a well compressed body makes many slices: let others run in between.
                    await asyncio.sleep(0)
            # One that inflates to nothing made no piece.
            if (fault := self._fault(received, received)) is not None:
                raise fault
        if inflate.is_cut:
            raise TransportError(f"{self._request.name}: the answer was cut short", maybe_sent=True)

    async def answer(self) -> Answer:
        """Read the whole body, within the request's total time and the cap for small answers.

        An error answer counts for its status: of its body, as much is kept as could be read.
        """
        held = _HeldBack()
        failure: BelvoAsyncError | None = None
        try:
            # A small one has come along with its head, as a rule.
            await within(self._answer_by - asyncio.get_running_loop().time(), self._hold(held))
        except (TransportError, PayloadError) as error:
            failure = error.with_traceback(None)
        except TimeoutError as error:
            failure = self._explain(error)
        if failure is not None and self.status < 400:
            raise failure
        return Answer(self.status, self._headers, held.taken())

    async def _hold(self, held: _HeldBack) -> None:
        async with aclosing(self.chunks()) as body:
            async for chunk in body:
                held.add(chunk)
                del chunk
                if held.size > self._answer_bytes:
                    raise PayloadError(f"an answer of more than {self._answer_bytes} bytes")

    def close(self) -> None:
        """Give the connection back when the body was read to its end, drop it otherwise. Safe twice."""
        if not self._closed:
            self._closed = True
            with suppress(*FAULTS):
                self._raw.close()
            self._release()

    def break_off(self) -> None:
        """Wake who waits for more of the body: a connection that its own side closes tells aiohttp's reader nothing."""
        self._raw.content.set_exception(aiohttp.ClientConnectionError())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    async def _read(self) -> bytes:
        """What has arrived; nothing at the end."""
        try:
            return await self._raw.content.readany()
        except FAULTS as error:
            failure = self._explain(error)
        # Raised out here, the client's exception, which may hold headers, is not kept as its context.
        raise failure

    def _fault(self, size: int, received: int) -> PayloadError | None:
        """What is wrong with a body that has grown to `size`, from so many bytes received."""
        if size > self._body_bytes:
            return PayloadError(f"a body of more than {self._body_bytes} bytes")
        if size > FREE_BYTES + LARGEST_RATIO * received:
            return PayloadError("a body that inflates beyond all measure")
        return None


class _HeldBack:
    """The bytes of an answer that are here already. Shows how many, and none of them."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def __repr__(self) -> str:
        return f"<{self.size} bytes>"

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self.size += len(part)

    def taken(self) -> bytes:
        return b"".join(self._parts)


class _PlainCoding:
    is_cut = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if len(data) <= SLICE_BYTES:
            yield data
            return
        view = memoryview(data)
        for start in range(0, len(data), SLICE_BYTES):
            yield bytes(view[start : start + SLICE_BYTES])


class _Gunzip:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_BITS)
        self._begun = False

    @property
    def is_cut(self) -> bool:
        """Whether the body ended inside a member. An empty body (HEAD, 204) is not cut."""
        return self._begun and not self._member.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Inflate in bounded steps: a bomb costs one slice of memory, whatever its ratio."""
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding between members
                if not data:
                    return
                self._member = zlib.decompressobj(_GZIP_BITS)
            self._begun = True
            try:
                piece = self._member.decompress(data, SLICE_BYTES)
            except zlib.error:
                break
            if piece:
                yield piece
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        else:
            return
        # The frames of an error hold no input.
        data = piece = b""
        raise PayloadError("not the gzip that its header announces")


def _decoder(headers: Headers) -> _PlainCoding | _Gunzip:
    coding = ",".join(headers.get_all("content-encoding")).strip().lower()
    if coding in ("", "identity"):
        return _PlainCoding()
    if coding in ("gzip", "x-gzip"):
        return _Gunzip()
    raise PayloadError("a content encoding that was not asked for")
