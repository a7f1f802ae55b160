"""One exchange on the wire: where it may go, what it carries, how long it may take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Protocol, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from ..abc import Request, Urgency
from ..errors import ConfigurationError, PayloadError, TransportError
from .permit import PermitGate

# aiohttp's defaults are 300 s in all and no limit between two bytes.
TOTAL: Final = timedelta(seconds=60)
SILENCE: Final = timedelta(seconds=30)
CONNECT: Final = timedelta(seconds=10)
# A page of a thousand invoices may take minutes to its first byte.
SLOW: Final = timedelta(minutes=3)
# aiohttp's own limit is 8 KiB; policies and links that proxies add are longer.
HEADER_BYTES: Final = 64 * 1024

Credentials = Callable[[], Mapping[str, str]]


class Follow(Protocol):
    """Goes where a response leads."""

    async def __call__(
        self, raw: aiohttp.ClientResponse, session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits
    ) -> aiohttp.ClientResponse: ...


@dataclass(frozen=True, repr=False)
class Home:
    """Where credentials may go, for whom, on which connections, how urgently; `timeout` replaces the usual limits."""

    origin: str
    url: URL
    credentials: Credentials
    account: str
    bulk: bool = False
    timeout: timedelta | None = None
    proxied: bool = False
    urgency: Urgency = Urgency.INTERACTIVE

    def address(self, request: Request) -> URL:
        """Join origin and target without touching the encoding, or refuse a target that would leave the origin."""
        if not _TARGET.fullmatch(request.target):
            raise PayloadError("a request target that is not an encoded path")
        return URL(self.origin + request.target, encoded=True)


# A target like `@evil.com/` or `.evil.com/` would change the host; a raw space or line break the request line.
_TARGET: Final = re.compile(r"/[!-~]*")


def home_at(
    origin: str,
    credentials: Credentials,
    *,
    account: str | None = None,
    bulk: bool = False,
    timeout: timedelta | None = None,
    proxied: bool = False,
    urgency: Urgency = Urgency.INTERACTIVE,
) -> Home:
    url = URL(origin)
    if url.scheme not in ("http", "https") or not url.host or url.path != "/" or url.user is not None or url.query:
        raise ConfigurationError("an origin is scheme, host and port, like https://api.example.com")
    origin = origin.rstrip("/")
    return Home(origin, url, credentials, account or origin, bulk, timeout, proxied, urgency)


@dataclass(frozen=True)
class Limits:
    """Seconds for one attempt: in all (until the headers, for a streamed body), and without a byte."""

    total: float
    silence: float

    @classmethod
    def of(cls, request: Request, home: Home) -> Self:
        given = [each for each in (request.timeout, home.timeout) if each is not None]
        if not given and not home.bulk:
            return cls(TOTAL.total_seconds(), SILENCE.total_seconds())
        # What a request must have goes before what a user would rather not wait for.
        seconds = max(given, default=SLOW).total_seconds()
        return cls(seconds, seconds)

    @property
    def client(self) -> aiohttp.ClientTimeout:
        """What the client watches over itself."""
        return _client_timeout(min(self.total, CONNECT.total_seconds()), self.silence)


@lru_cache(16)
def _client_timeout(connect: float, silence: float) -> aiohttp.ClientTimeout:
    # The total is ours: a body that streams has none. `connect` includes what aiohttp calls `sock_connect`.
    return aiohttp.ClientTimeout(total=None, connect=connect, sock_read=silence)


async def fetch(
    session: aiohttp.ClientSession,
    home: Home,
    request: Request,
    limits: Limits,
    follow: Follow,
    gate: PermitGate | None = None,
) -> aiohttp.ClientResponse:
    """Send, and take the redirects a request may allow. Raises TransportError for one into a network of our own.

    A cancellation comes out as one of our own making: the client's was raised through frames that hold the headers and
    the body, and the TimeoutError of a caller's `asyncio.timeout` would carry them into whatever shows locals.
    """
    try:
        with nullcontext() if gate is None else gate:
            return await _fetch(session, home, request, limits, follow)
    except asyncio.CancelledError as error:
        failure: BaseException = asyncio.CancelledError(*error.args)
    except (NearbyError, aiohttp.ClientConnectorDNSError) as error:
        if not isinstance(error, NearbyError) and not isinstance(error.os_error, NearbyError):
            raise
        failure = TransportError(f"{request.name}: {_NEARBY}", maybe_sent=True)
    raise failure


async def _fetch(
    session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits, follow: Follow
) -> aiohttp.ClientResponse:
    # Credentials are built in the call: no frame of ours keeps them.
    raw = await session.request(
        request.method,
        home.address(request),
        allow_redirects=False,
        timeout=limits.client,
        headers=_headers(request, home.credentials),
        data=request.body,
        middlewares=() if request.method == "POST" else (_Once(),),
        proxy=proxy_for(home.url) if home.proxied else None,
    )
    return await follow(raw, session, home, request, limits) if request.follow else raw


_NEARBY: Final = "redirected into a network where the vendor's own address is not; that is not followed"


class NearbyError(OSError):
    """An address that a redirect may not lead to. Never leaves this room."""


async def send_once(
    session: aiohttp.ClientSession, method: str, address: URL, limits: Limits, proxy: URL | None = None
) -> aiohttp.ClientResponse:
    """Ask for an address and nothing else: no credentials, no headers of a request's own."""
    return await session.request(
        method, address, allow_redirects=False, timeout=limits.client, middlewares=(_Once(),), proxy=proxy
    )


def proxy_for(address: URL) -> URL | None:
    """The proxy that the environment names for an address. aiohttp's own way would read ~/.netrc as well."""
    named = None if proxy_bypass(address.raw_host or "") else getproxies().get(address.scheme)
    return None if not named else URL(named if "://" in named else f"http://{named}")


def plain_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """Make a client that keeps no cookies, unpacks nothing and says who we are."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        auto_decompress=False,
        headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
        # The body's type is the dialect's to say; aiohttp would guess one.
        skip_auto_headers=("Content-Type",),
    )


def _headers(request: Request, credentials: Credentials) -> CIMultiDict[str]:
    headers = CIMultiDict(request.headers)
    headers.update(credentials())
    return headers


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
