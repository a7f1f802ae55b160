"""Nothing is paid twice: an equal job that is fresh is joined, and a name gives the same job for ever."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobFailedError, JobRejectedError, Status, TaskError
from belvo_async.abc import Store
from belvo_async.jobs import PROOF, Job
from belvo_async.stores import MemoryStore
from tests.session.world import World
from tests.stores.samples import Covering, proving
from tests.troubled_store import TroubledStore

HOUR = timedelta(hours=1)


def posts(world: World) -> int:
    return len(world.sent("POST"))


async def test_a_fresh_whole_job_is_joined(world: World) -> None:
    """One request for both: the second handle is done at once, and reads the same records."""
    session = await world.open()
    job = await (await session.fire(world.invoices()))

    again = await session.fire(world.invoices(), max_age=HOUR)

    assert (job.id, True) == (again.id, again.done())
    assert job == await again
    assert job.created_count == len(await again.results().to_list())
    assert 1 == posts(world)


async def test_an_age_counts_from_the_end_by_the_clock_of_the_session(world: World) -> None:
    """The instant itself still counts; a moment later it is too old."""
    session = await world.open()
    job = await (await session.fire(world.extraction()))
    assert job.settled_at is not None
    await asyncio.sleep((job.settled_at + HOUR - world.clock.now()).total_seconds())
    age = world.clock.now() - job.settled_at

    assert job.id == (await session.fire(world.extraction(), max_age=age)).id
    assert job.id != (await session.fire(world.extraction(), max_age=age - timedelta(seconds=1))).id
    assert 2 == posts(world)


async def test_what_is_not_whole_is_fired_anew(world: World) -> None:
    """A failed job gave nothing, and a partial one not all."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    with pytest.raises(JobFailedError):
        await (await session.fire(world.extraction()))

    assert Status.FINISHED == (await (await session.fire(world.extraction(), max_age=HOUR))).status
    assert 2 == posts(world)


async def test_without_an_age_or_a_name_fire_asks_the_store_no_more(world: World) -> None:
    """Nothing is looked for that nobody asked for."""
    store = TroubledStore()
    session = await world.open(store=store, sweep=False)
    handle = await session.fire(world.extraction())
    await session.fire(world.extraction(1))
    before = store.asked

    await session.fire(world.extraction())

    assert 1 == store.asked - before
    assert 2 == posts(world)
    assert not handle.done()


async def test_a_name_gives_the_same_job_for_ever(world: World, tmp_path: Path) -> None:
    """In this process and after a restart, long after it ended."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    session = await world.open(store=store)
    job = await (await session.fire(world.invoices(), once="january"))
    assert job.id == (await session.fire(world.invoices(), once="january")).id
    await session.close()
    await asyncio.sleep(timedelta(days=400).total_seconds())

    session = await world.open(store=store)
    again = await session.fire(world.invoices(), once="january")

    assert job == await again
    assert 1 == posts(world)


async def test_a_name_keeps_a_job_that_failed(world: World) -> None:
    """Like an idempotency key: `resubmit` or another name tries again."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    failed = await session.fire(world.extraction(), once="a", tags={"tenant": "acme"})
    with pytest.raises(JobFailedError):
        await failed

    again = await session.fire(world.extraction(), once="a", max_age=HOUR)
    with pytest.raises(JobFailedError):
        await again
    assert (failed.id, 1) == (again.id, posts(world))

    retried = await again.resubmit()
    assert Status.FINISHED == (await retried).status
    assert {"tenant": "acme"} == retried.job.tags
    assert failed.id == (await session.fire(world.extraction(), once="a")).id
    assert retried.id == (await session.fire(world.extraction(), once="b", max_age=HOUR)).id
    assert 2 == posts(world)


async def test_a_name_keeps_a_job_that_was_refused(world: World) -> None:
    """Nothing was started under it: the refusal is what the name gives."""
    session = await world.open()
    world.belvo.next_answer("unsupported_operation")
    with pytest.raises(JobRejectedError):
        await (await session.fire(world.invoices(), once="a"))

    with pytest.raises(JobRejectedError):
        await (await session.fire(world.invoices(), once="a"))
    assert 1 == posts(world)


async def test_a_joined_job_takes_the_name_on(world: World) -> None:
    """An equal job under way, or a fresh one, is that name's job from then on; it may have many."""
    session = await world.open()
    handle = await session.fire(world.invoices())

    named = [await session.fire(world.invoices(), once=name) for name in ("a", "b")]
    await handle
    late = await session.fire(world.invoices(), once="c", max_age=HOUR)

    assert {handle.id} == {each.id for each in [*named, late]}
    assert ("a", "b", "c") == late.job.once
    for name in ("a", "b", "c"):
        assert handle.id == (await session.fire(world.invoices(), once=name)).id
    assert 1 == posts(world)


async def test_a_name_of_another_task_is_refused(world: World) -> None:
    """Before a byte is sent, and without telling the name."""
    session = await world.open()
    handle = await session.fire(world.invoices(), once="secret-name")

    with pytest.raises(TaskError, match=handle.id) as refused:
        await session.fire(world.invoices(type="OUTFLOW"), once="secret-name")

    assert "once" == refused.value.field
    assert "secret-name" not in str(refused.value)
    assert 1 == posts(world)


async def test_many_at_once_pay_once(world: World) -> None:
    """However the two ways are mixed."""
    session = await world.open()
    wishes: list[dict[str, Any]] = [{"once": "a"}, {"max_age": HOUR}, {"once": "b", "max_age": HOUR}, {}]

    handles = await asyncio.gather(*(session.fire(world.invoices(), **wishes[number % 4]) for number in range(40)))

    assert 1 == len({each.id for each in handles})
    assert {"a", "b"} == set((await handles[0]).once)
    assert 1 == posts(world)


async def test_a_named_job_past_its_deadline_is_still_the_one(world: World) -> None:
    """An equal task without the name is started anew; the name is never paid twice."""
    session = await world.open()
    world.syntage.next_job(outcome="stuck")
    named = await session.fire(world.extraction(), once="a", deadline=timedelta(minutes=5))
    await asyncio.sleep(HOUR.total_seconds())

    again = await session.fire(world.extraction(), once="a")
    assert (named.id, 1) == (again.id, posts(world))
    await asyncio.sleep(timedelta(hours=7).total_seconds())
    assert named.id != (await session.fire(world.extraction())).id
    assert named.id == (await session.fire(world.extraction(), once="a")).id


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"once": ""}, "once"),
        ({"once": "a\n"}, "once"),
        ({"once": "x" * 201}, "once"),
        ({"once": 7}, "once"),
        ({"max_age": timedelta(0)}, "max_age"),
        ({"max_age": -HOUR}, "max_age"),
        ({"max_age": 3600}, "max_age"),
        ({"tags": ["tenant"]}, "tags"),
        ({"tags": {f"t{number}": "" for number in range(17)}}, "tags"),
        ({"tags": {"": "x"}}, "tags"),
        ({"tags": {"a b": "x"}}, "tags"),
        ({"tags": {"a" * 65: "x"}}, "tags"),
        ({"tags": {"tenant": "x\0"}}, "tags"),
        ({"tags": {"tenant": "x" * 201}}, "tags"),
        ({"tags": {"tenant": 7}}, "tags"),
        ({"tags": {7: "x"}}, "tags"),
    ],
)
async def test_what_cannot_be_kept_is_refused(world: World, options: dict[str, Any], field: str) -> None:
    """Before a byte is sent; the field is told, its value is not."""
    session = await world.open()

    with pytest.raises(TaskError) as refused:
        await session.fire(world.invoices(), **options)

    assert field == refused.value.field
    assert 0 == posts(world)


async def test_any_age_and_the_longest_words_are_taken(world: World) -> None:
    """Up to their bounds."""
    session = await world.open()
    tags = {"a" * 64: "ñ" * 200} | {f"t-{number}.x_": "" for number in range(15)}

    handle = await session.fire(world.invoices(), max_age=timedelta.max, once="ñ " * 100, tags=tags)

    assert tags == (await handle).tags


async def test_tags_are_kept_and_never_overwritten(world: World) -> None:
    """Who joins adds what is lacking."""
    session = await world.open()
    handle = await session.fire(world.invoices(), tags={"tenant": "acme"})

    await session.fire(world.invoices(), tags={"tenant": "other", "batch": "7"})

    assert {"tenant": "acme", "batch": "7"} == (await handle).tags
    await session.fire(world.invoices(), max_age=HOUR, tags={"late": "yes"})
    assert {"tenant": "acme", "batch": "7", "late": "yes"} == (await session.attach(handle.id)).job.tags
    assert 1 == posts(world)


async def test_jobs_are_found_by_their_tags(world: World) -> None:
    """By all that are asked for, among open and ended ones."""
    session = await world.open()
    ended = await session.fire(world.invoices(0), tags={"tenant": "a", "batch": "1"})
    await ended
    world.belvo.next_job(outcome="stuck")
    running = await session.fire(world.invoices(1), tags={"tenant": "a"})
    world.belvo.next_job(outcome="stuck")
    await session.fire(world.invoices(2))

    assert [running.id] == [each.id async for each in session.open_jobs(tags={"tenant": "a"})]
    assert [] == [each.id async for each in session.open_jobs(tags={"tenant": "a", "batch": "1"})]
    assert [ended.id] == [each.id async for each in session.ended_jobs(tags={"tenant": "a", "batch": "1"})]
    assert [] == [each.id async for each in session.ended_jobs(tags={"tenant": "b"})]
    assert 2 == len([each async for each in session.open_jobs()])


async def test_a_run_pays_for_nothing_again(world: World) -> None:
    """The same tasks, given again: every handle is there, no request is made."""
    session = await world.open()
    tasks = [world.invoices(link) for link in range(3)]
    async for handle in session.run(tasks, tags={"run": "1"}):
        assert {"run": "1"} == handle.job.tags

    again = [handle async for handle in session.run(tasks, max_age=HOUR, tags={"run": "2"})]

    assert 3 == len({handle.id for handle in again})
    assert {"1"} == {handle.job.tags["run"] for handle in again}
    assert 3 == posts(world)
    with pytest.raises(TaskError):
        session.run(tasks, max_age=timedelta(0))


async def test_names_and_tags_show_nowhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """They are the user's words: they may hold anything."""
    caplog.set_level(logging.DEBUG, "belvo_async")
    session = await world.open()
    handle = await session.fire(world.invoices(), once="secret-name", tags={"tenant": "secret-tenant"})

    job = await handle

    assert ("secret-name",) == job.once
    assert "secret" not in repr(job) + repr(handle) + caplog.text


def theirs(job_id: str, session: Any, **facts: Any) -> Job:
    account = session.vendors["belvo"].account
    return proving(job_id, **({"account": account, "vendor": "belvo"} | facts))


async def proofs(store: Store) -> list[str]:
    return [entry.key async for entry in store.entries(PROOF)]


async def test_history_tells_of_forgotten_jobs_too(world: World) -> None:
    """Each once: those that are kept, then the proofs of those that are not."""
    session = await world.open()
    kept = await (await session.fire(world.invoices()))
    await session.store.put(theirs("pruned", session, created_count=7), expected=None)
    await session.store.put(theirs("other", session, account="https://else#x"), expected=None)
    assert await session.forget("pruned")
    assert not await session.forget("pruned")
    assert not await session.forget("other", keep_proof=False)

    history = [job async for job in session.history()]

    assert [kept.id, "pruned"] == [job.id for job in history]
    assert (7, Covering(), Status.FINISHED) == (history[1].created_count, history[1].task, history[1].status)


async def test_who_has_a_right_to_it_is_forgotten_whole(world: World) -> None:
    """With the job, or after it was pruned."""
    session = await world.open()
    for job_id in ("one", "two"):
        await session.store.put(theirs(job_id, session), expected=None)
    await session.forget("one")
    assert ["one"] == await proofs(session.store)

    assert await session.forget("two", keep_proof=False)
    await session.forget("one", keep_proof=False)

    assert [] == [job async for job in session.history()]


async def test_a_forgotten_name_is_free(world: World) -> None:
    """Its task is paid for again then: somebody meant to."""
    session = await world.open()
    first = await session.fire(world.invoices(), once="a")
    await first
    await session.forget(first.id)

    second = await session.fire(world.invoices(), once="a")

    assert first.id != second.id
    assert 2 == posts(world)


async def test_a_memory_store_lets_go_of_no_name(world: World) -> None:
    """Of the others the oldest go first, and leave their proofs."""
    store = MemoryStore(finished_limit=2)
    session = await world.open(store=store)
    named = await session.fire(world.invoices(), once="a")
    await named
    for number in range(4):
        await store.put(theirs(f"{number}", session, key=f"{number}"), expected=None)

    kept = {handle.id async for handle in session.ended_jobs()}
    assert {named.id, "2", "3"} == kept
    assert ["0", "1"] == await proofs(store)
    assert named.id == (await session.fire(world.invoices(), once="a")).id
