"""What a store raises shows no password, no address and nothing that it keeps."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async.errors import ConfigurationError, StoreError
from belvo_async.stores import open_store
from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.redis.store import RedisStore
from belvo_async.stores.rules import Bounds
from belvo_async.stores.sqlite.store import SqliteStore
from tests.frames import chain, leaks_of, provoked
from tests.stores.conftest import MakeStore
from tests.stores.postgres.server import URL
from tests.stores.redis.server import SHARED_URL, own_server
from tests.stores.samples import NOON, a_job
from tests.waiting import hold_time_for_postgres

CANARY = "canary93c6d20f"


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def failure_of(store: Any) -> StoreError:
    """What opening raises, which hangs on nothing of another package."""
    with pytest.raises(StoreError) as raised:
        await store.__aenter__()
    assert [raised.value] == list(chain(raised.value))
    provoked(raised)
    return raised.value


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{CANARY}@127.0.0.1:1/0",
        f"redis://ana:{CANARY}@127.0.0.1:1/0",
        f"redis://ana:{CANARY}@{CANARY}.invalid/0",
        f"redis://127.0.0.1:1/0?password={CANARY}&username={CANARY}",
        f"rediss://:{CANARY}@127.0.0.1:6379/0",
        SHARED_URL.replace("//", f"//ana:{CANARY}@"),
        SHARED_URL.replace("//", f"//:{CANARY}@"),
    ],
)
async def test_a_redis_server_that_cannot_be_used(url: str) -> None:
    """Nothing there, another protocol, or a password that it does not take."""
    error = await failure_of(RedisStore(url, timeout=None))

    assert [] == leaks_of(error, CANARY)


async def test_a_redis_server_that_is_silent() -> None:
    """The caller's own patience ends first: its TimeoutError carries the cancellation."""
    with silent_port() as port:
        store = RedisStore(f"redis://ana:{CANARY}@127.0.0.1:{port}/0", timeout=timedelta(seconds=9))

        async def open_soon() -> None:
            async with asyncio.timeout(1):
                await store.__aenter__()

        with pytest.raises(TimeoutError) as raised:
            await open_soon()
        error = await failure_of(store)

    assert [] == leaks_of(raised.value, CANARY)
    assert [] == leaks_of(error, CANARY)


async def test_a_redis_server_that_goes_away(tmp_path: Path) -> None:
    """Under an open store: its reconnecting knows the password."""
    with own_server(tmp_path, "--requirepass", CANARY) as (server, stores):
        stores.url = server.url.replace("//", f"//:{CANARY}@")
        async with stores() as store:
            await store.put(a_job(), expected=None)
            server.kill()

            for call in (store.get("job-1"), store.set_aside("account", CANARY.encode(), NOON), store.get("job-1")):
                with pytest.raises(StoreError) as raised:
                    await call
                assert [raised.value] == list(chain(raised.value))
                assert [] == leaks_of(provoked(raised), CANARY)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ana:{CANARY}@127.0.0.1:1/db",
        f"postgresql://{CANARY}:{CANARY}@127.0.0.1/{CANARY}",
        f"postgresql://ana:{CANARY}@{CANARY}.invalid/db",
        f"postgresql://127.0.0.1:1/db?password={CANARY}&user={CANARY}",
        f"{URL}?options=-csearch_path%3D{CANARY}%20-c{CANARY}%3D1",
    ],
)
async def test_a_postgresql_server_that_cannot_be_used(url: str) -> None:
    """Nothing there, or a user, a database or an option that it does not take."""
    with hold_time_for_postgres():
        error = await failure_of(PostgresStore(url))

    assert [] == leaks_of(error, CANARY)


async def test_a_postgresql_server_that_is_silent() -> None:
    """The caller's own patience ends first: its TimeoutError carries the cancellation."""
    with silent_port() as port:
        store = PostgresStore(f"postgresql://ana:{CANARY}@127.0.0.1:{port}/db")

        async def open_soon() -> None:
            async with asyncio.timeout(1):
                await store.__aenter__()

        with pytest.raises(TimeoutError) as raised:
            await open_soon()

    assert [] == leaks_of(raised.value, CANARY)


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"mysql://ana:{CANARY}@host/db",
        f"sqlite://{CANARY}",
        f"redis://:{CANARY}@[::1/0",
        f"redis://:{CANARY}@host/0?prefix={{{CANARY}}}",
        f"redis://:{CANARY}@host/0?colour={CANARY}",
        f"rediss://:{CANARY}@host/0?ssl_cert_reqs={CANARY}",
        f"redis://:{CANARY}@host/0?socket_timeout={CANARY}",
        f"postgresql://ana:{CANARY}@[::1/db",
        f"postgresql://ana:{CANARY}@host/db?schema={CANARY.upper()}",
        f"postgresql://ana:{CANARY}@host/db?a={CANARY}",
        f"postgresql://ana:{CANARY}@rest@host/db",
    ],
)
def test_a_url_that_cannot_be_read(url: str) -> None:
    """It is refused where it is given, and that shows it."""
    with pytest.raises(ConfigurationError) as raised:
        open_store(url)

    assert [] == leaks_of(provoked(raised), CANARY)


@pytest.mark.parametrize("kind", [RedisStore, PostgresStore])
def test_a_store_that_is_made_of_a_wrong_url(kind: Callable[[str], object]) -> None:
    """Made directly, not by `open_store`."""
    with pytest.raises(ConfigurationError) as raised:
        kind(f"redis://ana:{CANARY}@[::1/0?{CANARY}=1")

    assert [] == leaks_of(provoked(raised), CANARY)


async def test_a_delivery_that_is_too_long(make_store: MakeStore) -> None:
    """What a store does not keep for want of room."""
    async with make_store(aside=Bounds(count=1, limit_bytes=9)) as store:
        with pytest.raises(StoreError) as raised:
            await store.set_aside("account", CANARY.encode(), NOON)

    assert [] == leaks_of(provoked(raised), CANARY)


async def test_a_store_that_is_closed(make_store: MakeStore) -> None:
    """What comes too late."""
    async with make_store() as store:
        pass

    with pytest.raises(StoreError) as raised:
        await store.set_aside("account", CANARY.encode(), NOON)

    assert [] == leaks_of(provoked(raised), CANARY)


async def test_a_database_that_refuses(path: Path) -> None:
    """The frames of the thread hold what it writes."""

    def refuse(connection: sqlite3.Connection) -> None:
        connection.set_authorizer(lambda action, *_: 1 if action == sqlite3.SQLITE_INSERT else 0)

    def connect(file: str) -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        connections.append(connection)
        return connection

    connections: list[sqlite3.Connection] = []
    async with SqliteStore(path, connect=connect) as store:
        await store.put(a_job("0"), expected=None)
        refuse(connections[0])

        with pytest.raises(StoreError) as raised:
            await store.set_aside("account", CANARY.encode(), NOON)

    assert [] == leaks_of(provoked(raised), CANARY)
    assert [raised.value] == list(chain(raised.value))
