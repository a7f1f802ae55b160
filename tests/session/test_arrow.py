"""Records as tables of Arrow: in the types of the Parquet sink, so many rows at a time, and the page's recipes."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import textwrap
import warnings
from contextlib import aclosing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet
import pytest

from belvo_async import ConfigurationError, Session, SinkError, TaskError, belvo
from belvo_async.sinks import PartKey, open_sink
from tests.session.paged import Pages, invoices
from tests.session.world import World
from tests.sinks.kit import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"```python\n# (polars|pandas|duckdb)\n(.*?)```", PAGE, re.DOTALL))
JANUARY = belvo.InvoiceList(link="a", date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))
FOLIO = "512EEBCE-B11E-4EDB-8260-E0CA1BA7DE33"
# What a float would not hold.
LARGE = Decimal("1234567890123456789.12")


async def open_on(world: World, rows: list[dict[str, Any]], size: int = 10) -> tuple[Session, Pages]:
    """A session whose Belvo has those rows."""
    pages = Pages(rows, size=size)
    vendor = world.belvo_vendor(base_url=await world.serve(pages.application()), budget=False)
    return await world.open(vendor, webhooks=False), pages


def rich(**changes: Any) -> list[dict[str, Any]]:
    """Two invoices: one with most that there is, one with nothing."""
    first, second = invoices(2)
    details = [{"description": "x", "total_amount": 0.1}]
    return [first | {"invoice_identification": FOLIO, "invoice_details": details, "payments": []} | changes, second]


async def test_a_table_is_what_the_parquet_sink_writes(world: World, tmp_path: Path) -> None:
    """The same columns, the same types, the same values: exact decimals, days, instants, UUIDs in small letters."""
    session, _ = await open_on(world, rich(collected_at="2025-01-16T10:00:00.5Z"))
    sink = open_sink(f"parquet:{tmp_path}")
    await sink.begin()
    key = PartKey(vendor="belvo", resource="INVOICES", subject="a", job="j", record=belvo.Invoice)
    async with sink.part(key) as part:
        await part.write(await session.list(JANUARY).to_list())
        receipt = await part.commit(now=NOW)

    table = await session.list(JANUARY).arrow()

    assert pyarrow.parquet.read_table(tmp_path / receipt.part, partitioning=None).equals(table)
    assert pyarrow.decimal128(38, 9) == table.schema.field("total_amount").type
    assert pyarrow.timestamp("us", "UTC") == table.schema.field("collected_at").type
    assert FOLIO.lower() == table["invoice_identification"][0].as_py()
    assert [date(2025, 1, 15)] * 2 == table["invoice_date"].to_pylist()


async def test_a_batch_has_no_more_rows_than_asked_for(world: World) -> None:
    """However the pages are cut; the last has what is left, and together they are the records in their order."""
    session, _ = await open_on(world, invoices(25), size=7)

    batches = [each async for each in session.list(JANUARY).arrow_batches(rows=10)]

    assert [10, 10, 5] == [each.num_rows for each in batches]
    assert [f"{number:08}" for number in range(25)] == pyarrow.Table.from_batches(batches)["id"].to_pylist()


async def test_memory_is_bound_by_a_batch_and_not_by_the_list(world: World) -> None:
    """While a batch is looked at, no more is asked for than the pages that are read ahead."""
    session, pages = await open_on(world, invoices(1000))

    async with aclosing(session.list(JANUARY).arrow_batches(rows=20)) as batches:
        first = await anext(batches)

    assert 20 == first.num_rows
    assert len(pages.asked) < 12


async def test_nothing_is_a_table_of_no_rows(world: World) -> None:
    """With all its columns, since they come from the record type; and no batch."""
    session, _ = await open_on(world, [])

    table = await session.list(JANUARY).arrow()

    assert (0, [each.name for each in msgspec.structs.fields(belvo.Invoice)]) == (table.num_rows, table.column_names)
    assert [] == [each async for each in session.list(JANUARY).arrow_batches()]


async def test_flat_nests_only_lists(world: World) -> None:
    """Nested records are columns, of the names that CSV has; lists stay lists."""
    session, _ = await open_on(world, rich())

    table = await session.list(JANUARY).arrow(flat=True)

    structs = [each.name for each in table.schema if pyarrow.types.is_struct(each.type)]
    assert [] == structs
    assert pyarrow.types.is_list(table.schema.field("invoice_details").type)
    assert [Decimal("0.1")] == [each["total_amount"] for each in table["invoice_details"][0].as_py()]


async def test_a_struct_of_your_own_says_the_columns(world: World) -> None:
    """Only its fields are built, and only they are columns."""

    class Mine(msgspec.Struct):
        """Two fields of an invoice."""

        id: str
        total_amount: Decimal

    session, _ = await open_on(world, invoices(2))

    table = await session.list(JANUARY, type=Mine).arrow()

    assert [{"id": "00000000", "total_amount": Decimal(0)}, {"id": "00000001", "total_amount": Decimal(1)}] == (
        table.to_pylist()
    )


@pytest.mark.parametrize("strange", [dict, msgspec.Raw])
async def test_rows_without_columns_make_no_table(world: World, strange: type) -> None:
    """Which is told at once, before anything is asked for."""
    session, pages = await open_on(world, invoices(2))

    with pytest.raises(TaskError, match=r"msgspec\.Struct"):
        session.list(JANUARY, type=strange).arrow_batches()
    with pytest.raises(TaskError, match="1 or more"):
        session.list(JANUARY).arrow_batches(rows=0)

    assert [] == pages.asked


async def test_a_number_without_a_place_names_its_column(world: World) -> None:
    """Never its value; the batches before it were given, and as texts all numbers have a place."""
    number = "0.12345678901234567890"
    session, _ = await open_on(world, [*invoices(3), rich(id="long", total_amount=number)[0]])
    seen: list[int] = []

    with pytest.raises(SinkError, match=r'column total_amount .*: give `decimals="text"`') as caught:  # noqa: PT012
        async for batch in session.list(JANUARY).arrow_batches(rows=2):
            seen.append(batch.num_rows)
    table = await session.list(JANUARY).arrow(decimals="text")

    assert ([2], "total_amount") == (seen, caught.value.column)
    assert number not in str(caught.value)
    assert number == table["total_amount"][3].as_py()


async def test_without_pyarrow_one_error_says_what_to_install(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked for."""
    session, pages = await open_on(world, invoices(2))
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'belvo-async\[parquet\]'"):
        session.list(JANUARY).arrow_batches()
    with pytest.raises(ConfigurationError, match=r"pip install 'belvo-async\[parquet\]'"):
        await session.list(JANUARY).arrow()

    assert [] == pages.asked


class Finished:
    """As a job, for the page's programs: one whose results are a list's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def results(self) -> Any:
        return self._session.list(JANUARY)


@pytest.mark.parametrize("name", ["polars", "pandas", "duckdb"])
async def test_recipe(world: World, name: str) -> None:
    """Three lines, as they stand on the page, whose sums by kind are exact."""
    pytest.importorskip(name, reason=f"{name} is not installed: `pip install -e '.[dev]'` brings it")
    importlib.import_module(name)
    rows = [each | {"total_amount": str(LARGE) if place == 0 else "0.10"} for place, each in enumerate(invoices(3))]
    session, _ = await open_on(world, [*rows[:2], rows[2] | {"type": "OUTFLOW"}])
    names: dict[str, Any] = {}
    recipe = RECIPES[name]

    with warnings.catch_warnings():
        exec("async def run(job):\n" + textwrap.indent(recipe, "    ") + "    return total\n", names)
        total = await names["run"](Finished(session))

    assert 3 == len(ast.parse(textwrap.dedent(f"async def run():\n{textwrap.indent(recipe, '    ')}")).body[0].body)  # type: ignore[attr-defined]
    assert {"INFLOW": LARGE + Decimal("0.10"), "OUTFLOW": Decimal("0.10")} == pairs(name, total)


def pairs(name: str, total: Any) -> dict[str, Decimal]:
    """What a recipe found, as a dict."""
    if name == "pandas":
        return {str(key): Decimal(value) for key, value in total.to_dict().items()}
    return dict(total.rows() if name == "polars" else total.fetchall())
