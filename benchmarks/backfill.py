"""Four years of sixteen links of Belvo with webhooks on: requests, and seconds beside threads in synchronous mode.

    python benchmarks/backfill.py [--quick]

The vendor is the simulator in a process of its own, with Belvo's budget of 80 requests in 30 s. Its time, the session's
and the event loop's are scaled alike, and all seconds are the vendor's. Ours is a new session each time: a plan that is
carried out to NDJSON, and `session.run` with the `results` of each job. The peer is belvo-python in threads, one a
link, without the asynchronous mode: one POST a chunk, which is answered with the rows. All take turns. Usual retrievals
take 20 to 90 s; of quick ones, 2 to 9 s, so many end in half a minute that the budget is what limits whoever needs two
requests for each.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loopback import free_port
from table import Middle, Row, Size, middle_ratio, run

AREA = "backfill"
HERE = Path(__file__).parent
LINKS = 16
USUAL, QUICK = (20.0, 90.0), (2.0, 9.0)


def once(way: str, spans: tuple[float, float], speed: float, chunks: int) -> dict[str, Any]:
    """One side, on a vendor of its own: seconds, rows, and requests by kind."""
    start, port = time.time(), str(free_port())
    server = [sys.executable, str(HERE / "backfill_server.py")]
    server += map(str, [start, speed, LINKS, chunks, *spans, port])
    client = [sys.executable, str(HERE / "backfill_client.py"), way, str(start), str(speed), str(chunks), port]
    with subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor:
        assert vendor.stdin is not None
        assert vendor.stdout is not None
        try:
            given = vendor.stdout.readline()
            done = subprocess.run(client, input=given, stdout=subprocess.PIPE, text=True, check=True)
            print("count", file=vendor.stdin, flush=True)
            return {"polls": 0, "reads": 0} | json.loads(vendor.stdout.readline()) | json.loads(done.stdout)
        finally:
            vendor.terminate()


def rows_of(
    what: str, chunks: int, ours: Sequence[dict[str, Any]], peer: Sequence[dict[str, Any]], goal: float | None
) -> list[Row]:
    if len({each["rows"] for each in (*ours, *peer)}) != 1 or any(each["refused"] for each in ours):
        raise RuntimeError("both sides should have the same rows, and none of ours be refused")
    middle = {kind: round(statistics.median(each[kind] for each in ours)) for kind in ("posts", "polls", "reads")}
    by_kind = ", ".join(f"{count} {kind}" for kind, count in middle.items())
    each_chunk = Middle(sum(each[kind] for kind in middle) / chunks for each in ours)
    theirs = statistics.median(each["posts"] for each in peer) / chunks
    seconds = [[each["seconds"] for each in side] for side in (peer, ours)]
    shown = [f"{statistics.median(each):.0f} s" for each in seconds]
    return [
        Row(area=AREA, what=f"requests a chunk, {what} ({by_kind})", ours=f"{float(each_chunk):.2f}",
            peer=f"{theirs:.2f}", ratio=each_chunk, goal=2.1 if goal else None, at_least=False),
        Row(area=AREA, what=f"{chunks} chunks of {LINKS} links, {what}, beside belvo-python in threads", ours=shown[1],
            peer=shown[0], ratio=middle_ratio(*seconds), goal=goal),
    ]  # fmt: skip


def measure(size: Size = Size.FULL) -> list[Row]:
    """Usual retrievals and quick ones."""
    rows: list[Row] = []
    chunks, rounds = size.pick((4, 3), (2, 1), (1, 1))
    for what, spans, speed in (("usual", USUAL, size.pick(5, 15, 60)), ("quick", QUICK, size.pick(1, 4, 6))):
        sides = [[once(way, spans, speed, chunks) for way in ("plan", "ours", "threads")] for _ in range(rounds)]
        plans, ours, peer = zip(*sides, strict=True)
        rows += rows_of(f"{what}, by a plan", LINKS * chunks, plans, peer, 0.97)
        rows += rows_of(f"{what}, by `session.run`", LINKS * chunks, ours, peer, None)
    return rows


if __name__ == "__main__":
    run(measure, "Measure a backfill with webhooks on.")
