"""The permit of a submission: asked on its connection, before its first byte, and once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from belvo_async._http import Http, ask, converse
from belvo_async.abc import Answer, Budget, Conversation, Request
from belvo_async.errors import StoreError, TransportError
from belvo_async.stores.memory.store import MemoryStore
from tests.http.origin import CANARY, Cut, Origin, credentials, read, reply, submission
from tests.virtual_time import VirtualClock

BUDGET = Budget("key", 2, timedelta(seconds=30))


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    async with MemoryStore() as store:
        yield store


@pytest.fixture
async def http(clock: VirtualClock, store: MemoryStore) -> AsyncIterator[Http]:
    async with Http(clock=clock, shared_limits=store, chance=lambda: 1.0) as http:
        yield http


class Permit:
    """Gives the permit after so many seconds, or raises; notes what the server had seen when it was asked."""

    def __init__(self, origin: Origin | None = None, *, after: float = 0, error: Exception | None = None) -> None:
        self._origin = origin
        self._after = after
        self._error = error
        self.asked = self.given = 0
        self.seen: list[tuple[int, int]] = []

    async def __call__(self) -> None:
        self.asked += 1
        await asyncio.sleep(self._after)
        if self._origin is not None:
            self.seen.append((self._origin.connections, len(self._origin.seen)))
        if self._error is not None:
            raise self._error
        self.given += 1


async def first_bytes(permit: Permit, http: Http) -> list[tuple[bool, bytes]]:
    """What a server reads, and whether the permit was given by then."""
    came: list[tuple[bool, bytes]] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begin = await reader.read(4)
        came.append((permit.given > 0, begin))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(TransportError):
            await ask(http.send_to(url, credentials), submission(), permit)
    return came


async def test_a_permit_is_asked_on_the_connection_and_before_the_first_byte(http: Http) -> None:
    """The server has taken the connection, and after an age not a byte has come."""
    async with Origin([(reply(202),)]) as origin:
        permit = Permit(origin, after=20)

        answer = await ask(http.send_to(origin.url, credentials), submission(), permit)

        assert (202, [(1, 0)]) == (answer.status, permit.seen)
    assert [(True, b"POST")] == await first_bytes(Permit(after=5), http)


async def test_a_refused_permit_sends_nothing_and_costs_no_place(
    http: Http, store: MemoryStore, clock: VirtualClock
) -> None:
    """Its error comes out as it is; whoever is next has the turn."""
    refusal = StoreError("not yours any more")
    async with Origin([(reply(202),)]) as origin:
        send = http.send_to(origin.url, credentials)
        for _ in range(5):
            permit = Permit(origin, error=refusal)
            with pytest.raises(StoreError) as raised:
                await ask(send, submission(budget=BUDGET), permit)
            assert refusal is raised.value
            assert 1 == permit.asked
        began = clock.now()
        await ask(send, submission(budget=BUDGET), Permit())

    assert 1 == len(origin.seen)
    assert clock.now() - began < timedelta(seconds=1)


async def test_a_refusal_shows_no_credentials(http: Http) -> None:
    """It does not pass through the client, whose frames hold the headers."""
    async with Origin([(reply(202),)]) as origin:
        with pytest.raises(StoreError) as raised:
            await ask(http.send_to(origin.url, credentials), submission(), Permit(error=StoreError("down")))

    trace = raised.value.__traceback__
    while trace is not None:
        assert CANARY not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    assert raised.value.__context__ is None


async def test_a_connection_that_cannot_be_made_asks_for_no_permit(http: Http) -> None:
    """Nothing is noted as sent; until then the client itself tries again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free_port = int(probe.getsockname()[1])
    permit = Permit()
    began = asyncio.get_running_loop().time()

    with pytest.raises(TransportError, match="connection refused") as failure:
        await ask(http.send_to(f"http://127.0.0.1:{free_port}", credentials), submission(), permit)

    assert (False, 0) == (failure.value.maybe_sent, permit.asked)
    assert asyncio.get_running_loop().time() - began > 5


@pytest.mark.parametrize("script", [(reply(429, retry_after="3"),), (reply(403, content_type="text/html"),)])
async def test_a_permit_is_for_one_attempt(http: Http, script: tuple[bytes, ...]) -> None:
    """Whoever gave it is told what came of it, and decides about the next one."""
    async with Origin([script, (reply(202),)]) as origin:
        permit = Permit()

        answer = await ask(http.send_to(origin.url, credentials), submission(), permit)

        assert answer.status in (429, 403)
        assert (1, 1) == (permit.asked, len(origin.seen))


async def test_a_vendor_that_hangs_up_during_the_permit_was_sent_nothing(http: Http) -> None:
    """Writing to a connection that has ended would leave in doubt what is certain."""
    async with Origin([(reply(202),)], greeting=(1.0, Cut.CLOSE)) as origin:
        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), submission(), Permit(after=5))

        assert not failure.value.maybe_sent
        assert [] == origin.seen


async def test_time_that_runs_out_during_the_permit_has_sent_nothing(http: Http) -> None:
    """The limit counts for all of it; before the first byte nothing is in doubt."""
    async with Origin([(reply(202),)]) as origin:
        with pytest.raises(TransportError, match="timed out") as failure:
            await ask(http.send_to(origin.url, credentials), submission(), Permit(after=70))

        assert not failure.value.maybe_sent
        assert [] == origin.seen


async def test_cancelled_during_the_permit_gives_the_place_back(http: Http, clock: VirtualClock) -> None:
    """Nothing was sent."""
    async with Origin([(reply(202),)]) as origin:
        send = http.send_to(origin.url, credentials)
        for _ in range(4):
            asking = asyncio.create_task(ask(send, submission(budget=BUDGET), Permit(after=30)))
            await asyncio.sleep(0.5)
            asking.cancel()
            await asyncio.wait([asking])
        began = clock.now()
        await ask(send, submission(budget=BUDGET), Permit())

    assert clock.now() - began < timedelta(seconds=1)


async def test_only_what_starts_work_needs_a_permit(http: Http) -> None:
    """A conversation that reads as well asks for none there."""

    def conversation() -> Conversation[Answer]:
        yield read()
        answer = yield submission()
        yield read()
        return answer

    async with Origin([(reply(),), (reply(202),), (reply(),)]) as origin:
        permit = Permit(origin)

        answer = await converse(http.send_to(origin.url, credentials), conversation(), permit=permit)

        assert (202, [(2, 1)]) == (answer.status, permit.seen)


async def test_a_deletion_that_is_a_submission_is_asked_about_once(http: Http) -> None:
    """Whatever the method: aiohttp would repeat this one by itself when its connection drops."""
    async with Origin([(Cut.CLOSE,)]) as origin:
        permit = Permit()
        request = Request(method="DELETE", target="/links/1/", name="DELETE", retry=submission().retry)

        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), request, permit)

        assert failure.value.maybe_sent
        assert (1, 1) == (permit.asked, len(origin.seen))
