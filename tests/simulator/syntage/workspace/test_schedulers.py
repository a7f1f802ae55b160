"""Schedulers of the simulated Syntage: made, changed, deleted; and run at their time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import SyntageSimulator
from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import LONG, delete, first, post, told
from tests.simulator.syntage.workspace.kit import entity_tag, extractions, put, scheduler
from tests.virtual_time import VirtualClock

DAILY = {"extractor": "rpc", "cronExpression": "@daily"}
DAY = 24 * 3600


def midnight_after(clock: VirtualClock, days: int = 1) -> str:
    day = (clock.now() + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{day:%Y-%m-%dT%H:%M:%S}.000Z"


async def test_a_scheduler_is_made_read_and_listed(syntage_client: SyntageClient) -> None:
    """202 with all documented fields; its rules in the envelope of a list, its tags as they are."""
    tag = await entity_tag(syntage_client)
    status, made = await post(syntage_client, "/schedulers", {"type": "recurring", "name": "Nightly", "tags": [tag]})

    read, single = await syntage_client.get(made["@id"])
    rows = await syntage_client.all_rows("/schedulers?itemsPerPage=1")

    assert (202, 200, "/contexts/Scheduler") == (status, read, made["@context"])
    _, nameless = await post(syntage_client, "/schedulers", {"type": "recurring"})
    assert nameless["name"] is None
    assert made == single
    assert ("Nightly", "recurring", True, [tag]) == (
        made["name"],
        made["type"],
        made["isEnabled"],
        [each["@id"] for each in made["tags"]],
    )
    assert {"@id", "@type", "id", "name", "type", "isEnabled", "rules", "tags", "createdAt", "updatedAt"} == set(
        rows[0]
    )
    assert [made["id"]] == [row["id"] for row in rows[:-1]]


async def test_first_extractions_have_a_scheduler_of_their_own(syntage_client: SyntageClient) -> None:
    """Without a name; its rules have no time of their own."""
    (row,) = await syntage_client.all_rows("/schedulers")

    rules = row["rules"]["hydra:member"]
    assert (None, True, []) == (row["name"], row["isEnabled"], row["tags"])
    assert {"rpc", "rug", "bil", "buro_de_credito_report"} == {rule["extractor"] for rule in rules}
    assert [(None, False)] * 4 == [(rule["cronExpression"], "nextRunDate" in rule) for rule in rules]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["type"]),
        ({"type": "once"}, ["type"]),
        ({"type": "recurring", "isEnabled": "yes"}, ["isEnabled"]),
        ({"type": "recurring", "tags": ["/entity-tags/nothing"]}, ["tags"]),
        ({"type": "recurring", "name": 7}, ["name"]),
    ],
    ids=["empty", "type", "flag", "tag", "name"],
)
async def test_scheduler_violations(syntage_client: SyntageClient, body: Any, paths: list[str]) -> None:
    """400 names each field that is wrong."""
    status, answer = await post(syntage_client, "/schedulers", body)

    assert (400, paths) == (status, [one["propertyPath"] for one in answer["violations"]])


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"extractor": "letters"}, ["extractor"]),
        ({"scheduler": "/schedulers/nothing"}, ["scheduler"]),
        ({"cronExpression": "sometimes"}, ["cronExpression"]),
        ({"cronExpression": "0 0 30 2 *"}, ["cronExpression"]),
        ({"extractor": "invoice", "options": {"types": ["X"]}}, ["options.types"]),
        ({"options": []}, None),
    ],
    ids=["extractor", "scheduler", "cron", "never", "options", "no options"],
)
async def test_rule_violations(syntage_client: SyntageClient, changes: Any, paths: list[str] | None) -> None:
    """400 names each field that is wrong."""
    iri, _ = await scheduler(syntage_client)

    status, answer = await post(syntage_client, "/schedulers/rules", {"scheduler": iri, **DAILY, **changes})

    assert paths == ([one["propertyPath"] for one in answer["violations"]] if status == 400 else None)


async def test_a_rule_runs_at_its_time(syntage_client: SyntageClient, receiver: Receiver, clock: VirtualClock) -> None:
    """Each midnight, for those who wear the label; the extractions are told of like any other, and end."""
    _, (rule,) = await scheduler(syntage_client, DAILY)
    due, _ = midnight_after(clock), midnight_after(clock, 2)
    _, before = await syntage_client.get(rule)
    await asyncio.sleep(DAY + LONG)
    _, after = await syntage_client.get(rule)
    await asyncio.sleep(DAY)

    jobs = await extractions(syntage_client)

    assert (due, "Nightly", {}) == (before["nextRunDate"], before["scheduler"], before["options"])
    assert midnight_after(clock, 0) == after["nextRunDate"]
    assert [due[:16], after["nextRunDate"][:16]] == [job["createdAt"][:16] for job in jobs]
    rfc = syntage_client.syntage.rfc_of(first(syntage_client))
    assert [("finished", rfc)] * 2 == [(job["status"], job["taxpayer"]["id"]) for job in jobs]
    events = [each["type"] for each in told(receiver, "extraction") if each["resource"] == jobs[0]["@id"]]
    assert ["extraction.created", *["extraction.updated"] * 2] == events


async def test_a_rule_has_options(syntage_client: SyntageClient) -> None:
    """They are those of each extraction; where they name no end, the run is it."""
    options = {"types": ["I"], "period": {"from": "2025-01-01"}}
    await scheduler(syntage_client, {"extractor": "invoice", "cronExpression": "@daily", "options": options})

    await asyncio.sleep(DAY)
    (job,) = await extractions(syntage_client, "invoice")

    assert (["I"], "2025-01-01") == (job["options"]["types"], job["options"]["period"]["from"])
    assert job["createdAt"][:16] == job["options"]["period"]["to"][:16]


async def test_who_is_labelled_later_is_extracted_too(syntage_client: SyntageClient) -> None:
    """Who wears a label is asked when a rule runs; who lost it is left out."""
    iri, _ = await scheduler(syntage_client, DAILY)
    _, held = await syntage_client.get(iri)
    (tag,) = [each["@id"] for each in held["tags"]]
    one, other = syntage_client.syntage.entities[:2]
    await post(syntage_client, "/entities/batch/tags", {"resources": [other], "tags": [tag]})
    await post(syntage_client, "/entities/batch/tags/remove", {"resources": [one], "tags": [tag]})

    await asyncio.sleep(DAY)
    jobs = await extractions(syntage_client)

    assert [syntage_client.syntage.rfc_of(other)] == [job["taxpayer"]["id"] for job in jobs]


async def test_what_is_under_way_is_not_started_again(syntage_client: SyntageClient) -> None:
    """As a request would be a 409."""
    syntage_client.syntage.next_job(extractor="rpc", outcome="stuck")
    await scheduler(syntage_client, {"extractor": "rpc", "cronExpression": "@hourly"})

    await asyncio.sleep(DAY)

    assert ["running"] == [job["status"] for job in await extractions(syntage_client)]


async def test_a_disabled_scheduler_rests(syntage_client: SyntageClient, clock: VirtualClock) -> None:
    """It has no next run; enabled again it goes on from then."""
    iri, (rule,) = await scheduler(syntage_client, DAILY)
    status, off = await put(syntage_client, iri, {"isEnabled": False})
    await asyncio.sleep(3 * DAY)
    nothing = await extractions(syntage_client)
    await put(syntage_client, iri, {"isEnabled": True})
    _, again = await syntage_client.get(rule)
    await asyncio.sleep(DAY)

    assert (200, False, []) == (status, off["isEnabled"], nothing)
    assert "nextRunDate" not in off["rules"]["hydra:member"][0]
    assert midnight_after(clock, 0) == again["nextRunDate"]
    assert 1 == len(await extractions(syntage_client))


@pytest.mark.parametrize("what", ["scheduler", "rule", "tag", "entity"])
async def test_what_is_deleted_runs_no_more(syntage_client: SyntageClient, what: str) -> None:
    """Neither a rule, nor those of a scheduler, nor for an entity or a label that is gone."""
    iri, (rule,) = await scheduler(syntage_client, DAILY)
    _, held = await syntage_client.get(iri)
    gone = {"scheduler": iri, "rule": rule, "tag": held["tags"][0]["@id"], "entity": first(syntage_client)}[what]

    status = await delete(syntage_client, gone)
    await asyncio.sleep(2 * DAY)

    assert (204, 404) == (status, (await syntage_client.get(gone))[0])
    assert [] == await extractions(syntage_client)
    if what == "tag":
        assert [] == (await syntage_client.get(iri))[1]["tags"]
    if what == "scheduler":
        assert 404 == (await syntage_client.get(rule))[0]


async def test_a_rule_is_changed(syntage_client: SyntageClient) -> None:
    """It runs at its new time alone, with its new extractor; the scheduler's name and labels may change, too."""
    iri, (rule,) = await scheduler(syntage_client, DAILY)

    status, body = await put(syntage_client, rule, {"extractor": "rug", "cronExpression": "0 12 * * *"})
    _, named = await put(syntage_client, iri, {"name": "Noon"})
    _, bare = await put(syntage_client, iri, {"tags": []})
    _, plain = await put(syntage_client, rule, {"options": None})
    await put(syntage_client, iri, {"tags": [named["tags"][0]["@id"]]})
    await asyncio.sleep(2 * DAY)

    assert (200, "rug", "0 12 * * *") == (status, body["extractor"], body["cronExpression"])
    assert ("Noon", 1, [], {}) == (named["name"], len(named["tags"]), bare["tags"], plain["options"])
    assert [] == await extractions(syntage_client)
    assert {"12:00"} == {job["createdAt"][11:16] for job in await extractions(syntage_client, "rug")}
    assert 400 == (await put(syntage_client, rule, {"cronExpression": "noon"}))[0]
    assert 400 == (await put(syntage_client, iri, {"isEnabled": 7}))[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_bodies_that_are_no_objects_are_refused(syntage_client: SyntageClient, method: str) -> None:
    """By every route that takes one: 400, or 422 where too few are too few."""
    iri, (rule,) = await scheduler(syntage_client, DAILY)
    tag, report = await entity_tag(syntage_client), {"name": "X", "insights": []}
    _, made = await post(syntage_client, "/reports", report)
    entity = first(syntage_client)
    paths = {
        "POST": ["/schedulers", "/schedulers/rules", "/reports", "/tags", "/entity-tags", "/entities/batch/tags",
                 f"{entity}/identifiers", f"{entity}/datasources/mx/buro-de-credito/authorizations"],
        "PUT": [iri, rule, made["@id"]],
        "PATCH": [entity, tag],
    }  # fmt: skip

    for path in paths[method]:
        for text in (b"{", b"[]", b"7"):
            headers = {"Content-Type": "application/merge-patch+json"}
            async with syntage_client.http.request(method, path, data=text, headers=headers) as response:
                assert (422 if "batch" in path else 400) == response.status, path


async def test_unknown_ones_are_not_found(syntage_client: SyntageClient) -> None:
    """By any method."""
    for path in ("/schedulers/nothing", "/schedulers/rules/nothing"):
        found = [(await syntage_client.get(path))[0], (await put(syntage_client, path, {}))[0]]
        assert [404, 404, 404] == [*found, await delete(syntage_client, path)]


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_first_extractions_are_as_their_rules_say(syntage_client: SyntageClient, is_enabled: bool) -> None:
    """Of a source with rules those alone, of another all it has with the options given; none while switched off."""
    (row,) = await syntage_client.all_rows("/schedulers")
    await put(syntage_client, row["@id"], {"isEnabled": is_enabled})
    rug = next(rule["@id"] for rule in row["rules"]["hydra:member"] if rule["extractor"] == "rug")
    await delete(syntage_client, rug)
    await post(syntage_client, "/schedulers/rules", {"scheduler": row["@id"], "extractor": "tax_status"})
    sources = [{"name": "sat"}, {"name": "rug"}]

    body = {"type": "company", "name": "NUEVA", "rfc": "XZT190415QA7", "datasources": sources}
    await post(syntage_client, "/entities", body)

    jobs = await syntage_client.all_rows("/extractions?taxpayer.id=XZT190415QA7")
    assert (["rug", "tax_status"] if is_enabled else []) == sorted(job["extractor"] for job in jobs)


async def test_a_source_without_rules_brings_all_it_has(syntage_client: SyntageClient) -> None:
    """Of the SAT eight for a company: what is a person's regime is left out. Options go to those that know them."""
    sources = [{"name": "sat", "options": {"types": ["I"], "period": {"from": "2025-01-01", "to": "2025-06-30"}}}]

    body = {"type": "company", "name": "NUEVA", "rfc": "XZT190415QA7", "datasources": sources}
    await post(syntage_client, "/entities", body)

    jobs = {
        job["extractor"]: job["options"]
        for job in await syntage_client.all_rows("/extractions?taxpayer.id=XZT190415QA7")
    }
    assert {
        "invoice", "annual_tax_return", "monthly_tax_return", "tax_retention", "electronic_accounting", "tax_status",
        "tax_compliance", "sat_certificates",
    } == set(jobs)  # fmt: skip
    assert (["I"], {}) == (jobs["invoice"]["types"], jobs["tax_status"])
    assert {"from": "2025-01-01", "to": "2025-06-30"} == jobs["annual_tax_return"]["period"]


async def test_time_is_divided_by_the_speed(clock: VirtualClock) -> None:
    """A day of the vendor's passes in a quarter of one; which days are next is told as if nothing was."""
    async with (
        SyntageSimulator(now=clock.now, limits=False, speed=4) as simulator,
        aiohttp.ClientSession(simulator.url, headers={"X-API-Key": simulator.api_key}) as http,
    ):
        client = SyntageClient(simulator, http)
        _, (rule,) = await scheduler(client, DAILY)
        due = midnight_after(clock)
        await asyncio.sleep(DAY)

        _, body = await client.get(rule)

        assert 4 == len(await extractions(client))
        later = datetime.fromisoformat(body["nextRunDate"]) - datetime.fromisoformat(due)
        assert timedelta(days=4) == later
