"""Invoices: one CFDI with its lines, taxes, payments and payroll."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from .record import Record


class Tax(Record, frozen=True, kw_only=True):
    """One tax of a whole invoice; `tax_percentage` in percent."""

    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    pre_tax_amount: Decimal | None = None
    tax_amount: Decimal | None = None


class TaxDetails(Record, frozen=True, kw_only=True):
    """The taxes of a whole invoice."""

    total_tax_retained: Decimal | None = None
    total_tax_transferred: Decimal | None = None
    retained_taxes: tuple[Tax, ...] | None = ()
    transferred_taxes: tuple[Tax, ...] | None = ()


class RetainedTax(Record, frozen=True, kw_only=True):
    """One tax held back on a line of an invoice; `tax_percentage` in percent."""

    collected_at: datetime | None = None
    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    retained_tax_amount: Decimal | None = None


class TransferredTax(Record, frozen=True, kw_only=True):
    """One tax passed on by a line of an invoice; `tax_percentage` in percent."""

    collected_at: datetime | None = None
    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    transferred_tax_amount: Decimal | None = None


class InvoiceDetail(Record, frozen=True, kw_only=True):
    """One line of an invoice. `pre_tax_amount` is quantity times unit amount; `total_amount` ignores the discount.

    `tax_type` left the specification late in 2025; older rows still hold it.
    """

    collected_at: datetime | None = None
    description: str | None = None
    product_identification: str | None = None
    quantity: Decimal | None = None
    unit_code: str | None = None
    unit_description: str | None = None
    unit_amount: Decimal | None = None
    discount: Decimal | None = None
    tax_subject_code: str | None = None
    identifier_number: str | None = None
    pre_tax_amount: Decimal | None = None
    tax_percentage: Decimal | None = None
    tax_amount: Decimal | None = None
    total_amount: Decimal | None = None
    retained_taxes: tuple[RetainedTax, ...] | None = ()
    transferred_taxes: tuple[TransferredTax, ...] | None = ()
    tax_type: str | None = None


class RelatedInvoice(Record, frozen=True, kw_only=True):
    """Another invoice this one refers to, and how (SAT c_TipoRelacion)."""

    relationship_type: str | None = None
    related_invoice_identification: str | None = None


class RelatedDocument(Record, frozen=True, kw_only=True):
    """What a payment paid of which invoice."""

    invoice_identification: str | None = None
    currency: str | None = None
    payment_method: str | None = None
    partiality_number: int | None = None
    previous_balance: Decimal | None = None
    amount_paid: Decimal | None = None
    outstanding_balance: Decimal | None = None


class Payment(Record, frozen=True, kw_only=True):
    """One payment of a Pago invoice. Belvo writes `exchange_rate` as a string here and as a number on the invoice."""

    date: datetime | None = None
    payment_type: str | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    amount: Decimal | None = None
    operation_number: str | None = None
    beneficiary_rfc: str | None = None
    beneficiary_account_number: str | None = None
    payer_rfc: str | None = None
    payer_account_number: str | None = None
    payer_bank_name: str | None = None
    related_documents: tuple[RelatedDocument, ...] | None = ()


class Earning(Record, frozen=True, kw_only=True):
    """One kind of pay."""

    type: str | None = None
    taxable_amount: Decimal | None = None
    vat_free_amount: Decimal | None = None


class Deduction(Record, frozen=True, kw_only=True):
    """One kind of deduction."""

    type: str | None = None
    amount: Decimal | None = None


class OtherPayment(Record, frozen=True, kw_only=True):
    """One kind of pay that is no income, such as the employment subsidy."""

    type: str | None = None
    amount: Decimal | None = None


class Payroll(Record, frozen=True, kw_only=True):
    """The payroll part of a Nómina invoice. SAT allows parts of days, so `days` is a Decimal."""

    days: Decimal | None = None
    type: str | None = None
    amount: Decimal | None = None
    version: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    collected_at: datetime | None = None
    payment_date: date | None = None
    periodicity: str | None = None
    earnings_breakdown: tuple[Earning | None, ...] | None = None
    tax_deductions: tuple[Deduction | None, ...] | None = None
    other_payments: tuple[OtherPayment | None, ...] | None = None


# The code of `Warnings` that says SAT gives no more XML documents today; the only one that names an end.
XML_LIMIT: Final = "sat_xml_limit_reached"


class Warnings(Record, frozen=True, kw_only=True):
    """Why details of an invoice are missing: `sat_xml_limit_reached` or `sat_service_unavailable`."""

    code: str | None = None
    message: str | None = None


class Invoice(Record, frozen=True, kw_only=True):
    """One CFDI of a link. Without its XML (see `warnings`) most amounts and all details are None or empty."""

    id: str | None = None
    link: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    invoice_identification: str | None = None
    invoice_date: date | None = None
    status: str | None = None
    invoice_type: str | None = None
    type: str | None = None
    tax_details: TaxDetails | None = None
    sender_id: str | None = None
    sender_fiscal_regime: str | None = None
    sender_name: str | None = None
    sender_tax_fraud_status: str | None = None
    receiver_id: str | None = None
    receiver_postal_code: str | None = None
    receiver_fiscal_regime: str | None = None
    receiver_name: str | None = None
    receiver_tax_fraud_status: str | None = None
    cancelation_status: str | None = None
    cancelation_update_date: date | None = None
    certification_date: date | None = None
    certification_authority: str | None = None
    payment_type: str | None = None
    payment_type_description: str | None = None
    payment_method: str | None = None
    payment_method_description: str | None = None
    usage: str | None = None
    version: str | None = None
    place_of_issue: str | None = None
    invoice_details: tuple[InvoiceDetail, ...] | None = ()
    currency: str | None = None
    subtotal_amount: Decimal | None = None
    exchange_rate: Decimal | None = None
    tax_amount: Decimal | None = None
    discount_amount: Decimal | None = None
    total_amount: Decimal | None = None
    related_invoices: tuple[RelatedInvoice, ...] | None = ()
    payments: tuple[Payment, ...] | None = ()
    payroll: Payroll | None = None
    folio: str | None = None
    series: str | None = None
    export_type: str | None = None
    xml: str | None = None
    warnings: Warnings | None = None
    sender_blacklist_status: str | None = None
    receiver_blacklist_status: str | None = None
