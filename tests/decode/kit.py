"""What the tests of the splitter share: shapes, bodies that arrive in pieces, and readings of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

from belvo_async._decode import PageReader
from belvo_async.abc import Page, Shape
from belvo_async.errors import PayloadError

R = TypeVar("R")

ROWS: Shape[dict[str, Any]] = Shape(
    record=dict,
    rows=("results", "hydra:member", "member"),
    next=(("next",), ("hydra:view", "hydra:next")),
    count=(("count",), ("hydra:totalItems",)),
)


async def arriving(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def pieces(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(
    chunks: AsyncIterator[bytes], shape: Shape[Any] = ROWS, **options: Any
) -> tuple[list[Any], Page, PayloadError | None]:
    """The records that came, what the page told, and the error that ended it."""
    reader: PageReader[Any] = PageReader(shape, **options)
    found: list[Any] = []
    refused: PayloadError | None = None
    try:
        async for batch in reader.batches(chunks):
            assert batch.records
            assert len(batch.records) == len(batch.seen)
            found += batch.records
    except PayloadError as error:
        refused = error
    # The decoder's exceptions hold the input.
    assert refused is None or (None, None) == (refused.__context__, refused.__cause__)
    return found, reader.page, refused
