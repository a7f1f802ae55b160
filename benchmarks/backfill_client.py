"""One side of `backfill.py`: several years of many links, to records.

    python benchmarks/backfill_client.py ours|threads START SPEED CHUNKS WEBHOOK_PORT < what the server printed

Prints the seconds that passed in the vendor's time, and the rows.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import scaled_time
from aiohttp import web
from belvo import client as belvo_client
from requests.adapters import HTTPAdapter

from belvo_async import Belvo, Session, belvo
from belvo_async.web.aiohttp import webhook_routes

LAST_YEAR = 2025


# A day less than a year: one in four has 366 days, and a request takes 365.
def years(chunks: int) -> list[tuple[date, date]]:
    return [(date(year, 1, 1), date(year, 12, 30)) for year in range(LAST_YEAR, LAST_YEAR - chunks, -1)]


async def ours(given: dict[str, Any], clock: scaled_time.ScaledClock, chunks: int, port: int) -> int:
    """The rows of every year of every link, each read when its job has ended."""
    vendor = Belvo(*given["keys"][:2], base_url=given["url"], webhook_authorization=given["keys"][2])
    async with Session(vendor, clock=clock) as session:
        app = web.Application()
        app.add_routes(webhook_routes(session))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        tasks = [
            belvo.Invoices(link=link, date_from=first, date_to=last, type="INFLOW")
            for first, last in years(chunks)
            for link in given["links"]
        ]
        rows = 0
        async for handle in session.run(tasks, concurrency=len(tasks)):
            await handle
            rows += len(await handle.results().to_list())
        await runner.cleanup()
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
    if way == "ours":
        rows = scaled_time.run(ours(given, scaled_time.ScaledClock(start, speed), chunks, port), speed)
    else:
        rows = threads(given, chunks)
    print(json.dumps({"seconds": (time.perf_counter() - began) * speed, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
