"""Reading lists: which pages hold the records of a task or a query, and which rows belong to it.

Lists are `{count, next, previous, results}`; `next` is an absolute URL that keeps the query (belvo-pagination-tips).
Belvo gives no order, so pages over moving data may repeat rows: records are compared by `id`, where they have one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from ...abc import Budget, Page, Query, Request, Shape, Walk, answer_of
from ...errors import PayloadError, TaskError, UnsupportedError
from ...jobs import Task
from ...origins import local_target
from .lists import (
    BY_RECORD,
    BY_RESOURCE,
    INVOICES,
    STATEMENTS,
    Collection,
    Keep,
    every,
    invoice_filter,
    link_filter,
    partial_remark,
    query_filter,
    record_id,
)
from .schema.checks import RESOURCES, link_id
from .schema.queries import Filters
from .schema.tasks import FinancialStatements, FiscalRecord, Invoices, Refresh

# The largest page Belvo gives; larger values are cut to it.
PAGE_SIZE = "1000"

Params = list[tuple[str, str]]
R = TypeVar("R")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What every read of an account needs: the budget its requests count against, and when a job counts as quiet.

    `quiet`: how long Belvo must say nothing new before an end is inferred; `patience`: how long before a job is given
    up for which nothing speaks.
    """

    budget: Budget | None
    quiet: timedelta
    patience: timedelta

    def get(self, path: str, filters: Params, *, name: str | None = None) -> Request:
        """Build a read. The name carries no ids."""
        target = f"{path}?{encode(filters)}" if filters else path
        return Request(method="GET", target=target, name=name or f"GET {path}", budget=self.budget)


def encode(filters: Params) -> str:
    """Encode a query; commas stay, since Belvo separates the values of one parameter by them."""
    return urlencode(filters, safe=",")


def task_filters(task: Task[object]) -> tuple[str, Params]:
    """Give the collection that holds a task's records, and the filters that single them out.

    Raises UnsupportedError for tasks that bring no list of their own.
    """
    if isinstance(task, Invoices):
        period = f"{task.date_from.isoformat()},{task.date_to.isoformat()}"
        direction = [("type", task.type)] if task.type else []
        return INVOICES.path, [("link", task.link), *direction, ("invoice_date__range", period)]
    if isinstance(task, FinancialStatements):
        return STATEMENTS.path, [("link", task.link)]
    raise UnsupportedError(f"Belvo has no list of records for tasks of kind {task.kind}")


def results_walk(task: Task[object], resource: str | None, source: Source) -> Walk[FiscalRecord]:
    """Walk through everything Belvo holds of a task's subject, period and direction; see `Vendor.results`."""
    if isinstance(task, Refresh):
        chosen = BY_RESOURCE[_refreshed(task, resource)]
        return _walk(source, chosen, [("link", task.link)], link_filter([task.link]) if chosen.names_link else None)
    _path, filters = task_filters(task)
    if resource not in (None, task.resource):
        raise TaskError(f"{type(task).__name__} jobs bring the resource {task.resource} only", field="resource")
    if isinstance(task, Invoices):
        keep = every(link_filter([task.link]), invoice_filter(task.date_from, task.date_to, task.type))
        return _walk(source, INVOICES, filters + selection(task.fields, task.omit), keep)
    return _walk(source, STATEMENTS, filters, link_filter([task.subject]))


def _refreshed(task: Refresh, resource: str | None) -> str:
    possible = tuple(task.resources or RESOURCES)
    if resource is None and len(possible) == 1:
        return possible[0]
    if resource not in possible:
        wanted = "say which resource to read" if resource is None else "the refresh did not bring that resource"
        raise TaskError(f"{wanted}: {', '.join(possible)}", field="resource")
    return resource


def query_walk(query: Query[object], source: Source) -> Walk[object]:
    """Walk through what a query asks for. Raises UnsupportedError for queries that are not of this catalogue."""
    if not isinstance(query, Filters):
        raise UnsupportedError(f"Belvo has no list for {type(query).__name__}")
    of = BY_RECORD[answer_of(type(query))]
    return _walk(source, of, query_filters(query), query_filter(query, of))


def query_filters(query: Filters) -> Params:
    """Turn the attributes of a query that are given into Belvo's parameters, in the order they are declared."""
    given = [(each.encode_name, getattr(query, each.name)) for each in msgspec.structs.fields(query)]
    return [_parameter(name, value) for name, value in given if value is not None and name not in _CHOICES] + selection(
        getattr(query, "fields", None), getattr(query, "omit", None)
    )


_CHOICES = ("fields", "omit")


def _parameter(name: str, value: str | int | date | Decimal | Sequence[str]) -> tuple[str, str]:
    if isinstance(value, Decimal):
        # Belvo wants two to four decimals.
        return name, f"{value:.4f}"
    if isinstance(value, date):
        return name, value.isoformat()
    if isinstance(value, int):
        return name, str(value)
    if isinstance(value, str):
        return name, link_id(value) if name == "link" else value
    several = name if "__" in name else f"{name}__in"
    return several, ",".join(link_id(each) if name == "link" else each for each in value)


def selection(fields: Sequence[str] | None, omit: Sequence[str] | None) -> Params:
    """Choose the keys of the rows. `id` always comes: without it, a row met twice could not be told."""
    chosen = ["id", *(name for name in fields if name != "id")] if fields else []
    left_out = [name for name in omit or () if name != "id"]
    return [(name, ",".join(names)) for name, names in (("fields", chosen), ("omit", left_out)) if names]


def _walk(source: Source, of: Collection[R], filters: Params, keep: Keep | None) -> Walk[R]:
    shape = Shape(
        record=of.record,
        rows=("results",),
        next=(("next",),),
        count=(("count",),),
        keep=keep,
        record_id=record_id,
        remark=partial_remark if "warnings" in getattr(of.guard, "__struct_fields__", ()) else None,
        guard=of.guard,
        has_ids=of.has_ids,
    )
    first = source.get(of.path, [*filters, ("page_size", PAGE_SIZE)])
    return Walk(
        shape=shape,
        steps=lambda start: _pages(first, of.path, start),
        ahead=lambda request, page: _pages_ahead(request, page, of.path),
    )


def _pages(first: Request, path: str, start: str | None) -> Generator[Request, Page, None]:
    """Follow `next` until there is none. A link met before ends the walk: who reads tells that something is missing."""
    request: Request | None = first if start is None else _resumed(first, start, path)
    seen: set[str] = set()
    while request is not None and request.target not in seen:
        if len(seen) >= _PAGE_LIMIT:
            raise PayloadError("pages without an end")
        seen.add(request.target)
        page = yield request
        link = page.next
        request = msgspec.structs.replace(request, target=local_target(link, path=path)) if link else None


def _resumed(first: Request, start: str, path: str) -> Request:
    try:
        target = local_target(start, path=path)
    except PayloadError:
        target = None
    # A checkpoint is a target already: one that names an origin was never ours.
    if target is None or target != start or _differ(target, first.target):
        raise TaskError("that checkpoint is of another reading", field="resume")
    return msgspec.structs.replace(first, target=target)


def _differ(target: str, first: str) -> bool:
    """Whether a filter of a page's target is another than the first page's. Belvo's links may leave some out."""
    said, asked = (dict(parse_qsl(urlsplit(each).query)) for each in (target, first))
    return any(said.get(name, wanted) != wanted for name, wanted in asked.items() if name != "page_size")


def _pages_ahead(request: Request, page: Page, path: str) -> Iterator[Request]:
    """Count on from the page after this one: Belvo numbers its pages and tells how many rows there are.

    How many pages that makes is known once this one's rows are; before, the largest page is taken for granted.
    """
    if not page.next:
        return
    target = local_target(page.next, path=path)
    number = _PAGE_NUMBER.search(target)
    yield msgspec.structs.replace(request, target=target)
    if number is None or page.count is None:
        return
    last = -(-page.count // (page.rows or int(PAGE_SIZE)))
    before, after = target[: number.start(1)], target[number.end(1) :]
    for following in range(int(number.group(1)) + 1, last + 1):
        yield msgspec.structs.replace(request, target=f"{before}{following}{after}")


# Of a thousand rows each: far more than any list has.
_PAGE_LIMIT = 100_000
_PAGE_NUMBER = re.compile(r"(?<=[?&]page=)(\d{1,9})(?=&|\Z)")
