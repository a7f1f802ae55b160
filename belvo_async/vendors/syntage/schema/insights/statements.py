"""Records of insights from annual returns and electronic accounting: statements, trial balances, ratios."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from .....abc import Answer
from .....payload import UNREADABLE, check_depth
from .....tolerant import elements_of
from ..record import Part

T = TypeVar("T")


class StatementAmount(Part, frozen=True, kw_only=True):
    """What a category comes to in a year, in MXN; `comment` is the `Nota` of the workbook it was filed with."""

    total: Decimal | None = msgspec.field(default=None, name="Total")
    comment: str | None = msgspec.field(default=None, name="Comment")


class StatementCategory(Part, frozen=True, kw_only=True):
    """A category of a statement in the SAT's words, its amounts by fiscal year, and what it is made of.

    Which categories there are depends on the tax regime and on the format of the year.
    """

    category: str | None = None
    years: Mapping[int, StatementAmount] | None = None
    children: tuple[StatementCategory, ...] | None = None


class StatementRegime(Part, frozen=True, kw_only=True):
    """The tax regime that a statement is of: the SAT's code, like 601."""

    id: int | None = None


class BalanceSheet(Part, frozen=True, kw_only=True):
    """What an entity owned and owed at the end of fiscal years: `Activo`, `Pasivo`, `Capital`."""

    tax_regime: StatementRegime | None = None
    data: tuple[StatementCategory, ...] | None = None


class IncomeStatement(Part, frozen=True, kw_only=True):
    """What an entity earned and spent in fiscal years.

    Inflows are positive, outflows (costs, expenses, losses, taxes) negative: add them up as they stand. A profit and
    the loss in its place stand under one category.
    """

    tax_regime: StatementRegime | None = None
    data: tuple[StatementCategory, ...] | None = None


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def years_apart(answer: Answer) -> Answer:
    """Put the years of each category of a statement, which stand among its other fields, under the name `years`.

    What is no statement stays as it is: whoever reads the record tells. Raises PayloadError for one nested too deeply.
    """
    # The answer, not its bytes: what stands in a frame may be shown with its traceback.
    check_depth(answer.body)
    whole = _opened(_MEMBERS, answer.body)
    if whole is None or "data" not in whole:
        return answer
    return replace(answer, body=msgspec.json.encode({**whole, "data": _categories(whole["data"])}))


def _categories(raw: msgspec.Raw) -> object:
    items, members = _opened(_ITEMS, raw), _opened(_MEMBERS, raw)
    # PHP writes an array with gaps as an object.
    found = items if members is None else elements_of(members)
    return raw if found is None else [_category(each) for each in found]


def _category(raw: msgspec.Raw) -> object:
    found = _opened(_MEMBERS, raw)
    if found is None:
        return raw
    years = {name: each for name, each in found.items() if name.isdecimal()}
    parts = {"children": _categories(found["children"])} if "children" in found else {}
    return {**{name: each for name, each in found.items() if name not in years}, **parts, "years": years}


def _opened(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw) -> T | None:
    """Open one level; None for what is nothing of that kind."""
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


class TrialBalancePeriod(Part, frozen=True, kw_only=True):
    """A month of which there is a trial balance."""

    year: int | None = None
    month: int | None = None


class TrialBalanceMovement(Part, frozen=True, kw_only=True):
    """What an account held before a period, what moved in it, and what it held after; in MXN."""

    initial_balance: Decimal | None = None
    credits: Decimal | None = None
    debits: Decimal | None = None
    ending_balance: Decimal | None = None


class TrialBalanceAccount(Part, frozen=True, kw_only=True):
    """An account by the SAT's code, its movements by period (`YYYY-MM`), and the accounts below it by their codes."""

    code: str | None = None
    description: str | None = None
    trial_balance: Mapping[str, TrialBalanceMovement] | None = None
    children: Mapping[str, TrialBalanceAccount] | None = None


class TrialBalanceAccounts(Part, frozen=True, kw_only=True):
    """Periods by `YYYY-MM`, and accounts by their codes; those that no catalogue names stand below `000`."""

    periods: Mapping[str, TrialBalancePeriod] | None = None
    accounts: Mapping[str, TrialBalanceAccount] | None = None


class TrialBalance(Part, frozen=True, kw_only=True):
    """The trial balances of an entity's electronic accounting."""

    data: TrialBalanceAccounts | None = None


ByYear: TypeAlias = Mapping[int, Decimal | None]
"""A ratio by fiscal year."""


class _Ratios(Part, frozen=True, kw_only=True, rename="lower"):
    """Ratios stand under names with underscores, unlike all else."""


class LiquidityRatios(_Ratios, frozen=True, kw_only=True):
    """Whether an entity can pay what falls due, by fiscal year."""

    current_ratio: ByYear | None = None
    quick_ratio: ByYear | None = None
    cash_ratio: ByYear | None = None
    cash_to_assets: ByYear | None = None
    net_working_capital_to_sales: ByYear | None = None


class ActivityRatios(_Ratios, frozen=True, kw_only=True):
    """How well an entity uses what it has, by fiscal year. Syntage does not say in what the two periods are."""

    total_asset_turnover: ByYear | None = None
    inventory_turnover: ByYear | None = None
    fixed_asset_turnover_ratio: ByYear | None = None
    sales_to_capital_employed: ByYear | None = None
    accounts_payable_payment_period: ByYear | None = None
    accounts_receivable_collection_period: ByYear | None = None


class ProfitabilityRatios(_Ratios, frozen=True, kw_only=True):
    """What an entity earns of what it sells and owns, by fiscal year; parts of one."""

    return_on_assets: ByYear | None = None
    return_on_equity: ByYear | None = None
    return_on_sales: ByYear | None = None
    gross_profit_margin: ByYear | None = None
    return_on_investment: ByYear | None = None


class LeverageRatios(_Ratios, frozen=True, kw_only=True):
    """How far an entity lives on what it owes, by fiscal year."""

    total_debt_ratio: ByYear | None = None
    debt_equity_ratio: ByYear | None = None
    coverage: ByYear | None = None
    capital_intensity_ratio: ByYear | None = None
    solvency: ByYear | None = None
    interest_expense_to_sales: ByYear | None = None


class FinancialRatioGroups(Part, frozen=True, kw_only=True):
    """The ratios by what they are about."""

    liquidity: LiquidityRatios | None = None
    activity: ActivityRatios | None = None
    profitability: ProfitabilityRatios | None = None
    leverage: LeverageRatios | None = None


class FinancialRatios(Part, frozen=True, kw_only=True):
    """Ratios of an entity's annual returns, by fiscal year."""

    data: FinancialRatioGroups | None = None
