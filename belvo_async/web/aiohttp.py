"""Webhooks for aiohttp.web: `app.add_routes(webhook_routes(session))`, on a session that `app.cleanup_ctx` opens."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError

from .._session import Session
from ._guard import BODY_LIMIT_BYTES, READ_WITHIN_SECONDS, check_provable

# What reading raises when the sender went away, or sent what is no HTTP.
_BROKEN = (web.RequestPayloadError, HttpProcessingError, ConnectionError)


def webhook_routes(session: Session, *, prefix: str = "/webhooks") -> list[web.RouteDef]:
    """Routes `POST <prefix>/<vendor name>` for every vendor of the session.

    Raises ConfigurationError when a vendor has no webhook secret and unproven deliveries were not spelled out as
    allowed. For compressed bodies to be refused unread, run the application with `auto_decompress=False`.
    """
    check_provable(session)
    return [web.post(f"{prefix}/{name}", partial(_answer, session, name)) for name in session.vendors]


async def _answer(session: Session, vendor_name: str, request: web.Request) -> web.Response:
    status = await _status(session, vendor_name, request)
    response = web.Response(status=status, headers={"Retry-After": "5"} if status == 503 else None)
    if not request.content.is_eof():
        await _refuse_rest(request, response)
    return response


async def _refuse_rest(request: web.Request, response: web.Response) -> None:
    """Answer before the body is over, then read on and forget it.

    A connection closed at once would take the answer along. aiohttp reads on too, but meets a body that breaks off or
    is not encoded as it says with a traceback.
    """
    response.force_close()
    try:
        await response.prepare(request)
        await response.write_eof()
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            while not request.content.is_eof():
                await request.content.readany()
    except (*_BROKEN, TimeoutError):
        request.content.feed_eof()


async def _status(session: Session, vendor_name: str, request: web.Request) -> int:
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return 415
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        return 413
    try:
        body = await _body(request.content)
    except TimeoutError:
        return 408
    except _BROKEN:
        return 400
    return 413 if body is None else await session.receive(vendor_name, request.headers.items(), body)


async def _body(content: StreamReader) -> bytes | None:
    """The whole body, or None as soon as it is over the limit."""
    if content.is_eof():
        # It came along with the head, as a delivery's does: there is nothing to wait for, so no timer is set.
        body = await content.read()
        return body if len(body) <= BODY_LIMIT_BYTES else None
    parts = bytearray()
    async with asyncio.timeout(READ_WITHIN_SECONDS):
        async for part in content.iter_any():
            parts += part
            if len(parts) > BODY_LIMIT_BYTES:
                return None
    return bytes(parts)
