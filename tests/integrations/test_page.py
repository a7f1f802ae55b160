"""The page on the mirror: its queries, as they stand there, on both databases; and what it promises of secrets."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async.integrations.dlt import MirrorSink
from belvo_async.planning import Freshness
from tests.integrations.kit import Database, Mirrored, both_databases
from tests.integrations.test_jobs import belvo_plan
from tests.session.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mirror.md").read_text(encoding="utf-8")
QUERIES: dict[str, str] = dict(re.findall(r"```sql\n-- mirror: (\w+)\n(.*?)```", PAGE, re.DOTALL))
VIEWS = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE.split("## Views")[1].split("## What holds")[0], re.MULTILINE)


def test_the_queries_of_the_page_answer(mirrored: Mirrored) -> None:
    """Each gives rows, on DuckDB as on PostgreSQL."""
    found = {name: mirrored.database.rows(sql) for name, sql in QUERIES.items()}

    assert {"sales", "customers", "march", "changed", "lines", "lists", "parts"} == set(found)
    assert {"march", "changed"} == {name for name, rows in found.items() if not rows}
    assert 5 == len(found["customers"])
    assert [("belvo", "links", 1, 3), ("syntage", "entities", 1, 3)] == [row[:4] for row in found["lists"]]
    assert 2 * 2 + 2 == len(found["parts"])


@both_databases
async def test_what_an_invoice_said_in_march_is_one_query(world: World, database: Database) -> None:
    """Both versions are there: the one of March, and the one of today, which was cancelled since."""
    world.clock.step(date(2026, 2, 1) - world.clock.now().date())
    session = await world.open()
    plan = belvo_plan(world, subjects=world.belvo.links[:1], first=date(2026, 1, 1), last=date(2026, 1, 31))
    async with MirrorSink(database.spec, session.vendors) as sink:
        async for _ in await session.extract(plan, into=sink):
            pass
        # What was known in February, was known then: loads are dated by the machine's own clock.
        database.rows("UPDATE fiscal.belvo_invoices SET _dlt_valid_from = '2026-02-01'")
        database.rows("UPDATE fiscal.invoices SET _dlt_valid_from = '2026-02-01'")
        world.clock.step(timedelta(days=30))
        async for _ in await session.extract(plan, into=sink, freshness=Freshness(max_age=timedelta(days=7))):
            pass

    changed = database.rows(QUERIES["changed"])
    assert [(False, True)] == [row[1:3] for row in changed]
    folio = changed[0][0]
    march = QUERIES["march"].replace("syntage_invoices", "invoices").replace("status, total", "is_cancelled, total")
    march = re.sub(r"record_id = '[^']+'", f"uuid = '{folio}'", march)
    said = database.rows(march)
    assert [(False, changed[0][3])] == [row[:2] for row in said]
    assert [(True,)] == database.rows(
        "SELECT is_cancelled FROM fiscal.invoices WHERE uuid = ? AND _dlt_valid_to IS NULL", folio
    )


def test_tables_hold_no_secret(mirrored: Mirrored) -> None:
    """No key, no password, no signing secret: not in rows, not in what dlt keeps beside them."""
    database = mirrored.database
    every = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE ?"
    tables = database.rows(every, f"{database.schema}%")

    text = "\n".join(repr(database.rows(f'SELECT * FROM "{schema}"."{name}"')) for schema, name in tables)

    assert len(text) > 100_000
    assert [] == [each for each in mirrored.secrets if each in text]


def test_nothing_stays_in_the_schema_that_loads_go_through(mirrored: Mirrored) -> None:
    """A second copy of every row would be nobody's."""
    database, staging = mirrored.database, f"{mirrored.database.schema}_staging"
    names = database.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", staging)

    rows = {str(name): database.rows(f'SELECT count(*) FROM "{staging}"."{name}"')[0][0] for (name,) in names}

    assert "belvo_invoices" in rows
    assert {0} == {count for name, count in rows.items() if not name.startswith("_dlt")}


def test_columns_are_typed(mirrored: Mirrored) -> None:
    """Money is exact, days are dates, instants have their zone, UUIDs are in small letters."""
    database = mirrored.database
    columns = (
        "SELECT column_name, data_type, numeric_precision, numeric_scale FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = ?"
    )

    belvo = {row[0]: row[1:] for row in database.rows(columns, database.schema, "belvo_invoices")}

    assert (38, 9) == tuple(belvo["total_amount"][1:])
    assert belvo["total_amount"][0].startswith(("DECIMAL", "numeric"))
    assert "date" == belvo["invoice_date"][0].lower()
    assert "timestamp with time zone" == belvo["collected_at"][0].lower()
    small = "SELECT 1 FROM fiscal.invoices WHERE uuid <> lower(uuid) OR record_id <> lower(record_id)"
    assert [] == database.rows(small)


def test_the_page_names_the_views(mirrored: Mirrored) -> None:
    """All that are made, and no other."""
    named = [each for cell in VIEWS for each in re.findall(r"`(\w+)`", cell)]

    assert list(mirrored.views) == named


@pytest.mark.parametrize(
    "module", ["belvo_async", "belvo_async._cli", "belvo_async.sinks", "belvo_async.vendors.belvo"]
)
def test_nothing_of_a_mirror_is_loaded_unless_it_is_used(module: str) -> None:
    """Neither ours nor what it needs; naming the integration loads none of the packages of the extra."""
    heavy = ("dlt", "duckdb", "psycopg2", "pyarrow")
    program = (
        f"import sys, {module}\nassert 'belvo_async.integrations' not in sys.modules\n"
        f"import belvo_async.integrations.dlt\nprint([each for each in {heavy} if each in sys.modules])"
    )

    told: Any = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)

    assert "[]" == told.stdout.strip()
