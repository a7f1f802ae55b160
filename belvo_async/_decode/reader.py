"""A page's bytes as they arrive, and its records as they can be told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, Generic, TypeVar

from ..abc import Page, Shape
from ..errors import BelvoAsyncError, PayloadError
from .codec import Batch, RecordCodec
from .envelope import Envelope

R = TypeVar("R")

# A batch decodes in well under a millisecond per 100 KiB; larger ones leave the processor's cache and get slower.
TARGET_BYTES: Final = 192 * 1024
# The largest rows seen, invoices with their XML, are some hundred KiB.
ROW_BYTES: Final = 16 * 1024 * 1024
# What is copied into the buffer at once: a body that arrives in one piece must not double in memory.
_SLICE_BYTES: Final = 128 * 1024


class PageReader(Generic[R]):
    """Reads one page: `async for batch in reader.batches(chunks)`, with `reader.page` telling what is known meanwhile.

    Rows become `record`, by default the shape's own. Any type msgspec decodes will do: a struct of fewer fields, a
    TypedDict, `msgspec.Raw` for the bytes. Memory holds about `target_bytes` of the body, a single row if that is
    longer, or a short page; a row, or a value beside them, of more than `row_bytes` is refused. Of what the
    record type does not want, only the JSON structure is checked. A row that does not fit is read tolerantly, and told
    in `Batch.odd`; with `strict`, it is an error.
    """

    def __init__(
        self,
        shape: Shape[Any],
        *,
        record: type[R] | None = None,
        strict: bool = False,
        target_bytes: int = TARGET_BYTES,
        row_bytes: int = ROW_BYTES,
    ) -> None:
        self._shape = shape
        self._records = RecordCodec(shape, record, strict=strict)
        self._target_bytes = target_bytes
        self._row_bytes = row_bytes
        self._body: Envelope[R] | None = None

    @property
    def page(self) -> Page:
        """What the page told beside its rows, as far as it has been read.

        `next` and `count` are known before the first batch where the page is short (up to 1 MiB) or names them before
        its rows, as `rows` is of a short one; all are complete once `batches` is exhausted. `rows` counts all rows,
        and is 0 until it does.
        """
        return self._body.page if self._body is not None else Page()

    async def batches(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[Batch[R], None]:
        """Yield all records, in the page's order.

        Raises PayloadError naming where the page does not fit, and passes on what `chunks` raises; the records before
        that place are yielded first.
        """
        body = self._body = Envelope(self._shape, self._records, self._target_bytes, self._row_bytes)
        pieces = _Pieces(chunks)
        fault: BelvoAsyncError | None = None
        try:
            for batch in body.steps():
                if batch is not None:
                    yield batch
                    # Whoever is told of an error may be shown what the frames it passed through hold.
                    del batch
                    # Bytes that are here already are read without a pause: others get their turn now.
                    await asyncio.sleep(0)
                    continue
                try:
                    piece = await pieces.next()
                except BelvoAsyncError as error:
                    piece, fault = None, error
                if piece is None:
                    body.buffer.end()
                else:
                    body.buffer.feed(piece)
        except PayloadError as error:
            # The frames of the reading hold bytes and records, and would be shown with the traceback.
            error = error.with_traceback(None)
            fault = fault or error
        finally:
            # Left to the garbage collector, its clean-up would run in a task that nobody owns.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        if fault is not None:
            raise fault


class _Pieces:
    """Cuts big chunks into slices."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    async def next(self) -> memoryview | None:
        """The next piece, or None at the end."""
        if self._rest:
            await asyncio.sleep(0)
        else:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                return None
            self._rest = memoryview(chunk)
        piece, self._rest = self._rest[:_SLICE_BYTES], self._rest[_SLICE_BYTES:]
        return piece
