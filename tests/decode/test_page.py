"""A page's bytes become records: where the rows are, what stands beside them, and what does not fit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async._decode import PageReader
from belvo_async.abc import Page, Shape
from belvo_async.errors import PayloadError, TransportError

CANARY = "canary-5f1e9c77"


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    amount: Decimal


class Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    total_amount: Decimal | None = None
    rate: Decimal | None = msgspec.field(default=None, name="taxRate")
    taxes: tuple[Tax, ...] = ()
    extra: dict[str, Decimal] = {}
    kind: str = ""


SHAPE: Shape[Row] = Shape(
    record=Row,
    rows=("results", "hydra:member"),
    next=(("next",), ("hydra:view", "hydra:next")),
    count=(("count",), ("hydra:totalItems",)),
)
BARE: Shape[Row] = Shape(record=Row)


async def arriving(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def page_of(body: bytes, shape: Shape[Row] = SHAPE, **options: int) -> tuple[list[Row], Page]:
    reader = PageReader(shape, **options)
    rows = [row async for batch in reader.batches(arriving(body)) for row in batch.records]
    return rows, reader.page


async def until_failure(
    body: bytes, shape: Shape[Row] = SHAPE, *, size: int = 7, strict: bool = True
) -> tuple[list[str], PayloadError]:
    """The ids that came before the error, and the error."""
    ids: list[str] = []
    try:
        async for batch in PageReader(shape, strict=strict).batches(arriving(body, size)):
            ids.extend(row.id for row in batch.records)
    except PayloadError as error:
        return ids, error
    raise AssertionError("the page was read without complaint")


def rows(count: int, **last: object) -> list[dict[str, Any]]:
    return [{"id": str(index)} for index in range(count)] + ([{"id": "last", **last}] if last else [])


def page(members: list[Any], **beside: object) -> bytes:
    return json.dumps({"count": 3, "next": None, "results": members, **beside}).encode()


@pytest.mark.parametrize(
    ("body", "shape", "expected"),
    [
        (b'{"results": [{"id": "a"}], "next": "/n?c=1", "count": 9}', SHAPE, Page(next="/n?c=1", count=9, rows=1)),
        (b'{"hydra:member": [{"id": "a"}]}', SHAPE, Page(rows=1)),
        (b'{"hydra:view": {"hydra:next": "/n"}, "hydra:member": [{"id": "a"}]}', SHAPE, Page(next="/n", rows=1)),
        (b'{"hydra:view": null, "hydra:member": [{"id": "a"}]}', SHAPE, Page(rows=1)),
        (b'{"hydra:member": 5, "results": [{"id": "a"}]}', SHAPE, Page(rows=1)),
        (b'{"next": "", "results": [{"id": "a"}], "count": null}', SHAPE, Page(rows=1)),
        (b'\n [{"id": "a"}]', BARE, Page(rows=1)),
        (b'[{"id": "a"}]', SHAPE, Page(rows=1)),
    ],
    ids=["plain", "second name", "nested link", "null view", "best name", "no link", "bare array", "array instead"],
)
async def test_rows_and_what_stands_beside_them(body: bytes, shape: Shape[Row], expected: Page) -> None:
    """The first name present holds the rows; link and count follow their paths, in whatever order keys come."""
    assert ([Row(id="a")], expected) == await page_of(body, shape)


@pytest.mark.parametrize("body", [b'{"results": []}', b'{"results": null}'], ids=["empty", "null"])
async def test_page_without_rows_is_empty(body: bytes) -> None:
    """No rows is an answer, and no batch comes."""
    assert ([], Page()) == await page_of(body)


async def test_money_keeps_every_digit() -> None:
    """Numbers become Decimals from their text, never through a float."""
    found, _ = await page_of(b'{"results": [{"id": "a", "total_amount": 0.10, "taxRate": "16.000000"}]}')

    assert [("0.10", "16.000000")] == [(str(row.total_amount), str(row.rate)) for row in found]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"total_amount": [CANARY]}, "$.results[9].total_amount"),
        ({"total_amount": CANARY}, "$.results[9].total_amount"),
        ({"kind": 5}, "$.results[9].kind"),
        ({"taxes": [{"amount": 1}, {}]}, "$.results[9].taxes[1]"),
        ({"total_amount": "NaN"}, "$.results[9].total_amount"),
        ({"total_amount": "sNaN"}, "$.results[9].total_amount"),
        ({"total_amount": "-Infinity"}, "$.results[9].total_amount"),
        ({"total_amount": "1e400000"}, "$.results[9].total_amount"),
        ({"taxRate": "1e-400000"}, "$.results[9].taxRate"),
        ({"taxes": [{"amount": 1}, {"amount": "nan"}]}, "$.results[9].taxes[1].amount"),
        ({"extra": {CANARY: "inf"}}, "$.results[9].extra[...]"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
async def test_row_that_does_not_fit_is_named(row: dict[str, object], path: str) -> None:
    """The rows before it are delivered; the error says where, in the vendor's own names, and never what."""
    ids, error = await until_failure(page([*rows(9), {"id": "last", **row}, *rows(3)]))

    assert [str(index) for index in range(9)] == ids
    assert path == error.path
    assert CANARY not in f"{error!r}{error.__context__!r}{error.__cause__!r}"


@pytest.mark.parametrize(
    "text", ["1e400000", '"\\u004eaN"', "1E+1000000000", "0e99999", "-1e-129", "1" * 130, "0." + "1" * 3000]
)
async def test_number_bombs_are_refused(text: str) -> None:
    """A few bytes must not become a hundred megabytes in the first `format()`."""
    _, error = await until_failure(b'{"results": [{"id": "a", "total_amount": %s}]}' % text.encode())

    assert ("a number out of bounds", "$.results[0].total_amount") == (error.reason, error.path)


@pytest.mark.parametrize("text", ["1e10", "0.000000000001", "-12345678901234567890.123456", "9" * 80])
async def test_odd_but_finite_numbers_are_kept(text: str) -> None:
    """What is no bomb is the vendor's business."""
    found, _ = await page_of(b'{"results": [{"id": "a", "total_amount": %s}]}' % text.encode())

    assert [Decimal(text)] == [row.total_amount for row in found]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "$"),
        (b"   ", "$"),
        (b"<html>", "$"),
        (b"\xef\xbb\xbf{}", "$"),
        ('{"results": []}'.encode("utf-16"), "$"),
        (b'{"results": [{"id": "a"', "$.results[0]"),
        (b'{"results": [', "$.results"),
        (b'{"results": [], "ne', "$"),
        (b'{"results": [], "next": 5', "$.next"),
        (b'{"results": [],}', "$"),
        (b'{"results" []}', "$"),
        (b"{results: []}", "$"),
        (b'{"results": []} trailing', "$"),
        (b'{"detail": "x"}', "$"),
        (b"null", "$"),
        (b'"text"', "$"),
        (b'{"results": {"id": "a"}}', "$.results"),
        (b'{"results": [], "next": 5}', "$.next"),
        (b'{"results": [], "hydra:view": {"hydra:next": [1]}}', "$.hydra:view.hydra:next"),
        (b'{"results": [{"id": "\xff"}]}', "$.results[0]"),
        (b'{"results": [1]}', "$.results[0]"),
        (b'{"results": [null]}', "$.results[0]"),
        (b'{"results": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "$.results[0]"),
        (b'{"extra": ' + b"[" * 100_000 + b"]" * 100_000 + b', "results": []}', "$"),
        (b'{"results": [], "results": []}', "$.results"),
        (b'{"next": "/a", "results": [], "next": "/b"}', "$.next"),
        (b'{"results": [], "re\\u0073ults": []}', "$.results"),
    ],
)
async def test_page_that_cannot_be_read(body: bytes, path: str) -> None:
    """Truncated, foreign and hostile bodies all leave as PayloadError with the place."""
    ids, error = await until_failure(body)

    assert ([], path) == (ids, error.path)
    assert error.__context__ is None


async def test_object_where_an_array_was_promised() -> None:
    """A body that should be the array itself and is not has no rows."""
    _, error = await until_failure(b'{"results": []}', BARE)

    assert "no rows" == error.reason


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b'{"results": [{"id": "a"}, {"id": NaN}]}', 33),
        (b'{"results": [{"id": "a"}, {"id": -Infinity}]}', 34),
        (b'{"results": [{"id": "a"}, {"id"  "b"}]}', 33),
        (b'{"results": [{"id": "a"} {"id": "b"}]}', 25),
        (b'{"results": [{"id": "a"},, {"id": "b"}]}', 25),
        (b'{"results": [{"id": "a"},]}', 25),
        (b'{"results": [{"id": "a"}]]}', 25),
        (b'{"results": [{"id": "a"}]} {}', 27),
        (b'{"results": [{"id": "a"}], "next" "/n"}', 34),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_malformed_byte_is_told_by_its_place_in_the_body(body: bytes, position: int, size: int) -> None:
    """However the bytes arrive, the position is that of the body's byte; the records before it are out."""
    ids, error = await until_failure(body, size=size)

    assert f"JSON is malformed (byte {position})" == error.reason
    assert ["a"] == ids


@pytest.mark.parametrize("body", [b"<html></html>", b" \r\n <!DOCTYPE html>", b"\xef\xbb\xbf<?xml?>"])
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_page_is_called_that(body: bytes, size: int) -> None:
    """A maintenance or login page, answered with 200, says nothing about the vendor's JSON."""
    ids, error = await until_failure(body, size=size)

    assert ([], "a page (HTML) came instead of JSON") == (ids, error.reason)


async def test_a_mark_of_a_page_within_json_is_a_malformed_byte() -> None:
    """Only a body that begins like a page is one."""
    _, error = await until_failure(b"{ <html>")

    assert "JSON is malformed (byte 2)" == error.reason


async def test_cut_on_the_way_passes_through() -> None:
    """What the network did is told as such, not as the vendor's bad page; the rows that arrived whole are out first."""

    async def cut() -> AsyncIterator[bytes]:
        yield b'{"results": [{"id": "a"}, {"id": "b'
        raise TransportError("GET /things: the answer was cut short", maybe_sent=True)

    batches = PageReader(SHAPE).batches(cut())

    assert [Row(id="a")] == list((await anext(batches)).records)
    with pytest.raises(TransportError):
        await anext(batches)


async def test_reader_is_used_page_after_page() -> None:
    """What one page told is not taken for what the next one tells."""
    reader = PageReader(SHAPE)
    async for _ in reader.batches(arriving(page(rows(2), next="/n"))):
        pass
    assert "/n" == reader.page.next

    async for _ in reader.batches(arriving(page(rows(1)))):
        pass

    assert Page(count=3, rows=1) == reader.page
