"""What Belvo refuses in a POST body that retrieves records, in its own codes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from ..wire import Json, JsonObject

# "maximum 365 days per request" (reference of POST /api/invoices/). Whether both ends count is
# not documented; a difference of 365 days is let pass, the next one is not.
LONGEST_SPAN: Final = timedelta(days=365)
DIRECTIONS: Final = ("OUTFLOW", "INFLOW")
Problem: TypeAlias = tuple[str, str, str]
Check: TypeAlias = Callable[[JsonObject, date], list[Problem]]
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR: Final = re.compile(r"(19|20)\d{2}")


@dataclass(frozen=True, kw_only=True)
class InvoiceOrder:
    """A checked body of POST /api/invoices/. `type` None means both directions."""

    link: str
    date_from: date
    date_to: date
    type: str | None
    attach_xml: bool
    save_data: bool


def check_link(body: JsonObject, today: date) -> list[Problem]:
    """Check `link` and `save_data`, which every retrieval has."""
    problems = required(body, "link") or check_uuid("link", body["link"])
    return problems + check_flag(body, "save_data")


def check_snapshot(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of POST /api/tax-status/ or /api/tax-compliance-status/."""
    return check_link(body, today) + check_flag(body, "attach_pdf")


def check_invoices(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of POST /api/invoices/."""
    problems = check_link(body, today) + check_flag(body, "attach_xml") + _check_dates(body)
    if "type" not in body:
        problems += required(body, "type")
    elif body["type"] is not None:
        problems += _check_direction(body["type"])
    return problems or _check_period(body, today, LONGEST_SPAN)


def check_retentions(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of POST /api/tax-retentions/. No longest period is documented, only a most of 500 rows."""
    problems = check_link(body, today) + check_flag(body, "attach_xml") + _check_dates(body)
    problems += required(body, "type") or _check_direction(body["type"])
    return problems or _check_period(body, today, None)


def check_returns(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of POST /api/tax-returns/, whose `type` decides between years and dates.

    It is required, and has a default, in the same specification; clients leave it out: then it is yearly.
    """
    problems = check_link(body, today) + check_flag(body, "attach_pdf")
    if "type" in body:
        problems += required(body, "type") or check_choice("type", body["type"], ("yearly", "monthly"))
    if period_kind(body) == "monthly":
        problems += _check_dates(body)
        return problems or _check_period(body, today, None)
    for name in ("year_from", "year_to"):
        problems += required(body, name) or _check_year(name, body[name])
    return problems or _check_years(int(str(body["year_from"])), int(str(body["year_to"])), today)


def period_kind(body: JsonObject) -> Json:
    """Tell whether tax returns are asked for by years or by months."""
    return body.get("type", "yearly")


def read_invoices(body: JsonObject) -> InvoiceOrder:
    """Read a checked body."""
    direction = body["type"]
    return InvoiceOrder(
        link=str(body["link"]).lower(),
        date_from=date.fromisoformat(str(body["date_from"])),
        date_to=date.fromisoformat(str(body["date_to"])),
        type=None if direction is None else str(direction).upper(),
        attach_xml=body.get("attach_xml", False) is True,
        save_data=body.get("save_data", True) is True,
    )


def required(body: JsonObject, name: str) -> list[Problem]:
    """Refuse a field that is missing or null."""
    if name not in body:
        return [(name, "required", "This field is required.")]
    if body[name] is None:
        return [(name, "null", "This field may not be null.")]
    return []


def check_uuid(name: str, value: Json) -> list[Problem]:
    """Refuse what is no UUID."""
    try:
        UUID(str(value))
    except ValueError:
        return [(name, "invalid", "Must be a valid UUID.")]
    return []


def check_flag(body: JsonObject, name: str) -> list[Problem]:
    """Refuse what is no boolean; a missing flag has its default."""
    if isinstance(body.get(name, False), bool):
        return []
    return [(name, "invalid", "Must be a valid boolean.")]


def check_choice(name: str, value: Json, choices: tuple[str, ...]) -> list[Problem]:
    """Refuse what is none of the choices."""
    return [] if value in choices else [(name, "invalid_choice", f'"{value}" is not a valid choice.')]


def _check_direction(value: Json) -> list[Problem]:
    """Refuse what is no direction. Belvo's own Python client can only write it in small letters."""
    return check_choice("type", value.upper() if isinstance(value, str) else value, DIRECTIONS)


def _check_dates(body: JsonObject) -> list[Problem]:
    problems: list[Problem] = []
    for name in ("date_from", "date_to"):
        problems += required(body, name) or _check_date(name, body[name])
    return problems


def _check_date(name: str, value: Json) -> list[Problem]:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        return [(name, "invalid", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")]
    return []


def _check_year(name: str, value: Json) -> list[Problem]:
    if isinstance(value, str | int) and _YEAR.fullmatch(str(value)):
        return []
    return [(name, "invalid", "Year has wrong format: four digits are expected.")]


def _check_years(first: int, last: int, today: date) -> list[Problem]:
    if first > last:
        return [("year_to", "invalid_period", "year_to must not be before year_from.")]
    if last > today.year:
        return [("year_to", "invalid_period", "year_to must not be in the future.")]
    return []


def _check_period(body: JsonObject, today: date, longest: timedelta | None) -> list[Problem]:
    date_from, date_to = (date.fromisoformat(str(body[name])) for name in ("date_from", "date_to"))
    if date_from > date_to:
        return [("date_to", "invalid_period", "date_to must not be before date_from.")]
    if date_to > today:
        return [("date_to", "invalid_period", "date_to must not be in the future.")]
    if longest is not None and date_to - date_from > longest:
        return [("date_from", "invalid_period", "The period must not exceed 365 days.")]
    return []
