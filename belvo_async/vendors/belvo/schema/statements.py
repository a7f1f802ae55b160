"""Financial statements: the balance sheet and the income statement of one year."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from .record import Record


class CurrentAssets(Record, frozen=True, kw_only=True):
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


class NonCurrentAssets(Record, frozen=True, kw_only=True):
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


class CurrentLiabilities(Record, frozen=True, kw_only=True):
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


class NonCurrentLiabilities(Record, frozen=True, kw_only=True):
    """What the taxpayer owes later."""

    long_term_accounts_payable: Decimal | None = None
    long_term_financial_instruments: Decimal | None = None
    deferred_revenue: Decimal | None = None
    contributions_for_future_capital_increases: Decimal | None = None
    deferred_income_tax: Decimal | None = None
    employee_benefits: Decimal | None = None
    long_term_provisions: Decimal | None = None
    total: Decimal | None = None


class Equity(Record, frozen=True, kw_only=True):
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


class BalanceSheet(Record, frozen=True, kw_only=True):
    """The balance sheet of one year."""

    current_assets: CurrentAssets | None = None
    non_current_assets: NonCurrentAssets | None = None
    current_liabilities: CurrentLiabilities | None = None
    non_current_liabilities: NonCurrentLiabilities | None = None
    equity: Equity | None = None


class IncomeStatement(Record, frozen=True, kw_only=True):
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


class FinancialStatement(Record, frozen=True, kw_only=True):
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
