"""The simulated Belvo behaves as Belvo's pages say."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import BelvoClient, Receiver, basic

LONG = 120  # seconds, longer than any job


async def finished(client: BelvoClient, **changes: Any) -> str:
    status, body = await client.post(**changes)
    assert 202 == status
    await asyncio.sleep(LONG)
    request_id: str = body["request_id"]
    return request_id


async def test_wrong_keys_are_refused(belvo: BelvoSimulator) -> None:
    """401 with the documented list body."""
    async with aiohttp.ClientSession(belvo.url) as http, http.get("/api/links/") as response:
        body = await response.json()

    assert 401 == response.status
    assert "authentication_failed" == body[0]["code"]
    assert re.fullmatch("[a-f0-9]{32}", body[0]["request_id"])


async def test_async_post_is_accepted_and_announced(client: BelvoClient, receiver: Receiver) -> None:
    """202 with 32 hex digits; the webhook later carries the same id as a dashed UUID."""
    request_id = await finished(client)

    (webhook,) = receiver.bodies
    assert request_id == webhook["request_id"].replace("-", "")
    assert 36 == len(webhook["request_id"])
    assert ("INVOICES", "async_post") == (webhook["webhook_type"], webhook["process_type"])
    assert (
        len(client.belvo.invoices(client.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW"))
        == (webhook["data"]["new_invoices"])
    )
    assert client.belvo.webhook_authorization == receiver.got[0][0]["Authorization"]


async def test_results_are_what_was_asked_for(client: BelvoClient) -> None:
    """After the job the list holds exactly the ground truth of the request."""
    await finished(client)

    _, page = await client.get("/api/invoices/", link=client.belvo.links[0], page_size="1000")

    truth = client.belvo.invoices(client.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert [row["id"] for row in truth] == [row["id"] for row in page["results"]]
    assert {"INFLOW"} == {row["type"] for row in page["results"]}


async def test_part_of_the_rows_shows_while_running(client: BelvoClient) -> None:
    """A running job shows a growing part of its invoices, never all of them."""
    client.belvo.next_job(duration=timedelta(seconds=60))
    await client.post()
    await asyncio.sleep(30)

    _, half = await client.get("/api/invoices/")
    await asyncio.sleep(31)
    _, full = await client.get("/api/invoices/")

    assert 0 < half["count"] < full["count"]


async def test_last_access_is_null_until_a_job_finished(client: BelvoClient) -> None:
    """`last_accessed_at` tells the end of the last successful job."""
    path = f"/api/links/{client.belvo.links[0]}/"
    _, before = await client.get(path)

    request_id = await finished(client)

    _, after = await client.get(path)
    ended = client.belvo.jobs[request_id].finished_at
    assert before["last_accessed_at"] is None
    assert ended is not None
    assert ended.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == after["last_accessed_at"]


@pytest.mark.parametrize(
    ("mode", "save", "status"),
    [("Async", True, 201), ("ASYNC", True, 201), ("async ", True, 202), ("sync", False, 200)],
)
async def test_another_spelling_is_synchronous(client: BelvoClient, mode: str, save: bool, status: int) -> None:
    """The header's value is case sensitive; otherwise the list itself is answered: 201, or 200 unsaved."""
    answered, body = await client.post(mode=mode, save_data=save)

    assert status == answered
    assert isinstance(body, dict if status == 202 else list)


async def test_unsaved_data_cannot_be_listed(client: BelvoClient) -> None:
    """With save_data=false nothing is kept."""
    await client.post(mode="sync", save_data=False)

    _, page = await client.get("/api/invoices/")

    assert 0 == page["count"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"link": None}, "link", "null"),
        ({"link": "nonsense"}, "link", "invalid"),
        ({"link": "00000000-0000-4000-8000-000000000000"}, "link", "does_not_exist"),
        ({"type": "SIDEWAYS"}, "type", "invalid_choice"),
        ({"date_from": "01/02/2025"}, "date_from", "invalid"),
        ({"date_from": "2025-02-30"}, "date_from", "invalid"),
        ({"date_from": "2026-01-01", "date_to": "2025-12-31"}, "date_to", "invalid_period"),
        ({"date_from": "2026-05-01", "date_to": "2026-06-02"}, "date_to", "invalid_period"),
        ({"date_from": "2024-12-30"}, "date_from", "invalid_period"),
        ({"attach_xml": "yes"}, "attach_xml", "invalid"),
    ],
    ids=lambda value: str(value) if not isinstance(value, dict) else "-",
)
async def test_bad_requests_name_the_field(client: BelvoClient, changes: dict[str, Any], field: str, code: str) -> None:
    """400, a list of objects with code, message, request_id and field."""
    status, body = await client.post(**changes)

    assert 400 == status
    assert (field, code) == (body[0]["field"], body[0]["code"])


async def test_missing_fields_come_all_at_once(client: BelvoClient) -> None:
    """An empty body names every required field."""
    async with client.http.post("/api/invoices/", json={}) as response:
        body = await response.json()

    assert ["link", "date_from", "date_to", "type"] == [row["field"] for row in body]
    assert {"required"} == {row["code"] for row in body}


async def test_365_days_pass(client: BelvoClient) -> None:
    """A span of 365 days is let through."""
    status, _ = await client.post(date_from="2024-12-31", date_to="2025-12-31")

    assert 202 == status


async def test_one_session_per_link(client: BelvoClient) -> None:
    """A second POST on a busy link is too_many_sessions; another link and a later POST are fine."""
    assert 202 == (await client.post())[0]

    busy = await client.post()
    other = await client.post(link=client.belvo.links[1])
    await asyncio.sleep(LONG)
    later = await client.post()

    assert (400, "too_many_sessions") == (busy[0], busy[1][0]["code"])
    assert [202, 202] == [other[0], later[0]]


@pytest.mark.parametrize(
    ("link_status", "status", "code"),
    [("invalid", 400, "invalid_link"), ("unconfirmed", 400, "unconfirmed_link"), ("token_required", 428, None)],
)
async def test_broken_links_refuse_posts(client: BelvoClient, link_status: str, status: int, code: str | None) -> None:
    """Each link status has its documented refusal."""
    client.belvo.set_link_status(client.belvo.links[0], link_status)

    answered, body = await client.post()

    assert (status, code or "token_required") == (answered, body[0]["code"])


async def test_six_failures_kill_a_link(client: BelvoClient) -> None:
    """Six unsuccessful POSTs in a row turn the link invalid."""
    client.belvo.next_answer("login_error", count=6)
    statuses = [(await client.post())[1][0]["code"] for _ in range(6)]

    _, seventh = await client.post()

    assert ["login_error"] * 6 == statuses
    assert "invalid_link" == seventh[0]["code"]


async def test_failures_are_announced(client: BelvoClient, receiver: Receiver) -> None:
    """A failed job tells its error code in the webhook's data."""
    client.belvo.next_job(outcome="failed", error_code="institution_down")

    await finished(client)

    assert "institution_down" == receiver.bodies[0]["data"]["error_code"]


async def test_silent_jobs_end_unannounced(client: BelvoClient, receiver: Receiver) -> None:
    """`silent` stores its data and sends nothing."""
    client.belvo.next_job(outcome="silent")

    await finished(client)

    _, page = await client.get("/api/invoices/")
    assert [] == receiver.got
    assert page["count"] > 0


async def test_stuck_jobs_keep_the_session(client: BelvoClient) -> None:
    """`stuck` never ends."""
    client.belvo.next_job(outcome="stuck")
    await finished(client)

    status, _ = await client.post()

    assert 400 == status


async def test_failed_deliveries_are_tried_again(client: BelvoClient, receiver: Receiver) -> None:
    """Up to three more tries, 60 seconds apart, with the same body."""
    receiver.statuses = [500, 302, 404, 500]
    await finished(client)

    await asyncio.sleep(300)

    tries = client.belvo.deliveries
    assert [(1, 500), (2, 302), (3, 404), (4, 500)] == [(one.attempt, one.status) for one in tries]
    assert 1 == len({one.body for one in tries})
    assert timedelta(seconds=59) < tries[1].at - tries[0].at < timedelta(seconds=62)


async def test_historical_updates_are_another_process(client: BelvoClient, receiver: Receiver) -> None:
    """A new link brings ten INVOICES webhooks and one for statements, none of them async_post."""
    client.belvo.emit_historical(client.belvo.links[0])
    await asyncio.sleep(1)

    kinds = [body["webhook_type"] for body in receiver.bodies]
    assert (10, 1) == (kinds.count("INVOICES"), kinds.count("FINANCIAL_STATEMENTS"))
    assert {"historical_update"} == {body["process_type"] for body in receiver.bodies}


async def test_broken_link_is_announced_under_its_own_id(client: BelvoClient, receiver: Receiver) -> None:
    """The LINK webhook carries another request id, and the running job dies without one."""
    _, accepted = await client.post()
    client.belvo.invalidate_link(client.belvo.links[0])
    await asyncio.sleep(LONG)

    (webhook,) = receiver.bodies
    assert ("LINK", "invalid_credentials") == (webhook["webhook_type"], webhook["webhook_code"])
    assert accepted["request_id"] != webhook["request_id"].replace("-", "")
    assert "invalid" == (await client.get(f"/api/links/{client.belvo.links[0]}/"))[1]["status"]


async def test_pages_keep_their_query(client: BelvoClient) -> None:
    """`next` is absolute and keeps the filters; following it gives every row once."""
    await finished(client)
    seen: list[str] = []
    _, page = await client.get("/api/invoices/", link=client.belvo.links[0], type="INFLOW", page_size="10")
    while True:
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        assert page["next"].startswith(f"{client.belvo.url}/api/invoices/?link=")
        _, page = await client.get(page["next"])

    assert page["count"] == len(seen) == len(set(seen))
    assert page["previous"] is not None


async def test_page_size_is_clamped(clock: Any) -> None:
    """More than 1000 rows never come in one page."""
    async with (
        BelvoSimulator(now=clock.now, limits=False, invoices_per_year=2500) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        client = BelvoClient(belvo, http)
        await finished(client)
        _, page = await client.get("/api/invoices/", page_size="5000")

    assert 1000 == len(page["results"])


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ({"type": "OUTFLOW"}, lambda row: row["type"] == "OUTFLOW"),
        ({"status__in": "Cancelado"}, lambda row: row["status"] == "Cancelado"),
        ({"invoice_date__range": "2025-03-01,2025-03-31"}, lambda row: row["invoice_date"][:7] == "2025-03"),
        ({"invoice_date__lt": "2025-02-01"}, lambda row: row["invoice_date"] < "2025-02-01"),
        ({"invoice_date__gte": "2025-12-01"}, lambda row: row["invoice_date"] >= "2025-12-01"),
        ({"total_amount__gt": "50000.00"}, lambda row: row["total_amount"] > 50000),
        ({"created_at__gte": "2026-06-01"}, lambda row: True),
        ({"created_at__gt": "2026-06-01"}, lambda row: False),
        ({"made_up": "x"}, lambda row: True),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_filters(client: BelvoClient, query: dict[str, str], keeps: Any) -> None:
    """Each documented filter keeps exactly the rows it names; others are left alone."""
    await finished(client, type=None)
    _, everything = await client.get("/api/invoices/", page_size="1000")

    _, page = await client.get("/api/invoices/", page_size="1000", **query)

    assert [row["id"] for row in everything["results"] if keeps(row)] == [row["id"] for row in page["results"]]


async def test_fields_and_omit(client: BelvoClient) -> None:
    """`fields` keeps only these, `omit` all but these."""
    await finished(client)

    _, only = await client.get("/api/invoices/", fields="id,total_amount", page_size="1")
    _, without = await client.get("/api/invoices/", omit="invoice_details", page_size="1")

    assert {"id", "total_amount"} == set(only["results"][0])
    assert "invoice_details" not in without["results"][0]


async def test_amounts_are_exact_numbers(client: BelvoClient) -> None:
    """Money comes as JSON numbers whose text adds up exactly as decimals."""
    await finished(client, type=None)
    async with client.http.get("/api/invoices/?page_size=1000") as response:
        text = await response.read()

    rows = json.loads(text, parse_float=Decimal)["results"]

    for row in rows:
        assert row["total_amount"] == row["subtotal_amount"] + row["tax_amount"] - row["discount_amount"]
        assert isinstance(row["total_amount"], Decimal)


async def test_xml_limit_leaves_nulls(clock: Any) -> None:
    """Above SAT's limit a row carries the warning and only what SAT's own table shows."""
    async with (
        BelvoSimulator(now=clock.now, limits=False, xml_limit_share=1.0) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        client = BelvoClient(belvo, http)
        await finished(client, attach_xml=True)
        _, page = await client.get("/api/invoices/", page_size="1")

    row = page["results"][0]
    assert "sat_xml_limit_reached" == row["warnings"]["code"]
    assert (None, [], None) == (row["subtotal_amount"], row["invoice_details"], row["xml"])
    assert row["total_amount"] is not None


async def test_financial_statements(client: BelvoClient, receiver: Receiver) -> None:
    """Three years, announced as documented; each section adds up to its total."""
    async with client.http.post(
        "/api/financial-statements/",
        json={"link": client.belvo.links[0]},
        headers={"X-Belvo-Request-Mode": "async"},
    ) as response:
        assert 202 == response.status
    await asyncio.sleep(LONG)

    _, page = await client.get("/api/financial-statements/", link=client.belvo.links[0])

    assert ["2023", "2024", "2025"] == [row["year"] for row in page["results"]]
    assert {"new_financial_statements": 3} == receiver.bodies[0]["data"]
    assets = page["results"][0]["balance_sheet"]["current_assets"]
    parts = [Decimal(str(value)) for name, value in assets.items() if name != "total" and value is not None]
    assert Decimal(str(assets["total"])) == sum(parts)


async def test_eighty_requests_in_thirty_seconds(clock: Any) -> None:
    """The 81st request within 30 s meets the proxy's HTML page; half a minute later all is well."""
    async with (
        BelvoSimulator(now=clock.now) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        statuses = []
        for _ in range(81):
            async with http.get("/api/") as response:
                statuses.append(response.status)
                kind = response.content_type
        await asyncio.sleep(31)
        async with http.get("/api/") as response:
            later = response.status

    assert ([200] * 80 + [403], "text/html", 200) == (statuses, kind, later)


async def test_same_seed_same_story(clock: Any) -> None:
    """The same seed and the same requests give the same ids, durations and data."""
    stories = []
    for _ in range(2):
        async with (
            BelvoSimulator(seed=5, now=clock.now, limits=False) as belvo,
            aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
        ):
            request_id = await finished(BelvoClient(belvo, http))
            rows = belvo.invoices(belvo.links[0], date(2025, 1, 1), date(2025, 12, 31))
            stories.append((request_id, belvo.jobs[request_id].duration, [row["id"] for row in rows]))

    assert stories[0] == stories[1]


async def test_unknown_routes_have_belvos_shape(client: BelvoClient) -> None:
    """404 and 405 are lists too."""
    missing = await client.get("/api/nothing/")
    async with client.http.put("/api/links/", json={}) as response:
        wrong = response.status, (await response.json())[0]["code"]

    assert (404, "not_found") == (missing[0], missing[1][0]["code"])
    assert (405, "method_not_allowed") == wrong


async def test_the_log_holds_no_credentials(client: BelvoClient) -> None:
    """`requests` keeps what came in, without the Authorization header."""
    await client.get("/api/", a="1")

    (seen,) = client.belvo.requests
    assert ("GET", "/api/", {"a": ["1"]}, 200) == (seen.method, seen.path, seen.query, seen.status)
    assert "authorization" not in {name.lower() for name in seen.headers}


async def test_close_leaves_nothing_behind(clock: Any, receiver: Receiver) -> None:
    """Jobs, retries and hanging requests all end with close, in bounded time."""
    receiver.statuses = [500] * 10
    before = asyncio.all_tasks()
    belvo = BelvoSimulator(now=clock.now, webhook_url=receiver.url)
    await belvo.start()
    async with aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http:
        client = BelvoClient(belvo, http)
        await finished(client)
        await client.post(link=belvo.links[1])
        belvo.next_answer("timeout", method="GET")
        hanging = asyncio.create_task(client.get("/api/"))
        await asyncio.sleep(1)

        await belvo.close()

        with pytest.raises(aiohttp.ClientError):
            await hanging
    await asyncio.sleep(0)
    assert set() == {task for task in asyncio.all_tasks() - before if "belvo" in repr(task.get_coro())}
