"""Webhook endpoints of the simulated Syntage: what is delivered to which, and what is recorded of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import delete, finished, post, read

EVERY = ["extraction.created", "extraction.updated"]


async def made(client: SyntageClient, url: str, **changes: Any) -> dict[str, Any]:
    body = {"url": url, "events": EVERY, "enabled": True, "contentType": "application/ld+json"} | changes
    status, answered = await post(client, "/webhook-endpoints", body)
    assert 202 == status, answered
    return dict(answered)


async def put(client: SyntageClient, path: str, body: Any) -> tuple[int, Any]:
    async with client.http.put(path, json=body) as response:
        return response.status, await response.json(content_type=None)


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    moment, signature = (part.partition("=")[2] for part in headers["X-Syntage-Signature"].split(","))
    return signature == hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


async def test_the_configured_endpoint_is_one_of_the_list(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """With its address, its secret and what it is subscribed to; others come before it, being newer."""
    other = await made(syntage_client, "http://127.0.0.1:9/other", enabled=False)

    rows = await syntage_client.all_rows("/webhook-endpoints")
    status, alone = await syntage_client.get(f"/webhook-endpoints/{rows[1]['id']}")

    assert [other["id"]] == [each["id"] for each in rows[:-1]]
    assert (receiver.url, syntage_client.syntage.signing_secret, True) == (
        rows[1]["url"],
        rows[1]["signingSecret"],
        rows[1]["enabled"],
    )
    assert (200, "/contexts/WebhookEndpoint", rows[1]) == (status, alone.pop("@context"), alone)


async def test_lists_are_filtered_and_paged(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """By address, by an event, by whether it is enabled; in pages along the cursor."""
    others = [
        await made(syntage_client, f"http://127.0.0.1:9/{n}", enabled=n > 0, events=["file.created"]) for n in range(3)
    ]

    def ids(rows: list[dict[str, Any]]) -> list[Any]:
        return [each["id"] for each in rows]

    async def asked(query: str) -> list[Any]:
        return ids(await syntage_client.all_rows(f"/webhook-endpoints?{query}"))

    assert ids(others)[::-1] == await asked("events=file.created&itemsPerPage=1")
    assert ids(others[:1]) == await asked("enabled=false")
    assert ids(others[1:2]) == await asked("url=http://127.0.0.1:9/1")
    assert 1 == len(await asked(f"url={receiver.url}"))


async def test_an_endpoint_gets_its_events_with_its_own_secret(
    syntage_client: SyntageClient, receiver: Receiver
) -> None:
    """In its own content type, as long as it is enabled; the configured one goes on beside it."""
    endpoint = await made(syntage_client, receiver.url, events=["extraction.updated"], contentType="application/json")

    await finished(syntage_client, "tax_status")

    mine = [each for each in receiver.got if is_signed(endpoint["signingSecret"], *each)]
    others = [each for each in receiver.got if is_signed(syntage_client.syntage.signing_secret, *each)]
    assert mine
    assert len(receiver.got) == len(mine) + len(others)
    assert {"extraction.updated"} == {json.loads(body)["type"] for _, body in mine}
    assert {"application/json"} == {headers["Content-Type"] for headers, _ in mine}
    assert not any(b'"@id"' in body for _, body in mine)
    assert all(b'"@id"' in body for _, body in others)


async def test_a_disabled_or_deleted_endpoint_gets_nothing(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Once it is enabled by a PUT it does; its secret stays what it was."""
    syntage_client.syntage.webhook_url = None
    endpoint = await made(syntage_client, receiver.url, enabled=False)
    path = f"/webhook-endpoints/{endpoint['id']}"
    await finished(syntage_client, "tax_status")
    before = len(receiver.got)
    body = {"url": receiver.url, "events": EVERY, "enabled": True, "contentType": "application/ld+json"}

    status, changed = await put(syntage_client, path, body)
    await finished(syntage_client, "tax_status")
    between = len(receiver.got)
    statuses = [await delete(syntage_client, path), await delete(syntage_client, path)]
    await finished(syntage_client, "tax_status")

    assert (0, 200, endpoint["signingSecret"], True) == (before, status, changed["signingSecret"], changed["enabled"])
    assert 0 < between == len(receiver.got)
    assert [204, 404] == statuses
    assert (404, 404) == ((await syntage_client.get(path))[0], (await put(syntage_client, path, body))[0])


async def test_the_configured_endpoint_may_be_changed_and_deleted(
    syntage_client: SyntageClient, receiver: Receiver
) -> None:
    """Nothing is delivered then, until it is given an address again: as another endpoint."""
    (row,) = await syntage_client.all_rows("/webhook-endpoints")
    body = {"url": f"{receiver.url}?2", "events": ["file.created"], "enabled": True, "contentType": "application/json"}

    changed = await put(syntage_client, f"/webhook-endpoints/{row['id']}", body)
    moved = syntage_client.syntage.webhook_url
    assert 204 == await delete(syntage_client, f"/webhook-endpoints/{row['id']}")
    gone = (syntage_client.syntage.webhook_url, await syntage_client.all_rows("/webhook-endpoints"))
    syntage_client.syntage.webhook_url = receiver.url
    (again,) = await syntage_client.all_rows("/webhook-endpoints")

    assert (200, f"{receiver.url}?2", ["file.created"]) == (changed[0], moved, changed[1]["events"])
    assert (None, []) == gone
    assert row["id"] != again["id"]


async def test_every_try_is_recorded(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Newest first, with what was answered and how long that took, and found by what its event was about."""
    receiver.statuses = [503, 503]
    number = await finished(syntage_client, "tax_status")

    rows = await syntage_client.all_rows("/webhook-requests")
    found = await syntage_client.all_rows(f"/webhook-requests?event.resource=/extractions/{number}&itemsPerPage=2")
    status, alone = await syntage_client.get(f"/webhook-requests/{rows[0]['id']}")

    assert len(receiver.got) == len(rows)
    assert [503, 503] == [each["responseStatusCode"] for each in rows if each["responseStatusCode"] != 204]
    assert sorted((each["id"] for each in rows), reverse=True) == [each["id"] for each in rows]
    assert {each["id"] for each in rows} >= {each["id"] for each in found} != set()
    assert {receiver.url} == {each["url"] for each in rows} == {each["webhookEndpoint"]["url"] for each in rows}
    assert {"@id", "@type", "id", "webhookEndpoint", "url", "responseStatusCode", "responseTime", "createdAt"} | {
        "updatedAt"
    } == set(rows[0])
    assert (200, "/contexts/WebhookRequest", rows[0]) == (status, alone.pop("@context"), alone)
    assert 404 == (await syntage_client.get("/webhook-requests/none"))[0]


async def test_attempts_are_found_by_their_event(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Its id, type and source, and by the answer."""
    receiver.statuses = [500]
    number = await finished(syntage_client, "tax_status")
    (event, *_) = await syntage_client.all_rows("/events?type=extraction.created")

    async def count(query: str) -> int:
        return len(await syntage_client.all_rows(f"/webhook-requests?{query}"))

    assert 2 == await count(f"event.id={event['id']}")
    assert 1 == await count(f"event.id={event['id']}&responseStatusCode=500")
    assert await count("event.type=extraction.updated") == await count(
        f"event.type=extraction.updated&event.source=/extractions/{number}"
    )
    assert 0 == await count("event.type=invoice.created")


async def test_nobody_answering_is_recorded_as_such(syntage_client: SyntageClient) -> None:
    """0, as documented, for each of five tries."""
    syntage_client.syntage.webhook_url = None
    await made(syntage_client, "http://127.0.0.1:9/nobody", events=["extraction.created"])

    await syntage_client.create("tax_status")
    await asyncio.sleep(300)

    rows = await syntage_client.all_rows("/webhook-requests")
    assert [0] * 5 == [each["responseStatusCode"] for each in rows]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"url": ""}, "url"),
        ({"url": "nowhere"}, "url"),
        ({"events": None}, "events"),
        ({"events": ["extraction.updated", "extraction.finished"]}, "events[1]"),
        ({"enabled": None}, "enabled"),
        ({"contentType": None}, "contentType"),
    ],
)
async def test_what_does_not_fit_is_a_violation(
    syntage_client: SyntageClient, changes: dict[str, Any], path: str
) -> None:
    """Each names its property; nothing is made or changed."""
    (row,) = await syntage_client.all_rows("/webhook-endpoints")
    body = {name: row[name] for name in ("url", "events", "enabled", "contentType")} | changes

    answers = [
        await post(syntage_client, "/webhook-endpoints", body),
        await put(syntage_client, f"/webhook-endpoints/{row['id']}", body),
    ]

    for status, told in answers:
        assert (400, [path]) == (status, [each["propertyPath"] for each in told["violations"]])
    assert [row] == await syntage_client.all_rows("/webhook-endpoints")


async def test_what_is_no_object_or_page_is_refused(syntage_client: SyntageClient) -> None:
    """As by every other operation."""
    assert 400 == (await post(syntage_client, "/webhook-endpoints", []))[0]
    for path in ("/webhook-endpoints", "/webhook-requests"):
        assert 400 == (await read(syntage_client, f"{path}?itemsPerPage=0"))[0]
