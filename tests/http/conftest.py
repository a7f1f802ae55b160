"""A client with limits of its own, and a store that clients may share theirs in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from belvo_async._http import Http
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock


@pytest.fixture
async def http(clock: VirtualClock) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 0.0) as http:
        yield http


@pytest.fixture
async def store() -> AsyncIterator[TroubledStore]:
    async with TroubledStore() as store:
        yield store
