"""What may be shown of a job: everything but who the taxpayer is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ...errors import outcome_error
from ...jobs import UNDIRECTED, Job, Task, UnknownTask
from ..masks import masked, masked_all
from ..words import stamp


def facts_of(job: Job, now: datetime) -> dict[str, Any]:
    """The facts of a job. Instants are whole seconds with a Z, as `jq` reads them (`fromdate`)."""
    return {
        "job": job.id,
        "vendor": job.vendor,
        "account": job.account,
        "kind": job.task.kind,
        "resource": job.task.resource,
        "subject": subject_of(job.task),
        "direction": direction_of(job.task),
        "period": period_of(job.task),
        "task": masked_all(msgspec.to_builtins(_as_stored(job.task))),
        "tags": masked_all(job.tags),
        "state": job.state,
        "status": str(job.status),
        "partial": job.partial,
        "retry_at": stamp(job.retry_at),
        "remote_id": job.remote_id,
        "settled_by": job.settled_by and str(job.settled_by),
        "failure": job.failure and job.failure.code,
        "reason": _reason(job),
        "doubt": job.submission.doubt,
        "records": job.created_count,
        "age_seconds": max(0, int((now - job.created_at).total_seconds())),
        "created": stamp(job.created_at),
        "settled": stamp(job.settled_at),
        "deadline": stamp(job.deadline),
        "next_poll": stamp(job.schedule.next_poll),
    }


def subject_of(task: Task[Any]) -> str:
    """Whose data it is; a taxpayer's own id is not told."""
    return masked(task.subject)


def direction_of(task: Task[Any]) -> str | None:
    """The one direction a task asks for; None of one that asks for both, or for what has none."""
    directions = () if task.extent is None else task.extent.directions
    return directions[0] if len(directions) == 1 and directions[0] != UNDIRECTED else None


def period_of(task: Task[Any]) -> str | None:
    """The days a task asks for, whole years as years; None of one that asks for none."""
    extent = task.extent
    if extent is None or extent.first is None or extent.last is None:
        return None
    first, last = extent.first, extent.last
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return f"{first.year}" if first.year == last.year else f"{first.year}..{last.year}"
    return f"{first:%Y-%m-%d}..{last:%Y-%m-%d}"


def _reason(job: Job) -> str | None:
    """What its waiters are told of a job that did not finish."""
    error = None if job.is_open else outcome_error(job)
    return None if error is None else str(error)


def _as_stored(task: Task[Any]) -> object:
    return msgspec.json.decode(task.body) if isinstance(task, UnknownTask) else task
