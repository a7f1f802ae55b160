"""Records to files: our sinks beside the barest loop that writes the same records.

    python benchmarks/exports.py [--quick]

NDJSON: beside `encode_lines` of msgspec and `file.write`, nothing else: no snake_case, no digests, no sums, no flush to
the disk. Then beside a fair loop, which does by hand what a receipt needs: the SHA-256 of what it writes, a digest of
the ids, exact sums of the amounts, a temporary name until all is durable; it writes neither snake_case nor small
letters. Two loops tell the limits of one processor, beside the bare one: that with the SHA-256 alone, which waits for
the disk, and the fair one. Parquet: beside a bare ParquetWriter fed the same records by `Table.from_pylist`, with the
same schema, row groups and compression.

Ours is timed to the end of `commit`, which waits for the disk; a second row compares with the same loop that waits for
it too. Of processor time, what other processes take of the machine is no part: that of the threads that run the two
loops is compared with the bare one, that of all threads with the fair one. The ways take turns in one process, one part
each of batches of 200 invoices, and the median of the rounds' ratios is told. BENCHMARK_ROOM names a directory to write
to. Memory: 300,000 invoices through one part in a fresh process, the peak over the start, as the kernel tells it.
"""

from __future__ import annotations

import argparse
import asyncio
import decimal
import gc
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow
import pyarrow.parquet
from apart import ask
from decode import make_rows
from table import Row, Size, beside, show

from belvo_async import belvo, syntage
from belvo_async.simulator import SyntageSimulator
from belvo_async.sinks import PartKey, open_sink
from belvo_async.sinks.columns import ColumnKind, columns_of
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
    """What writing took: the time that went by, and the processor's in this thread and in all of them."""

    seconds: float
    own_seconds: float
    all_seconds: float


_CLOCKS = (time.perf_counter, time.thread_time, time.process_time)


def clock() -> Callable[[], Spent]:
    began = [each() for each in _CLOCKS]
    return lambda: Spent(*(each() - start for each, start in zip(_CLOCKS, began, strict=True)))


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
    """The bare loop, with the digest of its bytes, until they are durable."""
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


def write_fairly(path: Path, rows: Invoices) -> Spent:
    """The bare loop, with all that a receipt tells, until the file has its name for good."""
    encode = msgspec.json.Encoder().encode_lines
    amounts = [each.name for each in columns_of(type(rows[0])) if each.kind is ColumnKind.DECIMAL]
    row_id, getters = attrgetter("id"), {name: attrgetter(name) for name in amounts}
    spent = clock()
    sums = dict.fromkeys(amounts, Decimal(0))
    digest, ids = hashlib.sha256(), hashlib.sha256()
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file, decimal.localcontext(prec=10_000):
        for batch in batches_of(rows):
            lines = encode(batch)
            digest.update(lines)
            file.write(lines)
            ids.update("\n".join(map(row_id, batch)).encode())
            for name, get in getters.items():
                sums[name] = sum(filter(None, map(get, batch)), sums[name])
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    flush(path.parent)
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


def compare(what: str, spec: str, peer: Peer, rows: Invoices, rounds: int) -> list[Row]:
    """One format, in turns with its peer; NDJSON also with the loops that do more of what it promises."""
    peers = {"peer": peer} if peer is not write_lines else {"peer": peer, "least": write_digested, "fair": write_fairly}
    spents: dict[str, list[Spent]] = {each: [] for each in ("ours", *peers)}
    durable: list[float] = []
    for _ in range(rounds + 1):
        room = Path(tempfile.mkdtemp(dir=os.environ.get("BENCHMARK_ROOM")))
        try:
            for name, write in peers.items():
                spents[name].append(write(room / name, rows))
                if name == "peer":
                    durable.append(spents[name][-1].seconds + flush(room / name))
                os.unlink(room / name)
            spents["ours"].append(asyncio.run(write_ours(spec.format(room / "out"), rows)))
        finally:
            shutil.rmtree(room)

    def row(told: str, seconds: Sequence[float], others: Sequence[float], goal: float | None = None) -> Row:
        mine, theirs = ([len(rows) / each for each in some[1:]] for some in (seconds, others))
        return beside("exports", f"{what}{told}", mine, theirs, goal)

    timed, own, every = ({name: [each[place] for each in some] for name, some in spents.items()} for place in range(3))
    found = [
        row("", timed["ours"], timed["peer"], 0.8),
        row(", that waits for the disk too", timed["ours"], durable),
        row(", processor time of the loop", own["ours"], own["peer"]),
    ]
    if "fair" in peers:
        found += [
            row(", that digests, adds up and waits", timed["ours"], timed["fair"]),
            row(", that digests, adds up and waits, processor time of all threads", every["ours"], every["fair"]),
            row(": the limit, one that digests and waits", timed["least"], timed["peer"]),
            row(": the limit, one that digests, adds up and waits", timed["fair"], timed["peer"]),
        ]
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


def measure(size: Size = Size.FULL) -> list[Row]:
    """All goals of this area."""
    count, rounds = BATCH_ROWS * size.pick(BATCHES, 40, 2), size.pick(15, 3, 1)
    invoices, theirs = make_belvo(count), make_syntage(count)
    rows = compare("NDJSON of Belvo's invoices, beside encode_lines", "ndjson:{}", write_lines, invoices, rounds)
    rows += compare("NDJSON of Syntage's invoices, beside encode_lines", "ndjson:{}", write_lines, theirs, rounds)
    # Without its last row: our Parquet is made in threads beside the loop.
    rows += compare("Parquet of Belvo's invoices, beside pyarrow", "parquet:{}", write_tables, invoices, rounds)[:2]
    del invoices, theirs
    many = size.pick(300_000, 30_000, 1_000)
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
        show(measure(Size(options.quick)))


if __name__ == "__main__":
    main()
