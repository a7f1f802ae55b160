"""A plan whose worker is killed ten times, without warning: each day is paid for once, each row is written once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import Belvo, Plan, Session, Syntage
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.sinks import recount
from tests.stores.urls import empty_store
from tests.variables import variables_of

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
SPEED = 40.0
FIRST, LAST = date(2021, 1, 1), date(2025, 12, 31)
KILLS = 10
# A worker imports, reads the store and begins within a second; a kill is to meet it anywhere in its work.
LIVES_SECONDS = (0.6, 2.5)
PATIENCE_SECONDS = 180.0


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


async def run(environ: dict[str, str], module: str, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *options, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )


def test_ten_kills_pay_for_no_day_twice(store: str, tmp_path: Path) -> None:
    """Whatever the worker was doing when it died, the same command goes on, and ends in the same data."""
    # On a loop of its own with the machine's clock: processes live by no other.
    asyncio.run(kill_and_check(store, tmp_path))


async def kill_and_check(store: str, tmp_path: Path) -> None:
    rng, into = random.Random(store), f"ndjson:{tmp_path / 'out'}"
    async with (
        BelvoSimulator(speed=SPEED, links=4, invoices_per_year=60) as belvo,
        SyntageSimulator(speed=SPEED, entities=3, invoices_per_year=60) as syntage,
    ):
        environ = os.environ | variables_of(belvo, syntage) | {"BELVO_ASYNC_STORE": store, "SPEED": str(SPEED)}
        plans = [
            Plan(vendor="belvo", resource="INVOICES", subjects=belvo.links, first=FIRST, last=LAST),
            Plan(vendor="syntage", resource="invoice", subjects=syntage.entities, first=FIRST, last=LAST),
        ]
        receiver = await run(environ, "belvo_async", "serve", "--port", "0", "--no-poll")
        assert receiver.stdout is not None
        url = (await receiver.stdout.readline()).decode().split()[-1]
        belvo.webhook_url, syntage.webhook_url = f"{url}/webhooks/belvo", f"{url}/webhooks/syntage"
        command = ("tests.proof.plan_worker", msgspec.json.encode(plans).decode(), into)
        try:
            for _ in range(KILLS):
                worker = await run(environ, *command)
                await asyncio.sleep(rng.uniform(*LIVES_SECONDS))
                if worker.returncode is None:
                    worker.send_signal(signal.SIGKILL)
                await worker.communicate()
            told = await heard(await run(environ, *command))
            assert told[-1:] == [b"done\n"], told[-20:]
            if any(line.startswith(b"whole False") for line in told):
                # A worker died between noting that it sends and the first byte: Belvo cannot tell whether it came, so
                # it is not sent again by itself. A person decides, who knows that nothing did.
                assert all(b"uncertain" in line for line in told if line.startswith(b"whole False")), told[-3:]
                told = await heard(await run(environ | {"RETRY": "1"}, *command))
                assert told[-1:] == [b"done\n"], told[-20:]
            await check(belvo, syntage, plans, store, tmp_path / "out")
        finally:
            receiver.kill()
            await receiver.wait()


async def heard(worker: asyncio.subprocess.Process) -> list[bytes]:
    """What a worker says until it ends, or for as long as anybody waits for it."""
    told: list[bytes] = []
    assert worker.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in worker.stdout:
                told.append(line)
    except TimeoutError:
        told.append(b"it goes on for too long\n")
        worker.kill()
    await worker.communicate()
    return told


async def check(belvo: BelvoSimulator, syntage: SyntageSimulator, plans: list[Plan], store: str, out: Path) -> None:
    vendors = (
        Belvo(
            belvo.secret_id,
            belvo.secret_password,
            base_url=belvo.url,
            webhook_authorization=belvo.webhook_authorization,
        ),
        Syntage(syntage.api_key, base_url=syntage.url, webhook_secrets=(syntage.signing_secret,)),
    )
    async with Session(*vendors, store=store, sweep=False) as session:
        certificates = [await session.certificate(plan, into=f"ndjson:{out}") for plan in plans]
    assert all(each.is_whole for each in certificates), [each.days for each in certificates]
    assert [()] * len(plans) == [each.unreceipted for each in certificates]
    # The fewest requests there can be: five years of which one has 366 days, in two directions; one for each entity.
    assert len(belvo.links) * 2 * 6 == len(belvo.jobs)
    assert len(syntage.entities) == len(syntage.jobs)
    rows = rows_in(out)
    held: Counter[Any] = Counter(row["id"] for link in belvo.links for row in belvo.invoices(link, FIRST, LAST))
    period = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
    held += Counter(row["uuid"] for entity in syntage.entities for row in syntage.invoices(entity, period))
    assert held == Counter(row.get("uuid") or row["id"] for row in rows)
    assert recount([receipt for each in certificates for receipt in each.receipts], [out]).fault is None


def rows_in(out: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for part in out.rglob("*.ndjson") for line in part.read_bytes().splitlines()]
