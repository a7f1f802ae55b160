"""The recipes run as they are, where their engines are installed: fired once, written once, also after a kill."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from belvo_async import Session, encode_task, syntage
from belvo_async.simulator import SyntageSimulator
from tests.stores.postgres.server import URL as POSTGRES
from tests.stores.redis.server import SHARED_URL as REDIS
from tests.stores.urls import empty_store
from tests.variables import variables_of

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 90.0


def needs(module: str) -> None:
    """Skip where an engine is not installed: none of these is needed for anything else."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


@dataclass
class Kitchen:
    vendor: SyntageSimulator
    environ: dict[str, str]
    folder: Path

    def task(self, entity: int = 0) -> str:
        return encode_task(syntage.Extraction(entity=self.vendor.entities[entity], extractor="tax_status")).decode()

    async def fire(self, entity: int = 0) -> None:
        async with Session.from_env(self.environ, sweep=False) as session:
            await session.fire(syntage.Extraction(entity=self.vendor.entities[entity], extractor="tax_status"))

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.vendor.requests)

    @property
    def written(self) -> list[str]:
        return [each.name for each in self.folder.glob("*.ndjson")]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - a condition of other processes
                await asyncio.sleep(0.1)

    async def run(self, *command: str) -> asyncio.subprocess.Process:
        program = sys.executable if command[0] == "python" else str(Path(sys.executable).with_name(command[0]))
        return await asyncio.create_subprocess_exec(
            program, *command[1:], cwd=ROOT, env=os.environ | self.environ, stdout=asyncio.subprocess.PIPE
        )

    @asynccontextmanager
    async def running(self, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self.run(*command)
        try:
            yield process
        finally:
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


def cook(path: Path, recipe: Callable[[Kitchen], Coroutine[Any, Any, None]], **environ: str) -> None:
    """Play a recipe on the machine's clock: processes live by no other."""

    async def main(store: str) -> None:
        async with SyntageSimulator(speed=10) as vendor:
            folder = path / "records"
            folder.mkdir()
            given = variables_of(vendor) | {"BELVO_ASYNC_STORE": store, "RECORDS": str(folder)} | environ
            await recipe(Kitchen(vendor, given, folder))

    with empty_store("postgres", path) as store:
        asyncio.run(main(store))


@contextmanager
def database() -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    try:
        yield POSTGRES.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.mark.parametrize("name", sorted(each.stem for each in (ROOT / "examples" / "recipes").glob("[!_]*.py")))
def test_a_recipe_is_short(name: str) -> None:
    """At most sixty lines: what does not fit is no recipe."""
    assert len((ROOT / "examples" / "recipes" / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.proof
def test_celery_by_the_feed(tmp_path: Path) -> None:
    """A job that ends is collected by a worker of Celery; that the feed is killed loses nothing."""
    needs("celery")

    async def recipe(kitchen: Kitchen) -> None:
        feed = ("python", "-m", "examples.recipes.celery_by_the_feed")
        worker = ("celery", "--app", "examples.recipes.celery_by_the_feed", "--quiet", "worker", "--pool", "solo")
        await kitchen.fire(0)
        async with kitchen.running(*worker):
            async with kitchen.running(*feed):
                await kitchen.until(lambda: len(kitchen.written) == 1)
            await kitchen.fire(1)
            async with kitchen.running(*feed):
                await kitchen.until(lambda: len(kitchen.written) == 2)
        assert 2 == kitchen.posts

    # A number of its own, among those of a server that is shared.
    cook(tmp_path, recipe, CELERY_BROKER=f"{REDIS.rpartition('/')[0]}/{os.getpid() % 13 + 2}")


@pytest.mark.proof
def test_dbos_workflow(tmp_path: Path) -> None:
    """Killed while it waits and started again, it pays once and ends."""
    needs("dbos")

    async def recipe(kitchen: Kitchen) -> None:
        command = ("python", "-m", "examples.recipes.dbos_workflow", kitchen.task(), "acme/2025")
        kitchen.vendor.next_job(duration=timedelta(seconds=80))
        async with kitchen.running(*command):
            await kitchen.until(lambda: kitchen.posts == 1)
        again = await kitchen.run(*command)
        said, _ = await asyncio.wait_for(again.communicate(), PATIENCE_SECONDS)

        assert b"finished" in said
        assert 1 == kitchen.posts
        assert 1 == len(kitchen.written)

    with database() as url:
        cook(tmp_path, recipe, DBOS_DATABASE=url)


@pytest.mark.proof
def test_temporal_workflow(tmp_path: Path) -> None:
    """A worker is killed while a job goes on: another one collects it."""
    needs("temporalio")
    server = shutil.which("temporal", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if server is None:
        pytest.skip("no server of Temporal is installed")

    async def recipe(kitchen: Kitchen) -> None:
        from temporalio.client import Client

        worker = ("python", "-m", "examples.recipes.temporal_workflow")
        port = kitchen.environ["TEMPORAL"].rpartition(":")[2]
        serving = await asyncio.create_subprocess_exec(
            *(server, "server", "start-dev", "--headless", "--port", port), stdout=asyncio.subprocess.DEVNULL
        )
        try:
            client = await connected(Client, kitchen.environ["TEMPORAL"])
            kitchen.vendor.next_job(duration=timedelta(seconds=80))
            async with kitchen.running(*worker):
                workflow = await client.start_workflow(
                    "extract", args=[kitchen.task(), "acme/2025"], id="acme/2025", task_queue="records"
                )
                await kitchen.until(lambda: kitchen.posts == 1)
            async with kitchen.running(*worker):
                assert "finished" == await asyncio.wait_for(workflow.result(), PATIENCE_SECONDS)
        finally:
            serving.kill()
            await serving.wait()
        assert 1 == kitchen.posts
        assert 1 == len(kitchen.written)

    cook(tmp_path, recipe, TEMPORAL="127.0.0.1:17233")


async def connected(client: Any, address: str) -> Any:
    """A client, once the server answers."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(RuntimeError):
                return await client.connect(address)
            await asyncio.sleep(0.2)


@pytest.mark.proof
def test_airflow_operator(tmp_path: Path) -> None:
    """It defers, its trigger tells of the end, and a repeated try pays nothing."""
    needs("airflow")

    async def recipe(kitchen: Kitchen) -> None:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in (kitchen.environ | {"AIRFLOW_HOME": str(tmp_path / "airflow")}).items():
                patched.setenv(name, value)
            from airflow.sdk.exceptions import TaskDeferred

            from examples.recipes.airflow_operator import ExtractOperator, JobTrigger

            operator = ExtractOperator(task_id="acme", task=kitchen.task(), once="acme/2025")
            triggers = []
            for _ in range(2):
                with pytest.raises(TaskDeferred) as deferred:
                    await asyncio.to_thread(operator.execute, {})
                triggers.append(deferred.value.trigger.serialize())
            events = [each async for each in JobTrigger(**triggers[0][1]).run()]

            assert triggers[0] == triggers[1]
            assert ["finished"] == [each.payload["state"] for each in events]
            assert events[0].payload["job"] == operator.ended({}, events[0].payload)
        assert 1 == kitchen.posts

    cook(tmp_path, recipe)
