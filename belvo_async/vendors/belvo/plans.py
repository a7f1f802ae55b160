"""How requests to Belvo may be cut: at most 365 days, one direction (reference, Retrieve invoices for a link)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final, cast

from ...abc import Budget, PlanRules, RowPlace
from ...jobs import Extent, Task
from .schema.invoices import Invoice
from .schema.queries import InvoiceList
from .schema.tasks import DIRECTIONS, LONGEST_PERIOD_DAYS, FinancialStatements, Invoices

# Belvo gives no range; its webhooks' articles speak of minutes, and of hours for a first year.
_TYPICAL: Final = (timedelta(minutes=5), timedelta(hours=1))


def plan_rules(budget: Budget | None) -> Mapping[str, PlanRules]:
    """What can be planned, by resource."""
    limit, span = (None, timedelta(seconds=30)) if budget is None else (budget.limit, budget.span)
    return {
        "INVOICES": PlanRules(
            start=_invoices,
            place=_place,
            list_of=_list_of,
            files=("xml",),
            file_of=_file_of,
            outages=_OUTAGES,
            directions=tuple(DIRECTIONS),
            options=("xml",),
            longest_days=LONGEST_PERIOD_DAYS,
            is_laned=True,
            limit=limit,
            span=span,
            typical=_TYPICAL,
        ),
        "FINANCIAL_STATEMENTS": PlanRules(
            start=_statements, outages=_OUTAGES, is_dated=False, is_laned=True, limit=limit, span=span, typical=_TYPICAL
        ),
    }


# Error catalogue, institution errors: nothing that another link, or the same one sooner, would do about it.
_OUTAGES: Final = frozenset({"institution_down", "institution_unavailable", "institution_inactive"})
_SIDES: Final[Mapping[str | None, tuple[str, ...]]] = {word: (side,) for side, word in DIRECTIONS.items()}


def _place(invoice: Invoice) -> RowPlace:
    return RowPlace(_SIDES.get(invoice.type, ()), invoice.invoice_date)


def _list_of(subject: str, extent: Extent) -> InvoiceList:
    direction = DIRECTIONS[extent.directions[0]] if len(extent.directions) == 1 else None
    return InvoiceList(link=subject, date_from=extent.first, date_to=extent.last, type=direction)


def _file_of(invoice: Invoice, form: str) -> bytes | None:
    # It comes with the record, where `attach_xml` asked for it.
    return None if form != "xml" or invoice.xml is None else invoice.xml.encode()


def _invoices(subject: str, extent: Extent) -> Task[Any]:
    (direction,) = extent.directions
    return Invoices(
        link=subject,
        date_from=cast("date", extent.first),
        date_to=cast("date", extent.last),
        type=DIRECTIONS[direction],
        attach_xml="xml" in extent.options,
    )


def _statements(subject: str, extent: Extent) -> Task[Any]:
    return FinancialStatements(link=subject)
