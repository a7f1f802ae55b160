"""Labels of the simulated Syntage: made, changed, deleted, put on invoices and entities."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import delete, finished, first, post, told
from tests.simulator.syntage.workspace.kit import entity_tag, patch

KINDS = pytest.mark.parametrize(
    ("path", "body"),
    [("/tags", {"name": "Odd", "resourceType": "invoice"}), ("/entity-tags", {"name": "Odd"})],
    ids=["invoices", "entities"],
)


async def invoices(client: SyntageClient) -> list[str]:
    """The IRIs of an entity's invoices."""
    await finished(client)
    return [row["@id"] for row in await client.all_rows(f"{first(client)}/invoices?itemsPerPage=200")]


async def worn(client: SyntageClient, iri: str) -> list[str]:
    """The names of the labels on an invoice or an entity."""
    _, row = await client.get(iri)
    return sorted(tag["name"] for tag in row["tags"])


async def tag(client: SyntageClient, name: str) -> str:
    _, made = await post(client, "/tags", {"name": name, "resourceType": "invoice"})
    iri: str = made["@id"]
    return iri


@KINDS
async def test_a_label_is_made_changed_and_deleted(syntage_client: SyntageClient, path: str, body: Any) -> None:
    """201, newest first in its list; a merge changes what it names, and no other PATCH does; 204, then 404."""
    status, made = await post(syntage_client, path, {**body, "color": "#22C558"})
    (row, *_) = await syntage_client.all_rows(path)
    changed, renamed = await patch(syntage_client, made["@id"], {"name": "Odder"})
    _, plain = await patch(syntage_client, made["@id"], {"color": None})
    unsupported, _ = await patch(syntage_client, made["@id"], {"name": "X"}, "application/json")
    deleted = await delete(syntage_client, made["@id"])

    assert (201, "#22c558") == (status, made["color"])
    assert row == {name: value for name, value in made.items() if name != "@context"}
    assert (200, "Odder", "#22c558", "#a3aab5") == (changed, renamed["name"], renamed["color"], plain["color"])
    assert (415, 204, 404) == (unsupported, deleted, await delete(syntage_client, made["@id"]))
    assert made["id"] not in [each["id"] for each in await syntage_client.all_rows(path)]


@KINDS
async def test_labels_have_a_default_colour(syntage_client: SyntageClient, path: str, body: Any) -> None:
    """Where none is given, or null."""
    for given in ({}, {"color": None}):
        assert "#a3aab5" == (await post(syntage_client, path, {**body, **given}))[1]["color"]


@pytest.mark.parametrize(
    ("path", "body", "paths"),
    [
        ("/tags", {}, ["name", "resourceType"]),
        ("/tags", {"name": "X", "resourceType": "entity"}, ["resourceType"]),
        ("/entity-tags", {"name": ""}, ["name"]),
        ("/entity-tags", {"name": "X", "color": "green"}, ["color"]),
    ],
)
async def test_label_violations(syntage_client: SyntageClient, path: str, body: Any, paths: list[str]) -> None:
    """400 names each field that is wrong, at a change as well."""
    status, answer = await post(syntage_client, path, body)
    (row, *_) = await syntage_client.all_rows(path)
    changed, _ = await patch(syntage_client, row["@id"], {"name": "", "color": "green"})

    assert (400, paths, 400) == (status, [one["propertyPath"] for one in answer["violations"]], changed)


async def test_an_invoice_is_labelled(syntage_client: SyntageClient) -> None:
    """What is sent replaces what it wore; one is taken off again; its list does not show them, its batches do."""
    (invoice, *_) = await invoices(syntage_client)
    one, other = await tag(syntage_client, "one"), await tag(syntage_client, "other")

    status, row = await post(syntage_client, f"{invoice}/tags", {"tags": [one]})
    _, replaced = await post(syntage_client, f"{invoice}/tags", {"tags": [other, one]})
    off = await delete(syntage_client, f"{invoice}{one}")

    assert (200, ["one"]) == (status, [each["name"] for each in row["tags"]])
    assert (["other", "one"], 204) == ([each["name"] for each in replaced["tags"]], off)
    assert ["other"] == await worn(syntage_client, invoice)
    assert 400 == (await post(syntage_client, f"{invoice}/tags", {"tags": ["/tags/nothing"]}))[0]
    assert 404 == (await post(syntage_client, "/invoices/nothing/tags", {"tags": []}))[0]
    assert [404, 404] == [await delete(syntage_client, f"{each}/tags/nothing") for each in (invoice, "/invoices/x")]


async def test_batch_payments_show_what_their_invoice_wears(syntage_client: SyntageClient) -> None:
    """Labels put on later as well."""
    await finished(syntage_client)
    (row, *_) = await syntage_client.all_rows("/invoices/batch-payments?itemsPerPage=1")

    await post(syntage_client, f"{row['invoice']['@id']}/tags", {"tags": [await tag(syntage_client, "paid")]})

    _, again = await syntage_client.get(row["@id"])
    assert ["paid"] == [each["name"] for each in again["invoice"]["tags"]]


async def test_many_invoices_are_labelled_at_once(syntage_client: SyntageClient) -> None:
    """201 with the ids; what they wear stays, and the same again changes nothing; removing ignores what is not worn."""
    held = (await invoices(syntage_client))[:3]
    one, other = await tag(syntage_client, "one"), await tag(syntage_client, "other")
    await post(syntage_client, f"{held[0]}/tags", {"tags": [other]})
    body = {"resources": held, "tags": [one]}

    first_time = await post(syntage_client, "/invoices/batch/tags", body)
    second_time = await post(syntage_client, "/invoices/batch/tags", body)
    wearing = [await worn(syntage_client, each) for each in held[:1]]
    removed, _ = await post(syntage_client, "/invoices/batch/tags/remove", {**body, "tags": [one, other]})

    ids = [each.rpartition("/")[2] for each in held]
    assert (201, {"resources": ids, "tags": [one.rpartition("/")[2]]}) == first_time == second_time
    assert [["one", "other"]] == wearing
    assert (201, True) == (removed, all([not {"one", "other"} & {*await worn(syntage_client, each)} for each in held]))


@pytest.mark.parametrize("remove", ["", "/remove"])
async def test_a_batch_is_all_or_nothing(syntage_client: SyntageClient, remove: str) -> None:
    """One unknown thing or label: 404, and nobody wears more or less than before."""
    iris = syntage_client.syntage.entities
    made = await entity_tag(syntage_client)
    await post(syntage_client, "/entities/batch/tags", {"resources": [iris[0]], "tags": [made]})
    before = [await worn(syntage_client, each) for each in iris]

    path = f"/entities/batch/tags{remove}"
    unknown, _ = await post(syntage_client, path, {"resources": [*iris, "/entities/nothing"], "tags": [made]})
    missing, _ = await post(syntage_client, path, {"resources": iris, "tags": [made, "/entity-tags/nothing"]})

    assert (404, 404) == (unknown, missing)
    assert before == [await worn(syntage_client, each) for each in iris]


@pytest.mark.parametrize("path", ["/invoices/batch/tags", "/entities/batch/tags/remove"])
@pytest.mark.parametrize(
    "body",
    [{}, {"resources": [], "tags": ["/tags/1"]}, {"resources": ["/invoices/1"], "tags": []},
     {"resources": ["/invoices/1"] * 101, "tags": ["/tags/1"]},
     {"resources": ["/invoices/1"], "tags": ["/tags/1"] * 51},
     {"resources": "all", "tags": ["/tags/1"]}, {"resources": [7], "tags": ["/tags/1"]}],
)  # fmt: skip
async def test_batches_have_limits(syntage_client: SyntageClient, path: str, body: Any) -> None:
    """422 for none, for more than 100, for more than 50 labels."""
    status, answer = await post(syntage_client, path, body)

    assert (422, "hydra:Error") == (status, answer["@type"])


async def test_entities_are_told_of_by_both_names_of_a_label(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """`/link-tags/` is the former one; what changes an entity is told, what changes nothing is not."""
    made = await entity_tag(syntage_client)
    body = {"resources": [first(syntage_client)], "tags": [made.replace("/entity-tags/", "/link-tags/")]}

    status, _ = await post(syntage_client, "/entities/batch/tags", body)
    await post(syntage_client, "/entities/batch/tags", body)

    assert 201 == status
    assert "nightly" in await worn(syntage_client, first(syntage_client))
    events = await syntage_client.all_rows("/events?type=link.updated")
    assert ["nightly"] == [each["data"]["object"]["tags"][0]["name"] for each in events]
    assert [] == told(receiver, "tag")


async def test_deleted_labels_vanish_from_all_that_wear_them(syntage_client: SyntageClient) -> None:
    """From invoices and entities; a changed name shows on them; what events told stays as it was."""
    (invoice, *_) = await invoices(syntage_client)
    on_invoice, on_entity = await tag(syntage_client, "one"), await entity_tag(syntage_client, "one")
    await post(syntage_client, f"{invoice}/tags", {"tags": [on_invoice]})
    await patch(syntage_client, first(syntage_client), {"tags": [on_entity]})
    for each in (on_invoice, on_entity):
        await patch(syntage_client, each, {"name": "two"})
    before = [await worn(syntage_client, each) for each in (invoice, first(syntage_client))]

    for each in (on_invoice, on_entity):
        await delete(syntage_client, each)

    assert [["two"], ["two"]] == before
    assert [[], []] == [await worn(syntage_client, each) for each in (invoice, first(syntage_client))]
    (event, *_) = await syntage_client.all_rows("/events?type=link.updated")
    assert ["one"] == [each["name"] for each in event["data"]["object"]["tags"]]


async def test_labels_there_were_from_the_start_vanish_too(syntage_client: SyntageClient) -> None:
    """Also from the invoices that wear them by chance."""
    held = (await invoices(syntage_client))[:40]
    assert any([await worn(syntage_client, each) for each in held])

    for row in await syntage_client.all_rows("/tags"):
        await delete(syntage_client, row["@id"])

    assert not any([await worn(syntage_client, each) for each in held])
