"""One side of `backfill.py`: several years of many links, to records.

    python benchmarks/backfill_client.py plan|ours|threads START SPEED CHUNKS WEBHOOK_PORT < what the server printed

Prints the seconds that passed in the vendor's time, and the rows.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import scaled_time
from belvo import client as belvo_client
from loopback import receiving
from requests.adapters import HTTPAdapter

from belvo_async import Belvo, Plan, Session, belvo

LAST_YEAR = 2025


# A request takes 365 days: one in four years has a day more.
def years(chunks: int) -> list[tuple[date, date]]:
    last = date(LAST_YEAR, 12, 30)
    firsts = [last - timedelta(days=365 * (place + 1) - 1) for place in range(chunks)]
    return [(first, first + timedelta(days=364)) for first in firsts]


async def plan(given: dict[str, Any], clock: scaled_time.ScaledClock, chunks: int, port: int) -> int:
    """The same by a plan: the chunks are its own, and the rows of a link are read by one list."""
    vendor = Belvo(*given["keys"][:2], base_url=given["url"], webhook_authorization=given["keys"][2])
    first, last = years(chunks)[-1][0], years(chunks)[0][1]
    wanted = Plan(
        vendor="belvo", resource="INVOICES", subjects=given["links"], first=first, last=last, directions=["received"]
    )
    with tempfile.TemporaryDirectory() as folder:
        async with Session(vendor, clock=clock) as session, receiving(session, port):
            run = await session.extract(wanted, into=f"ndjson:{folder}")
            async for _ in run:
                pass
    if not run.outcome.is_whole:
        raise RuntimeError("the plan is not whole")
    return run.outcome.tally.rows


async def ours(given: dict[str, Any], clock: scaled_time.ScaledClock, chunks: int, port: int) -> int:
    """The rows of every year of every link, each read when its job has ended."""
    vendor = Belvo(*given["keys"][:2], base_url=given["url"], webhook_authorization=given["keys"][2])
    async with Session(vendor, clock=clock) as session, receiving(session, port):
        tasks = [
            belvo.Invoices(link=link, date_from=first, date_to=last, type="INFLOW")
            for first, last in years(chunks)
            for link in given["links"]
        ]
        rows = 0
        async for handle in session.run(tasks, concurrency=len(tasks)):
            await handle
            rows += len(await handle.results().to_list())
        return rows


def threads(given: dict[str, Any], chunks: int) -> int:
    """A thread for each link, which waits for each year's rows in the answer to its POST."""
    client = belvo_client.Client(*given["keys"][:2], given["url"])
    # With a pool of ten, threads beyond wait for a connection where urllib3-future stands in for urllib3.
    client.session.session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=len(given["links"])))

    def rows_of(link: str) -> int:
        create = client.Invoices.create
        periods = [(first.isoformat(), last.isoformat()) for first, last in years(chunks)]
        return sum(len(create(link, *each, type_="INFLOW", raise_exception=True)) for each in periods)

    with ThreadPoolExecutor(len(given["links"])) as pool:
        return sum(pool.map(rows_of, given["links"]))


def main(way: str, start: float, speed: float, chunks: int, port: int) -> None:
    given = json.loads(sys.stdin.readline())
    began = time.perf_counter()
    if way in ("plan", "ours"):
        work = plan if way == "plan" else ours
        rows = scaled_time.run(work(given, scaled_time.ScaledClock(start, speed), chunks, port), speed)
    else:
        rows = threads(given, chunks)
    print(json.dumps({"seconds": (time.perf_counter() - began) * speed, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
