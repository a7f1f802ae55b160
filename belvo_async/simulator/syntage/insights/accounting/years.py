"""The accounts of a taxpayer, year by year, in whole pesos: its invoices tell the sales, the rest is made up to fit.

Assets are what is owed and owned: cash is what is left of it, and where that would be too little, a bank lends. Every
year begins with what the one before it left.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Final

from ....cfdi import ZERO, Cfdi
from ....fiscal import FIRST_YEAR, Books
from ....taxpayers import Taxpayer

_INCOME_TAX, _INTEREST = Decimal("0.30"), Decimal("0.12")
_DEPRECIATION: Final = Decimal("0.10")
_LEAST_CAPITAL: Final = 50_000


@dataclass(frozen=True, kw_only=True)
class FiscalYear:
    """One year. Costs, expenses and debts are positive here; `depreciation` is all of it up to the year's end."""

    year: int
    sales: int
    reductions: int  # discounts, and credit notes
    opening_inventory: int
    purchases: int
    inventory: int
    general: int
    administration: int
    selling: int
    interest: int
    income_tax: int
    cash: int
    receivables: int
    fixed: int
    depreciation: int
    suppliers: int
    taxes_due: int
    bank_loans: int
    long_debt: int
    capital: int
    retained: int  # of the years before

    @property
    def revenue(self) -> int:
        """Sales less what was taken from them."""
        return self.sales - self.reductions

    @property
    def cost(self) -> int:
        """What was sold had cost."""
        return self.opening_inventory + self.purchases - self.inventory

    @property
    def gross(self) -> int:
        """The gross profit."""
        return self.revenue - self.cost

    @property
    def operating(self) -> int:
        """The operating profit."""
        return self.gross - self.general - self.administration - self.selling

    @property
    def before_tax(self) -> int:
        """The profit before taxes."""
        return self.operating - self.interest

    @property
    def net(self) -> int:
        """The net profit."""
        return self.before_tax - self.income_tax

    @property
    def current_assets(self) -> int:
        """What is cash, or soon will be."""
        return self.cash + self.receivables + self.inventory

    @property
    def fixed_assets(self) -> int:
        """Property, plant and equipment, less depreciation."""
        return self.fixed - self.depreciation

    @property
    def assets(self) -> int:
        """All that is owned."""
        return self.current_assets + self.fixed_assets

    @property
    def current_liabilities(self) -> int:
        """What is to be paid soon."""
        return self.suppliers + self.taxes_due + self.bank_loans

    @property
    def liabilities(self) -> int:
        """All that is owed."""
        return self.current_liabilities + self.long_debt

    @property
    def equity(self) -> int:
        """Capital, and profits that were kept."""
        return self.capital + self.retained + self.net


class Accounting:
    """The accounts of all taxpayers of one seed."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._years: dict[tuple[str, int], FiscalYear] = {}

    def year(self, subject: Taxpayer, year: int) -> FiscalYear:
        """Give one year, always the same."""
        key = (subject.rfc, year)
        if key not in self._years:
            before = self.year(subject, year - 1) if year > FIRST_YEAR else None
            rng = Random(f"{self._books.seed}:{subject.rfc}:accounts:{year}")
            self._years[key] = _made(year, self._books.year(subject, year), before, rng)
        return self._years[key]


def _made(year: int, receipts: Iterable[Cfdi], before: FiscalYear | None, rng: Random) -> FiscalYear:
    sales, reductions = _declared(receipts)
    revenue = sales - reductions

    def share(of: int, least: int, most: int) -> int:
        return max(of, 0) * rng.randrange(least * 10, most * 10) // 1000

    opening = before.inventory if before else 0
    cost = share(revenue, 45, 75)
    inventory = max(share(cost, 8, 20), opening - cost)
    fixed = before.fixed + share(revenue, 0, 5) if before else share(revenue, 15, 30)
    worn = before.depreciation if before else 0
    depreciation = min(fixed, worn + int(fixed * _DEPRECIATION))
    debts = before.bank_loans + before.long_debt if before else 0
    return _balanced(
        FiscalYear(
            year=year,
            sales=sales,
            reductions=reductions,
            opening_inventory=opening,
            purchases=cost + inventory - opening,
            inventory=inventory,
            general=share(revenue, 2, 8) + depreciation - worn,
            administration=share(revenue, 4, 12),
            selling=share(revenue, 1, 8),
            interest=int(debts * _INTEREST),
            income_tax=0,
            cash=0,
            receivables=share(revenue, 6, 18),
            fixed=fixed,
            depreciation=depreciation,
            suppliers=share(cost, 5, 15),
            taxes_due=0,
            bank_loans=0,
            long_debt=before.long_debt * 9 // 10 if before else share(fixed, 20, 50),
            capital=before.capital if before else max(share(revenue, 8, 20), _LEAST_CAPITAL),
            retained=before.retained + before.net if before else 0,
        )
    )


def _balanced(year: FiscalYear) -> FiscalYear:
    """Put in what follows from the rest: taxes, cash, and what a bank had to lend."""
    tax = int(max(year.before_tax, 0) * _INCOME_TAX)
    taxed = replace(year, income_tax=tax, taxes_due=tax // 4)
    left = taxed.liabilities + taxed.equity - taxed.assets
    least = max(year.revenue, 0) // 20
    return replace(taxed, cash=max(left, least), bank_loans=max(least - left, 0))


def _declared(receipts: Iterable[Cfdi]) -> tuple[int, int]:
    """Add up sales and what was taken from them: of valid receipts that were issued, without taxes."""
    issued = [each for each in receipts if each.is_issued and each.cancelled_on is None]
    income = [each for each in issued if each.kind == "I"]
    sales = sum((_pesos(each, each.subtotal) for each in income), ZERO)
    discounts = sum((_pesos(each, each.discount) for each in income), ZERO)
    notes = sum((_pesos(each, each.subtotal) for each in issued if each.kind == "E"), ZERO)
    return round(sales), round(discounts) + round(notes)


def _pesos(receipt: Cfdi, amount: Decimal) -> Decimal:
    return amount * (receipt.exchange_rate or 1)
