"""What a vendor documents as a filter and the library writes in another way finds the same rows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from belvo_async import belvo
from tests.session.world import World
from tests.simulator.conftest import basic

TODAY = date(2026, 6, 1)
DAY = date(2025, 3, 19)
NEXT, BEFORE, LATER = DAY + timedelta(days=1), DAY - timedelta(days=1), DAY + timedelta(days=60)
AMOUNT, MORE = Decimal("5000.00"), Decimal("90000.00")
LEAST = Decimal("0.0001")  # the finest step that Belvo's filter of amounts knows

# What Belvo documents, and how the library says it.
SAME: dict[tuple[str, str], dict[str, Any]] = {
    ("invoice_date", f"{DAY}"): {"date_from": DAY, "date_to": DAY},
    ("invoice_date__gt", f"{DAY}"): {"date_from": NEXT},
    ("invoice_date__lt", f"{DAY}"): {"date_to": BEFORE},
    ("invoice_date__range", f"{DAY},{LATER}"): {"date_from": DAY, "date_to": LATER},
    ("created_at", f"{TODAY}"): {"created_from": TODAY, "created_to": TODAY},
    ("created_at__gt", f"{TODAY}"): {"created_from": TODAY + timedelta(days=1)},
    ("created_at__lt", f"{TODAY}"): {"created_to": TODAY - timedelta(days=1)},
    ("created_at__range", f"{DAY},{TODAY}"): {"created_from": DAY, "created_to": TODAY},
    ("total_amount__gt", f"{AMOUNT}"): {"total_amount_from": AMOUNT + LEAST},
    ("total_amount__lt", f"{AMOUNT}"): {"total_amount_to": AMOUNT - LEAST},
    ("total_amount__range", f"{AMOUNT},{MORE}"): {"total_amount_from": AMOUNT, "total_amount_to": MORE},
    ("type__in", "INFLOW,OUTFLOW"): {"type": None},
}
SAME_YEARS: dict[tuple[str, str], dict[str, Any]] = {
    ("ejercicio", "2024"): {"year_from": 2024, "year_to": 2024},
    ("ejercicio__gt", "2023"): {"year_from": 2024},
    ("ejercicio__lt", "2024"): {"year_to": 2023},
    ("ejercicio__range", "2022,2024"): {"year_from": 2022, "year_to": 2024},
}


async def documented(world: World, path: str, name: str, value: str) -> list[str]:
    """The ids of the rows that a documented filter finds, asked for without the library."""
    query = {"link": world.belvo.links[0], "page_size": "1000", name: value}
    async with (
        aiohttp.ClientSession(world.belvo.url, headers=basic(world.belvo)) as http,
        http.get(path, params=query) as response,
    ):
        return [row["id"] for row in (await response.json())["results"]]


@pytest.mark.parametrize(("name", "value"), SAME)
async def test_an_inclusive_period_says_what_every_comparison_does(world: World, name: str, value: str) -> None:
    """Days are whole, and amounts have four decimals in Belvo's filters: each bound can be said as an inclusive one."""
    link = world.belvo.links[0]
    world.belvo.emit_historical(link)
    session = await world.open(webhooks=False)

    rows = await session.list(belvo.InvoiceList(link=link, **SAME[name, value])).to_list()

    assert await documented(world, "/api/invoices/", name, value) == [row.id for row in rows]
    assert rows or name in ("created_at__gt", "created_at__lt")


async def test_one_amount_is_a_range_of_one(world: World) -> None:
    link = world.belvo.links[0]
    world.belvo.emit_historical(link)
    session = await world.open(webhooks=False)
    amount = (await session.list(belvo.InvoiceList(link=link)).to_list())[7].total_amount

    rows = await session.list(belvo.InvoiceList(link=link, total_amount_from=amount, total_amount_to=amount)).to_list()

    assert await documented(world, "/api/invoices/", "total_amount", f"{amount:.2f}") == [row.id for row in rows] != []


@pytest.mark.parametrize(("name", "value"), SAME_YEARS)
async def test_an_inclusive_span_of_years_says_what_every_comparison_does(world: World, name: str, value: str) -> None:
    link = world.belvo.links[0]
    world.belvo.emit_historical(link)
    session = await world.open(webhooks=False)

    rows = await session.list(belvo.TaxReturnList(link=link, **SAME_YEARS[name, value])).to_list()

    assert len(await documented(world, "/api/tax-returns/", name, value)) == len(rows) > 0
