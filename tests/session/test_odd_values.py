"""Any JSON value in any field: deliveries are answered, polls go on. `BELVO_ASYNC_FUZZ=20000` tries more."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer, Headers, Request
from belvo_async.jobs import Job, Polling, Status
from belvo_async.stores.memory.store import MemoryStore
from tests.odd_json import variants
from tests.session.world import World
from tests.vendors.belvo import samples as belvo_samples
from tests.vendors.syntage import kit as syntage_kit
from tests.virtual_time import VirtualClock

CASES = int(os.environ.get("BELVO_ASYNC_FUZZ", "300"))
OTHER = msgspec.structs.replace(belvo_samples.TASK, link="other")
BELVO_EVENTS = ("webhook_invoices_async_post.INFERRED", "webhook_async_failure.INFERRED", "webhook_tax_status")


async def test_every_delivery_is_answered(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """200 or, when it could not be kept, 503: whatever stands in it, nothing is raised, and nothing breaks later."""
    session = await world.open(webhooks=False)
    proof = world.belvo_proof()
    answers: set[int] = set()

    for seed in range(CASES):
        belvo = json.loads(belvo_samples.sample(BELVO_EVENTS[seed % len(BELVO_EVENTS)]))
        answers.add(await session.receive("belvo", proof, variants(belvo, seed)))
        syntage = variants(_event(seed), seed)
        answers.add(await session.receive("syntage", world.syntage_proof(syntage), syntage))

    assert {200} == answers
    assert [] == [each for each in caplog.records if each.levelname == "ERROR"]


def _event(seed: int) -> dict[str, Any]:
    snapshot = syntage_kit.sample(("extraction.finished.rate_limited", "export.finished")[seed % 2])
    kind = ("extraction.updated", "export.updated")[seed % 2]
    return {"id": f"e{seed}", "type": kind, "resource": snapshot["@id"], "data": {"object": snapshot, "changes": {}}}


async def test_a_poll_of_extractions_settles_all_but_the_odd_one(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One row of the list is odd; the jobs of the others end."""
    for seed in range(CASES):
        ids = [f"{each:032x}" for each in range(1, 5)]
        rows = [syntage_kit.row(id=each, **{"@id": f"/extractions/{each}"}, status="finished") for each in ids]
        odd = variants(syntage_kit.sample("extraction.finished.rate_limited") | {"id": ids[0]}, seed)
        page = json.dumps({"hydra:member": ["odd", *rows[1:]]}).encode().replace(b'"odd"', odd)

        def answer(request: Request, odd: bytes = odd, page: bytes = page, rows: Any = rows) -> Answer:
            path = request.target.partition("?")[0]
            if path == "/extractions":
                return Answer(200, Headers(), page)
            number = int(path.rpartition("/")[2], 16)
            return Answer(200, Headers(), odd if number == 1 else json.dumps(rows[number - 1]).encode())

        jobs = [syntage_kit.job(id=each, remote_id=each, status=Status.PENDING) for each in ids]
        ended = await _poll(syntage_kit.vendor(), jobs, answer, clock)

        assert set(ids[1:]) <= ended, f"case {seed}"
    assert [] == [each for each in caplog.records if each.levelname == "ERROR"]


async def test_a_poll_of_links_settles_all_but_the_odd_one(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One link, or the list of one job, is odd; the jobs of the other link end."""
    for seed in range(CASES):
        link = json.loads(belvo_samples.sample("link"))
        page = {"count": 3, "next": None, "previous": None, "results": [{"id": "a"}]}
        odd = variants((link, page)[seed % 2], seed)
        broken = json.dumps(link | {"id": "other", "status": "invalid"}).encode()
        good = json.dumps(link | {"last_accessed_at": "2026-03-04T18:21:59Z"}).encode()

        def answer(
            request: Request, odd: bytes = odd, good: bytes = good, broken: bytes = broken, at: int = seed
        ) -> Answer:
            if "/other/" in request.target:
                return Answer(200, Headers(), broken)
            is_link = request.target.startswith("/api/links/")
            return Answer(200, Headers(), odd if is_link == (at % 2 == 0) else good)

        other = belvo_samples.Invoices(
            link="other", date_from=belvo_samples.TASK.date_from, date_to=belvo_samples.TASK.date_to
        )
        jobs = [belvo_samples.job_of(id="odd"), belvo_samples.job_of(other, id="b", remote_id="b" * 32)]
        ended = await _poll(belvo_samples.BELVO, jobs, answer, clock)

        assert "b" in ended, f"case {seed}"
    assert [] == [each for each in caplog.records if each.levelname == "ERROR"]


async def _poll(vendor: Any, jobs: list[Job], answer: Callable[[Request], Answer], clock: VirtualClock) -> set[str]:
    """Let jobs fall due once, and give those that ended."""

    async def talk(conversation: Any, **_: Any) -> Any:
        try:
            request = next(conversation)
            while True:
                request = conversation.send(answer(request))
        except StopIteration as end:
            return end.value

    async with MemoryStore() as store:
        for job in jobs:
            due = job.scheduled(next_poll=clock.now(), planned_at=clock.now())
            await store.put(msgspec.structs.replace(due, account=vendor.account), expected=None)
        tracker = Tracker(
            store=store,
            vendors={vendor.name: vendor},
            talks={vendor.name: talk},
            polling=Polling(),
            clock=clock,
            chance=random.Random(1).random,
            new_id=lambda: "new",
        )
        async with tracker:
            await asyncio.sleep(0.1)
        kept = [await store.get(job.id) for job in jobs]
    return {job.id for job in kept if job is not None and not job.is_open}
