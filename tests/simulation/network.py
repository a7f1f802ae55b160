"""The way between us and a vendor: it delays, loses, and cannot always say what it lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from belvo_async._http import converse_by
from belvo_async.abc import Answer, Headers, Permit, Request, Urgency
from belvo_async.errors import TransportError
from tests.simulation.server import Server
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace

T = TypeVar("T")

Exchange = Callable[[Request, Permit | None], Awaitable[Answer]]


class Whole:
    """A response whose body came at once: all that a conversation wants of one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def answer(self) -> Answer:
        return self._answer


def sending(exchange: Exchange) -> Any:
    """What the library's own driver of conversations sends with, made of one exchange."""

    @asynccontextmanager
    async def send(request: Request, permit: Permit | None = None) -> AsyncIterator[Whole]:
        yield Whole(await exchange(request, permit))

    return send


class Network:
    """Drives conversations against the server. `before_send` is told of each request whose bytes may leave."""

    def __init__(
        self,
        server: Server,
        swarm: Swarm,
        trace: Trace,
        before_send: Callable[[Request], None],
        reserve: Callable[[], Awaitable[None]],
    ) -> None:
        self._server = server
        self._swarm = swarm
        self._trace = trace
        self._before_send = before_send
        self._reserve = reserve

    def talk_with(self, vendor: str) -> Callable[..., Awaitable[T]]:
        return partial(converse_by, dict.fromkeys(Urgency, sending(partial(self.exchange, vendor))))

    async def exchange(self, vendor: str, request: Request, permit: Permit | None) -> Answer:
        swarm = self._swarm
        await self._reserve()
        await self._may_lose(request)
        if permit is not None:
            await permit()
            await self._may_lose(request)
        self._before_send(request)
        await asyncio.sleep(swarm.span(2))
        if swarm.happens("gateway error"):
            if swarm.chance.random() < 0.5:
                self._server.answer(vendor, request)
            self._trace.note("network", f"{request.name} -> 502")
            return Answer(502, Headers(), b"<html>")
        if swarm.happens("arrives late"):
            self._trace.note("network", f"{request.name} timed out and arrives later")
            asyncio.get_running_loop().call_later(swarm.between(0.1, 20), self._server.answer, vendor, request)
            raise TransportError("timed out", maybe_sent=True)
        answer = self._server.answer(vendor, request)
        await asyncio.sleep(swarm.span(10 if request.method == "POST" else 2))
        if swarm.happens("answer lost"):
            self._trace.note("network", f"the answer to {request.name} got lost")
            raise TransportError("cut", maybe_sent=True)
        return answer

    async def _may_lose(self, request: Request) -> None:
        if self._swarm.happens("request lost"):
            await asyncio.sleep(self._swarm.span(2))
            self._trace.note("network", f"{request.name} was not sent")
            raise TransportError("refused", maybe_sent=False)
