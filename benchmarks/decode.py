"""Bytes of one Belvo page to typed invoices, against orjson, pydantic and the standard library, in one run.

    python benchmarks/decode.py [--invoices 1000] [--rounds 15] [--xml]

Cases are interleaved round by round, so that a noisy machine disturbs all alike; compare ratios, not figures.
`ours` is the path users get: envelope opened, rows cut, each batch decoded into exact types (Decimal, date, datetime),
numbers checked. The peers get the page as one document; pydantic decodes into models of the same fields and types.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import orjson
import pydantic

from belvo_async import belvo
from belvo_async._decode import PageReader
from belvo_async.abc import Shape
from belvo_async.simulator import BelvoSimulator

SHAPE = Shape(record=belvo.Invoice, rows=("results",), next=(("next",),), count=(("count",),))


def make_page(invoices: int, *, xml: bool) -> bytes:
    """A page as the simulator serves it: every documented field, payroll and payments mixed in."""
    simulator = BelvoSimulator(seed=7, links=1, invoices_per_year=invoices)
    rows: list[Any] = []
    year = 2025
    while len(rows) < invoices:
        rows += simulator.invoices(simulator.links[0], date(year, 1, 1), date(year, 12, 31))
        year -= 1
    if not xml:
        rows = [{key: value for key, value in row.items() if key != "xml"} for row in rows]
    page = {"count": invoices, "next": None, "previous": None, "results": rows[:invoices]}
    return msgspec.json.Encoder(decimal_format="number").encode(page)


async def read_ours(page: bytes) -> int:
    """Through the library's own reader, in 128 KiB pieces as a socket would give them."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(page), 128 * 1024):
            yield page[start : start + 128 * 1024]

    reader = PageReader(SHAPE)
    total = 0
    async for batch in reader.batches(pieces()):
        total += len(batch)
    return total


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
    origin = get_origin(hint)
    if origin is tuple:
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
        "ours: exact types, checked, in batches": lambda: loop.run_until_complete(read_ours(page)),
        "msgspec: the same structs, whole page": lambda: whole.decode(page),
        "orjson: dicts, floats": lambda: orjson.loads(page),
        "pydantic v2: the same types": lambda: adapter.validate_json(page),
        "stdlib json: dicts, floats": lambda: json.loads(page),
    }


def measure(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each case, the cases taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            began = time.perf_counter()
            kept = case()
            seconds[name].append(time.perf_counter() - began)
            del kept
    return {name: statistics.median(each) for name, each in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Decode one page of invoices, ours against peers, in one run.")
    parser.add_argument("--invoices", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--xml", action="store_true", help="keep the CFDI xml of each invoice")
    options = parser.parse_args()
    page = make_page(options.invoices, xml=options.xml)
    medians = measure(make_cases(page), options.rounds)
    ours = next(iter(medians.values()))
    print(f"Python {sys.version.split()[0]}, {options.invoices} invoices, {len(page) / 1e6:.2f} MB, default gc")
    print(f"{'way':42} {'MB/s':>7} {'us/invoice':>11} {'ours is':>9}")
    for name, median in medians.items():
        speed = len(page) / 1e6 / median
        print(f"{name:42} {speed:7.0f} {median / options.invoices * 1e6:11.1f} {median / ours:8.2f}x")


if __name__ == "__main__":
    main()
