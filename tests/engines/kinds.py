"""Every engine on its real server, in a place of its own there, which is dropped in the end."""

from __future__ import annotations

import asyncio
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aio_pika
import procrastinate
import psycopg
import pytest
from procrastinate.schema import SchemaManager
from redis.asyncio import Redis
from taskiq import AsyncBroker
from taskiq.api import run_receiver_task
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue
from taskiq_redis import RedisStreamBroker

from belvo_async.engines import procrastinate as on_procrastinate, taskiq as on_taskiq
from belvo_async.engines.work import Collect, OpenSession, Work
from tests.stores.postgres.server import URL as POSTGRES
from tests.stores.redis.server import SHARED_URL as REDIS

RABBIT = "amqp://guest:guest@127.0.0.1:5672/"
KINDS = ("procrastinate", "rabbitmq", "redis")


def new_place() -> str:
    return f"engine_{uuid.uuid4().hex[:16]}"


class Kind(ABC):
    """One engine on one server, under a name that nobody else uses. What it makes belongs to one process."""

    def __init__(self, place: str) -> None:
        self.place = place

    @abstractmethod
    async def prepare(self) -> None:
        """Make the place."""

    @abstractmethod
    async def remove(self) -> None:
        """Drop it, with all that is in it."""

    @abstractmethod
    def make(self, open_session: OpenSession, collect: Collect | None = None, **options: Any) -> Work:
        """An engine of this process."""

    @abstractmethod
    @asynccontextmanager
    def open(self) -> AsyncIterator[None]:
        """Have the queue open, to put messages on it."""

    @abstractmethod
    async def work(self) -> None:
        """Work until cancelled."""

    @abstractmethod
    async def empty(self) -> None:
        """Lose every message that waits."""

    @abstractmethod
    async def messages(self) -> list[str]:
        """Every message that waits, as it stands in the queue."""


class OnProcrastinate(Kind):
    async def prepare(self) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(POSTGRES, autocommit=True) as connection:
                await connection.execute(f"CREATE SCHEMA {self.place}")
                await connection.execute(f"SET search_path TO {self.place}")
                await connection.execute(SchemaManager.get_schema())
        except psycopg.OperationalError:
            missing("no PostgreSQL on 127.0.0.1:5432")

    async def remove(self) -> None:
        async with await psycopg.AsyncConnection.connect(POSTGRES, autocommit=True) as connection:
            await connection.execute(f"DROP SCHEMA {self.place} CASCADE")

    def make(self, open_session: OpenSession, collect: Collect | None = None, **options: Any) -> Work:
        connector = procrastinate.PsycopgConnector(conninfo=f"{POSTGRES}?options=-csearch_path%3D{self.place}")
        # A worker that is killed is noticed by this, not by its connection.
        self.app = procrastinate.App(connector=connector, worker_defaults={"update_heartbeat_interval": 1.0})
        return on_procrastinate.Engine(self.app, open_session, collect=collect, **options)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.app.open_async():
            yield

    async def work(self) -> None:
        await self.app.run_worker_async(concurrency=4, install_signal_handlers=False, shutdown_graceful_timeout=1)

    async def empty(self) -> None:
        await self.app.connector.execute_query_async("DELETE FROM procrastinate_jobs WHERE status = 'todo'")

    async def messages(self) -> list[str]:
        rows = await self.app.connector.execute_query_all_async(
            "SELECT jobs::text AS text FROM procrastinate_jobs jobs"
        )
        return [str(row["text"]) for row in rows]


class OnTaskiq(Kind):
    broker: AsyncBroker

    @abstractmethod
    def make_broker(self) -> AsyncBroker: ...

    def make(self, open_session: OpenSession, collect: Collect | None = None, **options: Any) -> Work:
        self.broker = self.make_broker()
        return on_taskiq.Engine(self.broker, open_session, collect=collect, **options)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        await self.broker.startup()
        try:
            yield
        finally:
            await self.broker.shutdown()

    async def work(self) -> None:
        # A worker has a broker of its own; here both are one process.
        self.broker.is_worker_process = True
        await self.broker.startup()
        await run_receiver_task(self.broker, max_async_tasks=4)


class OnRabbit(OnTaskiq):
    def make_broker(self) -> AsyncBroker:
        return AioPikaBroker(
            RABBIT,
            exchange=Exchange(name=self.place),
            task_queues=[Queue(name=self.place)],
            dead_letter_queue=Queue(name=f"{self.place}_dead"),
        )

    async def prepare(self) -> None:
        try:
            await (await aio_pika.connect(RABBIT)).close()
        except OSError:
            missing("no RabbitMQ on 127.0.0.1:5672")

    async def remove(self) -> None:
        async with await aio_pika.connect(RABBIT) as connection:
            channel = await connection.channel()
            for name in (self.place, f"{self.place}_dead"):
                await channel.queue_delete(name)
            await channel.exchange_delete(self.place)

    async def empty(self) -> None:
        async with await aio_pika.connect(RABBIT) as connection:
            channel = await connection.channel()
            await (await channel.get_queue(self.place, ensure=False)).purge()

    async def messages(self) -> list[str]:
        found: list[str] = []
        async with await aio_pika.connect(RABBIT) as connection:
            queue = await (await connection.channel()).get_queue(self.place, ensure=False)
            while (message := await queue.get(fail=False)) is not None:
                found.append(f"{message.headers} {message.body.decode()}")
        return found  # none was acknowledged: all of them go back


class OnRedis(OnTaskiq):
    def make_broker(self) -> AsyncBroker:
        return RedisStreamBroker(
            REDIS, queue_name=self.place, consumer_group_name=self.place, consumer_id="0", idle_timeout=2_000
        )

    async def prepare(self) -> None:
        async with Redis.from_url(REDIS) as client:
            try:
                await client.ping()
            except OSError:
                missing("no Redis on 127.0.0.1:6379")

    async def remove(self) -> None:
        async with Redis.from_url(REDIS) as client:
            await client.delete(self.place)

    async def empty(self) -> None:
        async with Redis.from_url(REDIS) as client:
            await client.xtrim(self.place, maxlen=0, approximate=False)

    async def messages(self) -> list[str]:
        async with Redis.from_url(REDIS) as client:
            return [str(fields) for _, fields in await client.xrange(self.place)]


def kind_of(name: str, place: str) -> Kind:
    return {"procrastinate": OnProcrastinate, "rabbitmq": OnRabbit, "redis": OnRedis}[name](place)


def missing(what: str) -> None:
    """Skip for want of a server, or fail where one is demanded."""
    if os.environ.get("BELVO_ASYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(what)
    pytest.skip(what)


async def end(task: asyncio.Task[Any]) -> None:
    """End a task that was begun here."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
