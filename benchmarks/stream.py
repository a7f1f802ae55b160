"""One huge body as it arrives: an array, and a page's envelope, of invoices without XML.

    python benchmarks/stream.py [--quick]

Ours: pieces of 64 KiB made on the fly through the library's own reader, every batch dropped after use. Beside it:
msgspec with the whole body in memory and the collector off, into plain structs of the same fields and types (and,
without a goal, into our own structs); ijson into dicts with Decimals, as it does unless told otherwise (and, without a
goal, with floats); json-stream. Each way runs in a fresh process, the ways take turns; the seconds are those of its
processor. Peak memory is what 1 GB adds to a process that is ready to read (on Linux only). The shapes are small bodies
written otherwise, beside a whole decode of the same bytes; the attacks are built to mislead, at some size and at eight
times that.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import ijson
import json_stream
import msgspec
from apart import ask
from decode import SHAPE, make_rows
from over_http_client import forget_peak, memory_mb, plain_of
from table import Middle, Row, Size, middle_ratio, show

from belvo_async import belvo
from belvo_async._decode import PageReader
from belvo_async.abc import Shape

PIECE_BYTES = 64 * 1024
POOL = 2000
HEAD = {"array": b"[", "envelope": b'{"count":100000,"next":null,"previous":null,"results":['}
TAIL = {"array": b"]", "envelope": b'],"facets":{"results":[{"id":null}]}}'}


# The sides, each in a process of its own.


def body_pieces(pool: bytes, form: str, size: int) -> Iterator[bytes]:
    """A body of about `size` bytes, never wholly in memory."""
    yield HEAD[form]
    for turn in range(max(1, size // len(pool))):
        for start in range(0, len(pool), PIECE_BYTES):
            piece = pool[start : start + PIECE_BYTES]
            yield b"," + piece if turn and not start else piece
    yield TAIL[form]


async def arriving(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read_ours(pieces: Iterator[bytes], record: Any = None, target: Shape[Any] = SHAPE) -> int:
    count = 0
    async for batch in PageReader(target, record=record).batches(arriving(pieces)):
        count += len(batch.records)
    return count


class Pull:
    """The pieces as a file, for peers that read one."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return b"" if size == 0 else next(self._pieces, b"")


def read_full(pool: bytes, form: str, size: int, struct: type[msgspec.Struct]) -> tuple[float, int]:
    """Seconds for the whole body at once, without the collector."""
    body = b"".join(body_pieces(pool, form, size))
    rows: Any = list[struct]  # type: ignore[valid-type]
    kind = rows if form == "array" else msgspec.defstruct("Envelope", [("results", rows)])
    decoder = msgspec.json.Decoder(kind)
    gc.collect()
    gc.disable()
    began = time.process_time()
    found: Any = decoder.decode(body)
    seconds = time.process_time() - began
    return seconds, len(found if form == "array" else found.results)


def run_side(way: str, form: str, size: int, path: str) -> dict[str, float]:
    """Read one body in one way: seconds, and megabytes of memory above the start."""
    pool = Path(path).read_bytes()
    if way in {"full", "full-own"}:
        seconds, count = read_full(pool, form, size, belvo.Invoice if way == "full-own" else plain_of(belvo.Invoice))
        return {"seconds": seconds, "count": count, "peak_mb": 0}
    # Decoders are made at first use and stay: they are no part of what a body costs.
    asyncio.run(read_ours(body_pieces(pool, form, 1)))
    gc.collect()
    # Loading the modules took more than they hold: the peak begins here.
    forget_peak()
    before_mb = memory_mb("VmRSS")
    pieces = body_pieces(pool, form, size)
    began = time.process_time()
    if way == "ours":
        count = asyncio.run(read_ours(pieces))
    elif way.startswith("ijson"):
        prefix = "item" if form == "array" else "results.item"
        count = sum(1 for _ in ijson.items(Pull(pieces), prefix, use_float=way == "ijson-float"))
    else:
        rows: Any = json_stream.load(pieces)
        rows = rows if form == "array" else rows["results"]
        count = sum(1 for _ in map(json_stream.to_standard_types, rows))
    return {"seconds": time.process_time() - began, "count": count, "peak_mb": memory_mb("VmHWM") - before_mb}


# The goals.


def speeds(pool: Path, form: str, rounds: int, megabytes: int, *, every: bool) -> list[Row]:
    """One form, beside each peer: megabytes a second of its own size, for the slow ones get less.

    Those without a goal only where `every` one is asked for.
    """
    sizes = {"ours": megabytes, "full": megabytes, "ijson": max(2, megabytes // 10)}
    if every:
        sizes |= {"full-own": megabytes, "ijson-float": sizes["ijson"], "json-stream": min(10, megabytes // 2)}
    took: dict[str, list[float]] = {way: [] for way in sizes}
    block = pool.stat().st_size / 1e6
    for _ in range(rounds):
        for way, size in sizes.items():
            side = ask("stream.py", "--side", way, form, str(size * 1_000_000), str(pool))
            took[way].append(side["seconds"] / (max(1, int(size / block)) * block))
    medians = {way: statistics.median(each) for way, each in took.items()}
    goals: dict[str, tuple[str, float | None]] = {
        "full": ("msgspec, whole, no gc", 1.15),
        "full-own": ("the same with our structs", None),
        "ijson": ("ijson to dicts, exact numbers", 3.5),
        "ijson-float": ("ijson to dicts, floats", None),
        "json-stream": ("json-stream to dicts", None),
    }
    return [
        Row(
            area="stream",
            what=f"{form} of {megabytes} MB, against {words}",
            ours=f"{1 / medians['ours']:.0f} MB/s",
            peer=f"{1 / medians[way]:.0f} MB/s",
            ratio=middle_ratio(took[way], took["ours"]),
            goal=goal,
        )
        for way, (words, goal) in goals.items()
        if way in sizes
    ]


def memory(pool: Path, form: str, megabytes: int) -> Row:
    """What a body of this size adds to the process."""
    side = ask("stream.py", "--side", "ours", form, str(megabytes * 1_000_000), str(pool))
    return Row(
        area="stream",
        what=f"{form} of {megabytes} MB, peak above the start, MB",
        ours=f"{side['peak_mb']:.1f} MB",
        peer=f"{megabytes} MB",
        ratio=side["peak_mb"],
        goal=8.0,
        at_least=False,
    )


def shapes(rows: list[bytes]) -> dict[str, tuple[bytes, Any]]:
    """The same invoices written in other ways, and rows that mislead without meaning to."""
    invoices: list[Any] = [msgspec.json.decode(row) for row in rows]
    chance = random.Random(7)

    def shuffled(invoice: Any) -> Any:
        return dict(chance.sample(list(invoice.items()), len(invoice)))

    nested = [{"id": i, "lines": [{"id": i, "text": "x" * 200} for _ in range(10)]} for i in range(len(rows) * 2)]
    own = plain_of(belvo.Invoice)
    return {
        "compact": (b"[" + b",".join(rows) + b"]", own),
        "spaces": (json.dumps(invoices, ensure_ascii=False).encode(), own),
        "indented": (json.dumps(invoices, ensure_ascii=False, indent=2).encode(), own),
        "shuffled keys": (json.dumps([shuffled(each) for each in invoices], ensure_ascii=False).encode(), own),
        "escapes": (json.dumps(invoices).encode(), own),
        "nested rows with the same first key": (msgspec.json.encode(nested), dict),
    }


def attacks(size: int) -> dict[str, bytes]:
    """Bodies built to cost more than their size."""

    def repeated(row: bytes) -> bytes:
        return b"[" + b",".join([row] * (size // (len(row) + 1))) + b"]"

    return {
        "tiny objects": repeated(b'{"a":1}'),
        "empty objects": repeated(b"{}"),
        "numbers": repeated(b"1"),
        "look-alikes in one row": b'[{"id":1},{"id":2,"in":' + repeated(b'{"id":1}') + b"}]",
        "look-alikes in every row": repeated(b'{"id":1,"in":[{"id":1},{"id":2},{"id":3}]}'),
        "borders in strings": repeated(b'{"id":1,"text":"},{\\"id\\":1},{\\"id\\""}'),
        "one huge string": b'[{"id":"' + b"x" * size + b'"}]',
        "huge string of borders": b'[{"id":"a"},{"id":"' + b"},{" * (size // 3) + b'"}]',
        "huge white space": b'[{"id":1},' + b" " * size + b'{"id":2}]',
    }


def seconds_of(call: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_pieces(body: bytes) -> Iterator[bytes]:
    return (body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES))


def measure_shapes(rows: list[bytes], rounds: int) -> Row:
    """The slowest shape, beside a whole decode of the same bytes without the collector."""
    worst = (Middle([float("inf")]), "", 0.0, 0.0)
    for name, (body, kind) in shapes(rows).items():
        record = dict if kind is dict else belvo.Invoice
        shape: Shape[Any] = Shape(record=record)
        decoder = msgspec.json.Decoder(list[kind])
        ours: list[float] = []
        full: list[float] = []
        for _ in range(rounds):
            ours.append(seconds_of(lambda: asyncio.run(read_ours(in_pieces(body), None, shape))))  # noqa: B023
            gc.disable()
            full.append(seconds_of(lambda: decoder.decode(body)))  # noqa: B023
            gc.enable()
        speed = len(body) / 1e6 / statistics.median(ours), len(body) / 1e6 / statistics.median(full)
        worst = min(worst, (middle_ratio(full, ours), name, *speed))
    ratio, name, mine, theirs = worst
    return Row(
        area="stream",
        what=f"the slowest of 6 shapes ({name}), against a whole decode",
        ours=f"{mine:.0f} MB/s",
        peer=f"{theirs:.0f} MB/s",
        ratio=ratio,
        goal=0.7,
    )


def measure_attacks(rounds: int, size: int) -> Row:
    """The attack whose time per megabyte grows most, from a size to eight times that."""
    worst = (0.0, "", 0.0, 0.0)
    anything: Shape[Any] = Shape(record=Any)  # type: ignore[arg-type]
    for name, small, large in (
        (name, small, large)
        for (name, small), large in zip(attacks(size).items(), attacks(8 * size).values(), strict=True)
    ):
        per_byte: list[float] = []
        for body, repeats in ((small, 8), (large, 1)):
            took = [
                seconds_of(lambda: [asyncio.run(read_ours(in_pieces(body), None, anything)) for _ in range(repeats)])  # noqa: B023
                for _ in range(rounds)
            ]
            per_byte.append(min(took) / repeats / len(body))
        worst = max(worst, (per_byte[1] / per_byte[0], name, per_byte[1] * 1e9, per_byte[0] * 1e9))
    growth, name, late, early = worst
    return Row(
        area="stream",
        what=f"the worst of 9 attacks ({name}), ms/MB at 8 x the size",
        ours=f"{late:.1f} ms/MB",
        peer=f"{early:.1f} ms/MB",
        ratio=growth,
        goal=1.3,
        at_least=False,
    )


def measure(size: Size = Size.FULL) -> list[Row]:
    """All goals of this area."""
    rows = make_rows(size.pick(POOL, POOL, 100))
    rounds, megabytes, long = size.pick((5, 200, 1000), (2, 20, 100), (1, 2, 2))
    with tempfile.TemporaryDirectory() as room:
        pool = Path(room) / "pool.json"
        pool.write_bytes(b",".join(rows))
        every = size is not Size.QUICK
        parts = (speeds(pool, form, rounds, megabytes, every=every) for form in HEAD)
        found = list(itertools.chain.from_iterable(parts))
        found += [memory(pool, form, long) for form in HEAD]
    # From 1.5 MB on: shorter bodies are waited for whole.
    found.append(measure_shapes(size.pick(rows * 2, rows, rows[:50]), size.pick(7, 3, 1)))
    found.append(measure_attacks(*size.pick((3, 2_000_000), (2, 1_000_000), (1, 20_000))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Read one huge body as it arrives, ours against peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, less data")
    parser.add_argument("--side", nargs=4, metavar=("WAY", "FORM", "BYTES", "POOL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        way, form, size, pool = options.side
        print(json.dumps(run_side(way, form, int(size), pool)))
    else:
        show(measure(Size(options.quick)))


if __name__ == "__main__":
    main()
