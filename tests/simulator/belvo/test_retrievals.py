"""The simulated Belvo retrieves tax data within one long request, as its pages say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import BelvoClient, basic

YEARS: dict[str, Any] = {"type": "yearly", "year_from": "2022", "year_to": "2024"}
MONTHS: dict[str, Any] = {"type": "monthly", "date_from": "2025-01-01", "date_to": "2025-12-31"}
PERIOD: dict[str, Any] = {"type": "OUTFLOW", "date_from": "2025-01-01", "date_to": "2025-12-31"}
ORDERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "returns_of_years": ("TAX_RETURNS", "/api/tax-returns/", YEARS),
    "returns_of_months": ("TAX_RETURNS", "/api/tax-returns/", MONTHS),
    "status": ("TAX_STATUS", "/api/tax-status/", {}),
    "compliance": ("TAX_COMPLIANCE_STATUS", "/api/tax-compliance-status/", {}),
    "retentions": ("TAX_RETENTIONS", "/api/tax-retentions/", PERIOD),
}
SINGLE = {"TAX_STATUS", "TAX_COMPLIANCE_STATUS"}
by_order = pytest.mark.parametrize(("resource", "path", "order"), ORDERS.values(), ids=ORDERS)
Order = dict[str, Any]


async def send(client: BelvoClient, path: str, body: Order, *, method: str = "POST") -> tuple[int, Any]:
    """Send a body with the first link, asking for the asynchronous mode, which these resources do not know."""
    headers = {"X-Belvo-Request-Mode": "async"}
    full = {"link": client.belvo.links[0], **body}
    async with client.http.request(method, path, json=full, headers=headers) as response:
        return response.status, await response.json(content_type=None)


def without_times(row: Any) -> Any:
    return {name: value for name, value in row.items() if name not in ("collected_at", "created_at")}


@by_order
async def test_the_answer_comes_when_it_is_done(client: BelvoClient, resource: str, path: str, order: Order) -> None:
    """201 with the rows themselves (one object for a status), after as long as a job takes; then they are listed."""
    client.belvo.next_job(duration=timedelta(seconds=70))
    began = asyncio.get_running_loop().time()

    status, body = await send(client, path, order)

    assert 201 == status
    assert pytest.approx(70, abs=1) == asyncio.get_running_loop().time() - began
    rows = [body] if resource in SINGLE else body
    truth = client.belvo.records(resource, client.belvo.links[0], **order)
    assert [str(row.get("id")) for row in truth] == [str(row.get("id")) for row in rows]
    assert rows == (await client.get(path, page_size="1000"))[1]["results"]


@by_order
async def test_unsaved_answers_are_not_kept(client: BelvoClient, resource: str, path: str, order: Order) -> None:
    """200 with save_data=false, and nothing in the list."""
    status, body = await send(client, path, {**order, "save_data": False})

    assert (200, True) == (status, bool(body))
    assert 0 == (await client.get(path))[1]["count"]


@by_order
async def test_a_link_has_one_session(client: BelvoClient, resource: str, path: str, order: Order) -> None:
    """While a retrieval runs, another request on the link is too_many_sessions."""
    first = asyncio.create_task(send(client, path, order))
    await asyncio.sleep(1)

    status, body = await send(client, "/api/tax-status/", {})

    assert (400, "too_many_sessions") == (status, body[0]["code"])
    assert 201 == (await first)[0]


@by_order
async def test_the_same_seed_gives_the_same_rows(
    client: BelvoClient, clock: Any, resource: str, path: str, order: Order
) -> None:
    """Rows depend on seed and link, not on when they are fetched that day."""
    _, mine = await send(client, path, order)
    async with (
        BelvoSimulator(now=clock.now, limits=False) as twin,
        aiohttp.ClientSession(twin.url, headers=basic(twin)) as http,
    ):
        _, theirs = await send(BelvoClient(twin, http), path, order)

    if resource in SINGLE:
        mine, theirs = [mine], [theirs]
    assert [without_times(row) for row in mine] == [without_times(row) for row in theirs]


@pytest.mark.parametrize(
    ("path", "order", "field", "code"),
    [
        ("/api/tax-returns/", {}, "year_from", "required"),
        ("/api/tax-returns/", {**YEARS, "type": None}, "type", "null"),
        ("/api/tax-returns/", {**YEARS, "type": "weekly"}, "type", "invalid_choice"),
        ("/api/tax-returns/", {"type": "yearly", "year_to": "2024"}, "year_from", "required"),
        ("/api/tax-returns/", {**YEARS, "year_from": 20.22}, "year_from", "invalid"),
        ("/api/tax-returns/", {**YEARS, "year_from": "1822"}, "year_from", "invalid"),
        ("/api/tax-returns/", {**YEARS, "year_from": "2025"}, "year_to", "invalid_period"),
        ("/api/tax-returns/", {**YEARS, "year_to": "2027"}, "year_to", "invalid_period"),
        ("/api/tax-returns/", {**MONTHS, "date_from": None}, "date_from", "null"),
        ("/api/tax-returns/", {**MONTHS, "date_to": "2026-06-02"}, "date_to", "invalid_period"),
        ("/api/tax-returns/", {**YEARS, "attach_pdf": "yes"}, "attach_pdf", "invalid"),
        ("/api/tax-status/", {"link": "nonsense"}, "link", "invalid"),
        ("/api/tax-status/", {"attach_pdf": 1}, "attach_pdf", "invalid"),
        ("/api/tax-compliance-status/", {"save_data": "no"}, "save_data", "invalid"),
        ("/api/tax-compliance-status/", {"link": "00000000-0000-4000-8000-000000000000"}, "link", "does_not_exist"),
        ("/api/tax-retentions/", {**PERIOD, "type": None}, "type", "null"),
        ("/api/tax-retentions/", {**PERIOD, "type": "BOTH"}, "type", "invalid_choice"),
        ("/api/tax-retentions/", {**PERIOD, "date_to": "2024-12-31"}, "date_to", "invalid_period"),
        ("/api/tax-retentions/", {**PERIOD, "attach_xml": "yes"}, "attach_xml", "invalid"),
    ],
)
async def test_bad_orders_name_the_field(client: BelvoClient, path: str, order: Order, field: str, code: str) -> None:
    """400 in Belvo's shape, before anything runs."""
    status, body = await send(client, path, order)

    assert (400, field, code) == (status, body[0]["field"], body[0]["code"])
    assert {} == client.belvo.jobs


async def test_files_come_when_asked_for(client: BelvoClient) -> None:
    """`attach_pdf` and `attach_xml` fill what is null otherwise."""
    _, plain = await send(client, "/api/tax-status/", {})
    _, full = await send(client, "/api/tax-status/", {"attach_pdf": True})
    _, returns = await send(client, "/api/tax-returns/", {**YEARS, "attach_pdf": True})
    _, retentions = await send(client, "/api/tax-retentions/", {**PERIOD, "attach_xml": True})

    assert (None, True) == (plain["pdf"], full["pdf"].startswith("JVBERi0"))
    assert all(row["pdf"] and row["receipt_pdf"] for row in returns)
    assert all(row["invoice_identification"] in row["xml"] for row in retentions)


async def test_retentions_end_at_five_hundred(clock: Any) -> None:
    """A period gives 500 rows at most, the oldest."""
    async with (
        BelvoSimulator(now=clock.now, limits=False, retentions_per_year=1500) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        _, rows = await send(BelvoClient(belvo, http), "/api/tax-retentions/", PERIOD)

    assert 500 == len(rows)
    assert sorted(row["issued_at"] for row in rows) == [row["issued_at"] for row in rows]


async def test_a_failure_is_answered(client: BelvoClient) -> None:
    """A scripted failure comes as Belvo's error with its status, and counts against the link."""
    client.belvo.next_job(resource="TAX_STATUS", outcome="failed", error_code="institution_down")

    status, body = await send(client, "/api/tax-status/", {})

    assert (400, "institution_down") == (status, body[0]["code"])


async def test_five_minutes_are_the_limit(belvo: BelvoSimulator) -> None:
    """A longer retrieval ends with 408, what was gathered stays, and the link is free again."""
    belvo.next_job(duration=timedelta(minutes=8))
    began = asyncio.get_running_loop().time()
    patient = aiohttp.ClientTimeout(total=400)
    async with aiohttp.ClientSession(belvo.url, headers=basic(belvo), timeout=patient) as http:
        client = BelvoClient(belvo, http)
        status, body = await client.post(mode="sync")
        took = asyncio.get_running_loop().time() - began
        _, page = await client.get("/api/invoices/")
        again, _ = await client.post(mode="sync")

    assert (408, "request_timeout") == (status, body[0]["code"])
    assert pytest.approx(300, abs=1) == took
    assert page["count"] > 0
    assert 201 == again


async def test_a_link_that_breaks_ends_its_retrieval(client: BelvoClient) -> None:
    """The long request on a link that turns invalid is answered with an error, not with rows."""
    running = asyncio.create_task(send(client, "/api/tax-status/", {}))
    await asyncio.sleep(1)
    client.belvo.invalidate_link(client.belvo.links[0])

    status, body = await running

    assert (400, "session_expired") == (status, body[0]["code"])
    assert 0 == (await client.get("/api/tax-status/"))[1]["count"]


async def asked_for_token(client: BelvoClient, path: str) -> Any:
    """Have a POST answered 428, and give what it told."""
    client.belvo.next_answer("token_required")
    status, (told,) = await send(client, path, PERIOD if path == "/api/invoices/" else {})
    assert (428, "token_required", client.belvo.links[0]) == (status, told["code"], told["link"])
    return told


async def test_a_token_resumes_a_request_for_invoices(client: BelvoClient) -> None:
    """428 tells session and link; PATCH with the token answers what the POST would have, once."""
    told = await asked_for_token(client, "/api/invoices/")

    resume = {"session": told["session"], "token": told["token_generation_data"]["value"], "save_data": False}
    status, rows = await send(client, "/api/invoices/", resume, method="PATCH")
    again, expired = await send(client, "/api/invoices/", resume, method="PATCH")

    assert (200, True) == (status, bool(rows))
    assert (400, "session_expired") == (again, expired[0]["code"])
    assert 0 == (await client.get("/api/invoices/"))[1]["count"]


@pytest.mark.parametrize("path", ["/api/tax-status/", "/api/tax-compliance-status/", "/api/financial-statements/"])
async def test_only_invoices_have_a_patch_of_their_own(client: BelvoClient, path: str) -> None:
    """PATCH on another resource is 405; its session is opened by PATCH on links, and its POST then goes through."""
    told = await asked_for_token(client, path)
    resume = {"session": told["session"], "token": told["token_generation_data"]["value"]}

    refused, _ = await send(client, path, resume, method="PATCH")
    opened, link = await send(client, "/api/links/", resume, method="PATCH")
    status, _ = await send(client, path, {})

    assert (405, 200, client.belvo.links[0]) == (refused, opened, link["id"])
    assert status in (201, 202)


async def test_a_wrong_token_may_be_corrected(client: BelvoClient) -> None:
    """A wrong token is a login_error and leaves the session open; without one the field is named."""
    client.belvo.set_link_status(client.belvo.links[0], "token_required")
    _, body = await send(client, "/api/tax-status/", {})
    session = body[0]["session"]

    missing = await send(client, "/api/links/", {"session": session}, method="PATCH")
    wrong = await send(client, "/api/links/", {"session": session, "token": "00000"}, method="PATCH")
    right = await send(client, "/api/links/", {"session": session, "token": "48213"}, method="PATCH")

    assert (400, "token", "required") == (missing[0], missing[1][0]["field"], missing[1][0]["code"])
    assert (400, "login_error") == (wrong[0], wrong[1][0]["code"])
    assert (200, "valid") == (right[0], right[1]["status"])


async def test_sessions_expire(client: BelvoClient) -> None:
    """A token that comes later than `expiry` seconds is too late; so is one at another collection."""
    told = await asked_for_token(client, "/api/invoices/")
    order = {"session": told["session"], "token": "48213"}

    elsewhere = await send(client, "/api/links/", order, method="PATCH")
    await asyncio.sleep(told["expiry"])
    late = await send(client, "/api/invoices/", order, method="PATCH")

    assert [(400, "session_expired")] * 2 == [(status, rows[0]["code"]) for status, rows in (elsewhere, late)]


@pytest.mark.parametrize("outcome", ["faild", "", "FINISHED"])
async def test_unknown_outcomes_are_refused(client: BelvoClient, outcome: Any) -> None:
    """A misspelt outcome would script nothing: the error names those there are."""
    with pytest.raises(ValueError, match="finished, failed, silent, stuck"):
        client.belvo.next_job(outcome=outcome)


async def test_unknown_resources_are_refused(client: BelvoClient) -> None:
    """So would a misspelt resource, in either place."""
    with pytest.raises(ValueError, match="TAX_STATUS"):
        client.belvo.next_job(resource="TAX_STATE")
    with pytest.raises(ValueError, match="TAX_STATUS"):
        client.belvo.next_job(unreported=("REFRESH",))


async def test_scripts_wait_for_their_resource(client: BelvoClient) -> None:
    """A script for one resource leaves the others alone."""
    client.belvo.next_job(resource="TAX_COMPLIANCE_STATUS", outcome="failed")

    statuses = [(await send(client, f"/api/{name}/", {}))[0] for name in ("tax-status", "tax-compliance-status")]

    assert [201, 400] == statuses
