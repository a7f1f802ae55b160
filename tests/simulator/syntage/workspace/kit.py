"""Steps that several tests of what an account sets up take."""

from __future__ import annotations

from typing import Any

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import first, post


async def put(client: SyntageClient, path: str, body: Any) -> tuple[int, Any]:
    async with client.http.put(path, json=body) as response:
        return response.status, await response.json(content_type=None)


async def patch(
    client: SyntageClient, path: str, body: Any, kind: str = "application/merge-patch+json"
) -> tuple[int, Any]:
    async with client.http.patch(path, json=body, headers={"Content-Type": kind}) as response:
        return response.status, await response.json(content_type=None)


async def entity_tag(client: SyntageClient, name: str = "nightly") -> str:
    """Make a label for entities; its IRI."""
    _, made = await post(client, "/entity-tags", {"name": name})
    iri: str = made["@id"]
    return iri


async def scheduler(client: SyntageClient, *rules: dict[str, Any], on: bool = True) -> tuple[str, list[str]]:
    """Make a scheduler for the first entity, with rules; its IRI and theirs."""
    tag = await entity_tag(client)
    await post(client, "/entities/batch/tags", {"resources": [first(client)], "tags": [tag]})
    body = {"type": "recurring", "name": "Nightly", "isEnabled": on, "tags": [tag]}
    _, made = await post(client, "/schedulers", body)
    iris = [(await post(client, "/schedulers/rules", {"scheduler": made["@id"], **rule}))[1]["@id"] for rule in rules]
    return made["@id"], iris


async def extractions(client: SyntageClient, extractor: str = "rpc") -> list[dict[str, Any]]:
    """The extractions of a kind, oldest first."""
    return (await client.all_rows(f"/extractions?extractor={extractor}"))[::-1]
