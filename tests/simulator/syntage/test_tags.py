"""Tags of the simulated Syntage: labels of entities, and labels of invoices."""

from __future__ import annotations

from typing import Any

import pytest

from belvo_async.simulator import SyntageSimulator
from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first, post

ENTITY_TAG = {"@id", "@type", "id", "name", "color", "createdAt", "updatedAt"}


@pytest.mark.parametrize(
    ("path", "type", "fields"),
    [("/tags", "Tag", {*ENTITY_TAG, "resourceType"}), ("/entity-tags", "EntityTag", ENTITY_TAG)],
    ids=["invoices", "entities"],
)
async def test_there_are_tags_of_both_kinds(
    syntage_client: SyntageClient, path: str, type: str, fields: set[str]
) -> None:
    """Each list gives its own kind with all documented fields, newest first, page by page; a colour may be missing."""
    rows = await syntage_client.all_rows(f"{path}?itemsPerPage=1")

    assert [{"@type": type, "@id": f"{path}/{row['id']}"} for row in rows] == [
        {"@type": row["@type"], "@id": row["@id"]} for row in rows
    ]
    assert {frozenset(fields)} == {frozenset(row) for row in rows}
    assert sorted({row["id"] for row in rows}, reverse=True) == [row["id"] for row in rows]
    assert {True, False} == {row["color"] is None for row in rows}


async def test_entity_wears_its_tags(syntage_client: SyntageClient) -> None:
    """The list below an entity and its own `tags` say the same: some of all there are, and not every entity has any."""
    everything = await syntage_client.all_rows("/entity-tags")
    worn: list[list[Any]] = []
    for entity in syntage_client.syntage.entities:
        _, single = await syntage_client.get(entity)
        rows = await syntage_client.all_rows(f"{entity}/tags")
        assert rows == single["tags"]
        worn.append(rows)

    assert all(row in everything for rows in worn for row in rows)
    assert worn[0]
    assert [] in worn


async def test_entity_tag_by_id(syntage_client: SyntageClient) -> None:
    """One is read by its own IRI; what is unknown, or belongs to an unknown entity, is a 404."""
    (row, *_) = await syntage_client.all_rows("/entity-tags")

    status, single = await syntage_client.get(row["@id"])
    missing, _ = await syntage_client.get("/entity-tags/nothing")
    nowhere, _ = await syntage_client.get("/entities/nothing/tags")

    assert (200, {"@context": "/contexts/EntityTag", **row}) == (status, single)
    assert (404, 404) == (missing, nowhere)


async def test_new_entity_has_no_tags(syntage_client: SyntageClient) -> None:
    """Tags are put on by somebody."""
    _, made = await post(syntage_client, "/entities", {"type": "company", "name": "NUEVA", "rfc": "XZT190415QA7"})

    assert [] == await syntage_client.all_rows(f"/entities/{made['id']}/tags")


async def test_some_invoices_wear_tags(syntage_client: SyntageClient) -> None:
    """Those of the list of tags, on the single form only; most invoices have none."""
    everything = await syntage_client.all_rows("/tags")
    await finished(syntage_client)
    rows = await syntage_client.all_rows(f"{first(syntage_client)}/invoices?itemsPerPage=40")

    worn = [(await syntage_client.get(row["@id"]))[1]["tags"] for row in rows[:40]]

    assert {"invoice"} == {tag["resourceType"] for tag in everything}
    assert all(tag in everything for tags in worn for tag in tags)
    assert 0 < sum(bool(tags) for tags in worn) < 20
    assert not any("tags" in row for row in rows)


async def test_tags_are_the_same_for_a_seed(syntage_client: SyntageClient, clock: Any) -> None:
    """As everything here."""
    (one, other) = (SyntageSimulator(now=clock.now, seed=1) for _ in range(2))

    assert one.rows("/tags") == other.rows("/tags")
    assert {row["id"] for row in one.rows("/entity-tags")}.isdisjoint(
        row["id"] for row in SyntageSimulator(now=clock.now, seed=2).rows("/entity-tags")
    )
