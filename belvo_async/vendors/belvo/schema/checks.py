"""Checks of what users give.

They take `object`: type checkers stop most mistakes, not those of untyped callers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, cast, get_args

import msgspec
from msgspec.structs import force_setattr

from ....errors import TaskError
from ....jobs import normal_id

Direction: TypeAlias = Literal["INFLOW", "OUTFLOW"]
"""INFLOW: received by the link's owner; OUTFLOW: issued by it."""

Resource: TypeAlias = Literal[
    "FINANCIAL_STATEMENTS", "INVOICES", "TAX_COMPLIANCE_STATUS", "TAX_RETENTIONS", "TAX_RETURNS", "TAX_STATUS"
]
"""Belvo's words for the kinds of fiscal records."""

RESOURCES: Final[tuple[Resource, ...]] = get_args(Resource)

Several: TypeAlias = str | Sequence[str]
"""One value, or several of which any may match."""

_LINK: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Filters of total_amount take 15 digits before and 2 to 4 behind the point.
_AMOUNT_LIMIT: Final = Decimal(10) ** 15
_AMOUNT_STEP: Final = Decimal("0.0001")
# Tax years are written `(19|20)dd`.
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2099


class _HasLink(Protocol):
    @property
    def link(self) -> str: ...


class _HasPeriod(Protocol):
    @property
    def date_from(self) -> date: ...
    @property
    def date_to(self) -> date: ...


class _HasSelection(Protocol):
    @property
    def fields(self) -> Sequence[str] | None: ...
    @property
    def omit(self) -> Sequence[str] | None: ...


def link_id(link: str) -> str:
    """Write a link's id as Belvo's requests want it: a dashed lower-case UUID; other ids stay as they are."""
    bare = normal_id(link)
    if not _HEX.fullmatch(bare):
        return link
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def subject_of(link: str) -> str:
    """Write a link's id in the form subjects are compared in."""
    return link_id(link).lower()


def check_id(value: object, *, field: str, of: str) -> None:
    """Refuse what can be no id: ids stand in paths."""
    if not isinstance(value, str) or not _LINK.fullmatch(value):
        raise TaskError(f"{field} must be the id of {of}", field=field)


def check_natural(value: object, *, field: str) -> None:
    """Refuse what is no whole number from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TaskError(f"{field} must be a whole number from 0", field=field)


class Form(NamedTuple):
    """How a filter's value is written, and the rule in words."""

    pattern: re.Pattern[str]
    rule: str


# What Belvo does not close further. Empty values are no filters there: they would bring everything.
TEXT: Final = Form(re.compile(r".+", re.DOTALL), "be text that is not empty")
RECORD_ID: Final = Form(_LINK, "be an id")
LINK_ID: Final = Form(_LINK, "be the id of a Belvo link")
INSTITUTION_NAME: Final = Form(re.compile(r"[a-z_]{1,40}"), "be a name like sat_mx_fiscal")


def one_of(*values: str) -> Form:
    """The form of an enumeration that Belvo documents as closed."""
    return Form(re.compile("|".join(values)), f"be one of {', '.join(values)}")


def check_several(value: object, form: Form, *, field: str) -> None:
    """Refuse what is neither one value of a form nor several, of which any may match."""
    if isinstance(value, str):
        check_one(value, form, field=field)
        return
    several = cast("Sequence[object]", value) if isinstance(value, Sequence) else ()
    # Belvo separates several values by commas.
    if not several or any(not _fits(each, form) or "," in cast("str", each) for each in several):
        raise TaskError(f"{field} must {form.rule}, or a sequence of such values without commas", field=field)


def check_one(value: object, form: Form, *, field: str) -> None:
    """Refuse what is not one value of a form."""
    if not _fits(value, form):
        raise TaskError(f"{field} must {form.rule}", field=field)


def _fits(value: object, form: Form) -> bool:
    return isinstance(value, str) and form.pattern.fullmatch(value) is not None


def fix_link(owner: _HasLink) -> None:
    """Bring the link to one spelling: equal tasks must be equal however the id was copied."""
    check_id(owner.link, field="link", of="a Belvo link")
    force_setattr(cast("msgspec.Struct", owner), "link", link_id(owner.link))


def check_date(value: object, *, field: str) -> None:
    """Refuse what is no plain date."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TaskError(f"{field} must be a datetime.date without time", field=field)


def check_year(value: object, *, field: str) -> None:
    """Refuse what is no tax year."""
    if not isinstance(value, int) or isinstance(value, bool) or not _FIRST_YEAR <= value <= _LAST_YEAR:
        raise TaskError(f"{field} must be a year of four digits", field=field)


def check_order(first: date | int | Decimal | None, last: date | int | Decimal | None, *, field: str) -> None:
    """Refuse a period that ends before it begins. An open end is no end."""
    # Both are of one kind by then: they were checked one by one.
    if first is not None and last is not None and last < first:  # type: ignore[operator]
        raise TaskError(f"{field} lies before the start of its period", field=field)


def check_period(owner: _HasPeriod) -> None:
    """Refuse ends that are no plain dates, and a last one before the first."""
    check_date(owner.date_from, field="date_from")
    check_date(owner.date_to, field="date_to")
    check_order(owner.date_from, owner.date_to, field="date_to")


def check_direction(value: object, *, both: bool = True) -> None:
    """Refuse what is neither INFLOW nor OUTFLOW; None stands for both where Belvo takes it."""
    if value not in (("INFLOW", "OUTFLOW", None) if both else ("INFLOW", "OUTFLOW")):
        raise TaskError(f"type must be INFLOW{', OUTFLOW or None for both' if both else ' or OUTFLOW'}", field="type")


def check_flag(value: object, *, field: str) -> None:
    """Refuse what is not exactly true or false."""
    if not isinstance(value, bool):
        raise TaskError(f"{field} must be True or False", field=field)


def check_amount(value: object, *, field: str) -> None:
    """Refuse amounts that Belvo's filters cannot hold."""
    fits = isinstance(value, Decimal) and value.is_finite() and 0 <= value < _AMOUNT_LIMIT
    if not fits or (isinstance(value, Decimal) and value != value.quantize(_AMOUNT_STEP)):
        raise TaskError(f"{field} must be a Decimal from 0 to below 10^15 with at most 4 decimals", field=field)


def resource_names(value: object, *, field: str) -> tuple[Resource, ...]:
    """Read a choice of resources: each once, in one order, so that equal choices are equal."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TaskError(f"{field} must be a sequence of resources", field=field)
    wanted = list(cast("Sequence[object]", value))
    if not all(each in RESOURCES for each in wanted):
        raise TaskError(f"{field} holds something that is none of {', '.join(RESOURCES)}", field=field)
    return tuple(each for each in RESOURCES if each in wanted)


def fix_selection(owner: _HasSelection) -> None:
    """Turn `fields` and `omit` into tuples of names, and refuse what is both wanted and left out."""
    fields, omit = _names(owner.fields, field="fields"), _names(owner.omit, field="omit")
    if set(fields or ()) & set(omit or ()):
        raise TaskError("omit names a field that fields asks for", field="omit")
    force_setattr(cast("msgspec.Struct", owner), "fields", fields)
    force_setattr(cast("msgspec.Struct", owner), "omit", omit)


def _names(value: object, *, field: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TaskError(f"{field} must be a sequence of field names", field=field)
    names = cast("Sequence[object]", value)
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise TaskError(f"{field} holds something that is no field name", field=field)
    return tuple(cast("Sequence[str]", names)) or None
