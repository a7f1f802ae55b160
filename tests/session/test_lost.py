"""A store that loses what it kept, under those who wait: they are told, and with what, at once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from belvo_async import JobHandle, JobLostError, Status, StoreLostError, UnknownJobError
from belvo_async.stores import MemoryStore
from belvo_async.stores.sqlite.store import SqliteStore
from tests.session.world import World
from tests.stores.postgres.server import admin, own_stores
from tests.stores.redis.server import own_server


class Losing(NamedTuple):
    """A store, and what loses everything in it behind its back."""

    store: Any
    lose: Callable[[], object]


def sqlite(tmp_path: Path, how: str) -> Losing:
    path = tmp_path / "jobs.db"

    def replaced() -> None:
        shutil.copy(path, tmp_path / "copy")
        (tmp_path / "copy").rename(path)

    return Losing(SqliteStore(path), path.unlink if how == "deleted" else replaced)


def postgres(stack: ExitStack, statement: str) -> Losing:
    stores = stack.enter_context(own_stores())

    def lose() -> None:
        with admin() as connection:
            connection.execute(statement.format(stores.schema).encode())

    return Losing(stores(), lose)


def redis(stack: ExitStack, directory: Path) -> Losing:
    server, stores = stack.enter_context(own_server(directory))
    return Losing(stores(), lambda: server.client().flushall())


WAYS = {
    "file deleted": lambda stack, path: sqlite(path, "deleted"),
    "file replaced": lambda stack, path: sqlite(path, "replaced"),
    "tables dropped": lambda stack, path: postgres(stack, 'DROP SCHEMA "{}" CASCADE'),
    "tables emptied": lambda stack, path: postgres(stack, 'TRUNCATE "{0}".job, "{0}".timeline, "{0}".lease'),
    "server flushed": lambda stack, path: redis(stack, path),
}


@pytest.fixture(params=WAYS)
def losing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Losing]:
    with ExitStack() as stack:
        yield WAYS[request.param](stack, tmp_path)


async def reading(handle: JobHandle[Any]) -> None:
    async for _ in handle.updates():
        pass


async def drawing(handles: AsyncIterator[JobHandle[Any]]) -> list[str]:
    return [each.id async for each in handles]


@pytest.mark.parametrize("sweep", [True, False], ids=["polling", "only waiting"])
async def test_every_waiter_is_told(losing: Losing, world: World, sweep: bool) -> None:
    """Within a minute and not at the deadline, by whatever way it waits; with what it takes to adopt the job."""
    world.syntage.next_job(outcome="stuck")
    session = await world.open(world.syntage_vendor(), store=losing.store, webhooks=False, sweep=sweep)
    handle = await session.fire(world.extraction())
    asyncio.get_running_loop().call_later(5, losing.lose)

    async with asyncio.timeout(70):
        drawn, *told = await asyncio.gather(
            drawing(session.run([world.extraction()])), handle.wait(), reading(handle), return_exceptions=True
        )

    assert [handle.id] == drawn
    assert [JobLostError] * 2 == [type(error) for error in told]
    assert handle.done()
    error = told[0]
    assert isinstance(error, JobLostError)
    assert isinstance(error, UnknownJobError)
    assert error.job.remote_id
    assert error.job.remote_id in str(error)


async def test_a_store_opened_again_follows_what_is_adopted(world: World, tmp_path: Path) -> None:
    """The way out that the error names."""
    losing = sqlite(tmp_path, "deleted")
    session = await world.open(world.syntage_vendor(), store=losing.store, webhooks=False)
    handle = await session.fire(world.extraction())
    losing.lose()
    with pytest.raises(JobLostError) as lost:
        await handle
    with pytest.raises(StoreLostError):
        await session.fire(world.extraction(1))
    await session.close()

    again = await world.open(world.syntage_vendor(), store=f"sqlite:{tmp_path / 'jobs.db'}", webhooks=False)
    adopted = await again.adopt("syntage", lost.value.job.remote_id or "", lost.value.job.task)

    assert Status.FINISHED == (await adopted).status
    assert 1 == len(world.sent("POST"))


async def test_who_waits_for_a_forgotten_job_is_told(world: World) -> None:
    """At once in the session that forgets it."""
    session = await world.open(store=MemoryStore(), webhooks=False)
    handle = await session.fire(world.extraction())
    waiting = asyncio.create_task(handle.wait())
    await asyncio.sleep(0)

    await session.forget(handle.id)

    with pytest.raises(JobLostError):
        async with asyncio.timeout(1):
            await waiting


async def test_an_end_that_is_known_stays_known(world: World, tmp_path: Path) -> None:
    """Only what was open can be lost."""
    losing = sqlite(tmp_path, "deleted")
    session = await world.open(world.syntage_vendor(), store=losing.store, webhooks=False)
    handle = await session.fire(world.extraction())
    ended = await handle
    losing.lose()
    await asyncio.sleep(120)

    assert ended == await handle
