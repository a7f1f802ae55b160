"""Sending: one client, its retries and its waits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, Protocol, Self
from weakref import WeakSet

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from ..abc import Clock, Permit, Request, Response, Retry, Urgency
from ..errors import BelvoAsyncError, SessionClosedError, TransportError
from ..telemetry import SILENT, Telemetry, TraceSpan
from .admission import Admission, Admitted
from .faults import FAULTS, may_repeat, transport_error
from .permit import PermitGate
from .pools import CLOSED, Pool, make_pool
from .rate_windows import SPREAD
from .redirects import Redirects
from .request import Credentials, Home, Limits, fetch, home_at
from .response import HttpResponse
from .retry_after import asked_wait
from .shared_limits import SharedLimits

_log = logging.getLogger("belvo_async.http")

MIB: Final = 1024 * 1024
ATTEMPTS: Final = 5
# All attempts of one request and the waits between them. Nothing sleeps past it: the last answer is handed out.
PATIENCE: Final = timedelta(seconds=60)
FIRST_WAIT: Final = timedelta(milliseconds=500)
LONGEST_WAIT: Final = timedelta(seconds=30)
CLOSING: Final = timedelta(seconds=5)


class Send(Protocol):
    """Sends a request to one vendor: `async with send(request) as response`; see `Permit`."""

    def __call__(self, request: Request, permit: Permit | None = None) -> AbstractAsyncContextManager[Response]: ...


class Http:
    """The one HTTP client of a session: `async with Http(clock=...) as http`.

    Reads share kept connections; every submission gets a fresh one, so that no half-dead kept connection blurs whether
    it was sent. At most `connections` are in flight, of which each kind has its share. `shared_limits` is what
    all workers of a store share to keep to the vendors' limits, `chance` draws from 0..1 for the jitter. `answer_bytes`
    bounds a whole small answer, `body_bytes` any body that is kept, `stream_bytes` one that is read as it comes: all
    decompressed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        shared_limits: SharedLimits | None = None,
        chance: Callable[[], float] = random.random,
        connections: int = 64,
        trust_env: bool = False,
        answer_bytes: int = MIB,
        body_bytes: int = 64 * MIB,
        stream_bytes: int = 16 * 1024 * MIB,
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._clock = clock
        self._shared_limits = shared_limits
        self._chance = chance
        self._connections = connections
        self._trust_env = trust_env
        self._answer_bytes = answer_bytes
        self._body_bytes = body_bytes
        self._stream_bytes = stream_bytes
        self._telemetry = telemetry
        self._open: _Open | None = None
        self._was_closed = False

    async def __aenter__(self) -> Self:
        if self._open is not None or self._was_closed:
            raise SessionClosedError("an HTTP client is opened once: make a new one")
        # Each kind keeps its share of the connections, so that none can hold up another: bodies read at a user's pace
        # no polls, and neither the submissions. Polls are rare, one for many jobs, but take what remains.
        share = max(1, self._connections * 7 // 16)
        self._open = _Open(
            loop=asyncio.get_running_loop(),
            closing=asyncio.Event(),
            reads=self._pool(self._connections - 2 * share),
            submissions=self._pool(share, force_close=True),
            bulk=self._pool(share),
            redirects=Redirects(),
            turns=Admission(
                clock=self._clock, chance=self._chance, sleep=self._sleep, shared_limits=self._shared_limits
            ),
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
        await held.turns.close()
        for pool in held.pools:
            pool.slots.release()  # wakes the first waiter; each one that finds the client closed wakes the next
            await _hang_up(pool.session.close)
        await _hang_up(held.redirects.close)
        for response in tuple(held.responses):
            response.break_off()

    def is_full(self) -> bool:
        """Whether every connection for bulk reads is taken."""
        return self._open is not None and self._open.bulk.slots.locked()

    def send_to(
        self,
        origin: str,
        credentials: Credentials,
        *,
        account: str | None = None,
        bulk: bool = False,
        urgency: Urgency = Urgency.INTERACTIVE,
        timeout: timedelta | None = None,
    ) -> Send:
        """Make the function that sends requests to `origin`. Only there the credentials go, fresh for each request.

        `account` is whom the vendor counts requests for: by the name of the origin, unless given.
        `bulk` keeps its connections apart: bodies read at a user's pace must not hold up polls. `urgency`:
        which go first where requests wait for each other. `timeout`: how long an answer may take to begin and may be
        silent: a minute and half of it, or three minutes for bulk.
        """
        home = home_at(
            origin,
            credentials,
            account=account,
            bulk=bulk,
            timeout=timeout,
            proxied=self._trust_env,
            urgency=urgency,
        )
        return partial(self._send, home)

    def _send(
        self, home: Home, request: Request, permit: Permit | None = None
    ) -> AbstractAsyncContextManager[Response]:
        return _Sending(partial(self._answered, home, request, None if permit is None else PermitGate(permit)))

    async def _answered(self, home: Home, request: Request, gate: PermitGate | None) -> HttpResponse:
        patience_ends = self._live().loop.time() + PATIENCE.total_seconds()
        outcome = await self._attempt(home, request, gate, 1)
        if _may_repeat(request, gate, outcome):
            # Built only now: tenacity costs more than a bare call, and nearly all requests succeed at once.
            outcome = await self._repeat(home, request, gate, outcome, patience_ends)
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    async def _repeat(
        self, home: Home, request: Request, gate: PermitGate | None, first: _Outcome, patience_ends: float
    ) -> _Outcome:
        """Go on after a first attempt; the last outcome comes back, whatever it is."""
        number = 0

        async def attempt() -> _Outcome:
            nonlocal number
            number += 1
            return first if number == 1 else await self._attempt(home, request, gate, number)

        def is_over(state: RetryCallState) -> bool:
            # tenacity's own stop_after_delay reads the machine's clock, and lets the last sleep run past the end.
            return state.attempt_number >= ATTEMPTS or self._live().loop.time() + state.upcoming_sleep > patience_ends

        retrying = AsyncRetrying(
            retry=retry_if_result(partial(_may_repeat, request, gate)),
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

    async def _attempt(self, home: Home, request: Request, gate: PermitGate | None, number: int) -> _Outcome:
        """Send once, when it is this request's turn."""
        live, window = self._live(), (home.account, request.name)
        began = live.loop.time()
        turn = await live.turns.take(live.pool_for(home, request), home, request)
        if self._telemetry.is_on:
            self._telemetry.wait(home.origin, request.name, live.loop.time() - began)
        outcome: _Outcome
        if turn is None:
            outcome = TransportError(f"{request.name}: no free connection in time", maybe_sent=False)
        else:
            try:
                with self._telemetry.request(home.origin, request.name, number) as span:
                    outcome = await self._in_turn(live, turn, home, request, gate)
                    _tell_outcome(span, outcome)
            finally:
                live.turns.windows.leave(window)
        if self._open is not live:
            _drop(outcome)
            raise SessionClosedError(CLOSED)
        if isinstance(outcome, TransportError):
            fields = {"request": request.name, "fault": str(outcome), "attempt": number}
            _log.debug("request failed", extra=fields)
            return outcome
        _log.debug("request answered", extra={"request": request.name, "status": outcome.status, "attempt": number})
        try:
            await live.turns.windows.note(window, outcome, is_shared=request.budget is None)
        except BaseException:
            _drop(outcome)
            raise
        return outcome

    async def _in_turn(
        self, live: _Open, turn: Admitted, home: Home, request: Request, gate: PermitGate | None
    ) -> _Outcome:
        try:
            outcome = await self._exchange(live, turn.pool, home, request, gate)
        except BaseException:
            if gate is None or gate.is_passed:
                turn.pool.slots.release()
            else:
                turn.put_back()
            raise
        if isinstance(outcome, TransportError):
            if outcome.maybe_sent:
                turn.pool.slots.release()
            else:
                turn.put_back()
        return outcome

    async def _exchange(
        self, live: _Open, pool: Pool, home: Home, request: Request, gate: PermitGate | None
    ) -> _Outcome:
        limits = Limits.of(request, home)
        deadline = live.loop.time() + limits.total
        explain = partial(self._explain, request, limits)
        failure: BelvoAsyncError | None = None
        is_large = request.is_large or request.retry is Retry.SUBMIT
        try:
            async with asyncio.timeout_at(deadline):
                raw = await fetch(pool.session, home, request, limits, live.redirects.follow, gate)
            response = HttpResponse(
                raw,
                request,
                explain=explain,
                release=pool.slots.release,
                answer_by=deadline,
                # A submission may be answered with all the data at once instead of an id: refusing to read that would
                # leave a job uncertain that the vendor has finished.
                answer_bytes=self._body_bytes if is_large else self._answer_bytes,
                body_bytes=self._stream_bytes if home.bulk else self._body_bytes,
            )
            live.responses.add(response)
            return response
        except FAULTS as error:
            failure = explain(error)
        # Out here, so that the client's exception, which holds headers, is not kept as the context of ours.
        if gate is not None and gate.refusal is not None:
            raise gate.refusal
        if isinstance(failure, TransportError):
            return failure if gate is None or gate.is_passed else TransportError(*failure.args, maybe_sent=False)
        raise failure

    def _explain(self, request: Request, limits: Limits, error: Exception) -> BelvoAsyncError:
        if self._open is None:
            return SessionClosedError(CLOSED)
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
        raise SessionClosedError(CLOSED)

    def _live(self) -> _Open:
        if self._open is None:
            raise SessionClosedError(CLOSED if self._was_closed else "use the HTTP client inside `async with`")
        if asyncio.get_running_loop() is not self._open.loop:
            raise BelvoAsyncError("this session belongs to another event loop: open one session per loop")
        return self._open

    def _pool(self, size: int, *, force_close: bool = False) -> Pool:
        return make_pool(size, lambda: self._was_closed, force_close=force_close)


_Outcome = HttpResponse | TransportError


def _may_repeat(request: Request, gate: PermitGate | None, outcome: _Outcome) -> bool:
    """Whether to send a request again: not one whose permit was asked for, which whoever gave it does in its turn."""
    return (gate is None or not gate.was_asked) and may_repeat(request.retry, outcome)


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
class _Open:
    """What exists between open and close."""

    loop: asyncio.AbstractEventLoop
    closing: asyncio.Event
    reads: Pool
    submissions: Pool
    bulk: Pool
    redirects: Redirects
    turns: Admission
    # Those that somebody still holds.
    responses: WeakSet[HttpResponse] = field(default_factory=lambda: WeakSet[HttpResponse]())

    def pool_for(self, home: Home, request: Request) -> Pool:
        if request.retry is Retry.SUBMIT:
            return self.submissions
        return self.bulk if home.bulk else self.reads

    @property
    def pools(self) -> tuple[Pool, ...]:
        return self.reads, self.submissions, self.bulk


async def _hang_up(close: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(CLOSING.total_seconds()):
            await close()
    except TimeoutError:
        _log.warning("connections were dropped without a goodbye")


async def _drop_response(state: RetryCallState) -> None:
    _drop(_outcome_of(state))


def _tell_outcome(span: TraceSpan, outcome: _Outcome) -> None:
    if isinstance(outcome, TransportError):
        span.fail(type(outcome).__name__)
    else:
        span.answer(outcome.status)


def _drop(outcome: _Outcome) -> None:
    if isinstance(outcome, HttpResponse):
        outcome.close()


def _outcome_of(state: RetryCallState) -> _Outcome:
    assert state.outcome is not None
    outcome: _Outcome = state.outcome.result()
    return outcome
