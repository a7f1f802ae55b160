"""`session.extract` where vendors, links and networks fail: failures are data, and cost no more than they must."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async import AuthenticationError, Session, StoreError
from belvo_async._session.extraction.handed import RECEIPT
from belvo_async.jobs import PROOF
from belvo_async.planning import Known, Plan, outages
from tests.kept_sink import KeptSink
from tests.session.test_extract import belvo_plan, carry_out, held_by_belvo, syntage_plan
from tests.session.world import World


async def events_of(session: Session, plan: Plan, sink: KeptSink, **options: Any) -> list[str]:
    return [str(each.event) async for each in await session.extract(plan, into=sink, **options)]


async def test_what_sat_cuts_short_is_asked_again_in_halves(world: World) -> None:
    """A run that met the tax office's limit is partial until the limit has passed; then each half is asked for."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml"])
    world.syntage.next_job(outcome="rate_limited")

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert 3 == len(world.sent("POST", "/extractions"))
    assert len({row.uuid for row in sink.rows}) == len(sink.rows)


async def test_a_run_may_end_and_leave_the_rest_to_tomorrow(world: World) -> None:
    """With `patience` zero it says from when on the rest may be had, and the same call goes on then."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml"])
    world.syntage.next_job(outcome="rate_limited")

    today = await carry_out(session, plan, sink, patience=timedelta(0))
    at_once = await carry_out(session, plan, sink, patience=timedelta(0))
    tomorrow = await carry_out(session, plan, sink)

    assert not today.is_whole
    assert 2 == today.later == at_once.later
    assert today.retry_at is not None
    assert today.retry_at > world.clock.now() - timedelta(days=2)
    assert tomorrow.is_whole


async def test_an_institution_that_is_down_is_left_alone(world: World) -> None:
    """After three links failed by it nothing is sent for a while, and then one request shows whether it is back."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities, first=date(2025, 1, 1), last=date(2025, 12, 31))
    for entity in plan.subjects:
        world.syntage.next_job(entity=entity, outcome="failed", error_code="sat_unavailable")

    events = await events_of(session, plan, sink)

    assert 1 == events.count("paused")
    assert (await session.coverage(plan)).is_whole
    assert 2 * len(plan.subjects) == len(world.sent("POST", "/extractions"))


async def test_a_pause_ends_beside_a_job_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent before the pause says nothing of it for hours; one request shows whether it is over."""
    monkeypatch.setattr(outages, "OUTAGE_SIGNS", 2)
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities)
    hanging, *others = plan.subjects
    world.syntage.next_job(entity=hanging, outcome="stuck")
    for entity in others:
        world.syntage.next_job(entity=entity, outcome="failed", error_code="sat_unavailable")
    began = world.clock.now()

    ended = [each.at - began async for each in await session.extract(plan, into=sink) if each.event == "written"]

    assert 2 == len(ended)
    assert max(ended) < timedelta(hours=2)


async def test_three_refused_requests_stop_a_link(world: World) -> None:
    """Six would turn it invalid; the other links go on."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    world.belvo.invalidate_link(plan.subjects[0])

    outcome = await carry_out(session, plan, sink)

    assert not outcome.is_whole
    assert plan.subjects[0] in {cell.subject for cell in outcome.refused}
    assert {plan.subjects[0]} == {cell.subject for cell in outcome.refused}
    whole = {cell.subject for cell in (await session.coverage(plan)).cells if cell.known is Known.PROVEN}
    assert {plan.subjects[1]} == whole


async def test_a_key_that_is_refused_ends_the_run(world: World) -> None:
    """No further request would pass."""
    vendor = world.syntage_vendor()
    session, sink, plan = await world.open(vendor), KeptSink(), syntage_plan(world)
    world.syntage.next_answer("unauthorized", count=5)

    with pytest.raises(AuthenticationError):
        await carry_out(session, plan, sink)


async def test_rows_that_break_off_are_read_again(world: World) -> None:
    """A part is whole or absent, however often its pages break off."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    world.belvo.next_answer("cut_body", method="GET", path="/api/invoices*", count=12)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert held_by_belvo(world, plan) == Counter(row.id for row in sink.rows)


async def test_without_webhooks_the_plan_is_whole_as_well(world: World) -> None:
    """Polls tell the ends of extractions."""
    session, sink, plan = await world.open(webhooks=False), KeptSink(), syntage_plan(world)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole


async def test_inferred_ends_are_never_called_proven(world: World) -> None:
    """Belvo publishes no status: what is inferred is marked, written, and not paid for again."""
    vendor = world.belvo_vendor(webhook_authorization=None)
    session, sink = await world.open(vendor, webhooks=False), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1], first=date(2025, 1, 1), last=date(2025, 6, 30))

    outcome = await carry_out(session, plan, sink)
    again = await carry_out(session, plan, sink)

    assert not outcome.is_whole
    assert {"inferred"} == {cell.code for cell in outcome.refused}
    assert held_by_belvo(world, plan) == Counter(row.id for row in sink.rows)
    assert 2 == len(world.sent("POST", "/api/invoices"))
    assert outcome.days == again.days


async def test_a_job_that_was_forgotten_still_proves(world: World) -> None:
    """Pruning a job keeps what it proved."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    await carry_out(session, plan, sink)
    for job_id in list(sink.parts):
        await session.forget(job_id)

    outcome = await carry_out(session, plan, sink)

    assert outcome.is_whole
    assert 12 == len(world.sent("POST", "/api/invoices"))


@pytest.mark.parametrize("kind", [PROOF, RECEIPT])
async def test_what_is_kept_and_cannot_be_read_ends_the_run(world: World, kind: str) -> None:
    """A newer release may have kept it: nothing is paid for again, and its content is not repeated."""
    session, sink, plan = await world.open(), KeptSink(), belvo_plan(world)
    await carry_out(session, plan, sink)
    for job_id in list(sink.parts):
        await session.forget(job_id)
    kept = [entry async for entry in session.store.entries(kind)]
    await session.store.enter([replace(kept[0], document=b'{"RFC of somebody": 1}')])
    sent = len(world.sent("POST", "/api/invoices"))

    with pytest.raises(StoreError, match=f"a stored {kind} cannot be read") as raised:
        await carry_out(session, plan, sink)

    assert "RFC" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert sent == len(world.sent("POST", "/api/invoices"))


async def test_a_failure_that_nobody_tells_does_not_stop_its_link(world: World) -> None:
    """Belvo has no webhook for it: the rest of the link is asked for, and shows that the request brought nothing."""
    session, sink = await world.open(), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1])
    address, world.belvo.webhook_url = world.belvo.webhook_url, None
    world.belvo.next_job(outcome="failed")
    running = asyncio.create_task(carry_out(session, plan, sink))
    await asyncio.sleep(timedelta(minutes=5).total_seconds())
    world.belvo.webhook_url = address

    outcome = await running
    again = await carry_out(session, plan, sink)
    mended = await carry_out(session, plan, sink, retry=True)

    assert 1 == len(outcome.stuck)
    assert {Known.PROVEN, Known.MISSING} == {known for known, days in outcome.days.items() if days}
    assert {"unconfirmed"} == {cell.code for cell in again.refused}
    assert mended.is_whole
    assert 6 + 1 == len(world.sent("POST", "/api/invoices"))


async def test_a_link_of_which_nothing_is_told_is_left_alone(world: World) -> None:
    """Two requests without a word are enough: each may be billed."""
    session, sink = await world.open(webhooks=False), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1])
    for _ in range(8):
        world.belvo.next_job(outcome="failed")

    outcome = await carry_out(session, plan, sink)

    assert 2 == len(outcome.stuck) == len(world.sent("POST", "/api/invoices"))


async def test_what_nobody_can_say_was_sent_is_for_a_person(world: World) -> None:
    """Belvo cannot be asked for a request whose answer was lost: it is not sent again by itself. The rest goes on."""
    session, sink = await world.open(webhooks=False), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1], directions=["issued"])
    world.belvo.next_answer("timeout", path="/api/invoices/")

    outcome = await carry_out(session, plan, sink, patience=timedelta(0))

    assert "uncertain" in {cell.code for cell in outcome.refused}
    assert () == outcome.stuck
    assert 3 == len(world.sent("POST", "/api/invoices"))
