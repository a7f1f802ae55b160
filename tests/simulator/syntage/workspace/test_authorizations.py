"""Authorizations of the credit bureau, and the addresses they must name; without one, its extractions wait."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import LONG, delete, finished, first, post
from tests.virtual_time import VirtualClock

AUTHORIZATIONS = "/datasources/mx/buro-de-credito/authorizations"
EXTRACTOR = "buro_de_credito_report"
# As the document's own examples say them.
ADDRESS = {
    "address": "Jaime Balmes", "city": "Cd de Mexico", "municipality": "Miguel Hidalgo", "state": "CMX",
    "postalCode": "11510", "exteriorNumber": "8", "interiorNumber": "", "neighborhood": "Los morales", "country": "MX",
}  # fmt: skip
PERSON = {
    "rfc": "PRPU800101HM2", "nationality": "MX", "birthdate": "1980-01-01", "firstName": "UNO", "middleName": "DOS",
    "firstLastName": "PRUEBA", "secondLastName": "PROSPECTOR", "address": ADDRESS,
}  # fmt: skip
COMPANY = {
    "rfc": "AGS930324RN7", "nationality": "MX", "tradeName": "ALMACENES GHINOS, SA DE CV",
    "address": {**ADDRESS, "city": "TEPEAPULCO", "municipality": "Cd de Mexico", "neighborhood": "CD SAHAGUN HGO"},
}  # fmt: skip
GIVEN = "2025-01-31T00:00:00+00:00"


async def entity(client: SyntageClient, kind: str = "company") -> str:
    """A new entity, which has authorized nothing."""
    _, made = await post(client, "/entities", {"type": kind, "name": "NUEVA"})
    return f"/entities/{made['id']}"


async def authorize(client: SyntageClient, owner: str, taxpayer: Any = COMPANY, **changes: Any) -> tuple[int, Any]:
    async with client.http.post(
        f"{owner}{AUTHORIZATIONS}", json={"authorizedAt": GIVEN, "taxpayer": taxpayer, **changes}
    ) as response:
        return response.status, await response.json(content_type=None) if await response.read() else None


async def status_of(client: SyntageClient, number: str) -> str:
    _, body = await client.get(f"/extractions/{number}")
    status: str = body["status"]
    return status


async def test_reports_wait_for_an_authorization(syntage_client: SyntageClient) -> None:
    """Waiting is documented for what lacks one; once given, the extraction goes on, and later ones begin at once."""
    owner = await entity(syntage_client)
    held = await finished(syntage_client, EXTRACTOR, entity=owner)
    before = await status_of(syntage_client, held)

    status, _ = await authorize(syntage_client, owner)
    await asyncio.sleep(LONG)
    later = await finished(syntage_client, EXTRACTOR, {"productType": "RCO"}, entity=owner)

    assert ("waiting", 201) == (before, status)
    assert ["finished", "finished"] == [await status_of(syntage_client, each) for each in (held, later)]
    assert 2 == len(await syntage_client.all_rows(f"{owner}/datasources/mx/buro-de-credito/reports"))


async def test_reports_wait_again_when_it_is_gone(syntage_client: SyntageClient, clock: VirtualClock) -> None:
    """Deleted, or expired after three years."""
    (row,) = await syntage_client.all_rows(f"{first(syntage_client)}{AUTHORIZATIONS}")
    deleted = await delete(syntage_client, row["@id"])
    held = await finished(syntage_client, EXTRACTOR)
    owner = await entity(syntage_client)
    long_ago = clock.now() - timedelta(days=3 * 366)
    await authorize(syntage_client, owner, authorizedAt=long_ago.isoformat())
    expired = await finished(syntage_client, EXTRACTOR, entity=owner)

    assert (204, 404) == (deleted, await delete(syntage_client, row["@id"]))
    assert ["waiting", "waiting"] == [await status_of(syntage_client, each) for each in (held, expired)]
    (old,) = await syntage_client.all_rows(f"{owner}{AUTHORIZATIONS}")
    assert False is old["isValid"]


@pytest.mark.parametrize(("kind", "taxpayer"), [("person", PERSON), ("company", COMPANY)])
async def test_it_shows_what_was_told(syntage_client: SyntageClient, kind: str, taxpayer: Any) -> None:
    """In one level, with the entity and until when it holds; by its id, of its entity, and among all."""
    owner = await entity(syntage_client, kind)
    await authorize(syntage_client, owner, taxpayer)

    (row,) = await syntage_client.all_rows(f"{owner}{AUTHORIZATIONS}")
    status, single = await syntage_client.get(row["@id"])
    everywhere = await syntage_client.all_rows(f"{AUTHORIZATIONS}?itemsPerPage=1")

    assert {name: value for name, value in taxpayer.items() if name != "address"}.items() <= row.items()
    assert taxpayer["address"].items() <= row.items()
    assert ("2025-01-31T00:00:00.000Z", "2028-01-31T00:00:00.000Z") == (row["authorizedAt"], row["authorizedUntil"])
    assert (owner, True, "external", None) == (row["link"]["@id"], row["isValid"], row["origin"], row["deletedAt"])
    assert (200, row) == (status, {name: value for name, value in single.items() if name != "@context"})
    assert [row["id"]] == [each["id"] for each in everywhere[:1]]
    assert len(syntage_client.syntage.entities) == len(everywhere)


@pytest.mark.parametrize(
    ("kind", "taxpayer", "paths"),
    [
        ("company", None, ["taxpayer"]),
        ("company", {**COMPANY, "rfc": "X"}, ["taxpayer.rfc"]),
        ("company", {**COMPANY, "nationality": "Mexican"}, ["taxpayer.nationality"]),
        ("company", PERSON, ["taxpayer.tradeName"]),
        ("person", {**PERSON, "secondLastName": ""}, ["taxpayer.secondLastName"]),
        ("person", {**PERSON, "birthdate": "long ago"}, ["taxpayer.birthdate"]),
        ("person", {**PERSON, "address": None}, ["taxpayer.address"]),
        ("person", {**PERSON, "address": {**ADDRESS, "city": None}}, ["taxpayer.address.city"]),
        ("person", {**PERSON, "address": {**ADDRESS, "country": "MEX"}}, ["taxpayer.address.country"]),
        ("person", {**PERSON, "address": {**ADDRESS, "postalCode": "00000"}}, ["taxpayer.address.postalCode"]),
        ("person", {**PERSON, "address": {**ADDRESS, "state": "JAL"}}, ["taxpayer.address.state"]),
    ],
)
async def test_authorization_violations(
    syntage_client: SyntageClient, kind: str, taxpayer: Any, paths: list[str]
) -> None:
    """400 names each field that is wrong, and nothing is kept."""
    owner = await entity(syntage_client, kind)

    status, answer = await authorize(syntage_client, owner, taxpayer)

    assert (400, paths) == (status, [one["propertyPath"] for one in answer["violations"]])
    _, late = await authorize(syntage_client, owner, taxpayer, authorizedAt="now")
    assert "authorizedAt" == late["violations"][0]["propertyPath"]
    assert [] == await syntage_client.all_rows(f"{owner}{AUTHORIZATIONS}")


async def test_unknown_ones_are_not_found(syntage_client: SyntageClient) -> None:
    """Neither an authorization nor an entity."""
    missing = [f"{AUTHORIZATIONS}/nothing", f"/entities/nothing{AUTHORIZATIONS}"]

    assert [404, 404] == [(await syntage_client.get(each))[0] for each in missing]
    assert 404 == (await authorize(syntage_client, "/entities/nothing"))[0]


async def test_a_postal_code_has_its_settlements(syntage_client: SyntageClient) -> None:
    """The document's own, and any other: always the same ones, in the state its first digits stand for."""
    status, body = await syntage_client.get("/datasources/mx/addresses/11510")
    _, again = await syntage_client.get("/datasources/mx/addresses/11510")
    (jalisco, *_) = await syntage_client.all_rows("/datasources/mx/addresses/49340")

    place = body["hydra:member"][0]
    assert (200, "/contexts/MxPostalCodeAddress", body) == (status, body["@context"], again)
    assert {
        "@id", "@type", "postalCode", "neighborhood", "neighborhoodType", "municipality", "state", "stateCode", "city",
        "officeKey",
    } == set(place)  # fmt: skip
    assert ("Los Morales", "CMX", "Cd de Mexico") == (place["neighborhood"], place["stateCode"], place["city"])
    assert ("49340", "JAL") == (jalisco["postalCode"], jalisco["stateCode"])


@pytest.mark.parametrize(
    ("code", "state"),
    [("01000", "CMX"), ("16999", "CMX"), ("20000", "AGU"), ("22999", "BCN"), ("35000", "DUR"), ("49999", "JAL"),
     ("50000", "MEX"), ("67000", "NLE"), ("77500", "ROO"), ("86000", "TAB"), ("96999", "VER"), ("97000", "YUC"),
     ("99999", "ZAC")],
)  # fmt: skip
async def test_a_postal_code_tells_its_state(syntage_client: SyntageClient, code: str, state: str) -> None:
    """By the post's own division of the country."""
    rows = await syntage_client.all_rows(f"/datasources/mx/addresses/{code}")

    assert {state} == {row["stateCode"] for row in rows}


@pytest.mark.parametrize(
    ("code", "expected"),
    [("00000", 404), ("17000", 404), ("19999", 404), ("1151", 400), ("1151x", 400), ("115100", 400)],
)
async def test_other_postal_codes(syntage_client: SyntageClient, code: str, expected: int) -> None:
    """Those that are none, and those nobody lives in."""
    assert expected == (await syntage_client.get(f"/datasources/mx/addresses/{code}"))[0]
