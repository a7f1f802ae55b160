"""Reading records: page after page, decoded as they come, each record once."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, Self, TypeVar

from ..._decode import PageReader
from ..._http import Send
from ...abc import Clock, Page, Request, Shape, Vendor, Walk
from ...discreet import Discretion, discreet
from ...errors import IncompleteResultError, TaskError, TransportError
from ...jobs import Observation
from ...telemetry import SILENT, Telemetry
from ...tolerant import Misfits
from .dedup import FilteredRows, RowFilter
from .misfits import MisfitReport
from .page_loops import PageLoops
from .prefetch import Prefetch, Spares
from .record_type import check_record

if TYPE_CHECKING:
    import pyarrow

R_co = TypeVar("R_co", covariant=True)

# A page whose body broke off is asked for again this often: one after the other, on a fresh connection each time.
PAGE_ATTEMPTS: Final = 4


class Results(Generic[R_co]):
    """The records of a finished job or of a direct read, as an async iterable.

    Each iteration reads from the start (or from `resume`). The following pages are asked for while one is read. Rows
    that another subject, period or kind owns are left out; rows that moving pages repeat are dropped by their id, as
    far as the last 20,000 ids reach back (a record type without ids: only when a page that broke off is read again).
    A row that does not fit its type is read a second time, tolerantly: whatever can be read without loss is, the rest
    is None and stands in `misfits`. With `strict`, such a row is a PayloadError that names the path.
    Raises VendorError for an error answer, TransportError when no answer came, PayloadError for a row without its id
    and for what is no JSON, IncompleteResultError after the last record when the vendor counts more than it gave; all
    records before the fault were delivered.
    """

    def __init__(
        self,
        walk: Walk[object],
        vendor: Vendor,
        send: Send,
        spares: Spares,
        *,
        record: type[R_co] | None = None,
        resume: str | None = None,
        remarks: Remarks | None = None,
        strict: bool = False,
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._walk = walk
        self._vendor = vendor
        self._send = send
        self._spares = spares
        self._record = record
        self._strict = strict
        self._telemetry = telemetry
        self._misfits = Misfits()
        if record is not None:
            check_record(walk.shape, record)
        self._start: _Checkpoint | None = None
        self._remarks = remarks
        self._reached: _Checkpoint | None = None
        if resume is not None:
            # Another reading's checkpoint is refused here, not at the first record.
            self._start = _Checkpoint.read(resume, _reading_of(walk))
            next(walk.steps(self._start.target))

    @property
    def misfits(self) -> Misfits:
        """What the latest iteration could not read so far: how many values, and the first hundred of them."""
        return self._misfits

    @property
    def checkpoint(self) -> str | None:
        """Where the latest iteration stands: the page it reads, as a text to give to `resume`, in any process.

        After a fault, the page it names was not delivered whole; its records that were come again. None before the
        first page and after the last. It holds the list's filters, an RFC among them if you gave one: keep it where
        you keep the data.
        """
        return None if self._reached is None else self._reached.text

    async def __aiter__(self) -> AsyncGenerator[R_co, None]:
        # Closed here and not by the collector: leaving early gives the connection back at once.
        with Discretion():
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    for record in batch:
                        yield record
                        # What stands in a frame may be shown with the traceback of a later fault: here as below.
                        del record
                    del batch

    async def batches(self) -> AsyncGenerator[tuple[R_co, ...], None]:
        """The same records in tuples, as they are decoded: a quarter of a megabyte of JSON each. Never an empty one."""
        walk = self._walk
        start = self._start or _Checkpoint(None, 0, _reading_of(walk))
        row_filter = RowFilter[R_co](walk.shape, start.counted)
        page_loops = PageLoops()
        steps = walk.steps(start.target)
        request = next(steps, None)
        expected: int | None = None
        misfits = self._misfits = Misfits()
        misfit_report = MisfitReport("" if request is None else request.name)
        with Discretion(), closing(steps):
            async with Prefetch(self._send, self._spares, walk.ahead) as prefetch:
                while request is not None:
                    self._reached = start._replace(target=request.target, counted=row_filter.counted)
                    reader = PageReader(walk.shape, record=self._record, strict=self._strict)
                    before = row_filter.counted
                    with self._telemetry.page(self._vendor.name, request.name) as span:
                        async with aclosing(self._read(request, reader, prefetch, row_filter)) as page:
                            async for filtered in page:
                                _note_odd(filtered, walk.shape, misfits, misfit_report)
                                if filtered.records:
                                    yield tuple(filtered.records)
                                del filtered
                        span.count(row_filter.counted - before)
                    expected = reader.page.count if reader.page.count is not None else expected
                    request = _advance(steps.send, reader.page)
                    if reader.page.next:
                        page_loops.check(row_filter.page, row_filter.counted, expected, leads_on=request is not None)
        self._reached = None
        if expected is not None and row_filter.counted < expected:
            arrived = f"{row_filter.counted} records arrived, the vendor counts {expected}"
            raise IncompleteResultError(
                f"{arrived}; read again or treat them as partial", expected=expected, received=row_filter.counted
            )

    @discreet
    def arrow_batches(
        self, *, rows: int = 2_000, flat: bool = False, decimals: Literal["exact", "text"] = "exact"
    ) -> AsyncGenerator[pyarrow.RecordBatch, None]:
        """The same records as record batches of Arrow (extra `parquet`), of at most so many `rows`. Never an empty one.

        Columns and types are those of the Parquet sink: names in snake_case, decimal128(38, 9), date32, timestamps in
        microseconds and UTC, UUIDs in small letters; nested records are structs and lists. With `flat`, nested records
        are columns like `tax_details_total`, only lists are nested. With `decimals="text"`, decimals are exact texts.
        Raises ConfigurationError without pyarrow and TaskError where rows are read into what has no columns, both at
        once; SinkError names the column of a value that has no place in its type, after the batches before it.
        """
        from .arrow import gather, make_batches

        made = make_batches(self._record or self._walk.shape.record, rows=rows, flat=flat, decimals=decimals)
        return gather(self.batches(), made, rows)

    @discreet
    async def arrow(self, *, flat: bool = False, decimals: Literal["exact", "text"] = "exact") -> pyarrow.Table:
        """All records as one table of Arrow: only for results that fit in memory. Otherwise as `arrow_batches`."""
        from .arrow import make_table

        batches = self.arrow_batches(flat=flat, decimals=decimals)
        return await make_table(batches, self._record or self._walk.shape.record, flat=flat, decimals=decimals)

    @discreet
    async def to_list(self) -> list[R_co]:
        """All records in a list: only for results that fit in memory.

        An error loses the list: who wants to keep what came before it iterates.
        """
        records: list[R_co] = []
        try:
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    records += batch
                    del batch
        except BaseException:
            records.clear()
            raise
        return records

    def __repr__(self) -> str:
        # One whose arguments were refused may have no vendor yet.
        whose = f" of {self._vendor.name}" if hasattr(self, "_vendor") else ""
        return f"<Results{whose}: iterate it, or await its to_list()>"

    async def _read(
        self, request: Request, reader: PageReader[R_co], prefetch: Prefetch, row_filter: RowFilter[R_co]
    ) -> AsyncGenerator[FilteredRows[R_co], None]:
        """Read one page; again from its first row when its body breaks off. `send` retries what comes before a body."""
        for attempt in range(1, PAGE_ATTEMPTS + 1):
            row_filter.begin_page(again=attempt > 1)
            async with prefetch.open(request) as response:
                if response.status != 200:
                    raise self._vendor.read_error(await response.answer())
                try:
                    async with aclosing(reader.batches(response.chunks())) as batches:
                        async for batch in batches:
                            prefetch.look(request, reader.page)
                            filtered = row_filter.take(batch)
                            if self._remarks is not None:
                                await self._remarks.take(filtered.seen)
                            yield filtered
                            del batch, filtered
                    return
                except TransportError:
                    if attempt == PAGE_ATTEMPTS:
                        raise


def _note_odd(filtered: FilteredRows[Any], shape: Shape[object], misfits: Misfits, misfit_report: MisfitReport) -> None:
    """Count what could not be read of the rows that are passed on, and warn of it."""
    for odd in filtered.odd:
        record_id = None if odd.row is None or shape.record_id is None else shape.record_id(odd.row)
        for each in odd.told:
            misfits.add(each.place.path, each.raw, record_id)
        misfit_report.warn(each.place.path for each in odd.told)


class Remarks:
    """Passes on, once, what records say about their job: that data is missing, and from when it may be had."""

    def __init__(
        self,
        remark: Callable[[Any, datetime], Observation | None],
        clock: Clock,
        note: Callable[[Observation], Awaitable[None]],
    ) -> None:
        self._remark = remark
        self._clock = clock
        self._note = note
        self._noted = False

    async def take(self, seen: Sequence[object]) -> None:
        """Look at the records of a batch."""
        if self._noted:
            return
        now = self._clock.now()
        said = next((each for each in (self._remark(record, now) for record in seen) if each is not None), None)
        if said is not None:
            self._noted = True
            await self._note(said)


class _Checkpoint(NamedTuple):
    """A page, how many rows came before it, and of which reading: what it takes to go on where another stopped."""

    target: str | None
    counted: int
    reading: str

    def __repr__(self) -> str:
        # The target holds the filters of the list, which may name a taxpayer.
        return f"_Checkpoint({self.counted}, {self.reading})"

    @property
    def text(self) -> str:
        return f"{self.counted} {self.reading} {self.target}"

    @classmethod
    def read(cls, text: object, reading: str) -> Self:
        parts = text.split(" ") if isinstance(text, str) else []
        if len(parts) != 3 or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < _DIGITS):
            raise TaskError("`resume` is the text that `checkpoint` gave", field="resume")
        if parts[1] != reading:
            raise TaskError("that checkpoint is of another reading: `resume` goes on with the same one", field="resume")
        return cls(parts[2], int(parts[0]), reading)


def _reading_of(walk: Walk[object]) -> str:
    """Tell readings apart: those of one list, by their filters."""
    return hashlib.sha256(next(walk.steps(None)).target.encode()).hexdigest()[:12]


# More rows than this many digits can tell are in no list.
_DIGITS: Final = 19


def _advance(send: Callable[[Page], Request], page: Page) -> Request | None:
    try:
        return send(page)
    except StopIteration:
        return None
