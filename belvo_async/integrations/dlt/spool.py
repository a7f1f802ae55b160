"""Rows on their way into a mirror: on the disk until they are all there, since none may be loaded before."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence, Set
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ...abc import PartKey
from .installed import load
from .spread import Batch, Spreaded, Stream
from .tables import MirrorTable


class LoadedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table `mirror_parts`: that the rows of a job are there."""

    job: str
    vendor: str
    resource: str
    subject: str
    period_first: str | None
    period_last: str | None
    row_count: int


class LoadedList(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table `mirror_lists`: when a list was read, how far, and a digest of what the next reading repeats.

    `subject` is "" for lists of an account.
    """

    vendor: str
    listing: str
    subject: str
    cursor: datetime | None
    digest: str
    row_count: int
    read_at: datetime


class Spool:
    """The rows of one job or list, in a file for each table. Blocking: called from threads."""

    def __init__(self, room: Path, stream: Stream) -> None:
        self._arrow = load("pyarrow")
        self._stream = stream
        self._folder = room / secrets.token_hex(8)
        self._folder.mkdir()
        self._writers: dict[str, tuple[Path, Any]] = {}
        self.rows = 0
        self.note: LoadedPart | LoadedList | None = None

    @property
    def tables(self) -> Sequence[MirrorTable]:
        """Every table it may have rows of."""
        return self._stream.tables

    @property
    def place(self) -> tuple[str, str]:
        """Whose rows of which table these are."""
        return self._stream.place

    @property
    def ids(self) -> Set[str]:
        """Of which records they are."""
        return self._stream.ids

    @property
    def size_bytes(self) -> int:
        """How much was written."""
        return sum(path.stat().st_size for path, _ in self._writers.values())

    def add(self, rows: Sequence[Any]) -> Spreaded:
        """Spread rows and write them."""
        found = self._stream.take(rows)
        for table, batch in found.batches:
            self._writer(table).write_batch(batch)
        self.rows += len(found.ids)
        return found

    def _writer(self, table: MirrorTable) -> Any:
        if table.name not in self._writers:
            path = self._folder / f"{len(self._writers)}.arrows"
            options = self._arrow.ipc.IpcWriteOptions(compression="lz4")
            self._writers[table.name] = path, self._arrow.ipc.new_stream(str(path), table.schema(), options=options)
        return self._writers[table.name][1]

    def finish(self) -> None:
        """Write what is left: from now on it can be read."""
        for _, writer in self._writers.values():
            writer.close()

    def read(self, table: MirrorTable) -> Iterator[Batch]:
        """The rows of a table, batch by batch."""
        if table.name not in self._writers:
            return
        with self._arrow.memory_map(str(self._writers[table.name][0])) as source:
            yield from self._arrow.ipc.open_stream(source)

    def drop(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def part_note(key: PartKey, rows: int, subject: str) -> LoadedPart:
    """What is noted of a part."""
    return LoadedPart(
        job=key.job,
        vendor=key.vendor,
        resource=key.resource,
        subject=subject,
        period_first=None if key.first is None else key.first.isoformat(),
        period_last=None if key.last is None else key.last.isoformat(),
        row_count=rows,
    )
