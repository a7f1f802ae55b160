"""What the PostgreSQL store promises when connections are lost: clear errors, no guesses, and it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Literal

import pytest

from belvo_async.errors import StoreError
from belvo_async.jobs import Job
from belvo_async.stores.postgres.store import PostgresStore
from tests.stores.postgres.server import OwnServer, Proxy, Stores, admin, own_server
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed, word
from tests.waiting import hold_time_for_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server of this module's own."""
    with own_server() as started:
        yield started


@pytest.fixture
async def store(postgres_stores: Stores) -> AsyncIterator[PostgresStore]:
    async with postgres_stores() as opened:
        yield opened


def end_connections(stores: Stores) -> None:
    """What a restart of the server or an administrator does."""
    with admin() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s", (stores.schema,)
        )


async def test_a_change_elsewhere_is_heard(store: PostgresStore, postgres_stores: Stores) -> None:
    """An empty tuple first, then the ids others wrote, not our own."""
    changes = store.changes()
    assert () == await anext(changes)

    async with postgres_stores() as other:
        await store.put(a_job("mine"), expected=None)
        await asyncio.gather(*(other.put(a_job(f"theirs-{n}"), expected=None) for n in range(3)))

        assert {"theirs-0", "theirs-1", "theirs-2"} == set(await anext(changes))
        await other.forget("theirs-0")
        assert ("theirs-0",) == await anext(changes)


async def test_a_change_is_heard_while_a_sign_of_life_is_awaited(store: PostgresStore, postgres_stores: Stores) -> None:
    """What the server tells between a question and its answer is not dropped with the wait for it."""
    async with Proxy() as proxy, postgres_stores(proxy.url) as behind:
        changes = behind.changes()
        await anext(changes)
        proxy.hold = b"pg_listening_channels"
        await proxy.holds.wait()

        await store.put(a_job("theirs"), expected=None)
        proxy.go_on.set()

        async with asyncio.timeout(60):
            assert ("theirs",) == await anext(changes)


async def test_too_many_ids_are_told_as_any(store: PostgresStore, postgres_stores: Stores) -> None:
    """A notification holds less than 8,000 bytes."""
    changes = store.changes()
    await anext(changes)

    async with postgres_stores() as other:
        await asyncio.gather(*(other.put(a_job("x" * 40 + str(n)), expected=None) for n in range(300)))

        assert () == await anext(changes)


async def test_claims_and_leases_are_told_to_nobody(store: PostgresStore, postgres_stores: Stores) -> None:
    """They change no job a waiter waits for."""
    await store.put(a_due_job("job-1", 0), expected=None)
    changes = store.changes()
    await anext(changes)

    async with postgres_stores() as other:
        await other.claim_due([ACCOUNT], now=NOON, until=after(9), limit=1)
        await other.lease("lane", "ana", now=NOON, until=after(9))
        await other.put(a_job("job-2"), expected=None)

        assert ("job-2",) == await anext(changes)


async def test_changes_end_when_the_store_is_closed(postgres_stores: Stores) -> None:
    """Whoever iterates goes on after the loop."""
    told: list[tuple[str, ...]] = []

    async def listen(store: PostgresStore) -> None:
        told.extend([ids async for ids in store.changes()])

    async with postgres_stores() as store:
        listening = asyncio.create_task(listen(store))
        await asyncio.sleep(1)
    await listening

    assert [()] == told


async def test_a_lost_listener_listens_again(store: PostgresStore, postgres_stores: Stores) -> None:
    """What happened meanwhile was told to nobody: an empty tuple says so."""
    changes = store.changes()
    await anext(changes)

    end_connections(postgres_stores)

    assert () == await anext(changes)
    async with postgres_stores() as other:
        await other.put(a_job(), expected=None)
        assert ("job-1",) == await anext(changes)


async def test_calls_survive_the_loss_of_idle_connections(store: PostgresStore, postgres_stores: Stores) -> None:
    """Nothing was under way: the next call makes a new connection and nobody notices."""
    await store.put(a_job(), expected=None)
    end_connections(postgres_stores)

    assert a_job() == await store.get("job-1")
    assert await store.put(changed(a_job()), expected=0) is None


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_that_was_not_answered_is_looked_up(
    store: PostgresStore, postgres_stores: Stores, cut: Literal["before", "after"]
) -> None:
    """Whether it took place or not: every call gets its true answer and happens once."""
    async with Proxy() as proxy, postgres_stores(proxy.url) as behind:
        job = a_due_job("job-1", 0)
        await behind.put(job, expected=None)
        await behind.put(a_due_job("job-2", 0), expected=None)
        proxy.cut_at_commit = cut

        answers = await asyncio.gather(
            behind.put(changed(job, polls=1), expected=0, observation=word()),
            behind.put(changed(job, polls=2), expected=0),
            behind.put(a_job("new"), expected=None),
            behind.park(ACCOUNT, word(remote_id="r")),
            behind.lease("lane", "ana", now=NOON, until=after(9)),
        )
        claimed: list[Job] = await behind.claim_due([ACCOUNT], now=NOON, until=after(9), limit=9)

    assert 1 == proxy.cuts
    assert [None, changed(job, polls=1), None, None, 1] == answers
    assert (word(),) == await store.timeline("job-1")
    assert 2 == len(claimed)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_job_written_alone_is_looked_up_as_well(
    store: PostgresStore, postgres_stores: Stores, cut: Literal["before", "after"]
) -> None:
    """The one statement took place or not: either way it is written once, and the next one goes on from there."""
    async with Proxy() as proxy, postgres_stores(proxy.url) as behind:
        await behind.put(a_job(), expected=None, observation=word())
        proxy.cut_at_commit = cut

        assert await behind.put(changed(a_job(), polls=1), expected=0, observation=word(remote_id="r")) is None
        assert await behind.put(changed(a_job(), polls=2, version=2), expected=1) is None

    assert 1 == proxy.cuts
    assert changed(a_job(), polls=2, version=2) == await store.get("job-1")
    assert (word(), word(remote_id="r")) == await store.timeline("job-1")


async def test_a_commit_nobody_can_tell_about_is_called_unknown(store: PostgresStore, postgres_stores: Stores) -> None:
    """The server is gone for good: no guess is made."""
    async with postgres_stores() as victim:
        async with Proxy() as proxy:
            behind = await postgres_stores(proxy.url).__aenter__()
            await behind.put(a_job(), expected=None)
            proxy.cut_at_commit = "after"
            proxy.hear_nobody()

            with pytest.raises(StoreError, match="whether it took place is unknown") as failure:
                await behind.put(changed(a_job()), expected=0)
            await behind.__aexit__()

        assert changed(a_job()) == await victim.get("job-1")
        assert failure.value.maybe_done


async def test_a_server_that_is_down_is_reported_and_found_again(server: OwnServer) -> None:
    """Every call raises StoreError, none hangs; once the server is back, all goes on, listening too."""
    with hold_time_for_postgres():
        stores = Stores("belvo_async")
        async with stores(server.url) as store:
            await store.put(a_job(), expected=None, observation=word())
            changes = store.changes()
            assert () == await anext(changes)

            server.stop()
            answers = await asyncio.gather(
                store.put(changed(a_job()), expected=0),
                store.put(a_job("other"), expected=None),
                store.get("job-1"),
                store.claim_due([ACCOUNT], now=NOON, until=after(9), limit=1),
                anext(store.open_jobs()),
                return_exceptions=True,
            )
            with pytest.raises(StoreError, match="cannot be reached"):
                await stores(server.url).__aenter__()
            server.start()
            await asyncio.sleep(2)

            assert [StoreError] * 5 == [type(each) for each in answers]
            assert len({id(each) for each in answers}) == 5
            assert a_job() == await store.get("job-1")
            assert await store.put(changed(a_job()), expected=0) is None
            assert () == await anext(changes)
