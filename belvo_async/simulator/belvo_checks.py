"""What Belvo refuses in a POST body, in its own codes."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from belvo_async.simulator.wire import Json, JsonObject

# "maximum 365 days per request" (reference of POST /api/invoices/). Whether both ends count is
# not documented; a difference of 365 days is let pass, the next one is not.
LONGEST_SPAN = timedelta(days=365)
DIRECTIONS = ("OUTFLOW", "INFLOW")
Problem = tuple[str, str, str]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class InvoiceOrder:
    """A checked body of POST /api/invoices/. `type` None means both directions."""

    link: str
    date_from: date
    date_to: date
    type: str | None
    attach_xml: bool
    save_data: bool


def check_link(body: JsonObject) -> list[Problem]:
    """Check `link` and `save_data`, which every retrieval has."""
    problems = _required(body, "link") or _uuid(body["link"])
    return problems + _flag(body, "save_data")


def check_invoices(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of POST /api/invoices/."""
    problems = check_link(body) + _flag(body, "attach_xml")
    for name in ("date_from", "date_to"):
        problems += _required(body, name) or _date(name, body[name])
    if "type" not in body:
        problems += _required(body, "type")
    elif body["type"] is not None and body["type"] not in DIRECTIONS:
        problems.append(("type", "invalid_choice", f'"{body["type"]}" is not a valid choice.'))
    return problems or _period(body, today)


def read_invoices(body: JsonObject) -> InvoiceOrder:
    """Read a checked body."""
    direction = body["type"]
    return InvoiceOrder(
        link=str(body["link"]).lower(),
        date_from=date.fromisoformat(str(body["date_from"])),
        date_to=date.fromisoformat(str(body["date_to"])),
        type=None if direction is None else str(direction),
        attach_xml=body.get("attach_xml", False) is True,
        save_data=body.get("save_data", True) is True,
    )


def _required(body: JsonObject, name: str) -> list[Problem]:
    if name not in body:
        return [(name, "required", "This field is required.")]
    if body[name] is None:
        return [(name, "null", "This field may not be null.")]
    return []


def _uuid(value: Json) -> list[Problem]:
    try:
        UUID(str(value))
    except ValueError:
        return [("link", "invalid", "Must be a valid UUID.")]
    return []


def _flag(body: JsonObject, name: str) -> list[Problem]:
    if isinstance(body.get(name, False), bool):
        return []
    return [(name, "invalid", "Must be a valid boolean.")]


def _date(name: str, value: Json) -> list[Problem]:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        return [(name, "invalid", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")]
    return []


def _period(body: JsonObject, today: date) -> list[Problem]:
    order = read_invoices(body)
    if order.date_from > order.date_to:
        return [("date_to", "invalid_period", "date_to must not be before date_from.")]
    if order.date_to > today:
        return [("date_to", "invalid_period", "date_to must not be in the future.")]
    if order.date_to - order.date_from > LONGEST_SPAN:
        return [("date_from", "invalid_period", "The period must not exceed 365 days.")]
    return []
