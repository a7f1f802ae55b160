"""`serve` runs both vendors and tells how to reach them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence

import aiohttp

from belvo_async.simulator import SyntageSimulator
from belvo_async.simulator.server import serve, syntage_lines
from belvo_async.simulator.wire import Incoming, Reply, Route


async def test_serve_says_how_to_reach_both() -> None:
    """The printed address and keys work; cancelling ends both."""
    lines: list[str] = []
    running = asyncio.create_task(serve(seed=3, speed=100, say=lines.append))
    await asyncio.sleep(1)
    text = "\n".join(lines)
    url, key = re.findall(r"Syntage +(\S+)|api key +(\S+)", text)
    async with aiohttp.ClientSession(headers={"X-API-Key": key[1]}) as http, http.get(f"{url[0]}/entities") as response:
        status = response.status

    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert 200 == status
    assert 2 <= text.count("curl -u") <= text.count("curl")


async def test_serve_shows_how_to_download_a_file() -> None:
    """The file's address is asked for with the key, the file itself without: the storage insists on that."""
    async with SyntageSimulator(seed=3) as syntage:
        lines = syntage_lines(syntage)

    (download,) = [line for line in lines if "/download" in line]
    outer, inner = download.split("$(")
    assert "X-API-Key" not in outer
    assert f"-H 'X-API-Key: {syntage.api_key}'" in inner
    assert "%{redirect_url}" in inner


class Silent(SyntageSimulator):
    """One that carries out what it is asked, and has nothing to say about it."""

    def routes(self) -> Sequence[Route]:
        async def make(call: Incoming) -> Reply:
            return Reply(status=201)

        return [*super().routes(), Route("POST", "/silent", make)]


async def test_an_answer_without_a_body_is_not_called_json() -> None:
    """Clients that read what is called JSON would fail at the end of nothing."""
    async with (
        Silent() as silent,
        aiohttp.ClientSession(silent.url, headers={"X-API-Key": silent.api_key}) as http,
        http.post("/silent") as answer,
    ):
        assert (201, b"", False) == (answer.status, await answer.read(), "Content-Type" in answer.headers)
