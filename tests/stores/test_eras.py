"""Eras: how a store counts, and notices, that it went back to an earlier state."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.backups import CLOSED, OPEN, Backup, backup
from tests.stores.conftest import AnyStore, MakeStore
from tests.stores.redis.server import Stores, own_server
from tests.stores.samples import a_job, after, changed, word

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture(params=CLOSED)
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backup]:
    with backup(CLOSED[request.param], tmp_path) as made:
        yield made


@pytest.fixture(params=OPEN)
def used(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backup]:
    with backup(OPEN[request.param], tmp_path) as made:
        yield made


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of stores that went back."""
    return [each.__dict__["sign"] for each in caplog.records if "sign" in each.__dict__]


async def test_a_store_begins_in_its_first_era(store: AnyStore, caplog: pytest.LogCaptureFixture) -> None:
    """Opening, writing, leasing and forgetting change nothing of it, and nothing is said."""
    await store.put(a_job(), expected=None, observation=word())
    await store.lease("lane", "job-1", now=after(0), until=after(9))
    await store.forget("job-1")

    assert (0, []) == (store.era, told(caplog))


async def test_a_new_era_is_known_to_who_began_it(store: AnyStore) -> None:
    """At once."""
    first, second = await store.begin_era(), await store.begin_era()

    assert (1, 2, 2) == (first, second, store.era)


async def test_a_new_era_is_learned_with_the_next_write(make_store: MakeStore) -> None:
    """Once a write has returned, the era is known in which it was made; a store opened later knows it from opening."""
    async with make_store() as one:
        if type(one).__name__ == "MemoryStore":
            pytest.skip("no other store shares it")
        async with make_store() as other:
            await other.put(a_job(), expected=None)
            await one.begin_era()
            await other.put(changed(a_job()), expected=0)

            assert 1 == other.era
        async with make_store() as third:
            assert 1 == third.era
        assert changed(a_job()) == await one.get("job-1")


async def test_an_era_outlives_the_store(make_store: MakeStore) -> None:
    """Closed and opened again, it is where it was."""
    store = make_store()
    async with store:
        await store.begin_era()
    async with store:
        assert 1 == store.era


async def test_a_backup_is_noticed_on_opening(closed: Backup, caplog: pytest.LogCaptureFixture) -> None:
    """Once: whoever opens it next finds the era begun; what is in the backup can be worked on."""
    async with closed.make() as store:
        await store.put(a_job(), expected=None)
        closed.save()
        await store.put(changed(a_job()), expected=0)
    closed.restore()

    async with closed.make() as store:
        # Rows that were loaded into the tables they came from are met when they are used.
        assert await store.put(changed(a_job()), expected=0) is None
        assert 1 == store.era
        await store.put(a_job("job-2", era=1), expected=None)
    async with closed.make() as store:
        assert await store.put(replace(changed(a_job()), version=2), expected=1) is None
        assert 1 == store.era

    assert 1 == len(told(caplog))


async def test_a_backup_is_noticed_in_use(used: Backup, caplog: pytest.LogCaptureFixture) -> None:
    """With the next write of a job, by the process that had written since; once, whoever else is there."""
    async with used.make() as store, used.make() as other:
        await store.put(a_job(), expected=None)
        await other.put(a_job("theirs"), expected=None)
        used.save()
        await store.put(changed(a_job()), expected=0)
        await other.put(changed(a_job("theirs")), expected=0)
        used.restore()

        assert await store.put(changed(a_job()), expected=0) is None
        assert await other.put(changed(a_job("theirs")), expected=0) is None
        assert await store.put(replace(changed(a_job()), version=2), expected=1) is None

        assert (1, 1) == (store.era, other.era)
    assert 1 == len(told(caplog))


async def test_a_second_backup_is_noticed_as_well(used: Backup, request: pytest.FixtureRequest) -> None:
    """Also one from before the first was put back: no era comes twice."""
    if "postgres jobs" in request.node.name:
        pytest.skip("rows of an earlier era are in doubt whoever put them there")
    async with used.make() as store:
        await store.put(a_job(), expected=None)
        used.save()
        for era in (1, 2, 3):
            await store.put(changed(a_job()), expected=0)
            used.restore()
            await store.put(a_job(f"job-{era}", era=era), expected=None)
            assert era == store.era


@pytest.mark.parametrize("how", ["opened again", "moved with its mark", "written by others"])
async def test_a_file_that_is_as_far_as_it_was_is_not_suspected(
    path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said without a sign."""
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
    if how == "moved with its mark":
        for name in ("jobs.db", "jobs.db-mark"):
            os.replace(path.parent / name, path.parent / f"new-{name}")
        path = path.parent / "new-jobs.db"
    async with SqliteStore(path) as store:
        if how == "written by others":
            async with SqliteStore(path) as other:
                await other.put(a_job("theirs"), expected=None)
        await store.put(changed(a_job()), expected=0)

        assert (0, []) == (store.era, told(caplog))


async def test_a_new_file_cares_for_no_old_mark(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever deletes a store and begins anew has no job that could have been sent."""
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
    os.unlink(path)

    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
        assert (0, []) == (store.era, told(caplog))
    async with SqliteStore(path) as store:
        assert (0, []) == (store.era, told(caplog))


async def test_a_file_is_the_same_by_every_link(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The mark lies beside the file itself."""
    link = path.parent / "link.db"
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
    link.symlink_to(path)

    async with SqliteStore(link) as store:
        assert (0, []) == (store.era, told(caplog))


async def test_a_deleted_log_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was committed stood in `-wal` only: a copy of the file alone is older than it was."""
    with patch("belvo_async.stores.sqlite.file.journal_settings", lambda _library: ("wal", "FULL")):
        async with SqliteStore(path) as store:
            await store.put(a_job(), expected=None)
        async with SqliteStore(path) as store:
            await store.put(changed(a_job()), expected=0)
            copy = shutil.copy(path, path.parent / "copy")
        os.replace(copy, path)

        async with SqliteStore(path) as store:
            assert 1 == store.era
    assert 1 == len(told(caplog))


async def test_a_restart_that_loses_nothing_begins_no_era(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A Redis that flushes each write before it answers may be restarted under open stores and between them."""
    with own_server(tmp_path, *DURABLE) as (server, stores):
        async with stores() as store:
            await store.put(a_job(), expected=None)
            server.kill()
            server.start()
            await store.put(changed(a_job()), expected=0)
            assert 0 == store.era
        server.kill()
        server.start()
        async with stores() as store:
            await store.put(a_job("job-2"), expected=None)
            assert 0 == store.era

    assert [] == told(caplog)


async def test_a_flushed_server_is_no_new_era(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It begins anew when it is opened again: there is no job that could have been sent."""
    with own_server(tmp_path) as (server, stores):
        async with stores() as store:
            await store.put(a_job(), expected=None)
            server.client().flushall()
        async with stores() as store:
            await store.put(a_job(), expected=None)
            assert 0 == store.era

    assert [] == told(caplog)


async def test_many_calls_learn_of_one_restore_together(redis_stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    """However many calls are under way when a Redis server has lost an era, one new era begins, and it is said once."""
    async with redis_stores() as store:
        await store.begin_era()
        assert 2 == await store.begin_era()
        with redis_stores.client() as client:
            meta = f"{{{redis_stores.prefix}}}:meta"
            name, _, _ = client.hget(meta, "epoch").partition(b":")
            client.hset(meta, "epoch", name + b":0")

        await asyncio.gather(*(store.put(a_job(f"job-{n}"), expected=None) for n in range(8)), store.get("job-0"))

        assert 3 == store.era
    assert 1 == len(told(caplog))


async def test_a_mark_that_cannot_be_read_fails_no_write(path: Path) -> None:
    """What is in the database is in it, whatever has become of the file beside it."""
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
        with patch("os.read", side_effect=OSError(5, "Input/output error")):
            assert await store.put(changed(a_job()), expected=0) is None

    async with SqliteStore(path) as store:
        assert changed(a_job()) == await store.get("job-1")


# A flag that no system has.
BINARY = 1 << 30


async def test_a_mark_is_written_byte_for_byte(path: Path) -> None:
    """Windows opens files as text unless it is told otherwise: a mark with a byte more would be none."""
    flags: list[int] = []
    genuine = os.open

    def note(name: str, flag: int, *rest: int) -> int:
        if name.endswith("-mark"):
            flags.append(flag)
        return genuine(name, flag & ~BINARY, *rest)

    with patch("os.open", note), patch("os.O_BINARY", BINARY, create=True):
        async with SqliteStore(path) as store:
            await store.put(a_job(), expected=None)

    assert flags
    assert all(flag & BINARY for flag in flags)
