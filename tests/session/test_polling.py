"""A session that leaves polling jobs to the other processes of its store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async import JobTimeoutError, Status, Way
from belvo_async.stores.sqlite.store import SqliteStore
from tests.session.world import World


class DeafStore(SqliteStore):
    """A store all of whose hints get lost."""

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        await asyncio.Event().wait()
        yield ()


@pytest.mark.proof
async def test_without_polling_nothing_is_polled(world: World, tmp_path: Path) -> None:
    """Neither what it fired itself nor what an earlier process left."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    session = await world.open(store=store, webhooks=False, sweep=False)
    handle = await session.fire(world.extraction())

    with pytest.raises(JobTimeoutError):
        await handle.wait(timedelta(minutes=20))
    await session.close()
    await world.open(store=store, webhooks=False, sweep=False)
    await asyncio.sleep(1200)

    assert [] == world.sent("GET")


async def test_without_polling_deliveries_settle(world: World) -> None:
    """It fires, receives and waits as ever."""
    session = await world.open(sweep=False)

    job = await (await session.fire(world.extraction()))

    assert (Status.FINISHED, Way.WEBHOOK) == (job.status, job.settled_by)


@pytest.mark.parametrize("kind", [SqliteStore, DeafStore], ids=["with hints", "without hints"])
async def test_without_polling_what_others_saw_wakes(world: World, tmp_path: Path, kind: type[SqliteStore]) -> None:
    """Another process polls; the one that waits hears of it, at the latest by reading again."""
    waiting = await world.open(store=kind(tmp_path / "jobs.db"), webhooks=False, sweep=False)
    handle = await waiting.fire(world.extraction())
    await world.open(store=SqliteStore(tmp_path / "jobs.db"), webhooks=False)

    job = await handle.wait(timedelta(hours=2))

    assert (Status.FINISHED, Way.POLL) == (job.status, job.settled_by)
