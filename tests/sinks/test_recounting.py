"""Exported files against their receipts: the first thing that does not fit is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from belvo_async.errors import ConfigurationError, SinkError
from belvo_async.sinks import CsvSink, ExcelSink, NdjsonSink, ParquetSink, Receipt, Sink, merge, open_sink, recount
from tests.sinks.kit import BILLS, Bill, Line, files, key, write

OTHER = "1b8e9b2e-6a3a-4b5a-9a53-6f3c0d0f6a11"
SPECS = ("ndjson:{}", "csv:{}", "parquet:{}", "parquet:{}?flat=1", "parquet:{}?decimals=text")
EVERY_SPEC = pytest.mark.parametrize("spec", SPECS)
MANY = [Bill(id=f"B{number}", total_amount=Decimal(number) / 100, note='"\n,' * number) for number in range(300)]


async def export(sink: Sink) -> list[Receipt]:
    """Two subjects, three jobs; the last has one row that another had too."""
    return [
        await write(sink, BILLS, key("j1")),
        await write(sink, MANY, key("j2")),
        await write(sink, [MANY[0], Bill()], key("j3", subject=f"/entities/{OTHER}")),
    ]


@EVERY_SPEC
async def test_an_export_fits_its_receipts(tmp_path: Path, spec: str) -> None:
    """Wherever it was moved to."""
    receipts = await export(open_sink(spec.format(tmp_path / "out")))
    (tmp_path / "out").rename(tmp_path / "moved")

    found = recount(receipts, [tmp_path / "moved"])

    assert (None, 3, 305) == (found.fault, found.parts, found.rows)


@EVERY_SPEC
async def test_merged_files_fit_the_receipts_of_their_parts(tmp_path: Path, spec: str) -> None:
    """Each vendor and resource is one file, with the subject of each row; merging again replaces it."""
    receipts = await export(open_sink(spec.format(tmp_path)))
    await merge(tmp_path)

    merged = await merge(tmp_path)

    suffix = receipts[0].part.rpartition(".")[2]
    own = tmp_path / f"syntage-invoice.{suffix}"
    assert own in merged
    found = recount(receipts, [own])
    assert (None, 3, 305) == (found.fault, found.parts, found.rows)
    assert None is recount(receipts, [tmp_path]).fault


async def test_a_merged_file_names_the_subjects(tmp_path: Path) -> None:
    """As the first column."""
    await export(NdjsonSink(tmp_path))
    await export(CsvSink(tmp_path))

    await merge(tmp_path)

    lines = (tmp_path / "syntage-invoice.ndjson").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('{"subject":"0b8e9b2e-')
    assert lines[-1].startswith(f'{{"subject":"{OTHER}","iri":null')
    table = (tmp_path / "syntage-invoice.csv").read_text(encoding="utf-8")
    assert table.startswith("subject,iri,id,uuid")
    assert 305 == table.count('"0b8e9b2e-6a3a') + table.count(f'"{OTHER}"')


async def test_parts_of_different_columns_are_not_merged(tmp_path: Path) -> None:
    """They are no one table. Nothing is left of the attempt."""
    await write(CsvSink(tmp_path), BILLS)
    await write(CsvSink(tmp_path), [Line()], key("j2", record=Line))

    with pytest.raises(SinkError, match="other columns"):
        await merge(tmp_path)

    assert all(each.startswith("vendor=syntage/") for each in files(tmp_path))


def replace(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return change


def drop_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def repeat_line(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], lines[-2]]))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(Path.unlink, "missing; the receipt of job j1 tells of it (3 rows)", id="missing"),
        pytest.param(drop_line, "2 rows, and 3 by the receipt", id="rows"),
        pytest.param(repeat_line, "the row with the id b2 stands there twice", id="duplicate"),
        pytest.param(replace(b'"b3"', b'"b4"'), "not the same ones: their ids differ", id="ids"),
        pytest.param(
            replace(b'"-0.01"', b'"-0.02"'),
            "the sum of total_amount is 12345678901234567890.103456, and 12345678901234567890.113456 by the receipt",
            id="sum",
        ),
        pytest.param(replace(b"601", b"602"), "its bytes are not those of the receipt", id="digest"),
        pytest.param(replace(b'"id":"b2"', b'"id":2'), "line 2 cannot be read", id="unreadable"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-2]), "line 3 is cut off", id="cut"),
    ],
)
async def test_what_does_not_fit_is_named(tmp_path: Path, change: Callable[[Path], None], fault: str) -> None:
    """The file, and what of it; parts before it were counted."""
    receipts = [await write(NdjsonSink(tmp_path), MANY, key("j0")), await write(NdjsonSink(tmp_path), BILLS)]
    change(tmp_path / receipts[1].part)

    found = recount(receipts, [tmp_path])

    assert found.fault is not None
    assert found.fault.endswith(fault) or fault in found.fault
    assert receipts[1].part in found.fault
    assert (1, 300) == (found.parts, found.rows)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
async def test_a_file_of_another_format_is_named(tmp_path: Path, suffix: str) -> None:
    """Bytes that are no such file are a fault, not an exception."""
    receipt = await write(open_sink(f"{suffix}:{tmp_path}"), BILLS)
    (tmp_path / receipt.part).write_bytes(b'"\xff' * 20)

    found = recount([receipt], [tmp_path])

    assert found.fault is not None
    assert "cannot be read as" in found.fault or "has no column" in found.fault


async def test_a_table_beside_a_part_is_looked_at(tmp_path: Path) -> None:
    """The line items of a flat export are held against the receipt too."""
    receipt = await write(ParquetSink(tmp_path, {"flat": "1"}), BILLS)
    (tmp_path / receipt.beside[0].part).write_bytes(b"x" * receipt.beside[0].size_bytes)

    assert "its bytes are not" in str(recount([receipt], [tmp_path]).fault)
    (tmp_path / receipt.beside[0].part).unlink()
    assert "missing" in str(recount([receipt], [tmp_path]).fault)


async def test_of_a_workbook_the_bytes_are_compared(tmp_path: Path) -> None:
    """Excel's numbers are not exact: counting them would prove nothing."""
    receipt = await write(ExcelSink(tmp_path), BILLS)

    assert None is recount([receipt], [tmp_path]).fault
    (tmp_path / receipt.part).write_bytes(b"")
    assert f"0 bytes, and {receipt.size_bytes} by the receipt" in str(recount([receipt], [tmp_path]).fault)


async def test_of_a_repeated_job_the_last_receipt_counts(tmp_path: Path) -> None:
    """Its part was replaced."""
    receipts = [await write(NdjsonSink(tmp_path), MANY), await write(NdjsonSink(tmp_path), BILLS)]

    assert (None, 1, 3) == ((found := recount(receipts, [tmp_path])).fault, found.parts, found.rows)


def test_what_is_not_there_cannot_be_recounted(tmp_path: Path) -> None:
    """A mistyped directory is told from one in which parts are missing."""
    with pytest.raises(ConfigurationError, match="is not there"):
        recount([], [tmp_path / "typo"])
