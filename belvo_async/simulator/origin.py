"""One local vendor over real HTTP: routing, the request log, request faults, timers, webhooks."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar, Final, Protocol, Self

from aiohttp import web

from .deliveries import Habits, WebhookSender
from .faults import AFTER, Dice, Faults, Scripts
from .openapi import Manners, describe
from .wire import SECRET_HEADERS, Delivery, Incoming, JsonObject, Query, Reply, Route, SeenRequest, address

BAD_GATEWAY: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
NO_DELAY: Final = timedelta(0)


def utc_now() -> datetime:
    """Give the current instant."""
    return datetime.now(UTC)


class Timers(Protocol):
    """The clock side of an origin, for those who run jobs on it."""

    speed: float

    def after(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call back after vendor seconds, divided by `speed`; forgotten on close."""
        ...

    def drop_timer(self, handle: asyncio.TimerHandle | None) -> None:
        """Cancel a timer made by `after`."""
        ...


class ClosedError(Exception):
    """The simulator was closed while a request was still waiting."""


class Origin(ABC):
    """A vendor's origin on its own port; subclasses bring the routes and the vendor's manners.

    `requests` and `deliveries` hold everything that came in and went out, in order. `answer_delay` holds
    every answer back that long, not divided by `speed`; it may change at any time.
    """

    manners: ClassVar[Manners]
    habits: ClassVar[Habits]
    request_faults: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        *,
        seed: int,
        speed: float,
        faults: Faults,
        host: str,
        port: int,
        now: Callable[[], datetime] | None,
        webhook_url: str | None,
        answer_delay: timedelta = NO_DELAY,
    ) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.seed = seed
        self.speed = speed
        self.answer_delay = answer_delay
        self.url = ""
        self.requests: list[SeenRequest] = []
        self.dice = Dice(seed, faults)
        self.now = now or utc_now
        self.sender = WebhookSender(habits=self.habits, dice=self.dice, speed=speed, now=self.now)
        self.webhook_url = webhook_url
        self._host = host
        self._port = port
        self._scripts = Scripts()
        self._routes: tuple[Route, ...] = ()
        self._runner: web.AppRunner | None = None
        self._closed = asyncio.Event()
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def webhook_url(self) -> str | None:
        """Where webhooks go; None keeps silent. May change at any time."""
        return self.sender.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.sender.url = url

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook try made so far, oldest first."""
        return self.sender.deliveries

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen. Afterwards `url` is set; port 0 takes any free port."""
        self._closed.clear()
        self._routes = tuple(self.routes())
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self.url = address(self._host, self._runner.addresses[0][1])
        await self.sender.start()

    async def close(self) -> None:
        """Stop listening; ends waiting requests, jobs and deliveries. Closing twice is harmless."""
        self._closed.set()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await self.sender.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def knows(self, path: str) -> bool:
        """Tell whether anything answers under a path."""
        return any(route.match(path) is not None for route in self._routes)

    def next_answer(self, fault: str, *, method: str | None = "POST", path: str | None = None, count: int = 1) -> None:
        """Force a fault or a documented error on the next `count` requests that match.

        `path` may hold `*` (`/api/links/*`); None fits every path, and `method=None` every method.
        """
        if fault not in self.known_faults():
            raise ValueError(f"unknown fault {fault!r}; known: {', '.join(sorted(self.known_faults()))}")
        self._scripts.add(fault, method=method, path=path, count=count)

    def openapi(self) -> JsonObject:
        """Describe every path, method and parameter that is answered, as an OpenAPI 3.1 document."""
        url = self.url or (address(self._host, self._port) if self._port else "/")
        return describe(self.manners, self.routes(), url)

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Give the vendor's routes."""

    @abstractmethod
    def known_faults(self) -> frozenset[str]:
        """Give the names `next_answer` understands."""

    @abstractmethod
    def refuse(self, call: Incoming, route: str) -> Reply | None:
        """Check credentials and budgets; None lets the call pass."""

    @abstractmethod
    def fault_answer(self, fault: str, call: Incoming) -> Reply | None:
        """Give the vendor's answer for a fault that keeps the request from being accepted."""

    @abstractmethod
    def no_route(self, status: int) -> Reply:
        """Give the vendor's 404 or 405."""

    def elsewhere(self, call: Incoming) -> Reply | None:
        """Give the redirect of a path that is known under another spelling; None when it is not."""
        return None

    def dress(self, answer: Reply, route: str) -> Reply:
        """Add the headers the vendor puts on every response."""
        return answer

    def after(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call back after vendor seconds, divided by `speed`; forgotten on close."""

        def fire() -> None:
            self._timers.discard(handle)
            callback()

        handle = asyncio.get_running_loop().call_later(seconds / self.speed, fire)
        self._timers.add(handle)
        return handle

    def drop_timer(self, handle: asyncio.TimerHandle | None) -> None:
        """Cancel a timer made by `after`."""
        if handle is not None:
            handle.cancel()
            self._timers.discard(handle)

    async def pause(self, seconds: float | None) -> None:
        """Wait real loop seconds (None: for ever). Raises ClosedError when the simulator closes."""
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return
        raise ClosedError

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionError:  # the client went away before it had asked anything
            return web.Response(status=400)
        seen = SeenRequest(
            method=request.method,
            path=request.path,
            query=_query(request),
            headers={name: value for name, value in request.headers.items() if name.lower() not in SECRET_HEADERS},
            body=body,
            at=self.now(),
        )
        self.requests.append(seen)
        seen.fault = self._scripts.take(seen.method, seen.path) or self.dice.request_fault(
            seen.method, self.request_faults
        )
        try:
            return await self._play(request, seen)
        except ClosedError:
            return _hang_up(request, seen)

    async def _play(self, request: web.Request, seen: SeenRequest) -> web.StreamResponse:
        if seen.fault == "unsent":
            return _hang_up(request, seen)
        if seen.fault == "timeout":
            await self.pause(None)
        if self.answer_delay:
            await self.pause(self.answer_delay.total_seconds())
        answer = self._date(await self._answer(request, seen))
        if seen.fault in AFTER:
            return await self._spoil(request, seen, answer)
        seen.status = answer.status
        return _response(answer)

    def _date(self, answer: Reply) -> Reply:
        """Say the vendor's own time: clients measure what a header announces against it."""
        date = format_datetime(self.now().astimezone(UTC), usegmt=True)
        return replace(answer, headers={**answer.headers, "Date": date})

    async def _answer(self, request: web.Request, seen: SeenRequest) -> Reply:
        headers, asked = request.headers, f"?{query}" if (query := request.raw_path.partition("?")[2]) else ""
        call = Incoming(
            method=seen.method, path=seen.path, query=seen.query, headers=headers, body=seen.body, asked=asked
        )
        matches = [(route, args) for route in self._routes if (args := route.match(seen.path)) is not None]
        if not matches:
            return self.dress(self.elsewhere(call) or self.no_route(404), "")
        for route, args in matches:
            if route.method == seen.method:
                return await self._dispatch(route, replace(call, args=args, fault=seen.fault))
        return self.dress(self.no_route(405), "")

    async def _dispatch(self, route: Route, call: Incoming) -> Reply:
        answer = self.refuse(call, route.name)
        if answer is None and call.fault is not None:
            answer = self.fault_answer(call.fault, call)
        if answer is None:
            answer = await route.handler(call)
        return self.dress(answer, route.name)

    async def _spoil(self, request: web.Request, seen: SeenRequest, answer: Reply) -> web.StreamResponse:
        if seen.fault == "lost_202":
            return _hang_up(request, seen)
        if seen.fault == "bad_gateway":
            seen.status = 502
            return web.Response(status=502, body=BAD_GATEWAY, content_type="text/html")
        seen.status = answer.status
        if seen.fault == "slow":
            # Not divided by `speed`: a client's own timeouts do not speed up with the vendor.
            await self.pause(self.dice.faults.slow_seconds)
            return _response(answer)
        return await _cut(request, answer)


def _query(request: web.Request) -> Query:
    query: Query = {}
    for name, value in request.query.items():
        query.setdefault(name, []).append(value)
    return query


def _response(answer: Reply) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
    # Nothing is no JSON: who reads by what is said of it would fail.
    if answer.body or "json" not in answer.content_type:
        response.headers["Content-Type"] = answer.content_type
    return response


def _hang_up(request: web.Request, seen: SeenRequest) -> web.Response:
    seen.status = 0
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _cut(request: web.Request, answer: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
    response.headers["Content-Type"] = answer.content_type
    response.content_length = max(2, len(answer.body))
    # The client may have given up already: that is its own affair, and no error here.
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body[: max(1, len(answer.body) // 2)])
    # close, not abort: the first half still leaves, so the client sees a body that stops too early.
    if request.transport is not None:
        request.transport.close()
    return response
