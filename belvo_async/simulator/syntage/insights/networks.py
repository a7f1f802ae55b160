"""Years and counterparties, with everything that takes from a total.

Net is the total less discounts, credit notes and what is unpaid: so it comes out in the document's examples. Of which
totals, the document says for sales alone (valid invoices of type I); the same holds here for expenses. Days outstanding
are the mean of those from issue to the last payment, of deferred invoices that were paid on: no rule is published.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ...cfdi import ZERO
from ...wire import JsonObject
from .holdings import Holdings, amount, grouped, instant, is_valid, issued_at, other, pesos, rfc_of, total
from .options import Question

_CENT, _SHARE = Decimal("0.01"), Decimal("0.0001")
_DAY_SECONDS: Final = 86400


class _Side:
    """The invoices that were issued, or those that were received, of a year or of a counterparty."""

    def __init__(self, invoices: Sequence[JsonObject], *, is_issued: bool) -> None:
        mine = [row for row in invoices if row["isIssuer"] is is_issued]
        income = [row for row in mine if row["type"] == "I"]
        self.valid = [row for row in income if is_valid(row)]
        self.total = total(pesos(row) for row in self.valid)
        self.cancelled = total(pesos(row) for row in income if not is_valid(row))
        self.discounts = total(pesos(row, "discount") for row in self.valid)
        self.notes = total(pesos(row) for row in mine if row["type"] == "E" and is_valid(row))
        self.pending = total(pesos(row, "dueAmount") for row in self.valid)
        self.payroll = total(pesos(row) for row in mine if row["type"] == "N" and is_valid(row))
        self.deferred = [row for row in self.valid if row["paymentType"] == "PPD"]
        self.ppd = total(pesos(row) for row in self.deferred)
        self.paid = total(pesos(row, "paidAmount") for row in self.deferred)

    @property
    def net(self) -> Decimal:
        """What remains."""
        return self.total - self.discounts - self.notes - self.pending

    @property
    def days(self) -> Decimal:
        """The days until deferred invoices were paid on, in the mean."""
        waits = [
            Decimal(int((at - issued_at(row)).total_seconds())) / _DAY_SECONDS
            for row in self.deferred
            if (at := instant(row, "lastPaymentDate")) is not None and amount(row, "paidAmount")
        ]
        return total(waits) / len(waits) if waits else ZERO


def _money(value: Decimal) -> str:
    return str(value.quantize(_CENT))


def _share(mine: Decimal, whole: Decimal) -> str:
    return str((mine / whole if whole else ZERO).quantize(_SHARE))


def years(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """Give a row a fiscal year of which there is an invoice, oldest first."""
    found = grouped(holdings.invoices, lambda row: issued_at(row).year)
    return [_year(str(year), found[year]) for year in sorted(found)]


def _year(year: str, invoices: Sequence[JsonObject]) -> JsonObject:
    sales, costs = _Side(invoices, is_issued=True), _Side(invoices, is_issued=False)
    # Payroll that is issued is paid to employees; received, it is what a person earns.
    income, expenses = sales.net + costs.payroll, costs.net + sales.payroll
    return {
        "period": year,
        "totalSalesRevenue": _money(sales.total),
        "totalIncome": _money(sales.total + costs.payroll),
        "incomePaymentPending": _money(sales.pending),
        "totalIncomeCancelled": _money(sales.cancelled),
        "incomeDiscounts": _money(sales.discounts),
        "incomeCreditNotes": _money(sales.notes),
        "netIncome": _money(sales.net),
        "incomeDueUponReceipt": _share(sales.total - sales.ppd, sales.total),
        "incomeDueOverTime": _share(sales.ppd, sales.total),
        "collectedIncomeDueOverTime": _share(sales.paid, sales.ppd),
        "incomePayroll": _money(costs.payroll),
        "totalExpenses": _money(costs.total),
        "receivedPaymentPending": _money(costs.pending),
        "totalExpensesCancelled": _money(costs.cancelled),
        "expensesDiscounts": _money(costs.discounts),
        "expensesCreditNotes": _money(costs.notes),
        "payroll": _money(sales.payroll),
        "netExpensesPlusPayroll": _money(expenses),
        "margin": _share(income - expenses, income),
        "expensesDueUponReceipt": _share(costs.total - costs.ppd, costs.total),
        "expensesDueOverTime": _share(costs.ppd, costs.total),
        "paidExpensesDueOverTime": _share(costs.paid, costs.ppd),
        "daysPayableOutstanding": _money(costs.days),
        "daysSalesOutstanding": _money(sales.days),
        "netExpenses": _money(costs.net),
        "netIncomePlusPayroll": _money(income),
        "profitOrLoss": _money(income - expenses),
    }


def vendors(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """Give a row for each the entity has received income invoices or credit notes from, the largest first."""
    return _network(holdings, "vendor", "receivedPaymentPending", "daysPayableOutstanding", is_issued=False)


def customers(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """Give a row for each the entity has issued income invoices or credit notes to, the largest first."""
    return _network(holdings, "customer", "emittedPaymentPending", "daysSalesOutstanding", is_issued=True)


def _network(holdings: Holdings, role: str, pending: str, days: str, *, is_issued: bool) -> list[JsonObject]:
    rows = [row for row in holdings.invoices if row["isIssuer"] is is_issued and row["type"] in ("I", "E")]
    parties = grouped(rows, rfc_of)
    sides = {rfc: _Side(found, is_issued=is_issued) for rfc, found in parties.items()}
    return [
        {
            role: other(parties[rfc][-1])["name"],
            "totalReceived": _money(side.total),
            "totalCancelledReceived": _money(side.cancelled),
            "percentageCancelled": _share(side.cancelled, side.total + side.cancelled),
            "receivedDiscounts": _money(side.discounts),
            "receivedCreditNotes": _money(side.notes),
            pending: _money(side.pending),
            "netReceived": _money(side.net),
            "pueReceived": _money(side.total - side.ppd),
            "ppdReceived": _money(side.ppd),
            "ppdCount": len(side.deferred),
            "paymentAmount": _money(side.paid),
            "collectedInInstallments": _share(side.paid, side.ppd),
            days: _money(side.days),
        }
        for rfc, side in sorted(sides.items(), key=lambda found: (-found[1].total, found[0]))
    ]
