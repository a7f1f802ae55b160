"""Interest on arrears: what the lines of invoices say that were received from financial institutions.

Which lines are interest on arrears, the document leaves open: here, those that say so. Recurring is what was charged in
three or more of the last twelve full months; the trend compares the last three with the three before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from ...cfdi import ZERO
from ...fiscal import MORATORY_INTEREST
from ...wire import Json, JsonObject
from .holdings import Holdings, day_of, grouped, line_pesos, other, percent, rfc_of, total
from .options import Question
from .periods import months_before
from .shares import institution

_CENT: Final = Decimal("0.01")
_RECURRING_MONTHS: Final = 3


@dataclass(frozen=True, kw_only=True)
class InterestCharge:
    """Interest that one line charges."""

    on: date
    rfc: str
    name: str
    amount: Decimal

    @property
    def month(self) -> date:
        """The first day of its month."""
        return self.on.replace(day=1)


def interest(holdings: Holdings, asked: Question) -> Json:
    """Give the insight; without a period, of the last twelve full months."""
    today, (first, last) = asked.now.date(), _days(asked)
    charges = _charges(holdings, MORATORY_INTEREST)
    year = _between(charges, months_before(today, 12), months_before(today, 0))
    chosen = _between(charges, first, last + timedelta(days=1))
    months = grouped(chosen, lambda each: each.month)
    monthly: list[Json] = [{"date": f"{month}", "totalAmount": _sum(months[month])} for month in sorted(months)]
    return {
        "summary": {
            **_summary(charges, year, today),
            "periodTotal": _sum(chosen),
            "periodInstitutionCount": len({each.rfc for each in chosen}),
            "periodFrom": f"{first}",
            "periodTo": f"{last}",
        },
        "monthly": monthly,
        "monthlyByInstitution": [*_by_month(chosen, holdings)],
        "institutions": [*_institutions(year, holdings)],
    }


def charged(holdings: Holdings, asked: Question, description: str) -> list[InterestCharge]:
    """Give the interest of a kind, by what lines call it, that was charged in the period of the insight."""
    first, last = _days(asked)
    return _between(_charges(holdings, description), first, last + timedelta(days=1))


def _days(asked: Question) -> tuple[date, date]:
    if not asked.is_whole:
        return asked.start.date(), asked.end.date()
    today = asked.now.date()
    return months_before(today, 12), months_before(today, 0) - timedelta(days=1)


def _charges(holdings: Holdings, description: str) -> list[InterestCharge]:
    received = [row for row in holdings.select(None, is_issued=False) if rfc_of(row) in holdings.lenders]
    return [
        InterestCharge(on=day_of(row), rfc=rfc_of(row), name=str(other(row).get("name")), amount=line_pesos(line, row))
        for line, row in holdings.lines_of(received)
        if line["description"] == description
    ]


def _between(charges: Iterable[InterestCharge], first: date, end: date) -> list[InterestCharge]:
    return [each for each in charges if first <= each.on < end]


def _sum(charges: Iterable[InterestCharge]) -> Decimal:
    return total(each.amount for each in charges)


def _summary(charges: Sequence[InterestCharge], year: Sequence[InterestCharge], today: date) -> JsonObject:
    def months(first: int, end: int) -> Decimal:
        return _sum(_between(charges, months_before(today, first), months_before(today, end)))

    last, recent, average = months(1, 0), months(3, 0), months(3, 0) / 3
    return {
        "lastMonthTotal": last,
        "threeMonthAverage": average.quantize(_CENT),
        "twelveMonthTotal": _sum(year),
        "yoyThreeMonthPercentage": _change(recent, months(15, 12)),
        "lastMonthVsThreeMonthPercentage": _change(last, average),
        "trendPercentage": _change(recent, months(6, 3)),
        "isRecurring": len({each.month for each in year}) >= _RECURRING_MONTHS,
        "institutionCount": len({each.rfc for each in year}),
    }


def _change(now: Decimal, before: Decimal) -> Decimal | None:
    """Give the change in percent; None where there was nothing before."""
    return percent(now - before, before) if before != ZERO else None


def _by_month(charges: Iterable[InterestCharge], holdings: Holdings) -> list[JsonObject]:
    found = grouped(charges, lambda each: (each.month, each.rfc))
    return [{"date": f"{month}", **_institution(found[month, rfc], holdings)} for month, rfc in sorted(found)]


def _institutions(charges: Iterable[InterestCharge], holdings: Holdings) -> list[JsonObject]:
    found = grouped(charges, lambda each: each.rfc)
    rfcs = sorted(found, key=lambda rfc: (-_sum(found[rfc]), rfc))
    return [_institution(found[rfc], holdings) for rfc in rfcs]


def _institution(charges: Sequence[InterestCharge], holdings: Holdings) -> JsonObject:
    known = institution(holdings.lenders[charges[0].rfc])
    return {
        "issuerRfc": charges[0].rfc,
        "issuerName": charges[-1].name,
        "legalName": known["legalName"],
        "tradeName": known["tradeName"],
        "totalAmount": _sum(charges),
    }
