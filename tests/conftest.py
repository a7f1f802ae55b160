"""What every test shares: virtual time."""

from __future__ import annotations

import asyncio

import pytest

from tests.virtual_time import VirtualClock, VirtualTimePolicy


@pytest.fixture
def event_loop_policy() -> VirtualTimePolicy:
    return VirtualTimePolicy()


@pytest.fixture
async def clock() -> VirtualClock:
    """The wall clock of the test's loop; it moves when coroutines sleep, never by itself."""
    return VirtualClock(asyncio.get_running_loop())
