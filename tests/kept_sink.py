"""A sink that keeps its parts in this process: what a test compares with what the vendors hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from belvo_async.abc import OpenPart, PartKey, Receipt


class KeptSink:
    """Parts by job. A part is there when it was committed, and not before."""

    def __init__(self, name: str = "kept:1") -> None:
        self.name = name
        self.parts: dict[str, list[Any]] = {}
        self.keys: dict[str, PartKey] = {}
        self.commits = 0

    async def begin(self) -> None:
        """Nothing can be wrong with it."""

    @asynccontextmanager
    async def part(self, key: PartKey) -> AsyncIterator[OpenPart]:
        yield _Part(self, key)

    async def holds(self, receipt: Receipt) -> bool:
        return receipt.job in self.parts

    async def end(self) -> None:
        """Keeps what it has."""

    @property
    def rows(self) -> list[Any]:
        """All rows of all parts."""
        return [row for rows in self.parts.values() for row in rows]


class _Part:
    def __init__(self, sink: KeptSink, key: PartKey) -> None:
        self._sink, self._key = sink, key
        self._rows: list[Any] = []

    async def write(self, records: Sequence[object]) -> None:
        self._rows += records

    async def commit(self, *, now: dt.datetime) -> Receipt:
        self._sink.parts[self._key.job] = self._rows
        self._sink.keys[self._key.job] = self._key
        self._sink.commits += 1
        return Receipt(
            sink=self._sink.name,
            job=self._key.job,
            part=self._key.job,
            rows=len(self._rows),
            size_bytes=0,
            digest="",
            ids="",
            at=now,
        )
