"""Random bodies, however they are written, cut and delivered, are read as the standard library reads them."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async._decode import scanner
from belvo_async.abc import Shape
from tests.decode.kit import ROWS, pieces, read

CASES = 10_000
BARE: Shape[Any] = Shape(record=Any)  # type: ignore[arg-type]
ENVELOPE: Shape[Any] = msgspec.structs.replace(ROWS, record=Any)

WORDS = ["", "a", "é", "},{", '"},{"id":1', "\\", "\n", "[", "]}", "\u2028", "😀", "results", '{"id":0},', "1e999"]
KEYS = ["id", "results", "next", "lines", 'k"ey', "ñ", "", "id "]
SPACES = ["", " ", "\n", "\t ", "\r\n  "]


class Writer:
    """Writes a random document, with random white space and escapes."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.spaces = SPACES if chance.random() < 0.5 else [chance.choice(SPACES)]
        self.same_keys = chance.random() < 0.7

    def space(self) -> str:
        return self.chance.choice(self.spaces)

    def text(self) -> str:
        return json.dumps(self.chance.choice(WORDS), ensure_ascii=self.chance.random() < 0.5)

    def number(self) -> str:
        written = self.chance.choice(
            ["0", "-0", "1", "12", "-3.5", "0.10", "1e5", "2E-3", "1.5e+2", "1234567890123", "-0.0"]
        )
        return written if self.chance.random() < 0.7 else str(self.chance.randrange(10**9))

    def value(self, depth: int = 0) -> str:
        kinds = [self.text, self.number, lambda: self.chance.choice(["true", "false", "null"])]
        if depth < 3:
            kinds += [lambda: self.object(depth + 1), lambda: self.array(depth + 1)]
        return self.chance.choice(kinds)()

    def object(self, depth: int) -> str:
        keys = ["id", "lines"] if self.same_keys else self.chance.sample(KEYS, self.chance.randrange(4))
        members = [json.dumps(key) + self.space() + ":" + self.space() + self.value(depth) for key in keys]
        return "{" + self.space() + self.join(members) + "}"

    def array(self, depth: int) -> str:
        return "[" + self.space() + self.join([self.value(depth) for _ in range(self.chance.randrange(4))]) + "]"

    def rows(self) -> str:
        make = self.chance.choice([lambda: self.object(1)] * 4 + [self.value, self.number, self.text, lambda: "{}"])
        return "[" + self.space() + self.join([make() for _ in range(self.chance.choice([0, 1, 2, 3, 9, 30]))]) + "]"

    def join(self, members: list[str]) -> str:
        return "".join(
            ("," + self.space() if index else "") + each + self.space() for index, each in enumerate(members)
        )

    def envelope(self) -> str:
        members = [
            ("count", self.chance.choice(["3", "null"])),
            ("next", self.chance.choice(['"/n"', "null", '""'])),
            ("extra", self.value()),
            ("other", self.rows()),
            (self.chance.choice(["results", "hydra:member", "member"]), self.rows()),
        ]
        self.chance.shuffle(members)
        members = [each for each in members if each[0] not in {"count", "next", "extra"} or self.chance.random() < 0.7]
        return (
            "{" + self.join([json.dumps(key) + self.space() + ":" + self.space() + each for key, each in members]) + "}"
        )


def damaged(body: bytes, chance: random.Random) -> bytes:
    """One byte gone, doubled or changed, or one too many."""
    at = chance.randrange(len(body))
    swap = bytes([chance.choice(b'{}[],:"x\\0\x01\xff')])
    return chance.choice([body[:at] + body[at + 1 :], body[:at] + swap + body[at + 1 :], body + swap])


def cut(body: bytes, chance: random.Random) -> list[bytes]:
    size = chance.choice([1, 3, 17, 100, 10_000])
    parts: list[bytes] = []
    while body:
        taken = chance.randrange(1, size + 1)
        parts.append(body[:taken])
        body = body[taken:]
    return parts


def expected_of(body: bytes, is_array: bool) -> tuple[list[Any], str | None, int | None] | None:
    """What the standard library makes of it: rows, link and count, or None where it refuses or finds no rows."""
    try:
        document = json.loads(body.decode(), parse_constant=lambda name: json.loads("refused"), parse_float=Decimal)
    except ValueError:
        return None
    if is_array:
        return (document, None, None) if isinstance(document, list) else None
    name = next((name for name in ROWS.rows if name in document), None) if isinstance(document, dict) else None
    if name is None or not isinstance(document[name] or [], list):
        return None
    count = document.get("count")
    # The count is advice: whatever is no whole number is none.
    return document[name] or [], document.get("next") or None, count if type(count) is int and count >= 0 else None


async def check(seed: int) -> None:
    chance = random.Random(seed)
    writer = Writer(chance)
    is_array = chance.random() < 0.5
    body = (writer.space() + (writer.rows() if is_array else writer.envelope()) + writer.space()).encode()
    whole = expected_of(body, is_array)
    assert whole is not None
    fate = chance.choice(["whole", "whole", "cut", "damaged"])
    if fate == "cut":
        body = body[: chance.randrange(len(body))]
    elif fate == "damaged":
        body = damaged(body, chance)
    target = chance.choice([1, 10, 50, 200, 192 * 1024])

    found, page, error = await read(pieces(cut(body, chance)), BARE if is_array else ENVELOPE, target_bytes=target)

    expected = expected_of(body, is_array)
    if expected is None:
        assert error is not None, (seed, body)
    elif error is None:
        assert repr((*expected, len(expected[0]))) == repr((found, page.next, page.count, page.rows)), (seed, body)
    else:
        # Stricter than the standard library in this only: keys that matter come once, and a link is a text.
        assert "a key twice" == error.reason or error.reason.startswith("Expected"), (seed, body, error)
    if fate == "cut":
        assert repr(whole[0][: len(found)]) == repr(found), (seed, body)


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.proof) for part in range(1, 10))])
async def test_random_bodies(part: int) -> None:
    """What it accepts, we read alike; what it refuses, we refuse after some of the rows."""
    for seed in range(part * CASES // 10, (part + 1) * CASES // 10):
        await check(seed)


async def test_random_bodies_without_the_decoders_wording(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should msgspec ever word its complaints otherwise, the standard library finds the ends of rows."""
    monkeypatch.setattr(scanner, "MSGSPEC_TELLS", False)

    for seed in range(CASES, CASES + 1000):
        await check(seed)
