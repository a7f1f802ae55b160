"""Records as record batches of Arrow: so many rows at a time, in the types that the Parquet sink writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from ...discreet import Discretion
from ...errors import TaskError
from ...sinks.formats.arrow import Arrays, Batches, Remedies, load_arrow

if TYPE_CHECKING:
    import pyarrow

Decimals: TypeAlias = Literal["exact", "text"]

_REMEDIES: Final = Remedies('give `decimals="text"`', "read it with a `type` of your own, where it is a text")


def make_batches(record: object, *, rows: int, flat: bool, decimals: Decimals) -> Batches:
    """What makes batches of rows of a type. Told before a byte is sent: whatever of this is not possible."""
    if rows < 1:
        raise TaskError("`rows` is how many a batch holds at most: 1 or more", field="rows")
    if decimals not in {"exact", "text"}:
        raise TaskError('`decimals` is "exact" or "text"', field="decimals")
    if not isinstance(record, type) or not issubclass(record, msgspec.Struct):
        text = "columns are the fields of a msgspec.Struct: read with one, or with the catalogue's own"
        raise TaskError(f"`type`: {text}", field="type")
    return Batches(record, Arrays(as_text=decimals == "text", remedies=_REMEDIES), flat=flat)


async def gather(
    batches: AsyncGenerator[tuple[object, ...], None], made: Batches, rows: int
) -> AsyncGenerator[pyarrow.RecordBatch, None]:
    """Make batches of `rows` rows each, the last of what is left, from tuples of any length."""
    waiting: list[object] = []
    with Discretion():
        async with aclosing(batches):
            async for batch in batches:
                waiting += batch
                del batch
                while len(waiting) >= rows:
                    taken, waiting = waiting[:rows], waiting[rows:]
                    yield await _make(made, taken)
                    del taken
            if waiting:
                yield await _make(made, waiting)


async def make_table(
    batches: AsyncGenerator[pyarrow.RecordBatch, None], record: object, *, flat: bool, decimals: Decimals
) -> pyarrow.Table:
    """Make one table of batches; of no batch, an empty one of the same columns."""
    held: list[pyarrow.RecordBatch] = []
    try:
        async with aclosing(batches):
            async for batch in batches:
                held.append(batch)
                del batch
    except BaseException:
        held.clear()
        raise
    schema = make_batches(record, rows=1, flat=flat, decimals=decimals).schema
    table: pyarrow.Table = load_arrow()[0].Table.from_batches(held, schema=schema)
    return table


async def _make(made: Batches, rows: list[object]) -> pyarrow.RecordBatch:
    # In a thread: some thousand rows take tens of milliseconds, and webhooks wait for no table.
    return await asyncio.to_thread(made.make, rows)
