"""Trial balances: the accounts month by month, of the months whose electronic accounting is held and not rejected.

They end each year where the statements do; month 13 closes the accounts of the result. What credits and debits are,
is as in the document's example of a bank account: credits add to a balance, debits take from it. A year is keyed by
its last month that is held, and told before it was closed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ....fiscal import FIRST_YEAR
from ....wire import Json, JsonObject
from ..holdings import Holdings, amount, grouped, part, total
from ..options import Question
from .years import FiscalYear

Figure: TypeAlias = Callable[[FiscalYear], int]
Month: TypeAlias = tuple[int, int]
_LAST, _CLOSING = 12, 13
_UNDEFINED: Final = ("000", "Undefined")


@dataclass(frozen=True, kw_only=True)
class LedgerAccount:
    """An account by the SAT's grouping code, and what it comes to at the end of a year."""

    code: str
    description: str
    figure: Figure

    @property
    def is_result(self) -> bool:
        """Whether it holds what is earned or spent in a year, and is closed with it."""
        return self.code >= "400"


_GROUPS: Final[Mapping[str, str]] = {
    "100": "Activo",
    "200": "Pasivo",
    "300": "Capital contable",
    "400": "Ingresos",
    "500": "Costos",
    "600": "Gastos",
    "700": "Resultado integral de financiamiento",
}
_BANKS: Final = LedgerAccount(code="102", description="Bancos", figure=lambda year: year.cash)
ACCOUNTS: Final[Sequence[LedgerAccount]] = (
    _BANKS,
    LedgerAccount(code="105", description="Clientes", figure=lambda year: year.receivables),
    LedgerAccount(code="115", description="Inventario", figure=lambda year: year.inventory),
    LedgerAccount(code="155", description="Mobiliario y equipo de oficina", figure=lambda year: year.fixed),
    LedgerAccount(code="171", description="Depreciación acumulada", figure=lambda year: -year.depreciation),
    LedgerAccount(code="201", description="Proveedores", figure=lambda year: year.suppliers),
    LedgerAccount(code="202", description="Cuentas por pagar a corto plazo", figure=lambda year: year.bank_loans),
    LedgerAccount(code="213", description="Impuestos y derechos por pagar", figure=lambda year: year.taxes_due),
    LedgerAccount(code="252", description="Cuentas por pagar a largo plazo", figure=lambda year: year.long_debt),
    LedgerAccount(code="301", description="Capital social", figure=lambda year: year.capital),
    LedgerAccount(code="304", description="Resultado de ejercicios anteriores", figure=lambda year: year.retained),
    LedgerAccount(code="401", description="Ingresos", figure=lambda year: year.sales),
    LedgerAccount(
        code="402",
        description="Devoluciones, descuentos o bonificaciones sobre ingresos",
        figure=lambda year: -year.reductions,
    ),
    LedgerAccount(code="501", description="Costo de venta", figure=lambda year: year.cost),
    LedgerAccount(code="601", description="Gastos generales", figure=lambda year: year.general),
    LedgerAccount(code="602", description="Gastos de venta", figure=lambda year: year.selling),
    LedgerAccount(code="603", description="Gastos de administración", figure=lambda year: year.administration),
    LedgerAccount(code="611", description="Impuesto sobre la renta", figure=lambda year: year.income_tax),
    LedgerAccount(code="701", description="Gastos financieros", figure=lambda year: year.interest),
)


class _YearBalances:
    """What accounts hold at the end of each month of a year."""

    def __init__(self, holdings: Holdings, year: int) -> None:
        self._year = holdings.accounting.year(holdings.subject, year)
        self._before = holdings.accounting.year(holdings.subject, year - 1) if year > FIRST_YEAR else None

    def balance(self, account: LedgerAccount, month: int) -> int:
        """Give a balance; of month 0, what the year began with."""
        if account is _BANKS:
            return self._cash(month)
        if account.is_result:
            return 0 if month == _CLOSING else self._between(0, account.figure(self._year), month)
        if account.code == "304":
            return self._year.retained + (self._year.net if month == _CLOSING else 0)
        begin = account.figure(self._before) if self._before else 0
        return self._between(begin, account.figure(self._year), month)

    def _between(self, begin: int, end: int, month: int) -> int:
        return begin + (end - begin) * min(month, _LAST) // _LAST

    def _cash(self, month: int) -> int:
        """Give what is left once all else is counted, so that assets are liabilities and capital each month."""
        signs = {"1": -1, "2": 1, "3": 1, "4": 1, "5": -1, "6": -1, "7": -1}
        others = (each for each in ACCOUNTS if each is not _BANKS)
        return sum(signs[each.code[0]] * self.balance(each, month) for each in others)

    def movement(self, account: LedgerAccount, first: int, last: int) -> JsonObject:
        """Give what moved from one month to another, both included."""
        steps = [(self.balance(account, month - 1), self.balance(account, month)) for month in range(first, last + 1)]
        return {
            "initialBalance": steps[0][0],
            "credits": sum(max(end - begin, 0) + abs(begin) // 10 for begin, end in steps),
            "debits": sum(max(begin - end, 0) + abs(begin) // 10 for begin, end in steps),
            "endingBalance": steps[-1][1],
        }


def trial_balance(holdings: Holdings, asked: Question) -> Json:
    """Give all accounts by month or year. Without a balance that is held, there is nothing."""
    rows = [row for row in holdings.records("ElectronicAccountingRecord") if row["status"] != "rejected"]
    months = sorted({_month(row) for row in rows if row["fileType"] == "B" and _is_asked(_month(row), asked)})
    spans = _spans(months, is_monthly=asked.periodicity == "monthly")
    if not spans:
        return []
    known = any(row["fileType"] == "CT" for row in rows)
    ledgers = {year: _YearBalances(holdings, year) for year, _, _ in spans}
    accounts = {
        each.code: _account(each.code, each.description, {
            f"{year}-{last:02}": ledgers[year].movement(each, first, last) for year, first, last in spans
        })
        for each in ACCOUNTS
    }  # fmt: skip
    periods: dict[str, Json] = {f"{year}-{last:02}": {"year": year, "month": last} for year, _, last in spans}
    return [{"data": {"periods": periods, "accounts": {**_grouped(accounts, is_known=known)}}}]


def _month(row: JsonObject) -> Month:
    return int(str(row["year"])), int(str(row["month"]))


def _is_asked(month: Month, asked: Question) -> bool:
    year, number = month[0], min(month[1], _LAST)
    return (asked.start.year, asked.start.month) <= (year, number) <= (asked.end.year, asked.end.month)


def _spans(months: Iterable[Month], *, is_monthly: bool) -> list[tuple[int, int, int]]:
    """Give the year, the first and the last month of each period."""
    if is_monthly:
        return [(year, month, month) for year, month in months]
    years = grouped((each for each in months if each[1] <= _LAST), lambda each: each[0])
    return [(year, found[0][1], found[-1][1]) for year, found in years.items()]


def _account(code: str, description: str, movements: Mapping[str, JsonObject]) -> JsonObject:
    return {"code": code, "description": description, "trialBalance": {**movements}}


def _grouped(accounts: Mapping[str, JsonObject], *, is_known: bool) -> dict[str, JsonObject]:
    """Put accounts under the groups of the catalogue; without one, all under that of the undefined."""
    groups = grouped(accounts, lambda code: f"{code[0]}00" if is_known else _UNDEFINED[0])
    names = {**_GROUPS, _UNDEFINED[0]: _UNDEFINED[1]}
    return {
        group: {
            **_account(group, names[group], _summed([part(accounts[code], "trialBalance") for code in codes])),
            "children": {code: accounts[code] for code in codes},
        }
        for group, codes in groups.items()
    }


def _summed(movements: Sequence[JsonObject]) -> dict[str, JsonObject]:
    return {period: _sum([part(each, period) for each in movements]) for period in movements[0]}


def _sum(movements: Sequence[JsonObject]) -> JsonObject:
    return {name: int(total(amount(each, name) for each in movements)) for name in movements[0]}


def account_rows(found: Json) -> list[JsonObject]:
    """Give a row an account and period."""
    whole = found[0] if isinstance(found, list) and found else None
    accounts = part(part(whole, "data"), "accounts") if isinstance(whole, dict) else {}
    return list(_rows_of(accounts))


def _rows_of(accounts: JsonObject) -> list[JsonObject]:
    rows: list[JsonObject] = []
    for code in accounts:
        account = part(accounts, code)
        head: JsonObject = {"code": code, "description": account["description"]}
        movements = part(account, "trialBalance")
        rows += [{**head, "period": period, **part(movements, period)} for period in movements]
        rows += _rows_of(part(account, "children"))
    return rows
