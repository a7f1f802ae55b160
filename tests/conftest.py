"""What every test shares: virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.virtual_time import VirtualClock, VirtualTimeLoop

pytest_plugins = ["tests.canary"]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Every test runs on a loop with virtual time: nothing sleeps for real."""
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def clock() -> VirtualClock:
    """The wall clock of the test's loop; it moves when coroutines sleep, never by itself."""
    return VirtualClock(asyncio.get_running_loop())
