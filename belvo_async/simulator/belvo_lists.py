"""Belvo's list manners: Django-style filters, page numbers, `fields` and `omit`."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from belvo_async.simulator.wire import Call, Json, JsonObject, Query

LARGEST_PAGE = 1000  # larger values are clamped (pagination article)
EQUAL = ("", "in")
_HOLDS = {"gt": (1,), "gte": (0, 1), "lt": (-1,), "lte": (-1, 0)}
ORDERED = ("", "gt", "gte", "lt", "lte", "range")
# Filters of GET /api/invoices/: field -> its operators (official OpenAPI 1.223.0).
INVOICE_FILTERS: dict[str, tuple[str, ...]] = {
    "id": EQUAL, "link": EQUAL, "type": EQUAL, "status": EQUAL, "invoice_identification": EQUAL,
    "created_at": ORDERED, "invoice_date": ORDERED, "total_amount": ORDERED,
}  # fmt: skip
STATEMENT_FILTERS: dict[str, tuple[str, ...]] = {"id": EQUAL, "link": EQUAL, "created_at": ORDERED}
LINK_FILTERS: dict[str, tuple[str, ...]] = {
    "id": EQUAL, "institution": EQUAL, "access_mode": ("",), "created_at": ORDERED, "external_id": EQUAL,
    "institution_user_id": EQUAL, "refresh_rate": ("",), "status": EQUAL,
}  # fmt: skip
INSTITUTION_FILTERS: dict[str, tuple[str, ...]] = {"name": EQUAL, "type": EQUAL, "status": EQUAL, "display_name": ("",)}

Test = Callable[[JsonObject], bool]


class FilterError(Exception):
    """A filter value Belvo refuses; carries the parameter's name."""


def filters(query: Query, known: dict[str, tuple[str, ...]]) -> list[Test]:
    """Turn the query into tests of one row. Unknown parameters are left alone.

    Raises FilterError when a value cannot be read.
    """
    tests: list[Test] = []
    for name, values in query.items():
        field, _, operator = name.partition("__")
        if operator in known.get(field, ()) and values[-1]:
            tests.append(_test(name, field, operator, values[-1]))
    return tests


def _test(name: str, field: str, operator: str, text: str) -> Test:
    try:
        wanted = [_key(field, part) for part in text.split(",")]
        if operator == "range":
            low, high = wanted
            return lambda row: _between(low, _of(row, field), high)
    except (InvalidOperation, ValueError) as refused:
        raise FilterError(name) from refused
    if operator in EQUAL:
        return lambda row: _of(row, field) in wanted
    return lambda row: _compare(operator, _of(row, field), wanted[0])


def _of(row: JsonObject, field: str) -> str | Decimal | None:
    value = row.get(field)
    return None if value is None else _key(field, str(value))


def _key(field: str, text: str) -> str | Decimal:
    if field == "total_amount":
        return Decimal(text)
    # created_at is filtered by date, not by instant (reference: format date).
    return text[:10] if field == "created_at" else text.lower()


def _between(low: str | Decimal, value: str | Decimal | None, high: str | Decimal) -> bool:
    return _compare("gte", value, low) and _compare("lte", value, high)


def _compare(operator: str, value: str | Decimal | None, limit: str | Decimal) -> bool:
    order = _order(value, limit)
    return order is not None and order in _HOLDS[operator]


def _order(value: str | Decimal | None, limit: str | Decimal) -> int | None:
    """Give -1, 0 or 1; None when the two cannot be compared (a missing value)."""
    if isinstance(value, Decimal) and isinstance(limit, Decimal):
        return int(value.compare(limit))
    if isinstance(value, str) and isinstance(limit, str):
        return (value > limit) - (value < limit)
    return None


def pick(row: JsonObject, call: Call) -> JsonObject:
    """Apply `fields` (only these) and `omit` (all but these)."""
    only, leave = call.one("fields"), call.one("omit")
    if only:
        names = set(only.split(","))
        row = {name: value for name, value in row.items() if name in names}
    if leave:
        names = set(leave.split(","))
        row = {name: value for name, value in row.items() if name not in names}
    return row


def page(rows: Sequence[JsonObject], call: Call, *, origin: str, default_size: int) -> JsonObject | None:
    """Give one page of the rows; None when the page does not exist (Belvo answers 404)."""
    size = min(_count(call.one("page_size"), default_size), LARGEST_PAGE)
    number = _count(call.one("page"), 1)
    last = max(1, -(-len(rows) // size))
    if number > last:
        return None
    results: list[Json] = [pick(row, call) for row in rows[(number - 1) * size : number * size]]
    return {
        "count": len(rows),
        "next": _url(call, origin, number + 1) if number < last else None,
        "previous": _url(call, origin, number - 1) if number > 1 else None,
        "results": results,
    }


def _count(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default


def _url(call: Call, origin: str, number: int) -> str:
    kept = [(name, value) for name, values in call.query.items() for value in values if name != "page"]
    return f"{origin}{call.path}?{urlencode([*kept, ('page', str(number))], safe=',')}"
