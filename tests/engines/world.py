"""A vendor, a receiver of its webhooks, and an engine with its workers: all of one process, on the machine's clock.

Engines count by the clocks of their servers, so no time can be jumped over here: the vendor is fast instead.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from belvo_async import JobHandle, Plan, Polling, Session, Syntage, syntage
from belvo_async.engines.work import Work
from belvo_async.simulator import SyntageSimulator
from belvo_async.web.aiohttp import webhook_routes
from tests.engines.kinds import Kind, end, kind_of, new_place
from tests.stores.urls import empty_store

FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
# Real seconds, for what takes one or two.
PATIENCE_SECONDS = 120.0


@dataclass
class World:
    vendor: SyntageSimulator
    kind: Kind
    store: str
    folder: Path
    engine: Work = field(init=False)
    collected: list[str] = field(default_factory=list[str])
    stack: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    def session(self, **options: Any) -> Session:
        vendor = Syntage(self.vendor.api_key, base_url=self.vendor.url, webhook_secrets=(self.vendor.signing_secret,))
        return Session(vendor, store=self.store, **{"polling": Polling(first=timedelta(seconds=5))} | options)

    async def collect(self, handle: JobHandle[object]) -> None:
        self.collected.append(handle.id)

    def plan(self, subjects: int = 3) -> Plan:
        entities = self.vendor.entities[:subjects]
        return Plan(vendor="syntage", resource="invoice", subjects=entities, first=FIRST, last=LAST)

    def task(self, entity: int = 0) -> syntage.Extraction[Any]:
        return syntage.Extraction(entity=self.vendor.entities[entity], extractor="tax_status")

    @asynccontextmanager
    async def working(self, workers: int = 1) -> AsyncIterator[None]:
        """Have workers at work, as far as one process has several."""
        tasks = [asyncio.create_task(self.kind.work()) for _ in range(workers)]
        try:
            yield
        finally:
            for task in tasks:
                await end(task)

    async def until(self, condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await condition():  # noqa: ASYNC110 - a condition of several servers
                await asyncio.sleep(0.1)

    async def until_whole(self, plan: Plan, into: str) -> None:
        async with self.session(sweep=False) as session:

            async def is_whole() -> bool:
                certificate = await session.certificate(plan, into=into)
                return certificate.is_whole and not certificate.unreceipted

            await self.until(is_whole)

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.vendor.requests)

    def rows(self) -> list[str]:
        lines = (line for part in self.folder.rglob("*.ndjson") for line in part.read_bytes().splitlines())
        return [msgspec.json.decode(line)["uuid"] for line in lines]

    def held(self, plan: Plan) -> list[str]:
        period = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
        return [row["uuid"] for entity in plan.subjects for row in self.vendor.invoices(entity, period)]


@asynccontextmanager
async def opened(
    kind: str, path: Path, *, entities: int = 3, speed: float = 200.0, **options: Any
) -> AsyncIterator[World]:
    """A world with an engine, no worker at work yet, whose receiver only receives."""
    with empty_store("postgres", path) as store:
        place = kind_of(kind, new_place())
        await place.prepare()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(place.remove)
            vendor = SyntageSimulator(speed=speed, entities=entities, invoices_per_year=20)
            await stack.enter_async_context(vendor)
            world = World(vendor, place, store, path / "out")
            receiver = await stack.enter_async_context(world.session(sweep=False, chance=random.Random(3)))
            app = web.Application()
            app.add_routes(webhook_routes(receiver))
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            vendor.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/syntage"
            world.engine = place.make(world.session, **{"collect": world.collect} | options)
            await stack.enter_async_context(place.open())
            stack.push_async_callback(world.engine.close)
            yield world
