"""Financial ratios, of the figures of the statements. The document names them; what they divide by what is ours."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from ....wire import Json, JsonObject
from ..holdings import Holdings
from ..options import Question
from .statements import declared
from .years import FiscalYear

Division: TypeAlias = Callable[[FiscalYear], tuple[int, int]]
_DAYS: Final = 365
# "2.170153630241602" in the document.
_FINE: Final = Decimal("0.000000000000001")
RATIOS: Final[Mapping[str, Mapping[str, Division]]] = {
    "liquidity": {
        "current_ratio": lambda year: (year.current_assets, year.current_liabilities),
        "quick_ratio": lambda year: (year.current_assets - year.inventory, year.current_liabilities),
        "cash_ratio": lambda year: (year.cash, year.current_liabilities),
        "cash_to_assets": lambda year: (year.cash, year.assets),
        "net_working_capital_to_sales": lambda year: (year.current_assets - year.current_liabilities, year.revenue),
    },
    "activity": {
        "total_asset_turnover": lambda year: (year.revenue, year.assets),
        "inventory_turnover": lambda year: (year.cost, year.inventory),
        "fixed_asset_turnover_ratio": lambda year: (year.revenue, year.fixed_assets),
        "sales_to_capital_employed": lambda year: (year.revenue, year.assets - year.current_liabilities),
        "accounts_payable_payment_period": lambda year: (year.suppliers * _DAYS, year.cost),
        "accounts_receivable_collection_period": lambda year: (year.receivables * _DAYS, year.revenue),
    },
    "profitability": {
        "return_on_assets": lambda year: (year.net, year.assets),
        "return_on_equity": lambda year: (year.net, year.equity),
        "return_on_sales": lambda year: (year.net, year.revenue),
        "gross_profit_margin": lambda year: (year.gross, year.revenue),
        "return_on_investment": lambda year: (year.net, year.equity + year.long_debt),
    },
    "leverage": {
        "total_debt_ratio": lambda year: (year.liabilities, year.assets),
        "debt_equity_ratio": lambda year: (year.liabilities, year.equity),
        "coverage": lambda year: (year.operating, year.interest),
        "capital_intensity_ratio": lambda year: (year.assets, year.revenue),
        "solvency": lambda year: (year.assets, year.liabilities),
        "interest_expense_to_sales": lambda year: (year.interest, year.revenue),
    },
}


def ratio(division: Division, year: FiscalYear) -> Decimal | None:
    """Divide; None where there is nothing to divide by."""
    part, whole = division(year)
    return (Decimal(part) / whole).quantize(_FINE) if whole else None


def financial_ratios(holdings: Holdings, asked: Question) -> Json:
    """Give each ratio by year."""
    years = declared(holdings, asked)
    groups: dict[str, Json] = {
        group: {name: {str(year.year): ratio(division, year) for year in years} for name, division in ratios.items()}
        for group, ratios in RATIOS.items()
    }
    return {"data": groups}


def ratio_rows(found: Json) -> list[JsonObject]:
    """Give a row a ratio, the years beside each other."""
    groups = found["data"] if isinstance(found, dict) else None
    return [
        {"group": group, "ratio": name, **years}
        for group, ratios in (groups.items() if isinstance(groups, dict) else ())
        for name, years in (ratios.items() if isinstance(ratios, dict) else ())
        if isinstance(years, dict)
    ]
