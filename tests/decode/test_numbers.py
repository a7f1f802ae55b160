"""Numbers out of bounds are found wherever a record type may hold them, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
import pytest

from belvo_async._decode import numbers, scanner
from belvo_async._decode.numbers import may_hold_long_number, sound_check
from belvo_async.abc import Shape
from tests.decode.kit import arriving, read

SIGNALING_NAN = '"\\u0073NaN"'
BOMBS = [
    "1e1000000000",
    "1E+400000",
    "-1e-400000",
    "0e-99999",
    '"NaN"',
    '"-Infinity"',
    SIGNALING_NAN,
    '"1\\u0065999999"',
]
BOMBS += ['"1_0e9_99999"', '" 1e999999 "', '"\u0661e\u0669\u0669\u0669\u0669\u0669"', "9" * 200, "0." + "7" * 4000]


class Leaf(msgspec.Struct):
    value: Decimal | None = None


class Tree(msgspec.Struct):
    """Holds itself."""

    value: Decimal | None = None
    branches: tuple[Tree, ...] = ()


class Level3(msgspec.Struct):
    leaf: Leaf


class Level2(msgspec.Struct):
    next: Level3


class Level1(msgspec.Struct):
    next: Level2


class Deep(msgspec.Struct):
    next: Level1


class Deeper(msgspec.Struct):
    next: Deep


class Deepest(msgspec.Struct):
    next: Deeper | None = None


class Either(msgspec.Struct):
    value: Decimal | bool | None = None
    values: list[Leaf | None] | None = None
    pair: tuple[str, Decimal] = ("", Decimal(0))


@dataclass
class Data:
    value: Decimal


class Typed(TypedDict):
    value: Decimal


class Named(NamedTuple):
    value: Decimal


class Renamed(msgspec.Struct, rename="camel"):
    total_amount: Decimal


Money = Annotated[Decimal, msgspec.Meta(title="an amount")]


class Titled(msgspec.Struct):
    value: Annotated[Money | None, msgspec.Meta(description="may be absent")] = None
    values: list[Annotated[Leaf | None, msgspec.Meta(description="one of them")]] = []


HOLDERS: list[Any] = [
    pytest.param(Leaf, '{"value":%s}', ".value", id="field"),
    pytest.param(Renamed, '{"totalAmount":%s}', ".totalAmount", id="renamed field"),
    pytest.param(
        Tree, '{"branches":[{"branches":[{"value":1},{"value":%s}]}]}', ".branches[0].branches[1].value", id="tree"
    ),
    pytest.param(
        Deepest,
        '{"next":{"next":{"next":{"next":{"next":{"leaf":{"value":%s}}}}}}}',
        ".next.next.next.next.next.leaf.value",
        id="deep",
    ),
    pytest.param(Either, '{"values":[null,{"value":null},{"value":%s}]}', ".values[2].value", id="array with nulls"),
    pytest.param(Either, '{"pair":["",%s]}', ".pair[1]", id="pair"),
    pytest.param(Data, '{"value":%s}', ".value", id="dataclass"),
    pytest.param(Typed, '{"value":%s}', "[...]", id="typed dict"),
    pytest.param(Named, "[%s]", "[0]", id="named tuple"),
    pytest.param(dict[str, Decimal], '{"value":%s}', "[...]", id="mapping"),
    pytest.param(list[Decimal], "[%s]", "[0]", id="array"),
    pytest.param(set[Decimal], "[%s]", "[0]", id="set"),
    pytest.param(Decimal, "%s", "", id="bare"),
    pytest.param(Money, "%s", "", id="titled"),
    pytest.param(Titled, '{"value":%s}', ".value", id="titled field"),
    pytest.param(Titled, '{"values":[null,{"value":%s}]}', ".values[1].value", id="field inside a titled one"),
    pytest.param(Annotated[Leaf, msgspec.Meta(title="a leaf")], '{"value":%s}', ".value", id="titled record"),
]


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb[:14] for bomb in BOMBS])
@pytest.mark.parametrize(("record", "written", "path"), HOLDERS)
async def test_bomb_is_refused_wherever_it_stands(record: Any, written: str, path: str, bomb: str) -> None:
    """However it is written; the rows before it are out, those behind it are not."""
    row = [written % "1.5", written % bomb, written % "2.5"]

    found, _, error = await read(arriving(f"[{','.join(row)}]".encode(), 50), Shape(record=record), strict=True)

    refusals = {("a number out of bounds", f"$[1]{path}")}
    if record == set[Decimal] and bomb == SIGNALING_NAN:
        # It cannot be hashed, and there is no set to be looked at; msgspec names its place since 0.23.
        refusals = {("unexpected content", "$[1]"), ("unexpected content", "$[1][0]")}
    assert 1 == len(found)
    assert error is not None
    assert (error.reason, error.path) in refusals


@pytest.mark.parametrize(
    "text",
    ["0", "-0.00", "1e100", "1E-100", "9" * 128, "0." + "3" * 2000, '"1.50"', '" 7 "', "12345678901234567890.123456"],
)
@pytest.mark.parametrize(("record", "written"), [(each.values[0], each.values[1]) for each in HOLDERS])
async def test_odd_numbers_are_kept(record: Any, written: str, text: str) -> None:
    """Exactly as they are written."""
    body = f"[{written % text}]".encode()

    found, _, error = await read(arriving(body, 50), Shape(record=record))

    assert (msgspec.json.decode(body, type=list[record]), None) == (found, error)


def test_only_what_may_hold_a_number_is_looked_at() -> None:
    """A type without Decimals costs nothing."""
    assert None is sound_check(dict)
    assert None is sound_check(msgspec.Raw)
    assert None is sound_check(Level0)
    assert None is not sound_check(Deepest)


class Level0(msgspec.Struct):
    text: str
    amount: float


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a":' + b"1" * 3000 + b"}", True),
        (b'{"a":"' + b"\\u0031" * 3000 + b'"}', True),
        (b'{"a":"' + "\u0661".encode() * 3000 + b'"}', True),
        (b'{"a":' + b"1" * 500 + b"}", False),
        (b'{"a":"' + b"x" * 3000 + b'"}', False),
        ((b'"' + b"x" * 250 + b'"1234') * 100, False),
        ((b"12345678" + b"x" * 248) * 100, False),
    ],
    ids=["digits", "escapes", "other digits", "short", "letters", "text", "in step with the stride"],
)
def test_long_numbers_show_at_a_glance(text: bytes, expected: bool) -> None:
    """Few bytes are looked at; what looks long is made sure of."""
    assert expected is may_hold_long_number(bytearray(text), len(text))


def test_wording_of_the_decoder_is_known() -> None:
    """A release of msgspec that words its complaints otherwise makes reading slower: then it is time to adapt."""
    assert scanner.MSGSPEC_TELLS


def test_look_is_written_once_a_type() -> None:
    """It is compiled, and kept."""
    assert numbers.sound_check(Leaf) is numbers.sound_check(Leaf)
