"""What an account sets up, over real HTTP: a session, the dialect and a Syntage on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from belvo_async import AuthenticationError, NotFoundError, Session, Status, VendorError, syntage
from belvo_async.simulator import SyntageSimulator
from tests.session.world import World

DAY = timedelta(days=1).total_seconds()
GIVEN = datetime(2025, 1, 31, tzinfo=UTC)


@pytest.fixture
def vendor(world: World) -> SyntageSimulator:
    """The Syntage of the session."""
    return world.syntage


@pytest.fixture
async def session(world: World) -> Session:
    """A session on it, with webhooks."""
    return await world.open()


async def extract(session: Session, world: World, extractor: str, entity: int = 0) -> Any:
    handle = await session.fire(world.extraction(entity, extractor))
    return await handle


async def test_a_scheduler_runs_and_its_extractions_are_read(session: Session, vendor: SyntageSimulator) -> None:
    """Made, labelled, ruled, run, switched off and deleted: each step is seen by the next reading."""
    label = await session.call(syntage.CreateEntityTag(name="nightly"))
    made = await session.call(syntage.CreateScheduler(name="Nightly", tags=(label.id or "",)))
    await session.call(syntage.TagEntities(resources=vendor.entities[:2], tags=(label.id or "",)))
    rule = await session.call(
        syntage.CreateSchedulerRule(scheduler=made.id or "", extractor="rpc", cron_expression="30 4 * * *")
    )
    assert rule.next_run_date is not None
    assert (4, 30, "Nightly") == (rule.next_run_date.hour, rule.next_run_date.minute, rule.scheduler)
    changed = await session.call(
        syntage.UpdateSchedulerRule(id=rule.id or "", extractor="rug", cron_expression="@daily")
    )
    await asyncio.sleep(DAY)

    runs = await session.list(syntage.Extractions(extractor="rug")).to_list()
    off = await session.call(syntage.UpdateScheduler(id=made.id or "", is_enabled=False))
    read = await session.call(syntage.GetSchedulerRule(rule.id or ""))
    listed = [each async for each in session.list(syntage.Schedulers()) if each.name]
    await session.call(syntage.DeleteSchedulerRule(rule.id or ""))
    bare = await session.call(syntage.GetScheduler(made.id or ""))
    await session.call(syntage.DeleteScheduler(made.id or ""))

    assert ("rug", "@daily") == (changed.extractor, changed.cron_expression)
    assert {vendor.rfc_of(each) for each in vendor.entities[:2]} == {each.taxpayer.id for each in runs if each.taxpayer}
    assert (False, None) == (off.is_enabled, read.next_run_date)
    assert [(made.id, 1, ["nightly"])] == [
        (each.id, len(each.rules or ()), [tag.name for tag in each.tags or ()]) for each in listed
    ]
    assert () == bare.rules
    with pytest.raises(NotFoundError):
        await session.call(syntage.GetScheduler(made.id or ""))


async def test_labels_are_put_on_and_taken_off(session: Session, world: World) -> None:
    """One invoice or many; changed and deleted, they change and vanish where they are worn."""
    await extract(session, world, "invoice")
    rows = await session.list(syntage.Invoices(entity=world.syntage.entities[0])).to_list()
    ids = tuple(each.id or "" for each in rows[:3])
    odd = await session.call(syntage.CreateTag(name="odd", color="#22c558"))
    done = await session.call(syntage.CreateTag(name="done"))
    worn: list[list[str | None]] = []

    async def look() -> None:
        seen = await session.call(syntage.GetInvoice(ids[0]))
        worn.append(sorted(each.name or "" for each in seen.tags or ()))

    await session.call(syntage.TagInvoice(id=ids[0], tags=(odd.id or "",)))
    await look()
    batch = await session.call(syntage.TagInvoices(resources=ids, tags=(done.id or "",)))
    await look()
    await session.call(syntage.UntagInvoice(invoice=ids[0], tag=odd.id or ""))
    await session.call(syntage.UpdateTag(id=done.id or "", name="seen", color=None))
    await look()
    await session.call(syntage.UntagInvoices(resources=ids[:1], tags=(done.id or "",)))
    await session.call(syntage.DeleteTag(odd.id or ""))
    await look()

    assert [["odd"], ["done", "odd"], ["seen"], []] == worn
    assert (ids, (done.id,)) == (batch.resources, batch.tags)
    with pytest.raises(NotFoundError):
        await session.call(syntage.TagInvoices(resources=ids, tags=(odd.id or "",)))


async def test_an_entity_is_changed_known_by_more_and_deleted(session: Session, vendor: SyntageSimulator) -> None:
    """Its name and labels, its identifiers; and then it is gone."""
    made = await session.call(syntage.CreateEntity(name="Ines", type="person", rfc="OOSI800101AB1"))
    entity = f"/entities/{made.id}"
    label = await session.call(syntage.CreateEntityTag(name="vip"))

    named = await session.call(syntage.UpdateEntity(id=entity, name="Ines Ocampo", tags=(label.id or "",)))
    added = await session.call(
        syntage.AddEntityIdentifier(entity=entity, identifier="curp", value="OOSI800101MDFCLN09")
    )
    known = await session.list(syntage.EntityIdentifiers(entity=entity)).to_list()
    bare = await session.call(syntage.UpdateEntity(id=entity, tags=()))
    renamed = await session.call(syntage.UpdateEntityTag(id=label.id or "", name="very"))
    await session.call(syntage.UntagEntities(resources=(entity,), tags=(label.id or "",)))
    await session.call(syntage.DeleteEntityTag(label.id or ""))
    await session.call(syntage.DeleteEntity(entity))

    assert named.taxpayer is not None
    assert ("Ines Ocampo", ["vip"], ()) == (named.taxpayer.name, [each.name for each in named.tags or ()], bare.tags)
    assert ("curp", "mx", entity) == (added.identifier, added.country, added.link)
    assert {"rfc", "curp"} == {each.identifier for each in known}
    assert "very" == renamed.name
    with pytest.raises(NotFoundError):
        await session.call(syntage.GetEntity(entity))


async def test_reports_are_kept(session: Session, vendor: SyntageSimulator) -> None:
    """Made, changed, exported as a PDF, deleted; Syntage's own cannot be."""
    layout = (
        syntage.ShowGroup(name="Risk", children=(syntage.ShowInsight(name="risks", insight="risks", visible=False),)),
    )
    made = await session.call(syntage.CreateInsightReport(name="Credit", insights=layout))
    changed = await session.call(
        syntage.UpdateInsightReport(id=made.id or "", name="Credit 2", insights=layout, organizational=True)
    )
    read = await session.call(syntage.GetInsightReport(made.id or ""))
    export = await session.fire(syntage.Export(f"{vendor.entities[0]}/reports/{made.id}?exporting=true", "pdf"))
    job = await export
    own = [each async for each in session.list(syntage.InsightReports()) if each.built_in]
    await session.call(syntage.DeleteInsightReport(made.id or ""))

    assert read.created_by is not None
    assert ("Credit 2", True, False) == (changed.name, changed.organizational, changed.built_in)
    assert [("risks", False)] == [
        (each.insight, each.visible) for group in read.insights or () for each in group.children or ()
    ]
    assert Status.FINISHED is job.status
    with pytest.raises(AuthenticationError):
        await session.call(syntage.DeleteInsightReport(own[0].id or ""))


async def test_a_bureau_report_waits_for_its_authorization(session: Session, world: World) -> None:
    """The address is one of the catalogue's; the job that waited ends, without anybody asking again."""
    made = await session.call(syntage.CreateEntity(name="Ines", type="person"))
    entity = f"/entities/{made.id}"
    handle = await session.fire(syntage.Extraction(entity, "buro_de_credito_report"))
    await asyncio.sleep(120)
    (place, *_) = await session.list(syntage.PostalAddresses(postal_code="11510")).to_list()
    person = syntage.BuroPerson(
        rfc="OOSI800101AB1", birthdate=date(1980, 1, 1), first_name="INES", first_last_name="OCAMPO",
        second_last_name="SOLIS", address=syntage.BuroAddress.within(place, address="Jaime Balmes"),
    )  # fmt: skip
    before = (await session.call(syntage.GetExtraction(handle.job.remote_id or ""))).status

    await session.call(syntage.CreateBuroAuthorization(entity=entity, taxpayer=person, authorized_at=GIVEN))
    job = await handle
    (given,) = await session.list(syntage.BuroAuthorizations(entity=entity)).to_list()
    read = await session.call(syntage.GetBuroAuthorization(given.id or ""))
    await session.call(syntage.DeleteBuroAuthorization(given.id or ""))

    assert ("waiting", Status.FINISHED) == (before, job.status)
    assert (date(1980, 1, 1), "CMX", True, None) == (read.birthdate, read.state, read.is_valid, read.deleted_at)
    assert read.link is not None
    assert (made.id, datetime(2028, 1, 31, tzinfo=UTC)) == (read.link.id, read.authorized_until)
    assert given.id not in [each.id async for each in session.list(syntage.BuroAuthorizations())]


async def test_a_score_is_calculated_of_what_was_extracted(session: Session, world: World) -> None:
    """Not before: the refusal has a code of its own."""
    entity = world.syntage.entities[0]
    with pytest.raises(VendorError) as refused:
        await session.call(syntage.CalculateSyntageScore(entity=entity))
    for extractor in ("annual_tax_return", "tax_compliance"):
        await extract(session, world, extractor)

    await session.call(syntage.CalculateSyntageScore(entity=entity))
    await asyncio.sleep(30)

    assert ("unprocessable", 422) == (refused.value.code, refused.value.status_code)
    assert 1 == len(world.syntage.scores(entity))


async def test_an_event_is_deleted(session: Session, world: World) -> None:
    """And no longer listed."""
    await extract(session, world, "rpc")
    (event, *_) = await session.list(syntage.Events()).to_list()

    await session.call(syntage.DeleteEvent(event.id or ""))

    assert event.id not in [each.id async for each in session.list(syntage.Events())]


async def test_relations_are_read_of_an_invoice_and_of_its_entity(session: Session, world: World) -> None:
    """The same rows by either path."""
    await extract(session, world, "invoice")
    entity = world.syntage.entities[0]
    found: list[tuple[int, int]] = []
    async for invoice in session.list(syntage.Invoices(entity=entity, type="E")):
        both = [
            await session.list(syntage.InvoiceRelations(invoice=invoice.id, entity=owner)).to_list()
            for owner in (None, entity)
        ]
        found.append((len(both[0]), len(both[1])))

    assert any(one for one, _ in found)
    assert all(one == other for one, other in found)
