"""Webhooks for any ASGI framework: mount `WebhookApp(session)` under a path of your choice.

@asynccontextmanager
async def lifespan(app):
    async with session:                           # until it is open, every delivery is answered 503
        yield

app = FastAPI(lifespan=lifespan)
app.mount("/webhooks", WebhookApp(session))       # POST /webhooks/<vendor>, one path per vendor of the session
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from .._session import Session
from ..abc import Headers
from ..discreet import discreet
from ..payload import DELIVERY_LIMIT_BYTES
from ..within import within
from ._guard import READ_WITHIN_SECONDS, Guard, is_encoded

# The signatures of the ASGI 3 specification (asgi.readthedocs.io/specs/main.html): its messages are untyped mappings.
Scope: TypeAlias = Mapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class WebhookApp:
    """An ASGI application that answers `POST .../<vendor name>` for every vendor of a session, wherever it is mounted.

    Raises ConfigurationError when a vendor has no webhook secret and unproven deliveries were not spelled out as
    allowed. Answers hold no body; other paths get 404, other methods 405. The session is its owner's to open and close.
    """

    def __init__(self, session: Session) -> None:
        self._guard = Guard(session)

    @discreet
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _answer(send, await self._status(scope, receive))
        else:
            raise NotImplementedError(f"webhooks come by http, not {scope['type']}")

    async def _status(self, scope: Scope, receive: Receive) -> int:
        vendor_name = _last_part(scope["path"])
        if vendor_name not in self._guard.session.vendors:
            return 404
        if scope["method"] != "POST":
            return 405
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        if is_encoded(headers.get_all("content-encoding")):
            return 415
        try:
            body = await within(READ_WITHIN_SECONDS, _read(receive))
        except TimeoutError:
            return 408
        return 413 if body is None else await self._guard.take(vendor_name, headers, body)


def _last_part(path: str) -> str:
    """Where it is mounted is the application's to say, and of what stands before it nobody tells the same.

    Frameworks keep a mount's prefix in the path or take it off, and put it into `root_path` with or without that of a
    proxy, which may have taken its own off the path or not; a plain function that dispatches tells nothing.
    """
    return path.rstrip("/").rpartition("/")[2]


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None as soon as it is over the limit (or the sender went away)."""
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes > DELIVERY_LIMIT_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")] + ([(b"retry-after", b"5")] if status == 503 else [])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    """Servers ask an application at the root to start and stop; the session is its owner's to open and close."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
