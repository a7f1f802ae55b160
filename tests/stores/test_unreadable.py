"""What is kept but cannot be read, on every store that outlives its process."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async.abc import Budget
from belvo_async.errors import StoreError
from belvo_async.jobs import Misread, Seen
from belvo_async.stores.documents import read_observations
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.postgres.server import admin, own_stores
from tests.stores.redis.server import shared_stores
from tests.stores.samples import ACCOUNT, NOON, Fetch, a_due_job, after, word

NEWER = b'{"says":"dreamt","way":"poll","at":"2026-06-01T12:00:00Z","note":"RFC of somebody"}'
STRANGE = b'{"RFC of somebody": 1}'
BUDGET = Budget("b", 1, timedelta(seconds=1))
TABLES = ("job", "timeline", "parked", "budget")

Store = Any
# Spoils every document there is.
Spoil = Callable[[], object]


@contextmanager
def sqlite(tmp_path: Path) -> Iterator[tuple[Store, Spoil]]:
    path = tmp_path / "jobs.db"

    def spoil() -> None:
        with closing(sqlite3.connect(path)) as database, database:
            for table in TABLES:
                database.execute(f"UPDATE {table} SET document = ?", (STRANGE,))

    yield SqliteStore(path), spoil


@contextmanager
def postgres(_tmp_path: Path) -> Iterator[tuple[Store, Spoil]]:
    with own_stores() as stores:

        def spoil() -> None:
            with admin() as connection:
                for table in TABLES:
                    connection.execute(f'UPDATE "{stores.schema}".{table} SET document = %s'.encode(), (STRANGE,))

        yield stores(), spoil


@contextmanager
def redis(_tmp_path: Path) -> Iterator[tuple[Store, Spoil]]:
    with shared_stores() as stores:

        def spoil() -> None:
            with stores.client() as client:
                for key in stores.all_keys():
                    kind = key.partition("}:")[2]
                    if kind.startswith(("job:", "parked:item:")):
                        client.hset(key, "document", STRANGE)
                    elif kind.startswith("timeline:"):
                        client.lset(key, 0, STRANGE)

        yield stores(), spoil


KINDS = {"sqlite": sqlite, "postgres": postgres, "redis": redis}


@pytest.fixture(params=KINDS)
def spoiled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Spoil]]:
    with KINDS[request.param](tmp_path) as made:
        yield made


CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "get": lambda store: store.get("job-1"),
    "find": lambda store: store.find(ACCOUNT, "r"),
    "standing": lambda store: store.standing(ACCOUNT, "k"),
    "open_jobs": lambda store: anext(store.open_jobs()),
    "claim_due": lambda store: store.claim_due([ACCOUNT], now=NOON, until=after(1), limit=1),
    "timeline": lambda store: store.timeline("job-1"),
    "reserve": lambda store: store.reserve(BUDGET, NOON),
}


async def test_what_cannot_be_read_is_reported(spoiled: tuple[Store, Spoil]) -> None:
    """Whatever it is, by StoreError; its content is not repeated."""
    store, spoil = spoiled
    async with store:
        await store.put(a_due_job("job-1", 0, key="k", remote_id="r", task=Fetch()), expected=None, observation=word())
        await store.park(ACCOUNT, word(remote_id="early", subject="s", resource="r", adoptable=True))
        await store.reserve(BUDGET, NOON)
        spoil()

        for name, call in CALLS.items():
            if name == "reserve" and type(store).__name__ == "RedisStore":
                continue  # there a budget is no document
            with pytest.raises(StoreError, match="cannot be read") as caught:
                await call(store)
            assert "RFC" not in str(caught.value), name


PARKED: dict[str, Callable[[Store], Awaitable[object]]] = {
    "parked": lambda store: store.parked(ACCOUNT),
    "parked_about": lambda store: store.parked_about(ACCOUNT, ["early"]),
    "adoptable": lambda store: store.adoptable(ACCOUNT, subject="s", resource="r", since=NOON, limit=9),
}


async def test_an_early_delivery_that_cannot_be_read_stands_in_nobodys_way(
    spoiled: tuple[Store, Spoil], caplog: pytest.LogCaptureFixture
) -> None:
    """It would stop every poll of its account: it is left out, and told without its content.

    Only who looks for the one delivery that an uncertain submission can have caused hears that there is another.
    """
    store, spoil = spoiled
    async with store:
        await store.park(ACCOUNT, word(remote_id="early", subject="s", resource="r", adoptable=True))
        spoil()
        fine = word(remote_id="early", delivery_id="later", subject="s", resource="r", adoptable=True, at=after(1))
        await store.park(ACCOUNT, fine)

        assert dict.fromkeys(("parked", "parked_about"), (fine,)) == {
            name: await call(store) for name, call in PARKED.items() if name != "adoptable"
        }
        candidates: Any = await PARKED["adoptable"](store)
        assert [Misread, Seen] == [type(each) for each in candidates]

    assert "early deliveries cannot be read here" in caplog.text
    assert "RFC" not in caplog.text


def test_a_kind_of_observation_that_is_not_known_is_reported() -> None:
    """A newer release kept it. All stores say so in one sentence."""
    with pytest.raises(StoreError) as caught:
        read_observations([NEWER])

    assert "a stored observation cannot be read: was it written by a newer release?" == str(caught.value)
    assert caught.value.__cause__ is None
