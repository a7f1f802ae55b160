"""`belvo-async ui`: the morning page on loopback, refreshed by server-sent events."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from ..._page.render import content_policy
from ...errors import ConfigurationError
from ..lasting import run
from ..serve import INTERRUPTED, SETTINGS, ending_signals
from .board import Board
from .source import PageRequest

# An idle connection is told that it lives, so that one whose other end is gone is noticed.
HEARTBEAT_SECONDS: Final = 15.0
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{content_policy(is_live=True)}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ui(source: PageRequest, *, host: str, port: int, allow_remote: bool) -> int:
    """Serve the page until a signal comes; the exit code."""
    check_host(host, allow_remote=allow_remote)
    return run(_serve(source, host, port, allow_remote=allow_remote))


def check_host(host: str, *, allow_remote: bool) -> None:
    """Refuse an address that others reach. Raises ConfigurationError."""
    if not (allow_remote or is_loopback(host)):
        raise ConfigurationError(
            f"{host} can be reached from elsewhere, and the page asks nobody who they are: put a proxy that does "
            "before it, and say --allow-remote"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(source: PageRequest, host: str, port: int, *, allow_remote: bool) -> int:
    async with source.open_store() as store:
        board = Board(store, source, lambda: datetime.now(UTC))
        await board.refresh()
        runner = web.AppRunner(make_app(board, allow_remote=allow_remote), **_SETTINGS)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            with ending_signals() as came:
                print(f"the morning page is on {_address(runner)}\nCtrl-C or SIGTERM ends it.", flush=True)
                return await _until(came, board)
        finally:
            await runner.cleanup()


# Whoever closes the page ends what was waiting for it.
_SETTINGS: Final[dict[str, Any]] = SETTINGS | {"handler_cancellation": True, "shutdown_timeout": 0.5}


async def _until(came: asyncio.Future[signal.Signals], board: Board) -> int:
    following = asyncio.create_task(board.follow())
    try:
        await asyncio.wait((asyncio.ensure_future(came), following), return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            await following
        return INTERRUPTED if await came == signal.SIGINT else 0
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def make_app(board: Board, *, allow_remote: bool = False) -> web.Application:
    """Make the application: the page, and its events."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=board.html, content_type="text/html", headers=HEADERS)

    async def events(request: web.Request) -> web.StreamResponse:
        return await _tell(board, request)

    app = web.Application(middlewares=[] if allow_remote else [_refuse_other_names])
    app.router.add_get("/", page)
    app.router.add_get("/events", events)
    app.on_response_prepare.append(_hide_server)
    return app


async def _tell(board: Board, request: web.Request) -> web.StreamResponse:
    """Say when the page shows something else than whoever listens has seen."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    seen = request.headers.get("Last-Event-ID", board.mark)
    await response.write(b"retry: 3000\n\n")
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                seen = await board.next_mark(seen)
        except TimeoutError:
            await response.write(b": still here\n\n")
        else:
            await response.write(f"id: {seen}\nevent: changed\ndata: {seen}\n\n".encode())


@web.middleware
async def _refuse_other_names(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """A name that somebody else made point here (DNS rebinding) must not read the page."""
    if (request.url.host or "") not in LOCAL_NAMES and not is_loopback(request.url.host or ""):
        raise web.HTTPMisdirectedRequest
    return await handler(request)


async def _hide_server(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)
