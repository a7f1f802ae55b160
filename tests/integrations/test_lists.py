"""Lists in a mirror: read whole or from where the last reading ended, and loaded only where something is new."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from belvo_async import ConfigurationError, Session, syntage
from belvo_async.abc import answer_of
from belvo_async.integrations.dlt import ListEnd, ListProgress, MirrorSink, list_tasks, mirror_lists
from tests.integrations.kit import Database, both_databases, contents, tables_of
from tests.session.world import World

# Lists that belong to one object each; those of webhooks, whose rows hold secrets; postal codes, which are nobody's.
LEFT_OUT = {
    syntage.BackgroundCheckRecords,
    syntage.FoundEntities,
    syntage.InvoiceRelations,
    syntage.PostalAddresses,
    syntage.ShareholderRelations,
    syntage.ShareholderSources,
    syntage.WebhookEndpoints,
    syntage.WebhookRequests,
}


def subjects(world: World) -> dict[str, list[str]]:
    return {"belvo": [world.belvo.links[0]], "syntage": [world.syntage.entities[0]]}


async def mirror(session: Session, database: Database, world: World, *names: str) -> list[ListProgress]:
    """Read the named lists, or all there are."""
    async with MirrorSink(database.spec, session.vendors) as sink:
        tasks = list(list_tasks(session.vendors, subjects(world), names=names or None))
        return [each async for each in mirror_lists(session, sink, tasks, clock=world.clock)]


def ends(found: list[ListProgress]) -> dict[str, tuple[str, int]]:
    return {each.task.table: (each.end.value, each.rows) for each in found}


async def extracted(session: Session, world: World) -> None:
    """Have both vendors hold a year of invoices."""
    for task in (world.invoices(), world.extraction()):
        await (await session.fire(task))


async def test_every_list_of_the_catalogue_is_a_listing(world: World) -> None:
    """What can be listed can be mirrored; and each listing gives the rows of its query."""
    for vendor in (world.belvo_vendor(), world.syntage_vendor()):
        subject = "00000000-0000-4000-8000-000000000001"
        asked = {type(rules.query(subject, None)) for rules in vendor.listings.values()}

        assert set(vendor.queries) - LEFT_OUT == asked
        for rules in vendor.listings.values():
            record = answer_of(type(rules.query(subject, None)))
            assert rules.cursor is None or rules.cursor in record.__struct_fields__
            assert rules.cursor is None or rules.query(subject, world.clock.now()) != rules.query(subject, None)


async def test_every_resource_that_is_planned_fills_a_listing(world: World) -> None:
    """So that what jobs bring and what is listed are rows of one table."""
    for vendor in (world.belvo_vendor(), world.syntage_vendor()):
        filled = Counter(resource for rules in vendor.listings.values() for resource in rules.resources)

        assert set(vendor.plans) <= set(filled)
        assert {1} == set(filled.values())


@both_databases
async def test_every_list_is_read(world: World, database: Database) -> None:
    """Rows of each stand in the table of its name, once, whatever type they are of."""
    session = await world.open()
    await extracted(session, world)

    found = await mirror(session, database, world)

    assert {ListEnd.LOADED} == {each.end for each in found}
    # A table is there once it had a row.
    filled = {name: rows for name, (_, rows) in ends(found).items() if rows}
    for name, rows in filled.items():
        assert [(rows,)] == database.rows(f"SELECT count(*) FROM fiscal.{name}"), name
    held = world.syntage.invoices(world.syntage.entities[0], {"period": {"from": "2025-01-01", "to": "2025-03-31"}})
    assert ("loaded", len(held)) == ends(found)["syntage_invoices"]
    assert len(filled) > 12


async def test_what_was_read_before_is_not_loaded_again(world: World, database: Database) -> None:
    """Lists that can be narrowed are read from where the last reading ended, others whole; nothing is new."""
    session = await world.open()
    await extracted(session, world)
    await mirror(session, database, world)
    before, read = contents(database, tables_of(database)), len(world.sent("GET"))
    whole = ends(await mirror(session, database, world))

    assert before == contents(database, tables_of(database))
    assert {"unchanged"} == {end for end, _ in whole.values()}
    asked = [each for each in world.sent("GET")[read:] if each.path.endswith("/invoices") and "entities" in each.path]
    assert ["updatedAt[after]"] == [key for each in asked for key in each.query if "updatedAt" in key]


async def test_what_changed_is_another_version(world: World, database: Database) -> None:
    """The row of before ends when the one of now begins."""
    world.clock.step(date(2026, 2, 1) - world.clock.now().date())
    session = await world.open()
    task = world.invoices(date_from=date(2026, 1, 1), date_to=date(2026, 1, 31))
    await (await session.fire(task))
    await mirror(session, database, world, "belvo.invoices")
    count = database.rows("SELECT count(*) FROM fiscal.belvo_invoices")
    # One of them is cancelled by then.
    world.clock.step(timedelta(days=30))
    await (await session.fire(task))

    await mirror(session, database, world, "belvo.invoices")

    assert count == database.rows("SELECT count(*) FROM fiscal.belvo_invoices WHERE _dlt_valid_to IS NULL")
    ended = database.rows(
        "SELECT old.status, new.status, old._dlt_valid_to = new._dlt_valid_from"
        " FROM fiscal.belvo_invoices old JOIN fiscal.belvo_invoices new USING (record_id)"
        " WHERE old._dlt_valid_to IS NOT NULL AND new._dlt_valid_to IS NULL"
    )
    assert [("Vigente", "Cancelado", True)] == ended


async def test_a_list_that_is_refused_does_not_hold_up_the_others(world: World, database: Database) -> None:
    """It is told of, with the vendor's error."""
    session = await world.open()
    world.syntage.next_answer("forbidden", method="GET", path="/tags")

    found = await mirror(session, database, world, "tags", "entities")

    assert {"syntage_tags": ("failed", 0), "syntage_entities": ("loaded", 3)} == ends(found)
    assert [True] == [each.error is not None for each in found if each.end is ListEnd.FAILED]


def test_a_list_that_nobody_has_is_refused(world: World) -> None:
    """Before anything is asked; the error names those there are."""
    with pytest.raises(ConfigurationError, match="tax_returns"):
        list(list_tasks({"syntage": world.syntage_vendor()}, {}, names=["nothing"]))


def test_lists_whose_rows_come_by_jobs_are_left_to_them(world: World) -> None:
    """Unless they are named: what a plan brings is not read a second time."""
    vendors: dict[str, Any] = {"belvo": world.belvo_vendor()}
    asked = {"belvo": ["00000000-0000-4000-8000-000000000001"]}

    tables = {each.table for each in list_tasks(vendors, asked, brought={("belvo", "INVOICES")})}
    named = {each.table for each in list_tasks(vendors, asked, names=["invoices"], brought={("belvo", "INVOICES")})}

    assert "belvo_invoices" not in tables
    assert "belvo_tax_returns" in tables
    assert {"belvo_invoices"} == named
