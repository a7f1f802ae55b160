"""How extractions may be cut: each is charged whatever its period, so that one long one is the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, TypeAlias, cast

from ...abc import Download, PlanRules, RowPlace
from ...jobs import ISSUED, RECEIVED, Extent, Task
from .schema.downloads import Cfdi
from .schema.extents import day_of
from .schema.invoices import Invoice
from .schema.options import (
    AnyOptions,
    ElectronicAccountingOptions,
    InvoiceOptions,
    Period,
    TaxRetentionOptions,
    TaxReturnOptions,
)
from .schema.tasks import Extraction
from .schema.taxes import ElectronicAccountingRecord, TaxRetention, TaxReturn

_BOTH: Final = (ISSUED, RECEIVED)
# The FAQ (using-syntage/faq/extractions-and-refreshes): invoices take 5 to 60 minutes, the rest a few.
_LONG: Final = (timedelta(minutes=20), timedelta(hours=1))
_SHORT: Final = (timedelta(minutes=2), timedelta(minutes=10))

_Make: TypeAlias = Callable[[Extent], AnyOptions]


def _invoices(extent: Extent) -> AnyOptions:
    return InvoiceOptions(
        period=_period(extent),
        issued=ISSUED in extent.directions,
        received=RECEIVED in extent.directions,
        xml="xml" in extent.options,
        pdf="pdf" in extent.options,
    )


def _retentions(extent: Extent) -> AnyOptions:
    return TaxRetentionOptions(
        period=_period(extent),
        issued=ISSUED in extent.directions,
        received=RECEIVED in extent.directions,
        xml="xml" in extent.options,
        pdf="pdf" in extent.options,
    )


def _returns(extent: Extent) -> AnyOptions:
    return TaxReturnOptions(period=_period(extent))


def _accounting(extent: Extent) -> AnyOptions:
    return ElectronicAccountingOptions(period=_period(extent))


def _period(extent: Extent) -> Period:
    return Period(cast("date", extent.first), cast("date", extent.last))


def _start(extractor: str, make: _Make | None, subject: str, extent: Extent) -> Task[Any]:
    return Extraction(subject, extractor, None if make is None else make(extent))


# Error codes of extractions: the portal is down for everybody.
_OUTAGES: Final = frozenset({"sat_unavailable"})


def _invoice_place(invoice: Invoice) -> RowPlace:
    sides = ((ISSUED, invoice.is_issuer), (RECEIVED, invoice.is_receiver))
    return RowPlace(tuple(side for side, is_so in sides if is_so), day_of(invoice.issued_at))


def _retention_place(retention: TaxRetention) -> RowPlace:
    return RowPlace((), day_of(retention.issued_at))


def _return_place(filed: TaxReturn) -> RowPlace:
    return RowPlace((), day_of(filed.presented_at))


def _accounting_place(record: ElectronicAccountingRecord) -> RowPlace:
    return RowPlace((), day_of(record.received_at))


def _invoice_file(invoice: Invoice, form: str) -> Download | None:
    return None if invoice.id is None else Cfdi(invoice.id, "pdf" if form == "pdf" else "xml")


def _rules(extractor: str, make: _Make, place: Callable[[Any], RowPlace], *, both: bool = False) -> PlanRules:
    rules = PlanRules(
        start=partial(_start, extractor, make), place=place, is_bisected=True, outages=_OUTAGES, typical=_SHORT
    )
    if not both:
        return rules
    return replace(rules, directions=_BOTH, options=("xml", "pdf"), is_joint=True, typical=_LONG)


PLAN_RULES: Final[Mapping[str, PlanRules]] = {
    "invoice": replace(
        _rules("invoice", _invoices, _invoice_place, both=True), files=("xml", "pdf"), file_of=_invoice_file
    ),
    "tax_retention": _rules("tax_retention", _retentions, _retention_place, both=True),
    "annual_tax_return": _rules("annual_tax_return", _returns, _return_place),
    "monthly_tax_return": _rules("monthly_tax_return", _returns, _return_place),
    "rif_tax_return": _rules("rif_tax_return", _returns, _return_place),
    "electronic_accounting": _rules("electronic_accounting", _accounting, _accounting_place),
    **{
        extractor: PlanRules(start=partial(_start, extractor, None), is_dated=False, outages=_OUTAGES, typical=_SHORT)
        for extractor in ("tax_status", "tax_compliance", "sat_certificates", "rpc", "rug", "bil", "background_check")
    },
}
"""What can be planned, by extractor. A Buro report needs a consent for each, and is not planned."""
