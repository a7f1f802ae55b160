"""What procrastinate brings: locks, one of a kind in the queue, priorities, instants, a schedule, dead workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from belvo_async import Plan, syntage
from belvo_async.engines import errands
from belvo_async.engines.errands import Share
from belvo_async.engines.procrastinate import Engine
from belvo_async.planning.freshness import LIVE
from tests.engines.kinds import OnProcrastinate
from tests.engines.world import World, opened

Play = Callable[[Callable[[World], Awaitable[None]]], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a story in a world of its own, on the machine's clock."""

    def run(story: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            async with opened("procrastinate", tmp_path) as world:
                await story(world)

        asyncio.run(main())

    return run


async def jobs_in(world: World, columns: str) -> list[dict[str, Any]]:
    assert isinstance(world.kind, OnProcrastinate)
    query = f"SELECT {columns} FROM procrastinate_jobs ORDER BY id"
    return list(await world.kind.app.connector.execute_query_all_async(query))


async def execute(world: World, query: str) -> None:
    assert isinstance(world.kind, OnProcrastinate)
    await world.kind.app.connector.execute_query_async(query)


def test_requests_of_one_subject_share_a_lock(play: Play) -> None:
    """Belvo takes one request a link at a time: its others wait in the queue, and not in a worker."""

    async def story(world: World) -> None:
        entity = world.vendor.entities[0]
        await world.engine.fire(world.task(0), once="first")
        await world.engine.fire(syntage.Extraction(entity=entity, extractor="rpc"), once="second")
        await world.engine.fire(world.task(1), once="third")

        locks = [row["lock"] for row in await jobs_in(world, "lock")]

        assert locks[0] == locks[1] != locks[2]
        assert not any(entity in lock for lock in locks)

    play(story)


def test_a_turn_waits_once_in_the_queue(play: Play) -> None:
    """A hundred ends ask for one turn."""

    async def story(world: World) -> None:
        for _ in range(3):
            await world.engine.extract(world.plan(), into=f"ndjson:{world.folder}")

        assert [{"task_name": "belvo_async:extract"}] == await jobs_in(world, "task_name")

    play(story)


def test_priorities_and_instants_are_the_queue_s_own(play: Play) -> None:
    """A user who waits goes before the nightly run; what may be had only tomorrow waits in the queue."""

    async def story(world: World) -> None:
        at = datetime.now(UTC) + timedelta(days=1)
        await world.engine.fire(world.task(), once="first", priority=7, at=at)

        ((row),) = await jobs_in(world, "priority, scheduled_at")
        assert 7 == row["priority"]
        assert at == row["scheduled_at"]

    play(story)


def test_what_a_dead_worker_had_taken_is_given_to_another(play: Play) -> None:
    """Until then it would hold its lock for ever; one whose twin waits already is closed."""

    async def story(world: World) -> None:
        await world.engine.fire(world.task(0), once="first")
        await world.engine.extract(world.plan(), into=f"ndjson:{world.folder}")
        # Workers that are gone leave no row, and their jobs no name.
        await execute(world, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
        await world.engine.extract(world.plan(), into=f"ndjson:{world.folder}")

        assert isinstance(world.engine, Engine)
        await world.engine._rescue()

        rows = [(row["task_name"], row["status"]) for row in await jobs_in(world, "task_name, status")]
        assert [
            ("belvo_async:fire", "todo"),
            ("belvo_async:extract", "aborted"),
            ("belvo_async:extract", "todo"),
        ] == rows

    play(story)


def test_a_nightly_run_goes_by_procrastinate_s_schedule(play: Play) -> None:
    """Its plans are those of the day in Mexico; repeated for one night, it is one run."""
    asked: list[date] = []

    async def story(world: World) -> None:
        def plans(today: date) -> list[Plan]:
            asked.append(today)
            return [replace(world.plan(), last=today - timedelta(days=1))]

        assert isinstance(world.engine, Engine)
        assert isinstance(world.kind, OnProcrastinate)
        world.engine.sync("0 9 * * *", plans, into=f"ndjson:{world.folder}")
        crons = {task.task.name: task.cron for task in world.kind.app.periodic_registry.periodic_tasks.values()}
        assert {"belvo_async:look": "* * * * *", "belvo_async:sync": "0 9 * * *"} == crons
        # Two in the morning in Greenwich is the evening before in Mexico.
        night = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
        for _ in range(2):
            await world.engine._sync(plans, f"ndjson:{world.folder}", night, {})

        session = await world.engine.session()
        accounts = [each.account for each in session.vendors.values()]
        (kept,) = [share async for _, _, share in errands.every(session.store, Share, "belvo_async", accounts)]
        assert {date(2026, 3, 1)} == set(asked)
        assert date(2026, 2, 28) == kept.plan.last
        assert night == kept.as_of
        assert LIVE == kept.freshness

    play(story)
