"""The whole catalogue over real HTTP: a session, the dialect and a Syntage on loopback."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async import IncompleteResultError, JobFailedError, NotFoundError, Session, Status, Syntage, syntage
from belvo_async.abc import answer_of
from belvo_async.simulator import SyntageSimulator
from belvo_async.vendors.syntage.schema.forms.paths import places_of
from belvo_async.vendors.syntage.schema.forms.requests import Get

YEAR = syntage.Period(date(2025, 1, 1), date(2025, 12, 31))
LONG = syntage.Period(date(2023, 1, 1), date(2025, 12, 31))
OPTIONS: dict[str, Any] = {
    "invoice": syntage.InvoiceOptions(period=YEAR),
    "annual_tax_return": syntage.TaxReturnOptions(period=LONG),
    "monthly_tax_return": syntage.TaxReturnOptions(period=YEAR),
    "rif_tax_return": syntage.TaxReturnOptions(period=LONG),
    "tax_retention": syntage.TaxRetentionOptions(period=YEAR),
    "electronic_accounting": syntage.ElectronicAccountingOptions(period=YEAR),
}
COMPANIONS = {"invoice": ("line-items", "payments", "credit-notes"), "rpc": ("actos",), "rug": ("operaciones",)}
# What a company does not have: RIF is for persons.
MAYBE_EMPTY = {"rif_tax_return", "tax_retention"}


async def extract(session: Session, vendor: SyntageSimulator, extractor: str, entity: int = 0) -> Any:
    task = syntage.Extraction(vendor.entities[entity], extractor, OPTIONS.get(extractor))
    handle = await session.fire(task)
    await handle
    return handle


@pytest.mark.parametrize("extractor", list(syntage.EXTRACTORS))
async def test_every_extractor_brings_its_records(session: Session, vendor: SyntageSimulator, extractor: str) -> None:
    """An extraction ends, and its lists hold typed records, with ids, each once; the same ones as bytes on demand."""
    job = await extract(session, vendor, extractor)

    for resource in (None, *COMPANIONS.get(extractor, ())):
        records = await job.results(resource).to_list()
        raws = await job.results(resource, type=msgspec.Raw).to_list()

        assert records or extractor in MAYBE_EMPTY, resource
        assert len(records) == len({each.id for each in records}) == len(raws)
        assert {each.id for each in records} == {msgspec.json.decode(each)["id"] for each in raws}


async def test_invoices_and_what_belongs_to_them(session: Session, vendor: SyntageSimulator) -> None:
    """An invoice leads to its single form, its lines, payments, notes, relations and files."""
    await extract(session, vendor, "invoice")
    entity = vendor.entities[0]
    invoices = await session.list(syntage.Invoices(entity=entity, type="I")).to_list()
    invoice = invoices[0]
    assert invoice.id is not None

    single = await session.call(syntage.GetInvoice(invoice.id))
    lines = await session.list(syntage.InvoiceLineItems(invoice=invoice.id)).to_list()
    xml = await session.download(syntage.Cfdi(invoice.id)).read()
    pdf = await session.download(syntage.Cfdi(invoice.id, "pdf")).read()
    as_json = await session.download(syntage.Cfdi(invoice.id, "json")).read()

    assert {"I"} == {each.type for each in invoices}
    assert (invoice.uuid, invoice.total) == (single.uuid, single.total)
    assert lines
    assert all(line.invoice is not None and line.invoice.id == invoice.id for line in lines)
    assert (b"<", b"%PDF", b"{") == (xml.lstrip()[:1], pdf[:4], as_json[:1])
    for query in (
        syntage.InvoicePayments(invoice=invoice.id),
        syntage.InvoiceBatchPayments(invoice=invoice.id),
        syntage.InvoiceRelations(invoice=invoice.id),
        syntage.InvoiceCreditNotes(invoice=invoice.id, side="issued"),
        syntage.InvoiceCreditNotes(invoice=invoice.id, side="applied"),
        syntage.InvoicePayments(),
        syntage.InvoiceBatchPayments(),
        syntage.InvoiceCreditNotes(),
    ):
        found: list[Any] = await session.list(query).to_list()
        assert len(found) == len({each.id for each in found})


# Relations belong to an invoice and are read above; postal codes are nobody's.
NOT_THERE = (syntage.InvoiceRelations, syntage.PostalAddresses)
DIALECT = Syntage("key-of-nobody")
LISTS: list[Any] = [each for each in DIALECT.queries if each not in NOT_THERE]
MAYBE_WITHOUT = (syntage.TaxRetentions, syntage.WebhookEndpoints, syntage.WebhookRequests)
SINGLES: dict[object, Any] = {answer_of(each): each for each in DIALECT.calls if issubclass(each, Get)}


# The list in which the object stands that another list belongs to.
PARENTS: dict[str, Any] = {
    "background_check": syntage.BackgroundChecks,
    "relation": syntage.ShareholderRelations,
    "report": syntage.CompanyVerificationReports,
    "shareholder": syntage.Shareholders,
}
# Of insights, the direction.
NEEDED: dict[Any, dict[str, Any]] = {syntage.ShareholderInsights: {"relation_type": "shareholders"}}


async def parents_of(session: Session, query: Any) -> dict[str, Any]:
    """The ids of the first objects that a list belongs to."""
    found: dict[str, Any] = {}
    for place in places_of(getattr(query, "path", "")):
        above = {each: found[each] for each in places_of(getattr(PARENTS[place], "path", ""))}
        found[place] = (await session.list(PARENTS[place](**above)).to_list())[0].id
    return found


async def test_every_list_answers_and_every_row_is_known_singly(session: Session, vendor: SyntageSimulator) -> None:
    """Each query of the catalogue is a list Syntage has; its rows can be read by their ids, where it has a way to."""
    for extractor in syntage.EXTRACTORS:
        await extract(session, vendor, extractor)
    read_singly: set[Any] = set()

    for query in LISTS:
        parents = await parents_of(session, query)
        entity = {"entity": vendor.entities[0]} if "entity" in query.__struct_fields__ else {}
        rows = await session.list(query(**entity, **parents, **NEEDED.get(query, {}))).to_list()

        assert rows or query in MAYBE_WITHOUT, query.__name__
        record = answer_of(query)
        for row in rows[:1] if record in SINGLES else ():
            assert row.id == (await session.call(SINGLES[record](row.id, **parents))).id, query.__name__
            read_singly.add(record)

    assert {syntage.FoundEntity, syntage.ShareholderRelation, syntage.ShareholderSource} < read_singly


async def test_an_export_is_a_job_and_a_file(session: Session, vendor: SyntageSimulator) -> None:
    """It is fired, awaited and downloaded: the key stays with Syntage, the length is the one told."""
    await extract(session, vendor, "invoice")
    vendor.next_export(size_bytes=200_000)

    handle = await session.fire(syntage.Export(syntage.Invoices(entity=vendor.entities[0]), "csv"))
    job = await handle
    state = await session.call(syntage.GetExport(job.remote_id or ""))
    content = await session.download(syntage.ExportFile(job.remote_id)).read()

    assert ("finished", "csv") == (state.status, state.format)
    assert state.file is not None
    assert state.file.size == len(content)


async def test_a_lost_export_is_found_again(session: Session, vendor: SyntageSimulator) -> None:
    """The 202 never arrived: the event names the export, which is made once."""
    vendor.next_answer("lost_202")

    handle = await session.fire(syntage.Export(syntage.Invoices(entity=vendor.entities[0]), "csv"))
    job = await handle

    assert (Status.FINISHED, 1) == (job.status, sum(each.method == "POST" for each in vendor.requests))
    assert await session.download(syntage.ExportFile(job.remote_id)).read()


async def test_a_failed_export_fails_its_job(session: Session, vendor: SyntageSimulator) -> None:
    """Syntage gives no reason for it."""
    vendor.next_export(outcome="failed")

    handle = await session.fire(syntage.Export(syntage.Invoices(entity=vendor.entities[0]), "csv"))

    with pytest.raises(JobFailedError):
        await handle


async def test_a_credential_is_created_checked_and_deleted(session: Session, vendor: SyntageSimulator) -> None:
    """Its status is read until the SAT has said something."""
    access = syntage.Ciec(rfc="ZZT190415QA7", password="not-a-real-ciec1")
    made = await session.call(syntage.CreateCredential(access))
    assert made.id is not None

    found = made
    while found.status in ("pending", "waiting"):
        await asyncio.sleep(5)
        found = await session.call(syntage.GetCredential(made.id))
    listed = await session.list(syntage.Credentials(rfc="ZZT190415QA7")).to_list()
    again = await session.call(syntage.RevalidateCredential(made.id))
    await session.call(syntage.DeleteCredential(made.id))

    assert ("pending", "valid", "ciec", "ZZT190415QA7") == (made.status, found.status, made.type, made.rfc)
    assert [made.id] == [each.id for each in listed]
    assert made.id == again.id
    with pytest.raises(NotFoundError):
        await session.call(syntage.GetCredential(made.id))


async def test_an_entity_is_created_and_found(session: Session, vendor: SyntageSimulator) -> None:
    """By its RFC, exactly."""
    made = await session.call(syntage.CreateEntity(name="Calzado del Sur", type="company", rfc="CSU190415QA7"))

    found = await session.list(syntage.Entities(rfc="CSU190415QA7")).to_list()

    assert [made.id] == [each.id for each in found]


async def test_a_webhook_endpoint_is_made_changed_read_and_deleted(session: Session, vendor: SyntageSimulator) -> None:
    """Its secret is its own, and every read of it brings the same one; the configured endpoint stays."""
    vendor.webhook_url = "http://127.0.0.1:9/configured"
    made = await session.call(
        syntage.CreateWebhookEndpoint(url="https://example.com/hooks", events=("extraction.updated",))
    )
    assert made.id is not None

    changed = await session.call(
        syntage.UpdateWebhookEndpoint(
            id=made.id, url="https://example.com/hooks", events=("file.created",), enabled=False
        )
    )
    listed = await session.list(syntage.WebhookEndpoints(event="file.created")).to_list()
    await session.call(syntage.DeleteWebhookEndpoint(made.id))
    left = await session.list(syntage.WebhookEndpoints()).to_list()

    assert ((True, False), ("file.created",)) == ((made.enabled, changed.enabled), changed.events)
    assert [made.signing_secret] == [each.signing_secret for each in listed] == [changed.signing_secret]
    assert [vendor.webhook_url] == [each.url for each in left]
    assert left[0].signing_secret != made.signing_secret


async def test_attempts_to_deliver_are_read(session: Session, vendor: SyntageSimulator) -> None:
    """Of one extraction: nobody answered, and Syntage says so."""
    vendor.webhook_url = "http://127.0.0.1:9/nobody"
    job = await extract(session, vendor, "tax_status")

    attempts = await session.list(
        syntage.WebhookRequests(event_resource=f"/extractions/{job.job.remote_id}", event_type="extraction.updated")
    ).to_list()

    assert attempts
    assert {0} == {each.response_status_code for each in attempts}
    assert attempts[0] == await session.call(syntage.GetWebhookRequest(attempts[0].id or ""))


async def test_invoices_are_narrowed_by_amount_and_ordered(session: Session, vendor: SyntageSimulator) -> None:
    """Ranges and parts of names, one page in the order asked for."""
    await extract(session, vendor, "invoice")
    everything = await session.list(syntage.Invoices(entity=vendor.entities[0])).to_list()
    totals = sorted(each.total or Decimal(0) for each in everything)
    middle = syntage.AmountRange(more_than=totals[5], at_most=totals[-6])

    some = await session.list(
        syntage.Invoices(entity=vendor.entities[0], total=middle, type="I", order="-amount")
    ).to_list()

    wanted = {each.id for each in everything if middle.holds(each.total) and each.type == "I"}
    assert 0 < len(some) < len(everything)
    assert wanted == {each.id for each in some}
    assert sorted((each.total for each in some), reverse=True) == [each.total for each in some]


async def test_what_the_cursor_loses_in_another_order_is_told(session: Session, vendor: SyntageSimulator) -> None:
    """The cursor goes by ids: the pages of another order lack rows, and nobody would know but for the count."""
    task = syntage.Extraction(vendor.entities[0], "invoice", syntage.InvoiceOptions(period=LONG))
    await (await session.fire(task))
    query = syntage.Invoices(entity=vendor.entities[0], order="amount")
    assert 100 < len(await session.list(syntage.Invoices(entity=vendor.entities[0])).to_list())

    with pytest.raises(IncompleteResultError):
        await session.list(query).to_list()
