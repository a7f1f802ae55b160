"""Web workers as processes of their own, as an operator starts them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from belvo_async.simulator import SyntageSimulator
from tests.variables import variables_of

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def workers(vendor: SyntageSimulator, store: str, *, count: int, **settings: str) -> AsyncIterator[str]:
    """Start so many workers of `examples.several_workers` on one port; gives their address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | variables_of(vendor) | {"BELVO_ASYNC_STORE": store} | settings
    application = "examples.several_workers:app"
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", application, "--workers", str(count), "--port", str(port)),
        *("--log-level", "error"),
        cwd=ROOT,
        env=environ,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        await asyncio.wait_for(server.wait(), 30)
