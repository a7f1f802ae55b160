"""Years of many taxpayers by one call: time over the lower bound, requests over the fewest, memory, and peers.

    python benchmarks/bulk.py [--quick]

The vendors are the simulators in a process of their own, with faults on and Belvo's budget of 80 requests in 30 s;
their time, the session's and the event loop's are scaled alike, and all seconds are the vendors'. Ours is
`session.extract` of a plan, to NDJSON, on an SQLite store, ended by a certificate. The lower bound of the time is what
the budget allows for the fewest requests (a POST for each piece of at most 365 days and one direction, and a read for
each link), and no less than what one link's requests take one after the other. The peers do Belvo's share as people
write it: belvo-python in 64 threads in synchronous mode, and asyncio with one polling task a job.
"""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from table import Row, run

AREA = "bulk"
HERE = Path(__file__).parent
# Half of what the simulator takes on average (20 to 90 s), for the shortest line a link can be.
MEAN_SECONDS = 55.0
BUDGET, SPAN = 80, 30.0
LAST_YEAR = 2025


class Size(NamedTuple):
    links: int
    entities: int
    years: int
    invoices: int
    speed: float


FULL = Size(links=2000, entities=2000, years=10, invoices=6, speed=30)
QUICK = Size(links=60, entities=20, years=3, invoices=12, speed=12)
# What peers are measured with: they take too long for more.
BESIDE = Size(links=40, entities=0, years=3, invoices=12, speed=12)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fewest(size: Size) -> int:
    """Pieces of at most 365 days, in two directions, of every link."""
    days = (date(LAST_YEAR, 12, 31) - date(LAST_YEAR - size.years + 1, 1, 1)).days + 1
    return size.links * 2 * math.ceil(days / 365)


def bound(size: Size) -> float:
    """No run is shorter: the budget's time for a POST a piece and a read a link, or one link's pieces in a row."""
    pieces = fewest(size)
    return max((pieces + size.links) / BUDGET * SPAN - SPAN, pieces / size.links * MEAN_SECONDS)


def once(way: str, size: Size) -> dict[str, Any]:
    """One side, on vendors of its own."""
    start, port = time.time(), str(free_port())
    server = [sys.executable, str(HERE / "bulk_server.py")]
    server += map(str, [start, size.speed, size.links, size.entities, size.invoices, port])
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor,
    ):
        client = [sys.executable, str(HERE / "bulk_client.py"), way]
        client += map(str, [start, size.speed, size.years, port, folder])
        assert vendor.stdin is not None
        assert vendor.stdout is not None
        try:
            given = vendor.stdout.readline()
            done = subprocess.run(client, input=given, stdout=subprocess.PIPE, text=True, check=True)
            print("count", file=vendor.stdin, flush=True)
            return json.loads(vendor.stdout.readline()) | json.loads(done.stdout)
        finally:
            vendor.terminate()


def rows_of_plan(size: Size) -> list[Row]:
    """Ours alone, by what there is to compare it with."""
    done = once("plan", size)
    if not done["whole"]:
        raise RuntimeError(f"the plan is not whole: {done['left']}")
    pieces, asked = fewest(size), done["belvo"]
    what = f"{size.links} links and {size.entities} entities, {size.years} years"
    lower = bound(size)
    paid = asked["jobs"] + done["syntage"]["jobs"]
    rows = [
        Row(area=AREA, what=f"{what}: paid requests over the fewest", ours=f"{paid:,}",
            peer=f"{pieces + size.entities:,}", ratio=paid / (pieces + size.entities), goal=1.15, at_least=False),
        Row(area=AREA, what=f"{what}: seconds over the lower bound", ours=f"{done['seconds']:,.0f} s",
            peer=f"{lower:,.0f} s", ratio=done["seconds"] / lower, goal=1.10, at_least=False),
        Row(area=AREA, what=f"{what}: peak memory over 300 MB", ours=f"{done['rss_mb']:.0f} MB", peer="300 MB",
            ratio=done["rss_mb"] / 300, goal=1.0, at_least=False),
        Row(area=AREA, what=f"{what}: Belvo's requests a piece", ours=f"{sum_of(asked) / pieces:.2f}",
            ratio=sum_of(asked) / pieces, goal=2.1, at_least=False),
        Row(area=AREA, what=f"{what}: refused for their number", ours=str(asked["refused"])),
        Row(area=AREA, what=f"{what}: CPU, ms a request", ours=f"{1000 * done['cpu'] / paid:.1f} ms"),
    ]  # fmt: skip
    return rows


def sum_of(asked: dict[str, int]) -> int:
    return asked["posts"] + asked["polls"] + asked["reads"]


def rows_beside(size: Size) -> list[Row]:
    """Belvo's share, beside the same as people write it today."""
    ours = once("plan", size)
    rows: list[Row] = []
    for way, name in (("threads", "belvo-python in threads"), ("polling", "one polling task a job")):
        theirs = once(way, size)
        rows.append(
            Row(area=AREA, what=f"{size.links} links, {size.years} years: seconds, beside {name}",
                ours=f"{ours['seconds']:,.0f} s", peer=f"{theirs['seconds']:,.0f} s",
                ratio=theirs["seconds"] / ours["seconds"], goal=1.0)
        )  # fmt: skip
    return rows


def measure(quick: bool = False) -> list[Row]:
    """The plan, then the peers."""
    return [*rows_of_plan(QUICK if quick else FULL), *rows_beside(BESIDE)]


if __name__ == "__main__":
    run(measure, "Measure years of many taxpayers by one call.")
