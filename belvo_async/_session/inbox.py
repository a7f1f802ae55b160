"""One webhook delivery, from bytes to the status to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from .._tracker import Tracker
from ..abc import Clock, Headers, Vendor
from ..errors import PayloadError, SessionClosedError, SignatureError, StoreError

# Documented bodies stay under 10 KiB; the vendors' own limits are not published.
BODY_LIMIT_BYTES = 256 * 1024
# Syntage gives up after 3 seconds (webhook endpoint reference), Belvo after 5: answer before either.
ANSWER_WITHIN_SECONDS = 2.0


async def receive(
    vendor: Vendor | None,
    tracker: Tracker | None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    clock: Clock,
) -> int:
    """Verify, decode, store, and say how to answer; see `Session.receive`."""
    if vendor is None:
        return 404
    if tracker is None:
        return 503
    if len(body) > BODY_LIMIT_BYTES:
        return 413
    received = Headers(headers)
    if any(value.strip().lower() not in ("", "identity") for value in received.get_all("content-encoding")):
        return 415
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            return await _take(vendor, tracker, received, body, clock)
    except (StoreError, SessionClosedError, TimeoutError):
        return 503


async def _take(vendor: Vendor, tracker: Tracker, headers: Headers, body: bytes, clock: Clock) -> int:
    try:
        observations = vendor.read_webhook(headers, body, clock.now())
    except SignatureError:
        return 401
    except PayloadError:
        await tracker.set_aside(vendor, body)
        return 200
    await tracker.receive(vendor, observations)
    return 200
