"""A durable feed of jobs that ended: each comes at least once for each consumer, until it is acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobFailedError, Session, SessionClosedError, SettledJob, StoreError, TaskError
from belvo_async.stores import move_account, open_store
from belvo_async.stores.consumers import read_backlogs
from tests.session.world import World
from tests.stores.urls import empty_store
from tests.troubled_store import TroubledStore

MINUTE = timedelta(minutes=1)
# In which nothing more comes.
A_WHILE = timedelta(seconds=20)


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def shared_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


async def told(session: Session, count: int, **options: Any) -> list[SettledJob]:
    """So many jobs a consumer is told of, and no more."""
    async with aclosing(session.settled(**{"consumer": "etl"} | options)) as feed:
        found = [await anext(feed) for _ in range(count)]
        assert await soon(feed) is None
    return found


async def soon(feed: AsyncIterator[SettledJob], within: timedelta = A_WHILE) -> SettledJob | None:
    """The next one that comes within so long."""
    nexts = asyncio.ensure_future(anext(feed))
    done, _ = await asyncio.wait({nexts}, timeout=within.total_seconds())
    if done:
        return nexts.result()
    nexts.cancel()
    await asyncio.wait({nexts})
    return None


def ids(settled: list[SettledJob]) -> list[str]:
    return sorted(each.id for each in settled)


async def ended(world: World, session: Session, count: int = 2) -> list[str]:
    handles = [await session.fire(world.extraction(number)) for number in range(count)]
    return sorted([(await handle).id for handle in handles])


async def test_what_ended_comes_and_what_ends_afterwards(world: World, store: str) -> None:
    """The feed waits for the next; each is done, whether it finished or failed."""
    session = await world.open(store=store)
    before = await ended(world, session, 1)
    feed = session.settled("etl")

    first = await anext(feed)
    await first.ack()
    world.syntage.next_job(outcome="failed")
    coming = asyncio.ensure_future(anext(feed))
    handle = await session.fire(world.extraction(1))
    second = await coming

    assert (before, handle.id) == ([first.id], second.id)
    assert first.handle.done()
    assert await first.handle.results().to_list()
    with pytest.raises(JobFailedError):
        await second.handle
    assert (handle.job, "failed") == (second.job, second.job.state)


async def test_what_was_acknowledged_never_comes_again(world: World, store: str) -> None:
    """Nor after the process is another; what was not comes once more."""
    session = await world.open(store=store)
    all_ids = await ended(world, session, 3)
    first, *rest = await told(session, 3)
    await first.ack()
    await first.ack()
    if store != "memory:":
        await session.close()
        session = await world.open(store=store, webhooks=False)

    assert all_ids == ids([first, *rest])
    assert ids(rest) == ids(await told(session, 2))


async def test_each_consumer_is_told_of_each_job(world: World, store: str) -> None:
    """What one acknowledges is no business of another."""
    session = await world.open(store=store)
    all_ids = await ended(world, session)
    for each in await told(session, 2):
        await each.ack()

    assert all_ids == ids(await told(session, 2, consumer="another"))
    assert [] == await told(session, 0)


async def test_an_acknowledgement_is_durable_when_it_returns(world: World, shared_store: str) -> None:
    """A process that dies right afterwards has not lost it, nor one that dies before."""
    session = await world.open(store=shared_store)
    await ended(world, session)
    feed = session.settled("etl")
    first, second = await anext(feed), await anext(feed)
    await first.ack()

    # The first still holds the consumer, as one that died would for half a minute.
    other = await world.open(store=shared_store, webhooks=False)
    other_feed = other.settled("etl")
    assert await soon(other_feed) is None
    await session.close()

    assert [second.id] == ids(await told(other, 1))


async def test_one_process_at_a_time_is_told(world: World, shared_store: str) -> None:
    """The second is told at once when the first leaves its loop, and of what ended in any process."""
    one, other = await world.open(store=shared_store), await world.open(store=shared_store, webhooks=False)
    feed, other_feed = one.settled("etl"), other.settled("etl")
    coming = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(1)
    waiting = asyncio.ensure_future(anext(other_feed))

    (job_id,) = await ended(world, other, 1)
    first = await coming
    await asyncio.sleep(60)
    assert (job_id, False) == (first.id, waiting.done())
    await feed.aclose()  # type: ignore[attr-defined]
    began = asyncio.get_running_loop().time()
    second = await waiting

    assert job_id == second.id
    assert asyncio.get_running_loop().time() - began <= 10.5


async def test_a_process_that_dies_is_followed_within_half_a_minute(world: World, shared_store: str) -> None:
    """It gives nothing back; what it was told and did not acknowledge comes to the next."""
    one, other = await world.open(store=shared_store), await world.open(store=shared_store, webhooks=False)
    all_ids = await ended(world, one)
    feed = one.settled("etl")
    await anext(feed)
    for task in asyncio.all_tasks():
        if task.get_name().endswith("settled feed"):
            task.cancel()
    began = asyncio.get_running_loop().time()

    other_feed = other.settled("etl")
    found = [await anext(other_feed), await anext(other_feed)]

    assert all_ids == ids(found)
    assert asyncio.get_running_loop().time() - began <= 41


async def test_who_is_no_longer_told_waits_in_peace(world: World) -> None:
    """However soon it wants to be told again: it does not ask the store all the time."""
    store = TroubledStore()
    session = await world.open(store=store)
    await ended(world, session, 1)
    feed = session.settled("etl", again_after=timedelta(0))
    await anext(feed)
    for task in asyncio.all_tasks():
        if task.get_name().endswith("settled feed"):
            task.cancel()
    await asyncio.sleep(31)

    before = store.asked
    assert await soon(feed) is None

    assert store.asked - before < 50


async def test_what_is_not_acknowledged_comes_again(world: World) -> None:
    """After as long as was said, and for as long as it is not."""
    session = await world.open()
    (job_id,) = await ended(world, session, 1)
    feed = session.settled("etl", again_after=timedelta(minutes=2))
    loop, times = asyncio.get_running_loop(), []
    for _ in range(3):
        settled = await anext(feed)
        times.append(loop.time())
    await settled.ack()

    assert job_id == settled.id
    assert [120, 120] == pytest.approx([later - earlier for earlier, later in pairwise(times)], abs=1)
    assert await soon(feed, timedelta(minutes=10)) is None


async def test_one_may_hold_many_and_acknowledge_them_in_any_order(world: World) -> None:
    """A consumer works on several at once; each counts for itself."""
    session = await world.open()
    await ended(world, session, 3)
    feed = session.settled("etl")
    found = [await anext(feed) for _ in range(3)]

    await asyncio.gather(found[2].ack(), found[0].ack())
    await feed.aclose()  # type: ignore[attr-defined]

    assert [found[1].id] == ids(await told(session, 1))


async def test_a_job_that_ends_anew_comes_anew(world: World) -> None:
    """It was given up and acknowledged so; then the vendor told its end."""
    session = await world.open()
    world.syntage.next_job(duration=timedelta(minutes=10))
    handle = await session.fire(world.extraction())
    await handle.abandon()
    feed = session.settled("etl")
    first = await anext(feed)
    await first.ack()

    second = await anext(feed)

    assert [(handle.id, "abandoned"), (handle.id, "finished")] == [
        (each.id, each.job.state) for each in (first, second)
    ]


async def test_only_what_a_consumer_wants(world: World) -> None:
    """By tags, and by when it ended; the rest stays for who asks without."""
    session = await world.open()
    await (await session.fire(world.extraction(), tags={"tenant": "a"}))
    await asyncio.sleep(120)
    middle = world.clock.now()
    wanted = await (await session.fire(world.extraction(1), tags={"tenant": "a", "more": "x"}))
    await (await session.fire(world.extraction(2), tags={"tenant": "b"}))

    assert [wanted.id] == ids(await told(session, 1, tags={"tenant": "a"}, since=middle))
    assert 3 == len(await told(session, 3))


async def test_those_of_other_accounts_do_not_come(world: World, shared_store: str) -> None:
    """A store may be shared: a consumer is told of the accounts of its session, under all their names."""
    theirs = await world.open(world.syntage_vendor(account="theirs"), store=shared_store)
    await ended(world, theirs, 1)
    unnamed = await world.open(world.syntage_vendor(), store=shared_store, chance=random.Random(8))
    all_ids = await ended(world, unnamed, 2)
    (first, _) = await told(unnamed, 2)
    await first.ack()

    # The account of before, under the name it has from now on.
    ours = await world.open(world.syntage_vendor(account="ours"), store=shared_store, webhooks=False)

    assert [each for each in all_ids if each != first.id] == ids(await told(ours, 1))


async def test_the_feed_survives_a_store_that_is_down(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It waits, says so, and misses nothing; what could not be acknowledged comes again."""
    store = TroubledStore()
    session = await world.open(store=store)
    feed = session.settled("etl", again_after=MINUTE)
    coming = asyncio.ensure_future(anext(feed))
    (job_id,) = await ended(world, session, 1)
    first = await coming
    coming = asyncio.ensure_future(anext(feed))

    store.is_down = True
    with pytest.raises(StoreError):
        await first.ack()
    await asyncio.sleep(90)
    assert not coming.done()
    store.is_down = False
    second = await coming

    assert [job_id, job_id] == [first.id, second.id]
    assert 1 <= caplog.text.count("the feed of ended jobs waits for the store") <= 2  # in a minute and a half


async def test_what_was_acknowledged_late_and_elsewhere_does_not_come_again(world: World, shared_store: str) -> None:
    """Who left its loop may still acknowledge what it was told of, when its successor was told already."""
    one, other = await world.open(store=shared_store), await world.open(store=shared_store, webhooks=False)
    await ended(world, one, 1)
    feed = one.settled("etl")
    first = await anext(feed)
    await feed.aclose()  # type: ignore[attr-defined]
    feed, other_feed = one.settled("etl", again_after=MINUTE), other.settled("etl", again_after=MINUTE)
    same = await anext(feed)
    await feed.aclose()  # type: ignore[attr-defined]
    assert [first.id] * 2 == [same.id, (await anext(other_feed)).id]

    await asyncio.sleep(5)
    await first.ack()

    assert await soon(other_feed, 3 * MINUTE) is None


async def test_what_was_acknowledged_is_no_news_to_the_account_it_is_moved_to(world: World, shared_store: str) -> None:
    """Nor while a consumer of that name is told there; what was not acknowledged comes."""
    vendors = [world.syntage_vendor(account=each) for each in ("before", "afterwards")]
    before = await world.open(vendors[0], store=shared_store)
    await ended(world, before, 3)
    *done, left = await told(before, 3)
    for each in done:
        await each.ack()
    await before.close()
    afterwards = await world.open(vendors[1], store=shared_store, webhooks=False)
    feed = afterwards.settled("etl")
    coming = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(20)

    async with open_store(shared_store) as store:
        await move_account(store, vendors[0].account, vendors[1].account, now=world.clock.now())

    assert left.id == (await coming).id
    assert await soon(feed) is None


async def test_a_feed_may_begin_while_the_store_is_down(world: World) -> None:
    """Then it waits as later on."""
    store = TroubledStore()
    session = await world.open(store=store)
    (job_id,) = await ended(world, session, 1)
    store.is_down = True
    coming = asyncio.ensure_future(anext(session.settled("etl")))
    await asyncio.sleep(30)
    assert not coming.done()
    store.is_down = False

    assert job_id == (await coming).id


async def test_it_ends_with_the_session(world: World, store: str) -> None:
    """Whoever waits is told; acknowledging afterwards is refused."""
    session = await world.open(store=store)
    await ended(world, session, 1)
    feed = session.settled("etl")
    first = await anext(feed)
    waiting = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(1)

    await session.close()

    with pytest.raises(SessionClosedError):
        await waiting
    with pytest.raises(SessionClosedError):
        await first.ack()
    with pytest.raises(SessionClosedError):
        session.settled("etl")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"consumer": ""}, "consumer"),
        ({"consumer": "a\n"}, "consumer"),
        ({"consumer": "x" * 201}, "consumer"),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}, "since"),
        ({"tags": {"": "x"}}, "tags"),
        ({"again_after": 5}, "again_after"),
    ],
)
async def test_what_cannot_be_meant_is_refused_at_once(world: World, options: dict[str, Any], field: str) -> None:
    session = await world.open()

    with pytest.raises(TaskError) as refused:
        session.settled(**{"consumer": "etl"} | options)

    assert field == refused.value.field


async def test_what_a_consumer_waits_for_is_known_under_every_name(world: World, shared_store: str) -> None:
    """A job of before the account had its name is waited for as well, and not pruned."""
    unnamed = await world.open(world.syntage_vendor(), store=shared_store)
    (job_id,) = await ended(world, unnamed, 1)
    ours = await world.open(world.syntage_vendor(account="ours"), store=shared_store, webhooks=False)
    (settled,) = await told(ours, 1)

    async with open_store(shared_store) as store:
        assert (job_id, ["etl"]) == (settled.id, (await read_backlogs(store)).names(settled.job))
        await settled.ack()
        assert [] == (await read_backlogs(store)).names(settled.job)
