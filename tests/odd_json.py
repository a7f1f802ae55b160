"""Documents with one value replaced by whatever JSON can hold. Seeded: a failing case is named by its number."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

_MARK = "the-value-that-is-replaced"

# As bytes: some of them no writer of JSON would write.
_VALUES = (
    b"null",
    b"true",
    b"false",
    b"0",
    b"-1",
    b"-0.0",
    b"1e308",
    b"1.5",
    b"9007199254740993",
    b"18446744073709551616",
    b"1" + b"0" * 4000,
    b"-" + b"9" * 400,
    b'""',
    b'" "',
    b'"0"',
    b'"-1"',
    b'"NaN"',
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\xff"',
    '"ñandú ١٢ \u202e"'.encode(),
    b'"' + b"x" * 5000 + b'"',
    b'"finished"',
    b'"invalid"',
    b'"../../x?y=1#z"',
    b'"9999-12-31T23:59:59.999999Z"',
    b'"9999-12-31T23:59:59-23:59"',
    b'"9999-12-31"',
    b'"0001-01-01T00:00:00+14:00"',
    b'"0001-01-01"',
    b'"2025-02-30T25:61:61Z"',
    b'"2025-01-01T00:00:60Z"',
    b'"-271821-04-20T00:00:00Z"',
    b"[]",
    b"[null]",
    b"[[], {}, 7]",
    b"{}",
    b'{"": {}}',
    b'{"code": 1, "message": null}',
    b'{"id": ["x"], "@id": {}, "status": 7}',
    b"[" * 60 + b"]" * 60,
    b"[" * 90 + b"]" * 90,
    b'{"a":' * 60 + b"1" + b"}" * 60,
)


def variants(document: Any, seed: int) -> bytes:
    """The document with one to three of its values, at any depth, replaced."""
    chance = random.Random(seed)
    whole = json.loads(json.dumps(document))
    places = list(_places(whole))
    for holder, key in chance.sample(places, min(len(places), chance.choice((1, 1, 1, 2, 3)))):
        holder[key] = _MARK
    body = json.dumps(whole).encode()
    while (mark := f'"{_MARK}"'.encode()) in body:
        body = body.replace(mark, chance.choice(_VALUES), 1)
    return body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in list(items):
        yield value, key
        yield from _places(member)
