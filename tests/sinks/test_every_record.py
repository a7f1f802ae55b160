"""Rows of every record type, written by loops over whole columns, are what a look at each value would write."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import belvo, syntage
from belvo_async.sinks import NdjsonSink
from belvo_async.sinks.columns import Column, ColumnKind, columns_of
from belvo_async.sinks.small_letters import is_uuid
from tests.sinks.kit import Bill, key, write
from tests.virtual_time import run

UUIDS = ["0B8E9B2E-6A3A-4B5A-9A53-6F3C0D0F6A11", "512eebce-b11e-4edb-8260-e0ca1ba7de33"]
TEXTS = [*UUIDS, "aBcdEf01-6A3A-4b5a-9a53-6f3c0d0f6a1F", f"{UUIDS[0]}\n", "ÑANDÚ İ", "", "\u2028", '"\\', "Ab"]
AMOUNTS = ["0", "-0.00", "1.10", "1E-40", "1E+30", "123456789012345678901234567890.123456789"]
OPEN = [msgspec.Raw(b'{"b": [1.10,\n 2], "a": "\xc3\x91"}'), {"Id": UUIDS[0], "n": [Decimal("1.0")]}, [None], UUIDS[0]]

OF_KIND: dict[ColumnKind, Callable[[random.Random], Any]] = {
    ColumnKind.TEXT: lambda chance: chance.choice(TEXTS),
    ColumnKind.DECIMAL: lambda chance: Decimal(chance.choice(AMOUNTS)),
    ColumnKind.INTEGER: lambda chance: chance.choice([0, -(2**63), 2**63 - 1]),
    ColumnKind.FLOAT: lambda chance: chance.choice([0.0, 0.1, 1e300]),
    ColumnKind.BOOLEAN: lambda chance: chance.random() < 0.5,
    ColumnKind.DATE: lambda chance: date(chance.randint(1, 9999), 2, 28),
    ColumnKind.INSTANT: lambda chance: datetime(2026, 1, 1, 5, microsecond=chance.choice([0, 1]), tzinfo=UTC),
    ColumnKind.OPEN: lambda chance: chance.choice(OPEN),
}


def record_types() -> list[Any]:
    """Bill, and each type of the two catalogues that is read: they hold no cycles, and so are not looked at for any."""
    named = [each for vendor in (belvo, syntage) for _, each in inspect.getmembers(vendor, inspect.isclass)]
    structs: list[Any] = [each for each in named if issubclass(each, msgspec.Struct)]
    return [Bill, *(each for each in structs if not each.__struct_config__.gc)]


def make(record: Any, columns: Sequence[Column], chance: random.Random, share_of_none: float) -> Any:
    """A row whose values stand at the edges of their types. Nothing checks them."""
    row = record()
    for each in columns:
        msgspec.structs.force_setattr(row, each.name, value_of(each, chance, share_of_none))
    return row


def value_of(column: Column, chance: random.Random, share_of_none: float) -> Any:
    if chance.random() < share_of_none:
        return None
    if column.kind is ColumnKind.RECORD:
        return make(column.record, column.below, chance, share_of_none)
    if column.item is not None:
        return tuple(value_of(column.item, chance, share_of_none) for _ in range(chance.randint(0, 3)))
    return OF_KIND[column.kind](chance)


def plain(value: Any, column: Column) -> Any:
    """A value as it is to be written, by the words of the documentation."""
    if value is None:
        return None
    if column.kind is ColumnKind.RECORD:
        return {each.name: plain(getattr(value, each.name), each) for each in column.below}
    if column.item is not None:
        return [plain(each, column.item) for each in value]
    if isinstance(value, msgspec.Raw):
        return msgspec.Raw(msgspec.json.format(bytes(value), indent=-1))
    return value.lower() if column.is_uuid and is_uuid(value) else value


@pytest.mark.parametrize(
    "share_of_none", [pytest.param(0.0, marks=pytest.mark.proof), 0.3, pytest.param(0.95, marks=pytest.mark.proof)]
)
def test_each_row_is_written_as_if_it_were_alone(tmp_path: Path, share_of_none: float) -> None:
    """The same bytes, of full columns and of nearly empty ones. The rows stay as they were; their sums are exact."""
    chance = random.Random(7)
    for number, record in enumerate(record_types()):
        columns = columns_of(record)
        whole = Column(name="", kind=ColumnKind.RECORD, record=record, below=columns)
        rows = [make(record, columns, chance, share_of_none) for _ in range(30)]
        before = msgspec.json.encode(rows)

        receipt = run(write(NdjsonSink(tmp_path), rows, key(f"j{number}", record)))

        expected = [msgspec.json.encode(plain(each, whole)) for each in rows]
        assert expected == (tmp_path / receipt.part).read_bytes().split(b"\n")[:-1], record
        assert before == msgspec.json.encode(rows)
        sums = {name: sum((Fraction(getattr(each, name) or 0) for each in rows), Fraction(0)) for name in receipt.sums}
        assert sums == {name: Fraction(total) for name, total in receipt.sums.items()}
