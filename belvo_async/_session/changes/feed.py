"""The changes of a plan's records, as an async iterable that knows how far it was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ...abc.changes import ChangeKind
from ...changes import Change
from ...changes.compare import Comparison, ToldChange
from ...changes.fingerprints import Fingerprints
from ...discreet import Discretion, discreet
from ...errors import (
    AuthenticationError,
    ConfigurationError,
    IncompleteResultError,
    PayloadError,
    TransportError,
    VendorError,
)
from ...jobs import Job
from ...planning import Cell, Settled, cover
from ...planning.spans import Span, join
from ..core import Core
from ..reading.results import Results
from .known import FoundChange, KnownRecords, RowRules, ScopeState, acknowledge_run, new_run
from .watched import Fresh, Watched, fresh_of

T = TypeVar("T")

# What reading again may mend; a key that is not taken is not among it.
_PASSING: Final = (IncompleteResultError, TransportError, VendorError, PayloadError)


class ChangeFeed:
    """What changed of a plan's records since the file of a cursor was acknowledged last. Costs nothing.

        changes = session.changes(plan, since="changes.db")
        async for change in changes:
            print(change.kind, change.record_id, change.fields)
            await changes.ack()

    Iterating reads the vendor's lists; no job is started. `ack` moves the cursor to the change that was handed over
    last: whatever is told after it is told again by the next reading, and nothing before it is. Each reading begins
    at the cursor; one reading has the file at a time (StoreError). Leaving the iteration early, by a `break`, a fault
    or the end of the process, loses nothing.
    Subjects whose lists could not be read stand in `unread`: the next reading comes to them. Raises AuthenticationError
    where the vendor does not take the key, StoreError where the file cannot be used, SessionClosedError.
    """

    def __init__(
        self,
        core: Core,
        watched: Watched,
        path: Path,
        jobs: Callable[[Settled], AsyncIterator[Job]],
        *,
        baseline: bool,
    ) -> None:
        self._core = core
        self._watched = watched
        self._path = path
        self._jobs = jobs
        self._is_silent = baseline
        self._run = new_run()
        self._heard: int | None = None
        self._file: _CursorFile | None = None
        self._unread: list[str] = []

    @property
    def unread(self) -> tuple[str, ...]:
        """The subjects that the latest iteration could not read."""
        return tuple(self._unread)

    async def __aiter__(self) -> AsyncGenerator[Change, None]:
        self._unread, self._heard = [], 0
        with Discretion():
            async with self._open() as file:
                cells, jobs = await self._known_days()
                for subject in self._watched.plan.subjects:
                    async with aclosing(self._subject(file, subject, cells, jobs)) as found:
                        async for change in found:
                            self._heard += 1
                            if not self._is_silent:
                                yield change
                            del change
                self._heard = await file.do(_count)

    @discreet
    async def ack(self) -> None:
        """Move the cursor, durably, to the change that was handed over last; after the end, to the end.

        Nothing is told again of what came until then, whoever reads. Before an iteration it does nothing. Raises
        ConfigurationError where another reading has begun since this one ended: it tells all of this again.
        """
        if self._heard is None:
            return
        heard = self._heard
        if self._file is not None:
            await self._file.do(lambda known: known.acknowledge(heard))
        elif not await _in_thread(partial(acknowledge_run, self._path, self._run, heard)):
            raise ConfigurationError("another reading of changes has begun: what this one told is told again by it")

    def __repr__(self) -> str:
        return f"<ChangeFeed of {self._watched.plan!r}>"

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[_CursorFile, None]:
        if self._file is not None:
            raise ConfigurationError("these changes are being read already: iterate them once at a time")
        self._run = new_run()
        async with _CursorFile.opened(self._path, self._run) as file:
            self._file = file
            try:
                yield file
            finally:
                self._file = None

    async def _known_days(self) -> tuple[Mapping[str, Sequence[Cell]], Mapping[str, Sequence[Job]]]:
        """What is known of each subject's days, and by which jobs."""
        rules = self._watched.plan_rules
        if rules is None:
            return {}, {}
        jobs = [job async for job in self._jobs(Settled(self._watched.plan, rules))]
        by_subject: dict[str, list[Job]] = {}
        for job in jobs:
            by_subject.setdefault(job.task.subject, []).append(job)
        return dict(cover(self._watched.plan, jobs).by_subject()), by_subject

    async def _subject(
        self,
        file: _CursorFile,
        subject: str,
        cells: Mapping[str, Sequence[Cell]],
        jobs: Mapping[str, Sequence[Job]],
    ) -> AsyncGenerator[Change, None]:
        plan, began = self._watched.plan, self._core.clock.now()
        scope = await file.do(lambda known: known.scope(plan.vendor, plan.resource, subject))
        state = await file.do(lambda known: known.state(scope))
        read, since = (frozenset[str](), began) if state is None else (state.jobs, state.since)
        fresh = fresh_of(cells.get(subject, ()), jobs.get(subject, ()), read, since)
        await file.do(KnownRecords.begin_scope)
        try:
            async for found in self._read(file, scope, subject, state, fresh):
                yield self._change(subject, found)
        except AuthenticationError:
            raise
        except _PASSING:
            self._unread.append(subject)
            return
        if state is not None and fresh.proven and not self._watched.rules.is_single:
            for change in await self._vanished(file, scope, subject, fresh):
                yield change
        days, sides = plan.span if state is None else self._watched.days_with(state.days), tuple(plan.directions)
        reached = ScopeState(since=began, days=days, sides=sides, jobs=fresh.jobs)
        await file.do(lambda known: known.end_scope(scope, reached))

    async def _read(
        self, file: _CursorFile, scope: int, subject: str, state: ScopeState | None, fresh: Fresh
    ) -> AsyncGenerator[FoundChange, None]:
        """Read what may have changed: all there is, or what moved since and what was asked for again."""
        rules = self._watched.rules
        look = RowRules(
            Comparison(rules, Fingerprints(rules.record, rules.ignored, file.key)),
            self._watched.place,
            _record_id,
            self._watched.is_wanted,
        )
        for span, since in self._readings(state, fresh):
            results = self._list(subject, span, since)
            async with aclosing(_batches(results, is_single=rules.is_single, moment=rules.moment)) as batches:
                async for rows, doubtful in batches:
                    for found in await file.do(partial(_compare, scope, rows, look, doubtful)):
                        yield found
                    del rows

    def _readings(self, state: ScopeState | None, fresh: Fresh) -> Iterator[tuple[Span, datetime | None]]:
        """Which days of the list are read, and since when: None for all that it holds of them."""
        plan, overlap = self._watched.plan, self._watched.rules.overlap
        if state is None or overlap is None or not set(plan.directions) <= set(state.sides):
            yield plan.span, None
            return
        yield plan.span, state.since - overlap
        again = [*fresh.spans, *self._watched.days_beyond(state.days)]
        for span in join(each for each in map(self._watched.within, again) if each[0] <= each[1]):
            yield span, None

    def _list(self, subject: str, span: Span, since: datetime | None) -> Results[Any]:
        vendor = self._core.vendors[self._watched.plan.vendor]
        query = self._watched.rules.listed(subject, self._watched.extent(span), since)
        return self._core.read(vendor.list(query), vendor, record=None, resume=None, strict=False)

    async def _vanished(self, file: _CursorFile, scope: int, subject: str, fresh: Fresh) -> list[Change]:
        directions = self._watched.plan.directions

        def look(known: KnownRecords) -> list[str]:
            firsts, lasts = zip(*(span for _, span in fresh.proven), strict=True)
            return known.vanished(
                scope, lambda day, sides: fresh.is_proven(day, sides, directions), (min(firsts), max(lasts))
            )

        gone = await file.do(look)
        return [self._change(subject, FoundChange(ToldChange(ChangeKind.VANISHED), each, None)) for each in gone]

    def _change(self, subject: str, found: FoundChange) -> Change:
        plan = self._watched.plan
        return Change(
            kind=found.told.kind,
            vendor=plan.vendor,
            resource=plan.resource,
            subject=subject,
            record_id=found.record_id,
            at=self._core.clock.now(),
            fields=found.told.fields,
            record=found.record,
        )


class _CursorFile:
    """The file of a cursor, open, in a thread of its own: one call after the other."""

    def __init__(self, thread: ThreadPoolExecutor, known: KnownRecords) -> None:
        self._thread = thread
        self._snapshot = known
        self.key = known.key

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path, run: str) -> AsyncGenerator[_CursorFile, None]:
        """Open the file for one reading."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "belvo-async-changes") as thread:
            opened: list[KnownRecords] = []
            try:
                await loop.run_in_executor(thread, lambda: opened.append(KnownRecords(path, run)))
                yield cls(thread, opened[0])
            finally:
                # Behind whatever is under way there; the thread is waited for as it is left.
                thread.submit(_close, opened)

    def do(self, work: Callable[[KnownRecords], T]) -> Awaitable[T]:
        """Do something with it."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work, self._snapshot)


async def _in_thread(work: Callable[[], T]) -> T:
    """Do something in a thread that ends with it: none is left when the session closes."""
    with ThreadPoolExecutor(1, "belvo-async-changes") as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, work)


def _close(opened: Sequence[KnownRecords]) -> None:
    for each in opened:
        each.close()


def _count(known: KnownRecords) -> int:
    return known.found


def _compare(scope: int, rows: Sequence[Any], look: RowRules, doubtful: bool, known: KnownRecords) -> list[FoundChange]:
    return known.compare(scope, rows, look, doubtful=doubtful)


def _record_id(row: Any) -> str | None:
    found = getattr(row, "id", None)
    return None if found is None else str(found)


async def _batches(
    results: Results[Any], *, is_single: bool, moment: Callable[[Any], Any]
) -> AsyncGenerator[tuple[Sequence[Any], bool], None]:
    """Rows as they come, and whether some value among them could not be read; of single ones the newest alone."""
    newest: tuple[Any, bool] | None = None
    unread = 0
    async with aclosing(results.batches()) as batches:
        async for rows in batches:
            doubtful, unread = results.misfits.count > unread, results.misfits.count
            if not is_single:
                yield rows, doubtful
                continue
            for row in rows:
                if newest is None or _is_newer(moment(row), moment(newest[0])):
                    newest = row, doubtful
            del rows
    if newest is not None:
        yield (newest[0],), newest[1]


def _is_newer(at: Any, other: Any) -> bool:
    return at is not None and (other is None or at >= other)
