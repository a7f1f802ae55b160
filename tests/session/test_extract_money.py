"""What a run says it paid, and the cap that it keeps to: whoever else fires the same."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal

from belvo_async import belvo
from belvo_async.planning import Prices
from tests.kept_sink import KeptSink
from tests.session.test_extract import belvo_plan, carry_out, syntage_plan
from tests.session.world import World

PRICES = Prices.from_toml("belvo = 10")


async def test_of_two_runs_at_once_each_request_is_fired_by_one(world: World) -> None:
    """The other one waits for it, whoever was first at the same instant; both know what the plan cost."""
    session, plan = await world.open(), belvo_plan(world)

    one, other = await asyncio.gather(
        *(carry_out(session, plan, KeptSink(f"kept:{place}"), prices=PRICES) for place in range(2))
    )

    assert 12 == len(world.sent("POST", "/api/invoices"))
    assert 12 == one.tally.fired + other.tally.fired
    assert Decimal(120) == one.tally.spent.high == other.tally.spent.high


async def test_two_runs_at_once_keep_to_one_cap(world: World) -> None:
    """What one sends counts for the other, which joins it."""
    session, plan = await world.open(), belvo_plan(world)
    terms = {"prices": PRICES, "max_cost": Decimal(55)}

    outcomes = await asyncio.gather(
        *(carry_out(session, plan, KeptSink(f"kept:{place}"), **terms) for place in range(2))
    )

    assert all(each.is_capped for each in outcomes)
    assert 5 == len(world.sent("POST", "/api/invoices"))


async def test_what_the_plan_never_paid_is_not_given_back(world: World) -> None:
    """A request of somebody else's that the vendor refuses costs the plan nothing, and saves it nothing."""
    session, link = await world.open(), world.belvo.links[0]
    plan = belvo_plan(world, subjects=[link], directions=["issued"], first=date(2025, 1, 1), last=date(2025, 6, 30))
    await session.fire(world.invoices(date_from=date(2021, 1, 1), date_to=date(2021, 12, 31)))
    queued = await session.fire(
        belvo.Invoices(link=link, date_from=date(2025, 1, 1), date_to=date(2025, 6, 30), type="OUTFLOW")
    )
    world.belvo.next_answer("unsupported_operation", method="POST", path="/api/invoices*")

    outcome = await carry_out(session, plan, KeptSink(), prices=PRICES, max_cost=Decimal(10))

    assert "rejected" == queued.status
    assert Decimal(0) == outcome.tally.spent.high


async def test_what_another_run_came_to_meanwhile_is_known(world: World) -> None:
    """A run that is long on its way does not pay for days that others asked for in other pieces."""
    session = await world.open()
    first, *_, last = world.syntage.entities
    world.syntage.next_job(entity=first, duration=timedelta(hours=2))
    world.syntage.next_job(entity=last, outcome="failed", error_code="unrecoverable")
    long = asyncio.create_task(
        carry_out(session, syntage_plan(world, subjects=[first, last]), KeptSink(), concurrency=1)
    )
    await asyncio.sleep(60)

    other = await carry_out(session, syntage_plan(world, subjects=[last]), KeptSink("kept:2"))
    outcome = await long

    assert other.is_whole
    assert outcome.is_whole
    # One that failed, and its two halves.
    assert 1 + 3 == len(world.sent("POST", "/extractions"))
