"""What is known of each day that a plan wants. The axis is the plan's, never that of what happened to be fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from ..jobs import Extent, Job, Status, Way
from .calendar import TIMELESS, day_of, mexican_day, midnight_after, number
from .plan import Plan
from .spans import Canvas, Span


class Known(StrEnum):
    """What is known of a day that is wanted."""

    PROVEN = "proven"
    """A job that was asked after the day had ended finished whole, by the vendor's word."""
    PARTIAL = "partial"
    """An answer came, and more may be had: the job says so, or ran before the day had ended, or its end is inferred."""
    FAILED = "failed"
    """The vendor refused or failed the last job that asked for it."""
    MISSING = "missing"
    """It was asked for, and nothing came (yet): the job is open, was stopped or given up, or nobody can say."""
    NEVER_ASKED = "never asked"
    """No job of the store asked for it."""


class Cell(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Days of one subject and direction of which the same is known, both ends meant; no days for what has no period.

    `job` is the one it is known by, and `at` when that ended. `retry_at`: not before this may more be had. `code` says
    why it is not proven: the vendor's code of a failure, the state of the job, or `inferred`: then the end was not
    told by the vendor. `attempts`: how many jobs asked for it since it was last answered whole. `is_final`: asking
    again is for a person to decide. `is_cut`: the tax office's limits cut the job short, which covered more than a day.
    """

    subject: str
    direction: str
    first: date | None
    last: date | None
    known: Known
    job: str | None = None
    at: datetime | None = None
    retry_at: datetime | None = None
    code: str | None = None
    attempts: int = 0
    is_final: bool = False
    is_cut: bool = False

    @property
    def days(self) -> int:
        """How many days; 1 for what has no period."""
        return number(self.last) - number(self.first) + 1


class Window(NamedTuple):
    """How old an answer may be for days to count as proven: it ended at `since` or later."""

    span: Span
    since: datetime | None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a plan: its cells by subject, direction and day, without gap or overlap."""

    plan: Plan
    cells: tuple[Cell, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every day that the plan wants is proven."""
        return all(each.known is Known.PROVEN for each in self.cells)

    def days(self) -> dict[Known, int]:
        """How many days are known how, over all subjects and directions."""
        counts = dict.fromkeys(Known, 0)
        for each in self.cells:
            counts[each.known] += each.days
        return counts

    def by_subject(self) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """The cells of each subject, in the plan's order."""
        start = 0
        for place, each in enumerate(self.cells):
            if each.subject != self.cells[start].subject:
                yield self.cells[start].subject, self.cells[start:place]
                start = place
        if self.cells:
            yield self.cells[start].subject, self.cells[start:]


def cover(plan: Plan, jobs: Iterable[Job], *, windows: Sequence[Window] = ()) -> Coverage:
    """Work out what is known of each day of a settled plan, from all jobs that anybody ever kept.

    In any order; those of other vendors, subjects and resources are passed over. `windows` say for which days an answer
    must be how new; by default any counts.
    """
    by_subject = _jobs_by_subject(plan, jobs)
    periods = windows or (Window(plan.span, None),)
    cells = [
        cell
        for subject in plan.subjects
        for direction in plan.directions
        for cell in _cells(subject, direction, by_subject.get(subject, ()), periods)
    ]
    return Coverage(plan=plan, cells=tuple(cells))


class _Asked(NamedTuple):
    """A job and what it asked for that the plan wants."""

    job: Job
    extent: Extent
    span: Span


def _jobs_by_subject(plan: Plan, jobs: Iterable[Job]) -> Mapping[str, list[_Asked]]:
    found = defaultdict[str, list[_Asked]](list)
    subjects, options = frozenset(plan.subjects), frozenset(plan.options)
    first, last = plan.span
    for job in jobs:
        if job.vendor != plan.vendor or job.task.resource != plan.resource or job.task.subject not in subjects:
            continue
        extent = job.task.extent
        if extent is None or not options.issubset(extent.options) or extent.is_dated is (plan.first is None):
            continue
        span = number(extent.first), number(extent.last)
        if span[0] <= last and first <= span[1]:
            found[job.task.subject].append(_Asked(job, extent, span))
    for several in found.values():
        # The newest first; of those of one instant, in one order everywhere.
        several.sort(key=lambda each: (each.job.created_at, each.job.id), reverse=True)
    return found


def _cells(subject: str, direction: str, asked: Sequence[_Asked], windows: Sequence[Window]) -> list[Cell]:
    mine = [each for each in asked if direction in each.extent.directions]
    painted: list[tuple[Span, Cell]] = []
    for window in windows:
        canvas = Canvas(window.span)
        for span, cell in _paint(canvas, subject, direction, mine, window):
            painted.append((span, cell))
        for span in canvas.bare:
            painted.append((span, _cell(subject, direction, span, Known.NEVER_ASKED)))
    painted.sort(key=lambda each: each[0])
    return [cell for _, cell in painted]


def _paint(
    canvas: Canvas, subject: str, direction: str, asked: Sequence[_Asked], window: Window
) -> Iterator[tuple[Span, Cell]]:
    """Who is newest and whole has a day; where nobody is, who is newest."""
    whole = sorted((each for each in asked if _is_whole(each.job)), key=lambda each: _ended(each.job), reverse=True)
    for each in whole:
        if window.since is None or _ended(each.job) >= window.since:
            first, last = each.span
            for span in canvas.paint(first, min(last, _last_whole_day(each))):
                yield span, _cell(subject, direction, span, Known.PROVEN, job=each.job.id, at=each.job.settled_at)
    for place, each in enumerate(asked):
        first, last = each.span
        if _is_whole(each.job):
            ended = min(last, _last_whole_day(each))
            # Too old for this window: what failed before it was answered says nothing any more.
            for span in canvas.paint(first, ended):
                yield span, _cell(subject, direction, span, Known.NEVER_ASKED)
            first = max(first, ended + 1)
        for span in canvas.paint(first, last):
            yield span, _unproven(subject, direction, span, asked[place:])


def _is_whole(job: Job) -> bool:
    return job.status is Status.FINISHED and not job.partial and job.settled_by is not Way.INFERENCE


def _ended(job: Job) -> datetime:
    return job.settled_at or job.created_at


def _last_whole_day(asked: _Asked) -> int:
    """The last day that had ended when a job was sent: of a later one more may come."""
    if asked.span[0] == TIMELESS:
        return TIMELESS
    return mexican_day(asked.job.created_at).toordinal() - 1


# Behind a failure that may pass: a quarter of an hour, then four times as long each time (the vendors speak of hours
# for an institution that is down), at most half a day.
FIRST_COOL_DOWN: Final = timedelta(minutes=15)
LONGEST_COOL_DOWN: Final = timedelta(hours=12)
# A link turns invalid after six POSTs without success (Belvo, errors, invalid_link); Syntage advises few tries.
ATTEMPTS_LIMIT: Final = 4


def _unproven(subject: str, direction: str, span: Span, asked: Sequence[_Asked]) -> Cell:
    """What the newest of the jobs that asked for a day says of it; the others tell how often it was tried."""
    newest = asked[0]
    job = newest.job
    attempts = 0
    for each in asked:
        if each.span[0] <= span[0] and span[1] <= each.span[1]:
            if _is_whole(each.job):
                break
            attempts += 1
    known, code, is_final, retry_at = _judge(newest, span, attempts)
    return _cell(
        subject,
        direction,
        span,
        known,
        job=job.id,
        at=job.settled_at,
        retry_at=retry_at,
        code=code,
        attempts=attempts,
        is_final=is_final,
        is_cut=_is_cut(job) and newest.span[0] < newest.span[1] and span == newest.span,
    )


def _judge(newest: _Asked, span: Span, attempts: int) -> tuple[Known, str | None, bool, datetime | None]:
    job = newest.job
    failure = job.failure
    if job.is_open:
        return Known.MISSING, job.state, False, None
    if job.status is Status.FINISHED:
        if job.partial:
            known_later = job.retry_at is not None
            code = "inferred" if job.settled_by is Way.INFERENCE and not known_later else "partial"
            return Known.PARTIAL, code, not known_later, job.retry_at
        if job.settled_by is Way.INFERENCE:
            return Known.PARTIAL, "inferred", True, None
        return Known.PARTIAL, "asked too early", False, midnight_after(span[1])
    if job.status in (Status.FAILED, Status.REJECTED):
        code = "failed" if failure is None else failure.code
        may_pass = failure is not None and failure.retryable and attempts < ATTEMPTS_LIMIT
        return Known.FAILED, code, not may_pass, max(_cooled(job, attempts), job.retry_at or _ended(job))
    # What was withdrawn before a byte was sent costs nothing and may be asked again at once.
    return Known.MISSING, job.state, not job.is_queued, None


def _cooled(job: Job, attempts: int) -> datetime:
    return _ended(job) + min(LONGEST_COOL_DOWN, FIRST_COOL_DOWN * int(4 ** (max(attempts, 1) - 1)))


# Codes of a run that was too much for the tax office or the vendor's time (Belvo 408; Syntage's own limit).
_TOO_MUCH: Final = frozenset({"request_timeout", "timeout", "unrecoverable"})


def _is_cut(job: Job) -> bool:
    """Whether a job was cut short by a limit, so that half of it may get through."""
    if job.status is Status.FINISHED:
        return job.partial and job.retry_at is not None
    return job.failure is not None and job.failure.code in _TOO_MUCH


def _cell(subject: str, direction: str, span: Span, known: Known, **facts: object) -> Cell:
    return Cell(subject=subject, direction=direction, first=day_of(span[0]), last=day_of(span[1]), known=known, **facts)  # type: ignore[arg-type]
