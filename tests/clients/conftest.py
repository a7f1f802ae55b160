"""A simulated Belvo for clients that block: on a thread and an event loop of its own, in real time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from belvo_async.simulator import BelvoSimulator

# A retrieval of a minute and a half is over in a tenth of a second.
SPEED = 1000.0


@pytest.fixture
def belvo() -> Iterator[BelvoSimulator]:
    ready: Future[tuple[BelvoSimulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        # Ten rows a page, as in the sandbox: clients must follow `next`.
        async with BelvoSimulator(speed=SPEED, page_size_default=10) as simulator:
            stop = asyncio.Event()
            ready.set_result((simulator, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    simulator, loop, stop = ready.result(timeout=30)
    yield simulator
    loop.call_soon_threadsafe(stop.set)
    thread.join()
