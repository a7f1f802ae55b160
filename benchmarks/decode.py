"""Bytes in memory to typed invoices: one page, and 200 MB.

    python benchmarks/decode.py [--quick]

The page: 1000 invoices without XML, held afterwards. Ours is the path users get: envelope opened, rows split, records
of exact types (Decimal, date, datetime), numbers checked. orjson makes dicts with floats, pydantic models of the same
fields and types; the cases take turns in one process, and the seconds are its processor's. The 200 MB: in a fresh
process each, beside msgspec into a list of plain structs of the same fields and types (with lists, seen by the
collector), and what a full collection takes afterwards, with the imported modules frozen. The collector is as Python
sets it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import orjson
import pydantic
from apart import ask
from over_http_client import plain_of
from table import Row, Size, middle_ratio, part_of, show, span

from belvo_async import belvo
from belvo_async._decode import PageReader
from belvo_async.abc import Shape
from belvo_async.simulator import BelvoSimulator

SHAPE: Shape[belvo.Invoice] = Shape(record=belvo.Invoice, rows=("results",), next=(("next",),), count=(("count",),))
PIECE_BYTES = 128 * 1024


def make_rows(invoices: int) -> list[bytes]:
    """Invoices as the simulator serves them: every documented field, payroll and payments mixed in, without XML."""
    simulator = BelvoSimulator(seed=7, links=1, invoices_per_year=invoices)
    encode = msgspec.json.Encoder(decimal_format="number").encode
    rows: list[bytes] = []
    year = 2025
    while len(rows) < invoices:
        for row in simulator.invoices(simulator.links[0], date(year, 1, 1), date(year, 12, 31)):
            rows.append(encode({key: value for key, value in row.items() if key != "xml"}))
        year -= 1
    return rows[:invoices]


def make_page(rows: list[bytes]) -> bytes:
    """One page of a list, as Belvo writes it."""
    return b'{"count":%d,"next":null,"previous":null,"results":[%s]}' % (len(rows), b",".join(rows))


async def read_ours(body: bytes) -> list[belvo.Invoice]:
    """Through the library's own reader, in pieces as a socket gives them."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), PIECE_BYTES):
            yield body[start : start + PIECE_BYTES]

    held: list[belvo.Invoice] = []
    async for batch in PageReader(SHAPE).batches(pieces()):
        held += batch.records
    return held


@cache
def model_of(struct: type[msgspec.Struct]) -> type[pydantic.BaseModel]:
    """The pydantic model with the same fields and types as one of our structs."""
    hints = get_type_hints(struct)
    fields: dict[str, Any] = {
        field.name: (twin_of(hints[field.name]), None if field.default is msgspec.NODEFAULT else field.default)
        for field in msgspec.structs.fields(struct)
    }
    return pydantic.create_model(struct.__name__, **fields)


def twin_of(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return model_of(hint)
    arguments = get_args(hint)
    if not arguments:
        return hint
    twins = tuple(twin_of(argument) if argument is not Ellipsis else argument for argument in arguments)
    if get_origin(hint) is tuple:
        return tuple[twins]
    twin = twins[0]
    for other in twins[1:]:
        twin = twin | other
    return twin


def make_cases(page: bytes) -> dict[str, Callable[[], object]]:
    """Name of each way, and a call that decodes the page that way."""
    loop = asyncio.new_event_loop()
    page_model = pydantic.create_model("Page", results=(list[model_of(belvo.Invoice)], ...))  # type: ignore[misc]
    adapter = pydantic.TypeAdapter(page_model)

    class Whole(msgspec.Struct):
        results: tuple[belvo.Invoice, ...]

    whole = msgspec.json.Decoder(Whole)
    return {
        "ours": lambda: loop.run_until_complete(read_ours(page)),
        "orjson": lambda: orjson.loads(page),
        "pydantic": lambda: adapter.validate_json(page),
        "msgspec": lambda: whole.decode(page),
    }


def take_turns(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of the processor of each case, round by round, the cases taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            began = time.process_time()
            kept = case()
            seconds[name].append(time.process_time() - began)
            del kept
    return seconds


def measure_page(rounds: int) -> list[Row]:
    """One page of 1000, beside orjson to dicts and pydantic to the same types."""
    page = make_page(make_rows(1000))
    seconds = take_turns(make_cases(page), rounds)
    speeds = {name: f"{len(page) / 1e6 / statistics.median(each):.0f} MB/s" for name, each in seconds.items()}
    what = "page of 1000 invoices, exact types, against "
    goals = {
        "orjson": ("orjson to dicts", 0.8),
        "pydantic": ("pydantic, same types", 2.5),
        "msgspec": ("msgspec, unchecked", None),
    }
    reached = 1 / middle_ratio(seconds["ours"], seconds["msgspec"])
    limit = part_of("msgspec to the same types, nothing checked", reached, 1)
    return [
        Row(
            area="decode",
            what=what + words,
            ours=speeds["ours"],
            peer=speeds[name],
            ratio=middle_ratio(seconds[name], seconds["ours"]),
            goal=goal,
            limit=limit if goal else "",
        )
        for name, (words, goal) in goals.items()
    ]


def measure_whole(rounds: int, megabytes: int) -> list[Row]:
    """Much at once, all of it held."""
    results: dict[str, list[tuple[float, float]]] = {"ours": [], "plain": []}
    with tempfile.TemporaryDirectory() as room:
        body = Path(room) / "rows.json"
        block = b",".join(make_rows(2000))
        body.write_bytes(b"[" + b",".join([block] * (megabytes * 1_000_000 // len(block))) + b"]")
        size = body.stat().st_size / 1e6
        for _ in range(rounds):
            for way, each in results.items():
                each.append(tuple(ask("decode.py", "--whole", way, str(body))))
    decode, collect = ({way: [each[place] for each in some] for way, some in results.items()} for place in (0, 1))
    speeds = {way: f"{size / statistics.median(each):.0f} MB/s" for way, each in decode.items()}
    later = sys.version_info >= (3, 12)
    return [
        Row(
            area="decode",
            what=f"{size:.0f} MB in memory, against list[Struct] of the same fields",
            ours=speeds["ours"],
            peer=speeds["plain"],
            ratio=middle_ratio(decode["plain"], decode["ours"]),
            goal=1.0 if later else 3.0,
        ),
        Row(
            area="decode",
            what="full collection with all of it held",
            ours=span(statistics.median(collect["ours"])),
            peer=span(statistics.median(collect["plain"])),
            ratio=middle_ratio(collect["ours"], collect["plain"]),
            goal=1 / 20,
            at_least=False,
        ),
    ]


def decode_whole(way: str, path: str) -> tuple[float, float]:
    """The part of a fresh process: seconds to decode a file's bytes, and of a full collection afterwards."""
    body = Path(path).read_bytes()
    decoder = msgspec.json.Decoder(list[plain_of(belvo.Invoice)])  # type: ignore[misc]
    gc.collect()
    # The modules of the benchmark are not what is measured.
    gc.freeze()
    began = time.perf_counter()
    held = asyncio.run(read_ours(body)) if way == "ours" else decoder.decode(body)
    decoded = time.perf_counter()
    gc.collect()
    collected = time.perf_counter()
    assert len(held) > 1000
    return decoded - began, collected - decoded


def measure(size: Size = Size.FULL) -> list[Row]:
    """All goals of this area."""
    return [*measure_page(size.pick(25, 9, 1)), *measure_whole(size.pick(5, 3, 1), size.pick(200, 40, 6))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Decode invoices in memory, ours against peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, less data")
    parser.add_argument("--whole", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.whole:
        print(json.dumps(decode_whole(*options.whole)))
    else:
        show(measure(Size(options.quick)))


if __name__ == "__main__":
    main()
