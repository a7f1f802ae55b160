"""A store that went back to an earlier state: what was queued then may have been sent since, and is not sent again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobHandle, Session, Status
from tests.session.world import World
from tests.stores.backups import CLOSED, OPEN, Backup, backup

SAID = "went back to an earlier state"
# That a store notices each of the ways is tried on the stores alone.
USUAL = ("sqlite copied over", "postgres data", "redis snapshot")


def one_of_each(ways: Iterable[str]) -> list[Any]:
    """The ways to put a backup back; all but one of each store are proofs."""
    return [pytest.param(way, marks=[] if way in USUAL else [pytest.mark.proof]) for way in ways]


@pytest.fixture(params=one_of_each(CLOSED))
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backup]:
    """A store whose backup is put back while nobody uses it."""
    with backup(CLOSED[request.param], tmp_path) as made:
        yield made


@pytest.fixture(params=one_of_each(OPEN))
def used(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backup]:
    """A store whose backup is put back while sessions are open."""
    with backup(OPEN[request.param], tmp_path) as made:
        yield made


async def queue_two(world: World, session: Session, made: Backup) -> list[JobHandle[Any]]:
    """One request sent and one that waits for its link; then a backup; then the second is sent as well."""
    handles = [await session.fire(world.invoices(type=each)) for each in ("INFLOW", "OUTFLOW")]
    made.save()
    await world.until(lambda: len(world.sent("POST")) == 2)
    await asyncio.sleep(1)
    return handles


def warnings_of(caplog: pytest.LogCaptureFixture) -> int:
    return sum(SAID in each.getMessage() for each in caplog.records if each.levelno == logging.WARNING)


async def test_a_backup_that_was_put_back_sends_nothing_again(
    world: World, closed: Backup, caplog: pytest.LogCaptureFixture
) -> None:
    """Two requests, two POSTs, whatever is opened afterwards; it is said once, and what was sent is in doubt."""
    first = await world.open(world.belvo_vendor(), store=closed.make())
    handles = await queue_two(world, first, closed)
    await first.close()
    world.deliver_to(None)
    closed.restore()

    for _ in range(2):
        session = await world.open(world.belvo_vendor(), store=closed.make(), webhooks=False)
        queued = await session.attach(handles[1].id)
        await asyncio.sleep(timedelta(minutes=3).total_seconds())
        await session.close()

    assert 2 == len(world.sent("POST"))
    assert Status.UNCERTAIN == queued.status
    assert SAID in (queued.job.submission.doubt or "")
    assert 1 == warnings_of(caplog)


async def test_a_backup_put_back_under_an_open_session_sends_nothing_again(
    world: World, used: Backup, caplog: pytest.LogCaptureFixture
) -> None:
    """The process remembers what it had written; whoever waits gets the same end as without the restore."""
    session = await world.open(world.belvo_vendor(), store=used.make())
    world.belvo.next_job(duration=timedelta(minutes=1))
    world.belvo.next_job(duration=timedelta(minutes=5))
    handles = await queue_two(world, session, used)
    waiting = asyncio.gather(*handles)
    used.restore()

    async with asyncio.timeout(timedelta(hours=1).total_seconds()):
        jobs = await waiting

    assert 2 == len(world.sent("POST"))
    assert [Status.FINISHED] * 2 == [job.status for job in jobs]
    assert 1 == warnings_of(caplog)


async def test_another_process_that_takes_a_restored_job_does_not_send_it(world: World, used: Backup) -> None:
    """The one that had sent it is gone; one that only looked on is still there, and a new one comes."""
    looking = await world.open(world.belvo_vendor(), store=used.make(), sweep=False, webhooks=False)
    first = await world.open(world.belvo_vendor(), store=used.make(), webhooks=False)
    world.belvo.next_job(outcome="stuck")
    handles = [await first.fire(world.invoices(type=each)) for each in ("INFLOW", "OUTFLOW")]
    await asyncio.sleep(60)
    used.save()
    headers, body = world.belvo_delivery(handles[0].job.remote_id or "")
    await first.receive("belvo", headers, body)
    await world.until(lambda: len(world.sent("POST")) == 2)
    await asyncio.sleep(60)
    await first.close()
    used.restore()
    # A beat of the one that looks on: it notices.
    await asyncio.sleep(60)

    second = await world.open(world.belvo_vendor(), store=used.make(), webhooks=False)
    await asyncio.sleep(timedelta(minutes=5).total_seconds())

    assert 2 == len(world.sent("POST"))
    assert Status.UNCERTAIN == (await second.attach(handles[1].id)).status
    assert looking is not second
