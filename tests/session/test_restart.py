"""Jobs outlive the process that fired them: a session opened on the same store takes them up."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async import (
    JobFailedError,
    Session,
    SessionClosedError,
    Status,
    StoreError,
    SubmissionUncertainError,
    Syntage,
    UnknownJobError,
    Way,
)
from tests.session.world import World


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of a store that survives."""
    return f"sqlite:{tmp_path / 'jobs.db'}"


async def test_a_job_ends_in_the_next_session(world: World, store: str) -> None:
    """Closed while a job runs, opened again: the job is attached by its id, ends, and its records are read."""
    first = await world.open(store=store)
    fired = [await first.fire(world.extraction()), await first.fire(world.invoices())]
    await first.close()

    second = await world.open(store=store)
    attached = [await second.attach(each.id) for each in fired]
    jobs = await asyncio.gather(*attached)

    assert [each.id for each in fired] == [job.id for job in jobs]
    assert [Status.FINISHED] * 2 == [job.status for job in jobs]
    assert {row["id"] for row in world.syntage.invoices(world.syntage.entities[0], _period())} == {
        invoice.id async for invoice in attached[0].results()
    }
    assert [each.job.task for each in fired] == [job.task for job in jobs]


def _period() -> dict[str, object]:
    return {"period": {"from": "2025-01-01", "to": "2025-03-31"}}


async def test_an_end_while_nobody_was_there_is_found(world: World, store: str) -> None:
    """No webhook reached anybody: the next session polls open jobs by itself."""
    first = await world.open(store=store, webhooks=False)
    fired = await first.fire(world.extraction())
    await first.close()
    await asyncio.sleep(3600)

    second = await world.open(store=store, webhooks=False)
    job = await (await second.attach(fired.id))

    assert (Status.FINISHED, Way.POLL) == (job.status, job.settled_by)


async def test_an_ended_job_is_still_known(world: World, store: str) -> None:
    """The same outcome after every restart."""
    first = await world.open(store=store)
    world.syntage.next_job(outcome="failed")
    failed = await first.fire(world.extraction())
    finished = await first.fire(world.invoices())
    await world.until(lambda: failed.done() and finished.done())
    await first.close()

    second = await world.open(store=store)

    assert finished.job == await (await second.attach(finished.id))
    with pytest.raises(JobFailedError) as again:
        await (await second.attach(failed.id))
    assert failed.job == again.value.job


async def test_a_queued_request_is_sent_after_a_restart(world: World, store: str) -> None:
    """What waited for its link is not forgotten, and not sent twice."""
    first = await world.open(store=store)
    await first.fire(world.invoices(type="INFLOW"))
    queued = await first.fire(world.invoices(type="OUTFLOW"))
    await first.close()

    second = await world.open(store=store)
    job = await (await second.attach(queued.id))

    assert Status.FINISHED == job.status
    assert 2 == len(world.sent("POST"))


async def test_a_doubt_survives(world: World, store: str) -> None:
    """A lost submission is looked for by whoever opens the store next."""
    first = await world.open(store=store, webhooks=False)
    world.syntage.next_answer("lost_202")
    lost = await first.fire(world.extraction())
    await first.close()

    second = await world.open(store=store, webhooks=False)

    assert Status.FINISHED == (await (await second.attach(lost.id))).status
    assert 1 == len(world.sent("POST"))


async def test_a_given_up_doubt_stays_one(world: World, store: str) -> None:
    """The outcome of an abandoned search is the same for whoever attaches later."""
    first = await world.open(store=store, webhooks=False)
    world.syntage.next_answer("unsent")
    lost = await first.fire(world.extraction())
    with pytest.raises(SubmissionUncertainError):
        await lost
    await first.close()

    second = await world.open(store=store, webhooks=False)

    with pytest.raises(SubmissionUncertainError):
        await (await second.attach(lost.id))


async def test_open_jobs_are_those_that_have_not_ended(world: World, store: str) -> None:
    """A session that starts finds all its unfinished jobs, oldest first."""
    first = await world.open(store=store)
    over = await first.fire(world.extraction())
    await over
    fired = []
    for task in (world.invoices(0), world.extraction(1), world.invoices(0, type="OUTFLOW")):
        fired.append(await first.fire(task))
        await asyncio.sleep(0.1)
    await first.close()

    second = await world.open(store=store)
    found = [handle async for handle in second.open_jobs()]

    assert [each.id for each in fired] == [handle.id for handle in found]
    assert [Status.FINISHED] * 3 == [job.status for job in await asyncio.gather(*found)]
    assert [] == [handle async for handle in second.open_jobs()]


async def test_open_jobs_past_their_deadline_can_be_awaited(world: World, store: str) -> None:
    """A stored deadline that has passed does not end the waiting at once."""
    first = await world.open(store=store)
    world.syntage.next_job(duration=timedelta(hours=2))
    await first.fire(world.extraction(), deadline=timedelta(minutes=1))
    await first.close()
    await asyncio.sleep(2.05 * 3600)

    second = await world.open(store=store)
    (handle,) = [each async for each in second.open_jobs()]

    assert Status.FINISHED == (await handle).status


@pytest.mark.parametrize("job_id", ["nothing", "", "0" * 32, "' OR 1=1 --", "\ud800"])
async def test_an_unknown_job_is_said_to_be_unknown(world: World, store: str, job_id: str) -> None:
    """Ids come from outside: whatever they are, the error is the documented one."""
    session = await world.open(store=store)

    with pytest.raises(UnknownJobError) as unknown:
        await session.attach(job_id)

    assert isinstance(unknown.value, LookupError)


async def test_jobs_of_another_account_are_unknown(world: World, store: str) -> None:
    """A store may be shared by accounts; a session sees its own."""
    first = await world.open(store=store)
    theirs = await first.fire(world.extraction())
    await first.close()

    second = await world.open(world.belvo_vendor(), store=store)

    with pytest.raises(UnknownJobError):
        await second.attach(theirs.id)
    assert [] == [handle async for handle in second.open_jobs()]


async def test_two_sessions_share_a_store(world: World, store: str) -> None:
    """Equal tasks of two sessions on one store are one job; both get its end, whoever took the webhook."""
    one, other = await world.open(store=store), await world.open(store=store)

    mine, yours = await one.fire(world.extraction()), await other.fire(world.extraction())

    assert mine.id == yours.id
    assert Status.FINISHED == (await yours).status
    assert 1 == len(world.sent("POST"))
    assert yours.job == await (await one.attach(mine.id))


async def test_a_closed_session_is_closed_for_everything(world: World) -> None:
    """After `close` every call says that the session is closed; handles keep what they knew."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    await session.close()

    async def list_open() -> None:
        async for _ in session.open_jobs():
            pass

    for call in (
        lambda: session.fire(world.extraction(1)),
        lambda: session.adopt("belvo", "a" * 32, world.invoices()),
        lambda: session.attach(handle.id),
        lambda: handle.wait(),
        lambda: handle.refresh(),
        lambda: handle.stop(),
        lambda: handle.resubmit(),
        lambda: handle.results().to_list(),
        list_open,
    ):
        with pytest.raises(SessionClosedError):
            await call()
    assert Status.PENDING == handle.status


async def test_an_unopened_session_says_so(world: World) -> None:
    """A session is used inside `async with`."""
    from belvo_async import Session

    session = Session(world.belvo_vendor())

    with pytest.raises(SessionClosedError):
        await session.fire(world.invoices())
    await session.close()


async def test_a_closed_session_may_be_opened_again(world: World) -> None:
    """As an application does that a test client starts for each test: its jobs go on, old handles stay closed."""
    session = await world.open()
    before = await session.fire(world.invoices())
    await session.close()

    await session.open()
    try:
        handle = await session.attach(before.id)
        with pytest.raises(SessionClosedError):
            await before
        assert Status.FINISHED == (await handle).status
        assert (await session.fire(world.extraction(1))).id != before.id
    finally:
        await session.close()


async def test_an_open_session_is_not_opened_twice(world: World) -> None:
    """Whoever shares it opens it once; the session stays usable."""
    session = await world.open()

    with pytest.raises(SessionClosedError, match="open already"):
        await session.open()
    assert (await session.fire(world.invoices())).id


async def test_an_opening_that_failed_may_be_tried_again(tmp_path: Path) -> None:
    """The directory was not there; then it is."""
    session = Session(Syntage("key-7c1e9f40"), store=f"sqlite:{tmp_path}/later/jobs.db", sweep=False)
    with pytest.raises(StoreError):
        await session.open()
    with pytest.raises(SessionClosedError):
        await session.attach("a" * 32)

    (tmp_path / "later").mkdir()
    async with session:
        with pytest.raises(UnknownJobError):
            await session.attach("a" * 32)


async def test_waiters_of_a_closing_session_are_told(world: World) -> None:
    """They get SessionClosedError, each its own; the job lives on."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    waiting = [asyncio.create_task(handle.wait()) for _ in range(2)]
    await asyncio.sleep(1)

    await session.close()
    one, other = await asyncio.gather(*waiting, return_exceptions=True)

    assert [SessionClosedError] * 2 == [type(one), type(other)]
    assert one is not other


async def test_a_submission_under_way_gets_its_answer_before_the_close(world: World) -> None:
    """`close` lets a submission finish for a moment: no needless doubt."""
    session = await world.open()
    firing = asyncio.create_task(session.fire(world.invoices()))
    await world.until(lambda: world.sent("POST"))

    await session.close()
    (outcome,) = await asyncio.gather(firing, return_exceptions=True)

    assert list(world.belvo.jobs) == [outcome.job.remote_id]


async def test_close_takes_a_bounded_time(world: World, store: str) -> None:
    """A submission that gets no answer does not hold the close; it is looked for by the next session."""
    session = await world.open(store=store)
    world.syntage.next_answer("timeout")
    firing = asyncio.create_task(session.fire(world.extraction()))
    await world.until(lambda: world.sent("POST"))
    began = world.clock.now()

    await session.close()
    await asyncio.gather(firing, return_exceptions=True)

    assert world.clock.now() - began < timedelta(seconds=15)
    second = await world.open(store=store, webhooks=False)
    (handle,) = [each async for each in second.open_jobs()]
    with pytest.raises(SubmissionUncertainError):
        await handle


async def test_events_missed_in_a_downtime_are_read_at_once(world: World, store: str) -> None:
    """Opened after a downtime, the session asks the vendor what it announced meanwhile, once."""
    first = await world.open(store=store, webhooks=False)
    fired = await first.fire(world.extraction())
    await first.close()
    await asyncio.sleep(3600)

    second = await world.open(store=store, webhooks=False)
    job = await (await second.attach(fired.id))

    assert Status.FINISHED == job.status
    assert 1 == len([seen for seen in world.syntage.requests if seen.path == "/events"])


async def test_a_forgotten_job_is_unknown(world: World, store: str) -> None:
    """What is forgotten cannot be attached; forgetting it again tells that there was nothing."""
    session = await world.open(store=store)
    job = await session.fire(world.extraction())
    await job

    forgotten = [await session.forget(job.id), await session.forget(job.id), await session.forget("\ud800")]

    assert [True, False, False] == forgotten
    with pytest.raises(UnknownJobError):
        await session.attach(job.id)


async def test_another_session_on_the_same_file_wakes_the_waiter(world: World, store: str) -> None:
    """A webhook that reaches one process wakes the coroutine that waits in another, long before it would poll."""
    waiting = await world.open(store=store, webhooks=False)
    handle = await waiting.fire(world.invoices())
    receiving = await world.open(store=store)

    job = await handle

    assert (Status.FINISHED, Way.WEBHOOK) == (job.status, job.settled_by)
    assert receiving is not waiting
