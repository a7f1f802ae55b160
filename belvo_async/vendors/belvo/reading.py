"""Reading lists: which pages hold the records of a task or a query, and which rows belong to it.

Lists are `{count, next, previous, results}`; `next` is an absolute URL that keeps the query (belvo-pagination-tips).
Belvo gives no order, so pages over moving data may repeat rows: records are compared by `id`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from belvo_async.abc import Budget, Page, Query, Request, Shape, Walk
from belvo_async.errors import PayloadError, TaskError, UnsupportedError
from belvo_async.jobs import Observation, Task, Way
from belvo_async.payload import local_target

from .schema import (
    XML_LIMIT,
    FinancialStatement,
    FinancialStatementList,
    FinancialStatements,
    Institution,
    Institutions,
    Invoice,
    InvoiceList,
    Invoices,
    Link,
    Links,
    Record,
    Words,
    link_id,
    subject_of,
)

INVOICES, STATEMENTS, LINKS, INSTITUTIONS = (
    "/api/invoices/",
    "/api/financial-statements/",
    "/api/links/",
    "/api/institutions/",
)

# The largest page Belvo gives; larger values are cut to it.
PAGE_SIZE = "1000"

Filters = list[tuple[str, str]]
R = TypeVar("R", Invoice, FinancialStatement, Link, Institution)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests go: the origin that links may name, and the budget every request counts against."""

    origin: str
    budget: Budget | None

    def get(self, path: str, filters: Filters, *, name: str | None = None) -> Request:
        """Build a read. The name carries no ids."""
        target = f"{path}?{encode(filters)}" if filters else path
        return Request(method="GET", target=target, name=name or f"GET {path}", budget=self.budget)


def encode(filters: Filters) -> str:
    """Encode a query; commas stay, since Belvo separates the values of one parameter by them."""
    return urlencode(filters, safe=",")


def task_filters(task: Task[object]) -> tuple[str, Filters]:
    """Give the collection that holds a task's records, and the filters that single them out.

    Raises UnsupportedError for tasks that are not of this catalogue.
    """
    if isinstance(task, Invoices):
        period = f"{task.date_from.isoformat()},{task.date_to.isoformat()}"
        direction = [("type", task.type)] if task.type else []
        return INVOICES, [("link", task.link), *direction, ("invoice_date__range", period)]
    if isinstance(task, FinancialStatements):
        return STATEMENTS, [("link", task.link)]
    raise UnsupportedError(f"Belvo has no list of records for tasks of kind {task.kind}")


def results_walk(task: Task[object], source: Source) -> Walk[Invoice] | Walk[FinancialStatement]:
    """Walk through everything Belvo holds of a task's subject, period and direction."""
    path, filters = task_filters(task)
    if isinstance(task, Invoices):
        keep = invoice_filter([task.link], task.date_from, task.date_to, task.type)
        return _walk(source, path, filters + selection(task.fields, task.omit), Invoice, keep)
    return _walk(source, path, filters, FinancialStatement, statement_filter([task.subject]))


def query_walk(query: Query[object], source: Source) -> Walk[object]:
    """Walk through what a query asks for. Raises UnsupportedError for queries that are not of this catalogue."""
    if isinstance(query, InvoiceList):
        keep = invoice_filter(_words(query.link), query.date_from, query.date_to, query.type)
        return _walk(source, INVOICES, query_filters(query), Invoice, keep)
    if isinstance(query, FinancialStatementList):
        return _walk(source, STATEMENTS, query_filters(query), FinancialStatement, statement_filter(_words(query.link)))
    if isinstance(query, Links):
        return _walk(source, LINKS, query_filters(query), Link, None)
    if isinstance(query, Institutions):
        return _walk(source, INSTITUTIONS, query_filters(query), Institution, None)
    raise UnsupportedError(f"Belvo has no list for {type(query).__name__}")


def query_filters(query: InvoiceList | FinancialStatementList | Links | Institutions) -> Filters:
    """Turn the attributes of a query that are given into Belvo's parameters, in the order they are declared."""
    given = [(each.encode_name, getattr(query, each.name)) for each in msgspec.structs.fields(query)]
    plain = [_parameter(name, value) for name, value in given if value is not None and name not in ("fields", "omit")]
    return plain + selection(query.fields, query.omit)


def _parameter(name: str, value: str | date | Decimal | Sequence[str]) -> tuple[str, str]:
    if isinstance(value, Decimal):
        # Belvo wants two to four decimals.
        return name, f"{value:.4f}"
    if isinstance(value, date):
        return name, value.isoformat()
    if isinstance(value, str):
        return name, link_id(value) if name == "link" else value
    several = name if "__" in name else f"{name}__in"
    return several, ",".join(link_id(each) if name == "link" else each for each in value)


def selection(fields: Sequence[str] | None, omit: Sequence[str] | None) -> Filters:
    """Choose the keys of the rows. `id` always comes: without it, a row met twice could not be told."""
    chosen = ["id", *(name for name in fields if name != "id")] if fields else []
    left_out = [name for name in omit or () if name != "id"]
    return [(name, ",".join(names)) for name, names in (("fields", chosen), ("omit", left_out)) if names]


def invoice_filter(
    links: Sequence[str], first: date | None, last: date | None, direction: str | None
) -> Callable[[Invoice], bool]:
    """Tell rows of these links, days and direction from others, should Belvo ignore a filter.

    A row without the key in question is kept: it may have been left out by `fields` or `omit`.
    """
    subjects = {subject_of(link) for link in links}

    def keep(row: Invoice) -> bool:
        day = row.invoice_date
        return (
            (row.link is None or subject_of(row.link) in subjects)
            and (row.type is None or direction is None or row.type == direction)
            and (day is None or ((first is None or first <= day) and (last is None or day <= last)))
        )

    return keep


def statement_filter(links: Sequence[str]) -> Callable[[FinancialStatement], bool]:
    """Tell rows of these links from others."""
    subjects = {subject_of(link) for link in links}
    return lambda row: row.link is None or subject_of(row.link) in subjects


def _words(words: Words) -> Sequence[str]:
    return [words] if isinstance(words, str) else words


def _record_id(row: Invoice | FinancialStatement | Link | Institution) -> str | None:
    return None if row.id is None else str(row.id)


def quota_reset(now: datetime) -> datetime:
    """SAT's daily quota of XML documents is filled up at 00:00 CST, which is 06:00 UTC (support article on XML)."""
    today = now.astimezone(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)


def partial_remark(row: Record, now: datetime) -> Observation | None:
    """Say that an invoice came without its XML, so that the job it belongs to is partial."""
    warnings = row.warnings if isinstance(row, Invoice) else None
    if warnings is None or warnings.code is None:
        return None
    retry_at = quota_reset(now) if warnings.code == XML_LIMIT else None
    return Observation(way=Way.POLL, at=now, partial=True, retry_at=retry_at)


def _walk(source: Source, path: str, filters: Filters, record: type[R], keep: Callable[[R], bool] | None) -> Walk[R]:
    shape = Shape(
        record=record,
        rows=("results",),
        next=(("next",),),
        count=(("count",),),
        keep=keep,
        record_id=_record_id,
        remark=partial_remark,
    )
    first = source.get(path, [*filters, ("page_size", PAGE_SIZE)])
    return Walk(
        shape=shape,
        steps=lambda start: _pages(first, path, source.origin, start),
        ahead=lambda request, page: _pages_ahead(request, page, path, source.origin),
    )


def _pages(first: Request, path: str, origin: str, start: str | None) -> Generator[Request, Page, None]:
    """Follow `next` until there is none. A link met before ends the walk: it would go round for ever."""
    request: Request | None = first if start is None else _resumed(first, start, path, origin)
    seen: set[str] = set()
    while request is not None and request.target not in seen:
        seen.add(request.target)
        page = yield request
        link = page.next
        request = (
            msgspec.structs.replace(request, target=local_target(link, origin=origin, path=path)) if link else None
        )


def _resumed(first: Request, start: str, path: str, origin: str) -> Request:
    try:
        return msgspec.structs.replace(first, target=local_target(start, origin=origin, path=path))
    except PayloadError:
        raise TaskError("that checkpoint is of another reading", field="resume") from None


def _pages_ahead(request: Request, page: Page, path: str, origin: str) -> Iterator[Request]:
    """Count on from the page after this one: Belvo numbers its pages and tells how many rows there are.

    How many pages that makes is known once this one's rows are; before, the largest page is taken for granted.
    """
    if not page.next:
        return
    target = local_target(page.next, origin=origin, path=path)
    number = _PAGE_NUMBER.search(target)
    yield msgspec.structs.replace(request, target=target)
    if number is None or page.count is None:
        return
    last = -(-page.count // (page.rows or int(PAGE_SIZE)))
    before, after = target[: number.start(1)], target[number.end(1) :]
    for following in range(int(number.group(1)) + 1, last + 1):
        yield msgspec.structs.replace(request, target=f"{before}{following}{after}")


_PAGE_NUMBER = re.compile(r"(?<=[?&]page=)(\d{1,9})(?=&|\Z)")
