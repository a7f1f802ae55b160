"""Pre-qualify an entity for credit by Syntage's insights: a sheet with a decision and its reasons.

    export SYNTAGE_API_KEY=...
    python -m examples.credit_prequalification /entities/91106968-1abd-4d64-85c1-4e73d96fb997

Nothing is extracted for it: insights are computed of the invoices that Syntage holds, so have those of two years
extracted first. The limits are examples; a lender has its own. Exit code 0 says qualified, 1 anything else: the sheet
tells what, and why.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final

from belvo_async import Session, syntage

YEAR: Final = 12
ZERO: Final = Decimal(0)


class Mark(IntEnum):
    """How a finding counts; the worst one decides."""

    GOOD = 0
    REVIEW = 1
    DECLINE = 2
    UNKNOWN = 3


DECISIONS: Final = {
    Mark.GOOD: "QUALIFIED",
    Mark.REVIEW: "REVIEW BY A PERSON",
    Mark.DECLINE: "DECLINED",
    Mark.UNKNOWN: "NOT ENOUGH IS KNOWN",
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A lender's limits. Shares are in percent."""

    least_revenue: Decimal = Decimal(1_000_000)
    least_months: int = 9
    worst_trend: Decimal = Decimal(-20)
    largest_customer: Decimal = Decimal(30)
    largest_five: Decimal = Decimal(70)
    months_in_the_red: int = 6
    largest_unpaid: Decimal = Decimal(40)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the insights say of twelve full months, and of the twelve before. Amounts are in MXN, shares in percent."""

    revenue: Decimal
    revenue_before: Decimal
    months: int
    customers: Sequence[tuple[str, Decimal]]
    listed: Sequence[tuple[str, str]]
    cash: Sequence[Decimal]
    unpaid: Decimal
    is_often_late: bool
    interest: Decimal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the sheet."""

    mark: Mark
    about: str
    reason: str


def full_months(today: date, count: int, *, ending: int = 0) -> syntage.Period:
    """Give so many full months, the last of which ended `ending` months before this one began."""
    end = _month(today, ending)
    return syntage.Period(_month(today, ending + count), end - timedelta(days=1))


def _month(today: date, before: int) -> date:
    number = today.year * YEAR + today.month - 1 - before
    return date(number // YEAR, number % YEAR + 1, 1)


async def gather(session: Session, entity: str, today: date) -> Facts:
    """Ask for the insights of the last full months, one after the other: Syntage counts requests."""
    now, before = full_months(today, YEAR), full_months(today, YEAR, ending=YEAR)
    revenue = (await session.call(syntage.GetSalesRevenue(entity=entity, period=now))).data or ()
    former = (await session.call(syntage.GetSalesRevenue(entity=entity, period=before))).data or ()
    customers = await session.call(syntage.GetCustomerConcentration(entity=entity, period=now))
    blacklist = (await session.call(syntage.GetInvoicingBlacklist(entity=entity))).data
    cash = (await session.call(syntage.GetCashFlow(entity=entity, period=now))).data or ()
    accounts = (await session.call(syntage.GetAccountsReceivable(entity=entity, period=now))).data
    moratory = (await session.call(syntage.GetMoratoryInterest(entity=entity, period=now))).summary
    due = (accounts.cumulative if accounts else None) or ()
    earned = sum((row.metric or ZERO for row in revenue), ZERO)
    return Facts(
        revenue=earned,
        revenue_before=sum((row.metric or ZERO for row in former), ZERO),
        months=len({row.start_date for row in revenue}),
        customers=[(each.name or "?", each.share or ZERO) for each in customers],
        listed=sorted(set(listed(blacklist))),
        cash=list(by_month(cash)),
        unpaid=percent(due[-1].metric or ZERO, earned) if due else ZERO,
        is_often_late=bool(moratory and moratory.is_recurring),
        interest=(moratory.period_total if moratory else None) or ZERO,
    )


def listed(found: syntage.BlacklistSides | None) -> Iterator[tuple[str, str]]:
    """Give the counterparties on the list of article 69-B that were not cleared, each with its status."""
    sides = ((found.issued or ()), (found.received or ())) if found else ()
    for each in (row for side in sides for row in side):
        taxpayer = each.taxpayer
        if taxpayer and taxpayer.blacklist_status in ("presumed", "definitive"):
            yield taxpayer.rfc or "?", taxpayer.blacklist_status


def by_month(rows: Sequence[syntage.CashFlowRow]) -> Iterator[Decimal]:
    """Give what came in less what went out, month by month."""
    months = sorted({row.start_date for row in rows if row.start_date})
    for month in months:
        yield sum((row.metric or ZERO for row in rows if row.start_date == month), ZERO)


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """Give a share in percent; of nothing, none."""
    return (part * 100 / whole).quantize(Decimal("0.1")) if whole else ZERO


def judge(facts: Facts, policy: Policy) -> list[Finding]:
    """Compare what is known with the limits."""
    if not facts.revenue:
        return [
            Finding(mark=Mark.UNKNOWN, about="Revenue", reason="no sales are held: have the invoices extracted first")
        ]
    return [
        *_judge_revenue(facts, policy),
        *_judge_customers(facts, policy),
        _judge_blacklist(facts),
        _judge_cash(facts, policy),
        *_judge_payments(facts, policy),
    ]


def _finding(about: str, is_good: bool, reason: str, otherwise: Mark = Mark.REVIEW) -> Finding:
    return Finding(mark=Mark.GOOD if is_good else otherwise, about=about, reason=reason)


def _judge_revenue(facts: Facts, policy: Policy) -> Iterator[Finding]:
    least = f"{policy.least_revenue:,.0f}"
    reason = f"{facts.revenue:,.2f} MXN in twelve months (at least {least})"
    yield _finding("Revenue", facts.revenue >= policy.least_revenue, reason, Mark.DECLINE)
    reason = f"sales in {facts.months} of twelve months (at least {policy.least_months})"
    yield _finding("Regularity", facts.months >= policy.least_months, reason)
    if not facts.revenue_before:
        yield _finding("Trend", False, "nothing is held of the year before to compare with")
        return
    trend = percent(facts.revenue - facts.revenue_before, facts.revenue_before)
    reason = f"{trend:+} % on the year before (at worst {policy.worst_trend:+} %)"
    yield _finding("Trend", trend >= policy.worst_trend, reason)


def _judge_customers(facts: Facts, policy: Policy) -> Iterator[Finding]:
    name, share = facts.customers[0] if facts.customers else ("nobody", ZERO)
    reason = f"{name} is {share} % of sales (at most {policy.largest_customer} %)"
    yield _finding("Largest customer", share <= policy.largest_customer, reason)
    five = sum((each for _, each in facts.customers[:5]), ZERO)
    reason = f"the five largest of {len(facts.customers)} are {five} % of sales (at most {policy.largest_five} %)"
    yield _finding("Customers", five <= policy.largest_five, reason)


def _judge_blacklist(facts: Facts) -> Finding:
    if not facts.listed:
        return _finding("Blacklist", True, "no counterparty is on the list of article 69-B")
    is_definitive = any(status == "definitive" for _, status in facts.listed)
    named = ", ".join(f"{rfc} ({status})" for rfc, status in facts.listed)
    return _finding("Blacklist", False, f"deals with {named}", Mark.DECLINE if is_definitive else Mark.REVIEW)


def _judge_cash(facts: Facts, policy: Policy) -> Finding:
    red = sum(1 for each in facts.cash if each < 0)
    net = sum(facts.cash, ZERO)
    reason = f"{net:,.2f} MXN net (at least 0); {red} months in the red (at most {policy.months_in_the_red})"
    return _finding("Cash flow", net >= 0 and red <= policy.months_in_the_red, reason)


def _judge_payments(facts: Facts, policy: Policy) -> Iterator[Finding]:
    reason = f"{facts.unpaid} % of sales are unpaid (at most {policy.largest_unpaid} %)"
    yield _finding("Receivables", facts.unpaid <= policy.largest_unpaid, reason)
    often = "again and again" if facts.is_often_late else "not as a rule"
    reason = f"{facts.interest:,.2f} MXN of interest on arrears, {often}"
    yield _finding("Arrears", not facts.is_often_late, reason)


def decide(findings: Sequence[Finding]) -> Mark:
    """The worst finding decides."""
    return max(each.mark for each in findings)


def sheet(entity: str, today: date, findings: Sequence[Finding]) -> Iterator[str]:
    """Write the sheet, line by line."""
    mark, months = decide(findings), full_months(today, YEAR)
    yield f"Credit pre-qualification of {entity}"
    yield f"by the invoices of {months.from_:%Y-%m} to {months.to:%Y-%m} that Syntage holds"
    yield ""
    for each in findings:
        yield f"  {each.mark.name.lower():8} {each.about:17} {each.reason}"
    yield ""
    yield f"Decision: {DECISIONS[mark]}"
    for each in findings:
        if each.mark is mark and mark is not Mark.GOOD:
            yield f"  because of {each.about.lower()}: {each.reason}"


async def prequalify(session: Session, entity: str, today: date, policy: Policy | None = None) -> Mark:
    """Print the sheet of an entity; gives the decision."""
    findings = judge(await gather(session, entity, today), policy or Policy())
    print("\n".join(sheet(entity, today, findings)))
    return decide(findings)


async def main(entity: str) -> Mark:
    """Run with a session that the environment configures."""
    async with Session.from_env() as session:
        return await prequalify(session, entity, datetime.now(UTC).date())


def read_arguments() -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.credit_prequalification", description="Pre-qualify an entity for credit."
    )
    parser.add_argument("entity", metavar="ENTITY", help="an entity of Syntage: its id or IRI")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(read_arguments().entity)) is Mark.GOOD else 1)
