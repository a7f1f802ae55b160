"""What changes are told of: the subjects and the resource of a plan, by its vendor's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from ...abc import PlanRules, RowPlace, Vendor
from ...abc.changes import ChangeRules
from ...abc.plans import everywhere
from ...errors import TaskError
from ...jobs import Extent, Job, Status
from ...planning import Cell, Known, Plan, settle_plan
from ...planning.calendar import TIMELESS, day_of, number
from ...planning.spans import Span, join

# Jobs that ended so long before a reading are looked at once more: their end may have been told late.
LATE: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Watched:
    """A plan, settled, whose changes are told. `plan_rules` None: nothing of it can be planned, it is only listed."""

    plan: Plan
    rules: ChangeRules
    plan_rules: PlanRules | None

    @property
    def place(self) -> Any:
        """Where a row belongs on the plan's axis."""
        return everywhere if self.plan_rules is None else self.plan_rules.place

    def is_wanted(self, row: RowPlace) -> bool:
        """Whether the plan wants a row; one that does not say where it belongs may be."""
        first, last = self.plan.span
        is_of_days = self.plan.first is None or row.day is None or first <= row.day.toordinal() <= last
        return is_of_days and (not row.directions or any(each in self.plan.directions for each in row.directions))

    def within(self, span: Span) -> Span:
        """What the plan wants of some days; where it wants nothing, the end lies before the beginning."""
        first, last = self.plan.span
        return span if first == TIMELESS else (max(first, span[0]), min(last, span[1]))

    def days_beyond(self, read: Span) -> list[Span]:
        """The days that the plan wants and that were not read."""
        first, last = self.plan.span
        return [(first, min(last, read[0] - 1)), (max(first, read[1] + 1), last)]

    def days_with(self, read: Span) -> Span:
        """The days that were read, with those of this plan; of two periods with a gap between them, the plan's."""
        first, last = self.plan.span
        is_apart = first > read[1] + 1 or last < read[0] - 1
        return (first, last) if is_apart else (min(first, read[0]), max(last, read[1]))

    def extent(self, span: Span) -> Extent:
        """What to list for some days."""
        return Extent(directions=tuple(self.plan.directions), first=day_of(span[0]), last=day_of(span[1]))


def watch(plan: Plan, vendors: Mapping[str, Vendor], now: datetime) -> Watched:
    """Read a plan by its vendor's rules. Raises TaskError for what no changes are told of."""
    vendor = vendors.get(plan.vendor)
    if vendor is None:
        raise TaskError(f"vendor must be one of this session's: {', '.join(vendors)}", field="vendor")
    told: Mapping[str, ChangeRules] = getattr(vendor, "changes", {})
    resource = _named(plan.resource, told)
    if resource is None:
        known = ", ".join(told) or "none"
        raise TaskError(f"resource must be one whose changes are told at {vendor.name}: {known}", field="resource")
    if resource in vendor.plans:
        settled = settle_plan(plan, vendors, now)
        return Watched(settled.plan, told[resource], settled.rules)
    if plan.first is not None or plan.directions or plan.options:
        raise TaskError(f"{resource} is only listed: leave days, directions and options out", field="first")
    for subject in plan.subjects:
        _check(told[resource], subject)
    subjects = tuple(dict.fromkeys(plan.subjects))
    return Watched(replace(plan, resource=resource, subjects=subjects), told[resource], None)


def _named(wanted: str, told: Iterable[str]) -> str | None:
    word = wanted.casefold().replace("-", "_")
    return next((each for each in told if word in (each.casefold(), f"{each.casefold()}s")), None)


def _check(rules: ChangeRules, subject: str) -> None:
    try:
        rules.listed(subject, Extent(), None)
    except TaskError as error:
        raise TaskError(f"subjects: {error}", field="subjects") from None


@dataclass(frozen=True, slots=True)
class Fresh:
    """What was asked for again since the last reading, of one subject.

    `jobs` are those that its days are known by now, `spans` the days of those that were not read yet, `proven` by
    direction what of that is proven.
    """

    jobs: frozenset[str]
    spans: Sequence[Span]
    proven: Sequence[tuple[str, Span]]

    def is_proven(self, day: int, sides: Sequence[str], directions: Sequence[str]) -> bool:
        """Whether a record of a day and of these sides would have been listed, were it still there."""
        wanted = [each for each in directions if each in sides] or directions
        return all(any(side == each and first <= day <= last for side, (first, last) in self.proven) for each in wanted)


def fresh_of(cells: Iterable[Cell], jobs: Iterable[Job], read: frozenset[str], since: datetime) -> Fresh:
    """What is fresh: days that another job proves or brought by now, and what any job brought lately.

    `jobs` are those of the subject; `read` those that were read; `since`: when that was.
    """
    known = [each for each in cells if each.job is not None and each.known in (Known.PROVEN, Known.PARTIAL)]
    late = [job for job in jobs if job.status is Status.FINISHED and (job.settled_at or job.created_at) >= since - LATE]
    spans = [(number(each.first), number(each.last)) for each in known if each.job not in read]
    spans += [
        (number(job.task.extent.first), number(job.task.extent.last))
        for job in late
        if job.id not in read and job.task.extent is not None
    ]
    proven = [
        (each.direction, (number(each.first), number(each.last)))
        for each in known
        if each.known is Known.PROVEN and each.job not in read
    ]
    every = frozenset(each.job for each in known if each.job is not None) | {job.id for job in late}
    return Fresh(every, join(spans), proven)
