"""The example of a deletion at Syntage: the entity with all that was fetched, its credentials, and what events tell."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from belvo_async import NotFoundError, Session, Syntage, syntage
from belvo_async.vendors.syntage.schema.insights.forms import InsightList
from examples import arco_deletion
from examples.arco_deletion import delete
from tests.session.world import World

SYNTAGE = arco_deletion.ERASERS["syntage"]
CHANGES = ("POST", "PUT", "PATCH", "DELETE")


async def yes(what: str) -> bool:
    return True


async def opened(world: World) -> tuple[Session, str, str]:
    """A session, and two entities of which much was fetched."""
    session = await world.open()
    for entity in (0, 1):
        for extractor in ("invoice", "tax_status", "annual_tax_return"):
            await (await session.fire(world.extraction(entity, extractor)))
    mine, other, _ = world.syntage.entities
    return session, mine, other


async def held(session: Session, entity: str) -> dict[str, int]:
    return {name: len(rows) for name, rows in (await arco_deletion.read_held(session, SYNTAGE, entity)).items()}


def test_every_list_of_an_entity_is_looked_at() -> None:
    """Whatever Syntage comes to hold of one: a new list of records is missed here. Insights are worked out of them."""
    listings = Syntage("key-of-nobody").listings.items()
    queries = {name: type(rules.query(str(uuid4()), None)) for name, rules in listings if rules.is_of_subject}

    records = {name for name, query in queries.items() if not issubclass(query, InsightList)}
    assert records | {"events", "shareholders"} == set(SYNTAGE.singles)


async def test_without_a_word_it_only_counts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Every list of the entity; no taxpayer is named."""
    session, mine, _ = await opened(world)
    before = len([each for each in world.syntage.requests if each.method in CHANGES])

    assert await delete(session, SYNTAGE, mine.removeprefix("/entities/"))

    told = capsys.readouterr().out
    assert before == len([each for each in world.syntage.requests if each.method in CHANGES])
    assert f"{mine}: {sum((await held(session, mine)).values())} records" in told
    assert all(name in told for name in ("invoices", "tax_returns", "buro_authorizations", "entity_identifiers"))
    assert world.syntage.rfc_of(mine) not in told


async def test_a_taxpayer_is_deleted_and_shown_to_be_gone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Entity, records, credentials and events; the others' are as they were."""
    session, mine, other = await opened(world)
    rfc = world.syntage.rfc_of(mine)
    theirs = await held(session, other)
    (invoice, *_) = await session.list(syntage.Invoices(entity=mine)).to_list()
    spare = syntage.Ciec(rfc=rfc, password="not-a-real-ciec1")
    await session.call(syntage.CreateCredential(spare))

    assert await delete(session, SYNTAGE, mine, confirm=yes)

    assert mine not in world.syntage.entities
    assert {0} == set((await held(session, mine)).values())
    assert theirs == await held(session, other)
    for left in (syntage.Credentials(rfc=rfc), syntage.Extractions(rfc=rfc), syntage.Events(rfc=rfc)):
        assert [] == await session.list(left).to_list()
    with pytest.raises(NotFoundError):
        await session.call(syntage.GetInvoice(invoice.id or ""))
    assert f"{mine}: gone; 0 records listed, 0 found by their ids" in capsys.readouterr().out


async def test_what_broke_off_is_finished_by_the_same_command(world: World) -> None:
    """Also where nothing is left to be found."""
    session, mine, _ = await opened(world)
    world.syntage.next_answer("forbidden", method="DELETE", path=mine)

    with pytest.raises(Exception, match="may not"):
        await delete(session, SYNTAGE, mine, confirm=yes)

    assert mine in world.syntage.entities
    assert await delete(session, SYNTAGE, mine, confirm=yes)
    assert mine not in world.syntage.entities
    assert await delete(session, SYNTAGE, mine, confirm=yes)


async def test_single_lists_can_be_emptied_alone(world: World) -> None:
    """Of records Syntage deletes authorizations and events; the entity stays."""
    session, mine, _ = await opened(world)

    assert await delete(session, SYNTAGE, mine, confirm=yes, only=["buro_authorizations"])

    found = await held(session, mine)
    assert (True, 0, True) == (mine in world.syntage.entities, found["buro_authorizations"], found["invoices"] > 0)


def test_lists_that_cannot_be_emptied_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Invoices go with their entity alone."""
    words = ["arco_deletion", "X", "--vendor", "syntage", "--only", "invoices"]
    monkeypatch.setattr(sys, "argv", words)

    with pytest.raises(SystemExit):
        arco_deletion.read_arguments()

    assert "syntage deletes no single records of invoices" in capsys.readouterr().err


@pytest.mark.parametrize("only", [["shareholders"], []], ids=["alone", "with the entity"])
async def test_who_holds_shares_of_others_too_stays_for_them(world: World, only: list[str]) -> None:
    """Deleting a shareholder takes all its relations away, those of other taxpayers among them."""
    session, mine, other = await opened(world)
    simulator: Any = world.syntage
    known = simulator._found.shareholders
    for entity in (mine, other):
        held_by = simulator._entity(entity)
        known.learn(held_by, "Ana", "AAAA010101AA1", Decimal(5), "rpc_socio", str(uuid4()), "/extractions/x")
    known.learn(
        simulator._entity(mine), "Eva", "EEEE010101EE1", Decimal(7), "rpc_socio", str(uuid4()), "/extractions/x"
    )

    assert await delete(session, SYNTAGE, mine, confirm=yes, only=only)

    (left,) = [
        each async for each in session.list(syntage.Shareholders()) if each.rfc in ("AAAA010101AA1", "EEEE010101EE1")
    ]
    relations = await session.list(syntage.ShareholderRelations(shareholder=left.id or "")).to_list()
    assert ("AAAA010101AA1", [other]) == (left.rfc, [each.link for each in relations])


async def test_the_own_store_knows_a_taxpayer_by_the_rfc_as_well(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jobs that were fired in the deprecated form are told of, and forgotten like the others."""
    session, mine, _ = await opened(world)
    named = f"/taxpayers/{world.syntage.rfc_of(mine)}"
    await (await session.fire(msgspec.structs.replace(world.extraction(0, "invoice"), entity=named)))
    fired = len(await arco_deletion.own_jobs(session, [mine]))

    assert await delete(session, SYNTAGE, mine, confirm=yes, forget=True)

    assert f"Your store: {fired + 1} jobs forgotten, 0 left" in capsys.readouterr().out
    assert [] == [each.task.subject async for each in session.history() if "taxpayers" in str(each.task.subject)]
