"""Processes of a benchmark that reach each other on this machine: a port for it, and webhooks that come there."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from belvo_async import Session
from belvo_async.web.aiohttp import webhook_routes


def free_port() -> int:
    """A port that nobody listens on now: both sides have to know it before either runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def receiving(session: Session, port: int) -> AsyncIterator[None]:
    """Take the webhooks of a session's vendors on a port, in this block."""
    app = web.Application()
    app.add_routes(webhook_routes(session))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
