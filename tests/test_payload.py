"""Guarded decoding: what is refused, and what a refusal may say."""

from __future__ import annotations

import pickle
import traceback
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, strategies as st

from belvo_async.errors import PayloadError
from belvo_async.origins import local_target
from belvo_async.payload import DEPTH_LIMIT, check_depth, check_number, check_numbers, decode, rethrow
from tests.frames import leaks_of, provoked

CANARY = "canary-5f1e9c77"


class Word(Enum):
    YES = "yes"


class Inner(msgspec.Struct):
    number: int


class Everything(msgspec.Struct):
    text: str = ""
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    short: Annotated[str, msgspec.Meta(max_length=3)] = ""
    like: Annotated[str, msgspec.Meta(pattern="^a")] = ""
    word: Word = Word.YES
    exact: Literal["x"] = "x"
    when: datetime | None = None
    day: date | None = None
    uuid: UUID | None = None
    money: Decimal | None = None
    inner: list[Inner] = []
    named: dict[str, int] = {}


def refusal(body: bytes) -> PayloadError:
    with pytest.raises(PayloadError) as refused:
        decode(body, Everything)
    return refused.value


def test_what_fits_is_decoded() -> None:
    """By type or by a kept decoder, from any kind of bytes."""
    body = b'{"text": "a", "unknown": [1]}'

    assert "a" == decode(body, Everything).text
    assert "a" == decode(bytearray(body), msgspec.json.Decoder(Everything)).text
    assert "a" == decode(memoryview(body), Everything).text


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('{"text": %d}', "$.text"),
        ('{"count": -1, "text": "%s"}', "$.count"),
        ('{"short": "%s"}', "$.short"),
        ('{"like": "%s"}', "$.like"),
        ('{"word": "%s"}', "$.word"),
        ('{"exact": "%s"}', "$.exact"),
        ('{"when": "%s"}', "$.when"),
        ('{"day": "%s"}', "$.day"),
        ('{"uuid": "%s"}', "$.uuid"),
        ('{"money": "%s"}', "$.money"),
        ('{"inner": [{"number": 1}, {"number": "%s"}]}', "$.inner[1].number"),
        ('{"inner": [{"%s": 1}]}', "$.inner[0]"),
        ('{"named": {"%s": "x"}}', "$.named[...]"),
    ],
)
def test_refusal_names_the_path_never_the_value(body: str, path: str) -> None:
    """msgspec echoes some values; none leaves with our error, nor hangs on it."""
    error = refusal((body.replace("%d", "[%s]") % f'"{CANARY}"' if "%d" in body else body % CANARY).encode())

    assert path == error.path
    assert CANARY not in f"{error!r}{error.reason}"
    assert (None, None) == (error.__context__, error.__cause__)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"text": ["{CANARY}"]}}',
        f'{{"text": "{CANARY}',
        f'{{"text": "{CANARY}\udcff"}}',
        f'["{CANARY}",' * 100,
    ],
    ids=["another type", "cut", "not UTF-8", "nested too deeply"],
)
def test_no_frame_of_a_refusal_holds_the_input(body: str) -> None:
    """Error trackers show the locals of every frame."""
    error = refusal(body.encode(errors="surrogateescape"))

    ours = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename != __file__]
    assert ["decode"] == [frame.f_code.co_name for frame in ours]
    assert CANARY not in f"{[frame.f_locals for frame in ours]}"


@pytest.mark.parametrize(
    "value", [f"Expected `{CANARY}`", f"`$.{CANARY}`", "(byte 5511223344)", f"Object missing required field `{CANARY}`"]
)
def test_value_that_looks_like_a_complaint_stays_out(value: str) -> None:
    """An echoed value may imitate msgspec's own words: only their place in the message counts."""
    error = refusal(msgspec.json.encode({"word": value}))

    assert ("unexpected content", "$.word") == (error.reason, error.path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"),
        (b'{"text": "a', "Input data was truncated"),
        (b"<html>", "a page (HTML) came instead of JSON"),
        (b"\xef\xbb\xbf \r\n<!DOCTYPE html>", "a page (HTML) came instead of JSON"),
        (b"{} {}", "JSON is malformed (byte 4)"),
        (b"\xef\xbb\xbf{}", "JSON is malformed (byte 0)"),
        (b'{"text": "\xff\xfe"}', "not UTF-8"),
        (b'{"count": NaN}', "JSON is malformed (byte 10)"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"inner": [{}]}', "Object missing required field `number`"),
        (b'{"count": "1"}', "Expected `int`, got `str`"),
    ],
)
def test_reason_is_a_fixed_phrase(body: bytes, reason: str) -> None:
    """Enough to find the fault in the vendor's documentation."""
    assert reason == refusal(body).reason


def test_refusal_pickles() -> None:
    """Errors cross process borders in worker pools."""
    again = pickle.loads(pickle.dumps(refusal(b'{"text": 1}')))

    assert ("$.text", "Expected `str`, got `int`") == (again.path, again.reason)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000, b'[{"a":' * 40])
def test_deep_nesting_is_refused_before_decoding(body: bytes) -> None:
    """In a thread with a small stack, msgspec ends the process a few hundred levels down."""
    with pytest.raises(PayloadError, match="nested too deeply"):
        decode(body, Everything)


def test_nesting_up_to_the_limit_passes() -> None:
    """The limit itself is allowed, one more is not."""
    check_depth(b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT)

    with pytest.raises(PayloadError):
        check_depth(b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1))


@pytest.mark.parametrize("text", ["[" * 500, "\\" * 500, '"' * 500, '["' * 500, '\\"[' * 500])
def test_brackets_in_strings_are_no_nesting(text: str) -> None:
    """Only structure counts, whatever a string holds."""
    assert text == decode(msgspec.json.encode({"text": text}), Everything).text


def test_wide_is_not_deep() -> None:
    """A thousand rows side by side are one level."""
    check_depth(msgspec.json.encode([{"a": []}] * 1000))


@pytest.mark.parametrize(
    "unit", [b"[" * 65 + b'"\\"\\', b"[" * 65 + b'"', b'"\\', b'["]"', b'"a"[', b"\\", b'[]"\\\\"'], ids=repr
)
def test_depth_is_checked_in_one_pass(unit: bytes) -> None:
    """A hostile body of 2 MB costs a fraction of a second; scanned anew from each byte, more than a test may take."""
    with suppress(PayloadError):
        check_depth(unit * (2_000_000 // len(unit)))


@pytest.mark.proof
@given(st.recursive(st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_ordinary_documents_pass(document: object) -> None:
    """Nothing that a real vendor sends is refused for its nesting."""
    check_depth(msgspec.json.encode(document))


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(body: bytes) -> None:
    """No input raises anything but PayloadError."""
    with suppress(PayloadError):
        decode(body, Everything)


@pytest.mark.parametrize("error", [RecursionError("x"), MemoryError(), OverflowError("x"), ValueError(CANARY)])
def test_every_complaint_becomes_ours(error: Exception) -> None:
    """Whatever a decoder raises leaves as PayloadError, without its text."""
    ours = rethrow(error, at="$.results[3]")

    assert "$.results[3]" == ours.path
    assert CANARY not in str(ours)


def test_path_is_set_below_where_decoding_began() -> None:
    """A row's own path continues that of its array."""
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.json.decode(b'{"text": 1}', type=Everything)

    assert "$.results[3].text" == rethrow(raised.value, at="$.results[3]").path


def test_our_own_error_passes_through() -> None:
    """A complaint that is ours already keeps its path."""
    ours = PayloadError("a number out of bounds", path="$.x")

    assert ours is rethrow(ours, at="$.y")


@pytest.mark.parametrize(
    "text", ["0", "-0.00", "12345678901234567890.123456", "1e128", "1e-128", "9" * 100, "0." + "3" * 2000]
)
def test_finite_numbers_pass(text: str) -> None:
    """Money, rates and the odd long integer."""
    assert Decimal(text) == check_number(Decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "sNaN", "-NaN", "Infinity", "-inf", "NaN123"),
        *("1e129", "1e-129", "0e129", "0e-129", "1e1000000000", "9" * 130, "0." + "3" * 3000),
    ],
)
def test_numbers_out_of_bounds_are_refused(text: str) -> None:
    """`int()` of 1e300000 takes seconds, `format()` of 1e100000000 a hundred megabytes."""
    with pytest.raises(PayloadError, match=r"\$\.total: a number out of bounds"):
        check_number(Decimal(text), path="$.total")


class Priced(msgspec.Struct):
    price: Decimal = msgspec.field(name="unitPrice", default=Decimal(0))
    inner: list[Priced] = []
    named: dict[str, Decimal] = {}


@dataclass
class Plain:
    price: Decimal


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Priced(price=Decimal("NaN")), "$.unitPrice"),
        (Priced(inner=[Priced(), Priced(price=Decimal("1e999"))]), "$.inner[1].unitPrice"),
        (Priced(named={CANARY: Decimal("inf")}), "$.named[...]"),
        ({Decimal("NaN"): 1}, "$[...]"),
        ([Plain(Decimal(1)), Plain(Decimal("1e999"))], "$[1].price"),
        ((1, "NaN", None, {Decimal("-inf")}), "$[3][0]"),
    ],
    ids=["renamed field", "nested record", "mapping", "key", "dataclass", "tuple and set"],
)
def test_numbers_are_checked_at_any_depth(value: object, path: str) -> None:
    """The path is in the vendor's own names, without the keys of its mappings."""
    with pytest.raises(PayloadError, match="a number out of bounds") as refused:
        check_numbers(value)

    assert path == refused.value.path


def test_position_is_that_of_the_body() -> None:
    """What was decoded may be a part of the body, or nobody knows which."""
    complaint = msgspec.DecodeError("JSON is malformed: invalid character (byte 7)")

    assert "JSON is malformed (byte 107)" == rethrow(complaint, offset=100).reason
    assert "JSON is malformed" == rethrow(complaint, offset=None).reason


@pytest.mark.parametrize("link", [f"/lists?rfc={CANARY}\n", f"//[{CANARY}", f"/others?rfc={CANARY}", f"../{CANARY}"])
def test_no_frame_of_a_refused_link_holds_it(link: str) -> None:
    """The filters of a list may name a taxpayer."""
    with pytest.raises(PayloadError) as refused:
        local_target(link, path="/lists")

    assert [] == leaks_of(provoked(refused), CANARY)
