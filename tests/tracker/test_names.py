"""One id for two jobs: noticed, and no outcome is shared that may be another's."""

from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async.jobs import Status
from tests.jobs.flat import flat
from tests.tracker.bench import LANE_TASK, MUTE, OPEN, TASK, Bench, accepted, remote_id, row

OTHER_TASK = replace(TASK, year=2024)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno == logging.ERROR]


@pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "at once"])
async def test_one_id_for_two_tasks_is_noticed(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture, at_once: bool
) -> None:
    """The first keeps it; the second is uncertain, and what comes under that id does not end it."""
    bench.replies += [accepted(1), accepted(1)]
    if at_once:
        both = await asyncio.gather(bench.start(tracker, TASK), bench.start(tracker, OTHER_TASK))
    else:
        both = [await bench.start(tracker, TASK), await bench.start(tracker, OTHER_TASK)]

    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    kept = sorted([(await bench.stored(job)).status for job in both])
    assert [Status.FINISHED, Status.UNCERTAIN] == kept
    (told,) = errors(caplog)
    assert {job.id for job in both} == {vars(told)["job"], vars(told)["other"]}
    assert all(job.id in told.getMessage() for job in both)


async def test_the_second_of_one_id_is_found_by_its_own(bench: Bench, tracker: Tracker) -> None:
    """It is looked for as any uncertain submission; the id of the other is no find."""
    bench.replies += [accepted(1), accepted(1)]
    first = await bench.start(tracker, TASK)
    second = await bench.start(tracker, OTHER_TASK)
    mine = row(2, "busy", bench.clock)
    mine.year = OTHER_TASK.year
    bench.rows = [row(1, "busy", bench.clock), mine]

    await asyncio.sleep(60)

    found = await bench.stored(second)
    assert (Status.RUNNING, mine.id) == (found.status, found.remote_id)
    assert remote_id(1) == (await bench.stored(first)).remote_id


async def test_the_id_of_an_ended_run_is_no_new_one(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that repeats an old answer: the equal task that is started anew gets no old outcome."""
    bench.replies += [accepted(1), accepted(1)]
    old = await bench.start(tracker, TASK)
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    new = await bench.start(tracker, TASK)

    assert old.id != new.id
    assert Status.UNCERTAIN is (await bench.stored(new)).status
    assert 1 == len(errors(caplog))


async def test_an_equal_task_may_join_a_run(bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture) -> None:
    """A vendor answers who asks twice with the run there is: both end with it, and nothing is amiss."""
    now = bench.clock.now()
    first = flat(id="first", vendor="mute", account=MUTE.account, task=LANE_TASK, created_at=now, attempted_at=now)
    await bench.store.put(replace(first, status=Status.PENDING, remote_id=remote_id(1)), expected=None)
    bench.replies.append(accepted(1))

    second = await bench.start(tracker, LANE_TASK)
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])

    assert Status.FINISHED is (await bench.stored(first)).status
    assert Status.FINISHED is (await bench.stored(second)).status
    assert [] == errors(caplog)
