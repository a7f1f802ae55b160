"""Credentials and entities of the simulated Syntage: made, checked, revalidated, deleted."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import LONG, delete, finished, first, post, told

RFC = "XZT190415QA7"
CIEC = {"type": "ciec", "rfc": RFC, "password": "not-a-real-ciec1"}
CHECKED = 25  # seconds, longer than any check


def efirma(text: str = f"made-up certificate of {RFC}") -> dict[str, str]:
    encoded = base64.b64encode(text.encode()).decode()
    return {"type": "efirma", "certificate": encoded, "privateKey": encoded, "password": "not-a-real-key"}


async def status_of(client: SyntageClient, iri: str) -> str:
    _, body = await client.get(iri)
    status: str = body["status"]
    return status


@pytest.mark.parametrize("body", [CIEC, efirma()], ids=["ciec", "efirma"])
async def test_credential_is_accepted_then_checked(syntage_client: SyntageClient, body: dict[str, str]) -> None:
    """202 pending, no secret in it; some 10 to 20 seconds later the SAT has accepted it."""
    status, made = await post(syntage_client, "/credentials", body)
    await asyncio.sleep(CHECKED)

    assert (202, "pending", RFC, body["type"]) == (status, made["status"], made["rfc"], made["type"])
    assert {"@context", "@id", "@type", "id", "type", "rfc", "status", "createdAt", "updatedAt"} == set(made)
    assert "valid" == await status_of(syntage_client, made["@id"])


async def test_certificate_without_rfc_gets_a_made_up_one(syntage_client: SyntageClient) -> None:
    """Always the same for the same certificate."""
    one, other = [(await post(syntage_client, "/credentials", efirma("fake .cer bytes")))[1] for _ in range(2)]

    assert one["rfc"] == other["rfc"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["type"]),
        ({**CIEC, "type": "fiel"}, ["type"]),
        ({**CIEC, "rfc": "NOT-AN-RFC"}, ["rfc"]),
        ({**CIEC, "password": "short"}, ["password"]),
        ({"type": "ciec"}, ["rfc", "password"]),
        ({"type": "efirma"}, ["certificate", "privateKey", "password"]),
        ({**efirma(), "certificate": "not base64!"}, ["certificate"]),
    ],
    ids=["empty", "type", "rfc", "password", "ciec blank", "efirma blank", "base64"],
)
async def test_credential_violations(syntage_client: SyntageClient, body: dict[str, str], paths: list[str]) -> None:
    """400 names each field that is wrong."""
    status, answer = await post(syntage_client, "/credentials", body)

    assert (400, paths) == (status, [one["propertyPath"] for one in answer["violations"]])


async def test_entity_appears_with_a_valid_credential(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """Not before the SAT accepted it; link.created tells."""
    await post(syntage_client, "/credentials", CIEC)
    before = await syntage_client.all_rows(f"/entities?taxpayer.id={RFC}")

    await asyncio.sleep(CHECKED)
    (entity,) = await syntage_client.all_rows(f"/entities?taxpayer.id={RFC}")

    assert [] == before
    assert ("company", "valid") == (entity["type"], entity["credential"]["status"])
    assert [entity["@id"]] == [body["resource"] for body in told(receiver, "link")]
    assert await finished(syntage_client, "tax_status", entity=entity["@id"])


async def test_credential_events(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """created, then updated from pending to valid; deleted at the end. All name the taxpayer."""
    _, made = await post(syntage_client, "/credentials", CIEC)
    await asyncio.sleep(CHECKED)
    await delete(syntage_client, made["@id"])
    await asyncio.sleep(1)

    events = told(receiver, "credential")

    assert ["credential.created", "credential.updated", "credential.deleted"] == [body["type"] for body in events]
    assert {"status": {"old": "pending", "new": "valid"}} == events[1]["data"]["changes"]
    assert {(RFC, made["@id"])} == {(body["taxpayer"]["id"], body["resource"]) for body in events}
    assert not any("password" in str(body) for body in receiver.bodies)
    assert 404 == (await syntage_client.get(made["@id"]))[0]


@pytest.mark.parametrize("status", ["valid", "invalid", "error", "disabled", "waiting"])
async def test_scripted_checks(syntage_client: SyntageClient, status: Any) -> None:
    """The SAT's next answer can be scripted, with a reason."""
    syntage_client.syntage.next_credential(status=status, reason="unsupportedPortableEfirma")
    _, made = await post(syntage_client, "/credentials", CIEC)
    await asyncio.sleep(CHECKED)

    _, body = await syntage_client.get(made["@id"])

    assert status == body["status"]
    assert (status != "waiting") == ("statusReason" in body)


async def test_waiting_credential_may_become_valid(syntage_client: SyntageClient) -> None:
    """With a duration the check is made later."""
    syntage_client.syntage.next_credential(status="waiting", duration=timedelta(minutes=5))
    _, made = await post(syntage_client, "/credentials", CIEC)
    await asyncio.sleep(CHECKED)
    first_look = await status_of(syntage_client, made["@id"])
    await asyncio.sleep(LONG)

    assert ["waiting", "valid"] == [first_look, await status_of(syntage_client, made["@id"])]


async def test_magic_password_is_refused(syntage_client: SyntageClient) -> None:
    """A CIEC the simulated SAT never accepts; no entity comes of it."""
    _, made = await post(syntage_client, "/credentials", {**CIEC, "password": "refused-ciec1"})
    await asyncio.sleep(CHECKED)

    assert "invalid" == await status_of(syntage_client, made["@id"])
    assert [] == await syntage_client.all_rows(f"/entities?taxpayer.id={RFC}")


async def test_revalidation(syntage_client: SyntageClient) -> None:
    """202 and a new check; 400 while one is under way, 404 for nothing."""
    syntage_client.syntage.next_credential(status="error")
    _, made = await post(syntage_client, "/credentials", CIEC)
    early, _ = await post(syntage_client, f"{made['@id']}/revalidate")
    await asyncio.sleep(CHECKED)

    again, body = await post(syntage_client, f"{made['@id']}/revalidate")
    await asyncio.sleep(CHECKED)

    assert (400, 202, "pending") == (early, again, body["status"])
    assert "valid" == await status_of(syntage_client, made["@id"])
    assert 404 == (await post(syntage_client, "/credentials/nothing/revalidate"))[0]


async def test_too_many_revalidations(syntage_client: SyntageClient) -> None:
    """The 429 of this one route gives X-RateLimit-Reset as a date-time."""
    _, made = await post(syntage_client, "/credentials", CIEC)
    await asyncio.sleep(CHECKED)
    statuses, reset = [], ""
    for _ in range(4):
        syntage_client.syntage.next_credential(status="valid", duration=timedelta(seconds=1))
        async with syntage_client.http.post(f"{made['@id']}/revalidate") as response:
            statuses.append(response.status)
            reset = response.headers["X-RateLimit-Reset"]
        await asyncio.sleep(2)

    assert [202, 202, 202, 429] == statuses
    assert reset.endswith("Z")


async def test_credentials_are_listed_by_page_number(syntage_client: SyntageClient) -> None:
    """Numbered pages with a total and links to first, next and last; filters hold."""
    await post(syntage_client, "/credentials", CIEC)

    _, body = await syntage_client.get("/credentials?itemsPerPage=2&page=1")
    rows = await syntage_client.all_rows("/credentials?itemsPerPage=1")
    pending = await syntage_client.all_rows("/credentials?status=pending&rfc=XZT")
    refused, _ = await syntage_client.get("/credentials?page=0")

    assert (4, "/credentials?itemsPerPage=2&page=2") == (body["hydra:totalItems"], body["hydra:view"]["hydra:next"])
    assert 4 == len({row["id"] for row in rows})
    assert [RFC] == [row["rfc"] for row in pending]
    assert 400 == refused


async def test_entity_without_credential_waits(syntage_client: SyntageClient) -> None:
    """201 with an onboarding link; extractions of the SAT wait until a credential is accepted, others run."""
    status, made = await post(syntage_client, "/entities", {"type": "company", "name": "ZAPATOS SA DE CV", "rfc": RFC})
    entity = f"/entities/{made['id']}"
    held = await finished(syntage_client, "tax_status", entity=entity)
    free = await finished(syntage_client, "rpc", entity=entity)
    waiting = await status_of(syntage_client, f"/extractions/{held}")

    await post(syntage_client, "/credentials", CIEC)
    await asyncio.sleep(LONG)

    assert (201, "/contexts/EntityAddedResponse", RFC) == (status, made["@context"], made["rfc"])
    assert syntage_client.syntage.url in made["onboardingUrl"]
    assert ["waiting", "finished"] == [waiting, await status_of(syntage_client, f"/extractions/{free}")]
    assert "finished" == await status_of(syntage_client, f"/extractions/{held}")
    assert 1 == len(await syntage_client.all_rows(f"/entities?taxpayer.id={RFC}"))


async def test_refused_credential_fails_extractions(syntage_client: SyntageClient) -> None:
    """One that waited fails before its start; later ones fail as well. All with `invalid_credentials`."""
    _, made = await post(syntage_client, "/entities", {"type": "company", "name": "ZAPATOS SA DE CV", "rfc": RFC})
    held = await finished(syntage_client, entity=f"/entities/{made['id']}")

    await post(syntage_client, "/credentials", {**CIEC, "password": "refused-ciec1"})
    await asyncio.sleep(CHECKED)
    later = await finished(syntage_client, "tax_status", entity=f"/entities/{made['id']}")

    _, one = await syntage_client.get(f"/extractions/{held}")
    _, other = await syntage_client.get(f"/extractions/{later}")
    assert [("failed", "invalid_credentials")] * 2 == [(body["status"], body["errorCode"]) for body in (one, other)]
    assert one["startedAt"] is None


async def test_entity_without_rfc_has_no_taxpayer(syntage_client: SyntageClient) -> None:
    """Its extractions show no taxpayer; those of the SAT wait."""
    _, made = await post(syntage_client, "/entities", {"type": "person", "name": "INES OCAMPO SOLIS"})
    _, entity = await syntage_client.get(f"/entities/{made['id']}")
    number = await finished(syntage_client, "tax_status", entity=f"/entities/{made['id']}")

    _, job = await syntage_client.get(f"/extractions/{number}")

    assert "rfc" not in made
    assert (None, None) == (entity["taxpayer"], entity["credential"])
    assert ("waiting", False) == (job["status"], "taxpayer" in job)


async def test_data_sources_start_their_extractions(syntage_client: SyntageClient) -> None:
    """First-time extractions begin by themselves, and conflict with an equal request."""
    body = {"type": "company", "name": "ZAPATOS SA DE CV", "rfc": RFC, "datasources": [{"name": "rug"}]}
    _, made = await post(syntage_client, "/entities", body)

    conflict, _ = await syntage_client.create("rug", entity=f"/entities/{made['id']}")
    (job,) = await syntage_client.all_rows(f"/extractions?taxpayer.id={RFC}")

    assert (409, "rug") == (conflict, job["extractor"])


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["type", "name"]),
        ({"type": "firm", "name": "A"}, ["type"]),
        ({"type": "company", "name": "A", "rfc": "nothing"}, ["rfc"]),
        ({"type": "company", "name": "A", "datasources": [{"name": "bank"}]}, ["datasources[0].name"]),
    ],
    ids=["empty", "type", "rfc", "datasource"],
)
async def test_entity_violations(syntage_client: SyntageClient, body: dict[str, Any], paths: list[str]) -> None:
    """400 names each field that is wrong."""
    status, answer = await post(syntage_client, "/entities", body)

    assert (400, paths) == (status, [one["propertyPath"] for one in answer["violations"]])


async def test_rfc_is_used_once(syntage_client: SyntageClient) -> None:
    """A second entity of an RFC is refused."""
    rfc = syntage_client.syntage.rfc_of(first(syntage_client))

    status, _ = await post(syntage_client, "/entities", {"type": "company", "name": "A", "rfc": rfc})

    assert 400 == status


async def test_deleted_entity_takes_its_data_along(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """204; then neither entity nor invoices nor records are there, and link.deleted was told."""
    entity = first(syntage_client)
    await finished(syntage_client)
    await finished(syntage_client, "tax_status")
    (invoice, *_) = await syntage_client.all_rows(f"{entity}/invoices")

    status = await delete(syntage_client, entity)
    await asyncio.sleep(1)

    missing = [entity, f"{entity}/invoices", invoice["@id"]]
    assert (204, [404] * 3) == (status, [(await syntage_client.get(path))[0] for path in missing])
    assert [] == await syntage_client.all_rows("/tax-status")
    assert ["link.deleted"] == [body["type"] for body in told(receiver, "link")]
    assert 404 == await delete(syntage_client, entity)
