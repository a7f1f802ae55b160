from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from belvo_async._tracker import Tracker
from tests.tracker.bench import Bench
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock


@pytest.fixture
async def bench(clock: VirtualClock) -> AsyncIterator[Bench]:
    async with TroubledStore() as store:
        yield Bench(clock, store)
        store.is_down = False


@pytest.fixture
async def tracker(bench: Bench) -> AsyncIterator[Tracker]:
    async with bench.opened() as tracker:
        yield tracker
