"""How many jobs a second `session.fire` starts, against bare HTTP clients that send the same POST.

    python benchmarks/fire.py [--quick]

The memory store, no pacing, 64 in flight. The vendor runs in a process of its own. A submission of ours never uses a
kept connection (one that has died unseen would blur whether it was sent), so every peer opens one for each POST as
well; what httpx does on kept connections is shown beside. Ours writes the intent before, the mark of the attempt, and
the outcome; so does one peer, written by hand: goals are set on that. The others only send and read the request id.
Clients take turns round by round; the seconds are of their processor time, so that a busy machine disturbs little.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, timedelta
from typing import Any

import aiohttp
import httpx
import msgspec
import niquests
from apart import serving
from belvo import client as belvo_client
from table import Row, Size, beside, run
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from belvo_async import Belvo, Polling, Session, Status, belvo
from belvo_async.telemetry import SILENT, Telemetry

AREA = "fire"
IN_FLIGHT = 64
# Of a session's connections, submissions have 7 of 16.
CONNECTIONS = -(-IN_FLIGHT * 16 // 7)
KEY = ("secret-id", "secret-password")
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "X-Belvo-Request-Mode": "async",
    "Authorization": "Basic " + base64.b64encode(":".join(KEY).encode()).decode(),
}
DAY = date(2025, 12, 31)

# Sends one POST and reads the id of the request.
Post = Callable[[int], Awaitable[object]]
Way = Callable[[str], AbstractAsyncContextManager[Post]]


class Accepted(msgspec.Struct):
    request_id: str


_ACCEPTED = msgspec.json.Decoder(Accepted)


def link_of(number: int) -> str:
    """A link of its own for each request: of one link, one request is open at a time."""
    return f"{number:08d}-0000-4000-8000-000000000000"


def body_of(number: int) -> dict[str, Any]:
    """What a client writes by hand for one retrieval."""
    period = {"date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
    return {"link": link_of(number), **period, "attach_xml": False, "save_data": True}


@asynccontextmanager
async def ours(url: str, telemetry: Telemetry = SILENT) -> AsyncIterator[Post]:
    # Looks at the jobs that were started would come a moment later, and are another benchmark's.
    polling = Polling(first=timedelta(hours=1), longest=timedelta(hours=1))
    vendor = Belvo(*KEY, base_url=url, budget=False, webhook_authorization="Bearer of-the-benchmark")
    async with Session(vendor, polling=polling, connections=CONNECTIONS, telemetry=telemetry) as session:

        async def post(number: int) -> object:
            task = belvo.Invoices(link=link_of(number), date_from=date(2025, 1, 1), date_to=DAY, type="INFLOW")
            job = await session.fire(task)
            assert job.status is Status.PENDING
            return job

        yield post


@asynccontextmanager
async def aiohttp_client(*, kept: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT, limit_per_host=IN_FLIGHT, force_close=not kept)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:
        yield client


async def _post(client: aiohttp.ClientSession, url: str, number: int) -> object:
    body = msgspec.json.encode(body_of(number))
    async with client.post(f"{url}/api/invoices/", data=body, headers=HEADERS) as answer:
        return _ACCEPTED.decode(await answer.read()).request_id


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Post]:
    async with aiohttp_client() as client:
        yield lambda number: _post(client, url, number)


class Record(msgspec.Struct, frozen=True):
    """What one keeps by hand of a submission."""

    id: str
    link: str
    until: float
    status: str = "queued"
    remote_id: str | None = None
    version: int = 0


class Records:
    """Records in a dictionary, written by compare-and-swap; one is under way for a link at a time."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._by_link: dict[str, str] = {}

    async def begin(self, record: Record) -> Record:
        """Keep an intent, or give the one that is under way for its link."""
        standing = self._by_link.get(record.link)
        if standing is not None:
            return self._records[standing]
        self._records[record.id] = record
        self._by_link[record.link] = record.id
        return record

    async def put(self, record: Record) -> None:
        if self._records[record.id].version != record.version - 1:
            raise RuntimeError("another writer was faster")
        self._records[record.id] = record


@asynccontextmanager
async def with_records(url: str) -> AsyncIterator[Post]:
    """What promises as much, by hand: the intent, the mark before the first byte, the outcome, all in bounded time."""
    records = Records()
    async with aiohttp_client() as client:

        async def post(number: int) -> object:
            wanted = Record(uuid.uuid4().hex, link_of(number), time.time() + 6 * 3600)
            record = await records.begin(wanted)
            if record is not wanted:
                return record
            sent = msgspec.structs.replace(record, status="sent", version=1)
            await records.put(sent)
            try:
                async with asyncio.timeout(60):
                    remote_id = await _post(client, url, number)
            except (aiohttp.ClientError, TimeoutError):
                told = msgspec.structs.replace(sent, status="uncertain", version=2)
            else:
                told = msgspec.structs.replace(sent, status="pending", remote_id=str(remote_id), version=2)
            await records.put(told)
            return told

        yield post


@asynccontextmanager
async def with_tenacity(url: str) -> AsyncIterator[Post]:
    async with aiohttp_client() as client:

        async def post(number: int) -> object:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(aiohttp.ClientError),
                stop=stop_after_attempt(5),
                wait=wait_random_exponential(),
                reraise=True,
            ):
                with attempt:
                    return await _post(client, url, number)
            raise AssertionError

        yield post


@asynccontextmanager
async def session_per_request(url: str) -> AsyncIterator[Post]:
    async def post(number: int) -> object:
        async with aiohttp.ClientSession() as client:
            return await _post(client, url, number)

    yield post


def with_httpx(*, kept: bool) -> Way:
    @asynccontextmanager
    async def way(url: str) -> AsyncIterator[Post]:
        limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT if kept else 0)
        async with httpx.AsyncClient(limits=limits, headers=HEADERS, trust_env=False) as client:

            async def post(number: int) -> object:
                body = msgspec.json.encode(body_of(number))
                return _ACCEPTED.decode((await client.post(f"{url}/api/invoices/", content=body)).content)

            yield post

    return way


@asynccontextmanager
async def with_niquests(url: str) -> AsyncIterator[Post]:
    async with niquests.AsyncSession(pool_connections=1, pool_maxsize=IN_FLIGHT) as client:
        client.trust_env = False

        async def post(number: int) -> object:
            body = msgspec.json.encode(body_of(number))
            answer = await client.post(f"{url}/api/invoices/", data=body, headers=HEADERS)
            return _ACCEPTED.decode(answer.content or b"")

        yield post


@asynccontextmanager
async def with_belvo_python(url: str) -> AsyncIterator[Post]:
    """The vendor's own client blocks, so each call has a thread."""
    client = belvo_client.Client(*KEY, url)

    async def post(number: int) -> object:
        period = {"date_from": "2025-01-01", "date_to": "2025-12-31", "type_": "INFLOW"}
        answer = await asyncio.to_thread(client.Invoices.create, link_of(number), **period)
        return answer["request_id"]

    yield post


async def speed(way: Way, url: str, numbers: Iterator[int], count: int, in_flight: int) -> float:
    """POSTs a second of processor time."""
    rest = iter(range(count))

    async def work(post: Post) -> None:
        for _ in rest:
            await post(next(numbers))

    async with way(url) as post:
        await post(next(numbers))
        began = time.process_time()
        await asyncio.gather(*(work(post) for _ in range(in_flight)))
        return count / (time.process_time() - began)


async def compare(url: str, rounds: int, count: int) -> dict[str, list[float]]:
    """POSTs a second of each way, round by round; the slow peers send fewer."""
    ways: dict[str, tuple[Way, int, int]] = {
        "ours": (ours, count, IN_FLIGHT),
        "records": (with_records, count, IN_FLIGHT),
        "bare": (bare, count, IN_FLIGHT),
        "tenacity": (with_tenacity, count, IN_FLIGHT),
        "session each": (session_per_request, count // 4, IN_FLIGHT),
        "niquests": (with_niquests, count // 8, IN_FLIGHT),
        "belvo-python": (with_belvo_python, count // 8, IN_FLIGHT),
    }
    for in_flight in (1, 8, 32, IN_FLIGHT):
        ways[f"httpx fresh {in_flight}"] = (with_httpx(kept=False), count // 16, in_flight)
        ways[f"httpx kept {in_flight}"] = (with_httpx(kept=True), count // 16, in_flight)
    numbers = itertools.count()
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (way, posts, in_flight) in ways.items():
            once = await speed(way, url, numbers, max(posts, 64), in_flight)
            if number:  # the first round warms up
                speeds[name].append(once)
    return speeds


def measure(size: Size = Size.FULL) -> list[Row]:
    """Run all clients in turns and say how ours compares."""
    with serving("fire_server.py") as url:
        speeds = asyncio.run(compare(url, size.pick(7, 3, 1), size.pick(2000, 500, 64)))
    best = {kind: best_of(kind, speeds) for kind in ("httpx fresh", "httpx kept")}
    peers: tuple[tuple[str, str, float | None], ...] = (
        ("aiohttp with intent, mark and outcome kept by hand", "records", 0.75),
        ("aiohttp, bare", "bare", None),
        ("aiohttp in tenacity, per call", "tenacity", 1.0),
        (f"{best['httpx fresh']} in flight, its best", best["httpx fresh"], 8.0),
        (f"{best['httpx kept']} in flight, its best", best["httpx kept"], None),
        ("aiohttp, a session per request", "session each", None),
        ("niquests, kept connections", "niquests", None),
        ("belvo-python in threads, kept connections", "belvo-python", None),
    )
    return [
        beside(AREA, f"POSTs started, beside {what}", speeds["ours"], speeds[name], goal) for what, name, goal in peers
    ]


def best_of(kind: str, speeds: dict[str, list[float]]) -> str:
    """The fastest way of a kind."""
    return max((name for name in speeds if name.startswith(kind)), key=lambda name: statistics.median(speeds[name]))


if __name__ == "__main__":
    run(measure, "Measure how fast jobs are started, in one run.")
