"""Bodies built to cost more than their size: the work per byte stays the same however long they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from belvo_async._decode import envelope, splitter
from belvo_async._decode.codec import Batch, RecordCodec
from belvo_async._decode.scanner import Scanner, open_scanner
from belvo_async.abc import Shape
from tests.decode.kit import arriving, read

BARE: Shape[Any] = Shape(record=Any)  # type: ignore[arg-type]
KIB = 1024


class Work:
    """Bytes looked at, and calls made, by everything that reads the buffer."""

    def __init__(self) -> None:
        self.bytes = 0
        self.calls = 0

    def count(self, size: int) -> None:
        self.bytes += size
        self.calls += 1


class CountedEnds:
    def __init__(self, view: memoryview, work: Work) -> None:
        self._size = len(view)
        self._ends: Scanner = open_scanner(view)
        self._work = work

    def after(self, start: int) -> int | None:
        end: int | None = None
        try:
            end = self._ends.after(start)
        finally:
            self._work.count((self._size if end is None else end) - start)
        return end


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts what the splitter really does; it does nothing else than usual."""
    counted = Work()
    many = RecordCodec.many
    find = splitter.Separator.find

    def count_many(self: RecordCodec[Any], text: bytearray, size: int) -> Batch[Any]:
        counted.count(size)
        return many(self, text, size)

    def count_find(self: splitter.Separator, buf: bytearray, target_bytes: int) -> int:
        at = find(self, buf, target_bytes)
        counted.count(min(len(buf), target_bytes) - at if 0 <= at < target_bytes else max(len(buf), at))
        return at

    # Else the smaller bodies would be waited for whole, and cost less than the longer ones.
    monkeypatch.setattr(envelope, "PEEK_BYTES", 16 * KIB)
    monkeypatch.setattr(RecordCodec, "many", count_many)
    monkeypatch.setattr(splitter.Separator, "find", count_find)
    monkeypatch.setattr(splitter, "open_scanner", lambda view: CountedEnds(view, counted))
    return counted


def repeated(row: bytes) -> Callable[[int], bytes]:
    return lambda size: b"[" + b",".join([row] * (size // (len(row) + 1))) + b"]"


def alternating(size: int) -> bytes:
    """No two borders alike, as far as they are learned."""
    kinds = [b'{"a":1}', b"{}", b"[1]", b'"x"', b"1", b'{"b":{}}', b"[{}]"]
    return b"[" + b",".join(kinds * (size // sum(len(kind) + 1 for kind in kinds))) + b"]"


def in_one_row(size: int) -> bytes:
    """A first row whose inside looks like many rows."""
    return b'[{"id":1},{"id":2,"in":' + repeated(b'{"id":1}')(size) + b'},{"id":3}]'


ATTACKS: dict[str, Callable[[int], bytes]] = {
    "tiny objects": repeated(b'{"a":1}'),
    "empty objects": repeated(b"{}"),
    "numbers": repeated(b"1"),
    "look-alikes in one row": in_one_row,
    "look-alikes in every row": repeated(b'{"id":1,"in":[{"id":1},{"id":2},{"id":3}]}'),
    "borders in strings": repeated(b'{"id":1,"text":"},{\\"id\\":1},{\\"id\\""}'),
    "one huge string": lambda size: b'[{"id":"' + b"x" * size + b'"}]',
    "one huge string of borders": lambda size: b'[{"id":"a"},{"id":"' + b"},{" * (size // 3) + b'"}]',
    "huge white space": lambda size: b'[{"id":1},' + b" " * size + b'{"id":2}' + b"\n" * size + b"]",
    "borders of many kinds": alternating,
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_work_grows_with_the_body_and_no_faster(attack: str, work: Work) -> None:
    """Eight times the bytes are that much more work, and each byte is looked at a few times at most."""
    per_byte: list[tuple[float, float]] = []
    for factor in (1, 8):
        written = ATTACKS[attack](factor * 128 * KIB)
        work.bytes = work.calls = 0

        found, _, error = await read(arriving(written, 64 * KIB), BARE, target_bytes=32 * KIB)

        assert None is error
        assert json.loads(written) == found
        per_byte.append((work.bytes / len(written), work.calls / len(written)))

    scanned, calls = (max(each) for each in zip(*per_byte, strict=True))
    assert 8 >= scanned
    assert 1.3 * per_byte[0][0] + 1 >= scanned
    assert 1.3 * per_byte[0][1] + 0.001 >= calls


@pytest.mark.parametrize(
    "attack", ["tiny objects", "empty objects", "numbers", "borders in strings", "look-alikes in every row"]
)
async def test_small_rows_are_decoded_many_at_a_time(attack: str, work: Work) -> None:
    """Also rows that mislead: after a wrong guess or two the border is told from what looks like it."""
    written = ATTACKS[attack](512 * KIB)

    await read(arriving(written, 64 * KIB), BARE, target_bytes=32 * KIB)

    assert len(written) // KIB >= work.calls - 2 * 32 * KIB // 3


async def test_wrong_guesses_are_few(work: Work) -> None:
    """A body whose every border deceives costs three decodes in vain, then the ends of its rows are looked up."""
    deceiving = [{"id": 1, "in": [{"id": 1, "in": [{"id": index}]}]} for index in range(20_000)]
    written = msgspec.json.encode(deceiving)

    found, _, error = await read(arriving(written, 64 * KIB), BARE, target_bytes=32 * KIB)

    assert (deceiving, None) == (found, error)
    assert 4 * len(written) >= work.bytes
