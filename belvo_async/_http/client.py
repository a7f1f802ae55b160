"""Sending: one client, its retries and its waits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, Self

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from ..abc import Budget, Clock, Request, Response, Retry
from ..errors import BelvoAsyncError, SessionClosedError, TransportError
from ..rate_limits import is_exhausted
from .faults import FAULTS, may_repeat, transport_error
from .response import HttpResponse
from .waits import asked_wait, exhausted_until
from .wire import Credentials, Home, Limits, fetch, home_at, user_agent

_log = logging.getLogger("belvo_async")

MIB: Final = 1024 * 1024
# Waiting for one of our own connections is not the vendor's time; but a consumer that holds all of them must not
# stop every other call for ever.
SLOT: Final = timedelta(seconds=60)
ATTEMPTS: Final = 5
# All attempts of one request and the waits between them. Nothing sleeps past it: the last answer is handed out.
PATIENCE: Final = timedelta(seconds=60)
FIRST_WAIT: Final = timedelta(milliseconds=500)
LONGEST_WAIT: Final = timedelta(seconds=30)
# Many callers are told the same instant; they come back spread over this span.
SPREAD: Final = timedelta(seconds=1)
KEPT: Final = timedelta(seconds=15)
CLOSING: Final = timedelta(seconds=5)

Reserve = Callable[[Budget, datetime], Awaitable[datetime]]


class Send(Protocol):
    """Sends a request to one vendor: `async with send(request) as response`."""

    def __call__(self, request: Request) -> AbstractAsyncContextManager[Response]: ...


class Http:
    """The one HTTP client of a session: `async with Http(clock=...) as http`.

    Reads share kept connections; every submission gets a fresh one, so that no half-dead kept connection blurs whether
    it was sent. At most `connections` are in flight, of which each kind has its share. `reserve` takes a place in a
    budget, `chance` draws from 0..1 for the jitter. `answer_bytes` bounds a whole small answer, `body_bytes` any body
    that is kept, `stream_bytes` one that is read as it comes: all decompressed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        reserve: Reserve | None = None,
        chance: Callable[[], float] = random.random,
        connections: int = 64,
        trust_env: bool = False,
        answer_bytes: int = MIB,
        body_bytes: int = 64 * MIB,
        stream_bytes: int = 16 * 1024 * MIB,
    ) -> None:
        self._clock = clock
        self._reserve = reserve
        self._chance = chance
        self._connections = connections
        self._trust_env = trust_env
        self._answer_bytes = answer_bytes
        self._body_bytes = body_bytes
        self._stream_bytes = stream_bytes
        self._open: _Open | None = None
        self._was_closed = False

    async def __aenter__(self) -> Self:
        if self._open is not None or self._was_closed:
            raise SessionClosedError("an HTTP client is opened once: make a new one")
        # Each kind keeps its share of the connections, so that none can hold up another: bodies read at a user's pace
        # no looks, and neither the submissions. Looks are rare, one for many jobs, but take what remains.
        share = max(1, self._connections * 7 // 16)
        self._open = _Open(
            loop=asyncio.get_running_loop(),
            closing=asyncio.Event(),
            reads=self._pool(self._connections - 2 * share),
            submissions=self._pool(share, force_close=True),
            bulk=self._pool(share),
            turns={},
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection; calls under way end with SessionClosedError. Bounded, and safe twice."""
        held, self._open, self._was_closed = self._open, None, True
        if held is None:
            return
        held.closing.set()
        for pool in held.pools:
            pool.slots.release()  # wakes the first waiter; each one that finds the client closed wakes the next
            try:
                async with asyncio.timeout(CLOSING.total_seconds()):
                    await pool.session.close()
            except TimeoutError:
                _log.warning("connections were dropped without a goodbye")

    def is_full(self) -> bool:
        """Whether every connection for bulk reads is taken."""
        return self._open is not None and self._open.bulk.slots.locked()

    def send_to(self, origin: str, credentials: Credentials, *, bulk: bool = False) -> Send:
        """Make the function that sends requests to `origin`. Only there the credentials go, fresh for each request.

        `bulk` keeps its connections apart: bodies read at a user's pace must not hold up looks at jobs.
        """
        return partial(self._send, home_at(origin, credentials, bulk=bulk))

    def _send(self, home: Home, request: Request) -> AbstractAsyncContextManager[Response]:
        return _Sending(partial(self._answered, home, request))

    async def _answered(self, home: Home, request: Request) -> HttpResponse:
        patience_ends = self._live().loop.time() + PATIENCE.total_seconds()
        outcome = await self._attempt(home, request, 1)
        if may_repeat(request.retry, outcome):
            # Built only now: tenacity costs more than a bare call, and nearly all requests succeed at once.
            outcome = await self._repeat(home, request, outcome, patience_ends)
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    async def _repeat(self, home: Home, request: Request, first: _Outcome, patience_ends: float) -> _Outcome:
        """Go on after a first attempt; the last outcome comes back, whatever it is."""
        number = 0

        async def attempt() -> _Outcome:
            nonlocal number
            number += 1
            return first if number == 1 else await self._attempt(home, request, number)

        def is_over(state: RetryCallState) -> bool:
            # tenacity's own stop_after_delay reads the machine's clock, and lets the last sleep run past the end.
            return state.attempt_number >= ATTEMPTS or self._live().loop.time() + state.upcoming_sleep > patience_ends

        retrying = AsyncRetrying(
            retry=retry_if_result(partial(may_repeat, request.retry)),
            stop=is_over,
            wait=self._pause,
            sleep=self._sleep,
            before_sleep=_drop_response,
            retry_error_callback=_outcome_of,
            reraise=True,
        )
        return await retrying(attempt)

    def _pause(self, state: RetryCallState) -> float:
        """What the response asks for, else exponential with full jitter."""
        outcome = _outcome_of(state)
        if isinstance(outcome, HttpResponse):
            asked = asked_wait(outcome.status, outcome.headers, self._clock.now())
            if asked is not None:
                return (asked + SPREAD * self._chance()).total_seconds()
        longest = min(LONGEST_WAIT, FIRST_WAIT * float(2 ** (state.attempt_number - 1)))
        return (longest * self._chance()).total_seconds()

    async def _attempt(self, home: Home, request: Request, number: int) -> _Outcome:
        """Send once, when it is this request's turn."""
        live = self._live()
        if request.budget is not None and self._reserve is not None:
            instant = await self._reserve(request.budget, self._clock.now())
            await self._sleep((instant - self._clock.now()).total_seconds())
        pool = live.pool_for(home, request)
        outcome: _Outcome = TransportError(f"{request.name}: no free connection in time", maybe_sent=False)
        if await self._take_turn(live, pool, home, request):
            outcome = await self._in_slot(live, pool, home, request)
        if self._open is not live:
            _drop(outcome)
            raise SessionClosedError(_CLOSED)
        if isinstance(outcome, TransportError):
            fields = {"request": request.name, "fault": str(outcome), "attempt": number}
            _log.debug("request failed", extra=fields)
            return outcome
        _log.debug("request answered", extra={"request": request.name, "status": outcome.status, "attempt": number})
        self._note_window(live, home, request, outcome)
        return outcome

    async def _take_turn(self, live: _Open, pool: _Pool, home: Home, request: Request) -> bool:
        """Take a slot while no rate window is exhausted; False when none got free in time."""
        # Who starts paid work waits as long as it takes: every other submission ends within minutes.
        patience = None if request.retry is Retry.SUBMIT else SLOT.total_seconds()
        key = (home.origin, request.name)
        while True:
            await self._sleep(live.turns.get(key, 0.0) - live.loop.time())
            if not await pool.take_slot(patience):
                return False
            # A sleep may end a hair early: the loop's timers are as coarse as its clock.
            if live.turns.get(key, 0.0) <= live.loop.time() + live.loop_resolution:
                return True
            # The window was exhausted by others while this one waited for its slot.
            pool.slots.release()

    def _note_window(self, live: _Open, home: Home, request: Request, response: Response) -> None:
        """Remember an exhausted rate window: the next request of this name waits for its end."""
        key = (home.origin, request.name)
        is_last = is_exhausted(response.headers)
        wait = exhausted_until(response.status, response.headers, self._clock.now()) if is_last else None
        if wait is None:
            if key in live.turns and live.turns[key] <= live.loop.time():
                del live.turns[key]
            return
        live.turns[key] = live.loop.time() + (min(wait, PATIENCE) + SPREAD * self._chance()).total_seconds()

    async def _in_slot(self, live: _Open, pool: _Pool, home: Home, request: Request) -> _Outcome:
        try:
            outcome = await self._exchange(live.loop, pool, home, request)
        except BaseException:
            pool.slots.release()
            raise
        if isinstance(outcome, TransportError):
            pool.slots.release()
        return outcome

    async def _exchange(self, loop: asyncio.AbstractEventLoop, pool: _Pool, home: Home, request: Request) -> _Outcome:
        limits = Limits.of(request)
        deadline = loop.time() + limits.total
        explain = partial(self._explain, request, limits)
        failure: BelvoAsyncError | None = None
        try:
            async with asyncio.timeout_at(deadline):
                raw = await fetch(pool.session, home, request, limits)
            return HttpResponse(
                raw,
                request,
                explain=explain,
                release=pool.slots.release,
                answer_by=deadline,
                # A submission may be answered with all the data at once instead of an id: refusing to read that would
                # leave a job uncertain that the vendor has finished.
                answer_bytes=self._body_bytes if request.retry is Retry.SUBMIT else self._answer_bytes,
                body_bytes=self._stream_bytes if home.bulk else self._body_bytes,
            )
        except FAULTS as error:
            failure = explain(error)
        # Out here, so that the client's exception, which holds headers, is not kept as the context of ours.
        if isinstance(failure, TransportError):
            return failure
        raise failure

    def _explain(self, request: Request, limits: Limits, error: Exception) -> BelvoAsyncError:
        if self._open is None:
            return SessionClosedError(_CLOSED)
        return transport_error(error, request, total=limits.total, silence=limits.silence)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless the client closes meanwhile."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._live().closing.wait()
        except TimeoutError:
            return
        raise SessionClosedError(_CLOSED)

    def _live(self) -> _Open:
        if self._open is None:
            raise SessionClosedError(_CLOSED if self._was_closed else "use the HTTP client inside `async with`")
        if asyncio.get_running_loop() is not self._open.loop:
            raise BelvoAsyncError("this session belongs to another event loop: open one session per loop")
        return self._open

    def _pool(self, size: int, *, force_close: bool = False) -> _Pool:
        size = max(1, size)
        connector = aiohttp.TCPConnector(
            limit=size,
            limit_per_host=size,
            ttl_dns_cache=60,
            force_close=force_close,
            keepalive_timeout=None if force_close else KEPT.total_seconds(),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._trust_env,
            auto_decompress=False,
            headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
            # The body's type is the dialect's to say; aiohttp would guess one.
            skip_auto_headers=("Content-Type",),
        )
        return _Pool(session, asyncio.Semaphore(size), lambda: self._was_closed)


_CLOSED: Final = "the session is closed; jobs live on in the store: open a session on it and attach"
_Outcome = HttpResponse | TransportError


class _Sending:
    """Sends on entering, and closes the response on leaving."""

    def __init__(self, answered: Callable[[], Awaitable[HttpResponse]]) -> None:
        self._answered = answered
        self._response: HttpResponse | None = None

    async def __aenter__(self) -> Response:
        self._response = await self._answered()
        return self._response

    async def __aexit__(self, *exc_info: object) -> None:
        if self._response is not None:
            self._response.close()


@dataclass(frozen=True)
class _Pool:
    """Connections of one kind. Slots are ours: waiting for one is never taken for sending."""

    session: aiohttp.ClientSession
    slots: asyncio.Semaphore
    is_closed: Callable[[], bool]

    async def take_slot(self, patience: float | None) -> bool:
        # A timer for nothing costs as much as a whole look at a job: most find a slot free.
        if self.slots.locked():
            try:
                async with asyncio.timeout(patience):
                    await self.slots.acquire()
            except TimeoutError:
                return False
        else:
            await self.slots.acquire()
        if self.is_closed():
            self.slots.release()
            raise SessionClosedError(_CLOSED)
        return True


@dataclass(frozen=True)
class _Open:
    """What exists between open and close. `turns`: from which loop time on requests of a name may go out."""

    loop: asyncio.AbstractEventLoop
    closing: asyncio.Event
    reads: _Pool
    submissions: _Pool
    bulk: _Pool
    turns: dict[tuple[str, str], float]
    loop_resolution: float = 0.001

    def pool_for(self, home: Home, request: Request) -> _Pool:
        if request.retry is Retry.SUBMIT:
            return self.submissions
        return self.bulk if home.bulk else self.reads

    @property
    def pools(self) -> tuple[_Pool, ...]:
        return self.reads, self.submissions, self.bulk


async def _drop_response(state: RetryCallState) -> None:
    _drop(_outcome_of(state))


def _drop(outcome: _Outcome) -> None:
    if isinstance(outcome, HttpResponse):
        outcome.close()


def _outcome_of(state: RetryCallState) -> _Outcome:
    assert state.outcome is not None
    outcome: _Outcome = state.outcome.result()
    return outcome
