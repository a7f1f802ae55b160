"""The two things that are done for a subject: getting a job to its end, and handing its rows over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from ...abc import LONG_AGO, Sink, Store, Urgency
from ...errors import (
    BelvoAsyncError,
    IncompleteResultError,
    JobError,
    PayloadError,
    TransportError,
    VendorError,
    name_fault,
)
from ...jobs import Job, Status, Wish
from ...planning import Chunk, Outage, Price, Settled, Window
from ...planning.calendar import TIMELESS, midnight_after, number
from ..bulk import check_key
from ..core import Core
from ..handle import JobHandle, handle_on
from .collect import Collected, DuePart, collect
from .documents import Documents
from .handed import Handed, begun, entry_of
from .lookout import Lookout
from .progress import PlanEvent
from .subject_state import PLAN_TAG, SubjectState, is_paid
from .telling import Telling

# Open jobs cost next to nothing; a vendor's budget is met with a few hundred of them.
CONCURRENCY: Final = 500
# What breaks off is asked for again at once by whoever reads; what fails then is left alone for a while.
READ_AGAIN_AFTER: Final = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
# What reading a finished job again may mend.
_PASSING: Final = (IncompleteResultError, TransportError, VendorError, PayloadError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """How a run is to be carried out; see `Session.extract`.

    `windows`: for which days an answer must be how new. `most`: how many requests may be paid for in all. `waits`:
    whether jobs are waited for, or left to whoever is told of their end.
    """

    # Worked out once, when the run begins: a run longer than an answer may be old would else ask for ever.
    windows: Sequence[Window]
    plan_id: str
    tags: Mapping[str, str]
    deadline: timedelta | None = None
    concurrency: int = CONCURRENCY
    patience: timedelta | None = None
    price: Price | None = None
    most: int | None = None
    waits: bool = True


@dataclass(slots=True, kw_only=True)
class Steps:
    """Does one thing for one subject at a time, and says so."""

    core: Core
    store: Store
    sink: Sink
    settled: Settled
    terms: RunTerms
    telling: Telling
    outage: Outage
    lookout: Lookout
    files: Documents | None = None
    is_capped: bool = False

    async def follow(self, line: SubjectState) -> None:
        """Wait for the open job of a subject, or send its next request and wait for that."""
        handle = await self._take_up(line) if line.under_way else await self._fire(line)
        if handle is not None:
            await self._await(line, handle)

    async def hand_over(self, line: SubjectState, parts: Sequence[DuePart]) -> None:
        """Write the rows of jobs that belong to their days, and keep that they are written."""
        done = await self._collect(line, parts)
        if done is None:
            line.unread.update(each.job.id for each in parts)
            return
        await self.store.enter(
            [entry_of(part.job.account, handed) for part, handed in zip(parts, done.handed, strict=True)]
        )
        self.telling.count(misfits=done.misfits)
        for part, handed in zip(parts, done.handed, strict=True):
            await self._note_part(line, part.job, handed)

    async def _note_part(self, line: SubjectState, job: Job, handed: Handed) -> None:
        line.handed[job.id] = handed
        # Where what was read says that more may be had, the job is partial from then on.
        kept = await self.store.get(job.id)
        if kept is not None:
            line.learn(kept)
        receipt, unsaved = handed.receipt, handed.unsaved
        if unsaved:
            line.unread.add(job.id)  # what the vendor does not hold yet is asked for by the next run
        self.telling.count(parts=1, rows=receipt.rows, written_bytes=receipt.size_bytes, unsaved_files=unsaved)
        await self.telling.tell(PlanEvent.WRITTEN, job=job, receipt=receipt)

    async def _begin_parts(self, line: SubjectState, parts: Sequence[DuePart]) -> None:
        """Keep that parts may be there before they are: who dies in between leaves none that nobody knows of."""
        sink, now = self.sink.name, self.core.clock.now()
        handed = (begun(line.handed.get(each.job.id), sink, each.job.id, each.spans, now) for each in parts)
        await self.store.enter([entry_of(part.job.account, each) for part, each in zip(parts, handed, strict=True)])

    async def _collect(self, line: SubjectState, parts: Sequence[DuePart]) -> Collected | None:
        """Read the rows of jobs into their parts; None when that failed again and again: the next run does it."""
        begin = partial(self._begin_parts, line, parts)
        for wait in (*(READ_AGAIN_AFTER if self.terms.waits else ()), None):
            others = list(line.held_beside(parts))
            try:
                return await collect(self.core, self.sink, self.settled, parts, others, self.files, begin)
            except _PASSING as error:
                await self.telling.tell(PlanEvent.UNREAD, job=parts[0].job, note=_words(error))
            if wait is not None:
                await asyncio.sleep(wait.total_seconds())
        return None

    async def _take_up(self, line: SubjectState) -> JobHandle[Any] | None:
        job_id = line.under_way or ""
        job = await self.store.get(job_id)
        if job is None:
            line.forget(job_id)
            return None
        line.learn(job)
        return handle_on(self.core, job, self.core.deadline_after(self.terms.deadline))

    async def _fire(self, line: SubjectState) -> JobHandle[Any] | None:
        await self.lookout.catch_up(self._learn)
        chunk = line.chunk
        if chunk is None or line.is_behind or await self._is_too_much():
            return None
        with self.telling.paying():
            job, until, is_joined = await self._submit(chunk, fresh_since=self._since(chunk))
            if line.knows_ended(job):
                # Whole, and yet its days are not proven: it was asked before they had ended.
                job, until, is_joined = await self._submit(chunk, fresh_since=None)
        self._learn(line, job)
        line.note_sent()
        self.telling.count(fired=not is_joined, joined=is_joined, left=-1)
        await self.telling.tell(PlanEvent.FIRED, job=job)
        return handle_on(self.core, job, until)

    def _learn(self, line: SubjectState, job: Job) -> None:
        line.learn(job)
        self.telling.pay(job, is_paid=is_paid(job, self.terms.plan_id))

    async def _is_too_much(self) -> bool:
        if self.terms.most is None or self.telling.sent < self.terms.most:
            return False
        if not self.is_capped:
            self.is_capped = True
            await self.telling.tell(PlanEvent.CAPPED)
        return True

    async def _submit(self, chunk: Chunk, *, fresh_since: datetime | None) -> tuple[Job, datetime, bool]:
        """Fire or join: the job, until when it is waited for, and whether it was somebody else's."""
        job_id = self.core.tracker.context.new_id()
        tags = {**self.terms.tags, PLAN_TAG: self.terms.plan_id}
        wish = Wish(job_id=job_id, fresh_since=fresh_since, tags=tags)
        task = chunk.task(*self.settled)
        job, until = await self.core.submit(task, self.terms.deadline, wish, urgency=Urgency.BULK)
        return job, until, job.id != job_id

    def _since(self, chunk: Chunk) -> datetime:
        """From when on an equal whole job, of whomever, answers for a chunk."""
        now = self.core.clock.now()
        first, last = number(chunk.first), number(chunk.last)
        since = [
            window.since
            for window in self.terms.windows
            if window.since is not None and window.span[0] <= last and first <= window.span[1]
        ]
        ended = LONG_AGO if last == TIMELESS else midnight_after(last)
        return max(LONG_AGO, min(ended, now), *since)

    async def _await(self, line: SubjectState, handle: JobHandle[Any]) -> None:
        if self.terms.waits or handle.done():
            with suppress(JobError):  # data: what it says of its days
                await handle
        job = handle.job
        if job.is_open:
            self._learn(line, job)
            if not (self.terms.waits or job.is_past(self.core.clock.now())):
                line.going_on.add(job.id)
                return
            line.stuck.add(job.id)
            await self.telling.tell(PlanEvent.STUCK, job=job)
            return
        check_key(job)
        self._learn(line, job)
        self.telling.count_end(job)
        await self.telling.tell(PlanEvent.ENDED, job=job)
        await self._note_outage(line, job)

    async def _note_outage(self, line: SubjectState, job: Job) -> None:
        if note_outage(self.outage, self.settled, line.subject, job, self.core.clock.now()):
            code = None if job.failure is None else job.failure.code
            await self.telling.tell(PlanEvent.PAUSED, until=self.outage.until, note=code)


def note_outage(outage: Outage, settled: Settled, subject: str, job: Job, at: datetime) -> bool:
    """Note what the end of a job says of the institution; whether a pause begins."""
    code = None if job.failure is None else job.failure.code
    if code in settled.rules.outages:
        return outage.failed(subject, at)
    if job.status is Status.FINISHED:
        outage.passed()
    return False


def _words(error: BelvoAsyncError) -> str:
    return str(error) if isinstance(error, IncompleteResultError) else name_fault(error)
