"""Records of insights about whom an entity deals with, and what in."""

from __future__ import annotations

import datetime
from decimal import Decimal

from ..record import Part


class DatedTotal(Part, frozen=True, kw_only=True):
    """A month's total; `date` is its first day."""

    date: datetime.date | None = None
    total: Decimal | None = None


class MonthTotal(Part, frozen=True, kw_only=True):
    """A month's total; `date` is the month, like 2025-10."""

    date: str | None = None
    total: Decimal | None = None


class Concentration(Part, frozen=True, kw_only=True):
    """A customer or supplier: all that was invoiced, its share in percent (16.1), and month by month.

    The deprecated `GetInvoicingConcentration` gives no `rfc`.
    """

    name: str | None = None
    rfc: str | None = None
    total: Decimal | None = None
    share: Decimal | None = None
    transactions: tuple[DatedTotal, ...] | None = None


class FinancialInstitution(Part, frozen=True, kw_only=True):
    """A bank or the like that the entity has dealt with."""

    rfc: str | None = None
    legal_name: str | None = None
    trade_name: str | None = None
    website: str | None = None
    sector: str | None = None
    total: Decimal | None = None
    transactions: tuple[MonthTotal, ...] | None = None


class FinancialInstitutions(Part, frozen=True, kw_only=True):
    """The financial institutions that an entity has dealt with."""

    data: tuple[FinancialInstitution, ...] | None = None


class GovernmentCustomer(Part, frozen=True, kw_only=True):
    """A customer that is a federal, state or municipal body; `percentage_of_sales` is in percent."""

    rfc: str | None = None
    full_name: str | None = None
    short_name: str | None = None
    website: str | None = None
    total: Decimal | None = None
    percentage_of_sales: Decimal | None = None
    transactions: tuple[MonthTotal, ...] | None = None


class GovernmentCustomers(Part, frozen=True, kw_only=True):
    """The customers of an entity that are public bodies."""

    data: tuple[GovernmentCustomer, ...] | None = None


class BlacklistedTaxpayer(Part, frozen=True, kw_only=True):
    """Somebody on the SAT's list of article 69-B: `blacklist_status` presumed, dismissed, definitive or favorable."""

    rfc: str | None = None
    name: str | None = None
    blacklist_status: str | None = None


class BlacklistedInvoices(Part, frozen=True, kw_only=True):
    """How many invoices name a taxpayer on the list."""

    invoices: int | None = None
    taxpayer: BlacklistedTaxpayer | None = None


class BlacklistSides(Part, frozen=True, kw_only=True):
    """The list's taxpayers among those the entity issued invoices to, and among those it received invoices from."""

    issued: tuple[BlacklistedInvoices, ...] | None = None
    received: tuple[BlacklistedInvoices, ...] | None = None


class InvoicingBlacklist(Part, frozen=True, kw_only=True):
    """Dealings with taxpayers on the SAT's list of article 69-B."""

    data: BlacklistSides | None = None


class ProductShare(Part, frozen=True, kw_only=True):
    """A product or service bought or sold: its total in MXN, its share in percent (72.41), and month by month."""

    name: str | None = None
    total: Decimal | None = None
    share: Decimal | None = None
    transactions: tuple[MonthTotal, ...] | None = None


class _InNetwork(Part, frozen=True, kw_only=True):
    """What vendors and customers have in common. Amounts are in MXN, shares parts of one (0.8596)."""

    total_received: Decimal | None = None
    total_cancelled_received: Decimal | None = None
    percentage_cancelled: Decimal | None = None
    received_discounts: Decimal | None = None
    received_credit_notes: Decimal | None = None
    net_received: Decimal | None = None
    pue_received: Decimal | None = None
    ppd_received: Decimal | None = None
    ppd_count: int | None = None
    payment_amount: Decimal | None = None
    collected_in_installments: Decimal | None = None


class NetworkVendor(_InNetwork, frozen=True, kw_only=True):
    """Somebody the entity has bought from; `vendor` is the name. Shares are parts of one."""

    vendor: str | None = None
    received_payment_pending: Decimal | None = None
    days_payable_outstanding: Decimal | None = None


class NetworkCustomer(_InNetwork, frozen=True, kw_only=True):
    """Somebody the entity has sold to; `customer` is the name. Shares are parts of one.

    The vendor calls the totals `received` here as well: they are of invoices that were issued to the customer.
    """

    customer: str | None = None
    emitted_payment_pending: Decimal | None = None
    days_sales_outstanding: Decimal | None = None
