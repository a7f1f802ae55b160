"""A mirror whose process is killed in the middle of its loads: nothing is lost, nothing is there twice, nothing is paid
for twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("dlt", reason="mirrors need `pip install 'belvo-async[dlt]'`")

from belvo_async import Plan
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.integrations.kit import Database, open_database
from tests.proof.test_extraction_kills import FIRST, LAST, SPEED, heard, run
from tests.stores.urls import empty_store
from tests.variables import variables_of

pytestmark = pytest.mark.proof

KILLS = 10
# A load takes about a second: a kill meets it while rows are written, staged, merged, or when it has just ended.
LOAD_SECONDS = (0.0, 1.2)
# Later than this, a worker has nothing left to load.
IDLE_SECONDS = 20.0


@pytest.fixture(params=["duckdb", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store("sqlite", tmp_path) as url:
        yield url


def test_kills_in_the_middle_of_loads_lose_nothing(store: str, database: Database, tmp_path: Path) -> None:
    """Whatever a load was doing when it died, the same command goes on, and the mirror is the vendors' to the cent."""
    # On a loop of its own with the machine's clock: processes live by no other.
    asyncio.run(kill_and_check(store, database, tmp_path))


async def kill_and_check(store: str, database: Database, folder: Path) -> None:
    rng = random.Random(database.spec[:6])
    (folder / "tmp").mkdir()
    async with (
        BelvoSimulator(speed=SPEED, links=4, invoices_per_year=60) as belvo,
        SyntageSimulator(speed=SPEED, entities=3, invoices_per_year=60) as syntage,
    ):
        ours = {"BELVO_ASYNC_STORE": store, "SPEED": str(SPEED), "TMPDIR": str(folder / "tmp")}
        environ = os.environ | variables_of(belvo, syntage) | ours
        plans = [
            Plan(vendor="belvo", resource="INVOICES", subjects=belvo.links, first=FIRST, last=LAST),
            Plan(vendor="syntage", resource="invoice", subjects=syntage.entities, first=FIRST, last=LAST),
        ]
        receiver = await run(environ, "belvo_async", "serve", "--port", "0", "--no-poll")
        assert receiver.stdout is not None
        url = (await receiver.stdout.readline()).decode().split()[-1]
        belvo.webhook_url, syntage.webhook_url = f"{url}/webhooks/belvo", f"{url}/webhooks/syntage"
        command = ("tests.proof.mirror_worker", msgspec.json.encode(plans).decode(), database.spec)
        try:
            met = [await kill_in_a_load(environ, command, rng) for _ in range(KILLS)]
            # Of what is left to load after some kills there may be nothing.
            assert sum(met) >= 3, met
            told = await heard(await run(environ, *command))
            assert told[-1:] == [b"done\n"], told[-20:]
            if any(line.startswith(b"whole False") for line in told):
                # See `test_extraction_kills`: a person decides.
                assert all(b"uncertain" in line for line in told if line.startswith(b"whole False")), told[-3:]
                told = await heard(await run(environ | {"RETRY": "1"}, *command))
                assert told[-1:] == [b"done\n"], told[-20:]
            check(belvo, syntage, database)
            # What the killed ones left was cleared away.
            assert [] == list((folder / "tmp").glob("belvo-async-mirror-*"))
        finally:
            receiver.kill()
            await receiver.wait()


async def kill_in_a_load(environ: dict[str, str], command: tuple[str, ...], rng: random.Random) -> bool:
    """Start a worker, and kill it in one of its next loads; whether there was one."""
    worker = await run(environ, *command)
    assert worker.stdout is not None
    loads, wanted = 0, rng.randint(1, 3)
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            async for line in worker.stdout:
                loads += line.startswith(b"loading")
                if loads == wanted:
                    await asyncio.sleep(rng.uniform(*LOAD_SECONDS))
                    break
    except TimeoutError:
        pass
    if worker.returncode is None:
        worker.send_signal(signal.SIGKILL)
    await worker.communicate()
    return loads == wanted


def total(rows: list[Any], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column] is not None), Decimal(0))


def check(belvo: BelvoSimulator, syntage: SyntageSimulator, database: Database) -> None:
    # The fewest requests there can be: five years of which one has 366 days, in two directions; one for each entity.
    assert len(belvo.links) * 2 * 6 == len(belvo.jobs)
    assert len(syntage.entities) == len(syntage.jobs)
    held = [row for link in belvo.links for row in belvo.invoices(link, FIRST, LAST)]
    period = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
    extracted = [row for entity in syntage.entities for row in syntage.invoices(entity, period)]  # type: ignore[arg-type]
    for table, rows, column in (
        ("belvo_invoices", held, "total_amount"),
        ("syntage_invoices", extracted, "total"),
        ("belvo_invoices__invoice_details", [line for row in held for line in row["invoice_details"]], "total_amount"),
    ):
        # All of it, and no version but the present one: nothing changed meanwhile.
        found = database.rows(f"SELECT count(*), sum({column}) FROM fiscal.{table}")
        assert [(len(rows), total(rows, column))] == found, table
    ended = "SELECT count(*) FROM fiscal.invoices WHERE _dlt_valid_to IS NOT NULL"
    assert [(0,)] == database.rows(ended)
    assert [(len(held) + len(extracted),)] == database.rows("SELECT count(*) FROM fiscal.invoices")
    assert [(len(syntage.entities),)] == database.rows("SELECT count(*) FROM fiscal.syntage_entities")
    assert database.rows("SELECT min(month) FROM fiscal.sales_by_month") >= [(date(2021, 1, 1),)]
