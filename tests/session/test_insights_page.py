"""The page about insights: its code runs as it stands, for whomever."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from belvo_async import syntage
from tests.session.world import World
from tests.test_docs import blocks

PAGE = Path(__file__).parents[2] / "docs/insights.md"
YEAR = syntage.InvoiceOptions(period=syntage.Period(date(2025, 1, 1), date(2025, 12, 31)))


@pytest.mark.parametrize("extracted", [(), ("invoice", "annual_tax_return")], ids=["nothing held", "held"])
async def test_its_code_runs(
    extracted: tuple[str, ...], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Insights of an entity of which nothing is held are empty, and so is what reads them."""
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(PAGE, "python")
    names: dict[str, Any] = {"date": date, "syntage": syntage, "entity": world.syntage.entities[0]}
    session = await world.open(world.syntage_vendor(), webhooks=False)
    for extractor in extracted:
        await (
            await session.fire(syntage.Extraction(names["entity"], extractor, YEAR if extractor == "invoice" else None))
        )

    exec(f"async def run(session):\n{textwrap.indent(code, '    ')}", names)
    await names["run"](session)

    assert (tmp_path / "revenue.xlsx").stat().st_size
