"""`session.extract(waits=False)`: a plan carried out in short turns, none of which waits for a job."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from belvo_async import Session
from belvo_async._session.extraction.progress import PlanOutcome
from belvo_async.planning import Freshness, Plan, Prices
from tests.kept_sink import KeptSink
from tests.session.test_extract import belvo_plan, carry_out, held_by_belvo, syntage_plan
from tests.session.world import World

TURNS_LIMIT = 3_000


async def take_turns(world: World, session: Session, plan: Plan, sink: KeptSink, **options: Any) -> list[PlanOutcome]:
    """One turn a minute until nothing is left."""
    outcomes: list[PlanOutcome] = []
    as_of = world.clock.now()
    while not (outcomes and outcomes[-1].is_over):
        assert len(outcomes) < TURNS_LIMIT, outcomes[-1]
        outcomes.append(await carry_out(session, plan, sink, waits=False, as_of=as_of, **options))
        await asyncio.sleep(60)
    return outcomes


async def test_no_turn_waits_for_a_job(world: World) -> None:
    """It says which jobs go on, and when to look again should no end be told."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)
    for entity in plan.subjects:
        world.syntage.next_job(entity=entity, duration=timedelta(hours=1))
    began = world.clock.now()

    outcome = await carry_out(session, plan, sink, waits=False)

    assert world.clock.now() - began < timedelta(seconds=10)
    assert 2 == len(outcome.going_on)
    assert not outcome.is_over
    assert outcome.look_at is not None
    assert timedelta(hours=5) < outcome.look_at - began <= timedelta(hours=6, minutes=1)
    assert not sink.rows


async def test_turns_come_to_what_one_run_comes_to(world: World) -> None:
    """Every row is written once, and nothing is asked for that one run would not have asked for."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)

    outcomes = await take_turns(world, session, plan, sink)

    assert outcomes[-1].is_whole
    assert held_by_belvo(world, plan) == Counter(row.id for row in sink.rows)
    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))


async def test_the_parts_of_a_link_are_still_read_by_one_list(world: World) -> None:
    """Rows that may wait for those of the next job do: requests are what Belvo counts."""
    session, sink = await world.open(), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1])

    outcomes = await take_turns(world, session, plan, sink)

    writing = [each for each in outcomes if each.tally.parts]
    assert 1 == len(writing)
    assert 6 == writing[0].tally.parts


async def test_two_turns_at_once_pay_once(world: World) -> None:
    """They join each other's jobs, and each row is in the sink once."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)

    await asyncio.gather(*(take_turns(world, session, plan, sink) for _ in range(3)))

    assert 2 == len(world.sent("POST", "/extractions"))
    assert len({row.uuid for row in sink.rows}) == len(sink.rows)


async def test_turns_keep_to_a_cap(world: World) -> None:
    """What earlier turns paid counts."""
    session, plan = await world.open(), belvo_plan(world)

    outcomes = await take_turns(
        world, session, plan, KeptSink(), prices=Prices.from_toml("belvo = 10"), max_cost=Decimal(55)
    )

    assert outcomes[-1].is_capped
    assert 5 == len(world.sent("POST", "/api/invoices"))


async def test_a_pause_lasts_over_turns(world: World) -> None:
    """A turn learns from the jobs that an institution is down; one request shows whether it is back."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities)
    for entity in plan.subjects * 2:
        world.syntage.next_job(entity=entity, outcome="failed", error_code="sat_unavailable")

    outcomes = await take_turns(world, session, plan, sink)

    assert outcomes[-1].is_whole
    later = [each.tally.fired for each in outcomes[1:] if each.tally.fired]
    assert 1 == later[0]
    assert 3 * len(plan.subjects) == len(world.sent("POST", "/extractions"))


@pytest.mark.proof
async def test_what_sat_cuts_short_is_looked_at_when_its_limit_has_passed(world: World) -> None:
    """Nothing is under way until then; the turn after it asks for both halves."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml"])
    world.syntage.next_job(outcome="rate_limited")

    outcomes = await take_turns(world, session, plan, sink)

    assert outcomes[-1].is_whole
    assert 3 == len(world.sent("POST", "/extractions"))
    waiting = [each for each in outcomes if not each.going_on and each.look_at is not None]
    assert {each.retry_at for each in waiting} == {each.look_at for each in waiting}


async def test_retry_asks_once_for_what_a_person_decided(world: World) -> None:
    """What fails anew in a later turn is for a person again."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1])
    for _ in range(2):
        world.syntage.next_job(outcome="failed", error_code="invalid_credentials")
    await take_turns(world, session, plan, sink)

    outcomes = await take_turns(world, session, plan, sink, retry=True)

    assert outcomes[-1].refused
    assert 2 == len(world.sent("POST", "/extractions"))


@pytest.mark.proof
async def test_freshness_counts_from_the_first_turn(world: World) -> None:
    """What was answered since is fresh enough, however long the turns go on."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)
    await take_turns(world, session, plan, sink)
    await asyncio.sleep(timedelta(days=2).total_seconds())
    for entity in plan.subjects:
        world.syntage.next_job(entity=entity, duration=timedelta(hours=2))

    outcomes = await take_turns(world, session, plan, sink, freshness=Freshness(max_age=timedelta(hours=1)))

    assert outcomes[-1].is_whole
    assert 4 == len(world.sent("POST", "/extractions"))


@pytest.mark.parametrize("count", [1, 3])
async def test_rows_that_break_off_are_left_to_the_next_turn(world: World, count: int) -> None:
    """No turn waits until a vendor can be read again."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)
    world.syntage.next_answer("cut_body", method="GET", path="/invoices*", count=count * 8)

    outcomes = await take_turns(world, session, plan, sink)

    assert outcomes[-1].is_whole
    assert len({row.uuid for row in sink.rows}) == len(sink.rows)
