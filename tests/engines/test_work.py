"""What is done for every engine, by hand: turns, their failures, and what is told again."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from belvo_async import ConfigurationError, Plan, Prices, Session, TaskError, syntage
from belvo_async.engines import errands
from belvo_async.engines.errands import LetterKind, Share
from belvo_async.engines.holding import HOLD, holding
from belvo_async.engines.turns import LOOK_EVERY
from belvo_async.planning import Freshness
from tests.engines.by_hand import ByHand, look_around
from tests.session.test_extract import belvo_plan, held_by_belvo, syntage_plan
from tests.session.world import World


@asynccontextmanager
async def engine_on(world: World, session: Session) -> AsyncGenerator[ByHand]:
    """An engine on an open session, which passes on what ends."""
    engine = ByHand(lambda: session, world.clock)
    async with engine.feeding(session):
        yield engine


async def shares(session: Session) -> list[Share]:
    accounts = [each.account for each in session.vendors.values()]
    return [share async for _, _, share in errands.every(session.store, Share, "hand", accounts)]


def rows_in(folder: Path) -> list[str]:
    lines = (line for part in folder.rglob("*.ndjson") for line in part.read_bytes().splitlines())
    return [json.loads(line)["id"] for line in lines]


def task_of(world: World, entity: int = 0) -> syntage.Extraction[object]:
    return syntage.Extraction(entity=world.syntage.entities[entity], extractor="tax_status")


async def test_a_plan_is_carried_on_when_a_job_ends(world: World, tmp_path: Path) -> None:
    """One message for each share; then one when something ended; then nothing is left."""
    session, plan = await world.open(), syntage_plan(world)

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=f"ndjson:{tmp_path}")
        await engine.deliver_all()
        assert [] == engine.sent
        await world.until(lambda: engine.sent)
        assert {LetterKind.EXTRACT} == {each.kind for each in engine.sent}
        while await shares(session):
            await engine.deliver_all()
            await asyncio.sleep(60)

    certificate = await session.certificate(plan, into=f"ndjson:{tmp_path}")
    assert certificate.is_whole
    assert () == certificate.unreceipted


async def test_a_turn_that_is_asked_for_meanwhile_follows(world: World, tmp_path: Path) -> None:
    """What ended after a turn had begun is not forgotten, and nobody waits for the turn."""
    session, plan = await world.open(), syntage_plan(world)

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=f"ndjson:{tmp_path}")
        (message,) = engine.sent
        engine.sent = []
        await asyncio.gather(*(engine.deliver(message) for _ in range(3)))

    assert [message] == engine.sent
    assert 2 == len(world.sent("POST", "/extractions"))


async def test_a_worker_that_died_in_a_turn_is_replaced(world: World, tmp_path: Path) -> None:
    """Its hold ends by itself; whoever looks then asks for the turn that was asked for."""
    session, plan = await world.open(), syntage_plan(world)

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=f"ndjson:{tmp_path}")
        (message,) = engine.sent
        engine.sent = []
        now = world.clock.now()
        await session.store.lease(message.lane, "a dead worker", now=now, until=now + HOLD)
        await engine.deliver(message)
        assert [] == world.sent("POST", "/extractions")
        await asyncio.sleep(HOLD.total_seconds())
        await look_around(engine)
        assert [message] == engine.sent
        await engine.deliver_all()

    assert 2 == len(world.sent("POST", "/extractions"))


async def test_nothing_is_left_of_a_plan_that_is_over(world: World, tmp_path: Path) -> None:
    """Neither its share, nor that a turn was asked for while the last one lasted."""
    session, plan = await world.open(), syntage_plan(world)

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=f"ndjson:{tmp_path}")
        (message,) = engine.sent
        while await shares(session):
            await asyncio.gather(*(engine.deliver(message) for _ in range(3)))
            await asyncio.sleep(60)
        await look_around(engine)

    left = [entry.kind async for entry in session.store.entries(None)]
    assert not [each for each in left if each.startswith("engine.")]


async def test_a_hold_is_kept_for_as_long_as_it_is_needed(world: World) -> None:
    """However long a turn takes, no other worker has one."""
    session = await world.open()

    async with holding(session.store, "lane", world.clock) as mine:
        await asyncio.sleep(10 * HOLD.total_seconds())
        async with holding(session.store, "lane", world.clock) as other:
            assert (True, False) == (mine, other)
    async with holding(session.store, "lane", world.clock) as again:
        assert again


async def test_a_turn_that_fails_is_put_off(world: World, tmp_path: Path) -> None:
    """Later each time, and for ever: nobody has to say that the disk is there again."""
    session, plan = await world.open(), syntage_plan(world)
    place = tmp_path / "out"

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=f"ndjson:{place}")
        (message,) = engine.sent
        place.rmdir()
        place.write_text("no folder")
        waits: list[timedelta] = []
        for _ in range(3):
            with pytest.raises(ConfigurationError):
                await engine.deliver(message)
            ((share),) = await shares(session)
            waits.append(share.due.due_at - world.clock.now())
        place.unlink()
        engine.sent = []
        await look_around(engine)
        assert [] == engine.sent
        await asyncio.sleep(waits[-1].total_seconds())
        await look_around(engine)
        assert [message] == engine.sent

    assert [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)] == waits


async def test_what_may_be_asked_later_is_due_then(world: World, tmp_path: Path) -> None:
    """A share says when it is to be looked at, and is not looked at before."""
    session, sink = await world.open(), f"ndjson:{tmp_path}"
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml"])
    world.syntage.next_job(outcome="rate_limited")

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=sink)
        while not (await session.coverage(plan)).cells[0].retry_at:
            await engine.deliver_all()
            await asyncio.sleep(30)
        await engine.deliver_all()
        (share,) = await shares(session)

    assert world.clock.now() < share.due.due_at <= world.clock.now() + LOOK_EVERY


async def test_the_same_call_again_is_the_same_share(world: World, tmp_path: Path) -> None:
    """Called twice it is done once; anew, for another sink or fresher rows, it is another."""
    session, plan, into = await world.open(), syntage_plan(world), f"ndjson:{tmp_path}"

    async with engine_on(world, session) as engine:
        for _ in range(2):
            await engine.extract(plan, into=into)
        assert 1 == len(await shares(session))
        await engine.extract(plan, into=f"{into}/other")
        await engine.extract(plan, into=into, freshness=Freshness(max_age=timedelta(days=1)))
        assert 3 == len(await shares(session))

    # Turns of one plan go one after the other, whatever they bring.
    assert 1 == len({each.lane for each in engine.sent})


@pytest.mark.parametrize(
    ("count", "is_whole", "wanted"), [(3, False, 1), (20, False, 2), (2000, False, 32), (2000, True, 1)]
)
def test_a_plan_is_cut_into_shares(count: int, is_whole: bool, wanted: int) -> None:
    """Of sixteen subjects at least, and at most 32 of them; one where a cap is to be exact."""
    day, subjects = date(2025, 1, 1), [str(each) for each in range(count)]
    plan = Plan(vendor="v", resource="r", subjects=subjects, first=day, last=day)

    parts = list(errands.cut(plan, is_whole=is_whole))

    assert wanted == len(parts)
    assert list(plan.subjects) == [each for part in parts for each in part.subjects]


async def test_a_queue_that_is_down_is_told_later(world: World) -> None:
    """An ended job is acknowledged once the queue has what follows from it."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        await engine.fire(task_of(world), once="first")
        await engine.deliver_all()
        engine.fault = OSError("the broker is down")
        await asyncio.sleep(timedelta(hours=1).total_seconds())
        engine.fault = None
        await world.until(lambda: engine.sent)
        await engine.deliver_all()

    assert 1 == len(engine.collected)


async def test_what_a_worker_died_collecting_is_collected_by_another(world: World) -> None:
    """Its message comes again while it still holds the job: that is looked at as soon as the hold has ended."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        await engine.fire(task_of(world), once="first")
        await engine.deliver_all()
        await world.until(lambda: engine.sent)
        (message,) = engine.sent
        engine.sent = []
        now = world.clock.now()
        await session.store.lease(message.lane, "a dead worker", now=now, until=now + HOLD)
        await engine.deliver(message)
        assert [] == engine.collected
        await asyncio.sleep(HOLD.total_seconds())
        await look_around(engine)
        await engine.deliver_all()

    assert [message.argument] == engine.collected


async def test_passing_on_ends_with_the_session(world: World) -> None:
    """Whoever closes the session leaves nothing that waits for it."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        await asyncio.sleep(1)
        await session.close()
        await asyncio.sleep(60)
        assert engine._feeding is not None
        assert engine._feeding.done()


async def test_an_order_is_kept_before_it_is_sent(world: World) -> None:
    """A queue that does not take it has it a few minutes later."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        engine.fault = OSError("the broker is down")
        with pytest.raises(OSError, match="broker"):
            await engine.fire(task_of(world), once="first")
        engine.fault = None
        await asyncio.sleep(errands.LOST_AFTER.total_seconds())
        await look_around(engine)
        await engine.deliver_all()

    assert 1 == len(world.sent("POST", "/extractions"))


async def test_an_order_for_later_is_sent_then(world: World) -> None:
    """By whoever looks, where the queue has no instants."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        at = world.clock.now() + timedelta(hours=8)
        await engine.fire(task_of(world), once="first", at=at)
        (message,) = engine.sent
        engine.sent = []
        await asyncio.sleep(timedelta(hours=7).total_seconds())
        await look_around(engine)
        assert [] == engine.sent
        await asyncio.sleep(timedelta(hours=1).total_seconds())
        await look_around(engine)

    assert at == message.at
    assert 1 == len(engine.sent)


async def test_a_refused_order_is_told_and_not_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its name is that of another task's job."""
    session = await world.open()
    await session.fire(task_of(world, 1), once="first")

    async with engine_on(world, session) as engine:
        await engine.fire(task_of(world, 0), once="first")
        with caplog.at_level(logging.ERROR):
            await engine.deliver_all()
        await asyncio.sleep(timedelta(days=1).total_seconds())
        await look_around(engine)

    assert [] == [each for each in engine.sent if each.kind is LetterKind.FIRE]
    assert ["the engine hand was given a task that is refused"] == [
        each.getMessage().partition(":")[0] for each in caplog.records if each.levelno == logging.ERROR
    ]
    assert 1 == len(world.sent("POST", "/extractions"))


async def test_a_forgotten_job_is_not_looked_for_again(world: World) -> None:
    """A taxpayer's right counts more than a message."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        await engine.fire(task_of(world), once="first")
        await engine.deliver_all()
        await world.until(lambda: engine.sent)
        await session.forget(engine.sent[0].argument)
        await engine.deliver_all()
        await asyncio.sleep(timedelta(days=1).total_seconds())
        await look_around(engine)

    assert [] == engine.sent
    assert [] == engine.collected


async def test_an_engine_without_a_collector_fires_nothing(world: World) -> None:
    """Nobody would take what a task brings."""
    session = await world.open()
    engine = ByHand(lambda: session, world.clock, collect=None)

    async with engine.feeding(session):
        with pytest.raises(ConfigurationError):
            await engine.fire(task_of(world), once="first")

    assert [] == engine.sent


async def test_a_task_of_no_vendor_is_refused(world: World) -> None:
    """By whoever fires it, and not by a worker."""
    session = await world.open(world.belvo_vendor())

    async with engine_on(world, session) as engine:
        with pytest.raises(TaskError):
            await engine.fire(task_of(world), once="first")

    assert [] == engine.sent


@pytest.mark.parametrize("name", ["", "two words", "a/b", "1st"])
def test_a_name_that_would_be_part_of_no_key_is_refused(name: str) -> None:
    """It stands before a stroke in the store's keys, and in tasks' names."""
    with pytest.raises(ConfigurationError):
        ByHand(lambda: None, None, name=name)  # type: ignore[arg-type]


async def test_shares_count_for_one_plan(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cap that is set later counts what every share has paid for."""
    monkeypatch.setattr(errands, "SUBJECTS_AT_LEAST", 1)
    session, plan, into = await world.open(), syntage_plan(world), f"ndjson:{tmp_path}"

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=into)
        assert 2 == len(await shares(session))
        await engine.deliver_all()
        run = await session.extract(plan, into=into, prices=Prices.from_toml("syntage = 10"), max_cost=Decimal(20))
        told = [each async for each in run]

    assert Decimal(20) == told[0].tally.spent.high  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "given",
    [
        {"once": ""},
        {"once": "first", "tags": {"two words": "no"}},
        {"once": "first", "deadline": timedelta(0)},
        {"once": "first", "max_age": timedelta(0)},
    ],
)
async def test_what_a_worker_would_refuse_is_refused_at_once(world: World, given: dict[str, Any]) -> None:
    """Nothing of it is kept, and nothing is sent."""
    session = await world.open()

    async with engine_on(world, session) as engine:
        with pytest.raises(TaskError):
            await engine.fire(task_of(world), **given)

    assert [] == engine.sent


async def test_links_take_one_request_at_a_time(world: World, tmp_path: Path) -> None:
    """A plan of Belvo's, in its lanes: the fewest requests, and every row once."""
    session, plan, into = await world.open(), belvo_plan(world), f"ndjson:{tmp_path}"

    async with engine_on(world, session) as engine:
        await engine.extract(plan, into=into)
        while await shares(session):
            await engine.deliver_all()
            await asyncio.sleep(10)

    assert 2 * 2 * 3 == len(world.sent("POST", "/api/invoices"))
    assert held_by_belvo(world, plan) == Counter(rows_in(tmp_path))
    assert () == (await session.certificate(plan, into=into)).unreceipted
