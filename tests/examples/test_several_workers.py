"""The example of several workers: in this process with two applications, and as real processes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from belvo_async import Session
from belvo_async.simulator import SyntageSimulator
from examples import several_workers
from tests.examples.test_examples import _serve as serve
from tests.examples.web_workers import workers
from tests.session.world import World
from tests.stores.urls import empty_store

WANTED = {"extractor": "tax_status"}


async def test_fired_in_one_waited_for_in_another(world: World, tmp_path: Path) -> None:
    """The webhook reaches the worker that fired; the one that waits wakes at once and knows the same end."""
    first, second = [
        several_workers.make_app(
            Session(world.syntage_vendor(), store=f"sqlite:{tmp_path / 'jobs.db'}", clock=world.clock, sweep=False)
        )
        for _ in range(2)
    ]
    async with (
        serve(first) as one,
        serve(second) as other,
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
    ):
        world.deliver_to(f"{one}/webhooks")
        fired = await http.post(f"{one}/extractions", json=WANTED | {"entity": world.syntage.entities[0]})
        path = f"/jobs/{fired.json()['id']}"
        told = [await http.get(other + path)]
        while "finished" != told[-1].json()["status"]:
            told.append(await http.get(other + path))
        again = await http.get(one + path)

    assert (202, "pending") == (fired.status_code, fired.json()["status"])
    assert {200} == {answer.status_code for answer in told}
    assert ("finished", "webhook") == (again.json()["status"], again.json()["settled_by"])
    assert again.json() == told[-1].json()


async def test_mistakes_are_answered(world: World) -> None:
    """A task that cannot be, a job that is not there, a job that failed."""
    app = several_workers.make_app(Session(world.syntage_vendor(), clock=world.clock))
    world.syntage.next_job(outcome="failed")
    async with serve(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        world.deliver_to(f"{url}/webhooks")
        fired = await http.post("/extractions", json=WANTED | {"entity": world.syntage.entities[0]})
        await world.until(lambda: world.syntage.deliveries and world.syntage.deliveries[-1].attempt)
        failed = await http.get(f"/jobs/{fired.json()['id']}")
        while "failed" != failed.json()["status"]:
            failed = await http.get(f"/jobs/{fired.json()['id']}")
        wrong = await http.post("/extractions", json={"entity": "", "extractor": "tax_status"})
        unknown = await http.get("/jobs/unknown")

    assert (200, "sat_unavailable") == (failed.status_code, failed.json()["failure"])
    assert (422, 404) == (wrong.status_code, unknown.status_code)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_real_workers_share_the_work(kind: str, tmp_path: Path) -> None:
    """Two workers behind one port: whichever answers, every job has its one end and nobody waits long."""
    with empty_store(kind, tmp_path) as store:
        asyncio.run(_share_the_work(store))


async def _share_the_work(store: str) -> None:
    async with (
        asyncio.timeout(60),
        SyntageSimulator(speed=20, entities=8) as vendor,
        workers(vendor, store, count=2) as url,
    ):
        vendor.webhook_url = f"{url}/webhooks/syntage"
        # Each request on a connection of its own: the kernel chooses the worker.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=40, limits=limits) as http:
            first, *others = vendor.entities
            fired = [await _fire_first(http, first)]
            await _until_both_answer(http, fired[0].json()["id"])
            fired += await asyncio.gather(
                *(http.post("/extractions", json=WANTED | {"entity": each}) for each in others)
            )
            ids = [answer.json()["id"] for answer in fired]
            waited = await asyncio.gather(*(http.get(f"/jobs/{each}") for each in ids * 3))
            ends: dict[str, set[Any]] = {}
            for answer in waited:
                told = answer.json()
                ends.setdefault(told["id"], set()).add((told["status"], told["settled_by"]))

    assert {202} == {answer.status_code for answer in fired}
    assert 8 == len(ends) == len(vendor.jobs)
    assert [1] * 8 == [len(each) for each in ends.values()]
    assert {"finished"} == {status for each in ends.values() for status, _ in each}
    assert {200} == {each.status for each in vendor.deliveries}


async def _fire_first(http: httpx.AsyncClient, entity: str) -> httpx.Response:
    while True:
        try:
            return await http.post("/extractions", json=WANTED | {"entity": entity})
        except httpx.ConnectError:
            await asyncio.sleep(0.1)


async def _until_both_answer(http: httpx.AsyncClient, job_id: str) -> None:
    """The port is open before the second worker is ready; later the kernel lets either answer."""
    workers: set[int] = set()
    while len(workers) < 2:
        answers = await asyncio.gather(*(http.get(f"/jobs/{job_id}") for _ in range(8)))
        workers |= {answer.json()["worker"] for answer in answers}
