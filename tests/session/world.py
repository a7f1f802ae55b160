"""Both vendors on loopback under virtual time, sessions on them, and an address for their webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from aiohttp import web

from belvo_async import Belvo, Session, Syntage, belvo, syntage
from belvo_async.abc import Vendor
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.web.aiohttp import webhook_routes
from tests.virtual_time import VirtualClock

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
PERIOD = syntage.Period(from_=FIRST, to=date(2025, 3, 31))


@dataclass
class World:
    """Everything a test of the session needs; what it opens is closed with it."""

    belvo: BelvoSimulator
    syntage: SyntageSimulator
    clock: VirtualClock
    stack: AsyncExitStack = field(repr=False)

    def belvo_vendor(self, **changes: Any) -> Belvo:
        settings = {"base_url": self.belvo.url, "webhook_authorization": self.belvo.webhook_authorization} | changes
        return Belvo(self.belvo.secret_id, self.belvo.secret_password, **settings)

    def syntage_vendor(self, **changes: Any) -> Syntage:
        settings = {"base_url": self.syntage.url, "webhook_secrets": (self.syntage.signing_secret,)} | changes
        return Syntage(self.syntage.api_key, **settings)

    async def open(self, *vendors: Vendor, webhooks: bool = True, **options: Any) -> Session:
        """Open a session on both vendors (or those given); with `webhooks`, they deliver to it."""
        chosen = vendors or (self.belvo_vendor(), self.syntage_vendor())
        session = Session(*chosen, clock=self.clock, **{"chance": random.Random(7)} | options)
        await self.stack.enter_async_context(session)
        if webhooks:
            app = web.Application()
            app.add_routes(webhook_routes(session))
            base_url = await self.serve(app)
            self.deliver_to(f"{base_url}/webhooks")
        return session

    async def serve(self, app: web.Application) -> str:
        """Serve an aiohttp application on loopback; its base URL."""
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def deliver_to(self, url: str | None) -> None:
        """Point the webhooks of both vendors somewhere; None keeps them silent."""
        self.belvo.webhook_url = url and f"{url}/belvo"
        self.syntage.webhook_url = url and f"{url}/syntage"

    def sent(self, method: str | None = None, path: str = "") -> list[Any]:
        """What reached either vendor so far."""
        seen = [*self.belvo.requests, *self.syntage.requests]
        return [each for each in seen if method in (None, each.method) and each.path.startswith(path)]

    async def until(self, condition: Any, *, within: timedelta = timedelta(hours=1)) -> None:
        """Let time pass until a condition holds."""
        async with asyncio.timeout(within.total_seconds()):
            while not condition():  # noqa: ASYNC110 - conditions of the simulators have no event
                await asyncio.sleep(0.5)

    # Tasks and deliveries

    def invoices(self, link: int = 0, **changes: Any) -> belvo.Invoices:
        plain: dict[str, Any] = {"link": self.belvo.links[link], "date_from": FIRST, "date_to": LAST, "type": "INFLOW"}
        return belvo.Invoices(**plain | changes)

    def extraction(self, entity: int = 0, extractor: str = "invoice", **changes: Any) -> syntage.Extraction:
        options = syntage.InvoiceOptions(period=PERIOD) if extractor == "invoice" else None
        plain: dict[str, Any] = {"entity": self.syntage.entities[entity], "extractor": extractor, "options": options}
        return syntage.Extraction(**plain | changes)

    def belvo_delivery(self, request_id: str, link: int = 0, **changes: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook that finishes a request, or whatever `changes` say."""
        plain: dict[str, Any] = {
            "webhook_id": "5" * 32,
            "webhook_type": "INVOICES",
            "process_type": "async_post",
            "webhook_code": "new_invoices_available",
            "link_id": self.belvo.links[link],
            "request_id": request_id,
            "external_id": "sim-000000",
            "data": {"new_invoices": 3},
        }
        return self.belvo_proof(), json.dumps(plain | changes).encode()

    def belvo_proof(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": self.belvo.webhook_authorization}

    def syntage_delivery(self, remote_id: str, status: str = "finished") -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed event that says `status` of an extraction."""
        snapshot = {"id": remote_id, "status": status, "createdDataPoints": 3, "updatedDataPoints": 0}
        event = {"id": "e1", "type": "extraction.updated", "resource": f"/extractions/{remote_id}"}
        body = json.dumps(event | {"data": {"object": snapshot, "changes": {}}}).encode()
        return self.syntage_proof(body), body

    def syntage_proof(self, body: bytes, *, age: timedelta = timedelta(0), secret: str | None = None) -> dict[str, str]:
        seconds = int((self.clock.now() - age).timestamp())
        key = (self.syntage.signing_secret if secret is None else secret).encode()
        signature = hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        return {"X-Syntage-Signature": f"t={seconds},s={signature}", "Content-Digest": f"sha-256=:{digest}:"}


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[World]:
    """Both simulators, listening, with nothing in them yet."""
    async with (
        BelvoSimulator(now=clock.now, page_size_default=20, invoices_per_year=72) as belvo_simulator,
        SyntageSimulator(now=clock.now, invoices_per_year=72) as syntage_simulator,
        AsyncExitStack() as stack,
    ):
        yield World(belvo_simulator, syntage_simulator, clock, stack)
