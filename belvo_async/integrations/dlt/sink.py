"""The mirror as a sink: rows of jobs become rows of a database, and their receipts tell of loads that ended."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Self

from ...abc import ListRules, OpenPart, PartKey, Receipt, Vendor
from ...discreet import discreet
from ...errors import ConfigurationError
from ...jobs import subject_word
from ...sinks.part import Closed, StreamedPart, Work
from ...sinks.small_letters import Values
from .loader import Loader, Noted
from .places.opening import open_place
from .places.place import MirrorPlace
from .spool import LoadedList, Spool, part_note
from .spread import Spreading, Stream
from .workroom import Workroom

# Rows that are made columns at once.
_BATCH_ROWS: Final = 2_000


class MirrorSink:
    """A database that holds what vendors hold, with what it said before. Keeps the contract `Sink`.

    `place` is `duckdb:FILE` or `postgresql://...`; `vendors` are the session's: they say which table a resource's rows
    are rows of. A part is loaded whole, and merged: rows that are there already change nothing, so that a repeated job
    repeats nothing. A receipt's `part` is the table, its `digest` one of what the rows say, whatever their order.
    """

    @discreet
    def __init__(self, place: str | MirrorPlace, vendors: Mapping[str, Vendor]) -> None:
        self.place: MirrorPlace = open_place(place) if isinstance(place, str) else place
        self._vendors = vendors
        self._open: tuple[Workroom, Loader] | None = None
        self._noted = Noted(set(), {})
        self._begun = 0
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """See `Sink.name`."""
        return self.place.name

    @property
    def is_loading(self) -> bool:
        """Whether a load is under way."""
        return self._open is not None and self._open[1].is_busy

    @property
    def loader(self) -> Loader:
        """What loads. ConfigurationError before `begin`."""
        return self._opened[1]

    @property
    def lists(self) -> Mapping[tuple[str, str, str], LoadedList]:
        """The lists that were in the mirror when it was begun: by vendor, listing and subject."""
        return self._noted.lists

    @discreet
    async def begin(self) -> None:
        """See `Sink.begin`."""
        async with self._turn:
            if self._open is None:
                await asyncio.to_thread(self.place.check)
                room = await asyncio.to_thread(Workroom)
                self._open = room, Loader(self.place, room)
                self._noted = await asyncio.to_thread(self._open[1].held)
            self._begun += 1

    @discreet
    async def end(self) -> None:
        """See `Sink.end`. Several runs may share a mirror: it is closed when as many have ended as began."""
        self._begun -= 1
        if self._begun <= 0:
            await self.close()

    async def close(self) -> None:
        """Let go of everything, whoever began. Safe twice."""
        self._begun = 0
        if self._open is not None:
            (room, loader), self._open = self._open, None
            await asyncio.shield(asyncio.to_thread(_close, room, loader))

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @discreet
    async def holds(self, receipt: Receipt) -> bool:
        """See `Sink.holds`: by what the mirror itself notes of the jobs whose rows it has."""
        return receipt.sink == self.name and receipt.job in self._noted.jobs

    def part(self, key: PartKey) -> AbstractAsyncContextManager[OpenPart]:
        """See `Sink.part`."""
        return self._part(
            key, job_stream(self._vendors.get(key.vendor), key.vendor, key.resource, key.subject, key.record)
        )

    @asynccontextmanager
    async def _part(self, key: PartKey, stream: Stream) -> AsyncGenerator[OpenPart]:
        table, subject = stream.place
        spool = await asyncio.to_thread(self.spool, stream)
        writer = _PartSpool(spool, self.loader, key, table, subject, self._noted.jobs)
        part = StreamedPart(key, self.name, table, writer)
        try:
            yield part
        finally:
            await part.leave()

    def spool(self, stream: Stream) -> Spool:
        """Begin to gather rows. Blocking."""
        return Spool(self._opened[0].spools, stream)

    async def make_views(self) -> tuple[str, ...]:
        """Make the views that come with a mirror; their names, () where there are no invoices. Raises SinkError."""
        return await asyncio.to_thread(self.loader.make_views)

    async def load(self, spool: Spool) -> None:
        """Load what was gathered, together with what else is waiting. Raises SinkError."""
        future = self.loader.submit(spool)
        try:
            await asyncio.wrap_future(future)
        finally:
            # Who is cancelled may remove it at once: only when it is no longer read.
            await asyncio.shield(asyncio.to_thread(wait, [future]))
        note = spool.note
        if isinstance(note, LoadedList):
            self._noted.lists[note.vendor, note.listing, note.subject] = note

    @property
    def _opened(self) -> tuple[Workroom, Loader]:
        if self._open is None:
            raise ConfigurationError("the mirror is not open: `begin` it first")
        return self._open

    def __repr__(self) -> str:
        return f"<MirrorSink {self.name}>"


def _close(room: Workroom, loader: Loader) -> None:
    loader.close()
    room.close()


def job_stream(vendor: Vendor | None, name: str, resource: str, subject: str, record: type) -> Stream:
    """How rows that jobs brought are spread: as those of the list that holds them, where there is one."""
    for listing, rules in listings_of(vendor).items():
        if resource in rules.resources:
            return Stream(Spreading(f"{name}_{listing}", record, subject_word(subject), rules.unversioned), rules)
    return Stream(Spreading(f"{name}_{resource.lower()}", record, subject_word(subject)), None)


def listings_of(vendor: Vendor | None) -> Mapping[str, ListRules]:
    """The lists of a vendor; none of one that was written before there were any."""
    if vendor is None:
        return {}
    found: Mapping[str, ListRules] = getattr(vendor, "listings", {})
    return found


class _PartSpool:
    """Keeps the contract `PartWriter`: rows are spooled while they come, and loaded in the end."""

    def __init__(self, spool: Spool, loader: Loader, key: PartKey, table: str, subject: str, loaded: set[str]) -> None:
        self.path = table
        self._loaded = loaded
        self._spool, self._loader, self._key, self._subject = spool, loader, key, subject
        self._rows: list[Any] = []
        self._versions = 0
        self._load: Future[None] | None = None

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        self._rows += rows
        if len(self._rows) < _BATCH_ROWS:
            return None
        taken, self._rows = self._rows, []
        return lambda: self._add(taken)

    def _add(self, rows: Sequence[Any]) -> None:
        self._versions += sum(int(each, 16) for each in self._spool.add(rows).versions)

    def close(self) -> Closed:
        if self._rows:
            taken, self._rows = self._rows, []
            self._add(taken)
        self._spool.finish()
        self._spool.note = part_note(self._key, self._spool.rows, self._subject)
        size_bytes = self._spool.size_bytes
        self._load = self._loader.submit(self._spool)
        self._load.add_done_callback(self._note)
        return Closed(size_bytes, hashlib.sha256(str(self._versions).encode()).hexdigest(), durable=self._load)

    def _note(self, load: Future[None]) -> None:
        if load.exception() is None:
            self._loaded.add(self._key.job)

    def drop(self) -> None:
        self._rows.clear()
        if self._load is not None:
            # It reads what would be removed.
            wait([self._load])
        self._spool.drop()
