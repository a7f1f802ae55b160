"""The receivers of `webhooks.py`, each in a process of its own.

    python benchmarks/webhooks_server.py SERVER WAY JOBS DIRECTORY

SERVER is `aiohttp` (aiohttp.web) or `asgi` (uvicorn with httptools). WAY is `ours` (the adapter over a session that
knows JOBS open jobs), `sqlite` (the same, kept by the SQLite store), `hand` (a handler of a dozen lines that verifies
and decodes), `kept` (that handler made careful: either header, bounded in size and time; the event is applied to its
job by compare-and-swap, noted in its timeline or parked, and who waits is woken), or `commit` (the first handler, with
a commit in SQLite for each event). Prints its address and process once
it listens.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import sqlite3
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec
import uvicorn
from aiohttp import web
from webhooks_events import PATH, SECRET, remote_id

from belvo_async import Polling, Session, Syntage, syntage
from belvo_async.jobs import Job, Schedule, Status
from belvo_async.stores.sqlite import file
from belvo_async.web.aiohttp import webhook_routes
from belvo_async.web.asgi import WebhookApp

_log = logging.getLogger(__name__)

# Gives the status to answer.
Take = Callable[[str, bytes], Awaitable[int]]
PUTS_AT_ONCE = 256


class Extraction(msgspec.Struct):
    id: str
    status: str


class Data(msgspec.Struct):
    object: Extraction


class Event(msgspec.Struct):
    id: str
    type: str
    data: Data


_EVENT = msgspec.json.Decoder(Event)


def read(signature: str, body: bytes) -> Event | None:
    """What one writes by hand: the stamp's age, the signature, the event."""
    fields = dict(part.split("=", 1) for part in signature.split(","))
    if abs(time.time() - int(fields["t"])) > 300:
        return None
    expected = hmac.new(SECRET.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return _EVENT.decode(body) if hmac.compare_digest(expected, fields["s"]) else None


@asynccontextmanager
async def hand(_directory: Path) -> AsyncIterator[Take]:
    async def take(signature: str, body: bytes) -> int:
        return 401 if read(signature, body) is None else 200

    yield take


class Known(msgspec.Struct, frozen=True):
    id: str
    status: str = "pending"
    version: int = 1


class Book:
    """What one writes by hand to keep jobs in memory."""

    def __init__(self, jobs: int) -> None:
        self._jobs = {each: Known(each) for each in map(remote_id, range(jobs))}
        self._timelines: dict[str, deque[Event]] = {}
        self._parked: dict[str, Event] = {}
        self._waiters: dict[str, asyncio.Future[Known]] = {}

    async def find(self, job_id: str) -> Known | None:
        return self._jobs.get(job_id)

    async def put(self, job: Known, event: Event, *, expected: int) -> bool:
        if self._jobs[job.id].version != expected:
            return False
        self._jobs[job.id] = job
        timeline = self._timelines.get(job.id)
        if timeline is None:
            timeline = self._timelines[job.id] = deque(maxlen=200)
        timeline.append(event)
        return True

    async def apply(self, event: Event) -> None:
        said = event.data.object
        while (job := await self.find(said.id)) is not None and job.status not in ENDED:
            new = msgspec.structs.replace(job, status=said.status, version=job.version + 1)
            if await self.put(new, event, expected=job.version):
                _log.debug("a job is %s", said.status, extra={"job": job.id})
                waiter = self._waiters.pop(job.id, None) if new.status in ENDED else None
                if waiter is not None and not waiter.done():
                    waiter.set_result(new)
                return
        if job is None:
            self._parked[event.id] = event


ENDED = frozenset({"finished", "failed", "stopped", "cancelled"})


@asynccontextmanager
async def kept(jobs: int) -> AsyncIterator[Take]:
    book = Book(jobs)

    async def take(signature: str, body: bytes) -> int:
        if len(body) > LIMIT_BYTES:
            return 413
        event = read(signature, body)
        if event is None:
            return 401
        async with asyncio.timeout(2):
            await book.apply(event)
        return 200

    yield take


LIMIT_BYTES = 256 * 1024


@asynccontextmanager
async def commit(directory: Path) -> AsyncIterator[Take]:
    """A receiver that answers once the event is durable, and commits each for itself."""

    def connect() -> sqlite3.Connection:
        database = file.open_database(str(directory / "hand.db"), file.connect)
        database.execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, job TEXT, status TEXT, body BLOB)")
        return database

    async with aiosqlite.Connection(connect, 64) as database:
        turn = asyncio.Lock()  # one transaction at a time on a connection

        async def take(signature: str, body: bytes) -> int:
            event = read(signature, body)
            if event is None:
                return 401
            row = (event.id, event.data.object.id, event.data.object.status, body)
            async with turn:
                await database.execute("BEGIN IMMEDIATE")
                await database.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?)", row)
                await database.execute("COMMIT")
            return 200

        yield take


def job(vendor: Syntage, number: int) -> Job:
    """An open job as a session keeps it once the vendor has accepted it."""
    now = datetime.now(UTC)
    return Job(
        id=f"{number:032x}",
        vendor=vendor.name,
        account=vendor.account,
        task=syntage.Extraction(entity="/entities/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", extractor="tax_status"),
        created_at=now,
        key=f"{number:032x}",
        status=Status.PENDING,
        remote_id=remote_id(number),
        deadline=now + timedelta(hours=6),
        schedule=Schedule(next_poll=now + timedelta(hours=1)),
        version=1,
    )


@asynccontextmanager
async def open_session(store: str, jobs: int) -> AsyncIterator[Session]:
    vendor = Syntage("an-api-key", base_url="http://127.0.0.1:9", webhook_secrets=SECRET)
    polling = Polling(first=timedelta(hours=1), longest=timedelta(hours=1))
    async with Session(vendor, store=store, polling=polling) as session:
        for first in range(0, jobs, PUTS_AT_ONCE):
            numbers = range(first, min(first + PUTS_AT_ONCE, jobs))
            await asyncio.gather(*(session.store.put(job(vendor, number), expected=None) for number in numbers))
        yield session


def application(take: Take) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=await take(request.headers["X-Syntage-Signature"], await request.read()))

    app = web.Application()
    app.router.add_post(PATH, answer)
    return app


def asgi_application(take: Take) -> Callable[..., Awaitable[None]]:
    async def app(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        status = await take(dict(scope["headers"])[b"x-syntage-signature"].decode(), b"".join(parts))
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


@asynccontextmanager
async def applications(server: str, way: str, jobs: int, directory: Path) -> AsyncIterator[Any]:
    """What the server runs."""
    if way in ("ours", "sqlite"):
        store = f"sqlite:{directory / 'ours.db'}" if way == "sqlite" else "memory:"
        async with open_session(store, jobs) as session:
            app = web.Application()
            app.add_routes(webhook_routes(session))
            yield app if server == "aiohttp" else _mounted(WebhookApp(session))
    else:
        ways = {"hand": hand(directory), "kept": kept(jobs), "commit": commit(directory)}
        async with ways[way] as take:
            yield application(take) if server == "aiohttp" else asgi_application(take)


def _mounted(app: WebhookApp) -> Callable[..., Awaitable[None]]:
    async def mount(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await app({**scope, "root_path": "/webhooks"}, receive, send)

    return mount


async def main(server: str, way: str, jobs: int, directory: Path) -> None:
    async with applications(server, way, jobs, directory) as app:
        if server == "aiohttp":
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            print(f"127.0.0.1 {runner.addresses[0][1]} {os.getpid()}", flush=True)
            await asyncio.Event().wait()
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, http="httptools", loop="asyncio", lifespan="off", log_level="error",
            access_log=False,
        )  # fmt: skip
        listening = config.bind_socket()
        print(f"127.0.0.1 {listening.getsockname()[1]} {os.getpid()}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
