"""Redirects: to places a vendor names, bare, and never into a network that only we can reach."""

from __future__ import annotations

import socket
from collections.abc import Collection
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ..abc import Request
from .addresses import Reach, is_within, reach_of
from .request import Home, Limits, NearbyError, plain_session, proxy_for, send_once

# A storage answers a signed link with its region's address, which may answer with another: two or three are seen.
MOST_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Redirects:
    """Follows the redirects that requests with `follow` may take. Its connections are used for nothing else.

    Bare on purpose: wherever they lead, they get neither our credentials nor our headers.
    """

    def __init__(self) -> None:
        self._around: dict[str, _Around] = {}

    async def close(self) -> None:
        """Drop every connection."""
        for around in self._around.values():
            await around.session.close()

    async def follow(
        self, raw: aiohttp.ClientResponse, session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits
    ) -> aiohttp.ClientResponse:
        """Follow a response as far as it leads; what is no redirect that may be followed is handed out.

        Raises NearbyError for one that leads into a network where the home is not.
        """
        address = home.address(request)
        for _ in range(MOST_REDIRECTS):
            target = target_of(raw.status, raw.method, raw.headers.get("Location"), address)
            if target is None:
                break
            raw.close()
            raw = await self._get(target, session, home, request, limits)
            address = target
        return raw

    async def _get(
        self, target: URL, session: aiohttp.ClientSession, home: Home, request: Request, limits: Limits
    ) -> aiohttp.ClientResponse:
        around = self._around.get(home.origin)
        if around is None:
            around = self._around[home.origin] = _Around(home)
        await around.check(target)
        # Through a proxy it is the proxy that looks the name up and connects; where to, only it can say.
        proxy = proxy_for(target) if home.proxied else None
        return await send_once(session if proxy else around.session, request.method, target, limits, proxy)


class _Around:
    """The connections for what one home redirects to."""

    def __init__(self, home: Home) -> None:
        self._resolver = _Outward(home.url.raw_host or "")
        # Of its own: a kept connection is found by the name of its host, and another home may be nearby.
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, resolver=self._resolver)
        self.session = plain_session(connector)

    async def check(self, target: URL) -> None:
        """Refuse an address that stands in the place itself; names are checked when they are looked up."""
        with suppress(ValueError):
            reach = reach_of(target.raw_host or "")
            if not is_within(reach, await self._resolver.base()):
                raise NearbyError


class _Outward(AbstractResolver):
    """Looks names up, and leaves out the addresses a redirect may not lead to: those kept are those connected to."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._plain = aiohttp.DefaultResolver()
        self._base: Collection[Reach | None] | None = None

    async def base(self) -> Collection[Reach | None]:
        """Where the home itself is."""
        if self._base is None:
            try:
                self._base = {reach_of(self._home)}
            except ValueError:
                try:
                    found = await self._plain.resolve(self._home, 443, socket.AF_UNSPEC)
                except OSError:
                    return ()  # only a proxy can look it up: then it is not nearby
                self._base = {reach_of(each["host"]) for each in found}
        return self._base

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._plain.resolve(host, port, family)
        base = await self.base()
        kept = [each for each in found if is_within(reach_of(each["host"]), base)]
        if found and not kept:
            raise NearbyError
        return kept

    async def close(self) -> None:
        await self._plain.close()


def target_of(status: int, method: str, location: str | None, address: URL) -> URL | None:
    """Where an answer redirects to, or None for a status or place that is not followed."""
    if status not in _REDIRECTS or method not in ("GET", "HEAD") or not location:
        return None
    try:
        # Signed links break when their encoding is touched.
        target = address.join(URL(location, encoded=True))
        # From http to https, never back.
        safe = target.scheme in ("https", address.scheme) and bool(target.host) and target.raw_user is None
    except ValueError:
        return None
    return target if safe and location.isascii() and not any(char <= " " for char in location) else None
