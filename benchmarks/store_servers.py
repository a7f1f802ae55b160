"""The servers that parts of `store.py` need, and names nobody else uses there."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from typing import Any

import psycopg
import redis
from store_jobs import AREA
from table import Row

from belvo_async.abc import Store
from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.redis.store import RedisStore

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/0"
SERVERS = {"PostgreSQL": POSTGRES, "Redis": REDIS}


def is_postgres(url: str) -> bool:
    return url.startswith("postgresql")


def open_store(url: str, name: str) -> AbstractAsyncContextManager[Store]:
    """A store whose schema or prefix has this name."""
    return PostgresStore(f"{url}?schema={name}") if is_postgres(url) else RedisStore(url, prefix=name)


def admin() -> psycopg.Connection[Any]:
    return psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2)


@contextmanager
def own_schema() -> Iterator[str]:
    """A schema nobody else uses; it is dropped in the end."""
    schema = f"benchmark_{secrets.token_hex(6)}"
    with closing(admin()) as connection:
        try:
            yield schema
        finally:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


@contextmanager
def own_prefix() -> Iterator[str]:
    """A prefix nobody else uses; its keys are deleted in the end."""
    prefix = f"benchmark-{secrets.token_hex(6)}"
    with redis.Redis.from_url(REDIS, socket_connect_timeout=2, retry=None) as client:
        client.ping()
        try:
            yield prefix
        finally:
            for key in client.scan_iter(match=f"{{{prefix}}}:*", count=1000):
                client.delete(key)


def on_server(what: str, compare: Callable[[str, str], Coroutine[Any, Any, list[Row]]]) -> list[Row]:
    """Compare under two names of the server; where none answers, the row says so."""
    url = SERVERS[what]
    own_name = own_schema if is_postgres(url) else own_prefix
    try:
        with own_name() as one, own_name() as two:
            return asyncio.run(compare(one, two))
    except (psycopg.OperationalError, redis.ConnectionError):
        return [Row(area=AREA, what=f"{what} is left out: none answers at {url.rpartition('@')[2]}")]
