"""Shareholders of the simulated Syntage: known, entered, changed, promoted, forgotten."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import delete, finished, first, post

# The fields of the vendor's schemas; what is inside another leaves out the way back.
SHAREHOLDER = {"@id", "@type", "id", "name", "type", "rfc", "relations", "entity", "createdAt", "updatedAt"}
RELATION = {"@id", "@type", "id", "link", "shareholder", "relationType", "sources", "shares", "totalShares",
            "ownership", "createdAt", "updatedAt"}  # fmt: skip
SOURCE = {"@id", "@type", "id", "relation", "shareholder", "sourceName", "sourceId", "shares", "createdAt", "updatedAt"}
RFC, COMPANY_RFC = "XAAA800101AB1", "XBB800101AB1"


async def patch(client: SyntageClient, path: str, body: Any) -> tuple[int, Any]:
    async with client.http.patch(path, json=body) as response:
        return response.status, await response.json(content_type=None)


async def enter(client: SyntageClient, entity: str, **changes: Any) -> Any:
    """Enter a shareholder by hand."""
    body = {"relationType": "shareholders", "name": "ANA ARCE SOLIS", "shares": 40, **changes}
    status, made = await post(client, f"{entity}/shareholders", body)
    assert 201 == status, made
    return made


async def without_report(client: SyntageClient) -> str:
    """An entity that no Company Verification comes with: a person."""
    entity = client.syntage.entities[2]
    await finished(client, "rpc", {}, entity=entity)
    assert [] == await client.all_rows(f"{entity}/datasources/mx/company-verification/reports")
    return entity


async def test_partners_of_the_commercial_register_are_shareholders(syntage_client: SyntageClient) -> None:
    """Each is one, with a relation that its record supports."""
    entity = await without_report(syntage_client)
    (folio,) = await syntage_client.all_rows(f"{entity}/datasources/mx/rpc/entidades")

    rows = await syntage_client.all_rows(f"{entity}/shareholders")

    partners = {each["rfc"]: each for each in folio["socios"]}
    assert set(partners) == {row["rfc"] for row in rows}
    assert {"physical"} == {row["type"] for row in rows}
    for row in rows:
        (relation,) = row["relations"]
        (source,) = relation["sources"]
        partner = partners[row["rfc"]]
        assert (entity, "shareholders") == (relation["link"], relation["relationType"])
        assert ("rpc_socio", partner["id"]) == (source["sourceName"], source["sourceId"])
        assert int(partner["acciones"]) == source["shares"] == relation["shares"]


async def test_each_form_has_its_fields(syntage_client: SyntageClient) -> None:
    """All that are documented, in lists as singly, and 404 for what is unknown at any place."""
    made = await enter(syntage_client, first(syntage_client))
    relation = f"{made['@id']}/relations/{made['relations'][0]['id']}"
    source = f"{relation}/sources/{made['relations'][0]['sources'][0]['id']}"

    for path, fields in ((made["@id"], SHAREHOLDER), (relation, RELATION), (source, SOURCE)):
        _, single = await syntage_client.get(path)
        (row,) = await syntage_client.all_rows(path.rpartition("/")[0])
        assert fields == set(row)
        assert row == {name: value for name, value in single.items() if name != "@context"}
        for wrong in (f"{path}x", path.replace(made["id"], "nobody")):
            assert 404 == (await syntage_client.get(wrong))[0]


@pytest.mark.parametrize("rfc", [RFC, COMPANY_RFC, None])
async def test_one_is_entered_by_hand(syntage_client: SyntageClient, rfc: str | None) -> None:
    """The shareholder and its relation; what it is, its RFC tells. Events tell of the relation and of its source."""
    made = await enter(syntage_client, first(syntage_client), rfc=rfc, shares=12.5)

    (relation,) = made["relations"]
    assert {13: "physical", 12: "legal", 0: "unknown"}[len(rfc or "")] == made["type"]
    assert (12.5, ["manual"]) == (relation["shares"], [each["sourceName"] for each in relation["sources"]])
    kinds = {each["type"] for each in syntage_client.syntage.events(
        ["shareholder_relation.created", "shareholder_relation_source.created"]
    )}  # fmt: skip
    assert {"shareholder_relation.created", "shareholder_relation_source.created"} == kinds


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"relationType": "owner"}, "relationType"),
        ({"relationType": None}, "relationType"),
        ({"name": " "}, "name"),
        ({"shares": 0.009}, "shares"),
        ({"shares": "7"}, "shares"),
        ({"shares": True}, "shares"),
        ({"rfc": "X"}, "rfc"),
    ],
)
async def test_what_is_not_documented_is_refused(
    syntage_client: SyntageClient, changes: dict[str, Any], path: str
) -> None:
    """400, naming the field; nothing is entered."""
    body = {"relationType": "shareholders", "name": "ANA ARCE", "shares": 40, **changes}

    status, refused = await post(syntage_client, f"{first(syntage_client)}/shareholders", body)

    assert (400, [path]) == (status, [each["propertyPath"] for each in refused["violations"]])
    assert [] == await syntage_client.all_rows("/shareholders")


async def test_parts_are_shares_by_all_shares(syntage_client: SyntageClient) -> None:
    """All together are never more than the whole, whatever is entered, changed or taken away."""
    entity = first(syntage_client)
    made = [await enter(syntage_client, entity, name=f"P {count}", shares=count) for count in (1, 1, 1)]

    async def parts() -> list[Decimal]:
        rows = await syntage_client.all_rows(f"{entity}/shareholders")
        relations = [each for row in rows for each in row["relations"]]
        for each in relations:
            exact = Decimal(str(each["shares"])) / Decimal(str(each["totalShares"]))
            assert abs(exact - Decimal(str(each["ownership"]))) < Decimal("0.000001")
        return [Decimal(str(each["ownership"])) for each in relations]

    assert Decimal("0.999999") == sum(await parts())
    one = f"{made[0]['@id']}/relations/{made[0]['relations'][0]['id']}"
    status, changed = await patch(syntage_client, one, {"shares": 2})
    assert (200, 2, 4, 0.5) == (status, changed["shares"], changed["totalShares"], changed["ownership"])
    assert 1 == sum(await parts())
    assert 204 == await delete(syntage_client, one)
    assert [Decimal("0.5")] * 2 == await parts()


async def test_what_an_entity_owns_goes_the_other_way(syntage_client: SyntageClient) -> None:
    """Nobody knows how many shares that company has; the relation is no part of the entity's own capital."""
    entity = first(syntage_client)
    await enter(syntage_client, entity)
    made = await enter(syntage_client, entity, relationType="shareholder_of", name="GRANOS SA", rfc=COMPANY_RFC)

    (relation,) = made["relations"]
    assert ("shareholder_of", None, None) == (
        relation["relationType"], relation["totalShares"], relation["ownership"]
    )  # fmt: skip
    (mine,) = await syntage_client.all_rows(f"{entity}/shareholders?type=unknown")
    assert 1 == mine["relations"][0]["ownership"]
    path = f"{made['@id']}/relations?relationType="
    assert [1, 0] == [len(await syntage_client.all_rows(path + way)) for way in ("shareholder_of", "shareholders")]


async def test_shareholders_are_filtered_and_ordered(syntage_client: SyntageClient) -> None:
    """By type, and by parts of name and RFC; of an entity, or of all."""
    one, other = syntage_client.syntage.entities[:2]
    await enter(syntage_client, one, name="BRUNO", rfc=RFC)
    await enter(syntage_client, other, name="ANA", rfc=COMPANY_RFC)

    async def names(path: str) -> list[str]:
        return [row["name"] for row in await syntage_client.all_rows(path)]

    assert ["ANA", "BRUNO"] == await names("/shareholders")
    assert ["BRUNO", "ANA"] == await names("/shareholders?order[name]=desc")
    assert ["BRUNO"] == await names(f"{one}/shareholders")
    assert ["ANA"] == await names("/shareholders?type=legal")
    assert ["BRUNO"] == await names("/shareholders?name=run")
    assert ["ANA"] == await names("/shareholders?rfc=XBB")
    assert 404 == (await syntage_client.get("/entities/nobody/shareholders"))[0]


async def test_a_shareholder_is_changed(syntage_client: SyntageClient) -> None:
    """What is not named stays; null takes the RFC away, and with it what it told."""
    made = await enter(syntage_client, first(syntage_client), rfc=RFC)

    _, renamed = await patch(syntage_client, made["@id"], {"name": "OTRA"})
    _, unknown = await patch(syntage_client, made["@id"], {"rfc": None})
    refused, _ = await patch(syntage_client, made["@id"], {"name": ""})

    assert ("OTRA", RFC, "physical") == (renamed["name"], renamed["rfc"], renamed["type"])
    assert ("OTRA", None, "unknown", 400) == (unknown["name"], unknown["rfc"], unknown["type"], refused)


async def test_a_shareholder_is_deleted_with_its_relations(syntage_client: SyntageClient) -> None:
    """And once."""
    made = await enter(syntage_client, first(syntage_client))

    assert [204, 404] == [await delete(syntage_client, made["@id"]) for _ in range(2)]
    assert [] == await syntage_client.all_rows(f"{first(syntage_client)}/shareholders")


async def test_a_relation_goes_with_its_last_source(syntage_client: SyntageClient) -> None:
    """While one is left, it says how many shares; the shareholder stays anyway."""
    entity = await without_report(syntage_client)
    (row, _) = await syntage_client.all_rows(f"{entity}/shareholders")
    relation = f"{row['@id']}/relations/{row['relations'][0]['id']}"
    registered = row["relations"][0]["shares"]
    _, changed = await patch(syntage_client, relation, {"shares": 7})
    sources = {each["sourceName"]: each["id"] for each in changed["sources"]}

    assert 204 == await delete(syntage_client, f"{relation}/sources/{sources['manual']}")
    _, left = await syntage_client.get(relation)
    assert 204 == await delete(syntage_client, f"{relation}/sources/{sources['rpc_socio']}")

    assert (7, registered) == (changed["shares"], left["shares"])
    assert 404 == (await syntage_client.get(relation))[0]
    assert [] == (await syntage_client.get(row["@id"]))[1]["relations"]


async def test_a_shareholder_is_promoted(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """The entity exists, its sources start; the shareholder names it; both know of each other by the insight."""
    entity = first(syntage_client)
    made = await enter(syntage_client, entity, shares=30)
    await enter(syntage_client, entity, name="OTRA", shares=70)
    relation = f"{made['@id']}/relations/{made['relations'][0]['id']}"
    body = {"name": "ANA ARCE", "rfc": COMPANY_RFC, "datasources": [{"name": "rpc"}]}

    status, promoted = await post(syntage_client, f"{relation}/promote", body)

    new = f"/entities/{promoted['id']}"
    assert (200, {"@type", "id", "name", "rfc", "onboardingUrl"}) == (status, set(promoted))
    _, shown = await syntage_client.get(new)
    assert ("ANA ARCE", COMPANY_RFC, "company") == (shown["taxpayer"]["name"], shown["taxpayer"]["id"], shown["type"])
    _, one = await syntage_client.get(made["@id"])
    assert (new, COMPANY_RFC) == (one["entity"], one["rfc"])
    assert ["rpc"] == [row["extractor"] for row in await syntage_client.all_rows("/extractions")]
    path = "insights/shareholders?relations.relationType="
    (owner, _) = await syntage_client.all_rows(f"{entity}/{path}shareholders")
    (owned,) = await syntage_client.all_rows(f"{new}/{path}shareholder_of")
    assert (promoted["id"], "30", "30.00") == (owner["entityId"], owner["shares"], owner["percentage"])
    assert (entity.rpartition("/")[2], "30", "30.00") == (owned["entityId"], owned["shares"], owned["percentage"])
    assert owner["relationId"] == owned["relationId"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": ""}, "name"),
        ({"rfc": None}, "rfc"),
        ({"rfc": "X"}, "rfc"),
        ({"datasources": [{"name": "tas"}]}, "datasources[0].name"),
    ],
)
async def test_a_promotion_needs_name_and_rfc(
    syntage_client: SyntageClient, changes: dict[str, Any], path: str
) -> None:
    """400; no entity is made."""
    made = await enter(syntage_client, first(syntage_client))
    relation = f"{made['@id']}/relations/{made['relations'][0]['id']}"
    before = syntage_client.syntage.entities

    status, refused = await post(syntage_client, f"{relation}/promote", {"name": "ANA", "rfc": RFC, **changes})

    assert (400, path) == (status, refused["violations"][0]["propertyPath"])
    assert before == syntage_client.syntage.entities


async def test_nobody_is_promoted_twice(syntage_client: SyntageClient) -> None:
    """Nor to an RFC that is taken."""
    made = await enter(syntage_client, first(syntage_client))
    path = f"{made['@id']}/relations/{made['relations'][0]['id']}/promote"
    taken = syntage_client.syntage.rfc_of(first(syntage_client))

    answers = [(await post(syntage_client, path, {"name": "ANA", "rfc": rfc}))[0] for rfc in (taken, RFC, RFC)]

    assert [400, 200, 400] == answers


async def test_an_entity_takes_its_relations_along(syntage_client: SyntageClient) -> None:
    """Who was shareholder of it alone is gone; who was promoted to it is so no longer."""
    one, other = syntage_client.syntage.entities[:2]
    alone = await enter(syntage_client, one, name="SOLO")
    promoted = await enter(syntage_client, other, name="ANA")
    path = f"{promoted['@id']}/relations/{promoted['relations'][0]['id']}/promote"
    _, new = await post(syntage_client, path, {"name": "ANA", "rfc": RFC})

    await delete(syntage_client, one)
    await delete(syntage_client, f"/entities/{new['id']}")

    assert 404 == (await syntage_client.get(alone["@id"]))[0]
    assert (await syntage_client.get(promoted["@id"]))[1]["entity"] is None
