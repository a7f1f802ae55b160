"""Pre-qualify an entity for credit by Syntage's insights: a sheet with a decision and its reasons.

    export SYNTAGE_API_KEY=...
    python -m examples.credit_prequalification /entities/91106968-1abd-4d64-85c1-4e73d96fb997

Nothing is extracted for it: insights are computed of what Syntage holds, so have the invoices of two years, the annual
returns and the opinion of compliance extracted first. The limits are examples; a lender has its own. Exit code 0 says
qualified, 1 another decision: the sheet tells which, and why. 3: there is no sheet, since Syntage could not be asked;
why is on stderr.
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

from belvo_async import BelvoAsyncError, Session, syntage

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
    most_cancelled: Decimal = Decimal(15)
    most_foreign: Decimal = Decimal(30)
    most_cash: Decimal = Decimal(20)
    least_current_ratio: Decimal = Decimal(1)
    largest_debt_ratio: Decimal = Decimal("0.8")
    least_return_on_sales: Decimal = Decimal(0)
    least_score: Decimal = Decimal(500)


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
    standing: Standing
    ratios: Ratios | None
    scores: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the risk indicators say: the SAT's opinion, the own stage on its list, and shares in percent."""

    opinion: str | None
    listed_as: str | None
    cancelled: Decimal
    foreign: Decimal
    cash: Decimal


@dataclass(frozen=True, kw_only=True)
class Ratios:
    """What the last annual return comes to."""

    year: int
    current: Decimal | None
    debt: Decimal | None
    return_on_sales: Decimal | None


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
        standing=await gather_standing(session, entity, now.first),
        ratios=newest_ratios((await session.call(syntage.GetFinancialRatios(entity=entity))).data),
        scores=[
            (each.source or "?", each.score or "")
            for each in (await session.call(syntage.GetScores(entity=entity))).scores or ()
        ],
    )


async def gather_standing(session: Session, entity: str, since: datetime) -> Standing:
    """Ask for the risk indicators; what is not told is no risk that is known."""
    risks = (await session.call(syntage.GetRisks(entity=entity, since=since))).data or syntage.RiskIndicators()
    return Standing(
        opinion=risks.tax_compliance.value if risks.tax_compliance else None,
        listed_as=risks.blacklist_status.value if risks.blacklist_status else None,
        cancelled=in_percent(risks.canceled_issued_invoices),
        foreign=in_percent(risks.foreign_exchange_risk),
        cash=in_percent(risks.cash_transaction_risk),
    )


def in_percent(risk: syntage.ShareRisk | None) -> Decimal:
    """Give a part of one in percent."""
    return percent((risk.value if risk else None) or ZERO, Decimal(1))


def newest_ratios(found: syntage.FinancialRatioGroups | None) -> Ratios | None:
    """Give the ratios of the last year there is; None without an annual return."""
    if not (found and found.leverage and found.leverage.solvency and found.liquidity and found.profitability):
        return None
    year = max(found.leverage.solvency)
    return Ratios(
        year=year,
        current=(found.liquidity.current_ratio or {}).get(year),
        debt=(found.leverage.total_debt_ratio or {}).get(year),
        return_on_sales=(found.profitability.return_on_sales or {}).get(year),
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
        *_judge_standing(facts.standing, policy),
        *_judge_ratios(facts.ratios, policy),
        *_judge_scores(facts.scores, policy),
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


def _judge_standing(standing: Standing, policy: Policy) -> Iterator[Finding]:
    opinion = standing.opinion
    reason = f"the SAT's opinion is {opinion}" if opinion else "no opinion of the SAT is held: have it extracted"
    yield _finding("Compliance", opinion == "positive", reason, Mark.DECLINE if opinion else Mark.REVIEW)
    stage = standing.listed_as
    reason = f"on the list of article 69-B as {stage}" if stage else "not on the list of article 69-B"
    yield _finding("Own standing", not stage, reason, Mark.DECLINE if stage == "definitive" else Mark.REVIEW)
    for about, share, most, what in (
        ("Cancellations", standing.cancelled, policy.most_cancelled, "of the invoices issued were cancelled"),
        ("Currencies", standing.foreign, policy.most_foreign, "is in foreign currencies"),
        ("Cash", standing.cash, policy.most_cash, "was paid in cash"),
    ):
        yield _finding(about, share <= most, f"{share} % {what} (at most {most} %)")


def _judge_ratios(ratios: Ratios | None, policy: Policy) -> Iterator[Finding]:
    if ratios is None:
        yield _finding("Statements", False, "no annual return is held: have the returns extracted")
        return
    current, debt, margin = ratios.current, ratios.debt, ratios.return_on_sales
    least, most, worst = policy.least_current_ratio, policy.largest_debt_ratio, policy.least_return_on_sales
    reason = f"current ratio {_shown(current)} in {ratios.year} (at least {least})"
    yield _finding("Liquidity", current is None or current >= least, reason)
    reason = f"debts are {_shown(debt)} of what is owned (at most {most})"
    yield _finding("Debt", debt is not None and debt <= most, reason)
    reason = f"{_shown(margin)} of sales are profit (at least {worst})"
    yield _finding("Profit", margin is not None and margin >= worst, reason)


def _shown(ratio: Decimal | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.2f}"


def _judge_scores(scores: Sequence[tuple[str, str]], policy: Policy) -> Iterator[Finding]:
    """Judge the scores there are; whoever rates by letters is left to a person."""
    for source, score in scores:
        is_number = score.isdecimal()
        reason = f"{score} by {source}" + (f" (at least {policy.least_score})" if is_number else ", which is no number")
        yield _finding("Score", is_number and Decimal(score) >= policy.least_score, reason)


def decide(findings: Sequence[Finding]) -> Mark:
    """The worst finding decides."""
    return max(each.mark for each in findings)


def sheet(entity: str, today: date, findings: Sequence[Finding]) -> Iterator[str]:
    """Write the sheet, line by line."""
    mark, months = decide(findings), full_months(today, YEAR)
    yield f"Credit pre-qualification of {entity}"
    yield f"by the invoices of {months.from_:%Y-%m} to {months.to:%Y-%m} and the returns that Syntage holds"
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
    try:
        sys.exit(0 if asyncio.run(main(read_arguments().entity)) is Mark.GOOD else 1)
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
