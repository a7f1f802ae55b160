"""Records of invoices (CFDI) and of what belongs to them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from ....discreet import discreet
from .account import Tag
from .record import Dated, Part, Record, hold


class Issuer(Part, frozen=True, kw_only=True):
    """Who issued an invoice.

    `tax_regime` is the SAT's code; `blacklist_status` presumed, dismissed, definitive or favorable.
    """

    rfc: str | None = None
    name: str | None = None
    tax_regime: int | None = None
    blacklist_status: str | None = None


class Receiver(Part, frozen=True, kw_only=True):
    """Who an invoice was issued to."""

    rfc: str | None = None
    name: str | None = None
    blacklist_status: str | None = None


class InvoiceRelation(Record, frozen=True, kw_only=True):
    """How an invoice relates to another. `type` is the SAT's c_TipoRelacion, 1 to 9; the invoices are IRIs."""

    type: int | None = None
    invoice: str | None = None
    related_invoice: str | None = None
    related_invoice_uuid: str | None = None


class InvoiceTaxes(Part, frozen=True, kw_only=True):
    """A sum of taxes. Not documented, seen in use."""

    total: Decimal | None = None


class Invoice(Record, frozen=True, kw_only=True):
    """A CFDI as Syntage keeps it (OpenAPI, Invoice). Amounts are in `currency`.

    `id` is Syntage's, `uuid` the fiscal folio. `type` is I, E, P, N or T; `status` VIGENTE or CANCELADO; `is_issuer`
    and `is_receiver` are relative to the entity. `xml` and `pdf` say whether the file is held. `tags` come only with a
    single invoice. `transferred_taxes` and `retained_taxes` were only seen in use.
    """

    _instants: ClassVar[tuple[str, ...]] = (
        "created_at",
        "updated_at",
        "issued_at",
        "certified_at",
        "canceled_at",
        "last_payment_date",
        "fully_paid_at",
    )

    uuid: str | None = None
    version: Decimal | None = None
    reference: str | None = None
    internal_identifier: str | None = None
    type: str | None = None
    usage: str | None = None
    payment_type: str | None = None
    payment_method: str | None = None
    payment_terms: str | None = None
    payment_terms_raw: str | None = None
    place_of_issue: str | None = None
    issuer: Issuer | None = None
    receiver: Receiver | None = None
    is_issuer: bool | None = None
    is_receiver: bool | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    subtotal: Decimal | None = None
    total: Decimal | None = None
    credited_amount: Decimal | None = None
    subtotal_credited_amount: Decimal | None = None
    paid_amount: Decimal | None = None
    due_amount: Decimal | None = None
    last_payment_date: datetime | None = None
    fully_paid_at: datetime | None = None
    status: str | None = None
    pac: str | None = None
    issued_at: datetime | None = None
    certified_at: datetime | None = None
    cancellation_status: str | None = None
    cancellation_process_status: str | None = None
    canceled_at: datetime | None = None
    relations: tuple[InvoiceRelation, ...] | None = None
    tags: tuple[Tag, ...] | None = None
    xml: bool | None = None
    pdf: bool | None = None
    transferred_taxes: InvoiceTaxes | None = None
    retained_taxes: InvoiceTaxes | None = None


class LineItemTaxes(Part, frozen=True, kw_only=True):
    """Taxes of a line: IVA (`value_added_tax`), ISR (`income_tax`, never transferred), IEPS (`sin_tax`)."""

    value_added_tax: Decimal | None = None
    income_tax: Decimal | None = None
    sin_tax: Decimal | None = None


class InvoiceLineItem(Record, frozen=True, kw_only=True):
    """One line (concepto) of an invoice, which comes along whole (OpenAPI, InvoiceLineItem).

    `product_identification` is the SAT's product code, `identification_number` the issuer's own.
    """

    invoice: Invoice | None = None
    identification_number: str | None = None
    product_identification: str | None = None
    description: str | None = None
    unit_amount: Decimal | None = None
    unit_code: str | None = None
    quantity: Decimal | None = None
    discount_amount: Decimal | None = None
    total_amount: Decimal | None = None
    retained_taxes: LineItemTaxes | None = None
    transferred_taxes: LineItemTaxes | None = None


class _Embedded(msgspec.Struct, frozen=True, gc=False):
    iri: str | None = msgspec.field(default=None, name="@id")


if TYPE_CHECKING:
    Reference: TypeAlias = str
else:
    # Documented as an IRI, seen in use as the object itself, whose IRI is then taken.
    Reference = str | _Embedded


class InvoicePayment(Record, frozen=True, kw_only=True):
    """One instalment paid on an invoice (OpenAPI, InvoicePayment). `amount` may be negative.

    `invoice_uuid` is the fiscal folio of the paid invoice; `invoice` and `batch_payment` are IRIs.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "canceled_at")

    invoice_uuid: str | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    installment: int | None = None
    previous_balance: Decimal | None = None
    amount: Decimal | None = None
    outstanding_balance: Decimal | None = None
    invoice: str | None = None
    batch_payment: Reference | None = None
    canceled_at: datetime | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        embedded: object = self.batch_payment
        if isinstance(embedded, _Embedded):
            force_setattr(self, "batch_payment", embedded.iri)


class Bank(Part, frozen=True, kw_only=True):
    """One side of a payment. The beneficiary's has no `name`."""

    rfc: str | None = None
    name: str | None = None
    account_number: str | None = None


class InvoiceBatchPayment(Record, frozen=True, kw_only=True):
    """One payment (pago) of a payment CFDI, over one or several invoices (OpenAPI, InvoiceBatchPayment).

    `invoice` is the payment CFDI; `payment_method` the SAT's forma de pago.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "date", "canceled_at")

    date: datetime | None = None
    payment_method: str | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    amount: Decimal | None = None
    operation_number: str | None = None
    beneficiary_bank: Bank | None = None
    payer_bank: Bank | None = None
    payments: tuple[InvoicePayment, ...] | None = None
    invoice: Invoice | None = None
    canceled_at: datetime | None = None


class InvoiceCreditNote(Record, frozen=True, kw_only=True):
    """What a credit note (`issued_invoice`) takes off an invoice (`applied_invoice`); both are IRIs.

    The two `..._uuid` are their fiscal folios. `proportional_rate` is the share of the note that this invoice takes.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "issued_at", "canceled_at")

    applied_invoice: str | None = None
    issued_invoice: str | None = None
    applied_invoice_uuid: str | None = None
    issued_invoice_uuid: str | None = None
    issued_at: datetime | None = None
    proportional_rate: Decimal | None = None
    amount: Decimal | None = None
    sub_total_amount: Decimal | None = None
    issued_invoice_total: Decimal | None = None
    canceled_at: datetime | None = None


class SatCfdi(Dated, frozen=True, kw_only=True):
    """A CFDI by its fiscal folio: `data` is the XML mapped to JSON, kept as bytes. It has no id but `uuid`."""

    _instants: ClassVar[tuple[str, ...]] = ("processed_xml_at", "processed_pdf_at")

    uuid: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    processed_xml_at: datetime | None = None
    processed_pdf_at: datetime | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "data")
