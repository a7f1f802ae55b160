"""The queries of the page on exports, as they stand there, over a folder that sinks wrote."""

from __future__ import annotations

import re
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest

from belvo_async import belvo
from belvo_async.sinks import PartKey, open_sink
from tests.sinks.kit import write

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"```sql\n-- duckdb: (\w+)\n(.*?)```", PAGE, re.DOTALL))
SUBJECTS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
# What a float would not hold.
TOTALS = (Decimal("1234567890123456789.12"), Decimal("0.10"), Decimal("0.20"))
EXPECTED = [(SUBJECTS[0], 3, Decimal("1234567890123456789.42")), (SUBJECTS[1], 1, Decimal("0.10"))]


async def export(room: Path, spec: str) -> None:
    """Two subjects, one with two jobs; the first job's invoices have what the others' have not."""
    invoices = [belvo.Invoice(id=f"i{number}", total_amount=each) for number, each in enumerate(TOTALS)]
    full = [belvo.Invoice(id="i9", total_amount=TOTALS[1], invoice_details=(belvo.InvoiceDetail(description="x"),))]
    for subject, job, rows in ((0, "j1", invoices[:1]), (0, "j2", invoices[1:]), (1, "j3", full)):
        names = {"vendor": "belvo", "resource": "INVOICES", "subject": SUBJECTS[subject]}
        key = PartKey(**names, job=job, record=belvo.Invoice, directions=("INFLOW",))
        await write(open_sink(spec.format(room / "out")), rows, key)


@pytest.mark.parametrize(
    ("name", "spec"),
    [("NDJSON", "ndjson:{}"), ("Parquet", "parquet:{}"), ("Parquet", "parquet:{}?flat=1"), ("CSV", "csv:{}")],
)
async def test_duckdb_reads_the_folder_as_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, spec: str
) -> None:
    """With exact sums, and the subject from the folders."""
    await export(tmp_path, spec)
    monkeypatch.chdir(tmp_path)

    with duckdb.connect() as connection:
        rows = connection.sql(QUERIES[name]).fetchall()

    assert EXPECTED == [(str(subject), count, total) for subject, count, total in rows]


async def test_polars_reads_the_folder_as_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same by the program on the page."""
    await export(tmp_path, "parquet:{}")
    monkeypatch.chdir(tmp_path)
    program = next(each for each in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "polars" in each)
    names: dict[str, Any] = {}

    with warnings.catch_warnings():
        exec(program, names)
        table: polars.DataFrame = names["found"].collect().sort("subject")

    assert EXPECTED == table.rows()
