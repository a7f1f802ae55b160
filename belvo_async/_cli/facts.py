"""What may be shown of a job: everything but who the taxpayer is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, Final, cast

import msgspec

from ..errors import outcome_error
from ..jobs import Job, Task, UnknownTask
from ..vendors.syntage.schema.subjects import RFC


def facts_of(job: Job, now: datetime) -> dict[str, Any]:
    """The facts of a job. Instants are whole seconds with a Z, as `jq` reads them (`fromdate`)."""
    return {
        "job": job.id,
        "vendor": job.vendor,
        "account": job.account,
        "kind": job.task.kind,
        "resource": job.task.resource,
        "subject": subject_of(job.task),
        "period": period_of(job.task),
        "task": shown(msgspec.to_builtins(_as_stored(job.task))),
        "tags": shown(job.tags),
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
        "next_look": stamp(job.schedule.next_poll),
    }


def subject_of(task: Task[Any]) -> str:
    """Whose data it is; a taxpayer's own id is not told."""
    return str(shown(task.subject))


def period_of(task: Task[Any]) -> str | None:
    """The days a task asks for, whole years as years; None of one that asks for none."""
    period = getattr(getattr(task, "options", None), "period", None)
    first = getattr(task, "date_from", None) or getattr(period, "from_", None)
    last = getattr(task, "date_to", None) or getattr(period, "to", None)
    if not (isinstance(first, date) and isinstance(last, date)):
        return None
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return f"{first.year}" if first.year == last.year else f"{first.year}..{last.year}"
    return f"{_day(first)}..{_day(last)}"


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _reason(job: Job) -> str | None:
    """What its waiters are told of a job that did not finish."""
    error = None if job.is_open else outcome_error(job)
    return None if error is None else str(error)


def _as_stored(task: Task[Any]) -> object:
    return msgspec.json.decode(task.body) if isinstance(task, UnknownTask) else task


def shown(value: object) -> object:
    """A value as it is stored, but for the ids of taxpayers: what this prints ends in logs."""
    if isinstance(value, dict):
        return {name: shown(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [shown(each) for each in cast("list[object]", value)]
    return _RFC.sub("(taxpayer)", value) if isinstance(value, str) else value


# Not within a UUID, whose last digits may look like one.
_RFC: Final = re.compile(f"(?<![A-Z0-9-]){RFC}(?![A-Z0-9-])", re.IGNORECASE)


def stamp(when: datetime | None) -> str | None:
    """Write an instant for programs."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if when else None


def instant(when: datetime | None) -> str | None:
    """Write an instant for readers."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if when else None


def minute(when: datetime | None) -> str | None:
    """Write an instant for readers of a narrow table."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%MZ}" if when else None
