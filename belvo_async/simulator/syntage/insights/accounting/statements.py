"""Balance sheets and income statements, of the years whose annual returns are held.

What is earned is positive, what is spent negative, so that categories add up. Of years before 2021 returns hold no
workbook ("2014 format"): they are left out where that of 2022 is asked for, and else stand beside the others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from ....wire import Json, JsonObject
from ..holdings import Holdings
from ..options import Question
from .categories import BALANCE_SHEET, INCOME_STATEMENT, RELATED, UNRELATED, Category
from .years import FiscalYear

Amount: TypeAlias = Callable[[FiscalYear], int | None]
_WORKBOOKS_SINCE: Final = 2021


def _profit(amount: Callable[[FiscalYear], int]) -> Amount:
    return lambda year: amount(year) if amount(year) >= 0 else None


def _loss(amount: Callable[[FiscalYear], int]) -> Amount:
    return lambda year: amount(year) if amount(year) < 0 else None


# By innermost categories; all others are left empty.
_BALANCES: Final[Mapping[str, Amount]] = {
    "Efectivo y equivalentes de efectivo nacionales": lambda year: year.cash,
    "Clientes nacionales partes no relacionadas": lambda year: year.receivables,
    "Productos terminados": lambda year: year.inventory,
    "Mobiliario y Equipo": lambda year: year.fixed,
    "Depreciación de mobiliario y equipo": lambda year: -year.depreciation,
    "Préstamos bancarios": lambda year: year.bank_loans,
    "Proveedores nacionales partes no relacionadas": lambda year: year.suppliers,
    "Impuestos por pagar": lambda year: year.taxes_due,
    "Cuentas y documentos por pagar a largo plazo de partes no relacionadas nacionales": lambda year: year.long_debt,
    "Capital social (aportaciones)": lambda year: year.capital,
    "Utilidades acumuladas": _profit(lambda year: year.retained),
    "Pérdidas acumuladas": _loss(lambda year: year.retained),
    "Utilidad neta": _profit(lambda year: year.net),
    "Pérdida neta": _loss(lambda year: year.net),
    "Participación controladora": lambda year: year.equity,
}
_RESULTS: Final[Mapping[str, Amount]] = {
    "Ventas y/o servicios nacionales": lambda year: year.sales,
    "Devoluciones, descuentos y bonificaciones nacionales": lambda year: -year.reductions,
    "Inventario Inicial": lambda year: -year.opening_inventory,
    "Compras netas nacionales": lambda year: -year.purchases,
    "Inventario Final": lambda year: year.inventory,
    "Utilidad Bruta": _profit(lambda year: year.gross),
    "Pérdida Bruta": _loss(lambda year: year.gross),
    "Gastos generales": lambda year: -year.general,
    "Gastos de administración": lambda year: -year.administration,
    "Gastos de venta": lambda year: -year.selling,
    "Utilidad de operación": _profit(lambda year: year.operating),
    "Pérdida de operación": _loss(lambda year: year.operating),
    "Intereses devengados a cargo nacionales": lambda year: -year.interest,
    "Utilidad antes de Impuestos a la utilidad": _profit(lambda year: year.before_tax),
    "Pérdida antes de Impuestos a la utilidad": _loss(lambda year: year.before_tax),
    "Impuesto sobre la renta": lambda year: -year.income_tax,
    "Utilidad de operaciones continuas": _profit(lambda year: year.net),
    "Pérdida de operaciones continuas": _loss(lambda year: year.net),
    "Utilidad neta": _profit(lambda year: year.net),
    "Pérdida neta": _loss(lambda year: year.net),
}
_NOTES: Final = {"Depreciación de mobiliario y equipo": "Línea recta, 10 % anual"}
# Whose the equity is: no part of it beside its other parts (so in the document's example).
_OF_WHICH: Final = frozenset({"Participación controladora", "Participación no controladora"})


def declared(holdings: Holdings, asked: Question) -> list[FiscalYear]:
    """Give the years asked for of which an annual return is held, oldest first."""
    returns = (row for row in holdings.records("TaxReturn") if row["intervalUnit"] == "Anual")
    held = {int(str(row["fiscalYear"])) for row in returns}
    first = max(asked.start.year, _WORKBOOKS_SINCE) if asked.is_of_2022 else asked.start.year
    years = sorted(year for year in held if first <= year <= asked.end.year)
    return [holdings.accounting.year(holdings.subject, year) for year in years]


def balance_sheet(holdings: Holdings, asked: Question) -> Json:
    """What is owned, what is owed, and the capital, at the end of each year."""
    return _statement(BALANCE_SHEET, _BALANCES, holdings, asked)


def income_statement(holdings: Holdings, asked: Question) -> Json:
    """What was earned and spent in each year, down to the net profit or loss."""
    return _statement(INCOME_STATEMENT, _RESULTS, holdings, asked)


def _statement(
    categories: Sequence[Category], amounts: Mapping[str, Amount], holdings: Holdings, asked: Question
) -> Json:
    """Give a statement; without a return there is no category, and nobody knows the regime."""
    years = declared(holdings, asked)
    if not years:
        return {"taxRegime": None, "data": []}
    data: list[Json] = [_row(each, amounts, years) for each in categories]
    return {"taxRegime": {"id": int(holdings.subject.regime)}, "data": data}


def _row(category: Category, amounts: Mapping[str, Amount], years: Sequence[FiscalYear], above: str = "") -> JsonObject:
    name = {RELATED: "", UNRELATED: above}.get(category.name, category.name)
    head = {str(year.year): _cell(_total(category, amounts, year, name), name) for year in years}
    below: list[Json] = [_row(each, amounts, years, category.name) for each in category.children]
    return {**head, "category": category.name, **({"children": below} if below else {})}


def _cell(total: int | None, name: str) -> JsonObject:
    return {"Total": total, "Comment": _NOTES.get(name) if total is not None else None}


def _total(category: Category, amounts: Mapping[str, Amount], year: FiscalYear, name: str) -> int | None:
    """Give what a category comes to: an innermost one by its name, others as the sum of what they are made of."""
    if not category.children or category.children[0].name == RELATED:
        return amounts[name](year) if name in amounts else None
    parts = (_total(each, amounts, year, each.name) for each in category.children if each.name not in _OF_WHICH)
    return sum(each for each in parts if each is not None)


def category_rows(statement: Json) -> list[JsonObject]:
    """Give all categories of a statement below each other, each with its depth, as a table."""
    found = statement.get("data") if isinstance(statement, dict) else None
    return list(_walked(found, 0))


def _walked(rows: Json, depth: int) -> list[JsonObject]:
    found: list[JsonObject] = []
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            found.append({"depth": depth, **{name: each for name, each in row.items() if name != "children"}})
            found += _walked(row.get("children"), depth + 1)
    return found
