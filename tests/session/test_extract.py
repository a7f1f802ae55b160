"""`session.extract`: a plan carried out, whatever happens, and for each day paid once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import aclosing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from belvo_async import ConfigurationError, Session, TaskError
from belvo_async._session.extraction.progress import PlanOutcome
from belvo_async.planning import Freshness, Known, Plan, Prices
from tests.kept_sink import KeptSink
from tests.session.world import World

YEARS = {"first": date(2024, 1, 1), "last": date(2025, 12, 31)}


def belvo_plan(world: World, **changes: object) -> Plan:
    plain = {"vendor": "belvo", "resource": "invoices", "subjects": world.belvo.links[:2], **YEARS}
    return Plan(**plain | changes)  # type: ignore[arg-type]


def syntage_plan(world: World, **changes: object) -> Plan:
    plain = {"vendor": "syntage", "resource": "invoice", "subjects": world.syntage.entities[:2], **YEARS}
    return Plan(**plain | changes)  # type: ignore[arg-type]


async def carry_out(session: Session, plan: Plan, sink: KeptSink, **options: object) -> PlanOutcome:
    run = await session.extract(plan, into=sink, **options)  # type: ignore[arg-type]
    async for _ in run:
        pass
    return run.outcome


def held_by_belvo(world: World, plan: Plan) -> Counter[str]:
    rows = (row for link in plan.subjects for row in world.belvo.invoices(link, plan.first, plan.last))  # type: ignore[arg-type]
    return Counter(str(row["id"]) for row in rows)


async def test_a_plan_is_carried_out(world: World) -> None:
    """Every row that the vendor holds is written once, and every day is proven."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert held_by_belvo(world, plan) == Counter(row.id for row in sink.rows)
    assert (await session.coverage(plan)).is_whole
    # Two years, of which one has 366 days, in two directions.
    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))


async def test_syntage_is_asked_once_for_all_years_and_both_directions(world: World) -> None:
    """An extraction is charged whatever its period: one for each entity."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert 2 == len(world.sent("POST", "/extractions"))
    held = Counter(str(row["uuid"]) for entity in plan.subjects for row in world.syntage.invoices(entity))
    written = Counter(row.uuid for row in sink.rows)
    assert written
    assert written.items() <= held.items()
    within = [
        row
        for entity in plan.subjects
        for row in world.syntage.invoices(entity, {"period": {"from": "2024-01-01", "to": "2025-12-31"}})
    ]
    assert len(within) == len(sink.rows)


async def test_the_same_call_again_asks_for_nothing(world: World) -> None:
    """What is proven and written is neither paid for nor read nor written again."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    await carry_out(session, plan, sink)
    sent, commits = len(world.sent()), sink.commits

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert (sent, commits) == (len(world.sent()), sink.commits)


async def test_a_request_is_left_or_sent_and_never_both(world: World) -> None:
    """Whatever happens meanwhile: what was fired and what is left are all that the plan needs."""
    session, plan = await world.open(), belvo_plan(world)
    needs = (await session.estimate(plan)).to_fire

    run = await session.extract(plan, into=KeptSink())

    assert {needs} == {each.tally.fired + each.tally.left async for each in run}


async def test_another_sink_is_filled_without_paying(world: World) -> None:
    """The rows are read again for it; nothing is asked of the tax office."""
    session, plan = await world.open(), belvo_plan(world)
    await carry_out(session, plan, KeptSink())
    paid = len(world.sent("POST", "/api/invoices"))

    other = KeptSink("kept:2")
    outcome = await carry_out(session, plan, other)

    assert outcome.is_whole
    assert held_by_belvo(world, plan) == Counter(row.id for row in other.rows)
    assert paid == len(world.sent("POST", "/api/invoices"))


@pytest.mark.parametrize("events", [1, 4, 9, 20])
async def test_a_run_that_was_broken_off_goes_on(world: World, events: int) -> None:
    """Wherever it was left: no request is sent twice, no row is written twice, the end is the same."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    async with aclosing(aiter(await session.extract(plan, into=sink))) as run:
        for _ in range(events):
            await anext(run)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert held_by_belvo(world, plan) == Counter(row.id for row in sink.rows)
    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))


async def test_two_runs_at_once_pay_once(world: World) -> None:
    """Two that carry out the same plan ask for the same pieces, and join each other's jobs."""
    session, plan = await world.open(), belvo_plan(world)
    one, other = KeptSink("kept:1"), KeptSink("kept:2")

    outcomes = await asyncio.gather(carry_out(session, plan, one), carry_out(session, plan, other))

    assert all(each.is_whole for each in outcomes)
    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))
    assert Counter(row.id for row in one.rows) == Counter(row.id for row in other.rows)


async def test_only_what_is_missing_is_asked(world: World) -> None:
    """A longer plan pays for the days that a shorter one did not want."""
    session, sink = await world.open(), KeptSink()
    await carry_out(session, belvo_plan(world, first=date(2024, 1, 1), last=date(2024, 6, 30)), sink)
    paid = len(world.sent("POST", "/api/invoices"))

    longer = belvo_plan(world, first=date(2024, 1, 1), last=date(2024, 12, 31))
    outcome = await carry_out(session, longer, sink)

    assert outcome.is_whole
    asked = [json.loads(request.body) for request in world.sent("POST", "/api/invoices")[paid:]]
    assert {("2024-07-01", "2024-12-31")} == {(each["date_from"], each["date_to"]) for each in asked}
    assert held_by_belvo(world, longer) == Counter(row.id for row in sink.rows)


async def test_days_that_are_asked_again_are_written_once(world: World) -> None:
    """A newer answer for some days takes them over: the older part gives its rows of them up."""
    session, sink = await world.open(), KeptSink()
    year = belvo_plan(world, first=date(2025, 1, 1), last=date(2025, 12, 31))
    await carry_out(session, year, sink)
    await asyncio.sleep(timedelta(hours=30).total_seconds())

    week = belvo_plan(world, first=date(2025, 12, 1), last=date(2025, 12, 31))
    await carry_out(session, week, sink, freshness=Freshness(max_age=timedelta(days=1)))
    await carry_out(session, year, sink)

    assert held_by_belvo(world, year) == Counter(row.id for row in sink.rows)


async def test_what_may_pass_is_tried_again(world: World) -> None:
    """A failure that the vendor calls retryable cools down, and is asked again."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)
    world.syntage.next_job(outcome="failed", error_code="login_failed")

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert 1 == outcome.tally.failed
    assert 3 == len(world.sent("POST", "/extractions"))


async def test_what_may_not_pass_is_for_a_person(world: World) -> None:
    """A wrong credential is not tried again by itself; with `retry` it is."""
    session, sink, plan = await world.open(), KeptSink(), syntage_plan(world)
    world.syntage.next_job(outcome="failed", error_code="invalid_credentials")

    outcome = await carry_out(session, plan, sink)
    again = await carry_out(session, plan, sink)
    mended = await carry_out(session, plan, sink, retry=True)

    assert not outcome.is_whole
    assert {"invalid_credentials"} == {cell.code for cell in outcome.refused}
    assert outcome.refused == again.refused
    assert mended.is_whole
    assert 3 == len(world.sent("POST", "/extractions"))


async def test_a_cap_stops_before_the_request_that_would_pass_it(world: World) -> None:
    """Nothing is sent that would make the plan cost more, over all its runs."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    prices = Prices.from_toml("belvo = 10")

    for _ in range(2):
        outcome = await carry_out(session, plan, sink, prices=prices, max_cost=Decimal(55))

    assert outcome.is_capped
    assert not outcome.is_whole
    assert 5 == len(world.sent("POST", "/api/invoices"))
    assert Decimal(50) == outcome.tally.spent.high


async def test_the_price_is_told_before(world: World) -> None:
    """An estimate sends nothing, and says what the run then needs."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    prices = Prices.from_toml("belvo = { low = 1, high = 2 }")

    before = await session.estimate(plan, prices=prices)
    assert not world.sent()
    await carry_out(session, plan, sink)
    after = await session.estimate(plan, prices=prices)

    assert (12, 12, 0) == (before.requests, before.to_fire, before.reused)
    assert (Decimal(12), Decimal(24)) == (before.price.low, before.price.high)
    assert (12, 0, 12) == (after.requests, after.to_fire, after.reused)


@pytest.mark.parametrize("tags", [{"a b": "x"}, {"tenant": 7}, ["tenant"]], ids=["name", "value", "shape"])
async def test_tags_that_cannot_be_kept_are_refused(world: World, tmp_path: Path, tags: Any) -> None:
    """As `fire` refuses them, before the plan is looked at or anything is written."""
    session, out = await world.open(), tmp_path / "out"

    with pytest.raises(TaskError) as refused:
        await session.extract(belvo_plan(world, resource="dreams"), into=f"ndjson:{out}", tags=tags)

    assert "tags" == refused.value.field
    assert not out.exists()
    assert not world.sent()


async def test_bad_plans_are_refused_before_a_byte_is_sent(world: World) -> None:
    """Whatever does not fit is named."""
    session = await world.open()

    for changes, field in (
        ({"vendor": "bancomer"}, "vendor"),
        ({"resource": "dreams"}, "resource"),
        ({"subjects": ["no link!"]}, "subjects"),
        ({"last": date(2099, 1, 1)}, "last"),
        ({"directions": ["sideways"]}, "directions"),
        ({"options": ["pdf"]}, "options"),
    ):
        with pytest.raises(TaskError) as caught:
            await session.extract(belvo_plan(world, **changes), into=KeptSink())
        assert field == caught.value.field
    with pytest.raises(ConfigurationError, match="price"):
        await session.extract(belvo_plan(world), into=KeptSink(), max_cost=Decimal(5))

    assert not world.sent()


async def test_coverage_has_the_axis_of_the_plan(world: World) -> None:
    """What nobody asked for is said so."""
    session, sink = await world.open(), KeptSink()
    await carry_out(session, belvo_plan(world, first=date(2024, 3, 1), last=date(2024, 3, 31)), sink)

    coverage = await session.coverage(belvo_plan(world, first=date(2024, 1, 1), last=date(2024, 12, 31)))

    assert {Known.PROVEN: 4 * 31, Known.NEVER_ASKED: 4 * 335} == {
        known: days for known, days in coverage.days().items() if days
    }


async def test_a_run_longer_than_its_freshness_ends(world: World) -> None:
    """How new an answer must be is settled when the run begins: what it asked for itself is new enough."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)

    outcome = await carry_out(session, plan, sink, freshness=Freshness(max_age=timedelta(seconds=10)))

    assert outcome.is_whole
    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))
