"""Syntage's list manners: API-Platform filters, `order[...]`, the id cursor, the Hydra envelope."""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Literal
from urllib.parse import urlencode

from ..wire import Incoming, Json, JsonObject
from .options import read_instant
from .rows.invoices import collection

Match = Literal["exact", "partial", "date", "number", "bool", "exists", "unseen"]
# Guide and OpenAPI differ in which lists know a page number: `either` takes the cursor when the request opts in.
Style = Literal["cursor", "cursor_only", "either", "page"]
# parameter -> (path in the row, how it compares); of what all rows have and none shows (`unseen`), the value itself
Filters = Mapping[str, tuple[str, Match]]
Test = Callable[[JsonObject], bool]

LARGEST_PAGE, DEFAULT_PAGE = 1000, 20
# What may follow a filter's name, by how it compares.
OPERATORS: Final[Mapping[Match, tuple[str, ...]]] = {
    "exact": ("", "[]"),
    "partial": ("", "[]"),
    "bool": ("",),
    "exists": ("",),
    "unseen": ("",),
    "date": ("[before]", "[strictly_before]", "[after]", "[strictly_after]"),
    "number": ("", "[]", "[gt]", "[gte]", "[lt]", "[lte]", "[between]"),
}
_CURSOR: Final = ("id[lt]", "id[gt]")
PAGING: Final[Mapping[Style, tuple[str, ...]]] = {
    "cursor": _CURSOR,
    "cursor_only": _CURSOR,
    "either": ("page", *_CURSOR),
    "page": ("page",),
}
# Asks for the total (0), and for the cursor where a list knows both.
HEADERS: Final = ("X-Pagination-Enable-Partial", "X-Pagination-Style")


def same(match: Match, *names: str) -> dict[str, tuple[str, Match]]:
    """Give filters named like the field they look at."""
    return {name: (name, match) for name in names}


EXTRACTION_FILTERS: Filters = {
    **same("exact", "taxpayer.id", "status"),
    **same("partial", "extractor"),  # `tax_return` finds three of them
    **same("date", "startedAt", "finishedAt", "createdAt"),
    "exists[rateLimitedAt]": ("rateLimitedAt", "exists"),
}
EXTRACTION_ORDER: Final = ("startedAt", "finishedAt", "createdAt", "updatedAt")
EVENT_FILTERS: Filters = {**same("exact", "type", "taxpayer.id", "source", "resource"), **same("date", "createdAt")}
EVENT_ORDER: Final = ("createdAt",)
ENDPOINT_FILTERS: Filters = {**same("exact", "url", "events"), **same("bool", "enabled")}
ATTEMPT_FILTERS: Filters = same(
    "exact", "url", "responseStatusCode", "event.id", "event.type", "event.source", "event.resource"
)
ENTITY_FILTERS: Filters = {
    **same("partial", "taxpayer.id", "taxpayer.name"),
    **same("exact", "taxpayer.personType", "credential.status"),
    **same("date", "taxpayer.registrationDate", "createdAt", "updatedAt"),
}
CREDENTIAL_FILTERS: Filters = {
    **same("exact", "type", "status"),
    **same("partial", "rfc"),
    **same("date", "deactivatedAt", "createdAt"),  # rows do not show the first
}
INVOICE_FILTERS: Filters = {
    **same("exact", "uuid", "type", "usage", "paymentType", "paymentMethod", "issuer.blacklistStatus", "currency",
            "receiver.blacklistStatus", "status"),
    **same("partial", "issuer.rfc", "issuer.name", "issuer.taxRegime", "receiver.rfc", "receiver.name", "pac",
            "cancellationStatus"),
    **same("bool", "isIssuer", "isReceiver"),
    **same("number", "version", "tax", "discount", "subtotal", "total", "paidAmount", "dueAmount"),
    **same("date", "issuedAt", "canceledAt", "createdAt", "updatedAt", "certifiedAt", "lastPaymentDate",
            "fullyPaidAt"),
    "cancellationStatusProcess": ("cancellationProcessStatus", "partial"),  # the vendor spells the filter so
    "hasXml": ("xml", "bool"),
    "hasPdf": ("pdf", "bool"),
    "exists[paymentMethod]": ("paymentMethod", "exists"),
}  # fmt: skip
INVOICE_ORDER: Final = ("issuedAt", "canceledAt", "certifiedAt", "amount")
# Orders that are not called after the field: `amount` is what `total` was called before 2020-06-28.
_ORDERED_BY: Final = {"amount": "total"}


def asked(known: Filters, order: Sequence[str], style: Style) -> list[str]:
    """Name every query parameter of a list that is filtered, ordered and paged so."""
    names = [f"{name}{each}" for name, (_, match) in known.items() for each in OPERATORS[match]]
    return [*names, *(f"order[{field}]" for field in order), "itemsPerPage", *PAGING[style]]


def at(row: JsonObject, path: str) -> Json:
    """Give the value at a dotted path; None when a step is missing."""
    value: Json = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def filters(call: Incoming, known: Filters) -> list[Test]:
    """Turn the query into tests of one row; unknown names and operators are silently ignored (documented)."""
    found = (_filter(name, values, known) for name, values in call.query.items())
    return [test for test in found if test is not None]


def _filter(name: str, values: list[str], known: Filters) -> Test | None:
    field, _, operator = name.rstrip("]").partition("[")
    if field == "exists":
        path, wanted = operator, values[-1].lower() in ("true", "1")
        return lambda row: (at(row, path) is not None) == wanted
    if field not in known:
        return None
    path, match = known[field]
    if match == "unseen":
        return lambda _: values[-1] == path
    if match == "date":
        return _date_test(path, operator, values[-1])
    if operator == "":
        wanted_words = values if name.endswith("[]") else values[-1:]
        return lambda row: any(_fits(match, at(row, path), word) for word in wanted_words)
    return _number_test(path, operator, values[-1]) if match == "number" else None


def _fits(match: Match, value: Json, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_fits(match, each, wanted) for each in value)
    if match == "bool":
        return value is (wanted.lower() in ("true", "1"))
    if match == "number" or isinstance(value, (int, Decimal)):
        return _is_number(value, wanted, partly=match == "partial")
    if not isinstance(value, str):
        return False
    return wanted.lower() in value.lower() if match == "partial" else wanted == value


def _is_number(value: Json, wanted: str, *, partly: bool) -> bool:
    if partly:
        return wanted in str(value)
    try:
        return isinstance(value, (int, Decimal)) and Decimal(wanted) == value
    except InvalidOperation:
        return False


def _date_test(path: str, operator: str, text: str) -> Test | None:
    limit = read_instant(text)
    if limit is None:
        return None
    fits: dict[str, Callable[[datetime], bool]] = {
        "before": lambda instant: instant <= limit,
        "strictly_before": lambda instant: instant < limit,
        "after": lambda instant: instant >= limit,
        "strictly_after": lambda instant: instant > limit,
    }
    test = fits.get(operator)
    if test is None:
        return None

    def check(row: JsonObject) -> bool:
        instant = read_instant(at(row, path))
        return instant is not None and test(instant)

    return check


def _number_test(path: str, operator: str, text: str) -> Test | None:
    try:
        limits = [Decimal(part) for part in text.split("..")]
    except InvalidOperation:
        return None
    low, high = limits[0], limits[-1]
    fits: dict[str, Callable[[Decimal], bool]] = {
        "gt": lambda number: number > low,
        "gte": lambda number: number >= low,
        "lt": lambda number: number < low,
        "lte": lambda number: number <= low,
        "between": lambda number: low <= number <= high,
    }
    test = fits.get(operator)
    if test is None:
        return None

    def check(row: JsonObject) -> bool:
        value = at(row, path)
        return isinstance(value, (int, Decimal)) and test(Decimal(value))

    return check


def page(
    rows: Sequence[JsonObject],
    call: Incoming,
    *,
    context: str,
    known: Filters,
    order: Sequence[str] = (),
    total: bool = False,
) -> JsonObject | None:
    """Give one page of rows already sorted newest id first. None when itemsPerPage is out of 1..1000."""
    size = _size(call)
    if size is None:
        return None
    fitting = _fitting(rows, call, known)
    ordered = _ordered(_after_cursor(fitting, call), call, order)
    backwards = call.one("id[gt]") is not None
    shown = ordered[-size:] if backwards else ordered[:size]
    view: JsonObject = {"@id": _url(call, {}), "@type": "hydra:PartialCollectionView"}
    if len(ordered) > size:
        name, edge = ("id[gt]", shown[0]) if backwards else ("id[lt]", shown[-1])
        view["hydra:next"] = _url(call, {name: str(edge["id"])})
    members: list[Json] = [*shown]
    return collection(context, call.path, members, view, len(fitting) if total else None)


def numbered_page(
    rows: Sequence[JsonObject],
    call: Incoming,
    *,
    context: str,
    known: Filters,
    order: Sequence[str] = (),
    usual: int = DEFAULT_PAGE,
) -> JsonObject | None:
    """Give one page by its number, always with a total. None when itemsPerPage or page is out of range."""
    size, number = _size(call, usual), call.one("page") or "1"
    if size is None or not number.isdecimal() or int(number) < 1:
        return None
    fitting = _ordered(_fitting(rows, call, known), call, order)
    mine, last = int(number), max(1, math.ceil(len(fitting) / size))
    links = {"first": 1, "previous": mine - 1, "next": mine + 1, "last": last} if last > 1 else {}
    view: JsonObject = {"@id": _url(call, {}), "@type": "hydra:PartialCollectionView"}
    view |= {f"hydra:{name}": _url(call, {"page": str(at)}) for name, at in links.items() if 1 <= at <= last}
    members: list[Json] = [*fitting[(mine - 1) * size : mine * size]]
    return collection(context, call.path, members, view, len(fitting))


def _size(call: Incoming, usual: int = DEFAULT_PAGE) -> int | None:
    text = call.one("itemsPerPage")
    if text is None:
        return usual
    return int(text) if text.isdecimal() and 1 <= int(text) <= LARGEST_PAGE else None


def _fitting(rows: Sequence[JsonObject], call: Incoming, known: Filters) -> Sequence[JsonObject]:
    tests = filters(call, known)
    return [row for row in rows if all(test(row) for test in tests)] if tests else rows


def _after_cursor(rows: Sequence[JsonObject], call: Incoming) -> Sequence[JsonObject]:
    """Cut at the cursor. Rows come newest id first: the place is found by halving, however long the list."""
    below, above = call.one("id[lt]"), call.one("id[gt]")
    if below is not None:
        rows = rows[bisect_left(rows, True, key=lambda row: str(row["id"]) < below) :]
    if above is not None:
        rows = rows[: bisect_left(rows, True, key=lambda row: str(row["id"]) <= above)]
    return rows


def _ordered(rows: Sequence[JsonObject], call: Incoming, fields: Sequence[str]) -> Sequence[JsonObject]:
    """Sort by what is asked for, the first name foremost; names that are not known are ignored, as filters are."""
    known = {f"order[{field}]": _ORDERED_BY.get(field, field) for field in fields}
    for name in reversed([name for name in call.query if name in known]):
        direction = call.one(name)
        if direction in ("asc", "desc"):
            rows = sorted(rows, key=lambda row: _rank(at(row, known[name])), reverse=direction == "desc")
    return rows


def _rank(value: Json) -> tuple[int, Decimal, str]:
    """Give what a value is sorted by: nothing before numbers, numbers before texts."""
    if value is None:
        return 0, Decimal(0), ""
    return (1, Decimal(value), "") if isinstance(value, (int, Decimal)) else (2, Decimal(0), str(value))


def _url(call: Incoming, cursor: dict[str, str]) -> str:
    """Give a relative link that keeps the query; a cursor (or page number) replaces the former one."""
    dropped = {"id[lt]", "id[gt]", "page"} if cursor else set[str]()
    kept = [(name, value) for name, values in call.query.items() for value in values if name not in dropped]
    query = urlencode([*kept, *cursor.items()])
    return f"{call.path}?{query}" if query else call.path
