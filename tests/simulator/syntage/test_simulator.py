"""The simulated Syntage behaves as Syntage's pages say."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import SyntageSimulator
from belvo_async.simulator.syntage.webhooks import sign
from tests.simulator.conftest import Receiver, SyntageClient

LONG = 400  # seconds, longer than any extraction


async def finished(client: SyntageClient, *arguments: Any, **changes: Any) -> str:
    status, body = await client.create(*arguments, **changes)
    assert 202 == status, body
    await asyncio.sleep(LONG)
    number: str = body["id"]
    return number


async def status_of(client: SyntageClient, number: str) -> str:
    _, body = await client.get(f"/extractions/{number}")
    status: str = body["status"]
    return status


async def test_wrong_key_is_refused(syntage: SyntageSimulator) -> None:
    """401 with a message; X-Request-ID and rate headers are there all the same."""
    async with aiohttp.ClientSession(syntage.url) as http, http.get("/extractions") as response:
        body = await response.json()

    assert (401, ["message"]) == (response.status, list(body))
    assert "X-Request-ID" in response.headers


async def test_extraction_is_accepted_pending(syntage_client: SyntageClient) -> None:
    """202 with the extraction, defaults of its options filled in."""
    status, body = await syntage_client.create()

    assert (202, "pending", "Extraction") == (status, body["status"], body["@type"])
    assert (["I", "E", "P", "N", "T"], True, -1) == tuple(
        body["options"][name] for name in ("types", "issued", "complement")
    )
    assert [None, None, None] == [body[name] for name in ("startedAt", "finishedAt", "errorCode")]


async def test_events_tell_the_whole_way(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """created, then updates: running, counters, finished. There is no extraction.finished."""
    await finished(syntage_client)

    assert ["extraction.created"] + ["extraction.updated"] * 3 == [body["type"] for body in receiver.bodies]
    changes = [body["data"]["changes"].get("status") for body in receiver.bodies]
    assert [None, {"old": "pending", "new": "running"}, None, {"old": "running", "new": "finished"}] == changes


async def test_results_are_what_was_asked_for(syntage_client: SyntageClient) -> None:
    """The cursor walks exactly the ground truth, newest first, each row once."""
    options = {"types": ["I", "P"], "period": {"from": "2025-01-01", "to": "2025-12-31"}}
    await finished(syntage_client, "invoice", options)
    entity = syntage_client.syntage.entities[0]

    rows = await syntage_client.all_rows(f"{entity}/invoices?itemsPerPage=7")

    assert [row["id"] for row in syntage_client.syntage.invoices(entity, options)] == [row["id"] for row in rows]
    assert {"I", "P"} == {row["type"] for row in rows}


async def test_counters_say_what_is_new(syntage_client: SyntageClient) -> None:
    """The first run creates every record; an equal later one neither creates nor changes any."""
    first = await finished(syntage_client)
    second = await finished(syntage_client)

    _, one = await syntage_client.get(f"/extractions/{first}")
    _, other = await syntage_client.get(f"/extractions/{second}")

    assert one["createdDataPoints"] > 0
    assert (0, 0) == (other["createdDataPoints"], other["updatedDataPoints"])


async def test_equal_extraction_conflicts(syntage_client: SyntageClient) -> None:
    """409 names the extractor, no id; other options, another extractor, or a later one are fine."""
    options = {"types": ["I", "E"], "period": {"from": "2025-01-01", "to": "2025-06-30"}}
    await syntage_client.create("invoice", options)

    equal = await syntage_client.create("invoice", {**options, "types": ["E", "I"], "xml": True})
    others = [
        (await syntage_client.create("invoice", {**options, "xml": False}))[0],
        (await syntage_client.create("tax_status"))[0],
    ]
    await asyncio.sleep(LONG)
    later = await syntage_client.create("invoice", options)

    assert (409, {"conflictingExtractors": ["invoice"]}) == equal
    assert [202, 202, 202] == [*others, later[0]]


@pytest.mark.parametrize(
    "extractor",
    ["invoice", "annual_tax_return", "monthly_tax_return", "rif_tax_return", "tax_retention", "electronic_accounting",
     "tax_status", "tax_compliance", "sat_certificates", "rpc", "rug", "bil", "buro_de_credito_report",
     "background_check"],
)  # fmt: skip
async def test_every_extractor_is_known(syntage_client: SyntageClient, extractor: str) -> None:
    """All fourteen are accepted and finish."""
    number = await finished(syntage_client, extractor)

    assert "finished" == await status_of(syntage_client, number)


async def test_deprecated_taxpayer_form(syntage_client: SyntageClient) -> None:
    """`taxpayer` instead of `entity` is accepted."""
    rfc = syntage_client.syntage.rfc_of(syntage_client.syntage.entities[1])

    status, body = await syntage_client.create("tax_status", entity=None, taxpayer=f"/taxpayers/{rfc}")

    assert (202, rfc) == (status, body["taxpayer"]["id"])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"entity": "/entities/00000000-0000-4000-8000-000000000000"}, "entity"),
        ({"extractor": "invoices"}, "extractor"),
        ({"options": {"types": ["X"]}}, "options.types"),
        ({"options": {"period": {"from": "soon"}}}, "options.period.from"),
        ({"options": {"period": {"from": "2025-02-01", "to": "2025-01-01"}}}, "options.period.to"),
        ({"options": {"issued": "yes"}}, "options.issued"),
    ],
    ids=["entity", "extractor", "types", "from", "order", "bool"],
)
async def test_violations_name_the_path(syntage_client: SyntageClient, changes: dict[str, Any], path: str) -> None:
    """400 as a ConstraintViolation."""
    status, body = await syntage_client.create(**changes)

    assert (400, "ConstraintViolation") == (status, body["@type"])
    assert [path] == [one["propertyPath"] for one in body["violations"]]


async def test_stop_before_the_start_cancels(syntage_client: SyntageClient) -> None:
    """pending -> cancelled, with 204."""
    _, body = await syntage_client.create()

    assert 204 == await syntage_client.stop(body["id"])
    assert "cancelled" == await status_of(syntage_client, body["id"])


async def test_stop_while_running_takes_a_moment(syntage_client: SyntageClient) -> None:
    """running -> stopping -> stopped; partial data stays."""
    syntage_client.syntage.next_job(duration=timedelta(seconds=100))
    _, body = await syntage_client.create()
    await asyncio.sleep(50)

    assert 204 == await syntage_client.stop(body["id"])
    assert "stopping" == await status_of(syntage_client, body["id"])
    await asyncio.sleep(5)
    assert "stopped" == await status_of(syntage_client, body["id"])
    assert await syntage_client.all_rows(f"{syntage_client.syntage.entities[0]}/invoices")


async def test_stop_too_late_or_nowhere(syntage_client: SyntageClient) -> None:
    """409 for an ended extraction, 404 for an unknown one."""
    number = await finished(syntage_client, "tax_status")

    assert [409, 404] == [await syntage_client.stop(number), await syntage_client.stop("nothing")]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("failed", "failed"), ("waiting", "waiting"), ("stuck", "running"), ("rate_limited", "finished")],
)
async def test_scripted_outcomes(syntage_client: SyntageClient, outcome: Any, status: str) -> None:
    """Each scripted outcome shows its documented status and fields."""
    syntage_client.syntage.next_job(outcome=outcome, error_code="login_failed")
    number = await finished(syntage_client)

    _, body = await syntage_client.get(f"/extractions/{number}")

    assert status == body["status"]
    assert ("login_failed" if outcome == "failed" else None) == body["errorCode"]
    assert (outcome == "rate_limited") == (body["rateLimitedAt"] is not None)


async def test_waiting_may_end_by_itself(syntage_client: SyntageClient) -> None:
    """With a duration, `waiting` waits that long and then runs."""
    syntage_client.syntage.next_job(outcome="waiting", duration=timedelta(seconds=30))

    number = await finished(syntage_client)

    assert "finished" == await status_of(syntage_client, number)


async def test_rate_limited_invoices_lack_their_xml(syntage_client: SyntageClient) -> None:
    """Above SAT's limit later invoices come without XML; PDFs go on."""
    syntage_client.syntage.next_job(outcome="rate_limited")
    await finished(syntage_client)

    rows = await syntage_client.all_rows(f"{syntage_client.syntage.entities[0]}/invoices")

    assert {True, False} == {row["xml"] for row in rows}
    assert {True} == {row["pdf"] for row in rows}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("extractor=tax_return", {"annual_tax_return", "monthly_tax_return"}),
        ("extractor=tax_status", {"tax_status"}),
        ("status=finished", {"annual_tax_return", "monthly_tax_return", "tax_status"}),
        ("status=finish", set()),
        ("status[]=pending&status[]=failed", {"tax_compliance"}),
        ("taxpayer.id=XYZ", set()),
        ("createdAt[after]=2026-06-02", set()),
        ("createdAt[before]=2026-06-02&finishedAt[strictly_after]=2026-06-01", {"annual_tax_return",
          "monthly_tax_return", "tax_status", "tax_compliance"}),
        ("exists[rateLimitedAt]=true", set()),
        ("made_up=1", {"annual_tax_return", "monthly_tax_return", "tax_status", "tax_compliance"}),
    ],
)  # fmt: skip
async def test_extraction_filters(syntage_client: SyntageClient, query: str, found: set[str]) -> None:
    """Exact, partial, many-valued and date filters; unknown names change nothing."""
    syntage_client.syntage.next_job(extractor="tax_compliance", outcome="failed")
    for extractor in ("annual_tax_return", "monthly_tax_return", "tax_status", "tax_compliance"):
        await syntage_client.create(extractor)
    await asyncio.sleep(LONG)

    rows = await syntage_client.all_rows(f"/extractions?{query}")

    assert found == {row["extractor"] for row in rows}


async def test_newest_extraction_first(syntage_client: SyntageClient) -> None:
    """Ids sort like createdAt, so the id cursor and the order agree."""
    numbers = [(await syntage_client.create(name))[1]["id"] for name in ("rpc", "rug", "bil")]

    rows = await syntage_client.all_rows("/extractions?itemsPerPage=1")

    assert numbers[::-1] == [row["id"] for row in rows] == sorted(numbers, reverse=True)


async def test_page_numbers_are_refused_on_invoices(syntage_client: SyntageClient) -> None:
    """400: only the cursor works there."""
    status, body = await syntage_client.get(f"{syntage_client.syntage.entities[0]}/invoices?page=2")

    assert (400, "Only cursor pagination is available for this endpoint.") == (status, body["hydra:description"])


@pytest.mark.parametrize("size", ["0", "1001", "many"])
async def test_items_per_page_has_bounds(syntage_client: SyntageClient, size: str) -> None:
    """1 to 1000."""
    status, _ = await syntage_client.get(f"/extractions?itemsPerPage={size}")

    assert 400 == status


async def test_total_only_on_request(syntage_client: SyntageClient) -> None:
    """hydra:totalItems comes with X-Pagination-Enable-Partial: 0; the last page has no next."""
    await finished(syntage_client)
    path = f"{syntage_client.syntage.entities[0]}/invoices?itemsPerPage=1000"

    _, without = await syntage_client.get(path, {"X-Pagination-Style": "cursor"})
    _, with_total = await syntage_client.get(path, {"X-Pagination-Enable-Partial": "0"})

    assert "hydra:totalItems" not in without
    assert len(without["hydra:member"]) == with_total["hydra:totalItems"]
    assert "hydra:next" not in without["hydra:view"]


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ("type=I", lambda row: row["type"] == "I"),
        ("type[]=E&type[]=P", lambda row: row["type"] in "EP"),
        ("isIssuer=true", lambda row: row["isIssuer"]),
        ("isReceiver=false", lambda row: not row["isReceiver"]),
        ("status=CANCELADO", lambda row: row["status"] == "CANCELADO"),
        ("total[between]=1000..50000", lambda row: 1000 <= row["total"] <= 50000),
        ("issuedAt[after]=2025-07-01&issuedAt[strictly_before]=2025-08-01", lambda row: "-07-" in row["issuedAt"][:8]),
        ("exists[paymentMethod]=false", lambda row: row["paymentMethod"] is None),
        ("hasXml=true", lambda row: row["xml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_invoice_filters(syntage_client: SyntageClient, query: str, keeps: Any) -> None:
    """Each documented filter keeps exactly the rows it names."""
    await finished(syntage_client)
    path = f"{syntage_client.syntage.entities[0]}/invoices"
    everything = await syntage_client.all_rows(path)

    rows = await syntage_client.all_rows(f"{path}?{query}")

    assert [row["id"] for row in everything if keeps(row)] == [row["id"] for row in rows]


async def test_amounts_balance(syntage_client: SyntageClient) -> None:
    """total = subtotal + tax - discount, and paid + credited + due = total, exactly."""
    await finished(syntage_client)
    async with syntage_client.http.get(f"{syntage_client.syntage.entities[0]}/invoices?itemsPerPage=1000") as response:
        rows = json.loads(await response.text(), parse_float=Decimal)["hydra:member"]

    for row in rows:
        assert row["total"] == row["subtotal"] + row["tax"] - row["discount"]
        assert row["total"] == row["paidAmount"] + row["dueAmount"] + (row["creditedAmount"] or 0)
        assert (row["dueAmount"] == 0 and row["lastPaymentDate"] is not None) == (row["fullyPaidAt"] is not None)


async def test_one_invoice_has_tags(syntage_client: SyntageClient) -> None:
    """The single form has the fields of the list and `tags`."""
    await finished(syntage_client)
    (row, *_) = await syntage_client.all_rows(f"{syntage_client.syntage.entities[0]}/invoices")

    _, single = await syntage_client.get(row["@id"])

    assert {"@context": "/contexts/Invoice", **row, "tags": single["tags"]} == single


async def test_events_can_be_listed(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """GET /events gives what was delivered, newest first, by type and source."""
    number = await finished(syntage_client)

    rows = await syntage_client.all_rows(f"/events?type=extraction.updated&source=/extractions/{number}&itemsPerPage=1")

    delivered = [body["id"] for body in receiver.bodies if body["type"] == "extraction.updated"]
    assert sorted(delivered, reverse=True) == [row["id"] for row in rows]


async def test_events_are_kept_seven_days(syntage_client: SyntageClient) -> None:
    """Older ones are gone."""
    await finished(syntage_client)
    await asyncio.sleep(timedelta(days=7).total_seconds())

    assert [] == await syntage_client.all_rows("/events")


async def test_deliveries_are_signed(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Both headers hold t and s: HMAC-SHA256 over t, a point and the raw body, keyed with the secret's text."""
    await finished(syntage_client)

    for headers, body in receiver.got:
        moment, signature = (part.partition("=")[2] for part in headers["X-Syntage-Signature"].split(","))
        secret = syntage_client.syntage.signing_secret.encode()
        assert hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest() == signature
        assert headers["X-Syntage-Signature"] == headers["X-Satws-Signature"]
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        assert f"sha-256=:{digest}:" == headers["Content-Digest"]
        assert "application/ld+json" == headers["Content-Type"]


async def test_signature_matches_the_vector() -> None:
    """The made-up vector of the vendor dossier comes out."""
    body = (
        '{"id": "0195f6c2-1020-7a10-8c3e-5b7d90e1b000", "type": "extraction.updated", '
        '"taxpayer": {"name": "PEÑA Y CÍA"}}'
    ).encode()

    header = sign("0123456789abcdef0123456789abcdef", body, datetime.fromtimestamp(1743610800, UTC))

    assert "t=1743610800,s=02dd2e37ff9ad6de61786cc1ec77f15e19d8bc2262e299ad5c975b9d7c15c0a9" == header


async def test_failed_deliveries_are_tried_four_times_more(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """A redirect or an error is a failure; each try is signed afresh."""
    receiver.statuses = [500, 302, 404, 500, 500]
    await syntage_client.create("tax_status")
    syntage_client.syntage.webhook_url = None

    await asyncio.sleep(300)

    assert [1, 2, 3, 4, 5] == [one.attempt for one in syntage_client.syntage.deliveries]
    assert 5 == len({headers["X-Syntage-Signature"] for headers, _ in receiver.got})


async def test_budget_per_route(clock: Any) -> None:
    """60 calls of one route per minute, then 429 with the headers; other routes go on."""
    async with (
        SyntageSimulator(now=clock.now) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        statuses = []
        for _ in range(61):
            async with http.get("/extractions") as response:
                statuses.append(response.status)
        async with http.get("/events") as other:
            pass
        await asyncio.sleep(61)
        async with http.get("/extractions") as later:
            pass

    assert [200] * 60 + [429] == statuses
    assert ("60", "0") == (response.headers["X-RateLimit-Limit"], response.headers["X-RateLimit-Remaining"])
    assert clock.now().timestamp() - 1 <= int(response.headers["X-RateLimit-Reset"])
    assert [200, 200] == [other.status, later.status]


async def test_entities_and_credentials(syntage_client: SyntageClient) -> None:
    """Entities are typed Link, found by part of their RFC; credentials show no secret."""
    rfc = syntage_client.syntage.rfc_of(syntage_client.syntage.entities[0])

    (entity,) = await syntage_client.all_rows(f"/entities?taxpayer.id={rfc}")
    _, credentials = await syntage_client.get("/credentials")

    assert ("Link", rfc) == (entity["@type"], entity["taxpayer"]["id"])
    assert 3 == credentials["hydra:totalItems"]
    assert {"@id", "@type", "id", "type", "rfc", "status", "createdAt", "updatedAt"} == set(
        credentials["hydra:member"][0]
    )


async def test_the_window_of_the_budget_follows_the_speed(clock: Any) -> None:
    """So does the reset that the headers announce."""
    async with (
        SyntageSimulator(now=clock.now, speed=6, rate_limit=1) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        statuses = []
        for pause in (0, 9, 2):
            await asyncio.sleep(pause)
            async with http.get("/entities") as response:
                statuses.append(response.status)
                reset = int(response.headers["X-RateLimit-Reset"])

    assert [200, 429, 200] == statuses
    assert 0 <= reset - clock.now().timestamp() <= 11
