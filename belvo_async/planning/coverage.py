"""What is known of each day that a plan wants. The axis is the plan's, never that of what happened to be fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from ..jobs import Job, Status, Way
from .calendar import TIMELESS, day_of, mexican_day, midnight_after, number
from .plan import Plan
from .spans import Canvas, Span

# The code of days of which the tax office gave a part, or the vendor's rows say that more is to come.
LIMITED: Final = "partial"


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
    def is_limited(self) -> bool:
        """Whether a limit cut its job short that holds for whatever is asked of the subject until `retry_at`."""
        return self.known is Known.PARTIAL and self.code == LIMITED and self.retry_at is not None

    def __repr__(self) -> str:
        # A subject of Syntage's deprecated form is an RFC.
        return f"<Cell {self.direction} {self.first}..{self.last} {self.known}>"

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
    directions: tuple[str, ...]
    span: Span
    # The last of its days that it proves; None where it proves none.
    proves_until: int | None


def _jobs_by_subject(plan: Plan, jobs: Iterable[Job]) -> Mapping[str, list[_Asked]]:
    found = defaultdict[str, list[_Asked]](list)
    options = frozenset(plan.options)
    first, last = plan.span
    for subject, job in _newest(plan, jobs):
        extent = job.task.extent
        if extent is None or not options.issubset(extent.options) or extent.is_dated is (plan.first is None):
            continue
        span = number(extent.first), number(extent.last)
        if span[0] <= last and first <= span[1]:
            found[subject].append(_Asked(job, extent.directions, span, _proves_until(job, span)))
    for several in found.values():
        # The newest first; of those of one instant, in one order everywhere.
        several.sort(key=lambda each: (each.job.created_at, each.job.id), reverse=True)
    return found


def _newest(plan: Plan, jobs: Iterable[Job]) -> Iterator[tuple[str, Job]]:
    """The jobs of a plan's subjects and resource, each once and as it was last."""
    subjects = frozenset(plan.subjects)
    found: dict[str, tuple[str, Job]] = {}
    for job in jobs:
        if job.vendor != plan.vendor or job.task.resource != plan.resource:
            continue
        subject = job.task.subject
        if subject not in subjects:
            continue
        # What ends while it is read may be met twice: open, and ended.
        known = found.setdefault(job.id, (subject, job))[1]
        if (known.version, not known.is_open) < (job.version, not job.is_open):
            found[job.id] = subject, job
    return (each for each in found.values() if not _was_never_sent(each[1]))


def _was_never_sent(job: Job) -> bool:
    """Whether it was withdrawn here before a byte of it left: it asked for nothing, and cost nothing."""
    is_withdrawn = job.status is Status.REJECTED and job.settled_by is Way.USER
    return is_withdrawn or (job.abandoned and job.is_queued)


def _proves_until(job: Job, span: Span) -> int | None:
    """The last of its days that had ended when a job was made: of a later one more may come."""
    if not job.is_whole:
        return None
    return TIMELESS if span[0] == TIMELESS else min(span[1], mexican_day(job.created_at).toordinal() - 1)


def _ended(job: Job) -> datetime:
    return job.settled_at or job.created_at


# Days, and the place of the job they are known by among those that asked for them; None where no job speaks of them.
_Stroke: TypeAlias = tuple[Span, int | None, bool]


def _cells(subject: str, direction: str, asked: Sequence[_Asked], windows: Sequence[Window]) -> Iterator[Cell]:
    mine = [each for each in asked if direction in each.directions]
    strokes = [stroke for window in windows for stroke in _paint(mine, window)]
    strokes.sort()
    for span, place, is_proven in _joined(strokes):
        if place is None:
            yield _cell(subject, direction, span, Known.NEVER_ASKED)
        elif is_proven:
            job = mine[place].job
            yield _cell(subject, direction, span, Known.PROVEN, job=job.id, at=job.settled_at)
        else:
            yield _unproven(subject, direction, span, mine[place:])


def _paint(asked: Sequence[_Asked], window: Window) -> Iterator[_Stroke]:
    """Who is newest and whole has a day; where nobody is, who is open; else who is newest."""
    canvas, since = Canvas(window.span), window.since
    places = range(len(asked))
    proving = [
        place
        for place in places
        if asked[place].proves_until is not None and (since is None or _ended(asked[place].job) >= since)
    ]
    proving.sort(key=lambda place: _ended(asked[place].job), reverse=True)
    for place in proving:
        each = asked[place]
        for span in canvas.paint(each.span[0], each.proves_until or TIMELESS):
            yield span, place, True
    if canvas.bare:
        for place in sorted(places, key=lambda place: not asked[place].job.is_open):
            first, last = asked[place].span
            ended = asked[place].proves_until
            if ended is not None:
                # Too old for this window: what failed before it was answered says nothing any more.
                for span in canvas.paint(first, ended):
                    yield span, None, False
                first = max(first, ended + 1)
            for span in canvas.paint(first, last):
                yield span, place, False
    for span in canvas.bare:
        yield span, None, False


def _joined(strokes: Iterable[_Stroke]) -> Iterator[_Stroke]:
    """Put together what windows parted."""
    before: _Stroke | None = None
    for stroke in strokes:
        if before is not None and before[1:] == stroke[1:] and before[0][1] + 1 == stroke[0][0]:
            before = ((before[0][0], stroke[0][1]), *stroke[1:])
            continue
        if before is not None:
            yield before
        before = stroke
    if before is not None:
        yield before


# Behind a failure that may pass: a quarter of an hour, then four times as long each time (the vendors speak of hours
# for an institution that is down), at most half a day.
FIRST_COOL_DOWN: Final = timedelta(minutes=15)
LONGEST_COOL_DOWN: Final = timedelta(hours=12)
# A link turns invalid after six POSTs without success (Belvo, errors, invalid_link); Syntage advises few tries.
ATTEMPTS_LIMIT: Final = 4
# The tax office's limits are for a day. What did not get through in a week of them will not by itself.
PARTIALS_LIMIT: Final = 7


def _unproven(subject: str, direction: str, span: Span, asked: Sequence[_Asked]) -> Cell:
    """What the newest of the jobs that asked for a day says of it; the others tell how often it was tried."""
    newest = asked[0]
    job = newest.job
    tries: list[_Asked] = []
    for each in asked:
        if each.span[0] <= span[0] and span[1] <= each.span[1]:
            if each.proves_until is not None:
                break
            tries.append(each)
    partials = sum(each.job.partial and each.span == newest.span for each in tries)
    known, code, is_final, retry_at = _judge(job, span, len(tries), partials)
    return _cell(
        subject,
        direction,
        span,
        known,
        job=job.id,
        at=job.settled_at,
        retry_at=retry_at,
        code=code,
        attempts=len(tries),
        is_final=is_final,
        is_cut=_is_cut(job) and span[0] < span[1] and span == newest.span,
    )


def _judge(job: Job, span: Span, attempts: int, partials: int) -> tuple[Known, str | None, bool, datetime | None]:
    if job.is_open:
        return Known.MISSING, job.state, False, None
    if job.status is Status.FINISHED:
        if job.partial:
            known_later = job.retry_at is not None
            code = "inferred" if job.settled_by is Way.INFERENCE and not known_later else LIMITED
            return Known.PARTIAL, code, not known_later or partials >= PARTIALS_LIMIT, job.retry_at
        if job.settled_by is Way.INFERENCE:
            return Known.PARTIAL, "inferred", True, None
        return Known.PARTIAL, "asked too early", False, midnight_after(span[1])
    if job.status in (Status.FAILED, Status.REJECTED):
        failure = job.failure
        code = "failed" if failure is None else failure.code
        if failure is None or not failure.retryable or attempts >= ATTEMPTS_LIMIT:
            # Whoever decides to ask again need not wait, unless the vendor said so.
            return Known.FAILED, code, True, job.retry_at
        return Known.FAILED, code, False, max(_cooled(job, attempts), job.retry_at or _ended(job))
    # Given up: whether the vendor ever got it, nobody can say of the first two.
    is_uncertain = job.status in (Status.UNCERTAIN, Status.SUBMITTING)
    return Known.MISSING, str(Status.UNCERTAIN) if is_uncertain else job.state, True, None


def _cooled(job: Job, attempts: int) -> datetime:
    # From some power on the product is longer than any span can be.
    longer = FIRST_COOL_DOWN * int(4 ** min(attempts - 1, 9))
    return _ended(job) + min(LONGEST_COOL_DOWN, longer)


# Codes of a run that was too much for the tax office or the vendor's time (Belvo 408; Syntage's own limit).
_TOO_MUCH: Final = frozenset({"request_timeout", "timeout", "unrecoverable"})


def _is_cut(job: Job) -> bool:
    """Whether a job was cut short by a limit, so that half of it may get through."""
    if job.status is Status.FINISHED:
        return job.partial and job.retry_at is not None
    return job.failure is not None and job.failure.code in _TOO_MUCH


def _cell(subject: str, direction: str, span: Span, known: Known, **facts: object) -> Cell:
    return Cell(subject=subject, direction=direction, first=day_of(span[0]), last=day_of(span[1]), known=known, **facts)  # type: ignore[arg-type]
