"""Submissions whose answer was lost: found and adopted, or told as uncertain, and never sent twice by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from belvo_async import Status, SubmissionUncertainError, UnsupportedError, Way
from tests.session.world import World


async def test_fire_returns_a_doubt(world: World) -> None:
    """An answer that was cut off says nothing: `fire` returns, the job is uncertain and says why."""
    session = await world.open(webhooks=False)
    world.belvo.next_answer("lost_202")

    job = await session.fire(world.invoices())

    assert (Status.UNCERTAIN, False) == (job.status, job.done())
    assert job.job.submission.doubt


@pytest.mark.parametrize("fault", ["lost_202", "bad_gateway"])
async def test_a_lost_extraction_is_found(world: World, fault: str) -> None:
    """Syntage lists extractions: a lost one is found by taxpayer, extractor and options, and adopted."""
    session = await world.open(webhooks=False)
    world.syntage.next_answer(fault)

    job = await session.fire(world.extraction())
    ended = await job

    assert [ended.remote_id] == list(world.syntage.jobs)
    assert Status.FINISHED == ended.status
    assert 1 == len(world.sent("POST"))


async def test_an_older_equal_extraction_is_not_adopted(world: World) -> None:
    """Only what was created since the attempt can be the lost one."""
    session = await world.open()
    old = await (await session.fire(world.extraction(extractor="tax_status")))
    world.syntage.next_answer("unsent")

    job = await session.fire(world.extraction(extractor="tax_status"))

    with pytest.raises(SubmissionUncertainError):
        await job
    assert old.remote_id != job.job.remote_id


async def test_an_extraction_nowhere_to_be_found_is_uncertain(world: World) -> None:
    """Absent for two minutes: the error says that nobody can say, and the caller decides."""
    session = await world.open()
    world.syntage.next_answer("unsent")
    began = world.clock.now()
    job = await session.fire(world.extraction())

    with pytest.raises(SubmissionUncertainError) as doubt:
        await job

    assert ("uncertain", job.job) == (doubt.value.code, doubt.value.job)
    assert timedelta(minutes=2) <= world.clock.now() - began < timedelta(minutes=6)
    assert job.done()


async def test_a_lost_belvo_request_is_adopted_by_its_webhook(world: World) -> None:
    """Belvo lists no requests, but its webhook names link and resource: the only one that fits is ours."""
    session = await world.open()
    world.belvo.next_answer("lost_202")

    ended = await (await session.fire(world.invoices()))

    assert (Status.FINISHED, Way.WEBHOOK) == (ended.status, ended.settled_by)
    assert 1 == len(world.sent("POST"))


async def test_a_webhook_of_another_link_is_not_adopted(world: World) -> None:
    """A delivery about another link is somebody else's."""
    session = await world.open()
    world.belvo.next_answer("unsent")
    job = await session.fire(world.invoices(link=0))
    headers, body = world.belvo_delivery("9" * 32, link=1)

    assert 200 == await session.receive("belvo", headers, body)

    with pytest.raises(SubmissionUncertainError):
        await job


async def test_two_deliveries_that_fit_are_adopted_by_nobody(world: World) -> None:
    """With two candidates any choice is a guess: the job stays uncertain."""
    session = await world.open()
    world.belvo.next_answer("unsent", count=2)
    jobs = [await session.fire(world.invoices(link)) for link in (0, 1)]
    for request_id in ("8" * 32, "9" * 32):
        await session.receive("belvo", *world.belvo_delivery(request_id, link=1, webhook_id=request_id))

    for job in jobs[:1]:
        with pytest.raises(SubmissionUncertainError):
            await job


async def test_a_silent_belvo_leaves_the_doubt(world: World) -> None:
    """Without a delivery in fifteen minutes Belvo's doubt is told; the job stays adoptable."""
    session = await world.open(webhooks=False)
    world.belvo.next_answer("lost_202")
    began = world.clock.now()
    job = await session.fire(world.invoices())

    with pytest.raises(SubmissionUncertainError):
        await job

    assert timedelta(minutes=15) <= world.clock.now() - began < timedelta(minutes=25)


async def test_an_uncertain_job_adopts_the_id_its_user_found(world: World) -> None:
    """Who looked at the vendor's dashboard can name the id: the same job goes on with it."""
    session = await world.open(webhooks=False)
    world.belvo.next_answer("lost_202")
    job = await session.fire(world.invoices())
    (remote_id,) = world.belvo.jobs

    adopted = await session.adopt("belvo", remote_id, world.invoices())

    assert job.id == adopted.id
    assert Status.FINISHED == (await adopted).status
    assert (await job) == adopted.job


async def test_resubmitting_is_the_users_decision(world: World) -> None:
    """`resubmit` sends an uncertain task once more, as a new job that the old one names."""
    session = await world.open(webhooks=False)
    world.syntage.next_answer("unsent")
    doubted = await session.fire(world.extraction())
    with pytest.raises(SubmissionUncertainError):
        await doubted

    again = await doubted.resubmit()

    assert again.id != doubted.id
    assert Status.FINISHED == (await again).status
    assert again.id == doubted.job.superseded_by
    assert 2 == len(world.sent("POST"))


async def test_a_doubt_can_be_resubmitted_at_once(world: World) -> None:
    """Who knows that nothing was accepted need not wait for the search to end."""
    session = await world.open()
    world.belvo.next_answer("unsent")
    doubted = await session.fire(world.invoices())

    again = await doubted.resubmit()

    assert Status.FINISHED == (await again).status
    with pytest.raises(SubmissionUncertainError):
        await doubted


async def test_a_job_under_way_is_not_resubmitted(world: World) -> None:
    """There is nothing to submit again while the vendor works."""
    session = await world.open()
    job = await session.fire(world.invoices())

    with pytest.raises(UnsupportedError):
        await job.resubmit()

    assert 1 == len(world.sent("POST"))


async def test_an_ended_job_is_resubmitted_as_a_new_one(world: World) -> None:
    """After an end, `resubmit` is firing the same task again."""
    session = await world.open()
    world.belvo.next_job(outcome="failed")
    failed = await session.fire(world.invoices())
    await world.until(failed.done)

    again = await failed.resubmit()

    assert Status.FINISHED == (await again).status
    assert Status.FAILED == failed.status
