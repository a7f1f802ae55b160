"""Records of series: one row a period and, where the insight is parted, a dimension."""

from __future__ import annotations

import datetime
from decimal import Decimal

from ..record import Part


class SeriesRow(Part, frozen=True, kw_only=True):
    """What rows of all series share: which period, and which part of it.

    `start_date` is the first day of the period; `date` and `date_label`, two ways to write it, are deprecated.
    `dimension` is the value that the rows were parted by (`total` where they were not, `unknown`, `others` for what is
    below a tenth of the period), `label` how it is shown.
    """

    start_date: datetime.date | None = None
    date: str | None = None
    date_label: str | None = None
    dimension: str | None = None
    label: str | None = None


class DataQuality(Part, frozen=True, kw_only=True):
    """How many invoices of a period (`total`) said enough to be counted (`hits`)."""

    total: int | None = None
    hits: int | None = None
    start_date: datetime.date | None = None
    date: str | None = None
    date_label: str | None = None


class AccountsRow(SeriesRow, frozen=True, kw_only=True):
    """What is due or was paid in a period: `metric` in MXN, `amount` in the currencies of the invoices.

    `dimension` is Due, Paid or Cumulative Due, in the language that the account is served in.
    """

    amount: Decimal | None = None
    metric: Decimal | None = None
    group_name: str | None = None


class AccountsSides(Part, frozen=True, kw_only=True):
    """Accounts by period: what is due and paid of each (`non_cumulative`), and what was due up to it (`cumulative`)."""

    non_cumulative: tuple[AccountsRow, ...] | None = None
    cumulative: tuple[AccountsRow, ...] | None = None


class Accounts(Part, frozen=True, kw_only=True):
    """Accounts payable or receivable."""

    data: AccountsSides | None = None


class CashFlowRow(SeriesRow, frozen=True, kw_only=True):
    """Money that came (`type` inflow) or went (outflow): `metric` in MXN, negative for outflows.

    `amount` is in the currencies of the invoices; `mxn_amount`, without a sign, and `group_name` are deprecated.
    """

    type: str | None = None
    transactions: int | None = None
    amount: Decimal | None = None
    metric: Decimal | None = None
    mxn_amount: Decimal | None = None
    group_name: str | None = None


class CashFlow(Part, frozen=True, kw_only=True):
    """Inflows and outflows over time, and how much the invoices told of them."""

    data: tuple[CashFlowRow, ...] | None = None
    stats: tuple[DataQuality, ...] | None = None


class ExpenditureRow(SeriesRow, frozen=True, kw_only=True):
    """Money spent in a period: `metric` in MXN, `amount` in the currencies of the invoices.

    `mxn_amount` and `group_name` are deprecated.
    """

    transactions: int | None = None
    amount: Decimal | None = None
    metric: Decimal | None = None
    mxn_amount: Decimal | None = None
    group_name: str | None = None


class Expenditures(Part, frozen=True, kw_only=True):
    """Money spent over time, from income invoices that were received."""

    data: tuple[ExpenditureRow, ...] | None = None
    stats: tuple[DataQuality, ...] | None = None


class RevenueRow(SeriesRow, frozen=True, kw_only=True):
    """Money earned in a period: `metric` in MXN. `mxn_amount` and `group_name` are deprecated."""

    transactions: int | None = None
    metric: Decimal | None = None
    mxn_amount: Decimal | None = None
    group_name: str | None = None


class SalesRevenue(Part, frozen=True, kw_only=True):
    """Money earned over time, from income invoices that were issued."""

    data: tuple[RevenueRow, ...] | None = None
    stats: tuple[DataQuality, ...] | None = None


class EmployeesRow(SeriesRow, frozen=True, kw_only=True):
    """How many persons received payroll in a period; `total` and `metric` are the same."""

    total: int | None = None
    metric: int | None = None


class Employees(Part, frozen=True, kw_only=True):
    """Employees over time."""

    data: tuple[EmployeesRow, ...] | None = None
