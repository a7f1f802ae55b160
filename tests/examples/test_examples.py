"""The examples run as they are, against the simulators."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from belvo_async import Session
from examples import aiohttp_service, bulk_extract, fastapi_service, worker
from tests.session.world import World

ROOT = Path(__file__).parents[2]


async def _new(world: World, store: str = "memory:") -> Session:
    """A session that the example opens and closes itself."""
    return Session(world.belvo_vendor(), world.syntage_vendor(), store=store, clock=world.clock)


# fastapi_service


@asynccontextmanager
async def _serve(app: FastAPI) -> AsyncIterator[str]:
    """Serve an ASGI application with uvicorn; its URL. Leaving stops it gracefully."""
    config = uvicorn.Config(app, port=0, http="h11", ws="none", log_config=None, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.1)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_fastapi_service(world: World) -> None:
    """Fire by HTTP, take the webhook, tell the status, stream the records."""
    wanted = {"link": world.belvo.links[0], "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}

    async with (
        _serve(fastapi_service.make_app(await _new(world))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        world.deliver_to(f"{url}/webhooks")
        fired = await http.post("/invoices", json=wanted)
        path = f"/jobs/{fired.json()['id']}"
        early = [await http.get(path), await http.get(f"{path}/records")]
        await world.until(lambda: world.belvo.deliveries)
        status, records = await http.get(path), await http.get(f"{path}/records")

    assert (202, 200, 409) == (fired.status_code, *(answer.status_code for answer in early))
    assert ["pending", "pending", "finished"] == [each.json()["status"] for each in (fired, early[0], status)]
    assert [200] == [delivery.status for delivery in world.belvo.deliveries]
    truth = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert {row["id"] for row in truth} == {json.loads(line)["id"] for line in records.text.splitlines()}


@pytest.mark.parametrize(
    ("method", "path", "change", "status"),
    [
        pytest.param("POST", "/invoices", {"date_to": "2029-01-01"}, 422, id="too long"),
        pytest.param("POST", "/invoices", {"type": "SIDEWAYS"}, 422, id="unknown direction"),
        pytest.param("GET", "/jobs/unknown", {}, 404, id="unknown job"),
    ],
)
async def test_fastapi_service_refuses(
    world: World, method: str, path: str, change: dict[str, str], status: int
) -> None:
    """Mistakes are answered, not raised."""
    wanted = {"link": world.belvo.links[0], "date_from": "2025-01-01", "date_to": "2025-12-31"} | change
    app = fastapi_service.make_app(await _new(world))

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http,
    ):
        answer = await http.request(method, path, json=wanted)

    assert status == answer.status_code
    assert [] == world.sent("POST")


async def test_fastapi_service_stops_while_jobs_run(world: World, tmp_path: Path) -> None:
    """Stopping waits for no job; the next start goes on with it."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    wanted = {"link": world.belvo.links[0], "date_from": "2025-01-01", "date_to": "2025-12-31"}
    began = world.clock.now()
    async with (
        _serve(fastapi_service.make_app(await _new(world, store))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        path = f"/jobs/{(await http.post('/invoices', json=wanted)).json()['id']}"
    assert (world.clock.now() - began).total_seconds() < 15

    async with (
        _serve(fastapi_service.make_app(await _new(world, store))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        world.deliver_to(f"{url}/webhooks")
        await world.until(lambda: world.belvo.deliveries)
        assert "finished" == (await http.get(path)).json()["status"]


# aiohttp_service


async def test_aiohttp_service(world: World) -> None:
    """Fire by HTTP, take the webhook, stream the records when the job is done."""
    url = await world.serve(aiohttp_service.make_app(await _new(world)))
    world.deliver_to(f"{url}/webhooks")
    options = {"period": {"from": "2025-01-01", "to": "2025-03-31"}}
    wanted = {"entity": world.syntage.entities[0], "extractor": "invoice", "options": options}

    async with aiohttp.ClientSession(url) as http:
        fired = await (await http.post("/extractions", json=wanted)).json()
        records = await (await http.get(f"/jobs/{fired['id']}/records")).text()
        status = await (await http.get(f"/jobs/{fired['id']}")).json()

    assert ("pending", "finished") == (fired["status"], status["status"])
    truth = world.syntage.invoices(world.syntage.entities[0], {"period": {"from": "2025-01-01", "to": "2025-03-31"}})
    assert {row["id"] for row in truth} == {json.loads(line)["id"] for line in records.splitlines()}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b"[]", 422), (b'{"entity": ""}', 422), (b'{"entity": "", "extractor": "x"}', 422)],
)
async def test_aiohttp_service_refuses(world: World, body: bytes, status: int) -> None:
    """Mistakes are answered, not raised."""
    url = await world.serve(aiohttp_service.make_app(await _new(world)))

    async with aiohttp.ClientSession(url) as http:
        assert status == (await http.post("/extractions", data=body)).status
        assert 404 == (await http.get("/jobs/unknown")).status


async def test_aiohttp_service_tells_a_failure(world: World) -> None:
    """A job that gave nothing has no records: 409, with the reason."""
    url = await world.serve(aiohttp_service.make_app(await _new(world)))
    world.deliver_to(f"{url}/webhooks")
    world.syntage.next_job(outcome="failed")
    wanted = {"entity": world.syntage.entities[0], "extractor": "tax_status"}

    async with aiohttp.ClientSession(url) as http:
        fired = await (await http.post("/extractions", json=wanted)).json()
        records = await http.get(f"/jobs/{fired['id']}/records")

        assert (409, True) == (records.status, "sat_unavailable" in await records.text())


# bulk_extract


@pytest.mark.proof
async def test_bulk_extract(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every record of every link and year ends in the file; a job that fails is told and counted."""
    world.belvo.next_job(link=world.belvo.links[2], outcome="failed")
    path = tmp_path / "invoices.ndjson"

    session = await world.open()

    failed = await bulk_extract.extract(session, path, [2024, 2025])

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    truth = {
        row["id"]
        for link in world.belvo.links[:2]
        for year in (2024, 2025)
        for row in world.belvo.invoices(link, date(year, 1, 1), date(year, 12, 31))
    }
    assert 1 == failed
    assert truth <= {row["id"] for row in rows}
    assert len(rows) == len({row["id"] for row in rows})
    assert "institution_down" in capsys.readouterr().err


# worker


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.ndjson"))


@pytest.mark.proof
async def test_worker(world: World, tmp_path: Path) -> None:
    """What the queue brings is fired and followed; stopped meanwhile, the next run goes on with it."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    first: worker.Queue = asyncio.Queue()
    for task in (world.invoices(), world.extraction(), world.invoices(1), None):
        first.put_nowait(task)
    began = world.clock.now()
    await worker.work(await _new(world, store), first, tmp_path)
    assert (world.clock.now() - began).total_seconds() < 10
    assert [] == _files(tmp_path)

    second: worker.Queue = asyncio.Queue()
    working = asyncio.create_task(worker.work(await _new(world, store), second, tmp_path))
    await world.until(lambda: 3 == len(_files(tmp_path)))
    second.put_nowait(None)
    await working

    assert 3 == len(world.sent("POST"))
    assert all(path.read_bytes() for path in _files(tmp_path))


async def test_worker_survives_what_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused or failed task is told; the worker goes on."""
    queue: worker.Queue = asyncio.Queue()
    world.syntage.next_job(outcome="failed")
    queue.put_nowait(world.invoices(date_from=date(2026, 6, 1), date_to=date(2026, 7, 1)))
    queue.put_nowait(world.extraction())
    queue.put_nowait(world.invoices())
    working = asyncio.create_task(worker.work(await _new(world), queue, tmp_path))

    await world.until(lambda: _files(tmp_path))
    await asyncio.sleep(600)
    queue.put_nowait(None)
    await working

    told = capsys.readouterr().err
    assert ("date_to" in told, "sat_unavailable" in told) == (True, True)


def test_worker_stops_on_a_signal(tmp_path: Path) -> None:
    """As a process: it reads lines, complains about what it cannot read, and ends on SIGTERM."""
    environ = os.environ | {"SYNTAGE_API_KEY": "not-used-1234", "BELVO_ASYNC_STORE": f"sqlite:{tmp_path / 'jobs.db'}"}

    async def scenario() -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "examples.worker", str(tmp_path / "records")),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environ,
        )
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"nonsense\n")
        line = await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), 20), line

    status, line = asyncio.run(scenario())

    assert (0, True) == (status, line.startswith(b"refused"))


def test_examples_are_configured_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument each service makes its session from the variables its docstring names."""
    for name in ("BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD", "SYNTAGE_API_KEY"):
        monkeypatch.setenv(name, "canary-1234")
    monkeypatch.setenv("BELVO_WEBHOOK_AUTH", "Bearer canary-authorization")
    monkeypatch.setenv("SYNTAGE_WEBHOOK_SECRET", "canary-secret-1234")

    made: list[Any] = [fastapi_service.make_app(), aiohttp_service.make_app()]

    assert [FastAPI, aiohttp.web.Application] == [type(app) for app in made]


@pytest.mark.parametrize(
    ("name", "words", "usage"),
    [
        pytest.param("bulk_extract", (), "FILE YEAR [YEAR ...]", id="bulk_extract"),
        pytest.param("bulk_extract", ("invoices.ndjson",), "FILE YEAR [YEAR ...]", id="bulk_extract: no year"),
        pytest.param("bulk_extract", ("invoices.ndjson", "all"), "FILE YEAR [YEAR ...]", id="bulk_extract: a word"),
        pytest.param("worker", (), "FOLDER", id="worker"),
        pytest.param("arco_deletion", (), "[--vendor {belvo,syntage}]", id="arco_deletion"),
        pytest.param("onboarding", (), "--since DAY [--until DAY]", id="onboarding"),
    ],
)
def test_a_missing_argument_shows_the_usage(
    name: str,
    words: tuple[str, ...],
    usage: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """How to call it, and exit code 2; nothing is begun."""
    program = ROOT / "examples" / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(program), *words])
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(program), run_name="__main__")

    assert 2 == ended.value.code
    assert f"usage: python -m examples.{name} [-h] {usage}" == capsys.readouterr().err.splitlines()[0]
    assert [] == list(tmp_path.iterdir())


@pytest.mark.proof
@pytest.mark.parametrize("name", ["bulk_extract", "worker", "arco_deletion", "onboarding"])
def test_a_program_starts_in_any_directory(name: str, tmp_path: Path) -> None:
    """As its usage says, with `python -m`."""
    command = [sys.executable, "-m", f"examples.{name}"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}

    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)

    assert 2 == ended.returncode
    assert ended.stderr.startswith(f"usage: python -m examples.{name} [-h] ")
    assert "Traceback" not in ended.stderr
