"""Each fault can be ordered or drawn, and is visible to a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator, Faults, SyntageSimulator
from belvo_async.simulator.faults import Dice
from tests.simulator.conftest import BelvoClient, Receiver, SyntageClient, basic

LONG = 400


@asynccontextmanager
async def faulty(clock: Any, receiver: Receiver, **faults: float) -> AsyncIterator[BelvoClient]:
    async with (
        BelvoSimulator(now=clock.now, limits=False, webhook_url=receiver.url, faults=Faults(**faults)) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        yield BelvoClient(belvo, http)


async def test_lost_answer_leaves_a_job(client: BelvoClient) -> None:
    """`lost_202`: the connection is cut, the job lives."""
    client.belvo.next_answer("lost_202")

    with pytest.raises(aiohttp.ClientError):
        await client.post()

    assert 1 == len(client.belvo.jobs)
    assert (0, "lost_202") == (client.belvo.requests[-1].status, client.belvo.requests[-1].fault)


async def test_bad_gateway_leaves_a_job(client: BelvoClient) -> None:
    """`bad_gateway`: an HTML 502 hides an accepted POST."""
    client.belvo.next_answer("bad_gateway")
    async with client.http.post(
        "/api/invoices/", json=client.body(), headers={"X-Belvo-Request-Mode": "async"}
    ) as response:
        assert (502, "text/html") == (response.status, response.content_type)

    assert 1 == len(client.belvo.jobs)


async def test_unsent_leaves_no_job(client: BelvoClient) -> None:
    """`unsent`: cut before Belvo looked at it."""
    client.belvo.next_answer("unsent")

    with pytest.raises(aiohttp.ClientError):
        await client.post()

    assert {} == client.belvo.jobs


async def test_timeout_never_answers(client: BelvoClient) -> None:
    """`timeout`: nothing accepted, nothing answered."""
    client.belvo.next_answer("timeout")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.post(), 3600)

    assert {} == client.belvo.jobs


async def test_slow_answers_late(client: BelvoClient, clock: Any) -> None:
    """`slow`: the answer takes `slow_seconds`."""
    client.belvo.next_answer("slow", method="GET")
    before = clock.now()

    status, _ = await client.get("/api/")

    assert 200 == status
    assert 2 <= (clock.now() - before).total_seconds() < 3


async def test_cut_body_ends_early(client: BelvoClient) -> None:
    """`cut_body`: headers and half the body arrive."""
    client.belvo.next_answer("cut_body", method="GET", path="/api/links/*")

    async with client.http.get("/api/links/") as response:
        assert 200 == response.status
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("rate_limited", 429, "text/plain"),
        ("html_403", 403, "text/html"),
        ("server_error", 500, "application/json"),
        ("too_many_sessions", 400, "application/json"),
        ("access_to_resource_denied", 403, "application/json"),
        ("expired_credentials", 404, "application/json"),
        ("request_timeout", 408, "application/json"),
        ("token_required", 428, "application/json"),
    ],
)
async def test_ordered_answers(client: BelvoClient, fault: str, status: int, kind: str) -> None:
    """An ordered answer comes once, nothing is accepted, and the next request is served."""
    client.belvo.next_answer(fault)
    async with client.http.post("/api/invoices/", json=client.body()) as response:
        assert (status, kind) == (response.status, response.content_type)
        body = await response.text()
    assert {} == client.belvo.jobs

    again, _ = await client.post()

    assert 202 == again
    assert kind != "application/json" or fault == "server_error" or f'"{fault}"' in body


async def test_synchronous_answer_to_an_async_post(client: BelvoClient) -> None:
    """`synchronous`: 201 with the list although async was asked."""
    client.belvo.next_answer("synchronous")

    status, body = await client.post()

    assert 201 == status
    assert isinstance(body, list)


def test_unknown_faults_are_refused() -> None:
    """A typo in a script is an error at once."""
    with pytest.raises(ValueError, match="unknown fault 'lost202'"):
        BelvoSimulator().next_answer("lost202")


async def test_dropped_webhooks(clock: Any, receiver: Receiver) -> None:
    """Never sent."""
    async with faulty(clock, receiver, webhook_dropped=1.0) as client:
        await client.post()
        await asyncio.sleep(LONG)

    assert [] == receiver.got


async def test_duplicated_webhooks(clock: Any, receiver: Receiver) -> None:
    """Sent twice with the same body."""
    async with faulty(clock, receiver, webhook_duplicated=1.0) as client:
        await client.post()
        await asyncio.sleep(LONG)

    (_, one), (_, other) = receiver.got
    assert one == other


async def test_reordered_webhooks_arrive_all_the_same(clock: Any, receiver: Receiver) -> None:
    """Held back, but not lost."""
    async with faulty(clock, receiver, webhook_reordered=1.0) as client:
        await client.post()
        await asyncio.sleep(LONG)

    assert 1 == len(receiver.got)


async def test_held_webhook_is_overtaken(clock: Any, receiver: Receiver) -> None:
    """A later event arrives before the held one."""
    async with (
        SyntageSimulator(now=clock.now, webhook_url=receiver.url, faults=Faults(webhook_reordered=0.5)) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        for extractor in ("rpc", "rug", "bil"):
            await SyntageClient(syntage, http).create(extractor)
        await asyncio.sleep(LONG)
        ids = [body["id"] for body in receiver.bodies]

    assert 9 == len(set(ids))
    assert sorted(ids) != ids


async def test_early_webhook_overtakes_the_202(clock: Any, receiver: Receiver) -> None:
    """The end is announced before the POST is answered."""
    order: list[str] = []
    receiver.on_delivery = lambda: order.append("webhook")
    async with faulty(clock, receiver, webhook_early=1.0) as client:
        status, _ = await client.post()
        order.append("answer")

    assert 202 == status
    assert ["webhook", "answer"] == order


async def test_early_extraction_tells_all_before_the_202(clock: Any, receiver: Receiver) -> None:
    """Syntage: created, running and finished arrive first; the answer still says pending."""
    async with (
        SyntageSimulator(now=clock.now, webhook_url=receiver.url, faults=Faults(webhook_early=1.0)) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        _, body = await SyntageClient(syntage, http).create()

    assert "pending" == body["status"]
    assert {"pending", "running", "finished"} == {one["data"]["object"]["status"] for one in receiver.bodies}


async def test_forgeries(clock: Any, receiver: Receiver) -> None:
    """One with a wrong proof that lies about the job, one well signed about an unknown job."""
    async with faulty(clock, receiver, webhook_forged=1.0) as client:
        _, accepted = await client.post()
        await asyncio.sleep(LONG)
        right = client.belvo.webhook_authorization
        kinds = {one.kind for one in client.belvo.deliveries}

    assert {"documented", "forged", "unknown_job"} == kinds
    mine = [
        (headers["Authorization"] == right, body["request_id"].replace("-", "") == accepted["request_id"])
        for (headers, _), body in zip(receiver.got, receiver.bodies, strict=True)
    ]
    assert [(False, True), (True, False), (True, True)] == sorted(mine)


async def test_handmade_belvo_delivery(client: BelvoClient, receiver: Receiver) -> None:
    """`deliver` sends any payload with any proof and gives the status answered."""
    receiver.statuses = [204, 401]

    right = await client.belvo.deliver({"a": 1})
    wrong = await client.belvo.deliver({"a": 1}, authorization="Bearer nonsense")

    assert [204, 401] == [right, wrong]
    assert "Bearer nonsense" == receiver.got[1][0]["Authorization"]


async def test_handmade_syntage_delivery(syntage: SyntageSimulator, receiver: Receiver) -> None:
    """Headers can be replaced or left out, the secret and the signed time chosen."""
    await syntage.deliver({"id": "x"}, secret="other", headers={"X-Satws-Signature": None, "X-More": "1"})

    (headers, _) = receiver.got[0]
    assert "X-Satws-Signature" not in headers
    assert "1" == headers["X-More"]


async def test_nobody_listens(client: BelvoClient) -> None:
    """A refused connection is recorded as status 0."""
    client.belvo.webhook_url = "http://127.0.0.1:9/closed"

    assert 0 == await client.belvo.deliver({})


@pytest.mark.parametrize(
    ("fault", "status"),
    [("rate_limited", 429), ("server_error", 500), ("conflict", 409), ("forbidden", 403), ("unprocessable", 422)],
)
async def test_ordered_syntage_answers(syntage_client: SyntageClient, fault: str, status: int) -> None:
    """Each has its documented shape; nothing is accepted."""
    syntage_client.syntage.next_answer(fault, path="/extractions")

    answered, _ = await syntage_client.create()

    assert status == answered
    assert {} == syntage_client.syntage.jobs


@pytest.mark.parametrize("fault", ["rate_limited", "html_403", "server_error", "lost_202", "synchronous", "cut_body"])
async def test_drawn_request_faults(clock: Any, receiver: Receiver, fault: str) -> None:
    """A probability of one strikes every request it can strike, and the log says so."""
    async with faulty(clock, receiver, **{fault: 1.0}) as client:
        with suppress(aiohttp.ClientError, ValueError):
            await (client.get("/api/") if fault == "cut_body" else client.post())

        assert fault == client.belvo.requests[0].fault


def test_one_fault_does_not_shift_another() -> None:
    """Each kind draws from its own stream of the seed."""
    alone = Dice(3, Faults(webhook_dropped=0.5))
    together = Dice(3, Faults(webhook_dropped=0.5, webhook_duplicated=0.5))
    drawn = []
    for _ in range(50):
        together.hit("webhook_duplicated")
        drawn.append(together.hit("webhook_dropped"))

    assert [alone.hit("webhook_dropped") for _ in range(50)] == drawn


def test_no_faults_by_default() -> None:
    """Every probability is zero unless asked for."""
    assert {0.0} == {getattr(Faults(), one.name) for one in fields(Faults) if one.name != "slow_seconds"}
