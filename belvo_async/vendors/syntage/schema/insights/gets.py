"""The insights from invoices that are answered at once."""

from __future__ import annotations

from typing import ClassVar, Literal

from .counterparties import Concentration, FinancialInstitutions, GovernmentCustomers, InvoicingBlacklist
from .forms import PeriodInsight, SeriesInsight
from .series import Accounts, CashFlow, Employees, Expenditures, SalesRevenue
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
