"""The stores every rule of the contract is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from belvo_async.stores import MemoryStore
from belvo_async.stores.rules import ASIDE, PARKED, Bounds
from belvo_async.stores.sqlite import SqliteStore

AnyStore = MemoryStore | SqliteStore
MakeStore = Callable[..., AnyStore]


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Makes a store of each kind, not yet open; of SQLite always on the same file."""

    def make(*, parked: Bounds = PARKED, aside: Bounds = ASIDE) -> AnyStore:
        if request.param == "memory":
            return MemoryStore(parked=parked, aside=aside)
        return SqliteStore(tmp_path / "jobs.db", parked=parked, aside=aside)

    return make


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncIterator[AnyStore]:
    """An open, empty store of each kind."""
    async with make_store() as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's SQLite file is or will be."""
    return tmp_path / "jobs.db"
