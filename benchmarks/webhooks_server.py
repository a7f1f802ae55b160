"""The receivers of `webhooks.py`, each in a process of its own.

    python benchmarks/webhooks_server.py SERVER WAY JOBS DIRECTORY

SERVER is `aiohttp` (aiohttp.web) or `asgi` (uvicorn with httptools). WAY is `ours` (the adapter over a session that
knows JOBS open jobs), `sqlite` (the same, kept by the SQLite store), `hand` (a handler of a dozen lines that verifies
and decodes), or `commit` (that handler, with a commit in SQLite for each event). Prints its address once it listens.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3
import sys
import time
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
        async with (hand if way == "hand" else commit)(directory) as take:
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
            print(f"127.0.0.1 {runner.addresses[0][1]}", flush=True)
            await asyncio.Event().wait()
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, http="httptools", loop="asyncio", lifespan="off", log_level="error",
            access_log=False,
        )  # fmt: skip
        listening = config.bind_socket()
        print(f"127.0.0.1 {listening.getsockname()[1]}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
