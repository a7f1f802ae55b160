"""The simulated Belvo lists, shows and deletes every fiscal resource as its pages say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import BelvoClient, basic
from tests.virtual_time import VirtualClock

PATHS = {
    "INVOICES": "/api/invoices/",
    "FINANCIAL_STATEMENTS": "/api/financial-statements/",
    "TAX_RETURNS": "/api/tax-returns/",
    "TAX_STATUS": "/api/tax-status/",
    "TAX_COMPLIANCE_STATUS": "/api/tax-compliance-status/",
    "TAX_RETENTIONS": "/api/tax-retentions/",
}
Row = dict[str, Any]
by_resource = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


@pytest.fixture
async def belvo(clock: VirtualClock) -> AsyncIterator[BelvoSimulator]:
    """One with as many invoices as make a few pages."""
    async with BelvoSimulator(now=clock.now, limits=False, invoices_per_year=24) as simulator:
        yield simulator


@pytest.fixture
async def collected(client: BelvoClient) -> BelvoClient:
    """A company's and a person's links, everything fetched."""
    client.belvo.emit_historical(client.belvo.links[0])
    client.belvo.emit_historical(client.belvo.links[2])
    return client


async def rows_of(client: BelvoClient, path: str, **query: str) -> list[Row]:
    """Every row of a list, however many pages it has."""
    status, page = await client.get(path, page_size="1000", **query)
    assert 200 == status
    rows: list[Row] = page["results"]
    while page["next"]:
        _, page = await client.get(page["next"])
        rows += page["results"]
    return rows


@by_resource
async def test_each_link_has_its_own_rows(collected: BelvoClient, path: str) -> None:
    """`link` and `link__in` work on every list, also where the row itself names no link."""
    links = collected.belvo.links
    everything = await rows_of(collected, path)

    mine = await rows_of(collected, path, link=links[0])
    others = await rows_of(collected, path, link__in=f"{links[1]},{links[2]}")

    assert mine
    assert everything == [*mine, *others]


@by_resource
async def test_single_rows_are_shown_and_deleted(collected: BelvoClient, path: str) -> None:
    """The detail is the row of the list; DELETE answers 204 without a body, then the row is gone."""
    row = (await rows_of(collected, path, link=collected.belvo.links[0]))[0]
    detail = f"{path}{row['id']}/"

    shown = await collected.get(detail)
    async with collected.http.delete(detail) as response:
        deleted = response.status, await response.read()
    gone = await collected.get(detail)
    async with collected.http.delete(detail) as response:
        again = response.status

    assert (200, row) == shown
    assert (204, b"") == deleted
    assert (404, "not_found", 404) == (gone[0], gone[1][0]["code"], again)
    assert row not in await rows_of(collected, path)


@by_resource
async def test_a_deleted_row_takes_nothing_else_along(collected: BelvoClient, path: str) -> None:
    """Its neighbours, the other links' rows and the link itself stay; `count` goes down by one."""
    mine, *_ = collected.belvo.links
    before = await rows_of(collected, path)
    row = (await rows_of(collected, path, link=mine))[0]

    async with collected.http.delete(f"{path}{row['id']}/"):
        pass

    assert [each for each in before if each != row] == await rows_of(collected, path)
    assert len(before) - 1 == (await collected.get(path))[1]["count"]
    assert 200 == (await collected.get(f"/api/links/{mine}/"))[0]


async def test_what_was_deleted_comes_again_when_it_is_fetched_again(collected: BelvoClient) -> None:
    """A deletion is no promise to forget: the link still leads to the SAT."""
    path, mine = PATHS["TAX_STATUS"], collected.belvo.links[0]
    row = (await rows_of(collected, path, link=mine))[0]
    async with collected.http.delete(f"{path}{row['id']}/"):
        pass

    async with collected.http.post(path, json={"link": mine}) as response:
        again = await response.json()

    assert row["id"] == again["id"]
    assert [again] == await rows_of(collected, path, link=mine)


async def test_a_list_cannot_be_deleted_as_a_whole(collected: BelvoClient) -> None:
    """Only single records are documented to go: without an id it is 405."""
    before = await rows_of(collected, PATHS["INVOICES"])

    async with collected.http.delete(PATHS["INVOICES"]) as response:
        assert 405 == response.status

    assert before == await rows_of(collected, PATHS["INVOICES"])


@by_resource
async def test_pages_hold_every_row_once(collected: BelvoClient, path: str) -> None:
    """Page after page gives what one large page gives, and `count` says how much."""
    following: str | None = f"{path}?page_size=17"
    seen: list[Row] = []
    while following:
        _, page = await collected.get(following)
        seen += page["results"]
        following = page["next"]

    assert page["count"] == len(seen)
    assert await rows_of(collected, path) == seen


@by_resource
async def test_days_are_those_of_the_collection(collected: BelvoClient, path: str) -> None:
    """`created_at` is filtered by day, not by instant."""
    everything = await rows_of(collected, path)

    assert everything == await rows_of(collected, path, created_at="2026-06-01")
    assert everything == await rows_of(collected, path, created_at__range="2026-05-31,2026-06-01")
    assert [] == await rows_of(collected, path, created_at__gt="2026-06-01")


@by_resource
async def test_fields_are_chosen(collected: BelvoClient, path: str) -> None:
    """`fields` and `omit` work on lists and details."""
    (row, *_) = await rows_of(collected, path, link=collected.belvo.links[0])

    _, only = await collected.get(f"{path}{row['id']}/", fields="collected_at")
    without = await rows_of(collected, path, omit="collected_at")

    assert {"collected_at": row["collected_at"]} == only
    assert all("collected_at" not in each for each in without)


@pytest.mark.parametrize("path", [path for name, path in PATHS.items() if name != "TAX_RETENTIONS"])
async def test_rows_are_found_by_id(collected: BelvoClient, path: str) -> None:
    """`id` and `id__in` find rows; retentions have no such filter."""
    ids = [row["id"] for row in await rows_of(collected, path) if "id" in row][:2]

    found = await rows_of(collected, path, id__in=",".join(ids))

    assert ids == [row["id"] for row in found]
    assert ids[:1] == [row["id"] for row in await rows_of(collected, path, id=ids[0])]


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ({"ejercicio": "2024"}, lambda general: general["ejercicio"] == 2024),
        ({"ejercicio__lt": "2023"}, lambda general: general["ejercicio"] < 2023),
        ({"ejercicio__gte": "2025"}, lambda general: general["ejercicio"] >= 2025),
        ({"ejercicio__range": "2022,2024"}, lambda general: 2022 <= general["ejercicio"] <= 2024),
        ({"tipo_declaracion": "Complementaria"}, lambda general: general["tipo_declaracion"] == "Complementaria"),
        ({"tipo_declaracion__in": "Normal,Complementaria"}, lambda general: True),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_tax_returns_are_filtered_by_their_general_part(
    collected: BelvoClient, query: dict[str, str], keeps: Callable[[Row], bool]
) -> None:
    """`ejercicio` and `tipo_declaracion` lie inside `informacion_general`."""
    everything = await rows_of(collected, PATHS["TAX_RETURNS"])

    found = await rows_of(collected, PATHS["TAX_RETURNS"], **query)

    assert [row for row in everything if keeps(row["informacion_general"])] == found


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ({"total_amount__range": "1000.00,9000.0000"}, lambda row: 1000 <= row["total_amount"] <= 9000),
        ({"total_amount__lte": "500.00"}, lambda row: row["total_amount"] <= 500),
        ({"invoice_date__range": "2025-03-01,2025-03-31"}, lambda row: row["invoice_date"][:7] == "2025-03"),
        ({"type__in": "INFLOW,OUTFLOW"}, lambda row: True),
        ({"status": "cancelado"}, lambda row: row["status"] == "Cancelado"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_invoices_are_filtered(
    collected: BelvoClient, query: dict[str, str], keeps: Callable[[Row], bool]
) -> None:
    """Amounts compare as decimals, days as days."""
    everything = await rows_of(collected, PATHS["INVOICES"])

    found = await rows_of(collected, PATHS["INVOICES"], **query)

    assert [row for row in everything if keeps(row)] == found


@pytest.mark.parametrize(
    "query",
    [
        {"link": "mine"},
        {"id__in": "1,2"},
        {"created_at": "2026-06-01T00:00:00Z"},
        {"created_at__range": "2026-06-01"},
        {"invoice_date__gte": "01/02/2026"},
        {"total_amount__gt": "50000.12345"},
        {"total_amount": "1E+5"},
        {"type": "SIDEWAYS"},
    ],
    ids=lambda query: next(iter(query)),
)
async def test_values_that_do_not_fit_are_refused(client: BelvoClient, query: dict[str, str]) -> None:
    """A filter's documented format or pattern is checked: 400 naming the parameter."""
    status, body = await client.get("/api/invoices/", **query)

    assert (400, "invalid", next(iter(query))) == (status, body[0]["code"], body[0]["field"])


async def test_institutions(client: BelvoClient) -> None:
    """Their list has filters of its own; each has a detail by number."""
    _, page = await client.get("/api/institutions/", resources__allin="INVOICES,TAX_RETURNS", country_code="MX")
    names = [row["name"] for row in page["results"]]
    _, down = await client.get("/api/institutions/", status__in="down", type="bank")
    _, nowhere = await client.get("/api/institutions/", country_code__in="BR,CO")
    shown = await client.get(f"/api/institutions/{page['results'][0]['id']}/")

    assert ["tatooine_mx_fiscal", "sat_mx_fiscal"] == names
    assert (200, page["results"][0]) == shown
    assert ("down", 0) == (down["results"][0]["status"], nowhere["count"])
    assert 404 == (await client.get("/api/institutions/77/"))[0]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"access_mode": "single"}, [0, 1, 2]),
        ({"access_mode": "recurrent"}, []),
        ({"external_id": "sim-000001"}, [1]),
        ({"external_id__in": "sim-000000,sim-000002"}, [0, 2]),
        ({"refresh_rate": "null"}, [0, 1, 2]),
        ({"status__in": "invalid,token_required"}, [1]),
        ({"created_at__lt": "2026-06-01"}, [0, 1, 2]),
        ({"institution": "sat_mx_fiscal"}, []),
        ({"created_by__not_in": "00000000-0000-4000-8000-000000000000"}, [0, 1, 2]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_links_are_filtered(client: BelvoClient, query: dict[str, str], places: list[int]) -> None:
    """Each documented filter of the list of links."""
    client.belvo.set_link_status(client.belvo.links[1], "invalid")

    found = await rows_of(client, "/api/links/", **query)

    assert [client.belvo.links[place] for place in places] == [row["id"] for row in found]


async def test_stocked_invoices_fill_many_pages(clock: Any) -> None:
    """`stock_invoices` puts exactly so many into a list, with ids of their own and dates over the whole period."""
    async with (
        BelvoSimulator(now=clock.now, limits=False, invoices_per_year=0) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        belvo.stock_invoices(belvo.links[0], 2500, date_from=date(2025, 1, 1), date_to=date(2025, 12, 31))
        client = BelvoClient(belvo, http)
        query = {"link": belvo.links[0], "type": "INFLOW", "invoice_date__range": "2025-01-01,2025-12-31"}
        rows = await rows_of(client, "/api/invoices/", **query)

    assert 2500 == len(rows)
    assert 2500 == len({row["id"] for row in rows}) == len({row["invoice_identification"] for row in rows})
    assert ("2025-01-01", "2025-12-31") == (rows[0]["invoice_date"], rows[-1]["invoice_date"])


@pytest.mark.proof
@pytest.mark.parametrize("in_front", [False, True], ids=["behind", "in front"])
async def test_stocked_invoices_come_on_top_of_those_stocked_before(clock: Any, *, in_front: bool) -> None:
    """The same period twice gives both, each row under an id of its own; `in_front` decides where they go."""
    period = {"date_from": date(2025, 1, 1), "date_to": date(2025, 1, 31)}
    async with (
        BelvoSimulator(now=clock.now, limits=False, invoices_per_year=0) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        client, query = BelvoClient(belvo, http), {"link": belvo.links[0]}
        belvo.stock_invoices(belvo.links[0], 100, **period)
        before = await rows_of(client, "/api/invoices/", **query)
        belvo.stock_invoices(belvo.links[0], 50, **period, in_front=in_front)
        rows = await rows_of(client, "/api/invoices/", **query)

    assert (100, 150, 150) == (len(before), len(rows), len({row["id"] for row in rows}))
    assert before == (rows[50:] if in_front else rows[:100])


async def test_answers_are_held_back(client: BelvoClient) -> None:
    """`answer_delay` is the same for every answer, whatever the speed."""
    client.belvo.answer_delay = timedelta(milliseconds=200)
    client.belvo.speed = 1000
    began = asyncio.get_running_loop().time()

    await client.get("/api/")
    await client.get("/api/links/")

    assert pytest.approx(0.4, abs=0.05) == asyncio.get_running_loop().time() - began
