"""One side of `bulk.py`: years of many links and entities, into files.

    python benchmarks/bulk_client.py plan|again|polling|threads START SPEED YEARS WEBHOOK_PORT FOLDER < SERVER'S LINE

`plan` is `session.extract`; `again` the same, that sends once more what may have been sent before a kill. `polling` and
`threads` do Belvo's share as people write it today: one polling task a job, or belvo-python in a thread for each link.
Prints seconds in the vendors' time and rows; ours also whether all is proven, and what it wrote.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import scaled_time
from row_ids import ids_of

LAST_YEAR = 2025
THREADS = 64
# Who polls a list never learns that a retrieval failed, or found nothing: then it gives up.
LOOKS = 15


def years(count: int) -> list[tuple[date, date]]:
    """Of a leap year, the day that one request cannot take is left out, for those who ask year by year."""
    return [
        (date(year, 1, 1), date(year, 12, 31 - (year % 4 == 0))) for year in range(LAST_YEAR - count + 1, LAST_YEAR + 1)
    ]


async def plan(
    given: dict[str, Any], clock: scaled_time.ScaledClock, count: int, port: int, folder: Path, *, again: bool
) -> dict[str, Any]:
    from loopback import receiving

    from belvo_async import Belvo, Plan, Session, Syntage
    from belvo_async.sinks import recount

    vendors = (
        Belvo(
            *given["belvo"]["keys"][:2], base_url=given["belvo"]["url"], webhook_authorization=given["belvo"]["keys"][2]
        ),
        Syntage(
            given["syntage"]["keys"][0], base_url=given["syntage"]["url"], webhook_secrets=given["syntage"]["keys"][1]
        ),
    )
    began = asyncio.get_running_loop().time()
    span = {"first": date(LAST_YEAR - count + 1, 1, 1), "last": date(LAST_YEAR, 12, 31)}
    plans = [Plan(vendor="belvo", resource="INVOICES", subjects=given["links"], **span)]
    if given["entities"]:
        plans.append(Plan(vendor="syntage", resource="invoice", subjects=given["entities"], **span))
    async with (
        Session(*vendors, clock=clock, store=f"sqlite:{folder / 'jobs.db'}") as session,
        receiving(session, port),
    ):
        runs = [await session.extract(each, into=f"ndjson:{folder / 'out'}", retry=again) for each in plans]
        await asyncio.gather(*map(drained, runs))
        certificates = [await session.certificate(each, into=f"ndjson:{folder / 'out'}") for each in plans]
    seconds = asyncio.get_running_loop().time() - began
    tallies = [run.outcome.tally for run in runs]
    fault = recount([receipt for each in certificates for receipt in each.receipts], [folder / "out"]).fault
    return {
        "seconds": seconds,
        "rows": sum(each.rows for each in tallies),
        "whole": fault is None and all(each.is_whole and not each.unreceipted for each in certificates),
        "left": [f"{fault} {run.outcome.days}" for run in runs if fault or not run.outcome.is_whole],
        "written": ids_of(written_in(folder / "out")),
    }


def written_in(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.ndjson"):
        with path.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                yield row.get("uuid") or row["id"]


async def drained(run: Any) -> None:
    async for _ in run:
        pass


def is_passing(status: int, method: str) -> bool:
    """What usual clients try again."""
    return status in (403, 408, 429, 500, 502, 503) or (status == 400 and method == "POST")


async def polling(given: dict[str, Any], count: int, folder: Path) -> dict[str, Any]:
    """One task a job: POST, ask every five seconds whether rows came, read them. Belvo tells no end but by webhooks, so
    the usual way is to ask the list until it stays the same twice."""
    import aiohttp

    url, keys = given["belvo"]["url"], given["belvo"]["keys"]
    rows = 0
    gate = asyncio.Semaphore(THREADS)

    async def ask(http: aiohttp.ClientSession, method: str, path: str, **more: Any) -> Any:
        while True:
            with suppress(aiohttp.ClientError):
                async with http.request(method, f"{url}{path}", **more) as answer:
                    if not is_passing(answer.status, method):
                        return await answer.json()
            await asyncio.sleep(5)

    async def link(http: aiohttp.ClientSession, number: str) -> None:
        nonlocal rows
        async with gate:
            for first, last in years(count):
                for side in ("INFLOW", "OUTFLOW"):
                    body = {"link": number, "date_from": str(first), "date_to": str(last), "type": side}
                    await ask(http, "POST", "/api/invoices/", json=body, headers={"X-Belvo-Request-Mode": "async"})
                    query = {
                        "link": number,
                        "type": side,
                        "invoice_date__range": f"{first},{last}",
                        "page_size": "1000",
                    }
                    seen, same = -1, 0
                    for _ in range(LOOKS):
                        await asyncio.sleep(20)
                        page = await ask(http, "GET", "/api/invoices/", params=query)
                        same = same + 1 if page["count"] == seen and seen else 0
                        seen = page["count"]
                        if same == 3:
                            break
                    rows += len(page["results"])
                    (folder / f"{number}{first}{side}.json").write_text(json.dumps(page["results"]))

    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(*keys[:2])) as http:
        await asyncio.gather(*(link(http, each) for each in given["links"]))
    return {"rows": rows, "whole": None, "left": []}


def threads(given: dict[str, Any], count: int, folder: Path) -> dict[str, Any]:
    """belvo-python in synchronous mode, a thread for each of 64 links at a time; what fails is tried again."""
    from belvo import client as belvo_client
    from requests.adapters import HTTPAdapter

    client = belvo_client.Client(*given["belvo"]["keys"][:2], given["belvo"]["url"])
    client.session.session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=THREADS))

    def rows_of(link: str) -> int:
        total = 0
        for first, last in years(count):
            for side in ("INFLOW", "OUTFLOW"):
                rows = None
                while rows is None:
                    try:
                        rows = client.Invoices.create(link, str(first), str(last), type_=side, raise_exception=True)
                    except Exception:
                        time.sleep(1 / given["speed"])
                (folder / f"{link}{first}{side}.json").write_text(json.dumps(rows))
                total += len(rows)
        return total

    with ThreadPoolExecutor(THREADS) as pool:
        return {"rows": sum(pool.map(rows_of, given["links"])), "whole": None, "left": []}


def main(way: str, start: float, speed: float, count: int, port: int, folder: Path) -> None:
    given = json.loads(sys.stdin.readline()) | {"speed": speed}
    began = time.perf_counter()
    if way in ("plan", "again"):
        clock = scaled_time.ScaledClock(start, speed)
        done = scaled_time.run(plan(given, clock, count, port, folder, again=way == "again"), speed)
    elif way == "polling":
        done = scaled_time.run(polling(given, count, folder), speed)
    else:
        done = threads(given, count, folder)
    print(json.dumps({"seconds": (time.perf_counter() - began) * speed} | done))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6]))
