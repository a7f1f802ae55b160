"""The credit pre-qualification, as it is, against the simulator; and its judgement, case by case."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from belvo_async import Session, syntage
from examples.credit_prequalification import (
    Facts,
    Mark,
    Policy,
    Ratios,
    Standing,
    decide,
    full_months,
    gather,
    judge,
    prequalify,
    sheet,
)
from tests.session.world import World

TODAY = date(2026, 6, 1)
RATIOS = Ratios(year=2025, current=Decimal("1.2"), debt=Decimal("0.4"), return_on_sales=Decimal("0.1"))
SOUND = Facts(
    revenue=Decimal(5_000_000),
    revenue_before=Decimal(4_000_000),
    months=12,
    customers=[("A", Decimal(20)), ("B", Decimal(10))],
    listed=(),
    cash=[Decimal(1)] * 12,
    unpaid=Decimal("12.5"),
    is_often_late=False,
    interest=Decimal(0),
    standing=Standing(opinion="positive", listed_as=None, cancelled=Decimal(5), foreign=Decimal(3), cash=Decimal(4)),
    ratios=RATIOS,
    scores=[("syntage", "620")],
)


async def extracted(world: World) -> tuple[Session, str]:
    """A session, and an entity of which two years and a half are held."""
    session, entity = await world.open(), world.syntage.entities[0]
    period = syntage.Period(date(2024, 1, 1), date(2026, 5, 31))
    await (await session.fire(syntage.Extraction(entity, "invoice", syntage.InvoiceOptions(period=period))))
    return session, entity


async def test_a_sheet_says_what_the_invoices_say(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Sums are those of the invoices held; each line has its reason, and the decision has them too."""
    session, entity = await extracted(world)

    facts = await gather(session, entity, TODAY)
    mark = await prequalify(session, entity, TODAY)

    months = full_months(TODAY, 12)
    sales = [
        each
        async for each in session.list(syntage.Invoices(entity=entity, type="I", status="VIGENTE"))
        if each.is_issuer and each.issued_at and months.first <= each.issued_at <= months.last
    ]
    assert facts.revenue == sum((each.total or 0) * (each.exchange_rate or 1) for each in sales)
    assert len({each.receiver.rfc for each in sales if each.receiver}) == len(facts.customers)
    assert 10 <= len(facts.cash) <= 12
    printed = capsys.readouterr().out
    assert "by the invoices of 2025-06 to 2026-05" in printed
    assert "no opinion of the SAT is held" in printed
    assert "no annual return is held" in printed
    assert f"{facts.revenue:,.2f} MXN in twelve months" in printed
    assert all(word in printed for word in ("Trend", "Blacklist", "Cash flow", "Receivables", "Arrears", "Decision: "))
    assert mark in (Mark.GOOD, Mark.REVIEW)


async def test_a_sheet_says_what_returns_and_the_sat_say(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Once they are extracted: ratios of the last year, the opinion of compliance."""
    session, entity = await extracted(world)
    period = syntage.Period(date(2025, 1, 1), date(2026, 5, 31))
    world.syntage.alter("compliant", world.syntage.rfc_of(entity))
    for extractor, options in (
        ("annual_tax_return", syntage.TaxReturnOptions(period=period)),
        ("tax_compliance", None),
    ):
        await (await session.fire(syntage.Extraction(entity, extractor, options)))

    await session.call(syntage.CalculateSyntageScore(entity=entity))
    await asyncio.sleep(60)

    facts = await gather(session, entity, TODAY)
    await prequalify(session, entity, TODAY)

    found = (await session.call(syntage.GetFinancialRatios(entity=entity))).data
    assert found is not None
    assert found.liquidity is not None
    assert facts.ratios is not None
    assert (2025, (found.liquidity.current_ratio or {})[2025]) == (facts.ratios.year, facts.ratios.current)
    assert ("positive", None) == (facts.standing.opinion, facts.standing.listed_as)
    ((source, score),) = facts.scores
    printed = capsys.readouterr().out
    assert f"{score} by {source} (at least 500)" in printed
    assert f"current ratio {facts.ratios.current:.2f} in 2025" in printed
    assert all(word in printed for word in ("Debt", "Profit", "Cancellations", "Currencies", "Cash", "Own standing"))


async def test_who_deals_with_the_blacklisted_is_declined(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """With the RFC and its status as the reason."""
    held: Any = world.syntage.invoices(world.syntage.entities[0])[0]
    rfc = held["receiver" if held["isIssuer"] else "issuer"]["rfc"]
    world.syntage.alter("definitive", rfc)
    session, entity = await extracted(world)

    assert Mark.DECLINE is await prequalify(session, entity, TODAY)
    assert f"because of blacklist: deals with {rfc} (definitive)" in capsys.readouterr().out


async def test_of_an_entity_without_invoices_nothing_is_known(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """That is no refusal."""
    session = await world.open()

    assert Mark.UNKNOWN is await prequalify(session, world.syntage.entities[1], TODAY)
    assert "have the invoices extracted first" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "about", "mark"),
    [
        ({}, None, Mark.GOOD),
        ({"revenue": Decimal(900_000), "revenue_before": Decimal(900_000)}, "Revenue", Mark.DECLINE),
        ({"revenue": Decimal(0)}, "Revenue", Mark.UNKNOWN),
        ({"revenue_before": Decimal(9_000_000)}, "Trend", Mark.REVIEW),
        ({"revenue_before": Decimal(0)}, "Trend", Mark.REVIEW),
        ({"months": 8}, "Regularity", Mark.REVIEW),
        ({"customers": [("A", Decimal("30.01"))]}, "Largest customer", Mark.REVIEW),
        ({"customers": [("A", Decimal(15))] * 6}, "Customers", Mark.REVIEW),
        ({"listed": [("XAA010101AAA", "presumed")]}, "Blacklist", Mark.REVIEW),
        ({"listed": [("XAA010101AAA", "definitive")]}, "Blacklist", Mark.DECLINE),
        ({"cash": [Decimal(-1), Decimal("0.99")]}, "Cash flow", Mark.REVIEW),
        ({"cash": [Decimal(-1)] * 7 + [Decimal(9)]}, "Cash flow", Mark.REVIEW),
        ({"unpaid": Decimal(41)}, "Receivables", Mark.REVIEW),
        ({"is_often_late": True}, "Arrears", Mark.REVIEW),
        ({"standing": replace(SOUND.standing, opinion="negative")}, "Compliance", Mark.DECLINE),
        ({"standing": replace(SOUND.standing, opinion=None)}, "Compliance", Mark.REVIEW),
        ({"standing": replace(SOUND.standing, listed_as="presumed")}, "Own standing", Mark.REVIEW),
        ({"standing": replace(SOUND.standing, listed_as="definitive")}, "Own standing", Mark.DECLINE),
        ({"standing": replace(SOUND.standing, cancelled=Decimal("15.1"))}, "Cancellations", Mark.REVIEW),
        ({"standing": replace(SOUND.standing, foreign=Decimal("30.1"))}, "Currencies", Mark.REVIEW),
        ({"standing": replace(SOUND.standing, cash=Decimal("20.1"))}, "Cash", Mark.REVIEW),
        ({"ratios": None}, "Statements", Mark.REVIEW),
        ({"ratios": replace(RATIOS, current=Decimal("0.99"))}, "Liquidity", Mark.REVIEW),
        ({"ratios": replace(RATIOS, current=None)}, None, Mark.GOOD),
        ({"ratios": replace(RATIOS, debt=Decimal("0.81"))}, "Debt", Mark.REVIEW),
        ({"ratios": replace(RATIOS, debt=None)}, "Debt", Mark.REVIEW),
        ({"ratios": replace(RATIOS, return_on_sales=Decimal("-0.01"))}, "Profit", Mark.REVIEW),
        ({"scores": [("syntage", "499")]}, "Score", Mark.REVIEW),
        ({"scores": [("other", "A-")]}, "Score", Mark.REVIEW),
        ({"scores": []}, None, Mark.GOOD),
    ],
)
def test_each_limit_decides_alone(change: dict[str, Any], about: str | None, mark: Mark) -> None:
    """One finding past its limit is the reason; all others stay good."""
    findings = judge(replace(SOUND, **change), Policy())

    assert [about] * (about is not None) == [each.about for each in findings if each.mark is not Mark.GOOD]
    assert mark is decide(findings)
    reasons = [line for line in sheet("X", TODAY, findings) if "because of" in line]
    assert (0 if mark is Mark.GOOD else 1) == len(reasons)


def test_months_are_full_and_follow_each_other() -> None:
    """Across years."""
    assert syntage.Period(date(2025, 6, 1), date(2026, 5, 31)) == full_months(TODAY, 12)
    assert syntage.Period(date(2024, 6, 1), date(2025, 5, 31)) == full_months(TODAY, 12, ending=12)
