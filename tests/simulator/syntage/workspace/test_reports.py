"""Reports and scores of the simulated Syntage."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import delete, finished, first, post
from tests.simulator.syntage.workspace.kit import put

LAYOUT: list[Any] = [
    {"name": "sales", "type": "insight", "insight": "sales-revenue", "visible": False},
    {"name": "Risk", "type": "group", "children": [{"name": "risks", "type": "insight", "insight": "risks"}]},
]
REPORT = {"name": "Credit review", "insights": LAYOUT}


async def test_a_report_is_made_changed_and_deleted(syntage_client: SyntageClient) -> None:
    """201 with whose it is; entries are shown unless they say otherwise; a change replaces name and layout."""
    status, made = await post(syntage_client, "/reports", REPORT)
    _, single = await syntage_client.get(made["@id"])
    changed, row = await put(syntage_client, made["@id"], {**REPORT, "insights": LAYOUT[1:], "organizational": True})
    deleted = await delete(syntage_client, made["@id"])

    assert (201, False, False) == (status, made["builtIn"], made["organizational"])
    assert made == single
    assert {"id", "firstName", "lastName", "fullName"} == set(made["createdBy"])
    assert [False, True] == [each["visible"] for each in made["insights"]]
    assert {"name": "risks", "type": "insight", "insight": "risks", "visible": True} == (
        made["insights"][1]["children"][0]
    )
    assert (200, 1, True, made["createdAt"]) == (
        changed,
        len(row["insights"]),
        row["organizational"],
        row["createdAt"],
    )
    assert (204, 404) == (deleted, (await syntage_client.get(made["@id"]))[0])


async def test_reports_are_listed_by_page_number(syntage_client: SyntageClient) -> None:
    """With a total, narrowed and ordered by when they were made; Syntage's own are among them."""
    for name in ("one", "two"):
        await post(syntage_client, "/reports", {**REPORT, "name": name})
        await asyncio.sleep(60)

    _, body = await syntage_client.get("/reports?itemsPerPage=2")
    oldest = await syntage_client.all_rows("/reports?order[createdAt]=asc")
    since = next(row["createdAt"] for row in oldest if row["name"] == "two")
    late = await syntage_client.all_rows(f"/reports?createdAt[after]={since}")

    assert (3, "/reports?itemsPerPage=2&page=2") == (body["hydra:totalItems"], body["hydra:view"]["hydra:next"])
    assert ["full_report", "one", "two"] == [row["name"] for row in oldest]
    assert ["two"] == [row["name"] for row in late]


async def test_what_is_syntages_own_stays(syntage_client: SyntageClient) -> None:
    """403 to a change and a deletion; it has no author."""
    (row,) = await syntage_client.all_rows("/reports")

    changed, body = await put(syntage_client, row["@id"], REPORT)

    assert (403, "hydra:Error", 403) == (changed, body["@type"], await delete(syntage_client, row["@id"]))
    assert (True, False) == (row["builtIn"], "createdBy" in row)
    assert all(each["type"] == "group" and each["children"] for each in row["insights"])


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"insights": None}, {"insights": [{}]}, {"insights": [{"name": "x", "type": "chart"}]},
     {"insights": [{"name": "x", "type": "insight"}]}, {"organizational": "yes"},
     {"insights": [{"name": "x", "type": "group", "children": [{"name": "", "type": "insight", "insight": "y"}]}]}],
)  # fmt: skip
async def test_other_reports_are_refused(syntage_client: SyntageClient, changes: Any) -> None:
    """422; and 404 for what is not there."""
    assert 422 == (await post(syntage_client, "/reports", {**REPORT, **changes}))[0]
    assert 404 == (await put(syntage_client, "/reports/nothing", REPORT))[0]
    assert 404 == await delete(syntage_client, "/reports/nothing")


async def calculate(client: SyntageClient, entity: str) -> int:
    async with client.http.post(f"{entity}/datasources/syntage/score/calculate") as response:
        return response.status


async def test_a_score_needs_its_data(syntage_client: SyntageClient) -> None:
    """Annual tax returns and compliance, both extracted, none under way; and a company."""
    entity, person = first(syntage_client), syntage_client.syntage.entities[2]
    without = await calculate(syntage_client, entity)
    await finished(syntage_client, "annual_tax_return")
    half = await calculate(syntage_client, entity)
    await finished(syntage_client, "tax_compliance")
    await syntage_client.create("tax_compliance")
    running = await calculate(syntage_client, entity)
    await asyncio.sleep(100)

    assert [422, 422, 422, 201] == [without, half, running, await calculate(syntage_client, entity)]
    assert (422, 404) == (await calculate(syntage_client, person), await calculate(syntage_client, "/entities/nothing"))


async def test_a_score_appears_after_a_while(syntage_client: SyntageClient) -> None:
    """As `Score` is documented; once it is asked for, the same data makes no other, newer data does."""
    entity, simulator = first(syntage_client), syntage_client.syntage
    for extractor in ("annual_tax_return", "tax_compliance"):
        await finished(syntage_client, extractor)

    asked = await calculate(syntage_client, entity)
    at_once = simulator.scores(entity)
    await asyncio.sleep(30)
    (score,) = simulator.scores(entity)
    again = await calculate(syntage_client, entity)
    await asyncio.sleep(24 * 3600)
    await finished(syntage_client, "tax_compliance")
    newer = await calculate(syntage_client, entity)
    await asyncio.sleep(30)

    assert (201, [], 422, 201) == (asked, at_once, again, newer)
    assert {"@id", "@type", "id", "source", "type", "score", "generatedAt", "metadata"} == set(score)
    assert ("syntage", True) == (score["source"], 300 <= int(str(score["score"])) <= 850)
    assert [score] == simulator.scores(entity)[1:]
    assert [] == simulator.scores(simulator.entities[1])


async def test_a_deleted_entity_gets_no_score(syntage_client: SyntageClient) -> None:
    """Not even one that was being calculated."""
    for extractor in ("annual_tax_return", "tax_compliance"):
        await finished(syntage_client, extractor)
    await calculate(syntage_client, first(syntage_client))

    await delete(syntage_client, first(syntage_client))
    await asyncio.sleep(30)

    assert [[], []] == [syntage_client.syntage.scores(each) for each in syntage_client.syntage.entities]
