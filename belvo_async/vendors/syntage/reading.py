"""Reading lists: the targets, the walk along `hydra:next`, and which rows are kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

from msgspec.structs import replace

from ...abc import Page, Query, Request, Shape, Walk
from ...errors import PayloadError, TaskError, UnsupportedError
from ...payload import local_target
from .schema import (
    INVOICE_TYPES,
    Entities,
    Entity,
    Extraction,
    Extractions,
    ExtractionState,
    Invoice,
    InvoiceOptions,
    Record,
    Taxpayer,
)

__all__ = ["HEADERS", "ROWS_PER_PAGE", "get", "next_target", "target", "walk_invoices", "walk_query"]

R = TypeVar("R", bound=Record)
Params = Iterable[tuple[str, str]]

# The newest version (developer-changelog). What an account gets without the header is not published.
HEADERS: Final = (("Accept", "application/ld+json"), ("Accept-Version", "2020-06-28"))

# Documented are up to 1000; a client of the live API was answered 400 above 100, the dashboard's largest page.
ROWS_PER_PAGE: Final = 100

# A link that is new each time would be followed for ever. The largest collection anybody reported has 1,100 pages.
_PAGE_LIMIT: Final = 100_000

# Cursor style everywhere; the second header asks for the total, which costs the vendor time but proves completeness
# (guides/api/pagination).
_CURSOR: Final = (("X-Pagination-Style", "cursor"), ("X-Pagination-Enable-Partial", "0"))

# Mexico's central time has been UTC-6 the whole year since 2022. Whether `issuedAt` and plain dates are meant in it or
# in UTC is not documented, so a row is kept if either reading puts it into the period.
_MEXICO: Final = timedelta(hours=6)


def get(path_and_query: str, name: str, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    """Make a reading request."""
    return Request(method="GET", target=path_and_query, name=name, headers=HEADERS + headers)


def target(path: str, params: Params = ()) -> str:
    """Join a path (already encoded) and its query."""
    query = urlencode([*params, ("itemsPerPage", str(ROWS_PER_PAGE))])
    return f"{path}?{query}"


def next_target(link: str, *, origin: str, path: str) -> str:
    """Reduce a link to path and query; PayloadError when it leaves the vendor or the collection."""
    following = local_target(link, origin=origin)
    # Compared decoded: an RFC may hold `&` or `Ñ`, which either side may have encoded.
    if unquote(urlsplit(following).path) != unquote(path):
        raise PayloadError("a link that leaves its collection")
    return following if following.isascii() else quote(following, safe="%/?&=[]:;,+!$'()*@~")


def _follow(
    path: str, params: Params, *, start: str | None, name: str, origin: str, headers: tuple[tuple[str, str], ...]
) -> Generator[Request, Page, None]:
    """Follow `hydra:next` word for word until there is none, a page is empty or a link repeats.

    The framework beneath has printed `next` on last and on empty pages (api-platform/core 7961). `page` is never sent:
    some lists refuse it.
    """
    following = target(path, params) if start is None else _resumed(start, origin=origin, path=path)
    seen: set[str] = set()
    while following not in seen:
        if len(seen) >= _PAGE_LIMIT:
            raise PayloadError("pages without an end")
        seen.add(following)
        page = yield get(following, name, headers)
        if page.next is None or page.rows == 0:
            return
        following = next_target(page.next, origin=origin, path=path)


def _walk(
    record: type[R],
    path: str,
    params: Sequence[tuple[str, str]],
    *,
    name: str,
    origin: str,
    keep: Callable[[R], bool],
    headers: tuple[tuple[str, str], ...] = (),
) -> Walk[R]:
    shape = Shape(
        record=record,
        rows=("hydra:member", "member"),
        next=(("hydra:view", "hydra:next"), ("view", "next")),
        count=(("hydra:totalItems",), ("totalItems",)),
        keep=keep,
        record_id=_record_id,
    )
    return Walk(
        shape=shape,
        steps=lambda start: _follow(path, params, start=start, name=name, origin=origin, headers=headers),
        ahead=lambda request, page: _ahead(request, page, origin=origin, path=path),
    )


def _resumed(start: str, *, origin: str, path: str) -> str:
    try:
        return next_target(start, origin=origin, path=path)
    except PayloadError:
        raise TaskError("that checkpoint is of another reading", field="resume") from None


def _ahead(request: Request, page: Page, *, origin: str, path: str) -> Iterator[Request]:
    """The one page after this: a cursor cannot be guessed."""
    if page.next is not None:
        yield replace(request, target=next_target(page.next, origin=origin, path=path))


def _record_id(record: Record) -> str | None:
    return record.id


def walk_invoices(task: Extraction, origin: str) -> Walk[Invoice]:
    """Read the invoices an extraction asked for.

    The vendor's filters only save pages (it ignores the ones it does not know): the period has a day of slack on either
    side, and each row is checked again. The count the vendor gives is of its filters, so it includes the slack.
    """
    options = task.options
    if not isinstance(options, InvoiceOptions):
        raise UnsupportedError(
            f"the records of {task.extractor} have no list in this release; only those of invoice extractions have"
        )
    rfc = task.rfc
    path = f"/taxpayers/{quote(rfc, safe='')}/invoices" if rfc else f"{task.entity}/invoices"
    name = "GET /taxpayers/{rfc}/invoices" if rfc else "GET /entities/{id}/invoices"
    return _walk(
        Invoice,
        path,
        _invoice_params(options),
        name=name,
        origin=origin,
        keep=lambda invoice: _is_asked_for(invoice, options),
        headers=_CURSOR,
    )


def _invoice_params(options: InvoiceOptions) -> list[tuple[str, str]]:
    params = [
        ("issuedAt[after]", _day(options.period.first, -1)),
        # A plain date is read as its midnight: the day after the slack day closes the slack day.
        ("issuedAt[before]", _day(options.period.last, 2)),
    ]
    if options.types != INVOICE_TYPES:
        params += [("type[]", each) for each in options.types]
    return params


def _day(instant: datetime, days: int) -> str:
    try:
        return (instant.date() + timedelta(days=days)).isoformat()
    except OverflowError:
        return instant.date().isoformat()


def _is_asked_for(invoice: Invoice, options: InvoiceOptions) -> bool:
    """Tell whether an invoice is of the asked kind, side and period. What a row does not say is not held against it."""
    if invoice.type is not None and invoice.type not in options.types:
        return False
    sides = (options.issued and invoice.is_issuer, options.received and invoice.is_receiver)
    is_silent = invoice.is_issuer is None and invoice.is_receiver is None
    if not is_silent and not any(sides):
        return False
    return invoice.issued_at is None or _is_within(invoice.issued_at, options)


def _is_within(instant: datetime, options: InvoiceOptions) -> bool:
    period = options.period
    # Compared shifted, not by shifting the bounds: those may stand at the end of the calendar.
    if isinstance(period.to, datetime) or instant <= period.last:
        return period.first <= instant <= period.last
    return instant - _MEXICO <= period.last


def walk_query(query: Query[object], origin: str) -> Walk[Entity] | Walk[ExtractionState]:
    """Read what a query asks for; rows are checked again, for unknown filters are ignored and texts match in part."""
    if isinstance(query, Entities):
        return _walk(
            Entity,
            "/entities",
            _entity_params(query),
            name="GET /entities",
            origin=origin,
            keep=lambda entity: _fits_entity(entity, query),
        )
    if isinstance(query, Extractions):
        return _walk(
            ExtractionState,
            "/extractions",
            _extraction_params(query),
            name="GET /extractions",
            origin=origin,
            keep=lambda state: _fits_extraction(state, query),
        )
    raise UnsupportedError(f"Syntage has no list for {type(query).__name__}")


def _entity_params(query: Entities) -> list[tuple[str, str]]:
    texts = {"taxpayer.id": query.rfc, "taxpayer.name": query.name, "taxpayer.personType": query.person_type}
    return _texts(texts) + _spans(query, "created", "updated")


def _extraction_params(query: Extractions) -> list[tuple[str, str]]:
    params = _texts({"taxpayer.id": query.rfc, "extractor": query.extractor, "status": query.status})
    if query.rate_limited is not None:
        params.append(("exists[rateLimitedAt]", str(query.rate_limited).lower()))
    return params + _spans(query, "created", "started", "finished")


def _texts(wanted: dict[str, str | None]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in wanted.items() if text is not None]


def _spans(query: Query[Any], *names: str) -> list[tuple[str, str]]:
    """Write the bounds of instants: `created_after` becomes `createdAt[after]`, which includes its bound."""
    bounds = ((name, side, getattr(query, f"{name}_{side}")) for name in names for side in ("after", "before"))
    return [(f"{name}At[{side}]", _instant(at, f"{name}_{side}")) for name, side, at in bounds if at is not None]


def _instant(at: date, field: str) -> str:
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise TaskError("expected a datetime with a time zone", field=field)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_NOBODY: Final = Taxpayer()


def _fits_entity(entity: Entity, query: Entities) -> bool:
    taxpayer = entity.taxpayer or _NOBODY
    return (
        _is_or_unasked(taxpayer.id, query.rfc)
        and _is_or_unasked(taxpayer.person_type, query.person_type)
        and _is_between(entity.created_at, query.created_after, query.created_before)
        and _is_between(entity.updated_at, query.updated_after, query.updated_before)
    )


def _fits_extraction(state: ExtractionState, query: Extractions) -> bool:
    limited = state.rate_limited_at is not None
    return (
        _is_or_unasked((state.taxpayer or _NOBODY).id, query.rfc)
        and _is_or_unasked(state.extractor, query.extractor)
        and _is_or_unasked(state.status, query.status)
        and query.rate_limited in (None, limited)
        and _is_between(state.created_at, query.created_after, query.created_before)
        and _is_between(state.started_at, query.started_after, query.started_before)
        and _is_between(state.finished_at, query.finished_after, query.finished_before)
    )


def _is_or_unasked(said: str | None, wanted: str | None) -> bool:
    return wanted is None or said == wanted


def _is_between(at: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    if after is None and before is None:
        return True
    # Filters are sent in whole seconds; a bound of 12:00:00.4 was sent as 12:00:00.
    return at is not None and (after is None or at >= after) and (before is None or at <= before)
