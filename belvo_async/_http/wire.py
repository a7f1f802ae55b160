"""One exchange on the wire: where it may go, what it carries, how long it may take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from ..abc import Request
from ..errors import ConfigurationError, PayloadError

# aiohttp's defaults are 300 s in all and no limit between two bytes.
TOTAL: Final = timedelta(seconds=60)
SILENCE: Final = timedelta(seconds=30)
CONNECT: Final = timedelta(seconds=10)

Credentials = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, repr=False)
class Home:
    """Where credentials may go, for whom, and on which connections."""

    origin: str
    url: URL
    credentials: Credentials
    account: str
    bulk: bool = False

    def address(self, request: Request) -> URL:
        """Join origin and target without touching the encoding, or refuse a target that would leave the origin."""
        if not _TARGET.fullmatch(request.target):
            raise PayloadError("a request target that is not an encoded path")
        return URL(self.origin + request.target, encoded=True)


# A target like `@evil.com/` or `.evil.com/` would change the host; a raw space or line break the request line.
_TARGET: Final = re.compile(r"/[!-~]*")


def home_at(origin: str, credentials: Credentials, *, account: str | None = None, bulk: bool = False) -> Home:
    url = URL(origin)
    if url.scheme not in ("http", "https") or not url.host or url.path != "/" or url.user is not None or url.query:
        raise ConfigurationError("an origin is scheme, host and port, like https://api.example.com")
    origin = origin.rstrip("/")
    return Home(origin, url, credentials, account or origin, bulk)


@dataclass(frozen=True)
class Limits:
    """Seconds for one attempt: in all (until the headers, for a streamed body), and without a byte."""

    total: float
    silence: float

    @classmethod
    def of(cls, request: Request) -> Self:
        if request.timeout is None:
            return cls(TOTAL.total_seconds(), SILENCE.total_seconds())
        seconds = request.timeout.total_seconds()
        return cls(seconds, seconds)

    @property
    def client(self) -> aiohttp.ClientTimeout:
        """What the client watches over itself."""
        return _client_timeout(min(self.total, CONNECT.total_seconds()), self.silence)


@lru_cache(16)
def _client_timeout(connect: float, silence: float) -> aiohttp.ClientTimeout:
    # The total is ours: a body that streams has none. `connect` includes what aiohttp calls `sock_connect`.
    return aiohttp.ClientTimeout(total=None, connect=connect, sock_read=silence)


async def fetch(session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits) -> aiohttp.ClientResponse:
    """Send, and take the one redirect a request may allow.

    A cancellation comes out as one of our own making: the client's was raised through frames that hold the headers and
    the body, and the TimeoutError of a caller's `asyncio.timeout` would carry them into whatever shows locals.
    """
    try:
        return await _fetch(session, home, request, limits)
    except asyncio.CancelledError as error:
        reason = error.args
    raise asyncio.CancelledError(*reason)


async def _fetch(
    session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits
) -> aiohttp.ClientResponse:
    address = home.address(request)
    # Credentials are built in the call: no frame of ours keeps them.
    once = partial(session.request, allow_redirects=False, timeout=limits.client)
    raw = await once(
        request.method,
        address,
        headers=_headers(request, home.credentials),
        data=request.body,
        middlewares=() if request.method == "POST" else (_Once(),),
    )
    elsewhere = _redirect(raw, address) if request.follow else None
    if elsewhere is None:
        return raw
    raw.close()
    # Bare on purpose: wherever this leads, it gets neither our credentials nor our headers.
    return await once(request.method, elsewhere, middlewares=(_Once(),))


def _headers(request: Request, credentials: Credentials) -> CIMultiDict[str]:
    headers = CIMultiDict(request.headers)
    headers.update(credentials())
    return headers


_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def _redirect(raw: aiohttp.ClientResponse, address: URL) -> URL | None:
    """Where one redirect leads, or None for a status or place that is not followed."""
    location = raw.headers.get("Location")
    if raw.status not in _REDIRECTS or raw.method not in ("GET", "HEAD") or not location:
        return None
    try:
        # Signed links break when their encoding is touched.
        target = address.join(URL(location, encoded=True))
        safe = target.scheme in ("https", address.scheme) and bool(target.host) and target.raw_user is None
    except ValueError:
        return None
    return target if safe and location.isascii() and not any(char <= " " for char in location) else None


class _Once:
    """aiohttp sends GET and DELETE (not POST) again by itself when a kept connection drops. Only we repeat."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._sent:
            raise aiohttp.ServerDisconnectedError
        self._sent = True
        return await handler(request)


@cache
def user_agent() -> str:
    try:
        return f"belvo-async/{version('belvo-async')}"
    except PackageNotFoundError:
        return "belvo-async"
