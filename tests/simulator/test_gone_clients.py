"""A client that goes away is no error of the simulators: nothing is said about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.simulator.conftest import BelvoClient, SyntageClient

BIG = 40_000_000  # bytes: more than any socket buffers


@pytest.fixture(autouse=True)
def nothing_said(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Each test passes only when nothing above DEBUG was logged and stderr stayed empty."""
    yield
    said = [record.getMessage() for record in caplog.get_records("call") if record.levelno > logging.DEBUG]
    assert ([], "") == (said, capsys.readouterr().err)


async def leave(url: str, request: bytes, *, after: float, read: int = 0) -> None:
    """Send a request as it is, read a part of the answer at most, then tear the connection down."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    await writer.drain()
    if read:
        await reader.readexactly(read)
    await asyncio.sleep(after)
    writer.transport.abort()
    await asyncio.sleep(5)  # until the simulator has noticed


def written(client: BelvoClient | SyntageClient, line: str, *more: str) -> bytes:
    """A logged-in request in the bytes of HTTP/1.1."""
    headers = [f"{name}: {value}" for name, value in client.http.headers.items()]
    return "\r\n".join([f"{line} HTTP/1.1", "Host: x", *headers, *more, "", ""]).encode()


@pytest.mark.parametrize("fault", [None, "cut_body"])
async def test_download_given_up(syntage_client: SyntageClient, fault: Any) -> None:
    """Whoever has seen enough of a file closes the connection; the next download is whole."""
    syntage = syntage_client.syntage
    path = f"/files/{syntage.add_file(BIG)}/download"
    if fault:
        syntage.next_download(fault)
    async with syntage_client.http.get(path, allow_redirects=False) as response:
        link = response.headers["Location"]

    target = link.removeprefix(syntage.storage.url)
    await leave(link, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), after=0, read=100_000)

    assert [200] == [seen.status for seen in syntage.storage.requests]
    async with aiohttp.ClientSession() as bare, bare.get(link) as response:
        assert BIG == len(await response.read())


@pytest.mark.parametrize("fault", [None, "cut_body", "slow", "bad_gateway", "lost_202"])
async def test_answer_nobody_waits_for(client: BelvoClient, fault: str | None) -> None:
    """The answer is ready after the client has left, spoiled or not."""
    client.belvo.answer_delay = timedelta(seconds=2)
    if fault:
        client.belvo.next_answer(fault, method="GET")

    await leave(client.belvo.url, written(client, "GET /api/links/"), after=1)

    assert (200, 3) == await _links(client)


async def test_page_left_in_the_middle(client: BelvoClient) -> None:
    """A page of some megabytes is torn down while it is cut."""
    client.belvo.stock_invoices(client.belvo.links[0], 1000, date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))
    client.belvo.next_answer("cut_body", method="GET", count=2)
    page = written(client, f"GET /api/invoices/?link={client.belvo.links[0]}&page_size=1000")

    await leave(client.belvo.url, page, after=0, read=1000)
    await leave(client.belvo.url, page, after=0, read=1)

    assert ["cut_body", "cut_body"] == [seen.fault for seen in client.belvo.requests]
    assert (200, 3) == await _links(client)


@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_request_never_sent_to_its_end(client: BelvoClient, length: str) -> None:
    """Half a body is no request: nothing was asked, nothing is noted."""
    head = written(client, "POST /api/invoices/", "Content-Type: application/json", length)

    await leave(client.belvo.url, head + b'5\r\n{"lin\r\n', after=1)

    assert [] == client.belvo.requests
    assert (200, 3) == await _links(client)


async def _links(client: BelvoClient) -> tuple[int, int]:
    status, body = await client.get("/api/links/")
    return status, body["count"]
