"""What taskiq brings: its own scheduler. And that nothing of an engine is there unless it is used."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from taskiq.schedule_sources import LabelScheduleSource

from belvo_async.engines.taskiq import Engine
from tests.engines.kinds import OnTaskiq
from tests.engines.world import World, opened


@pytest.mark.parametrize("kind", ["rabbitmq", "redis"])
def test_the_scheduler_of_taskiq_ticks(kind: str, tmp_path: Path) -> None:
    """It looks each minute, and runs at night; the tasks that it sends are those that workers know."""

    async def story(world: World) -> None:
        assert isinstance(world.engine, Engine)
        assert isinstance(world.kind, OnTaskiq)
        world.engine.sync("0 9 * * *", lambda today: [world.plan()], into=f"ndjson:{world.folder}")
        source = LabelScheduleSource(world.kind.broker)
        await source.startup()

        schedules = {each.task_name: each.cron for each in await source.get_schedules()}

        assert {"belvo_async:look": "* * * * *", "belvo_async:sync": "0 9 * * *"} == schedules
        assert schedules.keys() <= world.kind.broker.get_all_tasks().keys()

    async def main() -> None:
        async with opened(kind, tmp_path) as world:
            await story(world)

    asyncio.run(main())


@pytest.mark.proof
def test_what_is_for_later_is_not_in_the_queue_yet(tmp_path: Path) -> None:
    """Of a queue without instants the store keeps them."""

    async def main() -> None:
        async with opened("rabbitmq", tmp_path) as world:
            await world.engine.fire(world.task(), once="first", at=datetime.now(UTC) + timedelta(seconds=5))
            assert [] == await world.kind.messages()

            async def has_it() -> bool:
                await world.engine._look()
                return bool(await world.kind.messages())

            await world.until(has_it)

    asyncio.run(main())


@pytest.mark.proof
def test_nothing_of_an_engine_is_imported_unless_it_is_used() -> None:
    """The core has three dependencies; an engine takes its own alone."""
    for module, others in (
        ("belvo_async", {"procrastinate", "taskiq", "aio_pika", "celery"}),
        ("belvo_async.engines", {"procrastinate", "taskiq", "aio_pika", "celery"}),
        ("belvo_async.engines.procrastinate", {"taskiq", "aio_pika", "celery"}),
        ("belvo_async.engines.taskiq", {"procrastinate", "psycopg", "aio_pika", "redis"}),
    ):
        program = f"import sys, {module}; print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

        assert set() == others & set(loaded.split()), module
