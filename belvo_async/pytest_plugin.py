"""pytest fixtures for tests of your own code: both vendors simulated over real HTTP, and a session on them.

    async def test_my_sync(belvo_async_session, belvo_simulator):
        job = await belvo_async_session.fire(belvo.Invoices(link=belvo_simulator.links[0], ...))
        await job

Active as soon as the package is installed with the extra `test` (pytest and pytest-asyncio); without the second, the
fixtures only say so. Jobs that take minutes at
the vendors take a fraction of a second here; webhooks arrive, signed, as the vendors send them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import pytest

try:
    from pytest_asyncio import fixture as asynchronous
except ImportError:
    asynchronous = None  # type: ignore[assignment]  # its absence is told by the fixtures

# Everything is imported inside the fixtures: the plugin loads in every pytest run of an environment that has it.
if TYPE_CHECKING:
    from . import Session
    from .abc import Clock
    from .simulator import BelvoSimulator, SyntageSimulator

# A Belvo job of a minute is over in a tenth of a second.
SIMULATED_SPEED: Final = 600.0

# Ten minutes of Belvo's, which is a second here: as long as it must stay quiet before an end is inferred (a `Refresh`
# has no other). Less would end a refresh while its link still refuses the next one.
SIMULATED_QUIET: Final = timedelta(minutes=10) / SIMULATED_SPEED

# Three equal polls fit into that second, so an end that nothing announces takes no longer than a `Refresh`.
SIMULATED_LONGEST: Final = SIMULATED_QUIET / 4


P = ParamSpec("P")
T = TypeVar("T")


def _fixture(make: Callable[P, AsyncIterator[T]]) -> object:
    """Declare an asynchronous fixture. Many run pytest without ever asking for one: only who asks needs the plugin."""
    if asynchronous is not None:
        return asynchronous(make)

    def missing() -> None:
        pytest.fail(f"`{make.__name__}` needs pytest-asyncio: pip install 'belvo-async[test]'", pytrace=False)

    return pytest.fixture(name=make.__name__)(missing)


@_fixture
async def belvo_simulator() -> AsyncIterator[BelvoSimulator]:
    """A local Belvo on an address of its own, with links and invoices; `next_job` and `next_answer` script faults."""
    from .simulator import BelvoSimulator

    async with BelvoSimulator(speed=SIMULATED_SPEED, limits=False) as simulator:
        yield simulator


@_fixture
async def syntage_simulator() -> AsyncIterator[SyntageSimulator]:
    """A local Syntage on an address of its own, with entities and invoices."""
    from .simulator import SyntageSimulator

    async with SyntageSimulator(speed=SIMULATED_SPEED, limits=False) as simulator:
        yield simulator


@_fixture
async def belvo_async_session(
    belvo_simulator: BelvoSimulator, syntage_simulator: SyntageSimulator
) -> AsyncIterator[Session]:
    """An open session on both simulators, memory store, fast polling, webhooks delivered to it.

    An end that Belvo does not announce (a `Refresh`, a silent job) is inferred after a second, not after ten minutes.
    """
    async with session_on(belvo_simulator, syntage_simulator) as session:
        yield session


@asynccontextmanager
async def session_on(
    belvo_simulator: BelvoSimulator, syntage_simulator: SyntageSimulator, *, clock: Clock | None = None
) -> AsyncGenerator[Session, None]:
    """Open what `belvo_async_session` is; `clock` as in Session."""
    from aiohttp import web

    from . import Belvo, Polling, Session, Syntage
    from .web.aiohttp import webhook_routes

    belvo = Belvo(
        belvo_simulator.secret_id,
        belvo_simulator.secret_password,
        base_url=belvo_simulator.url,
        webhook_authorization=belvo_simulator.webhook_authorization,
        quiet=SIMULATED_QUIET,
    )
    syntage = Syntage(
        syntage_simulator.api_key,
        base_url=syntage_simulator.url,
        webhook_secrets=(syntage_simulator.signing_secret,),
    )
    polling = Polling(first=timedelta(milliseconds=50), longest=SIMULATED_LONGEST)
    async with Session(belvo, syntage, polling=polling, clock=clock) as session:
        app = web.Application()
        app.add_routes(webhook_routes(session))
        runner = web.AppRunner(app, handler_cancellation=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            receiver = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
            belvo_simulator.webhook_url = f"{receiver}/{belvo.name}"
            syntage_simulator.webhook_url = f"{receiver}/{syntage.name}"
            yield session
        finally:
            belvo_simulator.webhook_url = syntage_simulator.webhook_url = None
            await runner.cleanup()
