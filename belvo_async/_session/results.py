"""Reading records: pages asked for one after the other, decoded as they come, each record once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from .._decode import PageReader
from .._http import Send
from ..abc import Clock, Page, Request, Vendor, Walk
from ..errors import IncompleteResultError
from ..jobs import Observation

R_co = TypeVar("R_co", covariant=True)

# Rows move between pages while the vendor adds more; one that moved further than this is delivered twice.
WINDOW_IDS = 20_000


class Results(Generic[R_co]):
    """The records of a finished job or of a direct read, as an async iterable.

    Each iteration reads from the start. Rows that another subject, period or kind owns are left out, rows that pages
    repeat are dropped by their id. Raises VendorError for an error answer, TransportError when no answer came,
    PayloadError (naming the path) for bytes that do not fit, IncompleteResultError after the last record when the
    vendor counts more than it gave; all records before the fault were delivered.
    """

    def __init__(
        self, walk: Callable[[], Walk[R_co]], vendor: Vendor, send: Send, *, remarks: Remarks | None = None
    ) -> None:
        self._walk = walk
        self._vendor = vendor
        self._send = send
        self._remarks = remarks

    async def __aiter__(self) -> AsyncGenerator[R_co, None]:
        # Closed here and not by the collector: leaving early gives the connection back at once.
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for record in batch:
                    yield record

    async def batches(self) -> AsyncGenerator[tuple[R_co, ...], None]:
        """The same records in tuples of at most a few dozen, as they are decoded. Never an empty one."""
        walk = self._walk()
        once = _Once(walk)
        received = 0
        expected: int | None = None
        steps = walk.steps(None)
        request = next(steps, None)
        try:
            while request is not None:
                reader = PageReader(walk.shape)
                async with aclosing(self._read(request, reader)) as read:
                    async for batch in read:
                        if self._remarks is not None:
                            await self._remarks.take(walk, batch)
                        fresh = once.drop_repeated(batch)
                        if fresh:
                            yield fresh
                received += reader.page.rows
                expected = reader.page.count if reader.page.count is not None else expected
                request = _advance(steps.send, reader.page)
        finally:
            steps.close()
        received -= once.repeated
        if expected is not None and received < expected:
            text = f"{received} records arrived, the vendor counts {expected}; read again or treat them as partial"
            raise IncompleteResultError(text, expected=expected, received=received)

    async def to_list(self) -> list[R_co]:
        """All records in a list: only for results that fit in memory."""
        return [record async for record in self]

    async def _read(self, request: Request, reader: PageReader[R_co]) -> AsyncGenerator[tuple[R_co, ...], None]:
        async with self._send(request) as response:
            if response.status != 200:
                raise self._vendor.read_error(await response.answer())
            async for batch in reader.batches(response.chunks()):
                yield batch


class Remarks:
    """Passes on, once, what records say about their job: that data is missing, and from when it may be had."""

    def __init__(self, clock: Clock, note: Callable[[Observation], Awaitable[None]]) -> None:
        self._clock = clock
        self._note = note
        self._noted = False

    async def take(self, walk: Walk[object], batch: tuple[object, ...]) -> None:
        """Look at the records of a batch."""
        remark = walk.shape.remark
        if remark is None or self._noted:
            return
        now = self._clock.now()
        seen = next((said for said in (remark(record, now) for record in batch) if said is not None), None)
        if seen is not None:
            self._noted = True
            await self._note(seen)


class _Once(Generic[R_co]):
    """Remembers the last ids seen; a record type without ids passes unchanged."""

    def __init__(self, walk: Walk[R_co]) -> None:
        self._record_id = walk.shape.record_id
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self.repeated = 0

    def drop_repeated(self, batch: tuple[R_co, ...]) -> tuple[R_co, ...]:
        if self._record_id is None:
            return batch
        fresh = tuple(record for record in batch if self._is_new(self._record_id(record)))
        self.repeated += len(batch) - len(fresh)
        return fresh

    def _is_new(self, record_id: str | None) -> bool:
        if record_id is None:
            return True
        if record_id in self._seen:
            return False
        self._seen.add(record_id)
        self._order.append(record_id)
        if len(self._order) > WINDOW_IDS:
            self._seen.discard(self._order.popleft())
        return True


def _advance(send: Callable[[Page], Request], page: Page) -> Request | None:
    try:
        return send(page)
    except StopIteration:
        return None
