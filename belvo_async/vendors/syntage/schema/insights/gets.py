"""The insights that are answered at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar, Literal

from ..forms.requests import OneRequest
from .counterparties import Concentration, FinancialInstitutions, GovernmentCustomers, InvoicingBlacklist
from .forms import Insight, PeriodInsight, SeriesInsight
from .scores import EntitySummary, Risks, ScoreDistribution, Scores
from .series import Accounts, CashFlow, Employees, Expenditures, SalesRevenue
from .statements import BalanceSheet, FinancialRatios, IncomeStatement, TrialBalance
from .years import MoratoryInterest


class GetAccountsPayable(SeriesInsight[Accounts], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/accounts-payable`: what the entity owes and has paid."""

    path: ClassVar[str] = "/entities/{entity}/insights/accounts-payable"


class GetAccountsReceivable(SeriesInsight[Accounts], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/accounts-receivable`: what the entity is owed and was paid."""

    path: ClassVar[str] = "/entities/{entity}/insights/accounts-receivable"


class GetCashFlow(SeriesInsight[CashFlow], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/cash-flow-stats`, parted by `type`."""

    path: ClassVar[str] = "/entities/{entity}/insights/cash-flow-stats"

    type: Literal["total", "payment-method", "currency", "invoice-type"] | None = None


class GetExpenditures(SeriesInsight[Expenditures], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/expenditures`, parted by `type`."""

    path: ClassVar[str] = "/entities/{entity}/insights/expenditures"

    type: Literal["total", "currency", "counterparty", "invoice-type", "payment-type"] | None = None


class GetSalesRevenue(SeriesInsight[SalesRevenue], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/sales-revenue`, parted by `type`."""

    path: ClassVar[str] = "/entities/{entity}/insights/sales-revenue"

    type: Literal["total", "currency", "customers", "export", "customer-type", "payment-type"] | None = None


class GetEmployees(SeriesInsight[Employees], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/employees`: whom the entity paid payroll to."""

    path: ClassVar[str] = "/entities/{entity}/insights/employees"


class GetCustomerConcentration(PeriodInsight[tuple[Concentration, ...]], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/customer-concentration`: the customers and their shares."""

    path: ClassVar[str] = "/entities/{entity}/insights/customer-concentration"


class GetSupplierConcentration(PeriodInsight[tuple[Concentration, ...]], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/supplier-concentration`: the suppliers and their shares."""

    path: ClassVar[str] = "/entities/{entity}/insights/supplier-concentration"


class GetInvoicingConcentration(PeriodInsight[tuple[Concentration, ...]], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/invoicing-concentration`: the ten largest customers, or suppliers (`received`).

    Deprecated by Syntage: `GetCustomerConcentration` and `GetSupplierConcentration` give all of them.
    """

    path: ClassVar[str] = "/entities/{entity}/insights/invoicing-concentration"

    type: Literal["issued", "received"]


class GetMoratoryInterest(PeriodInsight[MoratoryInterest], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/moratory-interest`; without a period, of the last twelve full months."""

    path: ClassVar[str] = "/entities/{entity}/insights/moratory-interest"


class GetFinancialInstitutions(PeriodInsight[FinancialInstitutions], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/financial-institutions`."""

    path: ClassVar[str] = "/entities/{entity}/insights/financial-institutions"


class GetGovernmentCustomers(PeriodInsight[GovernmentCustomers], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/government-customers`."""

    path: ClassVar[str] = "/entities/{entity}/insights/government-customers"


class GetInvoicingBlacklist(PeriodInsight[InvoicingBlacklist], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/invoicing-blacklist`: who of the SAT's list of article 69-B it dealt with."""

    path: ClassVar[str] = "/entities/{entity}/insights/invoicing-blacklist"


class GetBalanceSheet(PeriodInsight[BalanceSheet], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/balance-sheet`, of the annual returns of fiscal years.

    The years of the period count. `year_format` leaves out those that were filed in an older form.
    """

    path: ClassVar[str] = "/entities/{entity}/insights/metrics/balance-sheet"
    headers: ClassVar[Mapping[str, str]] = {"year_format": "X-Insight-Format"}

    year_format: Literal["2022"] | None = None


class GetIncomeStatement(PeriodInsight[IncomeStatement], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/income-statement`; see `GetBalanceSheet`."""

    path: ClassVar[str] = "/entities/{entity}/insights/metrics/income-statement"
    headers: ClassVar[Mapping[str, str]] = {"year_format": "X-Insight-Format"}

    year_format: Literal["2022"] | None = None


class GetTrialBalance(PeriodInsight[tuple[TrialBalance, ...]], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/trial-balance`, of the electronic accounting; `yearly` where nothing is said."""

    path: ClassVar[str] = "/entities/{entity}/insights/trial-balance"

    periodicity: Literal["yearly", "monthly"] | None = None


class GetFinancialRatios(PeriodInsight[FinancialRatios], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/financial-ratios`: by fiscal year, of the annual returns."""

    path: ClassVar[str] = "/entities/{entity}/insights/financial-ratios"


class GetRisks(Insight[Risks], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/risks`, of what was invoiced since a day or an instant."""

    path: ClassVar[str] = "/entities/{entity}/insights/risks"

    since: date | datetime | None = None


class GetScores(Insight[Scores], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/scores`: the Syntage Score, and those of others who rate."""

    path: ClassVar[str] = "/entities/{entity}/insights/metrics/scores"


class GetScoreDistribution(OneRequest[ScoreDistribution], frozen=True, kw_only=True):
    """`GET /insights/metrics/scores/syntage/distribution`: how many Syntage Scores lie in each bucket."""

    method: ClassVar[str] = "GET"
    path: ClassVar[str] = "/insights/metrics/scores/syntage/distribution"


class GetEntitySummary(Insight[EntitySummary], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/summary`: who the entity is, and the figures of its last annual return."""

    path: ClassVar[str] = "/entities/{entity}/insights/summary"
