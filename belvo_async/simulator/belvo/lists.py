"""Belvo's list manners: Django-style filters, page numbers, `fields` and `omit`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from ..wire import Incoming, Json, JsonObject, Query
from .rows.invoices import Filed

LARGEST_PAGE: Final = 1000  # larger values are clamped (pagination article)
# Query parameters that choose how rows are shown, not which.
PAGING: Final = ("page", "page_size")
PICKING: Final = ("fields", "omit")
SHOWING: Final = frozenset({*PAGING, *PICKING})
Key: TypeAlias = str | Decimal
Test: TypeAlias = Callable[[Filed], bool]

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
# The specification wants two to four decimals, and shows [100, 5000] as a range: both are taken.
_AMOUNT: Final = re.compile(r"\d{1,15}(\.\d{1,4})?")
_YEAR: Final = re.compile(r"\d{4}")
_HOLDS: Final = {"gt": (1,), "gte": (0, 1), "lt": (-1,), "lte": (-1, 0)}
# Fields of the filters that lie deeper in the row, or under another name.
_GENERAL: Final = frozenset({"ejercicio", "tipo_declaracion"})
_LISTED_AS: Final = {"country_code": "country_codes"}


class FilterError(Exception):
    """A filter value Belvo refuses; carries the parameter's name."""


def _uuid(text: str) -> Key:
    return str(UUID(text))


def _day(text: str) -> Key:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _amount(text: str) -> Key:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _year(text: str) -> Key:
    if not _YEAR.fullmatch(text):
        raise ValueError(text)
    return text


def _choice(*words: str) -> Callable[[str], Key]:
    def read(text: str) -> Key:
        if text not in words:
            raise ValueError(text)
        return text

    return read


def _direction(text: str) -> Key:
    return _choice("OUTFLOW", "INFLOW")(text.upper())


def _shown(value: Json) -> Key:
    return str(value).lower()


def _shown_day(value: Json) -> Key:
    # created_at is filtered by date, not by instant (reference: format date).
    return str(value)[:10]


def _shown_amount(value: Json) -> Key:
    return Decimal(str(value))


@dataclass(frozen=True, slots=True)
class Filter:
    """How a field may be asked for: its operators, how a query's text is read (ValueError refuses it), how a row's."""

    operators: tuple[str, ...]
    read: Callable[[str], Key] = str.lower
    shown: Callable[[Json], Key] = _shown


_EQUAL: Final = ("", "in")
_ORDERED: Final = ("", "gt", "gte", "lt", "lte", "range")
Filters: TypeAlias = dict[str, Filter]

# Filters of the lists: field -> its operators (official OpenAPI 1.223.0).
_KEPT: Filters = {"link": Filter(_EQUAL, _uuid), "created_at": Filter(_ORDERED, _day, _shown_day)}
RECORD_FILTERS: Filters = {**_KEPT, "id": Filter(_EQUAL, _uuid)}
RETENTION_FILTERS: Filters = _KEPT
INVOICE_FILTERS: Filters = {
    **RECORD_FILTERS,
    "type": Filter(_EQUAL, _direction, str),
    "status": Filter(_EQUAL),
    "invoice_identification": Filter(_EQUAL),
    "invoice_date": Filter(_ORDERED, _day, _shown_day),
    "total_amount": Filter(_ORDERED, _amount, _shown_amount),
}
RETURN_FILTERS: Filters = {
    **RECORD_FILTERS,
    "ejercicio": Filter(_ORDERED, _year),
    "tipo_declaracion": Filter(_EQUAL),
}
LINK_FILTERS: Filters = {
    "id": Filter(_EQUAL, _uuid),
    "institution": Filter(_EQUAL),
    "access_mode": Filter(("",), _choice("single", "recurrent")),
    "created_at": Filter(_ORDERED, _day, _shown_day),
    "created_by": Filter(("not_in",), _uuid),
    "external_id": Filter(_EQUAL, str, str),
    "institution_user_id": Filter(_EQUAL, str, str),  # base64: case matters
    "refresh_rate": Filter(("",)),
    "status": Filter(_EQUAL),
}
INSTITUTION_FILTERS: Filters = {
    "display_name": Filter(("",)),
    "country_code": Filter(_EQUAL),
    "resources": Filter(("allin",)),
    "name": Filter(_EQUAL),
    "status": Filter(_EQUAL),
    "type": Filter(_EQUAL, _choice("bank", "fiscal", "employment")),
    "website": Filter(("",)),
}


def asked(known: Filters) -> list[str]:
    """Name every query parameter of a list that is filtered so."""
    names = [f"{field}__{each}" if each else field for field, kind in known.items() for each in kind.operators]
    return [*names, *PAGING, *PICKING]


def filters(query: Query, known: Filters) -> list[Test]:
    """Turn the query into tests of one row. Unknown parameters are left alone.

    Raises FilterError when a value cannot be read.
    """
    tests: list[Test] = []
    for name, values in query.items():
        field, _, operator = name.partition("__")
        if field in known and operator in known[field].operators and values[-1]:
            tests.append(_test(name, known[field], values[-1]))
    return tests


def _test(name: str, kind: Filter, text: str) -> Test:
    field, _, operator = name.partition("__")
    context = text.split(",") if operator in ("in", "not_in", "allin", "range") else [text]
    try:
        wanted = [kind.read(part) for part in context]
        if operator == "range":
            low, high = wanted
            return lambda filed: any(_between(low, key, high) for key in _keys(filed, field, kind))
    except ValueError as refused:
        raise FilterError(name) from refused
    if operator == "not_in":
        return lambda filed: not any(key in wanted for key in _keys(filed, field, kind))
    if operator == "allin":
        return lambda filed: set(wanted) <= set(_keys(filed, field, kind))
    if operator in _EQUAL:
        return lambda filed: any(key in wanted for key in _keys(filed, field, kind))
    return lambda filed: any(_compare(operator, key, wanted[0]) for key in _keys(filed, field, kind))


def _keys(filed: Filed, field: str, kind: Filter) -> list[Key]:
    """Give what a row says for a filter: nothing for a missing value, several for a list."""
    value = _value(filed, field)
    if isinstance(value, list):
        return [kind.shown(each) for each in value]
    if value is None:
        return ["null"] if field == "refresh_rate" else []  # the one filter whose pattern knows "null"
    return [kind.shown(value)]


def _value(filed: Filed, field: str) -> Json:
    if field == "id":
        return filed.id
    if field == "link":
        return filed.link
    if field in _GENERAL:
        general = filed.row.get("informacion_general")
        return general.get(field) if isinstance(general, dict) else None
    return filed.row.get(_LISTED_AS.get(field, field))


def _between(low: Key, value: Key, high: Key) -> bool:
    return _compare("gte", value, low) and _compare("lte", value, high)


def _compare(operator: str, value: Key, limit: Key) -> bool:
    order = _order(value, limit)
    return order is not None and order in _HOLDS[operator]


def _order(value: Key, limit: Key) -> int | None:
    """Give -1, 0 or 1; None when the two cannot be compared."""
    if isinstance(value, Decimal) and isinstance(limit, Decimal):
        return int(value.compare(limit))
    if isinstance(value, str) and isinstance(limit, str):
        return (value > limit) - (value < limit)
    return None


def pick(row: JsonObject, call: Incoming) -> JsonObject:
    """Apply `fields` (only these) and `omit` (all but these)."""
    only, leave = call.one("fields"), call.one("omit")
    if only:
        names = set(only.split(","))
        row = {name: value for name, value in row.items() if name in names}
    if leave:
        names = set(leave.split(","))
        row = {name: value for name, value in row.items() if name not in names}
    return row


def page(rows: Sequence[Filed], call: Incoming, *, origin: str, default_size: int) -> JsonObject | None:
    """Give one page of the rows; None when the page does not exist (Belvo answers 404).

    Its links are absolute, under the name the client came by; `origin` is for those who name none.
    """
    size = min(_count(call.one("page_size"), default_size), LARGEST_PAGE)
    number = _count(call.one("page"), 1)
    last, origin = max(1, -(-len(rows) // size)), call.origin(origin)
    if number > last:
        return None
    results: list[Json] = [pick(filed.row, call) for filed in rows[(number - 1) * size : number * size]]
    return {
        "count": len(rows),
        "next": _url(call, origin, number + 1) if number < last else None,
        "previous": _url(call, origin, number - 1) if number > 1 else None,
        "results": results,
    }


def _count(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default


def _url(call: Incoming, origin: str, number: int) -> str:
    kept = [(name, value) for name, values in call.query.items() for value in values if name != "page"]
    return f"{origin}{call.path}?{urlencode([*kept, ('page', str(number))], safe=',')}"
