"""Belvo's lists, for who keeps a copy of them; and what its invoices say, in common words.

None of them can be narrowed to what changed: `created_at` stays as it was when a record does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from ....abc import CommonInvoice, CommonPayment, ListRules, Query
from .invoices import Invoice
from .queries import (
    FinancialStatementList,
    Institutions,
    InvoiceList,
    Links,
    TaxComplianceStatusList,
    TaxRetentionList,
    TaxReturnList,
    TaxStatusList,
)
from .tasks import DIRECTIONS

# When Belvo read and stored a record, on the record and on its parts: each retrieval sets them anew.
_READ_AT: Final = frozenset({"collected_at", "created_at"})
# The reference writes kinds as words, of which the SAT's letters are the first.
_KINDS: Final[Mapping[str | None, str]] = {
    "Ingreso": "I",
    "Egreso": "E",
    "Pago": "P",
    "Nómina": "N",
    "Nomina": "N",
    "Traslado": "T",
}
_SIDES: Final[Mapping[str | None, str]] = {word: side for side, word in DIRECTIONS.items()}
_CANCELLED: Final = "cancelado"


def _common(invoice: Invoice) -> CommonInvoice:
    status = None if invoice.status is None else invoice.status.strip().lower() == _CANCELLED
    return CommonInvoice(
        uuid=invoice.invoice_identification,
        direction=_SIDES.get(invoice.type),
        kind=_KINDS.get(invoice.invoice_type, invoice.invoice_type),
        issued_on=invoice.invoice_date,
        issuer_rfc=invoice.sender_id,
        issuer_name=invoice.sender_name,
        receiver_rfc=invoice.receiver_id,
        receiver_name=invoice.receiver_name,
        payment_method=invoice.payment_method,
        currency=invoice.currency,
        exchange_rate=invoice.exchange_rate,
        subtotal=invoice.subtotal_amount,
        total=invoice.total_amount,
        is_cancelled=status,
        # It dates the last news of a cancellation, which may have been refused.
        cancelled_on=invoice.cancelation_update_date if status else None,
        payments=tuple(_payments(invoice)),
    )


def _payments(invoice: Invoice) -> Iterator[CommonPayment]:
    for payment in invoice.payments or ():
        for paid in payment.related_documents or ():
            yield CommonPayment(
                paid_uuid=paid.invoice_identification,
                paid_on=None if payment.date is None else payment.date.date(),
                currency=paid.currency,
                amount=paid.amount_paid,
            )


def _of_link(kind: Callable[..., Query[Any]], *resources: str) -> ListRules:
    def query(link: str, since: datetime | None) -> Query[Any]:
        return kind(link=link)

    return ListRules(query=query, resources=frozenset(resources), unversioned=_READ_AT)


def _invoices(link: str, since: datetime | None) -> Query[Any]:
    return InvoiceList(link=link)


LISTINGS: Final[Mapping[str, ListRules]] = MappingProxyType(
    {
        "links": ListRules(query=lambda _, __: Links(), is_of_subject=False),
        "institutions": ListRules(query=lambda _, __: Institutions(), is_of_subject=False),
        "invoices": ListRules(query=_invoices, resources=frozenset({"INVOICES"}), unversioned=_READ_AT, common=_common),
        "financial_statements": _of_link(FinancialStatementList, "FINANCIAL_STATEMENTS"),
        "tax_returns": _of_link(TaxReturnList),
        "tax_statuses": _of_link(TaxStatusList),
        "tax_compliance_statuses": _of_link(TaxComplianceStatusList),
        "tax_retentions": _of_link(TaxRetentionList),
    }
)
"""Every list of the catalogue."""
