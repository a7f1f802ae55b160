"""The stores every rule of the contract is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from belvo_async.stores import MemoryStore
from belvo_async.stores.rules import ASIDE, PARKED, Bounds
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.postgres.server import PostgresStore, ReusedSchema, Stores as PostgresStores, own_stores
from tests.stores.redis.server import RedisStore, Stores, shared_stores

AnyStore = MemoryStore | SqliteStore | PostgresStore | RedisStore
MakeStore = Callable[..., AnyStore]


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Makes a store of each kind, not yet open; of SQLite always on the same file."""

    def make(*, parked: Bounds = PARKED, aside: Bounds = ASIDE) -> AnyStore:
        if request.param == "memory":
            return MemoryStore(parked=parked, aside=aside)
        if request.param == "postgres":
            schema_stores: PostgresStores = request.getfixturevalue("emptied_postgres_stores")
            return schema_stores(parked=parked, aside=aside)
        if request.param == "redis":
            stores: Stores = request.getfixturevalue("redis_stores")
            return stores(parked=parked, aside=aside)
        return SqliteStore(tmp_path / "jobs.db", parked=parked, aside=aside)

    return make


@pytest.fixture
def postgres_stores() -> Iterator[PostgresStores]:
    """Makes stores on the shared PostgreSQL server, all of one test in one schema."""
    with own_stores() as stores:
        yield stores


@pytest.fixture(scope="session")
def reused_schema() -> Iterator[ReusedSchema]:
    """The schema in which the tests of the contract follow each other."""
    schema = ReusedSchema()
    yield schema
    schema.close()


@pytest.fixture
def emptied_postgres_stores(reused_schema: ReusedSchema) -> Iterator[PostgresStores]:
    """Makes stores on the shared PostgreSQL server, all of one test in one schema, which was emptied before."""
    with reused_schema.stores() as stores:
        yield stores


@pytest.fixture
def redis_stores() -> Iterator[Stores]:
    """Makes stores on the shared Redis server, all of one test under one prefix."""
    with shared_stores() as stores:
        yield stores


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncIterator[AnyStore]:
    """An open, empty store of each kind."""
    async with make_store() as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's SQLite file is or will be."""
    return tmp_path / "jobs.db"
