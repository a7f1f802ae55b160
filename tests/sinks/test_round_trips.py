"""What is written reads back equal, to the last digit and character."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings, strategies as st

from belvo_async import belvo, syntage
from belvo_async.errors import SinkError
from belvo_async.sinks import CsvSink, ExcelSink, NdjsonSink, ParquetSink, Receipt, Sink
from belvo_async.sinks.columns import ColumnKind, columns_of
from belvo_async.sinks.formats.csv import read_text
from belvo_async.sinks.tables import one_table, tables_of
from tests.sinks.kit import BILLS, Bill, Line, Party, Payment, key, write
from tests.virtual_time import run

# Of at most 29 digits before the point and 9 after it: what Parquet holds, and more than a float does.
AMOUNTS = st.decimals(min_value=-(10**28), max_value=10**28, places=9) | st.decimals(-1000, 1000, places=2)
TEXTS = st.text(max_size=12) | st.sampled_from(["=1+1", "'=1", "-2", '"', "a\r\nb", "\t", "@x", "''-"])
UUIDS = st.uuids().map(str) | st.uuids().map(lambda each: str(each).upper())
DAYS = st.dates(date(1500, 1, 1), date(2200, 1, 1))
INSTANTS = st.datetimes(timezones=st.just(UTC))
PAYMENTS = st.builds(Payment, paid_amount=st.none() | AMOUNTS, invoice_uuid=st.none() | UUIDS)
LINES = st.builds(
    Line,
    unit_amount=st.none() | AMOUNTS,
    description=st.none() | TEXTS,
    payments=st.none() | st.lists(PAYMENTS, max_size=2).map(tuple),
)
ROWS = st.lists(
    st.builds(
        Bill,
        iri=st.none() | TEXTS,
        id=st.none() | UUIDS,
        uuid=st.none() | UUIDS | TEXTS,
        total_amount=st.none() | AMOUNTS,
        issued_at=st.none() | INSTANTS,
        due_on=st.none() | DAYS,
        line_count=st.none() | st.integers(-(2**63), 2**63 - 1),
        is_paid=st.none() | st.booleans(),
        issuer=st.none() | st.builds(Party, name=st.none() | TEXTS, tax_regime=st.none() | st.integers(0, 999)),
        lines=st.none() | st.lists(st.none() | LINES, max_size=3).map(tuple),
        tags=st.none() | st.lists(TEXTS, max_size=2).map(tuple),
        note=st.none() | TEXTS,
    ),
    max_size=5,
)


def plain(value: Any) -> Any:
    """A record as it is to be read: names in snake_case, UUIDs in small letters."""
    if isinstance(value, msgspec.Struct):
        got = {each: getattr(value, each) for each in value.__struct_fields__}
        return {
            name: small(each) if name in {"id", "uuid", "invoice_uuid"} else plain(each) for name, each in got.items()
        }
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


def small(text: str | None) -> str | None:
    is_uuid = text is not None and len(text) == 36 and text.count("-") == 4
    return text.lower() if text is not None and is_uuid else text


def written(sink_type: type[Sink], rows: Sequence[Any], options: dict[str, str] | None = None) -> tuple[Receipt, Any]:
    """Write rows, and give the receipt and what a reader of the format reads."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as room:
        receipt = run(write(sink_type(room, options), rows))  # type: ignore[call-arg]
        return receipt, READERS[sink_type](Path(room) / receipt.part)


def read_ndjson(path: Path) -> list[Any]:
    # By "\n" only: some letters are ends of lines to `splitlines`.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def read_csv(path: Path) -> list[Any]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def read_parquet(path: Path) -> list[Any]:
    rows: list[Any] = parquet.read_table(path, partitioning=None).to_pylist()
    return rows


READERS: dict[Any, Any] = {NdjsonSink: read_ndjson, CsvSink: read_csv, ParquetSink: read_parquet}


@settings(deadline=None)
@given(ROWS)
def test_ndjson_reads_back_equal(rows: list[Bill]) -> None:
    """Each line is a row; decimals are texts of all their digits, instants and dates ISO 8601."""
    receipt, read = written(NdjsonSink, rows)

    assert json.loads(msgspec.json.encode([plain(each) | {"data": None} for each in rows])) == read
    assert len(rows) == receipt.rows


@settings(deadline=None)
@given(ROWS)
def test_csv_reads_back_equal(rows: list[Bill]) -> None:
    """An empty text is not None; a formula is a text, and can be taken back; lists are JSON."""
    _, read = written(CsvSink, rows)

    assert [flat(each) for each in rows] == [cells(each) for each in read]


# Python's own reader of CSV gives "" for both "" and nothing.
MAYBE_EMPTY = ("iri", "uuid", "note", "issuer_name")


def flat(row: Bill) -> dict[str, Any]:
    got = plain(row)
    issuer = got.pop("issuer") or {"tax_regime": None, "name": None}
    got |= {f"issuer_{name}": value for name, value in issuer.items()}
    return {**got, "data": "null"} | {name: got[name] or "" for name in MAYBE_EMPTY}


def cells(row: dict[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for leaf in one_table(Bill).leaves:
        cell = row[leaf.name]
        read[leaf.name] = CELLS.get(leaf.column.kind, read_text)(cell) if cell else None
    for name in ("lines", "tags"):
        read[name] = read[name] and [decoded(each) for each in read[name]]
    return read | {name: read[name] or "" for name in MAYBE_EMPTY}


def decoded(item: Any) -> Any:
    """JSON's texts of decimals as decimals."""
    if isinstance(item, dict):
        amounts = {"unit_amount", "paid_amount"}
        return {
            name: Decimal(each) if name in amounts and each is not None else decoded(each)
            for name, each in item.items()
        }
    return [decoded(each) for each in item] if isinstance(item, list) else item


CELLS: dict[ColumnKind, Any] = {
    ColumnKind.DECIMAL: Decimal,
    ColumnKind.INTEGER: int,
    ColumnKind.BOOLEAN: lambda cell: cell == "true",
    ColumnKind.DATE: date.fromisoformat,
    ColumnKind.INSTANT: datetime.fromisoformat,
    ColumnKind.LIST: json.loads,
}


@settings(deadline=None)
@given(ROWS)
def test_parquet_reads_back_equal(rows: list[Bill]) -> None:
    """Nested, with every value in its type."""
    _, read = written(ParquetSink, rows)

    assert [plain(each) | {"data": "null"} for each in rows] == read


@settings(deadline=None)
@given(ROWS)
def test_sums_are_exact(rows: list[Bill]) -> None:
    """They are never rounded, at however many digits; ids are the same whatever the order."""
    receipt, _ = written(NdjsonSink, rows)
    backwards, _ = written(NdjsonSink, rows[::-1])

    exact = sum((Fraction(each.total_amount) for each in rows if each.total_amount is not None), Fraction(0))
    assert exact == Fraction(receipt.sums["total_amount"])
    assert (receipt.ids, receipt.sums) == (backwards.ids, backwards.sums)


def test_a_sum_of_more_digits_than_python_calculates_with_is_exact() -> None:
    """The default context rounds at 28 digits."""
    rows = [Bill(total_amount=Decimal("99999999999999999999999999999.999999999")), Bill(total_amount=Decimal("1E-9"))]

    receipt, _ = written(NdjsonSink, rows)

    assert Decimal("100000000000000000000000000000") == receipt.sums["total_amount"]


def test_open_content_stays_on_one_line_with_its_digits() -> None:
    """JSON that the vendor printed over several lines does not break the format, and its numbers are not read."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as room:
        receipt = run(write(NdjsonSink(room), BILLS))
        text = (Path(room) / receipt.part).read_text(encoding="utf-8")

    assert 3 == text.count("\n")
    assert '"data":{"a":1.10,"b":[1]}' in text


@pytest.mark.parametrize("amount", ["1E+29", "0.0000000001", "123456789012345678901234567890"])
def test_a_number_that_parquet_cannot_hold_fails_its_part(tmp_path: Path, amount: str) -> None:
    """The column is named and the value is not; `decimals=text` holds any."""
    rows = [Bill(total_amount=Decimal(amount))]

    with pytest.raises(SinkError) as caught:
        run(write(ParquetSink(tmp_path), rows))

    assert ("total_amount", False) == (caught.value.column, amount in str(caught.value))
    assert caught.value.path is not None
    # What pyarrow said holds the value, and so would its frames.
    assert None is caught.value.__context__
    _, read = written(ParquetSink, rows, {"decimals": "text"})
    assert Decimal(amount) == Decimal(read[0]["total_amount"])


def test_flat_parquet_is_tables_that_join(tmp_path: Path) -> None:
    """Lists are tables of their own: the id on top, the place, and the place of what holds it."""
    receipt = run(write(ParquetSink(tmp_path, {"flat": "1"}), BILLS))

    tables = {each.part.split("/")[1]: read_parquet(tmp_path / each.part) for each in receipt.beside}

    uuid = "512eebce-b11e-4edb-8260-e0ca1ba7de33"
    assert {"resource=invoice.lines", "resource=invoice.lines.payments"} == set(tables)
    assert [(uuid, "0"), (uuid, "2")] == [
        (each["record_id"], each["place"]) for each in tables["resource=invoice.lines"]
    ]
    assert [
        {
            "record_id": uuid,
            "place": "2.0",
            "parent_place": "2",
            "paid_amount": Decimal(1),
            "invoice_uuid": "aaaaaaaa-b11e-4edb-8260-e0ca1ba7de33",
        }
    ] == tables["resource=invoice.lines.payments"]
    assert [2, 1] == [each.rows for each in receipt.beside]


def test_excel_holds_what_it_can_and_says_what_it_cannot(tmp_path: Path) -> None:
    """More than 15 digits, and days before 1900, are texts; nothing is a formula; a note says so."""
    receipt = run(write(ExcelSink(tmp_path), BILLS))

    book = openpyxl.load_workbook(tmp_path / receipt.part)

    sheet = [
        dict(zip([c.value for c in rows[0]], [c.value for c in row], strict=True))
        for rows in [list(book["invoice"].rows)]
        for row in rows[1:]
    ]
    assert ["invoice", "lines", "lines.payments", "about"] == book.sheetnames
    assert "12345678901234567890.123456" == sheet[0]["total_amount"]
    assert -0.01 == sheet[1]["total_amount"]
    assert "1899-12-31" == sheet[0]["due_on"]
    assert datetime(2025, 3, 1, 23, 59, 59, 123000, tzinfo=UTC) == sheet[0]["issued_at"].replace(tzinfo=UTC)
    assert {"s"} == {
        cell.data_type
        for row in book["lines"].iter_rows(min_row=2)
        for cell in row
        if cell.value and "cmd" in str(cell.value)
    }
    assert "=1+1" == sheet[0]["note"]
    assert any("15 digits" in str(row[0].value) for row in book["about"].rows)


def test_excel_goes_on_in_further_sheets(tmp_path: Path) -> None:
    """A sheet has a million rows; a table may have more."""
    receipt = run(write(ExcelSink(tmp_path, sheet_rows=3), [Bill(id=f"b{number}") for number in range(5)]))

    book = openpyxl.load_workbook(tmp_path / receipt.part)

    assert [3, 3, 2] == [book[name].max_row for name in ("invoice", "invoice (2)", "invoice (3)")]


@pytest.mark.parametrize(
    "record",
    [
        each
        for vendor in (belvo, syntage)
        for each in vars(vendor).values()
        if isinstance(each, type)
        and issubclass(each, msgspec.Struct)
        and hasattr(each, "id")
        and each.__name__[0] != "_"
    ],
    ids=lambda record: f"{record.__module__.split('.')[2]}.{record.__name__}",
)
def test_every_record_has_columns_of_its_own_names(record: type) -> None:
    """No two columns of a table share a name, whatever lies how deep."""
    names = [each.name for each in columns_of(record)]

    assert list(record.__struct_fields__) == names  # type: ignore[attr-defined]
    assert all(each.leaves for each in tables_of(record).all())
    assert one_table(record).leaves


@pytest.mark.parametrize("options", [{"omit_defaults": True}, {"array_like": True}, {"tag": "kind"}], ids=str)
async def test_records_that_msgspec_writes_otherwise_have_all_their_fields(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """Whatever a record's type says, and whatever stands in the other rows."""
    fields: list[Any] = [("id", str | None, None), ("note", str | None, None)]
    record = msgspec.defstruct("Record", fields, kw_only=True, **options)

    receipt = await write(NdjsonSink(tmp_path), [record(id="1"), record(note="x")], key(record=record))

    assert [{"id": "1", "note": None}, {"id": None, "note": "x"}] == read_ndjson(tmp_path / receipt.part)
