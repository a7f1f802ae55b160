"""Steps that several tests of the simulated Syntage take."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulator.conftest import Receiver, SyntageClient

LONG = 400  # seconds, longer than any extraction


async def finished(client: SyntageClient, *arguments: Any, **changes: Any) -> str:
    """Run an extraction to its end; gives its id."""
    status, body = await client.create(*arguments, **changes)
    assert 202 == status, body
    await asyncio.sleep(LONG)
    number: str = body["id"]
    return number


async def post(client: SyntageClient, path: str, body: Any = None) -> tuple[int, Any]:
    async with client.http.post(path, json=body) as response:
        return response.status, await response.json(content_type=None)


async def delete(client: SyntageClient, path: str) -> int:
    async with client.http.delete(path) as response:
        return response.status


async def read(client: SyntageClient, path: str, accept: str = "*/*") -> tuple[int, str, bytes]:
    """Give the status, the content type and the raw bytes."""
    async with client.http.get(path, headers={"Accept": accept}) as response:
        return response.status, response.content_type, await response.read()


def first(client: SyntageClient) -> str:
    """The IRI of the first entity, a company."""
    return client.syntage.entities[0]


def told(receiver: Receiver, stem: str) -> list[dict[str, Any]]:
    """What was delivered about one kind of object, oldest first."""
    return [body for body in receiver.bodies if body["type"].startswith(f"{stem}.")]
