"""Deliveries: early, repeated, strange, and hints only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer
from belvo_async.errors import StoreError
from belvo_async.jobs import Failure, Job, Nudge, Observation, Status, Way
from tests.jobs.flat import flat
from tests.tracker.bench import LANE_TASK, MUTE, OPEN, TASK, Bench, accepted, outcome, remote_id, row
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock


async def test_delivery_before_the_answer_is_replayed(bench: Bench, tracker: Tracker) -> None:
    """A delivery that overtakes the 202 is parked and applied once the job is known."""

    async def late() -> Answer:
        await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
        return accepted(1)

    bench.replies.append(late)

    job = await bench.start(tracker)

    assert (Status.FINISHED, Way.WEBHOOK) == (job.status, job.settled_by)
    assert () == await bench.store.parked(OPEN.account)


async def test_park_is_looked_at_once_more(bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job recorded between the look for it and the parking of its delivery still gets that delivery."""
    job = await bench.start(tracker)
    answers = [()]
    find = bench.store.find

    async def find_late(account: str, remote_id: str) -> object:
        return answers.pop() if answers else await find(account, remote_id)

    monkeypatch.setattr(bench.store, "find", find_late)

    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    assert Status.FINISHED == (await bench.stored(job)).status
    assert () == await bench.store.parked(OPEN.account)


async def test_report_that_overtakes_the_answer_is_replayed(bench: Bench, tracker: Tracker) -> None:
    """What a refresh reports before its 202 came belongs to it all the same."""

    async def late() -> Answer:
        await tracker.receive(OPEN, [bench.reported(1, "A")])
        return accepted(1)

    bench.replies.append(late)

    job = await bench.start(tracker)

    assert ["A"] == [report.resource for report in job.evidence.reports]


async def test_report_before_the_adoption_is_replayed(bench: Bench, tracker: Tracker) -> None:
    """Who adopts a refresh that was started elsewhere gets what it reported before."""
    await tracker.receive(OPEN, [bench.reported(1, "A")])

    job = await tracker.adopt("open", remote_id(1), TASK, deadline=bench.after(hours=6))

    assert ["A"] == [report.resource for report in job.evidence.reports]
    assert () == await bench.store.parked(OPEN.account)


async def test_replay_that_the_store_refused_comes_with_the_next_poll(
    bench: Bench, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An accepted delivery is not lost when the store fails between recording the job and replaying."""
    parked, failures = bench.store.parked, [1]

    async def parked_once_down(account: str, remote_id: str | None = None) -> object:
        if failures:
            failures.pop()
            raise StoreError("switched off")
        return await parked(account, remote_id)

    monkeypatch.setattr(bench.store, "parked", parked_once_down)
    await tracker.receive(MUTE, [bench.said(1, Status.FINISHED)])

    job = await bench.start(tracker, LANE_TASK)

    assert await outcome(tracker, job, bench.after(minutes=10))
    assert Way.WEBHOOK is (await bench.stored(job)).settled_by


async def test_repeated_delivery_has_no_effect(bench: Bench, tracker: Tracker) -> None:
    """The second delivery of an end writes nothing."""
    job = await bench.start(tracker)
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])
    once = await bench.stored(job)

    for _ in range(5):
        await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    assert once == await bench.stored(job)
    assert 2 == len(await bench.store.timeline(job.id))


async def test_unknown_word_keeps_the_job_open(bench: Bench, tracker: Tracker) -> None:
    """A word the vendor invented since is kept, and the job stays open."""
    job = await bench.start(tracker)

    await tracker.receive(OPEN, [bench.said(1, None, vendor_status="contemplating")])

    kept = await bench.stored(job)
    assert (Status.PENDING, "contemplating", True) == (kept.status, kept.vendor_status, kept.is_open)


@pytest.mark.parametrize(
    ("word", "shown"), [("contemplating", "contemplating"), ("XAXX010101000", "more than a word"), ("Ana B", "more")]
)
async def test_the_message_names_an_unknown_word(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture, word: str, shown: str
) -> None:
    """In the log's own text, unless it could name somebody."""
    await bench.start(tracker)

    await tracker.receive(OPEN, [bench.said(1, None, vendor_status=word)])

    (told,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert shown in told
    assert word == shown or word not in told


async def test_the_message_names_a_contradiction_and_an_end(
    bench: Bench, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """How a job ended, and what was said against it afterwards: readable in a plain log."""
    caplog.set_level("INFO", "belvo_async")
    await bench.start(tracker)

    await tracker.receive(OPEN, [bench.said(1, Status.FAILED, failure=Failure(code="down"))])
    await tracker.receive(OPEN, [bench.said(1, Status.FINISHED)])

    told = [each.getMessage() for each in caplog.records]
    assert "a job ended: it is failed (down)" in told
    assert "an observation contradicts what is known (it says finished, the job is failed); kept aside" in told


async def test_hint_makes_the_jobs_of_its_subject_due(bench: Bench, tracker: Tracker) -> None:
    """A delivery without a word about a job causes a poll of its subject's jobs."""
    job = await bench.start(tracker)
    await asyncio.sleep(200)
    bench.rows = [row(1, "done", bench.clock)]

    await tracker.receive(OPEN, [hint(bench)])

    assert await outcome(tracker, job, bench.after(seconds=1))


@pytest.mark.parametrize("named", [True, False], ids=["job named", "subject named"])
async def test_hints_cause_at_most_one_poll_in_two_seconds(bench: Bench, tracker: Tracker, named: bool) -> None:
    """A storm of hints is answered by one poll each two seconds."""
    await bench.start(tracker)
    bench.rows = [row(1, "busy", bench.clock)]
    await asyncio.sleep(400)
    before = bench.polls

    for _ in range(100):
        seen = bench.hint(1) if named else hint(bench)
        await tracker.receive(OPEN, [seen])
        await asyncio.sleep(0.1)

    assert 5 <= bench.polls - before <= 6


async def test_hint_within_the_pause_is_not_lost(bench: Bench, tracker: Tracker) -> None:
    """A hint that comes shortly after another causes its poll when the two seconds are over."""
    job = await bench.start(tracker)
    bench.rows = [row(1, "busy", bench.clock)]
    await asyncio.sleep(400)
    await tracker.receive(OPEN, [hint(bench)])
    await asyncio.sleep(1)
    bench.rows = [row(1, "done", bench.clock)]

    await tracker.receive(OPEN, [hint(bench)])

    assert await outcome(tracker, job, bench.after(seconds=2))


def hint(bench: Bench) -> Nudge:
    return Nudge(way=Way.WEBHOOK, at=bench.clock.now(), subject=TASK.owner)


class CountingStore(TroubledStore):
    """Counts what is read from it."""

    read = 0

    def _count(self, found: tuple[object, ...]) -> None:
        self.read += 1 + len(found)

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        self._count(found := await super().find(account, remote_id))
        return found

    async def nameless_jobs(self, account: str, **wanted: Any) -> tuple[Job, ...]:
        self._count(found := await super().nameless_jobs(account, **wanted))
        return found

    async def parked(self, account: str, remote_id: str | None = None, **wanted: Any) -> tuple[Observation, ...]:
        self._count(found := await super().parked(account, remote_id, **wanted))
        return found

    async def adoptable(self, account: str, **wanted: Any) -> tuple[Observation, ...]:
        self._count(found := await super().adoptable(account, **wanted))
        return found

    async def open_jobs(self, *args: Any, **wanted: Any) -> AsyncIterator[Job]:
        async for job in super().open_jobs(*args, **wanted):
            self.read += 1
            yield job


@pytest.mark.parametrize("is_awaited", [False, True], ids=["nobody waits", "a submission is uncertain"])
@pytest.mark.parametrize("owner", ["a", "elsewhere"])
async def test_delivery_reads_as_much_beside_a_full_park(clock: VirtualClock, owner: str, is_awaited: bool) -> None:
    """Another application on the same account costs a delivery no more work, be it about the same subject."""
    bench = Bench(clock, CountingStore())
    store = bench.store
    assert isinstance(store, CountingStore)
    facts = {"subject": owner, "resource": LANE_TASK.resource, "adoptable": True}
    async with store, bench.opened() as tracker:
        for number in range(100, 130):
            await store.put(
                Job(id=f"{number}", vendor="mute", account=MUTE.account, task=TASK, created_at=clock.now()),
                expected=None,
            )
        if is_awaited:
            lost = Job(id="lost", vendor="mute", account=MUTE.account, task=LANE_TASK, created_at=clock.now())
            lost = flat(lost, status=Status.UNCERTAIN, attempted_at=clock.now())
            await store.put(flat(lost, next_poll=bench.after(hours=1)), expected=None)
        await tracker.receive(MUTE, [bench.said(1, Status.FINISHED, **(facts | {"subject": "other"}))])
        for number in range(10, 1010):
            await store.park(MUTE.account, bench.said(number, Status.FINISHED, **facts))
        store.read = 0

        for number in range(2000, 2010):
            await tracker.receive(MUTE, [bench.said(number, Status.FINISHED, **facts)])

        assert store.read <= 10 * (20 if is_awaited and owner == "a" else 3)
