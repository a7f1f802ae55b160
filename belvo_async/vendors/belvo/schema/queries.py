"""Queries: direct reads of what Belvo holds. They start nothing.

An attribute's encoded name is Belvo's filter; a sequence of values becomes its `__in` form. Periods have both ends
included, which says all that Belvo documents with `gt`, `lt`, `range` and bare values: days and years are whole, and
amounts have at most four decimals (`date_from=date_to` is one day; above 100 is `total_amount_from=100.0001`). So there
is one way to say a thing, which is also checked against the rows that come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from ....abc import Query
from ....discreet import discreet
from ....errors import TaskError
from .checks import (
    INSTITUTION_NAME,
    LINK_ID,
    RECORD_ID,
    TEXT,
    Direction,
    Form,
    Several,
    check_amount,
    check_date,
    check_direction,
    check_one,
    check_order,
    check_several,
    check_year,
    fix_selection,
    one_of,
)
from .invoices import Invoice
from .links import Institution, Link
from .statements import FinancialStatement
from .tax_returns import TaxReturn
from .taxes import TaxComplianceStatus, TaxRetention, TaxStatus

# Enumerations and patterns of the reference. The statuses of invoices and the kinds of returns are open there.
_ACCESS_MODE: Final = one_of("single", "recurrent")
_REFRESH_RATE: Final = Form(re.compile(r"(?=.)(\d{1,3}h)?(\d{1,3}m)?(\d{1,3}d)?|null"), "be like 12h or 7d, or null")
_LINKS_FORMS: Final = {
    "id": RECORD_ID,
    "institution": INSTITUTION_NAME,
    "created_by_not": RECORD_ID,
    "external_id": TEXT,
    "institution_user_id": TEXT,
    "status": one_of("valid", "invalid", "unconfirmed", "token_required"),
}
_INSTITUTIONS_FORMS: Final = {
    "name": INSTITUTION_NAME,
    "type": one_of("bank", "fiscal", "employment"),
    "status": one_of("healthy", "down"),
    "country_code": Form(re.compile(r"[A-Z]{2}"), "be a country in two capitals, like MX"),
    "resources": TEXT,
}


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What all queries share. No repr shows a filter: it may name a taxpayer."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class _Selection(ListQuery, frozen=True, kw_only=True):
    """The keys of the records: only `fields` (with `id`), or all but `omit`."""

    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    @discreet
    def __post_init__(self) -> None:
        fix_selection(self)


class _Created(_Selection, frozen=True, kw_only=True):
    """When Belvo stored it: whole days, both ends included."""

    created_from: date | None = msgspec.field(default=None, name="created_at__gte")
    created_to: date | None = msgspec.field(default=None, name="created_at__lte")

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_days(self.created_from, self.created_to, names=("created_from", "created_to"))


class OfLink(_Created, frozen=True, kw_only=True):
    """Whose records. `link` is wanted because Belvo is slow without it."""

    link: Several

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_several(self.link, LINK_ID, field="link")


class Links(_Created, Query[Link], frozen=True, kw_only=True):
    """List links: GET /api/links/. ListQuery that are not given do not narrow.

    Raises TaskError naming the field that does not fit.
    """

    id: Several | None = None
    institution: Several | None = None
    access_mode: str | None = None
    created_by_not: Several | None = msgspec.field(default=None, name="created_by__not_in")
    external_id: Several | None = None
    institution_user_id: Several | None = None
    refresh_rate: str | None = None
    status: Several | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_given(self, check_several, _LINKS_FORMS)
        _check_given(self, check_one, {"access_mode": _ACCESS_MODE, "refresh_rate": _REFRESH_RATE})


class Institutions(ListQuery, Query[Institution], frozen=True, kw_only=True):
    """List institutions: GET /api/institutions/. `resources`: only those that have all of them."""

    name: Several | None = None
    type: Several | None = None
    status: Several | None = None
    country_code: Several | None = None
    resources: Sequence[str] | None = msgspec.field(default=None, name="resources__allin")
    display_name: str | None = None
    website: str | None = None

    @discreet
    def __post_init__(self) -> None:
        _check_given(self, check_several, _INSTITUTIONS_FORMS)
        _check_given(self, check_one, {"display_name": TEXT, "website": TEXT})
        if isinstance(self.resources, str):
            raise TaskError("resources must be a sequence of resources", field="resources")


class InvoiceList(OfLink, Query[Invoice], frozen=True, kw_only=True):
    """List invoices that Belvo holds already: GET /api/invoices/. Starts nothing and costs nothing.

    The dates are those of the invoices, both included, of any span; amounts have at most four decimals.
    Raises TaskError naming the field that does not fit.
    """

    date_from: date | None = msgspec.field(default=None, name="invoice_date__gte")
    date_to: date | None = msgspec.field(default=None, name="invoice_date__lte")
    type: Direction | None = None
    status: Several | None = None
    id: Several | None = None
    invoice_identification: Several | None = None
    total_amount_from: Decimal | None = msgspec.field(default=None, name="total_amount__gte")
    total_amount_to: Decimal | None = msgspec.field(default=None, name="total_amount__lte")

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_days(self.date_from, self.date_to, names=("date_from", "date_to"))
        check_direction(self.type)
        for field in ("total_amount_from", "total_amount_to"):
            if getattr(self, field) is not None:
                check_amount(getattr(self, field), field=field)
        check_order(self.total_amount_from, self.total_amount_to, field="total_amount_to")
        _check_given(self, check_several, {"id": RECORD_ID, "status": TEXT, "invoice_identification": TEXT})


class FinancialStatementList(OfLink, Query[FinancialStatement], frozen=True, kw_only=True):
    """List financial statements that Belvo holds already: GET /api/financial-statements/."""

    id: Several | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_given(self, check_several, {"id": RECORD_ID})


class TaxReturnList(OfLink, Query[TaxReturn], frozen=True, kw_only=True):
    """List tax returns that Belvo holds already, of all four forms mixed: GET /api/tax-returns/.

    The years are the tax years (`ejercicio`), both included. Monthly returns carry no `id`: should pages move while
    they are read, one of those may come twice. Raises TaskError naming the field that does not fit.
    """

    id: Several | None = None
    year_from: int | None = msgspec.field(default=None, name="ejercicio__gte")
    year_to: int | None = msgspec.field(default=None, name="ejercicio__lte")
    tipo_declaracion: Several | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("year_from", "year_to"):
            if getattr(self, field) is not None:
                check_year(getattr(self, field), field=field)
        check_order(self.year_from, self.year_to, field="year_to")
        _check_given(self, check_several, {"id": RECORD_ID, "tipo_declaracion": TEXT})


class TaxStatusList(OfLink, Query[TaxStatus], frozen=True, kw_only=True):
    """List tax statuses that Belvo holds already: GET /api/tax-status/."""

    id: Several | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_given(self, check_several, {"id": RECORD_ID})


class TaxComplianceStatusList(OfLink, Query[TaxComplianceStatus], frozen=True, kw_only=True):
    """List tax compliance statuses that Belvo holds already: GET /api/tax-compliance-status/.

    The records name no link: that they are of the links asked for rests on Belvo's word.
    """

    id: Several | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_given(self, check_several, {"id": RECORD_ID})


class TaxRetentionList(OfLink, Query[TaxRetention], frozen=True, kw_only=True):
    """List tax retentions that Belvo holds already: GET /api/tax-retentions/. Belvo has no filter by id here."""


def _check_given(query: ListQuery, check: Callable[..., None], forms: Mapping[str, Form]) -> None:
    for field, form in forms.items():
        if getattr(query, field) is not None:
            check(getattr(query, field), form, field=field)


def _check_days(first: date | None, last: date | None, *, names: tuple[str, str]) -> None:
    for day, name in zip((first, last), names, strict=True):
        if day is not None:
            check_date(day, field=name)
    check_order(first, last, field=names[1])
