"""When `fire` returns, and with what: answered, uncertain, queued behind a busy link, or joined to an equal task."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobRejectedError, JobTimeoutError, Status, StoreError, Way, belvo, syntage
from belvo_async.stores.sqlite.store import SqliteStore
from tests.session.world import World
from tests.troubled_store import TroubledStore


async def test_fire_returns_when_the_vendor_answered(world: World) -> None:
    """A job that was accepted is pending and has the vendor's id when `fire` returns."""
    session = await world.open()

    jobs = [await session.fire(world.invoices()), await session.fire(world.extraction())]

    assert [Status.PENDING] * 2 == [job.status for job in jobs]
    assert [*world.belvo.jobs, *world.syntage.jobs] == [job.job.remote_id for job in jobs]
    assert not any(job.done() for job in jobs)


async def test_a_finished_job_is_what_awaiting_gives(world: World) -> None:
    """Awaiting gives the job, with how it was settled, when, and what the vendor counts."""
    session = await world.open()
    handle = await session.fire(world.invoices())

    job = await handle

    truth = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert (Status.FINISHED, Way.WEBHOOK) == (job.status, job.settled_by)
    assert len(truth) == job.created_count
    assert job.created_at < job.settled_at <= world.clock.now()
    assert (handle.id, handle.job, handle.done()) == (job.id, job, True)


async def test_equal_tasks_become_one_job(world: World) -> None:
    """Firing an equal task while its job is open joins that job: one request, two handles."""
    session = await world.open()

    first, second = await asyncio.gather(session.fire(world.extraction()), session.fire(world.extraction()))

    assert first.id == second.id
    assert await first == await second
    assert 1 == len(world.sent("POST"))


async def test_an_equal_task_after_the_end_is_a_new_job(world: World) -> None:
    """Only open jobs are joined: data changes, so a finished task may be fired again."""
    session = await world.open()
    first = await session.fire(world.invoices())
    await first

    second = await session.fire(world.invoices())

    assert first.id != second.id
    assert Status.FINISHED == (await second).status


async def test_a_busy_link_queues_the_next_request(world: World) -> None:
    """Belvo takes one request per link: the next one is stored at once, and sent when the first has ended."""
    session = await world.open()
    first = await session.fire(world.invoices(type="INFLOW"))

    second = await session.fire(world.invoices(type="OUTFLOW"))

    assert (Status.SUBMITTING, None) == (second.status, second.job.remote_id)
    assert 1 == len(world.sent("POST"))
    assert (await first).settled_at <= (await second).settled_at
    assert 2 == len(world.sent("POST"))


async def test_who_waits_behind_a_busy_link_is_told_so(world: World) -> None:
    """The second job was never tried; nothing says that it was, and no id shows."""
    session = await world.open()
    world.belvo.next_job(outcome="stuck")
    await session.fire(world.invoices(type="INFLOW"))
    second = await session.fire(world.invoices(type="OUTFLOW"))

    with pytest.raises(JobTimeoutError) as ended:
        await second.wait(timedelta(seconds=20))

    told = str(ended.value)
    assert second.id in told
    assert "is still submitting after 20 s; it was not sent yet and waits for another job of the same link" in told
    assert world.belvo.links[0] not in told


async def test_who_waits_for_a_refresh_is_told_what_reported(world: World) -> None:
    """Which resources, and since when nothing more."""
    session = await world.open()
    handle = await session.fire(belvo.Refresh(world.belvo.links[0], ["TAX_STATUS"]))

    with pytest.raises(JobTimeoutError) as ended:
        await handle.wait(timedelta(minutes=5))

    (report,) = handle.job.evidence.reports
    assert f"TAX_STATUS reported, nothing since {report.at:%H:%M:%S}Z; it goes on at the vendor" in str(ended.value)


async def test_links_do_not_wait_for_each_other(world: World) -> None:
    """Only requests of one link exclude each other."""
    session = await world.open()

    jobs = [await session.fire(world.invoices(link)) for link in range(3)]

    assert [Status.PENDING] * 3 == [job.status for job in jobs]


async def test_a_long_queue_of_one_link_is_worked_off_in_order(world: World) -> None:
    """Each end sends the oldest waiting request of the link; none is forgotten, none is refused."""
    session = await world.open()
    months = [(date(2025, month, 1), date(2025, month, 28)) for month in range(1, 9)]

    jobs = []
    for first, last in months:
        jobs.append(await session.fire(world.invoices(date_from=first, date_to=last)))
        await asyncio.sleep(0.01)
    ended = await asyncio.gather(*jobs)

    assert [Status.FINISHED] * 8 == [job.status for job in ended]
    assert sorted(job.settled_at for job in ended) == [job.settled_at for job in ended]
    assert [202] * 8 == [request.status for request in world.sent("POST")]


async def test_a_link_stays_taken_by_an_uncertain_request(world: World) -> None:
    """A request that may have been accepted keeps its link until it is over."""
    session = await world.open()
    world.belvo.next_answer("lost_202")
    await session.fire(world.invoices(type="INFLOW"))

    second = await session.fire(world.invoices(type="OUTFLOW"))

    assert Status.SUBMITTING == second.status
    assert Status.FINISHED == (await second).status
    assert [0, 202] == [request.status for request in world.sent("POST")]


async def test_a_running_equal_extraction_is_joined(world: World) -> None:
    """409: somebody else's client runs the same extraction. Its job becomes ours, nothing is started twice."""
    elsewhere = await world.open(world.syntage_vendor(), webhooks=False)
    theirs = await elsewhere.fire(world.extraction())
    session = await world.open()

    mine = await session.fire(world.extraction())

    assert theirs.job.remote_id == mine.job.remote_id
    assert Status.FINISHED == (await mine).status
    assert [202, 409] == [request.status for request in world.sent("POST")]


async def test_a_conflict_with_nothing_in_sight_is_tried_again(world: World) -> None:
    """A 409 whose extraction cannot be found was certainly not accepted: it is sent once more later."""
    session = await world.open()
    world.syntage.next_answer("conflict")

    job = await session.fire(world.extraction())

    assert Status.FINISHED == (await job).status
    assert [409, 202] == [request.status for request in world.sent("POST")]


@pytest.mark.parametrize("fault", ["rate_limited", "html_403"])
async def test_a_throttled_belvo_request_is_accepted_later(world: World, fault: str) -> None:
    """429 and the proxy's page mean not accepted: the same job goes out again after a while."""
    session = await world.open()
    world.belvo.next_answer(fault)

    job = await session.fire(world.invoices())

    assert Status.FINISHED == (await job).status
    assert 202 == world.sent("POST")[-1].status
    assert 1 == len(world.belvo.jobs)


async def test_a_throttled_extraction_is_accepted_later(world: World) -> None:
    """429 means not accepted: the same job goes out again when the window ends."""
    session = await world.open()
    world.syntage.next_answer("rate_limited", count=7)

    job = await session.fire(world.extraction())

    assert Status.FINISHED == (await job).status
    assert 1 == len(world.syntage.jobs)


async def test_a_throttled_submission_is_no_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A vendor that asks for patience is usual; one that refuses for a while is told."""
    session = await world.open()
    world.syntage.next_answer("rate_limited", count=7)
    await (await session.fire(world.extraction()))
    throttled = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    world.belvo.next_answer("institution_down")

    await (await session.fire(world.invoices()))

    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert [] == throttled
    (why,) = told
    assert why.startswith("a submission was not accepted; it is tried again: institution_down: ")


@pytest.mark.parametrize("code", ["too_many_sessions", "institution_down"])
async def test_a_passing_refusal_is_tried_again(world: World, code: str) -> None:
    """Codes for which Belvo documents that trying again helps: the job waits and goes out again."""
    session = await world.open()
    world.belvo.next_answer(code)

    job = await session.fire(world.invoices())

    assert (Status.SUBMITTING, True) == (job.status, job.job.is_queued)
    assert Status.FINISHED == (await job).status
    assert [400, 202] == [request.status for request in world.sent("POST")]


async def test_a_link_is_not_worn_out_by_retries(world: World) -> None:
    """Six failed requests kill a link: three are the most, then the job is rejected."""
    session = await world.open()
    world.belvo.next_answer("too_many_sessions", count=10)
    job = await session.fire(world.invoices())

    with pytest.raises(JobRejectedError) as refused:
        await job

    assert "too_many_sessions" == refused.value.code
    assert 3 == len(world.sent("POST"))


async def test_a_refusal_comes_from_awaiting(world: World) -> None:
    """`fire` itself raises nothing the vendor says; the error carries job, code and whether firing again helps."""
    session = await world.open()
    world.belvo.set_link_status(world.belvo.links[0], "invalid")

    job = await session.fire(world.invoices())

    assert Status.REJECTED == job.status
    with pytest.raises(JobRejectedError) as refused:
        await job
    assert ("invalid_link", job.job, False) == (
        refused.value.code,
        refused.value.job,
        refused.value.job.failure.retryable,
    )


@pytest.mark.parametrize("fault", ["unauthorized", "bad_request", "forbidden", "unprocessable"])
async def test_a_refused_extraction_is_rejected(world: World, fault: str) -> None:
    """Syntage's 4xx refuse for good."""
    session = await world.open()
    world.syntage.next_answer(fault)

    job = await session.fire(world.extraction())

    with pytest.raises(JobRejectedError) as refused:
        await job
    assert fault == refused.value.code
    assert 1 == len(world.sent("POST"))


async def test_an_unknown_entity_is_rejected(world: World) -> None:
    """The vendor's validation is told with the field it names."""
    session = await world.open()
    job = await session.fire(syntage.Extraction(entity=f"/entities/{uuid.UUID(int=0)}", extractor="tax_status"))

    with pytest.raises(JobRejectedError) as refused:
        await job

    assert "validation" == refused.value.code
    assert "entity" in str(refused.value)


async def test_a_vendor_out_of_reach_rejects(world: World) -> None:
    """A refused connection certainly sent nothing: rejected, and worth firing again."""
    session = await world.open()
    await world.syntage.close()

    job = await session.fire(world.extraction())

    with pytest.raises(JobRejectedError) as refused:
        await job
    assert ("unreachable", True) == (refused.value.code, refused.value.job.failure.retryable)


async def test_a_synchronous_answer_finishes_the_job(world: World) -> None:
    """Belvo may answer with the rows though async was asked: the job is finished, its results are read as ever."""
    session = await world.open()
    world.belvo.next_answer("synchronous")

    job = await session.fire(world.invoices())

    assert (Status.FINISHED, Way.ANSWER) == (job.status, (await job).settled_by)
    truth = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert {row["id"] for row in truth} == {invoice.id async for invoice in job.results()}


async def test_a_store_that_is_down_sends_nothing(world: World) -> None:
    """The intent must be durable before the first byte: StoreError, and no request."""
    store = TroubledStore()
    session = await world.open(store=store)
    store.is_down = True

    with pytest.raises(StoreError):
        await session.fire(world.invoices())

    assert [] == world.sent()


async def test_cancelling_fire_leaves_the_submission_alone(world: World) -> None:
    """Once begun, a submission belongs to the session: a cancelled caller can attach to the job later."""
    session = await world.open()
    firing = asyncio.create_task(session.fire(world.invoices()))
    await world.until(lambda: world.sent("POST"))
    firing.cancel()

    (job,) = [each async for each in session.open_jobs()]

    assert Status.FINISHED == (await job).status
    assert 1 == len(world.sent("POST"))


class FullDisk:
    """Makes connections to a file on a disk that may fill up: SQLite says so when it commits."""

    def __init__(self) -> None:
        self.is_full = False

    def __call__(self, path: str) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            wrote = False

            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                self.wrote = "IMMEDIATE" in statement or (self.wrote and "BEGIN" not in statement)
                if disk.is_full and self.wrote and statement == "COMMIT":
                    error = sqlite3.OperationalError("database or disk is full")
                    error.sqlite_errorcode = sqlite3.SQLITE_FULL
                    raise error
                return super().execute(statement, *values)

        return sqlite3.connect(path, factory=Connection)


async def test_a_full_disk_is_told_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    """The intent cannot be kept: an error at once, nothing at the vendor, and nothing that is sent later."""
    disk = FullDisk()
    session = await world.open(store=SqliteStore(tmp_path / "jobs.db", connect=disk))
    disk.is_full = True

    with pytest.raises(StoreError, match="the disk is full"):
        await session.fire(world.extraction())

    disk.is_full = False
    await asyncio.sleep(600)
    assert [] == world.sent("POST")
    assert [] == [handle async for handle in session.open_jobs()]


async def test_a_disk_that_fills_up_while_the_vendor_answers_holds_nobody(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`fire` gives its handle within seconds; the answer is kept in memory until there is room, and the log says so."""
    disk = FullDisk()
    session = await world.open(store=SqliteStore(tmp_path / "jobs.db", connect=disk), webhooks=False)
    world.syntage.next_answer("slow")
    firing = asyncio.create_task(session.fire(world.extraction()))
    await world.until(lambda: world.sent("POST"))
    disk.is_full = True
    began = world.clock.now()

    handle = await firing

    assert (world.clock.now() - began).total_seconds() < 20

    [remote_id] = world.syntage.jobs
    assert (Status.SUBMITTING, 1) == (handle.status, len(world.sent("POST")))
    await asyncio.sleep(600)
    told = [each for each in caplog.records if "must not be lost waits: the disk is full" in each.getMessage()]
    assert 10 <= len(told) <= 13
    disk.is_full = False
    assert remote_id == (await handle).remote_id
    assert 1 == len(world.sent("POST"))


async def test_an_answer_that_never_could_be_kept_is_told_in_the_end(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits no longer than ever for a full disk; the vendor's id of the job is then in the log, to adopt it."""
    disk = FullDisk()
    session = await world.open(store=SqliteStore(tmp_path / "jobs.db", connect=disk), webhooks=False)
    world.syntage.next_answer("slow")
    firing = asyncio.create_task(session.fire(world.extraction()))
    await world.until(lambda: world.sent("POST"))
    disk.is_full = True
    await firing

    async with asyncio.timeout(10):
        await session.close()

    [remote_id] = world.syntage.jobs
    assert 1 == sum(remote_id in each.getMessage() for each in caplog.records if each.levelname == "WARNING")
