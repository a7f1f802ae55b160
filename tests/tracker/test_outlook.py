"""Whether deliveries come, seen from the tracker: what is polled meanwhile, and what changes when they stay away."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.jobs import Job, Status, Way
from tests.tracker.bench import OPEN, TASK, Bench, row


async def told(bench: Bench, tracker: Tracker) -> Job:
    """The first job, whose end a delivery tells."""
    job = await bench.start(tracker)
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
    return job


async def test_a_job_is_polled_once_for_safety(bench: Bench, tracker: Tracker) -> None:
    """A minute and as long again after its start; not before."""
    await told(bench, tracker)
    job = await bench.start(tracker, replace(TASK, year=2001))
    await asyncio.sleep(85)
    early = len(bench.sent) - bench.posts
    bench.rows = [row(2, "done", bench.clock)]
    await asyncio.sleep(40)

    kept = await bench.stored(job)
    assert (0, 1) == (early, len(bench.sent) - bench.posts)
    assert (Status.FINISHED, Way.POLL) == (kept.status, kept.settled_by)


async def test_a_delivery_that_asks_for_a_poll_gets_it_at_once(bench: Bench, tracker: Tracker) -> None:
    """However far off the next one was, and whatever has been learned in the meantime."""
    job = await bench.start(tracker, replace(TASK, year=2001))
    await bench.start(tracker)
    await asyncio.sleep(30)
    bench.rows = [row(1, "done", bench.clock)]
    await tracker.receive(OPEN, [bench.hint(1), bench.said(2, Status.FINISHED)])
    await asyncio.sleep(3)

    assert Status.FINISHED == (await bench.stored(job)).status


async def test_jobs_are_hastened_when_deliveries_stay_away(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that wait for their poll for safety are polled as if none had ever come; it is said once."""
    await told(bench, tracker)
    for number in range(5):
        await bench.start(tracker, replace(TASK, year=2001 + number))
    bench.rows = [row(number, "busy" if number == 6 else "done", bench.clock) for number in range(2, 7)]
    await asyncio.sleep(300)
    late = await bench.start(tracker, replace(TASK, year=2010))
    bench.rows.append(row(7, "done", bench.clock))
    began = bench.clock.now()
    await asyncio.sleep(10)

    kept = await bench.stored(late)
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert kept.settled_at is not None
    assert kept.settled_at - began < timedelta(seconds=10)
    assert 1 == len(warnings)
    assert warnings[0].getMessage().startswith("webhooks stay away")


async def test_who_waits_for_a_safety_poll_is_hastened_too(bench: Bench, tracker: Tracker) -> None:
    """At the moment it becomes known."""
    await told(bench, tracker)
    expectations = tracker.context.expectations
    waiting = await bench.start(tracker, replace(TASK, year=2001))
    far = (await bench.stored(waiting)).next_poll
    for number in range(3):
        ended = replace(waiting, id=f"lost{number}", status=Status.FINISHED, settled_by=Way.POLL)
        expectations.end(ended, bench.clock.now())
    await asyncio.sleep(20)
    await tracker.receive(OPEN, [bench.said(2, Status.RUNNING)])
    await asyncio.sleep(0.1)

    near = (await bench.stored(waiting)).next_poll
    assert far is not None
    assert near is not None
    assert near < far - timedelta(seconds=30)
