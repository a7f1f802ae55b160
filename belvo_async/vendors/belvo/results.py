"""What a job brings: which list holds it, and which of its rows belong to it."""

from __future__ import annotations

from ...abc import Walk
from ...errors import TaskError, UnsupportedError
from ...jobs import Task
from .lists import BY_RESOURCE, INVOICES, STATEMENTS, every, invoice_filter, link_filter, walk
from .pages import Params, selection
from .schema.checks import RESOURCES
from .schema.tasks import FinancialStatements, FiscalRecord, Invoices, Refresh
from .settings import Pace


def task_params(task: Task[object]) -> tuple[str, Params]:
    """Give the collection that holds a task's records, and the parameters that single them out.

    Raises UnsupportedError for tasks that bring no list of their own.
    """
    if isinstance(task, Invoices):
        period = f"{task.date_from.isoformat()},{task.date_to.isoformat()}"
        direction = [("type", task.type)] if task.type else []
        return INVOICES.path, [("link", task.link), *direction, ("invoice_date__range", period)]
    if isinstance(task, FinancialStatements):
        return STATEMENTS.path, [("link", task.link)]
    raise UnsupportedError(f"Belvo has no list of records for tasks of kind {task.kind}")


def walk_results(task: Task[object], resource: str | None, pace: Pace) -> Walk[FiscalRecord]:
    """Walk through everything Belvo holds of a task's subject, period and direction; see `Vendor.results`."""
    if isinstance(task, Refresh):
        chosen = BY_RESOURCE[_refreshed(task, resource)]
        return walk(pace, chosen, [("link", task.link)], link_filter([task.link]) if chosen.names_link else None)
    _path, params = task_params(task)
    if resource not in (None, task.resource):
        raise TaskError(f"{type(task).__name__} jobs bring the resource {task.resource} only", field="resource")
    if isinstance(task, Invoices):
        keep = every(link_filter([task.link]), invoice_filter(task.date_from, task.date_to, task.type))
        return walk(pace, INVOICES, params + selection(task.fields, task.omit), keep)
    return walk(pace, STATEMENTS, params, link_filter([task.subject]))


def _refreshed(task: Refresh, resource: str | None) -> str:
    possible = tuple(task.resources or RESOURCES)
    if resource is None and len(possible) == 1:
        return possible[0]
    if resource not in possible:
        wanted = "say which resource to read" if resource is None else "the refresh did not bring that resource"
        raise TaskError(f"{wanted}: {', '.join(possible)}", field="resource")
    return resource
