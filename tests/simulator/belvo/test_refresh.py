"""A refresh of the simulated Belvo announces each resource under its request id, as its pages say."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator.conftest import BelvoClient, Receiver

MINUTES = 600  # seconds, longer than any refresh
EVENTS = {
    "INVOICES": 10,
    "TAX_RETURNS": 2,
    "TAX_STATUS": 1,
    "TAX_COMPLIANCE_STATUS": 1,
    "TAX_RETENTIONS": 1,
    "FINANCIAL_STATEMENTS": 1,
}


async def refresh(client: BelvoClient, link: str | None = None, **body: Any) -> tuple[int, Any]:
    path = f"/api/links/{link or client.belvo.links[0]}/refresh/"
    async with client.http.post(path, json=body) as response:
        return response.status, await response.json(content_type=None)


async def test_a_refresh_announces_every_resource(client: BelvoClient, receiver: Receiver) -> None:
    """202, then historical updates of that request: ten for invoices, two for tax returns, one for each other."""
    status, accepted = await refresh(client)
    at_once = len(receiver.bodies)
    await asyncio.sleep(MINUTES)

    hooks = receiver.bodies
    assert (202, 32, 0) == (status, len(accepted["request_id"]), at_once)
    assert EVENTS == Counter(hook["webhook_type"] for hook in hooks)
    assert {"historical_update"} == {hook["process_type"] for hook in hooks}
    assert {accepted["request_id"]} == {hook["request_id"].replace("-", "") for hook in hooks}
    assert {"historical_inflow_update": 5, "historical_outflow_update": 5, "historical_update": 6} == Counter(
        hook["webhook_code"] for hook in hooks
    )


async def test_data_tells_what_was_fetched(client: BelvoClient, receiver: Receiver) -> None:
    """Each webhook's data has its documented keys, and the lists hold that many rows."""
    await refresh(client)
    await asyncio.sleep(MINUTES)

    found: Counter[str] = Counter()
    keys = {hook["webhook_type"]: set(hook["data"]) for hook in receiver.bodies}
    for hook in receiver.bodies:
        found[hook["webhook_type"]] += next(
            each for name, each in hook["data"].items() if name.startswith(("total", "new"))
        )
    for resource in EVENTS:
        _, page = await client.get(f"/api/{resource.lower().replace('_', '-')}/", page_size="1")
        assert found[resource] == page["count"]
    assert {
        "INVOICES": {"total_invoices", "first_invoice_date", "last_invoice_date"},
        "TAX_RETURNS": {"type", "total_tax_returns", "first_tax_return_year", "last_tax_return_year"},
        "TAX_STATUS": {"total_tax_status", "last_status_change_date"},
        "TAX_COMPLIANCE_STATUS": {"total_tax_compliance_status"},
        "TAX_RETENTIONS": {"total_tax_retentions", "first_tax_retention_date", "last_tax_retention_date"},
        "FINANCIAL_STATEMENTS": {"new_financial_statements"},
    } == keys


async def test_webhooks_come_one_after_the_other(client: BelvoClient) -> None:
    """Some seconds lie between two of them, never ten minutes; the link is accessed at the end."""
    await refresh(client)
    await asyncio.sleep(MINUTES)

    times = [delivery.at for delivery in client.belvo.deliveries]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    _, link = await client.get(f"/api/links/{client.belvo.links[0]}/")
    assert all(timedelta(seconds=5) < pause < timedelta(minutes=1) for pause in pauses)
    assert timedelta(minutes=2) < times[-1] - times[0]
    assert times[-1].strftime("%Y-%m-%dT%H:%M") == link["last_accessed_at"][:16]


async def test_only_what_was_asked_for(client: BelvoClient, receiver: Receiver) -> None:
    """`fetch_resources` limits a refresh; an empty list means the link's own."""
    await refresh(client, fetch_resources=["TAX_STATUS", "TAX_RETURNS"])
    await refresh(client, client.belvo.links[1], fetch_resources=[])
    await asyncio.sleep(MINUTES)

    links = client.belvo.links
    assert {"TAX_STATUS": 1, "TAX_RETURNS": 2} == Counter(
        hook["webhook_type"] for hook in receiver.bodies if hook["link_id"] == links[0]
    )
    assert EVENTS == Counter(hook["webhook_type"] for hook in receiver.bodies if hook["link_id"] == links[1])


async def test_a_second_refresh_must_wait(client: BelvoClient) -> None:
    """409 within ten minutes, with the minutes left in its text; another link and a later one are fine."""
    await refresh(client)
    await asyncio.sleep(120)

    status, body = await refresh(client)
    other, _ = await refresh(client, client.belvo.links[1])
    await asyncio.sleep(481)
    later, _ = await refresh(client)

    assert (409, "link_refreshed") == (status, body[0]["code"])
    assert "8 minutes" in body[0]["message"]
    assert (202, 202) == (other, later)


async def test_the_pause_runs_on_the_vendors_clock(client: BelvoClient) -> None:
    """`speed` shortens the ten minutes like every other duration."""
    client.belvo.speed = 60
    await refresh(client)
    await asyncio.sleep(9)
    early, _ = await refresh(client)
    await asyncio.sleep(2)

    assert (409, 202) == (early, (await refresh(client))[0])


async def test_a_refresh_holds_the_session(client: BelvoClient) -> None:
    """A POST during a refresh is too_many_sessions, and so is a refresh during a POST."""
    await refresh(client)
    status, body = await client.post()
    await client.post(link=client.belvo.links[1])
    other, told = await refresh(client, client.belvo.links[1])

    assert [(400, "too_many_sessions")] * 2 == [(status, body[0]["code"]), (other, told[0]["code"])]


@pytest.mark.parametrize(("resources", "code"), [("INVOICES", "not_a_list"), (["ACCOUNTS"], "invalid_fetch_resources")])
async def test_bad_refreshes_name_the_field(client: BelvoClient, resources: Any, code: str) -> None:
    """400 naming fetch_resources, and the ten minutes do not begin."""
    status, body = await refresh(client, fetch_resources=resources)

    assert (400, "fetch_resources", code) == (status, body[0]["field"], body[0]["code"])
    assert 202 == (await refresh(client))[0]


@pytest.mark.parametrize(
    ("link_status", "status", "code"),
    [
        ("invalid", 400, "invalid_link"),
        ("unconfirmed", 400, "unconfirmed_link"),
        ("token_required", 428, "token_required"),
    ],
)
async def test_broken_links_are_not_refreshed(client: BelvoClient, link_status: str, status: int, code: str) -> None:
    """Each link status has its documented refusal; an unknown link is 404."""
    client.belvo.set_link_status(client.belvo.links[0], link_status)

    answered, body = await refresh(client)
    missing, _ = await refresh(client, "00000000-0000-4000-8000-000000000000")

    assert (status, code, 404) == (answered, body[0]["code"], missing)


async def test_resources_may_stay_unreported(client: BelvoClient, receiver: Receiver) -> None:
    """A scripted refresh collects all and says nothing of some."""
    client.belvo.next_job(resource="REFRESH", unreported=("TAX_STATUS",))
    await refresh(client)
    await asyncio.sleep(MINUTES)

    assert {**EVENTS, "TAX_STATUS": 0} == dict.fromkeys(EVENTS, 0) | Counter(
        hook["webhook_type"] for hook in receiver.bodies
    )
    assert 1 == (await client.get("/api/tax-status/"))[1]["count"]


async def test_a_failing_refresh_stops_half_way(client: BelvoClient, receiver: Receiver) -> None:
    """The last webhook holds the error code; the request's state is failed and the link is free."""
    client.belvo.next_job(outcome="failed", error_code="institution_down")
    _, accepted = await refresh(client)
    await asyncio.sleep(MINUTES)

    *before, last = receiver.bodies
    assert 8 == len(before)
    assert ("institution_down", accepted["request_id"]) == (
        last["data"]["error_code"], last["request_id"].replace("-", ""),
    )  # fmt: skip
    assert "failed" == client.belvo.jobs[accepted["request_id"]].state
    assert 202 == (await client.post())[0]


@pytest.mark.parametrize(("outcome", "state"), [("silent", "finished"), ("stuck", "running")])
async def test_refreshes_may_say_nothing(client: BelvoClient, receiver: Receiver, outcome: Any, state: str) -> None:
    """`silent` collects without a webhook, `stuck` does nothing for ever."""
    client.belvo.next_job(outcome=outcome)
    _, accepted = await refresh(client)
    await asyncio.sleep(MINUTES)

    assert [] == receiver.bodies
    assert state == client.belvo.jobs[accepted["request_id"]].state


async def test_a_broken_link_ends_its_refresh(client: BelvoClient, receiver: Receiver) -> None:
    """After the LINK webhook nothing more comes."""
    await refresh(client)
    await asyncio.sleep(60)
    client.belvo.invalidate_link(client.belvo.links[0])
    await asyncio.sleep(1)
    so_far = len(receiver.bodies)
    await asyncio.sleep(MINUTES)

    assert so_far == len(receiver.bodies)
    assert "LINK" == receiver.bodies[-1]["webhook_type"]
