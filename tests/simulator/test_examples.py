"""Some rows say what the vendors' own examples say against their schema, so that tests of clients meet it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.simulator.conftest import BelvoClient, SyntageClient, basic
from tests.simulator.syntage.kit import LONG

AS_DOCUMENTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
AS_IN_THE_EXAMPLE = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d T\.CENTRO")


async def syntage_rows(clock: Any, share: float | None) -> dict[str, list[Any]]:
    """Extract everything that may be said in two ways, of all entities; gives the values."""
    given = {} if share is None else {"example_share": share}
    async with (
        SyntageSimulator(now=clock.now, limits=False, entities=6, **given) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        client = SyntageClient(syntage, http)
        for entity in syntage.entities:
            for extractor in ("annual_tax_return", "tax_status", "rpc"):
                await client.create(extractor, {}, entity=entity)
        await asyncio.sleep(LONG)
        found: dict[str, list[Any]] = {}
        for entity in syntage.entities:
            for path, field in (
                ("tax-returns", "fiscalYear"),
                ("tax-status", "cif"),
                ("datasources/mx/rpc/entidades", "fechaDeInscripcion"),
                ("datasources/mx/rpc/actos", "fechaDeIngreso"),
            ):
                rows = await client.all_rows(f"{entity}/{path}?itemsPerPage=1000")
                found.setdefault(field, []).extend(row[field] for row in rows)
    return found


async def test_by_default_clients_meet_both(clock: Any) -> None:
    """A minority says it as in the examples: years as numbers, dates of the register as it prints them."""
    found = await syntage_rows(clock, None)

    years, dates = found["fiscalYear"], found["fechaDeIngreso"] + found["fechaDeInscripcion"]
    numbers = [year for year in years if isinstance(year, int)]
    local = [at for at in dates if AS_IN_THE_EXAMPLE.fullmatch(at)]
    assert 0 < len(numbers) < len(years) / 2
    assert 0 < len(local) < len(dates) / 2
    assert len(dates) == len(local) + len([at for at in dates if AS_DOCUMENTED.fullmatch(at)])


@pytest.mark.parametrize(("share", "kind", "form"), [(0, str, AS_DOCUMENTED), (1, int, AS_IN_THE_EXAMPLE)])
async def test_the_share_can_be_chosen(clock: Any, share: float, kind: type, form: re.Pattern[str]) -> None:
    """All rows or none; an idCIF that begins with a zero stays a text."""
    found = await syntage_rows(clock, share)

    assert {kind} == {type(year) for year in found["fiscalYear"]}
    assert {kind} == {type(cif) for cif in found["cif"] if not str(cif).startswith("0")}
    assert all(form.fullmatch(at) for at in found["fechaDeIngreso"] + found["fechaDeInscripcion"])


async def test_belvo_says_some_years_as_numbers(clock: Any) -> None:
    """In its financial statements; the same ones each time they are read."""
    async with (
        BelvoSimulator(now=clock.now, limits=False, links=8) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        for link in belvo.links:
            await BelvoClient(belvo, http).post("/api/financial-statements/", mode="", link=link)
        readings = [
            [row["year"] for row in (await BelvoClient(belvo, http).get("/api/financial-statements/"))[1]["results"]]
            for _ in range(2)
        ]

    assert readings[0] == readings[1]
    assert 0 < len([year for year in readings[0] if isinstance(year, int)]) < len(readings[0]) / 2
