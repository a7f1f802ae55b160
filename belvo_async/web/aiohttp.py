"""Webhooks for aiohttp.web: `app.add_routes(webhook_routes(session))`."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from .._session import Session
from ._guard import BODY_LIMIT_BYTES, READ_WITHIN_SECONDS, check_provable


def webhook_routes(session: Session, *, prefix: str = "/webhooks") -> list[web.RouteDef]:
    """Routes `POST <prefix>/<vendor name>` for every vendor of the session.

    Raises ConfigurationError when a vendor has no webhook secret and unproven deliveries were not spelled out as
    allowed. For compressed bodies to be refused unread, run the application with `auto_decompress=False`.
    """
    check_provable(session)
    return [web.post(f"{prefix}/{name}", partial(_answer, session, name)) for name in session.vendors]


async def _answer(session: Session, vendor_name: str, request: web.Request) -> web.Response:
    status = await _status(session, vendor_name, request)
    return web.Response(status=status, headers={"Retry-After": "5"} if status == 503 else None)


async def _status(session: Session, vendor_name: str, request: web.Request) -> int:
    if "Content-Encoding" in request.headers:
        return 415
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        return 413
    body = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > BODY_LIMIT_BYTES:
                    return 413
    except TimeoutError:
        return 408
    return await session.receive(vendor_name, request.headers.items(), bytes(body))
