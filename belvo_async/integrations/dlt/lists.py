"""Lists of vendors on their way into a mirror: read whole, or from where the last reading ended; loaded if new."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from ..._session import Session
from ..._session.clock import SystemClock
from ...abc import Clock, ListRules, Query, Vendor
from ...discreet import Discretion
from ...errors import (
    BelvoAsyncError,
    ConfigurationError,
    IncompleteResultError,
    PayloadError,
    TaskError,
    TransportError,
    VendorError,
)
from ...jobs import subject_word
from .sink import MirrorSink, listings_of
from .spool import LoadedList, Spool
from .spread import Spreaded, Spreading, Stream

# Lists that are read at a time, and those that are read or wait to be loaded: each is a folder on the disk.
_READERS: Final = 8
_WAITING: Final = 256
# Read again behind the last row: what was written before it may have come to light after it.
OVERLAP: Final = timedelta(minutes=10)


class ListTask(NamedTuple):
    """A list to be read: of a subject, or of the account."""

    vendor: str
    listing: str
    rules: ListRules
    subject: str
    whose: str
    """The subject as the mirror writes it; of an account's lists, a word that stands for the account."""

    @property
    def table(self) -> str:
        """The table its rows are in."""
        return f"{self.vendor}_{self.listing}"


class ListEnd(StrEnum):
    """How the reading of a list ended."""

    LOADED = "loaded"
    UNCHANGED = "unchanged"
    """Nothing is new: nothing was loaded."""
    FAILED = "failed"
    """The vendor did not give it; `error` says why."""


class ListProgress(msgspec.Struct, frozen=True, kw_only=True):
    """That a list was read."""

    task: ListTask
    end: ListEnd
    rows: int = 0
    misfits: int = 0
    error: BelvoAsyncError | None = None

    def __repr__(self) -> str:
        return f"<ListProgress {self.task.table} {self.end}>"


def list_tasks(
    vendors: Mapping[str, Vendor],
    subjects: Mapping[str, Collection[str]],
    *,
    names: Collection[str] | None = None,
    brought: Collection[tuple[str, str]] = (),
) -> Iterator[ListTask]:
    """The lists to be read, of these subjects by vendor.

    `names` are listings, or listings of one vendor (`invoices`, or `VENDOR.invoices`); None: all but those whose rows
    come by jobs of the resources that are `brought`, by vendor and resource. Raises ConfigurationError for a name that
    no vendor has.
    """
    check_names(vendors, names or ())
    for vendor in vendors.values():
        for name, rules in listings_of(vendor).items():
            is_brought = any((vendor.name, each) in brought for each in rules.resources)
            if not ({name, f"{vendor.name}.{name}"} & set(names) if names is not None else not is_brought):
                continue
            for subject in subjects.get(vendor.name, ()) if rules.is_of_subject else ("",):
                whose = subject_word(subject) if subject else _account_word(vendor.account)
                yield ListTask(vendor.name, name, rules, subject, whose)


def list_names(vendors: Mapping[str, Vendor]) -> frozenset[str]:
    """What lists of these vendors may be called: `invoices`, and `VENDOR.invoices`."""
    both = ((each.name, name) for each in vendors.values() for name in listings_of(each))
    return frozenset(name for vendor, listing in both for name in (listing, f"{vendor}.{listing}"))


def check_names(vendors: Mapping[str, Vendor], names: Collection[str]) -> None:
    """ConfigurationError for a name that no list of these vendors has."""
    known = list_names(vendors)
    for name in names:
        if name not in known:
            short = ", ".join(sorted(each for each in known if "." not in each))
            raise ConfigurationError(f"no list is called {name!r}: there are {short}")


def _account_word(account: str) -> str:
    return f"account-{hashlib.sha256(account.encode()).hexdigest()[:12]}"


async def mirror_lists(
    session: Session, sink: MirrorSink, tasks: Sequence[ListTask], *, clock: Clock | None = None
) -> AsyncGenerator[ListProgress]:
    """Read lists into an open mirror, and tell of each as it ends.

    A list that the vendor refuses is told of, and the others go on. Raises SinkError, StoreError and
    SessionClosedError.
    """
    ended: asyncio.Queue[ListProgress | None] = asyncio.Queue()
    with Discretion():
        reading = asyncio.create_task(_read_all(session, sink, tasks, ended, (clock or SystemClock()).now))
        try:
            while (progress := await ended.get()) is not None:
                yield progress
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read_all(
    session: Session,
    sink: MirrorSink,
    tasks: Sequence[ListTask],
    ended: asyncio.Queue[ListProgress | None],
    now: Callable[[], datetime],
) -> None:
    readers, places = asyncio.Semaphore(_READERS), asyncio.Semaphore(_WAITING)
    under_way: set[asyncio.Task[None]] = set()

    async def one(task: ListTask) -> None:
        try:
            await ended.put(await _mirror(session, sink, task, readers, now))
        finally:
            places.release()

    try:
        for task in tasks:
            await places.acquire()
            for done in [each for each in under_way if each.done()]:
                under_way.discard(done)
                done.result()
            under_way.add(asyncio.create_task(one(task)))
        for each in list(under_way):
            await each
    finally:
        for each in under_way:
            each.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await ended.put(None)


async def _mirror(
    session: Session, sink: MirrorSink, task: ListTask, readers: asyncio.Semaphore, now: Callable[[], datetime]
) -> ListProgress:
    known = sink.lists.get((task.vendor, task.listing, task.whose))
    since = None if known is None or known.cursor is None else known.cursor - OVERLAP
    try:
        query = task.rules.query(task.subject, since if task.rules.cursor else None)
        async with readers:
            spool, reach, misfits = await _read(session, sink, task, query)
    except (VendorError, TransportError, TaskError, PayloadError, IncompleteResultError) as error:
        return ListProgress(task=task, end=ListEnd.FAILED, error=error)
    try:
        if known is not None and (reach.digest == known.digest or (since is not None and not spool.rows)):
            return ListProgress(task=task, end=ListEnd.UNCHANGED, rows=spool.rows, misfits=misfits)
        spool.note = LoadedList(
            vendor=task.vendor,
            listing=task.listing,
            subject=task.whose,
            cursor=reach.last if known is None else max(filter(None, (reach.last, known.cursor)), default=None),
            digest=reach.digest,
            row_count=spool.rows,
            read_at=now(),
        )
        await sink.load(spool)
        return ListProgress(task=task, end=ListEnd.LOADED, rows=spool.rows, misfits=misfits)
    finally:
        await asyncio.to_thread(spool.drop)


async def _read(session: Session, sink: MirrorSink, task: ListTask, query: Query[Any]) -> tuple[Spool, ListReach, int]:
    stream = stream_of(session, task, query)
    spool, reach = await asyncio.to_thread(sink.spool, stream), ListReach(task.rules.cursor)
    results = session.list(query)
    try:
        async with aclosing(results.batches()) as batches:
            async for batch in batches:
                reach.add(batch, await asyncio.to_thread(spool.add, batch))
        await asyncio.to_thread(spool.finish)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(spool.drop))
        raise
    return spool, reach, results.misfits.count


def stream_of(session: Session, task: ListTask, query: Query[Any]) -> Stream:
    """How the rows of a list are spread; of one whose rows have no ids, what is no longer there has ended."""
    shape = session.vendors[task.vendor].list(query).shape
    unversioned = task.rules.unversioned
    into = Spreading(task.table, shape.record, task.whose, unversioned, is_snapshot=not shape.has_ids)
    return Stream(into, task.rules)


class ListReach:
    """How far rows go by a field of theirs, and a digest of those that the next reading repeats: all, without one."""

    def __init__(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._total = 0
        self._late: list[tuple[datetime, int]] = []
        self.last: datetime | None = None

    def add(self, rows: Sequence[Any], found: Spreaded | None = None) -> None:
        """Take in rows, and what they say where they were spread."""
        for row in rows:
            at: datetime | None = None if self._cursor is None else getattr(row, self._cursor)
            if at is not None:
                self.last = at if self.last is None else max(self.last, at)
        for place, version in () if found is None else zip(found.new, found.versions, strict=True):
            at = None if self._cursor is None else getattr(rows[place], self._cursor)
            if at is None:
                self._total += int(version, 16)
            else:
                self._late.append((at, int(version, 16)))
        if self.last is not None:
            # As queries go: by whole seconds.
            since = (self.last - OVERLAP).replace(microsecond=0)
            self._late = [each for each in self._late if each[0] >= since]

    @property
    def digest(self) -> str:
        """What the repeated rows say, whatever their order."""
        total = self._total if self.last is None else sum(version for _, version in self._late)
        return hashlib.sha256(str(total).encode()).hexdigest()[:32]
