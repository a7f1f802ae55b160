"""What watching jobs costs in requests: next to nothing while webhooks come, and what it must when they stay away."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Job, JobHandle, Polling, Session, Status, Way
from belvo_async.simulator import BelvoSimulator
from tests.session.world import World

SLOW = timedelta(minutes=3)
KINDS = ("INFLOW", "OUTFLOW")


def polls(world: World) -> list[Any]:
    """What was asked for nothing but news of jobs."""
    paths = ("/extractions", "/api/links/")
    asked = [each for each in world.sent("GET") if each.path.startswith(paths) or "fields" in each.query]
    return sorted(asked, key=lambda each: each.at)


async def fire(session: Session, world: World, number: int, **script: Any) -> JobHandle[Any]:
    """Fire a Syntage job of its own kind."""
    if script:
        world.syntage.next_job(**script)
    return await session.fire(world.extraction(number % len(world.syntage.entities), extractor="tax_status"))


async def warm(session: Session, world: World) -> None:
    """One job of each vendor and kind, told by webhooks."""
    for job in (await session.fire(world.invoices()), await fire(session, world, 0)):
        assert Way.WEBHOOK is (await job).settled_by
    await asyncio.sleep(1)


def told(caplog: pytest.LogCaptureFixture, begin: str) -> int:
    return sum(record.getMessage().startswith(begin) for record in caplog.records)


async def test_with_webhooks_a_job_costs_no_poll(world: World) -> None:
    """Once one has come: a POST, and its records where somebody reads them."""
    session = await world.open()
    await warm(session, world)
    before, posts = len(polls(world)), len(world.sent("POST"))

    tasks = [world.invoices(link, type=kind, date_to=date(2025, 6, 30)) for link in range(3) for kind in KINDS]
    ends = [await handle async for handle in session.run(tasks)]
    rows = [await (await session.attach(job.id)).results().to_list() for job in ends]

    assert {Way.WEBHOOK} == {job.settled_by for job in ends}
    assert before == len(polls(world))
    assert posts + len(tasks) == len(world.sent("POST"))
    assert all(rows)


async def test_polls_that_were_planned_before_the_first_webhook_are_dropped(world: World) -> None:
    """The jobs that run when it comes."""
    session = await world.open()
    first, later = await session.fire(world.invoices(0)), [await session.fire(world.invoices(n)) for n in (1, 2)]
    done, _ = await asyncio.wait(
        [asyncio.ensure_future(each.wait(timedelta(hours=1))) for each in (first, *later)],
        return_when=asyncio.FIRST_COMPLETED,
    )
    before = len(polls(world))

    for each in (first, *later):
        await each

    assert done
    assert before == len(polls(world))


async def test_a_vendor_that_takes_no_webhooks_is_polled_as_ever(world: World) -> None:
    """From the start, and for good: a job that ends is known within its interval."""
    session = await world.open(world.syntage_vendor(webhook_secrets=()), webhooks=False)

    for number in range(3):
        world.syntage.next_job(duration=timedelta(seconds=20))
        began = world.clock.now()
        job = await (await fire(session, world, number))

        assert Way.POLL is job.settled_by
        assert world.clock.now() - began < timedelta(seconds=70)


async def test_webhooks_that_fall_silent_are_told_once_and_polls_take_over(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Every job ends in bounded time; when they come again, that is told once as well."""
    caplog.set_level(logging.INFO, "belvo_async")
    session = await world.open()
    url = str(world.syntage.webhook_url).removesuffix("/syntage")
    await warm(session, world)

    async def settle(number: int) -> tuple[Job, timedelta]:
        began = world.clock.now()
        job = await (await fire(session, world, number, duration=timedelta(seconds=20)))
        await asyncio.sleep(30)
        return job, world.clock.now() - timedelta(seconds=30) - began

    world.deliver_to(None)
    lost = [await settle(number) for number in range(4)]
    usual = await settle(5)
    world.deliver_to(url)
    again = [await settle(number) for number in range(10)]

    assert {Way.POLL} == {job.settled_by for job, _ in (*lost, usual)}
    assert max(span for _, span in lost) < 2 * Polling().first * 30 + Polling().longest
    assert usual[1] < timedelta(seconds=45)
    assert {Status.FINISHED} == {job.status for job, _ in again}
    assert (1, 1) == (told(caplog, "webhooks stay away"), told(caplog, "webhooks come again"))


async def test_a_lost_webhook_among_others_costs_its_own_polls(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is found by the poll for safety, and then as ever; the others cost none, and nothing is said."""
    session = await world.open()
    await warm(session, world)
    before, began = len(polls(world)), world.clock.now()

    world.belvo.next_job(link=world.belvo.links[1], outcome="silent")
    jobs = [await session.fire(world.invoices(link, type="OUTFLOW")) for link in range(3)]
    ends = [await job for job in jobs]

    lost = world.belvo.links[1]
    assert [Way.WEBHOOK, Way.INFERENCE, Way.WEBHOOK] == [job.settled_by for job in ends]
    assert all(lost in each.path or lost in str(each.query) for each in polls(world)[before:])
    # Two minutes until the first poll, three of them over ten minutes, and what comes between.
    assert world.clock.now() - began < timedelta(minutes=2 + 10) + 2 * Polling().longest
    assert 0 == told(caplog, "webhooks stay away")


async def test_a_job_whose_poll_was_put_far_off_survives_a_restart(world: World, tmp_path: Path) -> None:
    """Another process, to which nothing is delivered, finds it when that poll is due."""
    store = f"sqlite:{tmp_path}/jobs.db"
    session = await world.open(store=store)
    await warm(session, world)
    world.deliver_to(None)
    job = await fire(session, world, 1)
    planned = job.job.next_poll
    await session.close()
    await asyncio.sleep(60)
    session = await world.open(store=store, webhooks=False)

    found = await (await session.attach(job.id))

    assert planned is not None
    assert Way.POLL is found.settled_by
    assert world.clock.now() <= planned + timedelta(seconds=15)


async def test_deliveries_that_another_process_takes_count(world: World, tmp_path: Path) -> None:
    """One receives and does nothing else; the one that fires and waits hears of it by the store."""
    store = f"sqlite:{tmp_path}/jobs.db"
    await world.open(store=store, sweep=False)
    session = await world.open(store=store, webhooks=False)
    await warm(session, world)
    before = len(polls(world))

    ends = [await handle async for handle in session.run([world.invoices(link, type="OUTFLOW") for link in range(3)])]

    assert {Way.WEBHOOK} == {job.settled_by for job in ends}
    assert before == len(polls(world))


@pytest.mark.parametrize("confirm", [False, True], ids=["believed", "confirmed"])
async def test_webhooks_that_only_ask_for_a_poll_are_followed(world: World, confirm: bool) -> None:
    """The poll they ask for is made at once; of one that takes longer than is usual, one or two are made for safety."""
    session = await world.open(world.syntage_vendor(confirm=confirm))
    await (await fire(session, world, 0))
    before = len(polls(world))

    world.syntage.next_job(duration=SLOW)
    began = world.clock.now()
    await (await fire(session, world, 1))

    assert world.clock.now() - began < SLOW + timedelta(seconds=15)
    assert len(polls(world)) - before <= (5 if confirm else 2)


async def test_sixteen_links_share_one_poll(world: World) -> None:
    """However many jobs run: one list of their links tells of all."""
    async with BelvoSimulator(now=world.clock.now, links=16) as belvo:
        world.belvo = belvo
        session = await world.open(world.belvo_vendor(), webhooks=False)
        for link in belvo.links:
            belvo.next_job(link=link, duration=timedelta(hours=1))
        await asyncio.gather(*(session.fire(world.invoices(link)) for link in range(16)))

        await asyncio.sleep(300)

        # The usual schedule comes to so many in five minutes, by two groups at most.
        assert len(polls(world)) <= 2 * 12
        await session.close()
