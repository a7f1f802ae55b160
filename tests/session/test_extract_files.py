"""`session.extract` with documents: the XML and PDF of invoices beside their rows."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from belvo_async import ConfigurationError, TaskError
from tests.kept_sink import KeptSink
from tests.session.test_extract import belvo_plan, syntage_plan
from tests.session.world import World

YEAR = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.rglob("files/*")}


async def test_documents_are_saved_beside_the_rows(world: World, tmp_path: Path) -> None:
    """Each of them once, named by its fiscal folio; a second run fetches none again."""
    session = await world.open()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml", "pdf"], **YEAR)
    asked: list[int] = []

    for _ in range(2):
        run = await session.extract(plan, into=f"ndjson:{tmp_path}", files=["xml", "pdf"])
        async for _ in run:
            pass
        asked.append(len([each for each in world.sent("GET") if each.path.endswith("/cfdi")]))

    rows = world.syntage.invoices(plan.subjects[0], {"period": {"from": "2025-01-01", "to": "2025-12-31"}})
    held = {f"{row['uuid']}.{form}".lower() for row in rows for form in ("xml", "pdf") if row[form]}
    assert held
    assert held == names_in(tmp_path)
    assert asked[0] > 0


async def test_belvo_has_its_xml_in_the_records(world: World, tmp_path: Path) -> None:
    """Those that came without are counted."""
    session = await world.open()
    plan = belvo_plan(world, subjects=world.belvo.links[:1], directions=["issued"], options=["xml"], **YEAR)

    run = await session.extract(plan, into=f"ndjson:{tmp_path}", files=["xml"], patience=timedelta(0))
    async for _ in run:
        pass

    # What the tax office gave no XML of today is asked for again tomorrow.
    rows = len(world.belvo.invoices(plan.subjects[0], plan.first, plan.last, "OUTFLOW"))
    assert 0 < len(names_in(tmp_path)) == rows - run.outcome.tally.unsaved_files


async def test_documents_that_cannot_be_had_are_refused_at_once(world: World, tmp_path: Path) -> None:
    """Of a form that there is not, or beside a sink without a folder."""
    session = await world.open()

    with pytest.raises(TaskError, match="files"):
        await session.extract(belvo_plan(world), into=f"ndjson:{tmp_path}", files=["pdf"])
    with pytest.raises(ConfigurationError, match="folder"):
        await session.extract(belvo_plan(world), into=KeptSink(), files=["xml"])
    assert not world.sent()
