"""The second process of the wake part of `store.py`: tells when what it waits for has reached it.

    python benchmarks/store_fellow.py WAY URL NAME

Way `ours` reads a job's id a line and awaits that job in a tracker on the store; way `bare` reads a channel and the id
of something to read, and waits for a message of the bare driver. Answers with a line `waiting`, then with the instant
its awaiter ran, on the monotonic clock all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import redis.asyncio
from store_servers import is_postgres, open_store

from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.jobs import Polling

# From being asked to having nothing left to do but wait.
SETTLING_SECONDS = 0.01

Wait = Callable[[str], Awaitable[None]]


def channel(name: str) -> str:
    """Where the bare drivers tell each other; the store's own notifications must not be heard there."""
    return f"{name}_bare"


@asynccontextmanager
async def ours(url: str, name: str) -> AsyncIterator[Wait]:
    async with open_store(url, name) as store, Tracker(
        store=store, vendors={}, talks={}, polling=Polling(), clock=SystemClock(), chance=lambda: 0.5,
        new_id=lambda: "", sweep=False,
    ) as tracker:  # fmt: skip

        async def wait(job_id: str) -> None:
            job = await store.get(job_id)
            assert job is not None
            watch = tracker.watch(job)
            await tracker.settle(watch, until=job.deadline)

        yield wait


@asynccontextmanager
async def bare_postgres(url: str, name: str) -> AsyncIterator[Wait]:
    connect = psycopg.AsyncConnection.connect
    async with await connect(url, autocommit=True) as ear, await connect(url, autocommit=True) as reader:
        await ear.execute(f"LISTEN {channel(name)}".encode())
        query = f"SELECT document FROM {name}.job WHERE id = %s".encode()
        messages = ear.notifies()

        async def wait(_job_id: str) -> None:
            message = await anext(messages)
            assert await (await reader.execute(query, (message.payload,), binary=True)).fetchone()

        yield wait


@asynccontextmanager
async def bare_redis(url: str, name: str) -> AsyncIterator[Wait]:
    async with redis.asyncio.Redis.from_url(url) as reader, reader.pubsub() as ear:
        await ear.subscribe(channel(name))
        messages = ear.listen()
        await anext(messages)  # the answer to the subscription

        async def wait(_job_id: str) -> None:
            message = await anext(messages)
            assert await reader.hget(f"{{{name}}}:job:{message['data'].decode()}", "document")

        yield wait


async def main(way: str, url: str, name: str) -> None:
    logging.disable()  # the store warns of a server that may lose jobs
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ways = {"ours": ours, "bare": bare_postgres if is_postgres(url) else bare_redis}
    async with ways[way](url, name) as wait:
        print("open", flush=True)
        async for line in reader:
            waiting = asyncio.create_task(_note(wait, line.decode().strip()))
            await asyncio.sleep(SETTLING_SECONDS)
            print("waiting", flush=True)
            print(await waiting, flush=True)


async def _note(wait: Wait, job_id: str) -> float:
    await wait(job_id)
    return time.monotonic()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
