"""Records as the bytes arrive: batches, what is known when, other types, and giving the connection back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from types import FrameType
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from belvo_async._decode import Batch, PageReader
from belvo_async._decode.buffer import guard_is_weak
from belvo_async.abc import Page, Shape
from belvo_async.errors import PayloadError
from belvo_async.payload import DEPTH_LIMIT
from tests.decode.kit import ROWS, arriving, pieces, read

MIB = 1024 * 1024


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: str
    amount: Decimal | None = None
    text: str = ""


class Small(msgspec.Struct, frozen=True):
    id: str


class Guard(msgspec.Struct, frozen=True):
    id: str
    amount: Decimal | None = None


class Typed(TypedDict):
    id: str


class Lazy(msgspec.Struct):
    id: msgspec.Raw


TitledRaw = Annotated[msgspec.Raw, msgspec.Meta(title="as it came")]


class TitledLazy(msgspec.Struct):
    id: TitledRaw


SHAPE: Shape[Row] = msgspec.structs.replace(ROWS, record=Row)  # type: ignore[assignment]
WATCHED = msgspec.structs.replace(SHAPE, record_id=lambda seen: seen.id)


def row(index: int, size: int = 100) -> bytes:
    return b'{"id":"%d","amount":%d.50,"text":"%s"}' % (index, index, b"x" * size)


def rows(count: int, size: int = 100) -> bytes:
    return b"[" + b",".join(row(index, size) for index in range(count)) + b"]"


def envelope(array: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    return b"{" + before + b'"results":' + array + after + b"}"


async def test_rows_come_before_the_body_has_arrived() -> None:
    """A long body is decoded as it arrives: what is not there yet is not waited for."""
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield rows(20_000)[:-1]
        await more.wait()
        yield b"," + row(20_000) + b"]"

    batches = PageReader(SHAPE).batches(slowly())
    early = 0
    while early < 18_000:
        early += len((await anext(batches)).records)
    more.set()

    assert 20_001 == early + sum([len(batch.records) async for batch in batches])


async def test_batches_have_the_size_asked_for() -> None:
    """About `target_bytes` of the body each; larger only where a row is."""
    batches = PageReader(SHAPE, target_bytes=10_000).batches(arriving(rows(1000), 500))
    sizes = [len(batch.records) async for batch in batches]

    assert 1000 == sum(sizes)
    assert 10_000 // len(row(1000) + b",") + 10 >= max(sizes[:-1])


async def test_others_run_between_batches() -> None:
    """Bytes that are here already, even all in one piece, do not keep the loop."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    batches = [batch async for batch in PageReader(SHAPE).batches(pieces([rows(50_000)]))]
    counting.cancel()

    assert turns >= len(batches) + len(rows(50_000)) // (128 * 1024)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"", b',"next":"/n","count":7', Page(next="/n", count=7, rows=3)),
        (b'"next":"/n","count":7,', b"", Page(next="/n", count=7, rows=3)),
        (b"", b',"hydra:view":{"x":[1],"hydra:next":"/v"}', Page(next="/v", rows=3)),
        (b'"hydra:totalItems":9,', b',"count":null', Page(count=9, rows=3)),
    ],
    ids=["behind", "before", "nested", "either"],
)
async def test_short_page_is_known_before_its_rows(before: bytes, after: bytes, expected: Page) -> None:
    """The next page can be asked for while this one is decoded."""
    reader = PageReader(SHAPE)
    batches = reader.batches(arriving(envelope(rows(3), before=before, after=after)))

    await anext(batches)

    assert expected == reader.page
    assert [] == [batch async for batch in batches]
    assert expected == reader.page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"hydra:view":null,"count":9,"hydra:totalItems":9,"next":"/n" , ', b""),
        (b"", b' , "hydra:view":null,"count":9,"hydra:totalItems":9,"next":"/n"'),
        (b'"count":9,"next":"/n",', b',"hydra:totalItems":9,"hydra:view":{"a":{}}'),
    ],
    ids=["before", "behind", "around"],
)
async def test_short_page_is_parsed_once(before: bytes, after: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands behind its rows is read behind them, before they are given; they are not skipped before."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the rows were read twice")

    monkeypatch.setattr("belvo_async._decode.envelope._peek", refuse)
    reader = PageReader(SHAPE)

    (batch,) = [batch async for batch in reader.batches(arriving(envelope(rows(1000), before=before, after=after)))]

    assert 1000 == len(batch.records)
    assert Page(next="/n", count=9, rows=1000) == reader.page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"member":[{"id":"m"}],', b',"count":9,"next":"/n"'),
        (b'"member":[],', b',"count":9,"next":"/n"'),
        (b'"count":9,"x":"\\"results\\"",', b',"next":"/n"'),
        (b'"x":{"results":[]},', b',"count":9,"next":"/n","hydra:totalItems":1,"hydra:view":0'),
        (b"", b',"count":9,"next":"/n","hydra:totalItems":1,"hydra:view":0,"x":["]"]'),
        (b"", b',"x":[],"count":9,"next":"/n","hydra:totalItems":1,"hydra:view":0,"y":"],{"'),
    ],
    ids=[
        "another name before",
        "another name for nothing",
        "name in a text",
        "name inside",
        "array behind",
        "bracket in a text behind",
    ],
)
async def test_page_that_misleads_is_read_all_the_same(before: bytes, after: bytes) -> None:
    """Whatever stands beside the rows, the same is told."""
    reader = PageReader(SHAPE)

    found = [each async for batch in reader.batches(arriving(envelope(rows(3), before=before, after=after)))
             for each in batch.records]  # fmt: skip

    assert 3 == len(found)
    assert Page(next="/n", count=9, rows=3) == reader.page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"count":9,', b',"next":"/n"'),
        (b'"next":"/n",', b',"count":9'),
        (b'"hydra:view":null,"count":9,', b',"next":"/n"'),
    ],
    ids=["count first", "link first", "empty view first"],
)
async def test_short_page_stays_known_while_its_rows_are_read(before: bytes, after: bytes) -> None:
    """Keys that stand before the rows do not take back what was learned of those behind them."""
    reader = PageReader(SHAPE, target_bytes=1000)
    told = [reader.page async for _ in reader.batches(arriving(envelope(rows(100), before=before, after=after)))]

    assert len(told) > 5
    assert {("/n", 9, 100)} == {(page.next, page.count, page.rows) for page in told}


async def test_long_page_tells_what_stands_before_its_rows() -> None:
    """What stands behind them is known once it was read."""
    reader = PageReader(SHAPE)
    body = envelope(rows(20_000), before=b'"count":20000,', after=b',"next":"/n"')
    batches = reader.batches(arriving(body, 64 * 1024))

    await anext(batches)
    assert (None, 20_000) == (reader.page.next, reader.page.count)

    async for _ in batches:
        pass
    assert Page(next="/n", count=20_000, rows=20_000) == reader.page


@pytest.mark.parametrize(
    "extra", [b'{"results":[{"id":"no"}],"x":"\\"results\\":["}', b'"],[{"', b"[" * 40 + b"]" * 40]
)
@pytest.mark.parametrize("place", ["before", "after"])
async def test_look_alikes_beside_the_rows(extra: bytes, place: str) -> None:
    """Only the top-level key counts, however large and deceptive the values of others."""
    extra = b'"extra":[' + b",".join([extra] * 30_000) + b"]"
    body = envelope(rows(2), before=extra + b",") if place == "before" else envelope(rows(2), after=b"," + extra)

    found, page, error = await read(arriving(body, 50_000), SHAPE)

    assert (["0", "1"], 2, None) == ([each.id for each in found], page.rows, error)


async def test_rows_under_two_names_of_a_long_body() -> None:
    """The better name wins where it can be known in time; else the body is refused after the rows that came."""
    worse_first = b'{"member":' + rows(3) + b',"results":' + rows(2) + b"}"
    found, _, error = await read(arriving(worse_first), SHAPE)
    assert (2, None) == (len(found), error)

    worse_first = b'{"member":' + rows(20_000) + b',"results":' + rows(2) + b"}"
    found, _, error = await read(arriving(worse_first, MIB), SHAPE)
    assert (20_000, "$.results") == (len(found), error.path if error else None)

    better_first = b'{"results":' + rows(20_000) + b',"member":' + rows(2) + b"}"
    found, _, error = await read(arriving(better_first, MIB), SHAPE)
    assert (20_000, None) == (len(found), error)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (Small, [Small("0"), Small("1")]),
        (Typed, [{"id": "0"}, {"id": "1"}]),
        (dict, [{"id": "0", "amount": 0.5, "text": ""}, {"id": "1", "amount": 1.5, "text": ""}]),
        (dict[str, Any], [{"id": "0", "amount": 0.5, "text": ""}, {"id": "1", "amount": 1.5, "text": ""}]),
    ],
)
@pytest.mark.parametrize("shape", [SHAPE, WATCHED], ids=["nobody looks", "ids are looked at"])
async def test_rows_become_the_type_asked_for(record: Any, expected: list[Any], shape: Shape[Any]) -> None:
    """Whatever the decoder can make; what the shape looks at is decoded beside it, and only if it looks."""
    batches = PageReader(shape, record=record).batches(arriving(rows(2, 0)))

    batch = await anext(batches)

    assert expected == list(batch.records)
    assert (["0", "1"] if shape is WATCHED else expected) == [
        each.id if shape is WATCHED else each for each in batch.seen
    ]


async def test_guard_stands_in_for_the_whole_record() -> None:
    """A shape that says what it looks at has only that decoded, with its faults told by path."""
    shape = msgspec.structs.replace(WATCHED, guard=Guard)

    (batch,) = [batch async for batch in PageReader(shape, record=Small).batches(arriving(rows(2)))]
    assert [Guard("0", Decimal("0.50")), Guard("1", Decimal("1.50"))] == list(batch.seen)

    found, _, error = await read(arriving(b'[{"id":"0"},{"id":"1","amount":"NaN"}]'), shape, record=Small, strict=True)
    assert [Small("0")] == found
    assert "$[1].amount" == (error.path if error else None)


async def test_own_record_is_decoded_once() -> None:
    """What the shape looks at are the records themselves."""
    async for batch in PageReader(WATCHED).batches(arriving(rows(2))):
        assert batch.records is batch.seen


@pytest.mark.parametrize("shape", [SHAPE, WATCHED], ids=["nobody looks", "ids are looked at"])
@pytest.mark.parametrize(
    "record", [msgspec.Raw, TitledRaw, Lazy, TitledLazy], ids=["rows", "titled rows", "fields", "titled fields"]
)
async def test_raw_values_outlive_the_buffer(record: Any, shape: Shape[Any]) -> None:
    """They are copies: what arrives later neither changes them nor is kept from arriving."""
    found, _, error = await read(arriving(rows(3000), 10_000), shape, record=record, target_bytes=20_000)

    are_rows = record in (msgspec.Raw, TitledRaw)
    texts = [bytes(each if are_rows else each.id) for each in found]
    expected = row if are_rows else lambda index: b'"%d"' % index
    assert None is error
    assert [expected(index) for index in range(3000)] == texts


async def test_rows_that_are_no_objects() -> None:
    """Any rows, also numbers, whose end is only known from what follows."""
    shape: Shape[int] = Shape(record=int)

    found, _, error = await read(arriving(b"[1, 23,456 ,7890]", 1), shape, target_bytes=1)

    assert ([1, 23, 456, 7890], None) == (found, error)


@pytest.mark.parametrize("size", [1000, MIB])
async def test_row_of_more_than_the_cap_is_refused(size: int) -> None:
    """Whether or not it has arrived whole; the rows before it are out."""
    body = b"[" + row(0) + b"," + row(1, 5000) + b"," + row(2) + b"]"

    found, _, error = await read(arriving(body, size), SHAPE, row_bytes=1000)

    assert ["0"] == [each.id for each in found]
    assert ("$[1]", "a row of more than 1000 bytes") == ((error.path, error.reason) if error else None)


async def test_endless_row_is_not_waited_for() -> None:
    """Memory is bounded by the cap, whatever a vendor sends."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'{"extra": 1, "results": [{"id": "a'
        while True:
            taken += 1
            yield b"a" * 1000

    found, _, error = await read(endless(), SHAPE, row_bytes=2 * MIB)

    assert [] == found
    assert "$.results[0]" == (error.path if error else None)
    assert taken < 5000


async def test_endless_value_beside_the_rows_is_not_waited_for() -> None:
    """The cap holds for them as well; their keys stay out of the path."""

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"extra": [1'
        while True:
            yield b",1" * 1000

    _, _, error = await read(endless(), SHAPE, row_bytes=100_000)

    assert ("$", "a value of more than 100000 bytes") == ((error.path, error.reason) if error else None)


@pytest.mark.parametrize("leave", ["break", "cancel", "fault", "end"])
async def test_connection_is_given_back(leave: str) -> None:
    """However a reading ends, the generator of chunks is closed at once, not by the garbage collector."""
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"[" + b",".join(row(index) for index in range(20_000))
            if leave == "cancel":
                await asyncio.Event().wait()
            yield b"!" if leave == "fault" else b"]"
        finally:
            await asyncio.sleep(0)
            closed.set()

    async def use() -> None:
        async with contextlib.aclosing(PageReader(SHAPE).batches(chunks())) as batches:
            async for _ in batches:
                if leave == "break":
                    break

    using = asyncio.create_task(use())
    if leave == "cancel":
        await asyncio.sleep(1)
        using.cancel()
    with contextlib.suppress(asyncio.CancelledError, PayloadError):
        await using

    assert closed.is_set()


async def test_batch_is_a_tuple() -> None:
    """It unpacks; usually, nothing of it is odd."""
    records, seen, odd = Batch((1,), ("a",))

    assert ((1,), ("a",), ()) == (records, seen, odd)


@pytest.fixture
def no_guard() -> Iterator[None]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(usual)


DEEP = b"[" * 200_000 + b"]" * 200_000
DEEPLY_NESTED = pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[" + row(0) + b"," + row(1) + b',{"id":"2","x":' + DEEP + b"}]", "$[2]"),
        (b'{"results":[' + row(0) + b"," + row(1) + b"," + DEEP + b"]}", "$.results[2]"),
        (b'{"results":[' + row(0) + b"," + row(1) + b'],"x":' + DEEP + b"}", "$"),
        (b"[" + row(0) + b"," + row(1) + b"," + DEEP[:200_000], "$[2]"),
    ],
    ids=["field", "row", "beside", "cut"],
)


@DEEPLY_NESTED
async def test_deep_nesting_is_refused(body: bytes, path: str) -> None:
    """Instead of ending the process; the rows before it are out."""
    found, _, error = await read(arriving(body, MIB), SHAPE)

    assert ["0", "1"] == [each.id for each in found]
    assert path == (error.path if error else None)


@DEEPLY_NESTED
@pytest.mark.usefixtures("no_guard")
async def test_deep_nesting_is_refused_without_the_interpreters_guard(body: bytes, path: str) -> None:
    """A program may have raised the recursion limit, which on Python 3.11 stops msgspec's own guard as well."""
    found, _, error = await read(arriving(body, 1000), SHAPE)

    assert ["0", "1"] == [each.id for each in found]
    assert ("nested too deeply", path) == ((error.reason, error.path) if error else None)


@pytest.mark.usefixtures("no_guard")
async def test_brackets_in_strings_do_not_nest() -> None:
    """Nor do escaped quotes end strings, wherever the pieces are cut."""
    texts = ["[" * 100, '"' * 100 + "[" * 100, "\\" * 99, '\\"{' * 50]
    body = msgspec.json.encode([{"id": text} for text in texts])

    found, _, error = await read(arriving(body, 3), SHAPE)

    assert (texts, None) == ([each.id for each in found], error)


# Fewer levels than the recursion limit, and more than a stack of this size holds.
SMALL_STACK_BYTES = 256 * 1024
NESTED = b'[{"id":"0"},{"id":"1","x":' + b"[" * 900 + b"]" * 900 + b"}]"


def in_a_thread(readings: Callable[[], Awaitable[None]], *, restore_first: bool = False) -> None:
    """Read in a thread with a small stack; with `restore_first`, while the setting is the usual one again."""
    restored = threading.Event()

    async def wait_and_read() -> None:
        restored.wait()
        await readings()

    thread = threading.Thread(target=lambda: asyncio.run(wait_and_read()))
    usual = threading.stack_size(SMALL_STACK_BYTES)
    try:
        thread.start()
        if not restore_first:
            restored.set()
            thread.join()
    finally:
        setting = threading.stack_size(usual)
        restored.set()
        thread.join()
    assert SMALL_STACK_BYTES == setting


@pytest.mark.parametrize("restore_first", [False, True], ids=["set", "put back"])
@pytest.mark.parametrize("body", [NESTED, b'[{"id":"0"},{"id":"1","x":' + DEEP + b"}]"], ids=["nested", "very deep"])
def test_deep_nesting_in_a_thread_with_a_small_stack(body: bytes, restore_first: bool) -> None:
    """Half of the usual recursion limit would end the process: no page may, and the program's setting stays."""
    told: list[Any] = []

    async def readings() -> None:
        told.extend([await read(arriving(body, MIB), ROWS) for _ in range(3)])

    in_a_thread(readings, restore_first=restore_first)

    assert 3 == len(told)
    for found, _, error in told:
        assert [{"id": "0"}] == found
        assert ("nested too deeply", "$[1]") == (error.reason, error.path)


def test_depth_is_followed_outside_the_main_thread_only() -> None:
    """The stack of the main thread is roomy enough for the interpreter's own guard, which costs nothing."""
    told: list[bool] = []

    async def ask() -> None:
        told.append(guard_is_weak())

    in_a_thread(ask)

    assert ([True], False) == (told, guard_is_weak())


@pytest.mark.usefixtures("no_guard")
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("levels", [DEPTH_LIMIT, DEPTH_LIMIT + 1])
async def test_depth_is_followed_exactly(levels: int, size: int) -> None:
    """However the pieces are cut, and whatever brackets, quotes and backslashes stand in strings."""
    text = msgspec.json.encode('[{"\\' * 9)
    nested = b'{"id":"0","x":' + b"[" * (levels - 2) + text + b"]" * (levels - 2) + b"}"

    found, _, error = await read(arriving(b"[" + nested + b"," + nested + b"]", size), SHAPE, record=Small)

    if levels > DEPTH_LIMIT:
        assert ([], "nested too deeply", "$[0]") == (found, error and error.reason, error and error.path)
    else:
        assert ([Small("0"), Small("0")], None) == (found, error)


def frames(error: BaseException) -> list[str]:
    """What a report with local variables would show of the library's frames that an error passed through."""
    locals_of = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__) if _is_ours(frame)]
    return [repr(value) for names in locals_of for value in names.values()]


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals["__name__"]).startswith("belvo_async.")


@pytest.mark.parametrize("record", [Row, dict, msgspec.Raw], ids=["struct", "dict", "raw"])
@pytest.mark.parametrize("count", [1, 3000], ids=["short", "long"])
@pytest.mark.parametrize(
    "bad",
    [b'{"id":"1","amount":"canary"}', b'{"id":"canary" 1}', b'{"id":"canary', b'{"id":"canary\xff"}'],
    ids=["unfit", "malformed", "cut", "not UTF-8"],
)
async def test_error_shows_no_row(bad: bytes, count: int, record: Any) -> None:
    """Nor does any frame in its traceback, neither of the bad row nor of those before it."""
    good = b",".join([b'{"id":"0","text":"canary"}'] * count)
    shape = msgspec.structs.replace(WATCHED, guard=Guard)
    error: PayloadError | None = None

    try:
        reader = PageReader(shape, record=record, strict=True)
        async for _ in reader.batches(arriving(b"[" + good + b"," + bad + b"]", 50_000)):
            pass
    except PayloadError as caught:
        error = caught

    assert error is not None
    assert [] == [each for each in frames(error) if "canary" in each]


@pytest.mark.parametrize("when", ["between batches", "while waiting for bytes"])
async def test_interrupted_reading_shows_no_row(when: str) -> None:
    """A cancellation shows the frames it ended, in a timeout's cause: they have let go of the batch given before."""
    waits = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"[" + b",".join([b'{"id":"0","text":"canary"}'] * 60_000)
        waits.set()
        await asyncio.Event().wait()

    async def drain() -> None:
        async for batch in PageReader(SHAPE).batches(stuck()):
            assert batch.records
            if when == "between batches":
                draining.cancel()

    draining = asyncio.create_task(drain())
    if when == "while waiting for bytes":
        await waits.wait()
        draining.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await draining

    assert "batches" in [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.tb)]
    assert [] == [each for each in frames(caught.value) if "canary" in each]
