"""The run of a plan: what is done when. Whatever breaks it off, the same call goes on."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from ...abc import Sink, Store
from ...discreet import Discretion
from ...jobs import Job
from ...planning import Cell, Known, Outage, Settled
from ..core import Core
from .collect import TOGETHER_LIMIT, DuePart, in_groups
from .documents import Documents
from .lookout import Lookout
from .progress import PlanEvent, PlanOutcome, PlanProgress
from .steps import RunTerms, Steps, note_outage
from .subject_state import SubjectState
from .telling import Telling

# Parts that are written at a time: each holds a batch of rows.
WRITERS: Final = 8
# A wall clock may be set meanwhile, so that no wait is slept through in one piece.
LONGEST_SLEEP: Final = timedelta(minutes=1)


class PlanRun:
    """A plan being carried out: iterate it for what happens, then see `outcome`.

    Leaving the iteration early, by a `break` or cancelled, stops asking at once; jobs that were sent go on at the
    vendor, and the same call takes them up. Iterated once.
    """

    def __init__(
        self,
        core: Core,
        store: Store,
        sink: Sink,
        settled: Settled,
        lines: Sequence[SubjectState],
        terms: RunTerms,
        read_again: Callable[[], AsyncIterator[Job]],
        files: Documents | None = None,
    ) -> None:
        self._clock = core.clock
        self._sink = sink
        self._lines = lines
        self._terms = terms
        self._outage = Outage()
        if not terms.waits:
            self._recall_outage(settled)
        paid = (job for line in lines for job in line.paid(terms.plan_id))
        self._telling = Telling(core.clock, terms.price, paid)
        self._steps = Steps(
            core=core,
            store=store,
            sink=sink,
            settled=settled,
            terms=terms,
            telling=self._telling,
            outage=self._outage,
            lookout=Lookout(read_again, lines),
            files=files,
        )
        self._working: set[asyncio.Task[SubjectState]] = set()
        self._ended: asyncio.Queue[asyncio.Task[SubjectState]] = asyncio.Queue()
        # Subjects with something to ask or to wait for; jobs to hand over; subjects that may be asked only later.
        self._ready: deque[SubjectState] = deque()
        self._collectable: deque[tuple[SubjectState, tuple[DuePart, ...]]] = deque()
        self._reads_together = settled.rules.list_of is not None
        self._later: list[tuple[datetime, int, SubjectState]] = []
        self._following = self._collecting = 0
        # The subject whose request is to show whether a pause is over.
        self._probe: SubjectState | None = None
        self._waited_until: datetime | None = None
        self._outcome: PlanOutcome | None = None

    @property
    def outcome(self) -> PlanOutcome:
        """How it ended. RuntimeError before the iteration did."""
        if self._outcome is None:
            raise RuntimeError("the run has not ended: iterate it to its end first")
        return self._outcome

    async def __aiter__(self) -> AsyncGenerator[PlanProgress, None]:
        driving = asyncio.create_task(self._drive_to_the_end(), name="extraction")
        with Discretion():
            try:
                async for told in self._telling.heard():
                    yield told
                await driving
            finally:
                driving.cancel()
                await asyncio.gather(driving, return_exceptions=True)

    async def _drive_to_the_end(self) -> None:
        try:
            await self._drive()
        except asyncio.CancelledError:
            raise  # nobody reads any more
        except BaseException:
            await self._telling.end()
            raise
        await self._telling.end()

    async def _drive(self) -> None:
        for line in self._lines:
            self._queue(line, self._clock.now())
        try:
            await self._telling.tell(PlanEvent.BEGUN)
            while await self._go_on():
                pass
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
            await self._sink.end()
        self._outcome = self._conclude()
        # What was known of the subjects may weigh more than all else that its owner does from now on.
        self._lines = ()
        self._later.clear()
        self._steps.lookout.close()

    async def _go_on(self) -> bool:
        """Start what may be, and wait for something to happen; whether there may be anything left."""
        self._start()
        if not self._working:
            # Nothing more comes for now: what was held back for others is handed over.
            for line in self._lines:
                self._gather(line, now_or_never=not line.going_on)
            self._start()
        if self._working:
            await self._meet_next()
            return True
        until = self._next_instant()
        return until is not None and await self._wait_until(until)

    async def _meet_next(self) -> None:
        """Wait until a task ends, or something may be asked again."""
        ended: asyncio.Task[SubjectState] | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_until(self._next_instant())):
                ended = await self._ended.get()
        if ended is not None:
            self._working.discard(ended)
            self._queue(ended.result(), self._clock.now())
        self._take_later()

    async def _wait_until(self, until: datetime) -> bool:
        """Wait with nothing under way; False where nobody wants to wait that long."""
        patience = self._terms.patience
        if patience is not None and until - self._clock.now() > patience:
            return False
        if self._waited_until != until:
            self._waited_until = until
            await self._telling.tell(PlanEvent.WAITING, until=until)
        await asyncio.sleep(self._seconds_until(until) or 0)
        self._take_later()
        return True

    def _next_instant(self) -> datetime | None:
        """When something may be asked that may not be now."""
        if self._steps.is_capped:
            return None
        later = self._later[0][0] if self._later else None
        paused = self._outage.until if self._ready and self._outage.is_on(self._clock.now()) else None
        return min((each for each in (later, paused) if each is not None), default=None)

    def _seconds_until(self, until: datetime | None) -> float | None:
        if until is None:
            return None
        return max(min(until - self._clock.now(), LONGEST_SLEEP).total_seconds(), 0.001)

    def _take_later(self) -> None:
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            line = heapq.heappop(self._later)[2]
            line.waits_for = None
            self._queue(line, now)

    def _queue(self, line: SubjectState, now: datetime) -> None:
        """Work out what a subject needs next, and put it where that is taken from."""
        before = line.left
        line.review(self._terms.windows, now)
        self._telling.count(left=line.left - before)
        self._gather(line)
        if line.is_busy or line.is_waiting:
            return
        if line.under_way is not None or line.chunk is not None:
            line.is_waiting = True
            self._ready.append(line)
        elif line.later is not None and line.waits_for != line.later:
            line.waits_for = line.later
            heapq.heappush(self._later, (line.later, id(line), line))

    def _gather(self, line: SubjectState, *, now_or_never: bool = False) -> None:
        """Put what a subject has to hand over where it is taken from.

        Where one list brings the rows of several jobs, they are waited for: requests are what a vendor counts.
        """
        parts = list(line.due_parts())
        if not self._reads_together:
            groups: Iterable[tuple[DuePart, ...]] = ((each,) for each in parts)
        elif line.is_at_rest or now_or_never or len(parts) >= TOGETHER_LIMIT:
            groups = in_groups(parts)
        else:
            return
        for group in groups:
            line.collecting.update(each.job.id for each in group)
            self._collectable.append((line, group))

    def _start(self) -> None:
        """Begin what may begin now: handing over what ended, waiting and asking."""
        while self._collectable and self._collecting < WRITERS:
            self._collecting += 1
            self._begin(self._hand_over(*self._collectable.popleft()))
        for _ in range(len(self._ready)):
            if self._following >= self._terms.concurrency:
                break
            line = self._ready.popleft()
            if line.under_way is None and not self._may_ask():
                self._ready.append(line)
                continue
            line.is_waiting, line.is_busy = False, True
            if line.under_way is None and self._outage.is_probing:
                self._probe = line
            self._count_following(1)
            self._begin(self._follow(line))

    def _may_ask(self) -> bool:
        if self._steps.is_capped or self._outage.is_on(self._clock.now()):
            return False
        # Behind a pause, one request shows whether it is over.
        return not (self._outage.is_probing and (self._probe is not None or self._is_probed()))

    def _is_probed(self) -> bool:
        """Whether somebody else waits for the request that shows whether a pause is over."""
        since = None if self._terms.waits else self._outage.until
        return since is not None and any(line.has_open_since(since) for line in self._lines)

    def _begin(self, work: Coroutine[None, None, SubjectState]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended.put_nowait)
        self._working.add(task)

    async def _follow(self, line: SubjectState) -> SubjectState:
        try:
            await self._steps.follow(line)
        finally:
            line.is_busy = False
            self._probe = None if self._probe is line else self._probe
            self._count_following(-1)
        return line

    async def _hand_over(self, line: SubjectState, parts: tuple[DuePart, ...]) -> SubjectState:
        try:
            await self._steps.hand_over(line, parts)
        finally:
            line.collecting.difference_update(each.job.id for each in parts)
            self._collecting -= 1
        return line

    def _recall_outage(self, settled: Settled) -> None:
        """Learn of a pause from the jobs that ended: who waits for none did not see them end."""
        ends = [(at, line, job) for line in self._lines for at, job in line.ends]
        for at, line, job in sorted(ends, key=lambda each: (each[0], each[2].id)):
            note_outage(self._outage, settled, line.subject, job, at)

    def _look_at(self) -> datetime | None:
        """When there may be something to do even if nothing ends."""
        now = self._clock.now()
        pause = self._outage.until if self._ready and self._outage.is_on(now) else None
        asked = [] if self._steps.is_capped else [pause, *(line.later for line in self._lines)]
        return min((each for each in (*asked, *(line.next_deadline for line in self._lines)) if each), default=None)

    def _count_following(self, more: int) -> None:
        self._following += more
        self._telling.count(open=more)

    def _conclude(self) -> PlanOutcome:
        days = dict.fromkeys(Known, 0)
        for each in self._cells():
            days[each.known] += each.days
        unwritten = tuple(job for line in self._lines for job in line.unwritten)
        later = [line.later for line in self._lines if line.later is not None]
        return PlanOutcome(
            tally=replace(self._telling.tally, open=0),
            days=days,
            is_whole=all(line.is_proven for line in self._lines) and not unwritten,
            refused=tuple(cell for line in self._lines for cell in line.refused),
            later=sum(line.later_count for line in self._lines),
            retry_at=min(later, default=None),
            unwritten=unwritten,
            stuck=tuple(job for line in self._lines for job in sorted(line.stuck)),
            is_capped=self._steps.is_capped,
            going_on=tuple(job for line in self._lines for job in sorted(line.going_on)),
            look_at=self._look_at(),
        )

    def _cells(self) -> Iterator[Cell]:
        return (cell for line in self._lines for cell in line.cells)
