"""Belvo's words as types: tasks to fire, queries to list, records to read, and the small bodies around them.

A catalogue, written from the official OpenAPI document 1.223.0. Records keep the vendor's key names, ignore keys they
do not know and read a missing or null key as None, because fields came and went under one version number. An array
that is always sent defaults to `()`, and is None only where Belvo sent null. Amounts, rates and quantities are exact
Decimals. Instants are aware where Belvo wrote an offset, as it documents; one without offset stays naive, so that a
single odd row does not stop a reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from belvo_async.abc import Query
from belvo_async.errors import TaskError
from belvo_async.jobs import Task, normal_id

# One request covers at most 365 days (invalid_period). Whether both ends count is not said; counting both is safe.
LONGEST_PERIOD_DAYS = 365

Direction: TypeAlias = Literal["INFLOW", "OUTFLOW"]
"""INFLOW: received by the link's owner; OUTFLOW: issued by it."""

_LINK = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HEX = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Filters of total_amount take 15 digits before and 2 to 4 behind the point.
_AMOUNT_LIMIT, _AMOUNT_STEP = Decimal(10) ** 15, Decimal("0.0001")


def link_id(link: str) -> str:
    """Write a link's id as Belvo's requests want it: a dashed lower-case UUID; other ids stay as they are."""
    bare = normal_id(link)
    if not _HEX.fullmatch(bare):
        return link
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def subject_of(link: str) -> str:
    """Write a link's id in the form subjects are compared in."""
    return link_id(link).lower()


# Checks of what users give. They take `object`: type checkers stop most mistakes, not those of untyped callers.


def _check_link(value: object, *, field: str = "link") -> None:
    if not isinstance(value, str) or not _LINK.fullmatch(value):
        raise TaskError(f"{field} must be the id of a Belvo link", field=field)


def _check_date(value: object, *, field: str) -> None:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TaskError(f"{field} must be a datetime.date without time", field=field)


def _check_order(first: date | None, last: date | None, *, field: str) -> None:
    if first is not None and last is not None and last < first:
        raise TaskError(f"{field} lies before the start of its period", field=field)


def _check_direction(value: object) -> None:
    if value not in (None, "INFLOW", "OUTFLOW"):
        raise TaskError("type must be INFLOW, OUTFLOW or None for both", field="type")


def _check_amount(value: object, *, field: str) -> None:
    fits = isinstance(value, Decimal) and value.is_finite() and 0 <= value < _AMOUNT_LIMIT
    if not fits or (isinstance(value, Decimal) and value != value.quantize(_AMOUNT_STEP)):
        raise TaskError(f"{field} must be a Decimal from 0 to below 10^15 with at most 4 decimals", field=field)


def _names(value: object, *, field: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TaskError(f"{field} must be a sequence of field names", field=field)
    names = cast("Sequence[object]", value)
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise TaskError(f"{field} holds something that is no field name", field=field)
    return tuple(cast("Sequence[str]", names)) or None


def _fix_link(task: Invoices | FinancialStatements) -> None:
    """Bring the link to one spelling: equal tasks must be equal however the id was copied."""
    _check_link(task.link)
    force_setattr(task, "link", link_id(task.link))


def _fix_selection(owner: Invoices | _Selection) -> None:
    """Turn `fields` and `omit` into tuples of names, and refuse what is both wanted and left out."""
    for field in ("fields", "omit"):
        force_setattr(owner, field, _names(getattr(owner, field), field=field))
    if set(owner.fields or ()) & set(owner.omit or ()):
        raise TaskError("omit names a field that fields asks for", field="omit")


# Records


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of Belvo's, as it was when it was read. Its repr shows no data but Belvo's own id."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'id', '***')})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("id", getattr(self, "id", "***"))]


class Link(Record, frozen=True, kw_only=True, gc=False):
    """A taxpayer's stored access to SAT. `last_accessed_at` is None until a first success."""

    id: str | None = None
    institution: str | None = None
    access_mode: str | None = None
    last_accessed_at: datetime | None = None
    created_at: datetime | None = None
    external_id: str | None = None
    institution_user_id: str | None = None
    status: str | None = None
    created_by: str | None = None
    refresh_rate: str | None = None
    credentials_storage: str | None = None
    fetch_resources: tuple[str, ...] | None = ()
    stale_in: str | None = None


class FormFieldValue(Record, frozen=True, kw_only=True, gc=False):
    """One choice of an institution's login form."""

    code: str | None = None
    label: str | None = None
    validation: str | None = None
    validation_message: str | None = None
    placeholder: str | None = None


class FormField(Record, frozen=True, kw_only=True, gc=False):
    """One field of an institution's login form."""

    name: str | None = None
    type: str | None = None
    label: str | None = None
    validation: str | None = None
    placeholder: str | None = None
    validation_message: str | None = None
    values: tuple[FormFieldValue, ...] | None = ()


class Feature(Record, frozen=True, kw_only=True, gc=False):
    """One ability of an institution."""

    name: str | None = None
    description: str | None = None


class OpenBanking(Record, frozen=True, kw_only=True, gc=False):
    """An institution's open-finance particulars (Brazil)."""

    description: str | None = None
    participants: tuple[str, ...] | None = None
    authorization_server_id: str | None = None


class Institution(Record, frozen=True, kw_only=True, gc=False):
    """A source of data, such as SAT; `status` is `healthy` or `down`."""

    id: int | None = None
    name: str | None = None
    type: str | None = None
    website: str | None = None
    display_name: str | None = None
    country_codes: tuple[str, ...] | None = ()
    primary_color: str | None = None
    logo: str | None = None
    icon_logo: str | None = None
    text_logo: str | None = None
    code: str | None = None
    form_fields: tuple[FormField, ...] | None = ()
    features: tuple[Feature, ...] | None = ()
    resources: tuple[str, ...] | None = ()
    integration_type: str | None = None
    status: str | None = None
    openbanking_information: OpenBanking | None = None


class Tax(Record, frozen=True, kw_only=True, gc=False):
    """One tax of a whole invoice; `tax_percentage` in percent."""

    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    pre_tax_amount: Decimal | None = None
    tax_amount: Decimal | None = None


class TaxDetails(Record, frozen=True, kw_only=True, gc=False):
    """The taxes of a whole invoice."""

    total_tax_retained: Decimal | None = None
    total_tax_transferred: Decimal | None = None
    retained_taxes: tuple[Tax, ...] | None = ()
    transferred_taxes: tuple[Tax, ...] | None = ()


class RetainedTax(Record, frozen=True, kw_only=True, gc=False):
    """One tax held back on a line of an invoice; `tax_percentage` in percent."""

    collected_at: datetime | None = None
    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    retained_tax_amount: Decimal | None = None


class TransferredTax(Record, frozen=True, kw_only=True, gc=False):
    """One tax passed on by a line of an invoice; `tax_percentage` in percent."""

    collected_at: datetime | None = None
    tax_type: str | None = None
    tax: str | None = None
    tax_percentage: Decimal | None = None
    transferred_tax_amount: Decimal | None = None


class InvoiceDetail(Record, frozen=True, kw_only=True, gc=False):
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


class RelatedInvoice(Record, frozen=True, kw_only=True, gc=False):
    """Another invoice this one refers to, and how (SAT c_TipoRelacion)."""

    relationship_type: str | None = None
    related_invoice_identification: str | None = None


class RelatedDocument(Record, frozen=True, kw_only=True, gc=False):
    """What a payment paid of which invoice."""

    invoice_identification: str | None = None
    currency: str | None = None
    payment_method: str | None = None
    partiality_number: int | None = None
    previous_balance: Decimal | None = None
    amount_paid: Decimal | None = None
    outstanding_balance: Decimal | None = None


class Payment(Record, frozen=True, kw_only=True, gc=False):
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


class Earning(Record, frozen=True, kw_only=True, gc=False):
    """One kind of pay."""

    type: str | None = None
    taxable_amount: Decimal | None = None
    vat_free_amount: Decimal | None = None


class Deduction(Record, frozen=True, kw_only=True, gc=False):
    """One kind of deduction."""

    type: str | None = None
    amount: Decimal | None = None


class OtherPayment(Record, frozen=True, kw_only=True, gc=False):
    """One kind of pay that is no income, such as the employment subsidy."""

    type: str | None = None
    amount: Decimal | None = None


class Payroll(Record, frozen=True, kw_only=True, gc=False):
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
XML_LIMIT = "sat_xml_limit_reached"


class Warnings(Record, frozen=True, kw_only=True, gc=False):
    """Why details of an invoice are missing: `sat_xml_limit_reached` or `sat_service_unavailable`."""

    code: str | None = None
    message: str | None = None


class Invoice(Record, frozen=True, kw_only=True, gc=False):
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


class CurrentAssets(Record, frozen=True, kw_only=True, gc=False):
    """What the taxpayer holds for the short term."""

    cash_and_equivalents: Decimal | None = None
    short_term_investments: Decimal | None = None
    accounts_receivable: Decimal | None = None
    notes_receivable: Decimal | None = None
    other_debtors: Decimal | None = None
    bad_debt_provision: Decimal | None = None
    tax_recoverable: Decimal | None = None
    inventory: Decimal | None = None
    prepaid_expenses: Decimal | None = None
    assets_available_for_sale: Decimal | None = None
    total: Decimal | None = None


class NonCurrentAssets(Record, frozen=True, kw_only=True, gc=False):
    """What the taxpayer holds for long."""

    property_plant_and_equipment: Decimal | None = None
    accumulated_depreciation_and_amortization: Decimal | None = None
    long_term_accounts_receivable: Decimal | None = None
    prepayment_to_suppliers: Decimal | None = None
    goodwill: Decimal | None = None
    intangible_assets: Decimal | None = None
    investments_in_associates: Decimal | None = None
    long_term_financial_instruments: Decimal | None = None
    total: Decimal | None = None


class CurrentLiabilities(Record, frozen=True, kw_only=True, gc=False):
    """What the taxpayer owes soon."""

    bank_loans: Decimal | None = None
    accounts_payable: Decimal | None = None
    notes_payable: Decimal | None = None
    financial_instruments: Decimal | None = None
    other_creditors: Decimal | None = None
    income_tax_payable: Decimal | None = None
    customer_advances: Decimal | None = None
    provisions: Decimal | None = None
    taxes_payable: Decimal | None = None
    total: Decimal | None = None


class NonCurrentLiabilities(Record, frozen=True, kw_only=True, gc=False):
    """What the taxpayer owes later."""

    long_term_accounts_payable: Decimal | None = None
    long_term_financial_instruments: Decimal | None = None
    deferred_revenue: Decimal | None = None
    contributions_for_future_capital_increases: Decimal | None = None
    deferred_income_tax: Decimal | None = None
    employee_benefits: Decimal | None = None
    long_term_provisions: Decimal | None = None
    total: Decimal | None = None


class Equity(Record, frozen=True, kw_only=True, gc=False):
    """What belongs to the owners."""

    stockholders_equity: Decimal | None = None
    future_capital_contributions: Decimal | None = None
    legal_reserve: Decimal | None = None
    capital_update_excess: Decimal | None = None
    capital_update_insufficiency: Decimal | None = None
    capital_reserve: Decimal | None = None
    share_premium_on_stock_sales: Decimal | None = None
    retained_earnings: Decimal | None = None
    other_comprehensive_income: Decimal | None = None
    controlling_interest: Decimal | None = None
    non_controlling_interest: Decimal | None = None
    total: Decimal | None = None


class BalanceSheet(Record, frozen=True, kw_only=True, gc=False):
    """The balance sheet of one year."""

    current_assets: CurrentAssets | None = None
    non_current_assets: NonCurrentAssets | None = None
    current_liabilities: CurrentLiabilities | None = None
    non_current_liabilities: NonCurrentLiabilities | None = None
    equity: Equity | None = None


class IncomeStatement(Record, frozen=True, kw_only=True, gc=False):
    """The income statement of one year."""

    net_revenue: Decimal | None = None
    domestic_sales: Decimal | None = None
    foreign_sales: Decimal | None = None
    materials_used: Decimal | None = None
    cost_of_goods_sold: Decimal | None = None
    cost_of_services_sold: Decimal | None = None
    gross_profit: Decimal | None = None
    gross_loss: Decimal | None = None
    operating_expenses: Decimal | None = None
    operating_income: Decimal | None = None
    operating_loss: Decimal | None = None
    financial_result: Decimal | None = None
    income_statement_financial_gains: Decimal | None = None
    income_statement_financial_costs: Decimal | None = None
    equity_in_earnings_of_affiliates: Decimal | None = None
    income_before_taxes: Decimal | None = None
    loss_before_taxes: Decimal | None = None
    income_taxes: Decimal | None = None
    income_from_continuing_operations: Decimal | None = None
    loss_from_continuing_operations: Decimal | None = None
    discontinued_operations: Decimal | None = None
    net_income: Decimal | None = None
    net_loss: Decimal | None = None


class FinancialStatement(Record, frozen=True, kw_only=True, gc=False):
    """A taxpayer's statements of one `year`; `error` says in Belvo's words why there are none."""

    id: str | None = None
    link: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    error: str | None = None
    year: str | None = None
    currency: str | None = None
    balance_sheet: BalanceSheet | None = None
    income_statement: IncomeStatement | None = None


# Tasks


class Invoices(Task[Invoice], frozen=True, tag="belvo.Invoices"):
    """Fetch a link's invoices (CFDI) of a period from SAT: POST /api/invoices/.

    Both dates count; together at most 365 days. `type` None asks for both directions. `attach_xml` adds the CFDI
    document to each invoice. `fields` and `omit` choose the keys of the records read later; `id` always comes, so
    that no invoice is given twice. Raises TaskError naming the field that does not fit.
    """

    vendor: ClassVar[str] = "belvo"

    link: str
    date_from: date
    date_to: date
    type: Direction | None = None
    attach_xml: bool = False
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _fix_link(self)
        _check_date(self.date_from, field="date_from")
        _check_date(self.date_to, field="date_to")
        _check_order(self.date_from, self.date_to, field="date_to")
        if (self.date_to - self.date_from).days + 1 > LONGEST_PERIOD_DAYS:
            raise TaskError(f"one task covers at most {LONGEST_PERIOD_DAYS} days: split the period", field="date_to")
        _check_direction(self.type)
        _fix_selection(self)

    @property
    def subject(self) -> str:
        return subject_of(self.link)

    @property
    def resource(self) -> str:
        return "INVOICES"


class FinancialStatements(Task[FinancialStatement], frozen=True, tag="belvo.FinancialStatements"):
    """Fetch a link's yearly financial statements from SAT: POST /api/financial-statements/.

    Raises TaskError when `link` cannot be an id.
    """

    vendor: ClassVar[str] = "belvo"

    link: str

    def __post_init__(self) -> None:
        _fix_link(self)

    @property
    def subject(self) -> str:
        return subject_of(self.link)

    @property
    def resource(self) -> str:
        return "FINANCIAL_STATEMENTS"


# Queries. An attribute's encoded name is Belvo's filter; a sequence of values becomes its `__in` form.

Words: TypeAlias = str | Sequence[str]
"""One value, or several of which any may match."""


class _Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the records: only `fields` (with `id`), or all but `omit`."""

    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _fix_selection(self)

    def __repr__(self) -> str:
        # Filters may name a taxpayer.
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class _Created(_Selection, frozen=True, kw_only=True):
    """When Belvo stored it: whole days, both ends included."""

    created_from: date | None = msgspec.field(default=None, name="created_at__gte")
    created_to: date | None = msgspec.field(default=None, name="created_at__lte")

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("created_from", "created_to"):
            if getattr(self, field) is not None:
                _check_date(getattr(self, field), field=field)
        _check_order(self.created_from, self.created_to, field="created_to")


class Links(_Created, Query[Link], frozen=True, kw_only=True):
    """List links: GET /api/links/. Filters that are not given do not narrow.

    Raises TaskError naming the field that does not fit.
    """

    id: Words | None = None
    institution: Words | None = None
    access_mode: str | None = None
    created_by_not: Words | None = msgspec.field(default=None, name="created_by__not_in")
    external_id: Words | None = None
    institution_user_id: Words | None = None
    refresh_rate: str | None = None
    status: Words | None = None


class Institutions(_Selection, Query[Institution], frozen=True, kw_only=True):
    """List institutions: GET /api/institutions/. `resources`: only those that have all of them."""

    name: Words | None = None
    type: Words | None = None
    status: Words | None = None
    country_code: Words | None = None
    resources: Sequence[str] | None = msgspec.field(default=None, name="resources__allin")
    display_name: str | None = None
    website: str | None = None


class InvoiceList(_Created, Query[Invoice], frozen=True, kw_only=True):
    """List invoices that Belvo holds already: GET /api/invoices/. Starts nothing and costs nothing.

    `link` is wanted because Belvo is slow without it. The dates are those of the invoices, both included, of any span.
    Raises TaskError naming the field that does not fit.
    """

    link: Words
    date_from: date | None = msgspec.field(default=None, name="invoice_date__gte")
    date_to: date | None = msgspec.field(default=None, name="invoice_date__lte")
    type: Direction | None = None
    status: Words | None = None
    id: Words | None = None
    invoice_identification: Words | None = None
    total_amount_from: Decimal | None = msgspec.field(default=None, name="total_amount__gte")
    total_amount_to: Decimal | None = msgspec.field(default=None, name="total_amount__lte")

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_links(self.link)
        for field in ("date_from", "date_to"):
            if getattr(self, field) is not None:
                _check_date(getattr(self, field), field=field)
        _check_order(self.date_from, self.date_to, field="date_to")
        _check_direction(self.type)
        for field in ("total_amount_from", "total_amount_to"):
            if getattr(self, field) is not None:
                _check_amount(getattr(self, field), field=field)


class FinancialStatementList(_Created, Query[FinancialStatement], frozen=True, kw_only=True):
    """List financial statements that Belvo holds already: GET /api/financial-statements/."""

    link: Words
    id: Words | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_links(self.link)


def _check_links(links: Words) -> None:
    for link in [links] if isinstance(links, str) else links or [""]:
        _check_link(link)


# The small bodies around the records


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The body of 202: the request's id, in whichever spelling."""

    request_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the list Belvo answers errors with. Its message may hold names and is never shown."""

    code: str | None = None
    request_id: str | None = None
    field: str | None = None


_Word: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of every webhook (resources-webhooks-aggregation). Older pages show some keys missing or null."""

    webhook_id: _Word | None = None
    webhook_type: _Word | None = None
    process_type: _Word | None = None
    webhook_code: _Word | None = None
    link_id: _Word | None = None
    request_id: _Word | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
