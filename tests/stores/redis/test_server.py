"""What the Redis store does when its server dies, freezes, forgets or is locked: on servers of the tests' own."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.stores.redis.store import RedisStore
from tests.stores.redis.server import OwnServer, Stores, own_server
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed, word

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
FORGETFUL = ("--save", "", "--appendonly", "no")


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[tuple[OwnServer, Stores]]:
    """A server that flushes every write before it answers."""
    with own_server(tmp_path, *DURABLE) as server:
        yield server


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[tuple[OwnServer, Stores]]:
    """A server that keeps nothing on disk."""
    with own_server(tmp_path, *FORGETFUL) as server:
        yield server


async def test_a_killed_server_gives_everything_back(durable: tuple[OwnServer, Stores]) -> None:
    """While it is away every call raises StoreError; then the store goes on by itself."""
    server, stores = durable
    async with stores(require_durable=True) as store:
        job = a_due_job("job-1", 0, remote_id="r")
        await store.put(job, expected=None, observation=word())

        server.kill()
        with pytest.raises(StoreError, match="lost before it answered") as unknown:
            await store.put(changed(job), expected=0)
        with pytest.raises(StoreError, match="cannot be reached; nothing was changed") as refused:
            await store.put(changed(job), expected=0)
        assert (True, False) == (unknown.value.maybe_done, refused.value.maybe_done)
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.get("job-1")
        with pytest.raises(StoreError, match="cannot be reached"):
            await anext(store.open_jobs())
        server.start()

        assert job == await store.get("job-1")
        assert (word(),) == await store.timeline("job-1")
        assert await store.put(changed(job), expected=0) is None
        assert [changed(job)] == await store.claim_due([ACCOUNT], now=NOON, until=after(9), limit=9)


async def test_listeners_are_told_to_read_again(durable: tuple[OwnServer, Stores]) -> None:
    """After every connection comes an empty tuple, since what happened meanwhile was told to nobody."""
    server, stores = durable
    async with stores() as one, stores() as other:
        told = other.changes()
        assert () == await anext(told)

        server.kill()
        server.start()
        assert () == await anext(told)
        await one.put(a_job(), expected=None)

        assert ("job-1",) == await anext(told)


@pytest.mark.parametrize("way", ["flushed", "restarted"])
async def test_a_server_that_lost_its_data_is_noticed(forgetful: tuple[OwnServer, Stores], way: str) -> None:
    """An empty server is not taken for one that never had a job, until the store is opened again."""
    server, stores = forgetful
    store = stores()
    async with store:
        await store.put(a_job(), expected=None)
        if way == "flushed":
            server.client().flushall()
        else:
            server.kill()
            server.start()

        for call in (store.get("job-1"), store.put(a_job(), expected=None), store.next_due([ACCOUNT])):
            with pytest.raises(StoreError, match="lost its data"):
                await call

    async with store:
        assert await store.get("job-1") is None


async def test_another_store_does_not_hide_the_loss(forgetful: tuple[OwnServer, Stores]) -> None:
    """A process that begins anew does not make the old one believe its jobs were there."""
    server, stores = forgetful
    async with stores() as store:
        await store.put(a_job(), expected=None)
        server.client().flushall()

        async with stores() as new:
            await new.put(a_job("new"), expected=None)

        with pytest.raises(StoreError, match="lost its data"):
            await store.get("job-1")


async def test_forgotten_scripts_are_told_again(forgetful: tuple[OwnServer, Stores]) -> None:
    """SCRIPT FLUSH costs a round trip and loses no call."""
    server, stores = forgetful
    async with stores() as store:
        await store.put(a_job(), expected=None)
        server.client().script_flush()

        answers = await asyncio.gather(*(store.put(a_job(f"{number}"), expected=None) for number in range(20)))

        assert [None] * 20 == answers
        assert 21 == len([job async for job in store.open_jobs()])


async def test_a_full_server_refuses_writes_and_goes_on_reading(forgetful: tuple[OwnServer, Stores]) -> None:
    """Without eviction memory ends in an error; nothing is half written."""
    server, stores = forgetful
    async with stores() as store:
        await store.put(a_job(), expected=None)
        server.client().config_set("maxmemory", "1")

        with pytest.raises(StoreError, match="no memory left"):
            await store.put(changed(a_job()), expected=0, observation=word())
        assert a_job() == await store.get("job-1")
        server.client().config_set("maxmemory", "0")

        assert () == await store.timeline("job-1")
        assert await store.put(changed(a_job()), expected=0) is None


async def test_a_replica_refuses_writes(forgetful: tuple[OwnServer, Stores]) -> None:
    """After a fail-over the next call looks for the server anew."""
    server, stores = forgetful
    async with stores() as store:
        server.client().replicaof("127.0.0.1", 1)
        with pytest.raises(StoreError, match="is a replica"):
            await store.put(a_job(), expected=None)
        server.client().replicaof("NO", "ONE")

        assert await store.put(a_job(), expected=None) is None


async def test_eviction_is_warned_of(forgetful: tuple[OwnServer, Stores], caplog: pytest.LogCaptureFixture) -> None:
    """A server that drops keys would drop jobs."""
    server, stores = forgetful
    server.client().config_set("maxmemory-policy", "allkeys-lru")

    with caplog.at_level(logging.WARNING, "belvo_async"):
        async with stores():
            pass

    said = [record.getMessage() for record in caplog.records]
    assert ["keeps nothing on disk" in text for text in said] == [True, False]
    assert ["noeviction" in text for text in said] == [False, True]


@pytest.mark.parametrize(
    ("settings", "gap"),
    [
        pytest.param(("--appendonly", "yes"), "answers before it has flushed", id="flushes later"),
        pytest.param(("--save", "60 1"), "has no append-only file", id="snapshots"),
        pytest.param((*DURABLE, "--maxmemory-policy", "allkeys-lru"), "drops keys", id="evicts"),
        pytest.param((*DURABLE, "--rename-command", "CONFIG", ""), "does not tell", id="does not tell"),
    ],
)
async def test_a_server_that_may_lose_jobs_is_refused(tmp_path: Path, settings: tuple[str, ...], gap: str) -> None:
    """`require_durable` opens only what surely keeps every answered write, and writes nothing before it knows."""
    with own_server(tmp_path, *settings) as (_, stores):
        with pytest.raises(StoreError, match=gap):
            await stores(require_durable=True).__aenter__()

        assert [] == stores.all_keys()


@pytest.mark.parametrize(
    ("settings", "gaps"),
    [
        pytest.param(
            ("--appendonly", "yes", "--appendfsync", "everysec"), ["a crash takes it back a second"], id="later"
        ),
        pytest.param(("--appendonly", "yes", "--appendfsync", "no"), ["answers before it has flushed"], id="never"),
        pytest.param(("--save", "60 1"), ["a crash takes it back to its last snapshot"], id="snapshots"),
        pytest.param(DURABLE, [], id="durable"),
    ],
)
async def test_what_a_crash_costs_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: tuple[str, ...], gaps: list[str]
) -> None:
    """The store opens, and says what may be lost and which setting mends it; one that loses nothing is silent."""
    with own_server(tmp_path, *settings) as (_, stores):
        async with stores():
            pass

    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(gaps) == len(said)
    assert all(gap in text for gap, text in zip(gaps, said, strict=True))


async def test_a_server_that_tells_nothing_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Managed servers often forbid CONFIG: the store opens, and says what it does not know."""
    with (
        caplog.at_level(logging.WARNING, "belvo_async"),
        own_server(tmp_path, *DURABLE, "--rename-command", "CONFIG", "") as (_, stores),
    ):
        async with stores() as store:
            assert await store.put(a_job(), expected=None) is None

    assert ["does not tell" in record.getMessage() for record in caplog.records] == [True]


async def test_a_wrong_password_is_named_without_repeating_it(tmp_path: Path) -> None:
    """The right one opens the store."""
    with own_server(tmp_path, *FORGETFUL, "--requirepass", "correct-horse-7") as (server, stores):
        for url, sentence in (
            (f"redis://:wrong-horse-8@127.0.0.1:{server.port}/0", "does not accept the credentials"),
            (f"redis://127.0.0.1:{server.port}/0", "does not accept the credentials"),
        ):
            stores.url = url
            with pytest.raises(StoreError, match=sentence) as caught:
                await stores().__aenter__()
            assert "horse" not in f"{caught.value!r} {caught.value.__cause__!r}"

        stores.url = f"redis://:correct-horse-7@127.0.0.1:{server.port}/0"
        async with stores() as store:
            assert await store.put(a_job(), expected=None) is None


async def test_a_user_without_rights_is_told(tmp_path: Path) -> None:
    """A sentence, not a trace of the server's own words."""
    with own_server(tmp_path, *FORGETFUL) as (server, stores):
        server.client().execute_command("ACL", "SETUSER", "ana", "on", ">pass-word-77", "+@all", "~other:*", "-config")
        stores.url = f"redis://ana:pass-word-77@127.0.0.1:{server.port}/0"

        with pytest.raises(StoreError, match="does not let this user"):
            await stores().__aenter__()


def test_a_frozen_server_is_not_waited_for(tmp_path: Path) -> None:
    """On a real clock: the call fails after `timeout`, and the store goes on once the server does."""

    async def story(server: OwnServer, stores: Stores) -> None:
        async with RedisStore(server.url, timeout=timedelta(seconds=0.3)) as store:
            await store.put(a_job(), expected=None)
            server.freeze()
            with pytest.raises(StoreError, match="lost before it answered"):
                await store.put(changed(a_job()), expected=0)
            with pytest.raises(StoreError, match="does not answer in time; nothing was changed"):
                await store.get("nobody")
            server.thaw()

            assert await store.get("job-1") in (a_job(), changed(a_job()))

    with own_server(tmp_path, *FORGETFUL) as (server, stores):
        asyncio.run(story(server, stores))  # type: ignore[arg-type]


@pytest.mark.proof
def test_no_answered_write_is_lost_over_restarts(tmp_path: Path) -> None:
    """On a real clock, sixteen writers count up while the server is killed again and again: what was answered is there.

    A count is never skipped and never written twice, whatever happened to the answers.
    """
    chance = random.Random(7)
    answered: dict[str, int] = {}
    timelines: dict[str, int] = {}

    async def count_up(store: RedisStore, name: str, end: asyncio.Event) -> None:
        job, is_new = a_job(name), True
        while not end.is_set():
            try:
                kept = await store.put(
                    job, expected=None if is_new else job.version - 1, observation=word(doubt=str(job.version))
                )
            except StoreError:
                await asyncio.sleep(0.01)
                continue
            # Only this writer writes the job: what stands in the way is what it wrote itself and got no answer to.
            assert kept is None or kept == job
            answered[name] = job.version
            job, is_new = changed(job), False

    async def story(server: OwnServer) -> None:
        end = asyncio.Event()
        async with RedisStore(server.url, require_durable=True) as store, asyncio.TaskGroup() as group:
            for number in range(16):
                group.create_task(count_up(store, f"job-{number}", end))
            for _ in range(12):
                await asyncio.sleep(chance.uniform(0.05, 0.3))
                server.kill()
                await asyncio.sleep(chance.uniform(0, 0.2))
                server.start()
            await asyncio.sleep(0.5)
            end.set()
        async with RedisStore(server.url) as store:
            for name, version in answered.items():
                job = await store.get(name)
                assert job is not None
                assert version <= job.version <= version + 1
                seen = [int(each.doubt or "") for each in await store.timeline(name)]
                timelines[name] = len(seen)
                assert list(range(job.version + 1))[-200:] == seen

    with own_server(tmp_path, *DURABLE) as (server, _):
        asyncio.run(story(server))

    assert 16 == len(timelines)


@pytest.mark.proof
async def test_all_keys_live_in_one_slot_of_a_cluster(tmp_path: Path) -> None:
    """A cluster refuses scripts that reach into other slots: the hash tag keeps every key of a store in one."""
    settings = (*FORGETFUL, "--cluster-enabled", "yes", "--cluster-port", "0", "--cluster-config-file", "nodes.conf")
    with own_server(tmp_path, *settings) as (server, stores):
        server.become_cluster()

        async with stores() as store:
            job = a_due_job("job-1", 0, key="k", lane="l", remote_id="r")
            assert await store.put(job, expected=None, observation=word()) is None
            await store.park(ACCOUNT, word(remote_id="r"))
            assert [job] == await store.claim_due([ACCOUNT], now=NOON, until=after(9), limit=1)
            assert await store.lease("l", "ana", now=NOON, until=after(9)) is not None
            assert (job,) == await store.find(ACCOUNT, "r")


async def test_opening_without_a_server_leaves_no_error_behind(
    durable: tuple[OwnServer, Stores], caplog: pytest.LogCaptureFixture
) -> None:
    """The one error is the caller's; asyncio has none to complain of later."""
    server, stores = durable
    server.kill()

    with suppress(StoreError):
        await stores().__aenter__()
    gc.collect()
    await asyncio.sleep(0)

    assert "never retrieved" not in caplog.text
