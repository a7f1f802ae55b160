"""Cut, refused and silent connections on a raw server: what was sent, what may have been, what is sent again."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from belvo_async._http import Http, ask
from belvo_async._http.faults import transport_error
from belvo_async.abc import Request, Retry
from belvo_async.errors import TransportError
from tests.exhaustion import no_descriptors
from tests.frames import leaks_of, provoked
from tests.http.origin import CANARY, Cut, Origin, Step, credentials, read, reply, submission
from tests.virtual_time import VirtualClock

CUTS: dict[str, Sequence[Step]] = {
    "after the request": (Cut.CLOSE,),
    "after the request, reset": (Cut.RESET,),
    "inside the status line": (b"HTTP/1.1 2", Cut.CLOSE),
    "inside the headers": (b"HTTP/1.1 200 OK\r\ncontent-le", Cut.CLOSE),
    "not HTTP": (b"garbage\r\n\r\n", Cut.CLOSE),
}


@pytest.fixture
async def http(clock: VirtualClock) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 1.0) as http:
        yield http


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
async def test_cut_submission_is_sent_once_and_may_have_been_accepted(http: Http, cut: Sequence[Step]) -> None:
    """Once a connection stood, nobody knows what the vendor read: one request, and the error says so."""
    async with Origin([cut]) as origin:
        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), submission())

        assert failure.value.maybe_sent
        assert 1 == len(origin.seen)


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
async def test_cut_read_is_sent_again(http: Http, cut: Sequence[Step]) -> None:
    """Reading twice harms nobody."""
    async with Origin([cut, cut, (reply(),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), read())

        assert (200, 3) == (answer.status, len(origin.seen))


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_request_that_must_not_be_repeated_is_not(http: Http, method: str) -> None:
    """aiohttp repeats GET and DELETE by itself when a kept connection drops; ours never does."""
    async with Origin([(reply(),), (Cut.CLOSE,)]) as origin:
        send = http.send_to(origin.url, credentials)
        request = Request(method=method, target="/", name="ONCE /", retry=Retry.NEVER)
        await ask(send, request)

        with pytest.raises(TransportError) as failure:
            await ask(send, request)

        assert failure.value.maybe_sent
        assert [1, 1] == [each.connection for each in origin.seen]


@pytest.mark.parametrize("greeting", [(Cut.CLOSE,), (Cut.RESET,)], ids=["closed", "reset"])
async def test_connection_closed_at_once_may_have_carried_a_submission(http: Http, greeting: Sequence[Step]) -> None:
    """Accepted and closed before reading: bytes may have left, so the cautious answer stands."""
    async with Origin([(reply(),)], greeting=greeting) as origin:
        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), submission())

        assert failure.value.maybe_sent
        assert 1 == origin.connections


async def test_refused_submission_was_not_sent(http: Http, free_port: int) -> None:
    """A refused connection is retried for a while, then reported as certainly not sent."""
    began = asyncio.get_running_loop().time()

    with pytest.raises(TransportError, match=r"^POST /jobs: connection refused$") as failure:
        await ask(http.send_to(f"http://127.0.0.1:{free_port}", credentials), submission())

    assert not failure.value.maybe_sent
    assert 0.5 + 1 + 2 + 4 == pytest.approx(asyncio.get_running_loop().time() - began)


async def test_submission_goes_out_once_the_vendor_is_back(http: Http, free_port: int) -> None:
    """Certainly not sent, so sent again: a restart of the vendor's server costs no job."""
    send = http.send_to(f"http://127.0.0.1:{free_port}", credentials)
    asking = asyncio.create_task(ask(send, submission()))
    await asyncio.sleep(1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(202))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", free_port):
        assert 202 == (await asking).status


async def test_failed_handshake_is_not_sent(http: Http) -> None:
    """No byte of a request leaves before TLS stands."""
    async with Origin([(reply(),)], greeting=(b"this is not TLS\r\n", Cut.CLOSE)) as origin:
        send = http.send_to(origin.url.replace("http:", "https:"), credentials)
        with pytest.raises(TransportError) as failure:
            await ask(send, submission())

        assert not failure.value.maybe_sent


async def test_unknown_host_is_not_sent(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve has no connection to send on."""

    async def nothing(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)

    with pytest.raises(TransportError, match="host not found") as failure:
        await ask(http.send_to("http://nowhere.example", credentials), submission())

    assert not failure.value.maybe_sent


async def test_host_that_never_connects_is_not_sent(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that does not stand after 10 s is given up before anything is sent."""
    loop = asyncio.get_running_loop()

    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(loop, "sock_connect", hang)
    began = loop.time()

    with pytest.raises(TransportError, match="no connection in time") as failure:
        await ask(http.send_to("http://127.0.0.1:9", credentials), submission(retry=Retry.NEVER))

    assert not failure.value.maybe_sent
    assert 10 == pytest.approx(loop.time() - began, abs=1)


async def test_submissions_never_share_a_connection(http: Http) -> None:
    """A kept connection may die just as a POST goes out; a fresh one leaves no doubt. Reads keep theirs."""
    async with Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        for request in (read(), read(), submission(), submission(), read()):
            await ask(send, request)

        assert [1, 1, 2, 3, 1] == [each.connection for each in origin.seen]


async def test_early_refusal_is_read_before_the_cut(http: Http) -> None:
    """A vendor that answers 429 and resets the connection has answered: the status counts."""
    async with Origin([(reply(429), Cut.CLOSE), (reply(202),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), submission())

        assert (202, 2) == (answer.status, len(origin.seen))


async def test_silence_ends_after_thirty_seconds(http: Http) -> None:
    """A server that accepts and says nothing is given up, and the request may have been sent."""
    async with Origin([(3600.0,)]) as origin:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TransportError, match="no byte for 30 s") as failure:
            await ask(http.send_to(origin.url, credentials), submission())

        assert failure.value.maybe_sent
        assert 30 == pytest.approx(asyncio.get_running_loop().time() - began, abs=1)


async def test_dripping_headers_end_after_a_minute(http: Http) -> None:
    """Bytes that keep coming do not keep a request for ever."""
    drip: list[Step] = [b"HTTP/1.1 200 OK\r\n", *[step for _ in range(60) for step in (4.0, b"x: y\r\n")]]
    async with Origin([drip]) as origin:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TransportError, match=r"^GET /things: timed out after 60 s$"):
            await ask(http.send_to(origin.url, credentials), read())

        assert 60 == pytest.approx(asyncio.get_running_loop().time() - began, abs=1)


async def test_timeout_of_the_request_replaces_the_usual_ones(http: Http) -> None:
    """A synchronous retrieval may take five minutes of silence."""
    async with Origin([(300.0, reply(201))]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), submission(timeout=timedelta(seconds=330)))

        assert 201 == answer.status


@pytest.mark.parametrize("retry", [Retry.SAFE, Retry.SUBMIT])
@pytest.mark.parametrize("cut", [*CUTS.values(), (3600.0,)], ids=[*CUTS, "silence"])
async def test_no_failure_shows_a_secret(
    http: Http, caplog: pytest.LogCaptureFixture, cut: Sequence[Step], retry: Retry
) -> None:
    """aiohttp's exceptions hold the request's headers: neither ours, nor what hangs on it, nor the log may."""
    caplog.set_level(logging.DEBUG)
    async with Origin([cut]) as origin:
        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), submission(f"/jobs?rfc={CANARY}", retry=retry))

    error: BaseException | None = failure.value
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None
    assert CANARY not in f"{error!r} {error} {vars(failure.value)}"
    assert all(CANARY not in str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    "request_",
    [
        submission(f"/jobs?rfc={CANARY}", body=CANARY.encode(), headers={"x-key": CANARY}),
        read(f"/files?rfc={CANARY}", follow=True),
    ],
    ids=["submission", "redirected read"],
)
async def test_timeout_of_the_caller_shows_no_secret(http: Http, request_: Request) -> None:
    """Error trackers show the locals of every frame: aiohttp's hold headers, body and signed addresses."""
    redirect = (reply(302, location=f"/store?signature={CANARY}"),)
    async with Origin([(3600.0,)] if request_.method == "POST" else [redirect, (3600.0,)]) as origin:
        with pytest.raises(TimeoutError) as failure:
            async with asyncio.timeout(5):
                await ask(http.send_to(origin.url, credentials), request_)

        assert CANARY in f"{origin.seen[-1]}"
    assert [] == leaks_of(provoked(failure), CANARY)


async def test_cancellation_keeps_its_reason(http: Http) -> None:
    """Who cancels with a message finds it again."""
    async with Origin([(3600.0,)]) as origin:
        call = asyncio.create_task(ask(http.send_to(origin.url, credentials), read()))
        await asyncio.sleep(1)
        call.cancel("enough")

        with pytest.raises(asyncio.CancelledError, match="enough"):
            await call


async def test_one_debug_line_for_each_attempt(http: Http, caplog: pytest.LogCaptureFixture) -> None:
    """Constant text and fields: attempts can be counted."""
    caplog.set_level(logging.DEBUG, "belvo_async")
    async with Origin([(Cut.CLOSE,), (reply(503),), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), read())

    lines = [(each.message, getattr(each, "status", None), vars(each)["attempt"]) for each in caplog.records]
    assert [("request failed", None, 1), ("request answered", 503, 2), ("request answered", 200, 3)] == lines


@pytest.mark.parametrize("request_", [read(), submission()], ids=["read", "submission"])
async def test_a_process_without_descriptors_is_told_from_a_vendor_that_refuses(
    http: Http, free_port: int, request_: Request
) -> None:
    """It is nobody's fault but this process's, and nothing was sent."""
    send = http.send_to(f"http://127.0.0.1:{free_port}", credentials)

    with no_descriptors(), pytest.raises(TransportError, match="no file descriptors left") as failure:
        await ask(send, request_)

    assert not failure.value.maybe_sent


async def test_a_name_that_cannot_be_looked_up_without_descriptors_is_not_unknown() -> None:
    """A resolver that can open none of its files says that there is no such host."""
    key = ConnectionKey("no-such-host.invalid", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorDNSError(key, socket.gaierror(socket.EAI_NONAME, "unknown"))

    with no_descriptors():
        exhausted = transport_error(error, read(), total=1, silence=1)
    unknown = transport_error(error, read(), total=1, silence=1)

    assert "GET /things: this process has no file descriptors left" == str(exhausted).partition(" (")[0]
    assert "GET /things: host not found" == str(unknown)
    assert [False, False] == [exhausted.maybe_sent, unknown.maybe_sent]
