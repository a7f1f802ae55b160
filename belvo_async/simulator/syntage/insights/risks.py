"""Risk indicators: of the other insights where there is one, else of the invoices themselves.

The document names them and shows values; what they measure and where risk begins is ours: concentrations by the index
of Herfindahl and Hirschman (858 in the document), dealings in both directions as those between related companies,
insolvency as what is owned by what is owed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ...cfdi import ZERO
from ...fiscal import MORATORY_INTEREST, ORDINARY_INTEREST
from ...wire import Json, JsonObject
from .accounting.ratios import RATIOS, ratio
from .accounting.statements import declared
from .holdings import Holdings, amount, is_valid, part, pesos, rfc_of, total
from .moratory import charged, interest
from .options import Question
from .shares import blacklist, customers, suppliers

_SHARE: Final = Decimal("0.0001")
_LISTED: Final = frozenset({"presumed", "definitive"})
_CONCENTRATED: Final = 2500
_INTERCOMPANY, _FOREIGN, _CASH, _CANCELLED = Decimal("0.5"), Decimal("0.2"), Decimal("0.1"), Decimal("0.1")
_INTEREST: Final = Decimal(10_000)


def risks(holdings: Holdings, asked: Question) -> Json:
    """Give all indicators, of what was invoiced since the first instant asked for."""
    asked = replace(asked, end=asked.now)
    issued, received = (holdings.select(asked, is_issued=side) for side in (True, False))
    checks = holdings.records("TaxComplianceCheck")
    opinion = checks[0]["result"] if checks else None
    return {
        "data": {
            "taxCompliance": {"value": opinion, "risky": opinion not in (None, "positive")},
            "blacklistStatus": {"value": holdings.stage, "risky": holdings.stage in _LISTED},
            "blacklistedCounterparties": _above(len(_blacklisted(holdings, asked)), 0),
            "intercompanyTransactions": _above(_in_both_directions(issued, received), _INTERCOMPANY),
            "customerConcentration": _above(_index(customers(holdings, asked)), _CONCENTRATED),
            "supplierConcentration": _above(_index(suppliers(holdings, asked)), _CONCENTRATED),
            "foreignExchangeRisk": _above(_part_of([*issued, *received], _is_foreign), _FOREIGN),
            "cashTransactionRisk": _above(_part_of([*issued, *received], _is_cash), _CASH),
            "accountingInsolvency": _solvency(holdings, asked),
            "canceledIssuedInvoices": _above(_cancelled(holdings, asked, is_issued=True), _CANCELLED),
            "canceledReceivedInvoices": _above(_cancelled(holdings, asked, is_issued=False), _CANCELLED),
            "moratoryInterest": _moratory(holdings, asked),
        }
    }


def _above(value: Decimal | int, most: Decimal | int) -> JsonObject:
    return {"value": value, "risky": value > most}


def _blacklisted(holdings: Holdings, asked: Question) -> set[str]:
    found = blacklist(holdings, asked)
    sides = part(found, "data").values() if isinstance(found, dict) else ()
    rows = (row for side in sides for row in (side if isinstance(side, list) else ()))
    return {str(part(row, "taxpayer")["rfc"]) for row in rows if isinstance(row, dict)}


def _in_both_directions(issued: Sequence[JsonObject], received: Sequence[JsonObject]) -> Decimal:
    both = {rfc_of(row) for row in issued} & {rfc_of(row) for row in received}
    return _part_of([*issued, *received], lambda row: rfc_of(row) in both)


def _part_of(rows: Sequence[JsonObject], is_meant: Callable[[JsonObject], bool]) -> Decimal:
    """Give the part of all that was invoiced."""
    return _share(total(pesos(row) for row in rows if is_meant(row)), total(pesos(row) for row in rows))


def _share(mine: Decimal, whole: Decimal) -> Decimal:
    return (mine / whole if whole else ZERO).quantize(_SHARE)


def _is_foreign(row: JsonObject) -> bool:
    return row["currency"] != "MXN"


def _is_cash(row: JsonObject) -> bool:
    return row["paymentMethod"] == "01"


def _index(shares: Json) -> int:
    """Give the sum of squared shares in percent: 10,000 where one party has all."""
    rows = [row for row in shares if isinstance(row, dict)] if isinstance(shares, list) else []
    return round(total(amount(row, "share") ** 2 for row in rows))


def _solvency(holdings: Holdings, asked: Question) -> JsonObject:
    years = declared(holdings, asked)
    value = ratio(RATIOS["leverage"]["solvency"], years[-1]) if years else None
    return {"value": value, "risky": value is not None and value < 1}


def _cancelled(holdings: Holdings, asked: Question, *, is_issued: bool) -> Decimal:
    """Give the part of income invoices, by their number, that was cancelled."""
    rows = holdings.all_of(asked, is_issued=is_issued)
    return _share(Decimal(len([row for row in rows if not is_valid(row)])), Decimal(len(rows)))


def _moratory(holdings: Holdings, asked: Question) -> JsonObject:
    """Give interest on arrears, and how it compares with interest that is none."""
    found = interest(holdings, asked)
    summary = part(found, "summary") if isinstance(found, dict) else {}
    late, usual = (charged(holdings, asked, each) for each in (MORATORY_INTEREST, ORDINARY_INTEREST))
    value, ordinary = amount(summary, "periodTotal"), total(each.amount for each in usual)
    return {
        "value": value,
        "risky": value > _INTEREST or summary["isRecurring"] is True,
        "isRecurring": summary["isRecurring"],
        "institutionCount": summary["periodInstitutionCount"],
        "ordinaryInterestTotal": ordinary,
        "penaltyRatio": _share(value, value + ordinary) if value + ordinary else None,
        "sharedInstitutionCount": len({each.rfc for each in late} & {each.rfc for each in usual}),
    }


def risk_rows(found: Json) -> list[JsonObject]:
    """Give a row an indicator."""
    data = part(found, "data") if isinstance(found, dict) else {}
    return [{"risk": name, **part(data, name)} for name in data]
