"""Both simulators on virtual time, a plain HTTP client for each, and a webhook receiver."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from belvo_async.simulator import BelvoSimulator, SyntageSimulator


@dataclass
class Receiver:
    """A webhook endpoint that keeps what it gets and answers `statuses`, then 204."""

    url: str = ""
    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    on_delivery: Callable[[], None] | None = None

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.copy(), await request.read()))
        if self.on_delivery is not None:
            self.on_delivery()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    mine = Receiver()
    app = web.Application()
    app.router.add_post("/hook", mine.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mine.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield mine
    await runner.cleanup()


class BelvoClient:
    """Plain aiohttp against one simulated Belvo, logged in."""

    def __init__(self, belvo: BelvoSimulator, http: aiohttp.ClientSession) -> None:
        self.belvo = belvo
        self.http = http

    def body(self, **changes: Any) -> dict[str, Any]:
        plain = {"link": self.belvo.links[0], "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
        return {**plain, **changes}

    async def post(self, path: str = "/api/invoices/", *, mode: str = "async", **changes: Any) -> tuple[int, Any]:
        headers = {"X-Belvo-Request-Mode": mode}
        async with self.http.post(path, json=self.body(**changes), headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        async with self.http.get(path, params=query) as response:
            return response.status, await response.json(content_type=None)


class SyntageClient:
    """Plain aiohttp against one simulated Syntage, with its key."""

    def __init__(self, syntage: SyntageSimulator, http: aiohttp.ClientSession) -> None:
        self.syntage = syntage
        self.http = http

    async def create(self, extractor: str = "invoice", options: Any = None, **changes: Any) -> tuple[int, Any]:
        period = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
        body = {"entity": self.syntage.entities[0], "extractor": extractor}
        body["options"] = (period if extractor == "invoice" else {}) if options is None else options
        async with self.http.post("/extractions", json={**body, **changes}) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        async with self.http.get(path, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def stop(self, number: str) -> int:
        async with self.http.delete(f"/extractions/{number}/stop") as response:
            return response.status

    async def all_rows(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            _, body = await self.get(following)
            rows += body["hydra:member"]
            following = body["hydra:view"].get("hydra:next")
        return rows


def basic(belvo: BelvoSimulator) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(belvo.secret_id, belvo.secret_password)}


@pytest.fixture
async def belvo(clock: Any, receiver: Receiver) -> AsyncIterator[BelvoSimulator]:
    async with BelvoSimulator(now=clock.now, limits=False, webhook_url=receiver.url) as simulator:
        yield simulator


@pytest.fixture
async def client(belvo: BelvoSimulator) -> AsyncIterator[BelvoClient]:
    async with aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http:
        yield BelvoClient(belvo, http)


@pytest.fixture
async def syntage(clock: Any, receiver: Receiver) -> AsyncIterator[SyntageSimulator]:
    async with SyntageSimulator(now=clock.now, limits=False, webhook_url=receiver.url) as simulator:
        yield simulator


@pytest.fixture
async def syntage_client(syntage: SyntageSimulator) -> AsyncIterator[SyntageClient]:
    async with aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http:
        yield SyntageClient(syntage, http)
