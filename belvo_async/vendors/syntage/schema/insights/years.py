"""Records of insights about whole years, and about interest on arrears."""

from __future__ import annotations

import datetime
from decimal import Decimal

from ..record import Part


class InvoicingYear(Part, frozen=True, kw_only=True):
    """What was invoiced in a fiscal year (`period`). Amounts are in MXN, shares and `margin` parts of one (0.2955)."""

    period: str | None = None
    total_sales_revenue: Decimal | None = None
    total_income: Decimal | None = None
    income_payment_pending: Decimal | None = None
    total_income_cancelled: Decimal | None = None
    income_discounts: Decimal | None = None
    income_credit_notes: Decimal | None = None
    net_income: Decimal | None = None
    income_due_upon_receipt: Decimal | None = None
    income_due_over_time: Decimal | None = None
    collected_income_due_over_time: Decimal | None = None
    income_payroll: Decimal | None = None
    total_expenses: Decimal | None = None
    received_payment_pending: Decimal | None = None
    total_expenses_cancelled: Decimal | None = None
    expenses_discounts: Decimal | None = None
    expenses_credit_notes: Decimal | None = None
    payroll: Decimal | None = None
    net_expenses_plus_payroll: Decimal | None = None
    margin: Decimal | None = None
    expenses_due_upon_receipt: Decimal | None = None
    expenses_due_over_time: Decimal | None = None
    paid_expenses_due_over_time: Decimal | None = None
    days_payable_outstanding: Decimal | None = None
    days_sales_outstanding: Decimal | None = None
    net_expenses: Decimal | None = None
    net_income_plus_payroll: Decimal | None = None
    profit_or_loss: Decimal | None = None


class MoratorySummary(Part, frozen=True, kw_only=True):
    """Interest on arrears in short; percentages are None where there is nothing to compare with."""

    last_month_total: Decimal | None = None
    three_month_average: Decimal | None = None
    twelve_month_total: Decimal | None = None
    yoy_three_month_percentage: Decimal | None = None
    last_month_vs_three_month_percentage: Decimal | None = None
    trend_percentage: Decimal | None = None
    is_recurring: bool | None = None
    institution_count: int | None = None
    period_total: Decimal | None = None
    period_institution_count: int | None = None
    period_from: datetime.date | None = None
    period_to: datetime.date | None = None


class MoratoryMonth(Part, frozen=True, kw_only=True):
    """Interest on arrears of a month; `date` is its first day."""

    date: datetime.date | None = None
    total_amount: Decimal | None = None


class MoratoryInstitution(Part, frozen=True, kw_only=True):
    """Interest on arrears of the last twelve full months, to one institution.

    `issuer_name` stands in its invoices, the other two in the catalogue of financial institutions.
    """

    issuer_rfc: str | None = None
    issuer_name: str | None = None
    legal_name: str | None = None
    trade_name: str | None = None
    total_amount: Decimal | None = None


class MoratoryInstitutionMonth(MoratoryInstitution, frozen=True, kw_only=True):
    """Interest on arrears of a month (`date` is its first day), to one institution."""

    date: datetime.date | None = None


class MoratoryInterest(Part, frozen=True, kw_only=True):
    """Interest that financial institutions charged because payments came late."""

    summary: MoratorySummary | None = None
    monthly: tuple[MoratoryMonth, ...] | None = None
    monthly_by_institution: tuple[MoratoryInstitutionMonth, ...] | None = None
    institutions: tuple[MoratoryInstitution, ...] | None = None
