"""`belvo-async serve`: receives webhooks into a store that other processes share."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from .._session import Session
from .._session.hooks.opening import CheckWebhooks
from ..errors import ConfigurationError, StoreError
from ..payload import DELIVERY_LIMIT_BYTES
from ..web.aiohttp import webhook_routes
from .connection_limit import scarcity_in_words
from .existing import store_url
from .lasting import hear, run
from .log import Lines

INTERRUPTED: Final = 130
# Reading one job that is not there says whether the store answers; whoever asks waits no longer than for a delivery.
HEALTH_SECONDS: Final = 2.0
# A public address meets slow senders and idle connections; both vendors connect, send and are gone in seconds. aiohttp
# by itself keeps an idle connection for an hour and takes a minute to stop.
SETTINGS: dict[str, Any] = {
    "keepalive_timeout": 15.0,
    "max_line_size": 4096,
    "max_field_size": 4096,
    "max_headers": 64,
    "auto_decompress": False,  # a compressed body is refused unread
    "handler_cancellation": False,  # a sender that hangs up must not undo what is being stored
    "shutdown_timeout": 5.0,
    "access_log": None,
}


def serve(
    url: str | None, *, host: str, port: int, prefix: str, poll: bool, check_webhooks: CheckWebhooks | None = None
) -> int:
    """Serve until a signal comes; the exit code."""
    in_memory = "a store in memory is no use here: no other process could read what is received"
    session = Session.from_env(store=store_url(url, in_memory=in_memory), sweep=poll, check_webhooks=check_webhooks)
    with _log_to_stderr():
        return run(_serve(session, make_app(session, prefix), host, port, prefix))


def make_app(session: Session, prefix: str) -> web.Application:
    """Make the application: the webhooks of the session's vendors, and its health."""
    app = web.Application(client_max_size=DELIVERY_LIMIT_BYTES)
    app.add_routes(_provable_routes(session, prefix))
    app.router.add_get("/health", partial(_health, session))
    app.on_response_prepare.append(_hide_server)
    return app


def _provable_routes(session: Session, prefix: str) -> list[web.RouteDef]:
    variables = {"belvo": "BELVO_WEBHOOK_AUTH", "syntage": "SYNTAGE_WEBHOOK_SECRET"}
    for name, vendor in session.vendors.items():
        if not vendor.accepts_webhooks:
            raise ConfigurationError(
                f"{name} has no webhook secret, so no delivery can be proven: set {variables.get(name, 'one')}"
            )
    return webhook_routes(session, prefix=prefix)


async def _health(session: Session, _: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            await session.store.get("health")
    except (StoreError, TimeoutError):
        return web.Response(status=503)
    return web.Response(status=200)


async def _hide_server(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)


async def _serve(session: Session, app: web.Application, host: str, port: int, prefix: str) -> int:
    async with session:
        runner = web.AppRunner(app, **SETTINGS)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            with scarcity_in_words(), ending_signals() as came:
                for line in _lines(session, runner, prefix):
                    print(line, flush=True)
                return INTERRUPTED if await came == signal.SIGINT else 0
        finally:
            # First the door, then the store: what was let in is stored and answered.
            await runner.cleanup()


@contextmanager
def ending_signals() -> Generator[asyncio.Future[signal.Signals], None, None]:
    """The first signal that asks to stop; after it signals act as ever, so that a second one ends it at once."""
    came: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()

    def note(each: signal.Signals) -> None:
        if not came.done():
            came.set_result(each)

    handled = [hear(each, partial(note, each)) for each in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield came
    finally:
        for unhear in handled:
            unhear()


def _lines(session: Session, runner: web.AppRunner, prefix: str) -> list[str]:
    host, port = runner.addresses[0][:2]
    base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return [
        f"receiving webhooks on {base_url}",
        *(f"  POST {prefix}/{name}" for name in session.vendors),
        "  GET /health",
        "Ctrl-C or SIGTERM ends it.",
    ]


@contextmanager
def _log_to_stderr() -> Generator[None, None, None]:
    """Warnings of the library on stderr, one line each; nothing about strangers who do not speak HTTP."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(message)s"))
    ours, theirs = logging.getLogger("belvo_async"), logging.getLogger("aiohttp.server")
    ours.addHandler(handler)
    theirs.addFilter(_is_a_bug)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        theirs.removeFilter(_is_a_bug)


def _is_a_bug(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)
