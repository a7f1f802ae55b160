"""The examples take up what ended while nobody was there; a file is whole or absent, however a process ends."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from belvo_async import JobHandle, Session, Syntage
from belvo_async.simulator import SyntageSimulator
from examples import fastapi_service, records, several_workers, worker
from tests.examples.web_workers import ROOT, workers
from tests.session.world import World
from tests.variables import variables_of


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.ndjson"))


def failures(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("*.failed")]


def of(world: World, store: str) -> Session:
    return Session(world.belvo_vendor(), world.syntage_vendor(), store=store, clock=world.clock)


async def ended(world: World, store: str, count: int = 3) -> list[str]:
    """Jobs that ended in a process which loaded nothing; their files' names."""
    session = await world.open(store=store)
    names = ("tax_status", "tax_compliance", "sat_certificates")[:count]
    handles = [await session.fire(world.extraction(0, name)) for name in names]
    await asyncio.gather(*handles)
    await session.close()
    world.deliver_to(None)
    return sorted(f"{handle.id}.ndjson" for handle in handles)


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


@pytest.mark.proof
async def test_the_worker_loads_what_ended_before_it_came(world: World, store: str, tmp_path: Path) -> None:
    """With no task at all it writes what is missing, and ends."""
    names = await ended(world, store)
    queue: worker.Queue = asyncio.Queue()
    queue.put_nowait(worker.End.OF_INPUT)

    await worker.work(of(world, store), queue, tmp_path)

    assert names == files(tmp_path)
    assert all((tmp_path / name).read_bytes().endswith(b"}\n") for name in names)
    assert 3 == len(world.sent("POST"))


@pytest.mark.proof
async def test_the_worker_loads_nothing_twice(world: World, store: str, tmp_path: Path) -> None:
    """The file says that a job is loaded; so does that of one that failed, which is told once."""
    world.syntage.next_job(outcome="failed")
    session = await world.open(store=store)
    await session.fire(world.extraction())
    await asyncio.sleep(600)
    await session.close()
    for _ in range(2):
        queue: worker.Queue = asyncio.Queue()
        queue.put_nowait(worker.End.OF_INPUT)
        await worker.work(of(world, store), queue, tmp_path)
        before = len(world.sent("GET"))

    (text,) = failures(tmp_path)
    assert "sat_unavailable" in text
    assert before == len(world.sent("GET"))


async def test_the_worker_ends_with_its_input(world: World, store: str, tmp_path: Path) -> None:
    """Once all records are written."""
    queue: worker.Queue = asyncio.Queue()
    for task in (world.invoices(), world.extraction(), worker.End.OF_INPUT):
        queue.put_nowait(task)

    await worker.work(of(world, store), queue, tmp_path)

    assert 2 == len(files(tmp_path))


@pytest.mark.proof
@pytest.mark.parametrize("make", [fastapi_service.make_app, several_workers.make_app], ids=["fastapi", "workers"])
async def test_a_service_loads_what_ended_before_it_came(make: Any, world: World, store: str, tmp_path: Path) -> None:
    """And what ends while it runs."""
    names = await ended(world, store, 2)
    app = make(of(world, store), tmp_path / "records")

    async with app.router.lifespan_context(app):
        await world.until(lambda: names == files(tmp_path / "records"))
        beside = await world.open(store=store, webhooks=False, chance=random.Random(8))
        await beside.fire(world.extraction())
        await world.until(lambda: 3 == len(files(tmp_path / "records")))


@pytest.mark.proof
async def test_two_that_load_the_same_do_it_once(world: World, store: str, tmp_path: Path) -> None:
    """The second finds the claim of the first; the file is whole."""
    (name,) = await ended(world, store, 1)
    before = len(world.sent("GET", "/entities"))
    async with of(world, store) as one, of(world, store) as two:
        await asyncio.gather(records.load_ended(one, tmp_path), records.load_ended(two, tmp_path))

    assert [name] == files(tmp_path)
    assert 1 == len(world.sent("GET", "/entities")) - before


def test_the_claim_of_a_dead_process_is_free(tmp_path: Path) -> None:
    """What it had written is not taken for the beginning of the next one's."""
    path = tmp_path / "job.ndjson"
    path.with_suffix(".part").write_bytes(b"half of a li")

    with records.claim(path) as file:
        assert file is not None
        file.write(b"whole\n")

    assert b"whole\n" == path.read_bytes()
    with records.claim(path) as file:
        assert file is None


def test_who_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "job.ndjson"

    def fail() -> None:
        with records.claim(path) as file:
            assert file is not None
            file.write(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()

    assert not path.exists()


def test_who_comes_second_leaves_the_first_alone(tmp_path: Path) -> None:
    """Also when the first one finishes between the look and the lock."""
    path = tmp_path / "job.ndjson"
    with path.with_suffix(".part").open("ab") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with records.claim(path) as file:
            assert file is None


# As processes


async def start_worker(vendor: SyntageSimulator, tmp_path: Path, **streams: Any) -> asyncio.subprocess.Process:
    environ = os.environ | variables_of(vendor) | {"BELVO_ASYNC_STORE": f"sqlite:{tmp_path / 'jobs.db'}"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.worker", str(tmp_path / "records")), cwd=ROOT, env=environ, **streams
    )


def tasks_of(vendor: SyntageSimulator) -> bytes:
    tasks = [
        {"kind": "syntage.Extraction", "entity": entity, "extractor": "tax_status"} for entity in vendor.entities[:3]
    ]
    return b"".join(json.dumps(task).encode() + b"\n" for task in tasks)


@pytest.mark.parametrize(
    "kind",
    ["pipe", *(pytest.param(kind, marks=pytest.mark.proof) for kind in ("file", "terminal", "nothing", "closed"))],
)
def test_the_worker_reads_any_standard_input(kind: str, tmp_path: Path) -> None:
    """A regular file, a pipe, a terminal, `/dev/null`, none at all: it fires the lines and ends with them."""

    async def scenario() -> tuple[int, int]:
        async with asyncio.timeout(120), SyntageSimulator(speed=200) as vendor:
            lines = b"" if kind in ("nothing", "closed") else tasks_of(vendor)
            source, inner = make_input(kind, lines, tmp_path)
            process = await start_worker(vendor, tmp_path, stdin=source, close_fds=kind != "closed")
            if inner is not None:
                os.write(inner, lines + (b"\x04" if kind == "terminal" else b""))
                if kind == "pipe":
                    os.close(inner)
            status = await process.wait()
            return status, len(vendor.jobs)

    status, posted = asyncio.run(scenario())

    wanted = 0 if kind in ("nothing", "closed") else 3
    assert (0, wanted, wanted) == (status, posted, len(files(tmp_path / "records")))


def make_input(kind: str, lines: bytes, tmp_path: Path) -> tuple[int, int | None]:
    """A descriptor to read from, and one to write the lines to where they are not there already."""
    if kind == "file":
        (tmp_path / "tasks.ndjson").write_bytes(lines)
        return os.open(tmp_path / "tasks.ndjson", os.O_RDONLY), None
    if kind == "pipe":
        return os.pipe()
    if kind == "terminal":
        inner, outer = os.openpty()
        return outer, inner
    return os.open("/dev/null", os.O_RDONLY), None


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_the_next_run_loads_what_a_stopped_worker_left(number: signal.Signals, tmp_path: Path) -> None:
    """Stopped while its jobs run; they end with somebody there who loads nothing."""

    async def scenario() -> tuple[int, list[str], int, list[str], int]:
        async with asyncio.timeout(240), SyntageSimulator(speed=10) as vendor:
            (tmp_path / "tasks.ndjson").write_bytes(tasks_of(vendor))
            for _ in range(3):
                vendor.next_job(duration=timedelta(minutes=5))
            with (tmp_path / "tasks.ndjson").open("rb") as source:
                process = await start_worker(vendor, tmp_path, stdin=source)
            await settle_all(vendor, tmp_path, process, number)
            first, left = await process.wait(), files(tmp_path / "records")
            process = await start_worker(vendor, tmp_path, stdin=asyncio.subprocess.DEVNULL)
            return first, left, await process.wait(), files(tmp_path / "records"), len(vendor.jobs)

    first, left, second, loaded, posted = asyncio.run(scenario())

    assert (-number if number is signal.SIGKILL else 0, 0) == (first, second)
    assert ([], 3, 3) == (left, len(loaded), posted)


async def settle_all(
    vendor: SyntageSimulator, tmp_path: Path, process: asyncio.subprocess.Process, number: signal.Signals
) -> None:
    """Stop a worker once its jobs are known, and look after them instead, as another process of the store."""
    settings = Syntage(vendor.api_key, base_url=vendor.url)
    async with Session(settings, store=f"sqlite:{tmp_path / 'jobs.db'}") as session:
        handles: list[JobHandle[Any]] = []
        while len(handles) < 3 or not all(handle.job.remote_id for handle in handles):
            await asyncio.sleep(0.1)
            handles = [handle async for handle in session.open_jobs()]
        process.send_signal(number)
        while not all(handle.done() for handle in handles):
            await asyncio.sleep(0.5)
            for handle in handles:
                await handle.refresh()


@pytest.mark.proof
def test_no_result_is_lost_with_a_killed_web_worker(tmp_path: Path) -> None:
    """Four workers, twenty jobs, kill -9 of one and then another while they end: every file appears, and is whole."""

    async def scenario() -> tuple[set[str], list[str]]:
        async with (
            asyncio.timeout(180),
            SyntageSimulator(speed=20, entities=20) as vendor,
            workers(vendor, f"sqlite:{tmp_path / 'jobs.db'}", count=4, RECORDS=str(tmp_path / "records")) as url,
        ):
            vendor.webhook_url = f"{url}/webhooks/syntage"
            limits = httpx.Limits(max_keepalive_connections=0)
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=40, limits=limits) as http:
                await until_up(http)
                fired = await asyncio.gather(
                    *(http.post("/extractions", json={"entity": each, "extractor": "tax_status"})
                      for each in vendor.entities)
                )  # fmt: skip
                told = [answer.json() for answer in fired]
                for pid in sorted({each["worker"] for each in told})[:2]:
                    os.kill(pid, signal.SIGKILL)
                    await asyncio.sleep(1)
                names = {f"{each['id']}.ndjson" for each in told}
                while names - set(files(tmp_path / "records")):  # noqa: ASYNC110 - other processes have no event
                    await asyncio.sleep(0.2)
                return names, files(tmp_path / "records")

    names, loaded = asyncio.run(scenario())

    assert (20, sorted(names)) == (len(names), loaded)
    assert all((tmp_path / "records" / name).read_bytes().endswith(b"}\n") for name in names)


async def until_up(http: httpx.AsyncClient) -> None:
    while True:
        try:
            await http.get("/jobs/unknown")
        except httpx.ConnectError:
            await asyncio.sleep(0.1)
        else:
            return
