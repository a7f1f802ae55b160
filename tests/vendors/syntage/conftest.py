"""A simulated Syntage, and a session on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from belvo_async import Session, Syntage
from belvo_async.simulator import SyntageSimulator
from tests.virtual_time import VirtualClock


@pytest.fixture
async def vendor(clock: VirtualClock) -> AsyncIterator[SyntageSimulator]:
    """A Syntage on loopback."""
    async with SyntageSimulator(now=clock.now, invoices_per_year=40) as simulator:
        yield simulator


@pytest.fixture
async def session(vendor: SyntageSimulator, clock: VirtualClock) -> AsyncIterator[Session]:
    """A session on it, without webhooks: polls tell how jobs end."""
    async with AsyncExitStack() as stack:
        dialect = Syntage(vendor.api_key, base_url=vendor.url, webhook_secrets=vendor.signing_secret)
        yield await stack.enter_async_context(Session(dialect, clock=clock))
