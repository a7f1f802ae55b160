"""The edges by themselves hold no body either when an exchange fails, whoever drives them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence

import pytest

from belvo_async._http import Http, ask
from belvo_async.errors import BelvoAsyncError
from tests.frames import leaks_of, provoked
from tests.http.origin import CANARY, Cut, Origin, Step, credentials, read, reply, submission
from tests.virtual_time import VirtualClock

ROWS = b'{"results": [' + b", ".join([b'{"rfc": "%s"}' % CANARY.encode()] * 400) + b"]}"
WHOLE = reply(body=ROWS)
HALF = WHOLE[: len(WHOLE) // 2]
PACKED = reply(body=gzip.compress(ROWS, 0), content_encoding="gzip")

SCRIPTS: dict[str, Sequence[Step]] = {
    "cut": (HALF, 0.1, Cut.CLOSE),
    "reset": (HALF, 0.1, Cut.RESET),
    "silent": (HALF, 3600.0),
    "too long": (reply(body=ROWS * 200),),
    "packed and cut": (PACKED[: len(PACKED) // 2], 0.1, Cut.RESET),
    "no gzip": (reply(body=ROWS, content_encoding="gzip"),),
    "a broken gzip": (reply(body=gzip.compress(ROWS, 0)[:-9] + b"x" * 9, content_encoding="gzip"),),
    "another coding": (reply(body=ROWS, content_encoding="br"),),
    "no HTTP": (ROWS,),
    "an endless header": (b"HTTP/1.1 200 X\r\nx-rfc: " + CANARY.encode() * 9_999,),
}


@pytest.fixture
async def http(clock: VirtualClock) -> AsyncIterator[Http]:
    async with Http(clock=clock, answer_bytes=100_000, body_bytes=200_000) as opened:
        yield opened


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("request_", [read(), submission(body=CANARY.encode())], ids=["read", "submission"])
async def test_an_answer_that_fails(http: Http, script: Sequence[Step], request_: object) -> None:
    """Read as a whole."""
    async with Origin([script]) as origin:
        with pytest.raises(BelvoAsyncError) as raised:
            await ask(http.send_to(origin.url, credentials), request_)  # type: ignore[arg-type]

    assert [] == leaks_of(provoked(raised), CANARY)


async def stream(http: Http, origin: Origin) -> None:
    async with http.send_to(origin.url, credentials)(read()) as response:
        async for _ in response.chunks():
            await asyncio.sleep(0)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_a_stream_that_fails(http: Http, script: Sequence[Step]) -> None:
    """Read as it comes: of what was passed on already, nothing is kept."""
    async with Origin([script]) as origin:
        with pytest.raises(BelvoAsyncError) as raised:
            await stream(http, origin)

    assert [] == leaks_of(provoked(raised), CANARY)


async def test_a_caller_that_gives_up(http: Http) -> None:
    """In the middle of a body: the cancellation passes through the frames that read it."""

    async def call(origin: Origin) -> None:
        async with asyncio.timeout(5):
            await ask(http.send_to(origin.url, credentials), read())

    async with Origin([(HALF, 3600.0)]) as origin:
        with pytest.raises(TimeoutError) as raised:
            await call(origin)

    assert [] == leaks_of(provoked(raised), CANARY)
