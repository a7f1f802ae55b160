"""Webhooks for aiohttp.web: `app.add_routes(webhook_routes(session))`, on a session that `app.cleanup_ctx` opens."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from .._session import Session
from ..abc import Headers
from ..discreet import discreet
from ..payload import DELIVERY_LIMIT_BYTES
from ._guard import READ_WITHIN_SECONDS, Guard, is_encoded

# What reading raises when the sender went away, or sent what is no HTTP.
_BROKEN: Final = (web.RequestPayloadError, HttpProcessingError, ConnectionError)
_READ_BEFORE: Final = (
    "its body was read by a middleware that kept it for itself: read it there with `await request.read()`, "
    "which remembers the bytes"
)


def webhook_routes(session: Session, *, prefix: str = "/webhooks") -> list[web.RouteDef]:
    """Routes `POST <prefix>/<vendor name>`, with or without a slash at the end, for every vendor of the session.

    Raises ConfigurationError when a vendor has no webhook secret and unproven deliveries were not spelled out as
    allowed. Compressed bodies are refused without being unpacked.
    """
    guard = Guard(session)
    base = "/" + prefix.strip("/") if prefix.strip("/") else ""
    # Two plain paths: aiohttp finds those by a dictionary, and a pattern by trying it.
    paths = [(name, f"{base}/{name}{slash}") for name in session.vendors for slash in ("", "/")]
    return [web.post(path, partial(_answer, guard, name)) for name, path in paths]


@discreet
async def _answer(guard: Guard, vendor_name: str, request: web.Request) -> web.Response:
    status = await _status(guard, vendor_name, request)
    response = web.Response(status=status, headers={"Retry-After": "5"} if status == 503 else None)
    if not request.content.is_eof():
        await _refuse_rest(request, response)
    return response


async def _status(guard: Guard, vendor_name: str, request: web.Request) -> int:
    headers = Headers(request.headers.items())
    if is_encoded(headers.get_all("Content-Encoding")):
        return 415
    if (request.content_length or 0) > DELIVERY_LIMIT_BYTES:
        return 413
    try:
        body = await _body(request)
    except TimeoutError:
        return 408
    except _BROKEN:
        return 400
    except web.HTTPRequestEntityTooLarge:
        return 413
    if body is None:
        return 413
    if len(body) < request.content.total_bytes:
        return guard.turn_away(vendor_name, _READ_BEFORE)
    return await guard.take(vendor_name, headers, body)


async def _body(request: web.Request) -> bytes | None:
    """The whole body, or None as soon as it is over the limit."""
    content = request.content
    if content.is_eof():
        # It came along with the head, as a delivery's does, or a middleware has read it, which the request remembers:
        # there is nothing to wait for, so no timer is set.
        body = await request.read()
        return body if len(body) <= DELIVERY_LIMIT_BYTES else None
    parts = bytearray()
    async with asyncio.timeout(READ_WITHIN_SECONDS):
        async for part in content.iter_any():
            parts += part
            if len(parts) > DELIVERY_LIMIT_BYTES:
                return None
    return bytes(parts)


async def _refuse_rest(request: web.Request, response: web.Response) -> None:
    """Answer before the body is over, then let the rest run out unread.

    A connection closed at once would take the answer along. aiohttp reads on too, but unpacks what it reads, and meets
    a body that breaks off or is not encoded as it says with a traceback.
    """
    rest = _Rest()
    response.force_close()
    try:
        # Meant for the frames of WebSockets: bytes go there, and no more through aiohttp's parser of bodies.
        request.protocol.set_parser(cast("Any", rest))
        await response.prepare(request)
        await response.write_eof()
        if request.transport is not None:
            request.transport.resume_reading()
            async with asyncio.timeout(READ_WITHIN_SECONDS):
                await rest.is_over.wait()
    except (*_BROKEN, TimeoutError):
        pass
    finally:
        request.content.feed_eof()


class _Rest:
    """Takes the place of aiohttp's parser on a connection that is given up: what comes is forgotten as it is."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        return False, b""

    def feed_eof(self) -> None:
        self.is_over.set()

    def set_exception(self, *args: Any) -> None:
        self.is_over.set()
