"""Syntage's lists, for who keeps a copy of them; and what its invoices say, in common words.

Lists that can be narrowed by `updatedAt` are read from where the last reading ended; events never change, and go by
`createdAt`; all others are read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from ....abc import CommonInvoice, ListRules, Query
from ....jobs import ISSUED, RECEIVED
from .extents import day_of
from .fiscal_queries import (
    BackgroundChecks,
    BilReports,
    BuroReports,
    ElectronicAccountingRecords,
    RpcActos,
    RpcEntidades,
    RugGarantias,
    RugOperaciones,
    SatCertificates,
    TaxComplianceChecks,
    TaxRetentions,
    TaxReturns,
    TaxStatuses,
)
from .insights.lists import (
    BuroSummaries,
    CustomerNetwork,
    InvoicingAnnualComparison,
    ProductsAndServicesBought,
    ProductsAndServicesSold,
    VendorNetwork,
)
from .invoices import Invoice
from .ownership.insights import CurrentPowers, ShareholderInsights
from .ownership.shareholders import Shareholders
from .ownership.verification import CompanyVerificationReports
from .queries import (
    Credentials,
    Entities,
    EntityTags,
    Events,
    Extractions,
    InvoiceBatchPayments,
    InvoiceCreditNotes,
    InvoiceLineItems,
    InvoicePayments,
    Invoices,
    Tags,
)
from .workspace.authorizations import BuroAuthorizations
from .workspace.entities import EntityIdentifiers
from .workspace.reports import InsightReports
from .workspace.schedulers import Schedulers

_CANCELLED: Final = "CANCELADO"
# When Syntage stored a record: an extraction that meets it again may set them anew, whether it changed or not.
_READ_AT: Final = frozenset({"created_at", "updated_at"})


def _common(invoice: Invoice) -> CommonInvoice:
    issuer, receiver = invoice.issuer, invoice.receiver
    return CommonInvoice(
        uuid=invoice.uuid,
        direction=ISSUED if invoice.is_issuer else RECEIVED if invoice.is_receiver else None,
        kind=invoice.type,
        issued_on=day_of(invoice.issued_at),
        issuer_rfc=None if issuer is None else issuer.rfc,
        issuer_name=None if issuer is None else issuer.name,
        receiver_rfc=None if receiver is None else receiver.rfc,
        receiver_name=None if receiver is None else receiver.name,
        # What the SAT calls the method of payment (PUE, PPD) is the type here (OpenAPI, Invoice).
        payment_method=invoice.payment_type,
        currency=invoice.currency,
        exchange_rate=invoice.exchange_rate,
        subtotal=invoice.subtotal,
        total=invoice.total,
        paid_amount=invoice.paid_amount,
        is_cancelled=None if invoice.status is None else invoice.status == _CANCELLED,
        cancelled_on=day_of(invoice.canceled_at),
    )


def _of_entity(kind: Callable[..., Query[Any]], *resources: str, cursor: str | None = None) -> ListRules:
    def query(entity: str, since: datetime | None) -> Query[Any]:
        return kind(entity=entity, **_since(cursor, since))

    return ListRules(query=query, cursor=cursor, resources=frozenset(resources), unversioned=_READ_AT)


def _of_account(kind: Callable[..., Query[Any]], *, cursor: str | None = None) -> ListRules:
    def query(_: str, since: datetime | None) -> Query[Any]:
        return kind(**_since(cursor, since))

    return ListRules(query=query, is_of_subject=False, cursor=cursor, unversioned=_READ_AT)


def _since(cursor: str | None, since: datetime | None) -> dict[str, datetime]:
    # A filter's name is its field's, with another end (see `schema.forms.filters`).
    return {} if cursor is None or since is None else {f"{cursor.removesuffix('_at')}_after": since}


def _invoices(entity: str, since: datetime | None) -> Query[Any]:
    return Invoices(entity=entity, updated_after=since)


LISTINGS: Final[Mapping[str, ListRules]] = MappingProxyType(
    {
        "entities": _of_account(Entities, cursor="updated_at"),
        "credentials": _of_account(Credentials),
        "extractions": _of_account(Extractions),
        "events": _of_account(Events, cursor="created_at"),
        "tags": _of_account(Tags),
        "entity_tags": _of_account(EntityTags),
        "entity_identifiers": _of_entity(EntityIdentifiers),
        "schedulers": _of_account(Schedulers),
        "insight_reports": _of_account(InsightReports),
        "buro_authorizations": _of_entity(BuroAuthorizations),
        "invoices": ListRules(
            query=_invoices,
            cursor="updated_at",
            resources=frozenset({"invoice"}),
            unversioned=_READ_AT,
            common=_common,
        ),
        "invoice_line_items": _of_entity(InvoiceLineItems),
        "invoice_payments": _of_entity(InvoicePayments),
        "invoice_batch_payments": _of_account(InvoiceBatchPayments),
        "invoice_credit_notes": _of_entity(InvoiceCreditNotes),
        "tax_returns": _of_entity(TaxReturns, "annual_tax_return", "monthly_tax_return", "rif_tax_return"),
        "tax_retentions": _of_entity(TaxRetentions, "tax_retention"),
        "tax_statuses": _of_entity(TaxStatuses, "tax_status"),
        "tax_compliance_checks": _of_entity(TaxComplianceChecks, "tax_compliance"),
        "electronic_accounting_records": _of_entity(ElectronicAccountingRecords, "electronic_accounting"),
        "sat_certificates": _of_entity(SatCertificates, "sat_certificates"),
        "rpc_entidades": _of_entity(RpcEntidades, "rpc"),
        "rpc_actos": _of_entity(RpcActos),
        "rug_garantias": _of_entity(RugGarantias, "rug", cursor="updated_at"),
        "rug_operaciones": _of_entity(RugOperaciones, cursor="updated_at"),
        "bil_reports": _of_entity(BilReports, "bil"),
        "buro_reports": _of_entity(BuroReports, "buro_de_credito_report"),
        "background_checks": _of_entity(BackgroundChecks, "background_check"),
        "shareholders": _of_account(Shareholders),
        "company_verification_reports": _of_entity(CompanyVerificationReports),
        "products_and_services_bought": _of_entity(ProductsAndServicesBought),
        "products_and_services_sold": _of_entity(ProductsAndServicesSold),
        "invoicing_annual_comparison": _of_entity(InvoicingAnnualComparison),
        "vendor_network": _of_entity(VendorNetwork),
        "customer_network": _of_entity(CustomerNetwork),
        "shareholder_insights": _of_entity(partial(ShareholderInsights, relation_type="shareholders")),
        "current_powers": _of_entity(CurrentPowers),
        "buro_summaries": _of_entity(BuroSummaries),
    }
)
"""Every list of the catalogue but those of webhooks, whose rows hold secrets, of postal codes, which are nobody's, and
those that belong to one object each.

An invoice's relations come along with it, a shareholder's with the shareholder.
"""
