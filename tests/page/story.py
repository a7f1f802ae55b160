"""A store with a history: both simulated vendors, some weeks of nights, and what goes wrong in them."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from belvo_async import Belvo, Session, Syntage, syntage
from belvo_async._session.known.history import every_kept_job
from belvo_async.abc import Store
from belvo_async.planning import Plan
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.stores import open_store
from belvo_async.web.aiohttp import webhook_routes
from tests.kept_sink import KeptSink
from tests.virtual_time import VirtualClock, run
from tests.waiting import hold_time_for_sqlite

LINKS, ENTITIES = 14, 10
YEARS: dict[str, Any] = {"first": date(2022, 1, 1), "last": date(2025, 12, 31)}
NIGHTS = 6
DAY = timedelta(hours=21)
# A few rows are enough: what a page shows of them is their number.
INVOICES_PER_YEAR = 24

PLANS = """\
store = "sqlite:jobs.db"

[plans.invoices]
vendor = "belvo"
resource = "INVOICES"
subjects = {links}
from = 2022
to = 2025

[plans.all-invoices]
vendor = "syntage"
resource = "invoice"
subjects = {entities}
from = 2022
to = 2025

[prices]
currency = "MXN"
belvo = 1.50

[prices.syntage]
invoice = {{ low = 10, high = 23 }}
tax_status = 5
"""


@dataclass(frozen=True)
class Story:
    """Where it was kept, and when it ended."""

    folder: Path
    now: datetime

    @property
    def store(self) -> str:
        """The URL of its store."""
        return f"sqlite:{self.folder / 'jobs.db'}"

    @property
    def config(self) -> Path:
        """A file with its plans."""
        return self.folder / "belvo-async.toml"


def tell(folder: Path) -> Story:
    """Live through it, in virtual time; some seconds of real."""
    with hold_time_for_sqlite():
        now: datetime = run(_live(folder))
    return Story(folder, now)


async def _live(folder: Path) -> datetime:
    clock, sink = VirtualClock(asyncio.get_running_loop()), KeptSink()
    async with (
        BelvoSimulator(now=clock.now, links=LINKS, invoices_per_year=INVOICES_PER_YEAR) as links,
        SyntageSimulator(now=clock.now, entities=ENTITIES, invoices_per_year=INVOICES_PER_YEAR) as entities,
    ):
        _plant(links, entities)
        async with AsyncExitStack() as stack:
            session = await _open(clock, links, entities, stack)
            for night in range(NIGHTS):
                for plan in _plans(night, links, entities):
                    async for _ in await session.extract(plan, into=sink, patience=timedelta(0)):
                        pass
                if night + 1 < NIGHTS:
                    await asyncio.sleep(DAY.total_seconds())
            await _leave_open(session, clock, entities)
            plans = PLANS.format(links=json.dumps(links.links), entities=json.dumps(entities.entities))
            (folder / "belvo-async.toml").write_text(plans, encoding="utf-8")
            await _keep(session.store, f"sqlite:{folder / 'jobs.db'}")
        return clock.now()


async def _keep(lived: Store, url: str) -> None:
    """Copy what was lived through into a file. In memory, time without news takes none."""
    jobs = [job async for job in every_kept_job(lived)]
    async with open_store(url) as kept:
        for job in jobs:
            said = await lived.timeline(job.id)
            await kept.put(job, expected=None, observation=said[-1] if said else None)
        await kept.enter([entry async for entry in lived.entries(None)])


async def _open(
    clock: VirtualClock, links: BelvoSimulator, entities: SyntageSimulator, stack: AsyncExitStack
) -> Session:
    session = Session(
        Belvo(
            links.secret_id,
            links.secret_password,
            base_url=links.url,
            webhook_authorization=links.webhook_authorization,
            account="despacho",
        ),
        Syntage(entities.api_key, base_url=entities.url, webhook_secrets=entities.signing_secret, account="despacho"),
        store="memory:",
        clock=clock,
        chance=random.Random(1),
    )
    await stack.enter_async_context(session)
    url = await _webhooks(session, stack)
    links.webhook_url, entities.webhook_url = f"{url}/belvo", f"{url}/syntage"
    return session


def _plans(night: int, links: BelvoSimulator, entities: SyntageSimulator) -> list[Plan]:
    """Each night a few more taxpayers are asked for."""
    until = 2 * night + 2
    return [
        Plan(vendor="belvo", resource="INVOICES", subjects=links.links[:until], **YEARS),
        Plan(vendor="syntage", resource="invoice", subjects=entities.entities[: min(until, ENTITIES - 2)], **YEARS),
        Plan(vendor="syntage", resource="tax_status", subjects=entities.entities[:until]),
    ]


async def _leave_open(session: Session, clock: VirtualClock, entities: SyntageSimulator) -> None:
    """What is still under way when somebody opens the page."""
    period = syntage.Period(from_=YEARS["first"], to=YEARS["last"])
    entity = entities.entities[-2]
    await session.fire(
        syntage.Extraction(entity=entity, extractor="invoice", options=syntage.InvoiceOptions(period=period))
    )
    # Half past seven in Mexico City.
    now = clock.now()
    morning = now.replace(hour=13, minute=30, second=0, microsecond=0)
    await asyncio.sleep((morning - now).total_seconds() % 86_400)


async def _webhooks(session: Session, stack: AsyncExitStack) -> str:
    app = web.Application()
    app.add_routes(webhook_routes(session))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"


def _plant(links: BelvoSimulator, entities: SyntageSimulator) -> None:
    for link, code in ((3, "login_error"), (8, "login_error"), (6, "token_required"), (9, "institution_down")):
        links.next_job(link=links.links[link], outcome="failed", error_code=code)
    links.next_job(link=links.links[5], outcome="silent")
    entities.next_job(entity=entities.entities[7], extractor="invoice", outcome="rate_limited")
    entities.next_job(entity=entities.entities[4], extractor="invoice", outcome="failed", error_code="sat_unavailable")
    entities.next_job(entity=entities.entities[6], extractor="tax_status", outcome="failed")
    entities.next_job(entity=entities.entities[-2], extractor="invoice", duration=timedelta(days=2))
