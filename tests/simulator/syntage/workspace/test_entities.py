"""Entities of the simulated Syntage: renamed, identified, and deleted with all that is theirs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import LONG, delete, finished, first, post, told
from tests.simulator.syntage.workspace.kit import entity_tag, patch
from tests.simulator.syntage.workspace.test_authorizations import AUTHORIZATIONS

RFC, CURP = "XZT190415QA7", "OOSI800101MDFCLN09"
CHECKED = 25  # seconds, longer than any check of a credential


async def test_an_entity_is_renamed_and_labelled(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """A merge: what it does not name stays, tags replace the former; link.updated tells."""
    made = await entity_tag(syntage_client)
    _, before = await syntage_client.get(first(syntage_client))

    status, named = await patch(syntage_client, first(syntage_client), {"name": "Calzado, cliente 7"})
    _, labelled = await patch(syntage_client, first(syntage_client), {"tags": [made]})
    _, bare = await patch(syntage_client, first(syntage_client), {"tags": []})
    await asyncio.sleep(1)

    assert (200, "Calzado, cliente 7", before["tags"]) == (status, named["taxpayer"]["name"], named["tags"])
    assert (["nightly"], "Calzado, cliente 7") == (
        [each["name"] for each in labelled["tags"]],
        labelled["taxpayer"]["name"],
    )
    assert [] == bare["tags"]
    assert ["link.updated"] * 3 == [each["type"] for each in told(receiver, "link")]
    assert [first(syntage_client)] == [
        row["@id"] for row in await syntage_client.all_rows("/entities?taxpayer.name=cliente 7")
    ]


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ({"name": ""}, "application/merge-patch+json", 400),
        ({"tags": ["/entity-tags/nothing"]}, "application/merge-patch+json", 400),
        ({"name": "X"}, "application/json", 415),
    ],
)
async def test_other_changes_are_refused(syntage_client: SyntageClient, body: Any, kind: str, expected: int) -> None:
    """What is wrong is named; a PATCH is a merge or nothing."""
    status, _ = await patch(syntage_client, first(syntage_client), body, kind)

    assert (expected, 404) == (status, (await patch(syntage_client, "/entities/nothing", {}))[0])


async def test_identifiers_are_listed_and_added(syntage_client: SyntageClient) -> None:
    """Those an entity was made with, and more: newest first, one of a kind."""
    known = [{"country": "mx", "identifier": "curp", "value": CURP}]
    body = {"type": "person", "name": "INES OCAMPO SOLIS", "rfc": "OOSI800101AB1"}
    _, made = await post(syntage_client, "/entities", {**body, "identifiers": known})
    _, other = await post(syntage_client, "/entities", {"type": "company", "name": "X", "rfc": RFC})

    await asyncio.sleep(60)
    rows = await syntage_client.all_rows(f"/entities/{made['id']}/identifiers")
    status, added = await post(syntage_client, f"/entities/{other['id']}/identifiers", known[0])
    after = await syntage_client.all_rows(f"/entities/{other['id']}/identifiers")
    second, refusal = await post(syntage_client, f"/entities/{other['id']}/identifiers", known[0])

    assert {("rfc", "OOSI800101AB1"), ("curp", CURP)} == {(row["identifier"], row["value"]) for row in rows}
    assert {"@id", "@type", "id", "link", "country", "identifier", "value", "createdAt", "updatedAt"} == set(rows[0])
    assert (201, f"/entities/{other['id']}") == (status, added["link"])
    assert ["curp", "rfc"] == [row["identifier"] for row in after]
    assert (400, True) == (second, "message" in refusal)
    (event, *_) = await syntage_client.all_rows("/events?type=link.updated")
    assert (f"/entities/{other['id']}", RFC) == (event["resource"], event["data"]["object"]["taxpayer"]["id"])


@pytest.mark.parametrize(
    "body",
    [{}, {"country": "us", "identifier": "rfc", "value": RFC}, {"country": "mx", "identifier": "nss", "value": "1"},
     {"country": "mx", "identifier": "curp", "value": RFC}, {"country": "mx", "identifier": "rfc", "value": CURP}],
)  # fmt: skip
async def test_other_identifiers_are_refused(syntage_client: SyntageClient, body: Any) -> None:
    """400 in the short form; 404 for an entity that is not there."""
    path = f"{first(syntage_client)}/identifiers"

    assert 400 == (await post(syntage_client, path, body))[0]
    assert [404, 404] == [
        (await syntage_client.get("/entities/nothing/identifiers"))[0],
        (await post(syntage_client, "/entities/nothing/identifiers", body))[0],
    ]


async def test_an_rfc_added_later_lets_extractions_begin(syntage_client: SyntageClient) -> None:
    """They waited for it; the credential that was there for it is the entity's from then on."""
    await post(syntage_client, "/credentials", {"type": "ciec", "rfc": RFC, "password": "not-a-real-ciec1"})
    _, made = await post(syntage_client, "/entities", {"type": "company", "name": "X"})
    entity = f"/entities/{made['id']}"
    held = await finished(syntage_client, "tax_status", entity=entity)
    for other in await syntage_client.all_rows(f"/entities?taxpayer.id={RFC}"):
        # It appeared with the credential: an RFC is one entity's.
        assert 400 == (await post(syntage_client, f"{entity}/identifiers", RFC_BODY))[0]
        await delete(syntage_client, other["@id"])
    _, waiting = await syntage_client.get(f"/extractions/{held}")

    status, _ = await post(syntage_client, f"{entity}/identifiers", RFC_BODY)
    await post(syntage_client, "/credentials", {"type": "ciec", "rfc": RFC, "password": "not-a-real-ciec1"})
    await asyncio.sleep(CHECKED + LONG)

    _, job = await syntage_client.get(f"/extractions/{held}")
    assert (201, "waiting", "finished") == (status, waiting["status"], job["status"])
    assert RFC == job["taxpayer"]["id"]


RFC_BODY = {"country": "mx", "identifier": "rfc", "value": RFC}


async def test_nothing_of_a_deleted_entity_is_left(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Its data, files, exports, credentials, authorizations and running jobs; both kinds of events told it."""
    entity, rfc = first(syntage_client), syntage_client.syntage.rfc_of(first(syntage_client))
    for extractor in ("invoice", "tax_status", "annual_tax_return", "rpc"):
        await finished(syntage_client, extractor)
    await post(syntage_client, "/credentials", {"type": "ciec", "rfc": rfc, "password": "not-a-real-ciec2"})
    _, export = await post(syntage_client, "/exports", {"uri": f"{entity}/invoices", "format": "csv"})
    await asyncio.sleep(60)
    _, late = await post(syntage_client, "/exports", {"uri": f"{entity}/tax-returns", "format": "csv"})
    _, job = await syntage_client.create("rug")
    _, held = await syntage_client.get(export["@id"])
    (authorization,) = await syntage_client.all_rows(f"{entity}{AUTHORIZATIONS}")
    (invoice, *_) = await syntage_client.all_rows(f"{entity}/invoices")
    files = [each["resource"] for each in syntage_client.syntage.events({"file.created"})]
    receiver.got.clear()

    status = await delete(syntage_client, entity)
    await asyncio.sleep(LONG)

    gone = [entity, export["@id"], late["@id"], job["@id"], held["file"]["@id"], authorization["@id"], invoice["@id"]]
    assert (204, {404}) == (status, {(await syntage_client.get(each))[0] for each in [*gone, *files[:3], files[-1]]})
    assert [] == await syntage_client.all_rows(f"/credentials?rfc={rfc}")
    assert [] == await syntage_client.all_rows(f"/extractions?taxpayer.id={rfc}")
    assert not any(entity in str(row) for row in await syntage_client.all_rows(AUTHORIZATIONS))
    assert ["credential.deleted"] * 2 + ["link.deleted"] == [each["type"] for each in receiver.bodies]
