"""Rows that do not fit are read a second time: what comes of them, what is told, and what still is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest

from belvo_async._decode import Odd, PageReader
from belvo_async.abc import Page, Shape
from belvo_async.errors import PayloadError
from tests.decode.kit import arriving, pieces


class Fifo(msgspec.Struct, frozen=True, kw_only=True):
    amount: Decimal | None = None
    unit: str = "kg"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None
    link: str | None = None
    day: date | None = None
    total: Decimal | None = None
    count: int = 0
    lines: tuple[Fifo, ...] | None = ()
    extra: dict[str, Decimal] = {}


def row_id(row: Row) -> str | None:
    return row.id


SHAPE: Shape[Row] = Shape(
    record=Row, rows=("results",), next=(("next",),), count=(("count",),), record_id=row_id, keep=lambda row: True
)


async def read_all(
    rows: object, kind: Any = None, *, shape: Shape[Any] = SHAPE, size: int = 1000, **options: Any
) -> tuple[list[Any], list[Odd], Page]:
    reader: PageReader[Any] = PageReader(shape, record=kind, **options)
    records: list[Any] = []
    odd: list[Odd] = []
    async for batch in reader.batches(arriving(json.dumps({"results": rows, "count": None}).encode(), size)):
        odd += batch.odd
        for each in batch.odd:
            assert each.place is None or each.row is batch.seen[each.place]
        records += batch.records
    return records, odd, reader.page


def told(odd: list[Odd]) -> list[tuple[str, str]]:
    return [(each.place.path, each.raw.decode()) for row in odd for each in row.told]


@pytest.mark.parametrize("target_bytes", [1, 60, 200, 192 * 1024])
async def test_an_odd_row_costs_only_its_odd_values(target_bytes: int) -> None:
    """All rows come, in order, wherever batches end; what is lost is told by number and path."""
    rows: list[dict[str, object]] = [{"id": str(number), "total": number, "count": number} for number in range(20)]
    rows[3] |= {"total": "x"}
    rows[4] |= {"count": "4"}
    rows[11] |= {"lines": [{"amount": 1}, {"amount": True, "unit": "g"}]}
    rows[19] |= {"extra": {"a": "1.0", "b": [1, 2]}, "day": "19/01/2025"}

    records, odd, page = await read_all(rows, target_bytes=target_bytes)

    assert [str(number) for number in range(20)] == [each.id for each in records]
    assert [None, 4] == [records[3].total, records[4].count]
    assert (Fifo(amount=Decimal(1)), Fifo(amount=None, unit="g")) == records[11].lines
    assert ({"a": Decimal("1.0"), "b": None}, date(2025, 1, 19)) == (records[19].extra, records[19].day)
    assert [
        ("$.results[3].total", '"x"'),
        ("$.results[11].lines[1].amount", "true"),
        ("$.results[19].extra[...]", "[1, 2]"),
    ] == told(odd)
    assert ([3, 11, 19], 20) == ([each.number for each in odd], page.rows)


async def test_a_field_that_may_not_be_none_has_its_default() -> None:
    """A required one is None all the same: better than no row."""

    class Own(msgspec.Struct):
        id: str
        total: Decimal
        name: str = "nobody"

    ((record,), odd, _) = await read_all([{"id": "1", "total": [], "name": {"a": 1}}], Own)
    ((missing,), absent, _) = await read_all([{"id": "1"}], Own)

    assert ("1", None, "nobody") == (record.id, record.total, record.name)
    assert [("$.results[0].name", '{"a": 1}')] == told(odd)
    assert None is missing.total
    assert [("$.results[0].total", "")] == told(absent)


@pytest.mark.parametrize("row", [{"total": "x"}, {"id": None, "total": "x"}, {"id": [1, 2]}, {"id": {"a": 1}}])
async def test_a_row_without_its_id_is_an_error(row: dict[str, object]) -> None:
    """Nobody could tell it from others, nor ask the vendor for it. The rows before it are out."""
    reader: PageReader[Row] = PageReader(SHAPE)
    ids: list[str | None] = []

    with pytest.raises(PayloadError) as refused:  # noqa: PT012 - the loop is what raises
        async for batch in reader.batches(arriving(json.dumps({"results": [{"id": "a"}, row]}).encode())):
            ids += [each.id for each in batch.records]

    assert (["a"], "$.results[1]", "a row without its id") == (ids, refused.value.path, refused.value.reason)
    assert (None, None) == (refused.value.__context__, refused.value.__cause__)


async def test_a_row_that_is_documented_without_an_id_needs_none() -> None:
    """As monthly tax returns are."""
    records, odd, _ = await read_all([{"total": "x"}], shape=msgspec.structs.replace(SHAPE, has_ids=False))

    assert ([Row()], 1) == (records, len(odd))


async def test_an_id_is_read_tolerantly_too() -> None:
    """A number for a text loses nothing."""
    records, odd, _ = await read_all([{"id": 5}, {"id": ["b"]}, {"id": "c"}])

    assert (["5", "b", "c"], []) == ([each.id for each in records], odd)


@pytest.mark.parametrize("row", [5, "text", True, [], [1], [[]]])
async def test_what_is_no_row_is_an_error(row: object) -> None:
    """It has no id, whatever it is."""
    with pytest.raises(PayloadError) as refused:
        await read_all([{"id": "a"}, row])

    assert "$.results[1]" == refused.value.path


async def test_null_among_the_rows_is_passed_over_and_told() -> None:
    """It is no record, so it counts for none."""
    records, odd, page = await read_all([{"id": "a"}, None, {"id": "b", "total": "x"}, None])

    assert (["a", "b"], 4) == ([each.id for each in records], page.rows)
    assert [("$.results[1]", "null"), ("$.results[2].total", '"x"'), ("$.results[3]", "null")] == told(odd)
    assert [None, 1, None] == [each.place for each in odd]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({}, []),
        ("", []),
        ([], []),
        (False, []),
        (None, []),
        ({"id": "a", "total": 1}, ["a"]),
        ({"0": {"id": "a"}, "2": {"id": "b"}}, ["a", "b"]),
        ({"0": {"id": "a", "total": "x"}}, ["a"]),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
async def test_rows_come_in_other_wrappings(rows: object, expected: list[str], size: int) -> None:
    """Nothing, one row by itself, and an array that PHP wrote as an object."""
    records, _, page = await read_all(rows, size=size)

    assert (expected, len(expected)) == ([each.id for each in records], page.rows)


@pytest.mark.parametrize("rows", [5, "text", True])
async def test_what_holds_no_rows_for_certain_is_an_error(rows: object) -> None:
    with pytest.raises(PayloadError) as refused:
        await read_all(rows)

    assert "$.results" == refused.value.path


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        *((text, 2) for text in ("2", "2.0", '"2"', '"2.0"', '" 2 "', "2e0")),
        *((text, None) for text in ("null", '""', '"many"', "-1", "2.5", "[]", "{}", '"1e400"', "1e400", "true")),
        *((text, None) for text in ("9" * 40, '"NaN"', '"' + "9" * 5000 + '"')),
    ],
)
@pytest.mark.parametrize("position", ["first", "last"])
@pytest.mark.parametrize("strict", [True, False])
async def test_a_count_is_advice(count: str, expected: int | None, position: str, strict: bool) -> None:
    """One that is no whole number is none, and never stops the rows."""
    rows = '"results":[{"id":"a"},{"id":"b"}]'
    body = f'{{"count":{count},{rows}}}' if position == "first" else f'{{{rows},"count":{count}}}'
    reader: PageReader[Row] = PageReader(SHAPE, strict=strict)

    ids = [each.id async for batch in reader.batches(pieces([body.encode()])) for each in batch.records]

    assert (["a", "b"], expected) == (ids, reader.page.count)


@pytest.mark.parametrize("link", ["null", '""', "[]", "{}", "false"])
async def test_no_next_page_is_said_in_several_ways(link: str) -> None:
    reader: PageReader[Row] = PageReader(SHAPE)

    async for _ in reader.batches(pieces([f'{{"results":[],"next":{link}}}'.encode()])):
        pass

    assert None is reader.page.next


class Only(msgspec.Struct):
    """What the shape's functions look at."""

    id: str | None = None
    day: date | None = None


class Total(msgspec.Struct):
    total: Decimal | None = None


async def test_a_guard_is_read_tolerantly() -> None:
    """An odd value that only the guard has is told too: the row may be another's."""
    shape = msgspec.structs.replace(SHAPE, guard=Only)

    records, odd, _ = await read_all(
        [{"id": 7, "day": "soon", "total": "5"}, {"id": "b", "total": "x"}], Total, shape=shape
    )

    assert [Total(Decimal(5)), Total(None)] == records
    assert [("$.results[0].day", '"soon"'), ("$.results[1].total", '"x"')] == told(odd)
    assert [frozenset({"day"}), frozenset()] == [each.unread for each in odd]
    assert ["7", "b"] == [each.row.id for each in odd]


@pytest.mark.parametrize("kind", [msgspec.Raw, dict])
async def test_what_fits_any_row_stays_as_it_is(kind: Any) -> None:
    """Bytes and mappings have nothing to be odd about."""
    rows: list[dict[str, Any]] = [{"id": "a", "total": "x"}, {"id": "b", "day": 5}]

    records, odd, _ = await read_all(rows, kind, shape=msgspec.structs.replace(SHAPE, guard=None))

    assert rows == [msgspec.json.decode(each) if isinstance(each, msgspec.Raw) else each for each in records]
    assert ["$.results[0].total", "$.results[1].day"] == [path for path, _ in told(odd)]


@pytest.mark.parametrize("kind", [dict, dict[str, Any], dict[str, object], Any])
async def test_numbers_without_a_type_are_exact(kind: Any) -> None:
    """Decimals, at any depth; never floats."""
    body = b'{"results":[{"id":"a","total":0.10,"lines":[{"amount":12345678901234567.89}],"n":3}]}'
    reader: PageReader[Any] = PageReader(SHAPE, record=kind)

    ((record,),) = [batch.records async for batch in reader.batches(pieces([body]))]

    assert ("0.10", "12345678901234567.89") == (str(record["total"]), str(record["lines"][0]["amount"]))
    assert (Decimal, 3) == (type(record["total"]), record["n"])


async def test_a_bomb_in_a_mapping_is_none() -> None:
    """What nobody gave a type is bounded all the same."""
    body = b'{"results":[{"id":"a","total":1e999999,"n":1.5,"big":%s}]}' % (b"9" * 6000)
    reader: PageReader[Any] = PageReader(SHAPE, record=dict)

    ((record,),) = [batch.records async for batch in reader.batches(pieces([body]))]

    assert {"id": "a", "total": None, "n": Decimal("1.5"), "big": None} == record


# Types of the caller's own


class Kind(Enum):
    IN = "in"


@dataclass
class Data:
    id: str
    total: Decimal
    count: int = 3


class Typed(TypedDict, total=False):
    id: str
    total: Decimal


class Named(NamedTuple):
    id: str
    total: Decimal


class Positional(msgspec.Struct, array_like=True):
    id: str
    total: Decimal | None = None


class Cash(msgspec.Struct, tag="cash"):
    total: Decimal | None = None


class Card(msgspec.Struct, tag="card"):
    total: Decimal | None = None


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    id: str


class Tree(msgspec.Struct):
    id: str | None = None
    count: int | None = None
    branches: list[Tree] = []


class Checked(msgspec.Struct):
    id: str
    total: Decimal | None = None
    name: str = "nobody"

    def __post_init__(self) -> None:
        if self.total is not None and self.total < 0:
            raise ValueError("too little")


class Mixed(msgspec.Struct):
    kind: Kind | None = None
    word: Literal["a", 1] | None = None
    pair: tuple[str, int] | None = None
    names: frozenset[str] | None = None
    paid: Cash | Card | None = None
    either: int | str | list[int] | None = None


def mixed(**fields: object) -> Mixed:
    return Mixed(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "row", "expected", "lost"),
    [
        (Data, '{"id":1,"total":"x"}', lambda: Data("1", None), [".total"]),  # type: ignore[arg-type]
        (Typed, '{"id":1,"total":"1,000.5"}', lambda: {"id": "1", "total": Decimal("1000.5")}, []),
        (Named, '[1,"x"]', lambda: Named("1", None), [".total"]),  # type: ignore[arg-type]
        (Positional, '[1,"x",3]', lambda: Positional("1", None), [".total"]),
        (Closed, '{"id":"a","b":1}', lambda: Closed("a"), ["[...]"]),
        (Checked, '{"id":"a","total":-1,"name":"b"}', lambda: Checked("a", None, "b"), [".total"]),
        (
            Tree,
            '{"id":"a","branches":{"id":"b","branches":[{"id":3,"count":"x"},null]}}',
            lambda: Tree("a", None, [Tree("b", None, [Tree("3"), None])]),  # type: ignore[list-item]
            [".branches.branches[0].count"],
        ),
        (Mixed, '{"kind":" in ","word":"1"}', lambda: mixed(kind=Kind.IN, word=1), []),
        (Mixed, '{"kind":"out","word":2}', lambda: mixed(), [".kind", ".word"]),
        (Mixed, '{"pair":[1,"2"]}', lambda: mixed(pair=("1", 2)), []),
        (Mixed, '{"pair":[1,"2",3]}', lambda: mixed(), [".pair"]),
        (Mixed, '{"names":"a"}', lambda: mixed(names=frozenset("a")), []),
        (Mixed, '{"names":[1,[2,3]]}', lambda: mixed(names=frozenset({"1", None})), [".names[1]"]),
        (Mixed, '{"paid":[{"type":"card","total":" 5"}]}', lambda: mixed(paid=Card(Decimal(5))), []),
        (Mixed, '{"paid":{"type":"card","total":"x"}}', lambda: mixed(paid=Card()), [".paid.total"]),
        (Mixed, '{"paid":{"type":"coin"}}', lambda: mixed(), [".paid"]),
        (Mixed, '{"either":{"a":1}}', lambda: mixed(), [".either"]),
        (Mixed, '{"either":["1","x"]}', lambda: mixed(either=[1, None]), [".either[1]"]),
        (Mixed, '{"either":1.5}', lambda: mixed(either="1.5"), []),
        (list[int], '["1",2.0]', lambda: [1, 2], []),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_types_of_the_callers_own_are_read_the_same_way(
    kind: Any, row: str, expected: Callable[[], object], lost: list[str]
) -> None:
    """Whatever msgspec can tell the parts of."""
    reader: PageReader[Any] = PageReader(Shape(record=kind))

    ((records, _, odd),) = [batch async for batch in reader.batches(pieces([b"[" + row.encode() + b"]"]))]

    assert [expected()] == list(records)
    assert [f"$[0]{each}" for each in lost] == [path for path, _ in told(list(odd))]


@pytest.mark.parametrize(
    "row", [b'{"id":"a","total":"\xff"}', b'{"id":"a","total":NaN}', b'{"id":"a","total":"\\ud800"}', b'{"id":"a" 1}']
)
@pytest.mark.parametrize("strict", [True, False])
async def test_what_is_no_json_is_an_error(row: bytes, strict: bool) -> None:
    """Bytes that are no text, half of a surrogate pair, and words that JSON does not have."""
    reader: PageReader[Row] = PageReader(SHAPE, strict=strict)

    with pytest.raises(PayloadError):
        async for _ in reader.batches(pieces([b'{"results":[' + row + b"]}"])):
            pass
