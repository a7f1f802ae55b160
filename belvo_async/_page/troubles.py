"""What waits for a person: why, and what to type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypeAlias

from ..abc import LONG_AGO, LaidAside
from ..jobs import STATES, Job
from ..planning import Cell
from .asked import Scope
from .calendars import needs_a_person
from .facts import Example, RecordedDeliveries, Trouble
from .gather import Held
from .naming import Namer

# Reasons that are shown, and taxpayers that are shown of each.
TROUBLES_LIMIT: Final = 40
EXAMPLES_LIMIT: Final = 5

# What the core says of days, where the vendor gave no code.
_WORDS: Final[Mapping[str, str]] = {
    "inferred": "the vendor did not tell that it ended; it was inferred from what came, which proves nothing",
    "partial": "the vendor says that more is missing, and not when it may be had",
    "stopped": "it was stopped at the vendor",
    "overdue": "it is open for longer than anybody was promised to wait; it may still end",
    **{state: words for state, (_, words) in STATES.items()},
}


class _Waiting(NamedTuple):
    cell: Cell
    job: Job | None


# Plan (or none), vendor, resource, code, HTTP status of a refused key.
_Reason: TypeAlias = tuple[str | None, str, str, str, int | None]


def troubles(scopes: Iterable[Scope], held: Held, names: Namer, now: datetime) -> list[Trouble]:
    """Everything that waits for a person, one for each reason; those of most taxpayers first."""
    jobs = held.jobs
    reasons: dict[_Reason, list[_Waiting]] = {}
    for scope in scopes:
        for cells in scope.cells.values():
            for cell in cells:
                if needs_a_person(cell, jobs, now):
                    job = jobs.get(cell.job or "")
                    reasons.setdefault(_reason(scope, cell, job), []).append(_Waiting(cell, job))
    found = [_trouble(reason, waiting, names) for reason, waiting in reasons.items()]
    found.sort(key=lambda each: (-each.taxpayers, each.vendor, each.resource, each.code))
    return [*found, *_faulty(held.recorded), *_unread(held.aside)]


def _reason(scope: Scope, cell: Cell, job: Job | None) -> _Reason:
    refused_key = None if job is None or job.failure is None else job.failure.refused_key
    code = "overdue" if job is not None and job.is_open else cell.code or "unknown"
    return scope.name, scope.vendor, scope.resource, code, refused_key


def _trouble(reason: _Reason, waiting: Sequence[_Waiting], names: Namer) -> Trouble:
    plan, vendor, resource, code, refused_key = reason
    latest = sorted(waiting, key=_when, reverse=True)
    first_of = {each.cell.subject: each for each in reversed(latest)}
    examples = [each for each in latest if first_of[each.cell.subject] is each][:EXAMPLES_LIMIT]
    return Trouble(
        vendor=vendor,
        resource=resource,
        code=code,
        why=names.of(_why(code, refused_key, latest[0].job)),
        taxpayers=len(first_of),
        commands=tuple(_commands(plan, code, latest[0].job)),
        examples=tuple(_example(each, names) for each in examples),
    )


def _when(waiting: _Waiting) -> tuple[datetime, date]:
    return waiting.cell.at or LONG_AGO, waiting.cell.first or date.min


def _why(code: str, refused_key: int | None, job: Job | None) -> str:
    if refused_key is not None:
        return f"the vendor refused the key itself (HTTP {refused_key}): no request of the account passes"
    failure = None if job is None else job.failure
    if failure is not None and failure.message and code == failure.code:
        return f"{failure.message}; asking again as it is may not help" if failure.retryable else failure.message
    return _WORDS.get(code, "the vendor ended it with this code")


def _commands(plan: str | None, code: str, job: Job | None) -> Iterable[str]:
    """What to look at first, and what to do then."""
    if job is not None:
        yield f"belvo-async jobs explain {job.id}"
    if code == "overdue" and job is not None:
        yield f"belvo-async jobs abandon {job.id}"
    elif plan is not None:
        yield f"belvo-async extract --plan {_quoted(plan)} --retry"


def _quoted(plan: str) -> str:
    return plan if plan.replace("-", "").replace("_", "").isalnum() else "'" + plan.replace("'", "'\\''") + "'"


def _example(waiting: _Waiting, names: Namer) -> Example:
    cell, job = waiting
    return Example(
        subject=names.of(cell.subject),
        job=cell.job,
        first=cell.first,
        last=cell.last,
        at=cell.at or (None if job is None else job.created_at),
    )


def _faulty(recorded: Mapping[str, RecordedDeliveries]) -> Iterable[Trouble]:
    for vendor, said in sorted(recorded.items()):
        if said.faults:
            yield Trouble(
                vendor=vendor,
                resource="",
                code="webhooks",
                why="; ".join(said.faults),
                taxpayers=0,
                commands=(f"belvo-async webhooks list --vendor {vendor}",),
                examples=(),
            )


def _unread(aside: Sequence[LaidAside]) -> Iterable[Trouble]:
    if aside:
        yield Trouble(
            vendor="",
            resource="",
            code="unread deliveries",
            why=f"{len(aside)} authentic deliveries could not be read and are laid aside for thirty days"
            if len(aside) > 1
            else "an authentic delivery could not be read and is laid aside for thirty days",
            taxpayers=0,
            commands=("belvo-async jobs aside",),
            examples=(),
        )
