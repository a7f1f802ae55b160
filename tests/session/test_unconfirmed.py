"""Ends that nobody announces: what came since speaks for them; where nothing does, no waiter is told of success."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Job, JobUnconfirmedError, Session, Status, Way, belvo
from belvo_async.simulator import BelvoSimulator
from tests.session.world import World

HOUR = timedelta(hours=1)
# Before the taxpayers of the simulator began to trade.
BARREN = {"date_from": date(1999, 1, 1), "date_to": date(1999, 6, 30)}


async def without_address(world: World, **options: Any) -> Session:
    """A session of somebody who has no public address, so that no webhook is set up."""
    return await world.open(world.belvo_vendor(webhook_authorization=None), webhooks=False, **options)


async def used_by_another(world: World, link: int = 0, **changes: Any) -> None:
    """Another application, with a store of its own, has a request of the same link done, half an hour later."""
    await asyncio.sleep(1800)
    async with Session(world.belvo_vendor(webhook_authorization=None), clock=world.clock) as theirs:
        await theirs.fire(world.invoices(link, **changes))
        await asyncio.sleep(120)


async def test_another_request_of_its_link_makes_no_success_of_a_failure(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The link was used half an hour later; the failed request found nothing, and nothing speaks for it."""
    session = await without_address(world)
    world.belvo.next_job(outcome="failed")
    handle = await session.fire(world.invoices(type="INFLOW"))

    await used_by_another(world, type="OUTFLOW")

    with caplog.at_level(logging.WARNING, "belvo_async"), pytest.raises(JobUnconfirmedError) as told:
        await handle
    job = told.value.job
    assert ("unconfirmed", Status.PENDING) == (told.value.code, job.status)
    assert (Way.INFERENCE, "unconfirmed", False) == (job.settled_by, job.failure and job.failure.code, job.partial)
    assert "it failed or found nothing" in str(told.value)
    assert (True, True, False) == (handle.done(), job.is_unconfirmed, job.is_confirmed)
    assert any("nothing speaks for success" in record.message for record in caplog.records)
    assert [] == await handle.results().to_list()


async def test_a_request_that_found_nothing_is_not_told_from_a_failed_one(world: World) -> None:
    """Zero rows look the same: that is what it costs to have no address."""
    session = await without_address(world)

    with pytest.raises(JobUnconfirmedError):
        await (await session.fire(world.invoices(**BARREN)))


async def test_records_that_came_speak_for_a_request(world: World) -> None:
    """Finished, by inference, and not partial: nothing says that anything is missing."""
    session = await without_address(world)
    handle = await session.fire(world.invoices())

    job = await handle

    assert (Status.FINISHED, Way.INFERENCE, False) == (job.status, job.settled_by, job.partial)
    assert await handle.results().to_list()


async def test_records_that_are_collected_again_speak_for_a_request_too(world: World) -> None:
    """The same period a day later brings nothing new, but it was collected."""
    session = await without_address(world)
    await (await session.fire(world.invoices()))
    await asyncio.sleep(86400)

    assert Status.FINISHED == (await (await session.fire(world.invoices()))).status


async def test_records_of_another_period_do_not(world: World) -> None:
    """They are not the job's own."""
    session = await without_address(world)
    world.belvo.next_job(outcome="failed")
    handle = await session.fire(world.invoices(date_to=date(2025, 3, 31)))

    await used_by_another(world, date_from=date(2025, 4, 1))

    with pytest.raises(JobUnconfirmedError):
        await handle


async def test_a_run_tells_each_failure_from_a_whole_answer(world: World) -> None:
    """A loop over many links: what failed says so, with its own code, beside what was answered whole."""
    session = await without_address(world)
    bad = world.belvo.links[1]
    world.belvo.next_job(link=bad, outcome="failed")
    tasks = [belvo.Invoices(link, date(2025, 1, 1), date(2025, 12, 31), "INFLOW") for link in world.belvo.links[:3]]
    told: dict[str, str] = {}

    async def loop() -> None:
        async for handle in session.run(tasks, deadline=6 * HOUR):
            try:
                await handle
                told[handle.job.task.subject] = "whole"
            except JobUnconfirmedError as error:
                told[handle.job.task.subject] = error.code or ""

    running = asyncio.create_task(loop())
    await used_by_another(world, link=1, type="OUTFLOW")
    await running

    assert {link: "unconfirmed" if link == bad else "whole" for link in world.belvo.links[:3]} == told


async def test_a_loop_that_only_asks_for_the_status_takes_no_failure_for_success(world: World) -> None:
    """`finished` is never what it sees."""
    session = await without_address(world)

    handles = [handle async for handle in session.run([world.invoices(**BARREN)])]

    assert [(Status.PENDING, True)] == [(each.status, each.job.is_unconfirmed) for each in handles]


async def dead(session: Session, world: World, **changes: Any) -> Any:
    """A failed request, an hour and a bit after it was fired with a deadline of an hour."""
    world.belvo.next_job(outcome="failed")
    handle = await session.fire(world.invoices(**changes), deadline=HOUR)
    await asyncio.sleep(3700)
    return handle


async def until_closed(session: Session, world: World, job_id: str) -> Job:
    handle = await session.attach(job_id)
    await world.until(handle.done, within=6 * HOUR)
    return handle.job


async def test_the_job_that_is_started_anew_does_not_speak_for_the_dead_one(world: World) -> None:
    """The equal task brings the very same records: they are its own."""
    session = await without_address(world)
    old = await dead(session, world)

    new = await (await session.fire(world.invoices()))

    assert Status.FINISHED == new.status
    assert (await until_closed(session, world, old.id)).is_unconfirmed


async def test_the_next_job_of_its_link_does_not_speak_for_a_dead_one(world: World) -> None:
    """Not even when it brings records of the same period: both directions, of which the first wanted one."""
    session = await without_address(world)
    old = await dead(session, world)

    new = await (await session.fire(world.invoices(type=None)))

    assert Status.FINISHED == new.status
    job = await until_closed(session, world, old.id)
    assert job.is_unconfirmed
    assert job.evidence.overtaken_at is not None
    assert any(new.id in (seen.note or "") for seen in await session.store.timeline(old.id))


async def test_giving_up_frees_the_link_and_an_equal_task_is_new(world: World) -> None:
    """As after any end."""
    session = await without_address(world)
    world.belvo.next_job(outcome="failed")
    handle = await session.fire(world.invoices())
    await used_by_another(world, type="OUTFLOW")
    with pytest.raises(JobUnconfirmedError):
        await handle

    again = await session.fire(world.invoices())

    assert handle.id != again.id
    assert Status.FINISHED == (await again).status


async def test_a_lost_webhook_is_waited_for_longer(world: World) -> None:
    """With an address for webhooks, a list that stands still may only mean that the request is running."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(hours=3))
    handle = await session.fire(world.invoices(**BARREN))
    # It opened the link, whatever it does now.
    next(iter(world.belvo.jobs.values())).link.last_accessed_at = world.clock.now() + timedelta(seconds=30)

    job = await handle

    assert (Status.FINISHED, Way.WEBHOOK) == (job.status, job.settled_by)


async def test_a_lost_webhook_of_a_failure_is_given_up_in_the_end(world: World) -> None:
    """Hours later, yet before the deadline."""
    session = await world.open()
    world.belvo.next_job(outcome="failed")
    world.deliver_to(None)
    handle = await session.fire(world.invoices())
    await used_by_another(world, type="OUTFLOW")

    with pytest.raises(JobUnconfirmedError):
        await handle


async def test_a_late_webhook_tells_after_all(world: World, tmp_path: Path) -> None:
    """What was given up for want of a word has one now."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    session = await without_address(world, store=store)
    handle = await session.fire(world.invoices(**BARREN))
    with pytest.raises(JobUnconfirmedError):
        await handle
    await session.close()
    listening = await world.open(world.belvo_vendor(), store=store, webhooks=False)

    await listening.receive("belvo", *world.belvo_delivery(handle.job.remote_id or "", data={"new_invoices": 0}))

    job = await (await listening.attach(handle.id))
    assert (Status.FINISHED, Way.WEBHOOK, True) == (job.status, job.settled_by, job.is_confirmed)


async def test_a_refresh_without_webhooks_is_told_by_its_records(world: World) -> None:
    session = await without_address(world)

    job = await (await session.fire(belvo.Refresh(world.belvo.links[0], ["INVOICES", "TAX_STATUS"])))

    assert (Status.FINISHED, Way.INFERENCE, False) == (job.status, job.settled_by, job.partial)


async def test_what_an_invoice_lacks_makes_an_inferred_end_partial(world: World) -> None:
    """The mark says that data is missing, and `retry_at` when it may be had."""
    limited = BelvoSimulator(now=world.clock.now, xml_limit_share=1.0)
    world.belvo = await world.stack.enter_async_context(limited)
    session = await without_address(world)

    job = await (await session.fire(world.invoices(attach_xml=True)))

    assert (Status.FINISHED, True) == (job.status, job.partial)
    assert job.retry_at is not None
