"""Years of many taxpayers by one call: time over the lower bound, requests over the fewest, memory, and peers.

    python benchmarks/bulk.py [--quick] [--kills] [--speed N] [--no-peers]

The vendors are the simulators in a process of their own, with faults on and Belvo's budget of 80 requests in 30 s;
their time, the session's and the event loop's are scaled alike, and all seconds are the vendors'. Ours is
`session.extract` of a plan, to NDJSON, on an SQLite store, ended by a certificate, a recount of what was written, and a
comparison with what the simulators hold. With --kills the worker is killed ten times, without warning, at random
moments, and the same call goes on: that run is about money and rows, not about time. The lower bound of the time is
what the budget allows for the fewest requests (a POST for each piece of at most 365 days and one direction, and a read
for each link), and no less than what one link's requests take one after the other. The peers do Belvo's share as people
write it: belvo-python in 64 threads in synchronous mode, and asyncio with one polling task a job.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from loopback import free_port
from table import Row, Size, show

AREA = "bulk"
HERE = Path(__file__).parent
# Half of what the simulator takes on average (20 to 90 s), for the shortest line a link can be.
MEAN_SECONDS = 55.0
BUDGET, SPAN = 80, 30.0
LAST_YEAR = 2025
KILLS = 10


class Extent(NamedTuple):
    links: int
    entities: int
    years: int
    invoices: int
    speed: float


FULL = Extent(links=2000, entities=2000, years=10, invoices=6, speed=30)
QUICK = Extent(links=60, entities=20, years=3, invoices=12, speed=12)
SMOKE = Extent(links=4, entities=2, years=1, invoices=6, speed=12)
# What peers are measured with: they take too long for more.
BESIDE = Extent(links=40, entities=0, years=3, invoices=12, speed=12)


def fewest(size: Extent) -> int:
    """Pieces of at most 365 days, in two directions, of every link."""
    days = (date(LAST_YEAR, 12, 31) - date(LAST_YEAR - size.years + 1, 1, 1)).days + 1
    return size.links * 2 * math.ceil(days / 365)


def bound(size: Extent) -> float:
    """No run is shorter: the budget's time for a POST a piece and a read a link, or one link's pieces in a row."""
    pieces = fewest(size)
    return max((pieces + size.links) / BUDGET * SPAN - SPAN, pieces / size.links * MEAN_SECONDS)


def once(way: str, size: Extent, *, kills: int = 0) -> dict[str, Any]:
    """One side, on vendors of its own; killed so many times first."""
    start, port = time.time(), str(free_port())
    server = [sys.executable, str(HERE / "bulk_server.py")]
    server += map(str, [start, size.speed, size.links, size.entities, size.invoices, port])
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor,
    ):
        arguments = [str(each) for each in (start, size.speed, size.years, port, folder)]
        assert vendor.stdin is not None
        assert vendor.stdout is not None
        try:
            given = vendor.stdout.readline()
            # They meet it in all of its run, if each life is as long as the other.
            lives = [
                random.Random(each).uniform(0.5, 1.5) * bound(size) / size.speed / (kills + 1) for each in range(kills)
            ]
            killed = [Life.of([way, *arguments], given, seconds) for seconds in lives]
            done = Life.of([way, *arguments], given)
            if kills and not done.told["whole"]:
                # Belvo cannot be asked whether what was being sent at a kill arrived: a person decides.
                killed, done = [*killed, done], Life.of(["again", *arguments], given)
            print(date(LAST_YEAR - size.years + 1, 1, 1), date(LAST_YEAR, 12, 31), file=vendor.stdin, flush=True)
            asked = json.loads(vendor.stdout.readline())
            peak, cpu = max(each.rss_mb for each in [*killed, done]), sum(each.cpu for each in [*killed, done])
            return asked | {"rss_mb": peak, "cpu": cpu} | done.told
        finally:
            vendor.terminate()


class Life(NamedTuple):
    """One process of a client: what it said, if it lived to the end, and what it used."""

    told: dict[str, Any]
    rss_mb: float
    cpu: float

    @classmethod
    def of(cls, arguments: list[str], given: str, seconds: float | None = None) -> Life:
        """Run one, for so long or to its end."""
        command = [sys.executable, str(HERE / "bulk_client.py"), *arguments]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            print(given, file=client.stdin, flush=True)
            if seconds is not None:
                time.sleep(seconds)
                client.kill()
            said = client.stdout.read()
            _, status, used = os.wait4(client.pid, 0)
            client.returncode = os.waitstatus_to_exitcode(status)
        if seconds is None and client.returncode:
            raise RuntimeError(f"a client ended with {client.returncode}")
        return cls(json.loads(said) if said else {}, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)


def rows_of_plan(size: Extent) -> list[Row]:
    """Ours alone, by what there is to compare it with."""
    done = proven(once("plan", size))
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
        Row(area=AREA, what=f"{what}: refused for their number", ours=str(refused(done))),
        Row(area=AREA, what=f"{what}: CPU, ms a request", ours=f"{1000 * done['cpu'] / paid:.1f} ms"),
    ]  # fmt: skip
    return rows


def rows_of_kills(size: Extent) -> list[Row]:
    """The same with a worker that dies ten times."""
    done = proven(once("plan", size, kills=KILLS))
    paid, fewest_paid = done["belvo"]["jobs"] + done["syntage"]["jobs"], fewest(size) + size.entities
    what = f"{size.links} links and {size.entities} entities, {size.years} years, {KILLS} kills"
    return [
        Row(area=AREA, what=f"{what}: paid requests over the fewest", ours=f"{paid:,}", peer=f"{fewest_paid:,}",
            ratio=paid / fewest_paid, goal=1.0, at_least=False),
        Row(area=AREA, what=f"{what}: peak memory over 300 MB", ours=f"{done['rss_mb']:.0f} MB", peer="300 MB",
            ratio=done["rss_mb"] / 300, goal=1.0, at_least=False),
        Row(area=AREA, what=f"{what}: refused for their number", ours=str(refused(done))),
    ]  # fmt: skip


def proven(done: dict[str, Any]) -> dict[str, Any]:
    """A run that ended with a certificate, and wrote every row that the vendors hold, once."""
    if not done["whole"]:
        raise RuntimeError(f"the plan is not whole: {done['left']}")
    if done["written"] != done["held"]:
        raise RuntimeError(f"rows written: {done['written']}, rows held by the vendors: {done['held']}")
    return done


def refused(done: dict[str, Any]) -> int:
    return int(done["belvo"]["refused"] + done["syntage"]["refused"])


def sum_of(asked: dict[str, int]) -> int:
    return asked["posts"] + asked["polls"] + asked["reads"]


def rows_beside(size: Extent) -> list[Row]:
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


def measure(size: Size = Size.FULL) -> list[Row]:
    """The plan, then the peers."""
    return [*rows_of_plan(size.pick(FULL, QUICK, SMOKE)), *rows_beside(size.pick(BESIDE, BESIDE, SMOKE))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure years of many taxpayers by one call.")
    parser.add_argument("--quick", action="store_true", help="fewer links, entities and years")
    parser.add_argument(
        "--kills", action="store_true", help=f"kill the worker {KILLS} times, instead of measuring time"
    )
    parser.add_argument("--speed", type=float, help="how many times faster time passes: as much as the machine bears")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    size = size._replace(speed=asked.speed or size.speed)
    show(rows_of_kills(size) if asked.kills else rows_of_plan(size))
    if not asked.kills and not asked.no_peers:
        show(rows_beside(BESIDE))


if __name__ == "__main__":
    main()
