"""The dlt source: lists and what jobs brought, in a pipeline of one's own."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from belvo_async import ConfigurationError, Session
from belvo_async.integrations.dlt import records
from tests.integrations.kit import DuckdbFile, contents, tables_of
from tests.session.world import World
from tests.virtual_time import hold_time_while

dlt: Any = pytest.importorskip("dlt", reason="the source needs `pip install 'belvo-async[dlt]'`")


async def run(source: Any, database: DuckdbFile, folder: Path) -> None:
    """Run a pipeline as its user does: in a thread, with the machine's clock."""
    dlt.config["runtime.dlthub_telemetry"] = False
    destination = dlt.destinations.duckdb(str(database.path))
    pipeline = dlt.pipeline("books", pipelines_dir=str(folder), destination=destination, dataset_name="fiscal")
    running = asyncio.get_running_loop().run_in_executor(None, pipeline.run, source)
    with hold_time_while(lambda: not running.done()):
        await running


async def test_lists_and_jobs_of_both_vendors(world: World, database: DuckdbFile, tmp_path: Path) -> None:
    """Tables as in the mirror; run again, nothing changes, and lists go on where they were."""
    store = f"sqlite:{tmp_path / 'jobs.db'}"
    session = await world.open(store=store)
    fired = [await session.fire(world.invoices()), await session.fire(world.extraction())]
    jobs = [(await each).id for each in fired]

    def open_session() -> Session:
        return Session(world.belvo_vendor(), world.syntage_vendor(), store=store, sweep=False)

    def source() -> Any:
        entities = {"syntage": [world.syntage.entities[0]]}
        return records(open_session, subjects=entities, lists=["entities", "syntage.invoices"], jobs=jobs)

    await run(source(), database, tmp_path / "pipelines")

    held = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert [(len(held),)] == database.rows("SELECT count(*) FROM fiscal.belvo_invoices")
    # A job brought them, and the list holds them: each is there once.
    extracted = world.syntage.invoices(
        world.syntage.entities[0], {"period": {"from": "2025-01-01", "to": "2025-03-31"}}
    )
    assert [(len(extracted),)] == database.rows("SELECT count(*) FROM fiscal.syntage_invoices")
    assert [(3,)] == database.rows("SELECT count(*) FROM fiscal.syntage_entities")
    tables = tables_of(database)
    assert {"invoices", "syntage_invoices", "belvo_invoices__invoice_details"} <= set(tables)
    before, read = contents(database, tables), len(world.sent("GET"))

    await run(source(), database, tmp_path / "pipelines")

    assert before == contents(database, tables)
    assert any("updatedAt[after]" in each.query for each in world.sent("GET")[read:])


def test_a_list_that_nobody_has_is_refused(world: World) -> None:
    """When the source is made, not in the middle of a pipeline."""
    with pytest.raises(ConfigurationError, match="no list is called 'nothing'"):
        records(lambda: Session(world.syntage_vendor()), lists=["nothing"])
