"""Records to files: our sinks beside the barest loop that writes the same records.

    python benchmarks/exports.py [--quick]

NDJSON: beside `encode_lines` of msgspec and `file.write`, nothing else: no snake_case, no digests, no sums, no flush to
the disk. Then beside the same loop with the SHA-256 of what it writes, waiting for the disk, which is the least that a
receipt takes where nothing is done at once; how far that loop itself is from the bare one is told as the limit.
Parquet: beside a bare ParquetWriter fed the same records by `Table.from_pylist`, with the same schema, row groups and
compression. Ours is timed to the end of `commit`, which waits for the disk; a second row compares with the same loop
that waits for it too, a third the processor time of the threads that run the two loops: what other processes take of
the machine is not in it, nor what ours does in threads beside the loop. The ways take turns in one process, one part
each of batches of 200 invoices, and the median of the rounds' ratios is told. BENCHMARK_ROOM names a directory to write
to. Memory: 300,000 invoices through one part in a fresh process, the peak over the start, as the kernel tells it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow
import pyarrow.parquet
from apart import ask
from decode import make_rows
from table import Row, beside, show

from belvo_async import belvo, syntage
from belvo_async.simulator import SyntageSimulator
from belvo_async.sinks import PartKey, open_sink
from belvo_async.sinks.columns import columns_of
from belvo_async.sinks.formats.arrow import Arrays

BATCH_ROWS = 200
BATCHES = 100
GROUP_ROWS = 16_000
PLAIN = (datetime, date, Decimal)
Invoices = list[Any]


def make_belvo(count: int) -> Invoices:
    decode = msgspec.json.Decoder(belvo.Invoice).decode
    return [decode(each) for each in make_rows(count)]


def make_syntage(count: int) -> Invoices:
    simulator = SyntageSimulator(seed=7, entities=1, invoices_per_year=count)
    period = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    encode = msgspec.json.Encoder(decimal_format="number").encode
    decode = msgspec.json.Decoder(syntage.Invoice).decode
    rows = [decode(encode(each)) for each in simulator.invoices(simulator.entities[0], period)]
    return (rows * (count // len(rows) + 1))[:count]


def batches_of(rows: Invoices) -> list[Invoices]:
    return [rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS)]


def key_of(record: type) -> PartKey:
    return PartKey(vendor="v", resource="r", subject="s", job="j", record=record)


class Spent(NamedTuple):
    """What writing took: the time that went by, and the processor's in this thread."""

    seconds: float
    own_seconds: float


def clock() -> Callable[[], Spent]:
    began = (time.perf_counter(), time.thread_time())
    return lambda: Spent(time.perf_counter() - began[0], time.thread_time() - began[1])


async def write_ours(spec: str, rows: Invoices) -> Spent:
    """Until all is durable."""
    sink = open_sink(spec)
    await sink.begin()
    spent = clock()
    async with sink.part(key_of(type(rows[0]))) as part:
        for batch in batches_of(rows):
            await part.write(batch)
        await part.commit(now=datetime.now(UTC))
    return spent()


def write_lines(path: Path, rows: Invoices) -> Spent:
    encode = msgspec.json.Encoder().encode_lines
    spent = clock()
    with path.open("wb") as file:
        for batch in batches_of(rows):
            file.write(encode(batch))
    return spent()


def write_digested(path: Path, rows: Invoices) -> Spent:
    """The bare loop, with what a receipt must know of its bytes, until they are durable."""
    encode = msgspec.json.Encoder().encode_lines
    spent = clock()
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for batch in batches_of(rows):
            lines = encode(batch)
            digest.update(lines)
            file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    digest.hexdigest()
    return spent()


def write_tables(path: Path, rows: Invoices) -> Spent:
    record = type(rows[0])
    schema = Arrays(as_text=False).schema([(each.name, each) for each in columns_of(record)])
    spent = clock()
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: Invoices = []
        for batch in batches_of(rows):
            waiting += msgspec.to_builtins(batch, builtin_types=PLAIN)
            if len(waiting) >= GROUP_ROWS:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
                waiting = []
        writer.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
    return spent()


def flush(path: Path) -> float:
    """Seconds until what was written is on the disk."""
    began = time.perf_counter()
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    return time.perf_counter() - began


Peer = Callable[[Path, Invoices], Spent]


def compare(what: str, spec: str, peer: Peer, rows: Invoices, rounds: int, least: Peer | None = None) -> list[Row]:
    """One format, in turns with its peer; and with the `least` that does what it promises."""
    ours: list[Spent] = []
    bare: list[Spent] = []
    durable: list[float] = []
    whole: list[Spent] = []
    for _ in range(rounds + 1):
        room = Path(tempfile.mkdtemp(dir=os.environ.get("BENCHMARK_ROOM")))
        try:
            bare.append(peer(room / "peer", rows))
            durable.append(bare[-1].seconds + flush(room / "peer"))
            os.unlink(room / "peer")
            if least is not None:
                whole.append(least(room / "least", rows))
                os.unlink(room / "least")
            ours.append(asyncio.run(write_ours(spec.format(room / "out"), rows)))
        finally:
            shutil.rmtree(room)

    def rates(seconds: Iterable[float]) -> list[float]:
        return [len(rows) / each for each in seconds][1:]

    timed = rates(each.seconds for each in ours)
    own = [rates(each.own_seconds for each in way) for way in (ours, bare)]
    plainly = rates(each.seconds for each in bare)
    found = [
        beside("exports", what, timed, plainly, 0.8),
        beside("exports", f"{what}, that waits for the disk too", timed, rates(durable), None),
        beside("exports", f"{what}, processor time of the loop", own[0], own[1], None),
    ]
    if least is not None:
        wholly = rates(each.seconds for each in whole)
        found.append(beside("exports", f"{what}, that digests and waits", timed, wholly, None))
        found.append(beside("exports", f"{what}: the limit, one that digests and waits", wholly, plainly, None))
    return found


def measure_memory(spec: str, invoices: int, most_mb: float) -> Row:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_ROOM")) as room:
        peak = ask("exports.py", "--peak", spec.format(Path(room) / "out"), str(invoices))
    what = f"{spec.replace(':{}', '')}: peak over the start, MB, {invoices:,} invoices"
    return Row(area="exports", what=what, ours=f"{peak:.0f} MB", ratio=peak, goal=most_mb, at_least=False)


def peak_of(spec: str, invoices: int) -> float:
    """The part of a fresh process: what 300,000 invoices add at most, decoded batch by batch as results are."""
    lines = make_rows(1000)
    decode = msgspec.json.Decoder(belvo.Invoice).decode
    asyncio.run(write_ours(spec, [decode(each) for each in lines[:10]]))
    gc.collect()
    # From here on the kernel notes the peak anew (Linux: man 5 proc, clear_refs).
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory_mb("VmRSS")

    async def write() -> None:
        async with open_sink(spec).part(key_of(belvo.Invoice)) as part:
            for start in range(0, invoices, BATCH_ROWS):
                await part.write([decode(lines[each % 1000]) for each in range(start, start + BATCH_ROWS)])
            await part.commit(now=datetime.now(UTC))

    asyncio.run(write())
    return _memory_mb("VmHWM") - before


def _memory_mb(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def measure(quick: bool = False) -> list[Row]:
    """All goals of this area."""
    count, rounds = BATCH_ROWS * BATCHES, 5 if quick else 15
    invoices, theirs = make_belvo(count), make_syntage(count)
    lines = "ndjson:{}", write_lines
    rows = compare("NDJSON of Belvo's invoices, beside encode_lines", *lines, invoices, rounds, write_digested)
    rows += compare("NDJSON of Syntage's invoices, beside encode_lines", *lines, theirs, rounds, write_digested)
    # Without its last row: our Parquet is made in threads beside the loop.
    rows += compare("Parquet of Belvo's invoices, beside pyarrow", "parquet:{}", write_tables, invoices, rounds)[:2]
    del invoices, theirs
    many = 60_000 if quick else 300_000
    return [*rows, *(measure_memory(spec, many, most) for spec, most in MEMORY)]


MEMORY = (("ndjson:{}", 60.0), ("csv:{}", 60.0), ("parquet:{}", 250.0), ("parquet:{}?flat=1", 250.0))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write records to files, ours against peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer rows")
    parser.add_argument("--peak", nargs=2, metavar=("SPEC", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(json.dumps(peak_of(options.peak[0], int(options.peak[1]))))
    else:
        show(measure(options.quick))


if __name__ == "__main__":
    main()
