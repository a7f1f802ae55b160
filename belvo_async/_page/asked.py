"""Whose days the page shows: those of a plan, or all that was ever asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

import msgspec

from ..jobs import ISSUED, RECEIVED, Extent, Job
from ..planning import Cell, Coverage, Plan, cover
from ..planning.calendar import mexican_day


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the days of one resource, by taxpayer. `name` is the plan's; None for what was asked for."""

    name: str | None
    vendor: str
    resource: str
    cells: Mapping[str, Sequence[Cell]]


def scope_of(coverage: Coverage, name: str | None) -> Scope:
    """What a plan covers."""
    plan = coverage.plan
    return Scope(name=name, vendor=plan.vendor, resource=plan.resource, cells=dict(coverage.by_subject()))


# Vendor, resource, and whether it is about days.
_Kind: TypeAlias = tuple[str, str, bool]


def asked_for(jobs: Iterable[Job]) -> tuple[Scope, ...]:
    """Take what was ever asked for as the plan: of each taxpayer, from its first day to its last.

    A day in between that nobody asked for shows as such. One that had not ended when it was asked for is left out:
    whoever asks day by day asks for today, too, and means to ask for it again tomorrow.
    """
    asked: dict[_Kind, dict[str, list[Job]]] = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        extent = job.task.extent
        if extent is not None and job.task.subject:
            asked[job.vendor, job.task.resource, extent.is_dated][job.task.subject].append(job)
    return tuple(
        Scope(
            name=None,
            vendor=vendor,
            resource=resource,
            cells={subject: _cells(subject, several) for subject, several in sorted(by_subject.items())},
        )
        for (vendor, resource, _), by_subject in sorted(asked.items())
    )


def _cells(subject: str, jobs: Sequence[Job]) -> Sequence[Cell]:
    periods = [_period(job, job.task.extent) for job in jobs if job.task.extent is not None]
    first = min((each[0] for each in periods if each is not None), default=None)
    last = max((each[1] for each in periods if each is not None), default=None)
    plan = Plan(
        vendor=jobs[0].vendor,
        subjects=(subject,),
        resource=jobs[0].task.resource,
        first=first,
        last=last,
        directions=_directions(jobs),
    )
    return cover(plan, jobs).cells


def _period(job: Job, extent: Extent) -> tuple[date, date] | None:
    if extent.first is None or extent.last is None:
        return None
    ended = mexican_day(job.created_at) - timedelta(days=1)
    return extent.first, max(extent.first, min(extent.last, ended))


def _directions(jobs: Iterable[Job]) -> tuple[str, ...]:
    found = {each for job in jobs if job.task.extent is not None for each in job.task.extent.directions}
    known = tuple(each for each in (ISSUED, RECEIVED) if each in found)
    return (*known, *sorted(found.difference(known)))
