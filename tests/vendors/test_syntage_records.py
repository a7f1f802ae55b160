"""Records: complete against the documentation, exact, and mute about taxpayers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.errors import PayloadError
from belvo_async.payload import decode
from belvo_async.vendors import syntage
from tests.vendors.syntage_kit import NAME, RFC, raw, sample

RECORDS: dict[str, type[msgspec.Struct]] = {
    "Taxpayer": syntage.Taxpayer,
    "Extraction": syntage.ExtractionState,
    "Credential": syntage.Credential,
    "Event": syntage.Event,
    "Entity": syntage.Entity,
    "EntityTag": syntage.EntityTag,
    "Tag": syntage.Tag,
    "Invoice": syntage.Invoice,
    "InvoiceRelation": syntage.InvoiceRelation,
    "InvoiceIssuer": syntage.Issuer,
    "InvoiceReceiver": syntage.Receiver,
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_documented_field_is_there(name: str) -> None:
    """A record has all fields the OpenAPI document and the field notes know."""
    known = {field.encode_name for field in msgspec.structs.fields(RECORDS[name])}

    assert set() == set(sample("documented")["fields"][name]) - known


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_may_be_missing_or_null(name: str) -> None:
    """Nothing is required: the vendor marks almost no field so."""
    nulls = dict.fromkeys(sample("documented")["fields"][name])

    assert decode(b"{}", RECORDS[name]) == decode(json.dumps(nulls).encode(), RECORDS[name])


def test_invoice_is_read_exactly() -> None:
    """Amounts are Decimals with the digits as they came, instants are aware, nested parts are structs."""
    invoice = decode(raw("invoice"), syntage.Invoice)

    assert ("11600.0", "4.0") == (str(invoice.total), str(invoice.version))
    assert isinstance(invoice.total, Decimal)
    assert datetime(2025, 3, 14, 10, 22, 31, tzinfo=UTC) == invoice.issued_at
    assert (601, RFC) == (invoice.issuer and invoice.issuer.tax_regime, invoice.receiver and invoice.receiver.rfc)
    assert ("b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08", "/invoices/b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08", "Invoice") == (
        invoice.id,
        invoice.iri,
        invoice.ld_type,
    )
    assert ((), False) == (invoice.relations, invoice.is_issuer)


def test_cancelled_invoice_is_read() -> None:
    """The vendor's Spanish words and its nulls come through."""
    invoice = decode(raw("invoice.cancelled_without_files"), syntage.Invoice)

    assert ("CANCELADO", "Cancelado con aceptación", None) == (
        invoice.status,
        invoice.cancellation_process_status,
        invoice.version,
    )


def test_entity_and_extraction_are_read() -> None:
    """Nested records are typed, dates are dates."""
    entity = decode(raw("entity"), syntage.Entity)
    state = decode(raw("extraction.finished"), syntage.ExtractionState)

    assert (RFC, "valid", "daily") == (
        entity.taxpayer and entity.taxpayer.id,
        entity.credential and entity.credential.status,
        entity.tags and entity.tags[0].name,
    )
    assert date(2019, 4, 15) == (state.taxpayer and state.taxpayer.registration_date)
    assert (642, {"from": "2025-03-01T00:00:00.000Z", "to": "2025-03-31T23:59:59.000Z"}) == (
        state.created_data_points,
        state.options and state.options["period"],
    )


@pytest.mark.parametrize(
    "text",
    ["2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05", "2024-01-01T21:04:05-06:00"],
)
def test_all_date_forms_are_the_same_instant(text: str) -> None:
    """All forms Syntage prints come out aware and in UTC; without a zone it is UTC."""
    invoice = decode(json.dumps({"issuedAt": text, "createdAt": text}).encode(), syntage.Invoice)

    assert datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC) == invoice.issued_at == invoice.created_at
    assert invoice.issued_at is not None
    assert UTC is invoice.issued_at.tzinfo


def test_unknown_words_and_fields_are_no_error() -> None:
    """A new status word or a new field is data."""
    state = decode(b'{"status": "paused", "mood": {"deep": [1]}}', syntage.ExtractionState)

    assert "paused" == state.status


def test_misfit_names_the_path_only() -> None:
    """A value of a wrong type is told by its path."""
    with pytest.raises(PayloadError) as caught:
        decode(b'{"issuer": {"rfc": 17}}', syntage.Invoice)

    assert "$.issuer.rfc" == caught.value.path


def test_event_keeps_its_data_as_bytes() -> None:
    """An event's snapshot has loose types, so it is not decoded."""
    event = decode(raw("event.invoice.created"), syntage.Event)

    assert event.data is not None
    assert "11600.00" == msgspec.json.decode(event.data.object)["total"]
    assert "invoice.created" == event.type


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("invoice", syntage.Invoice),
        ("entity", syntage.Entity),
        ("credential.valid", syntage.Credential),
        ("extraction.finished", syntage.ExtractionState),
        ("event.extraction.updated.finished", syntage.Event),
    ],
)
def test_reprs_hold_no_taxpayer(name: str, record: type[msgspec.Struct]) -> None:
    """Neither repr nor rich shows an RFC or a name, at any depth."""
    found = decode(raw(name), record)
    parts: list[Any] = [found]
    for part in parts:
        if isinstance(part, msgspec.Struct):
            parts += [getattr(part, each) for each in part.__struct_fields__]
            assert RFC not in repr(part) + repr(list(part.__rich_repr__()))
            assert NAME not in repr(part) + repr(list(part.__rich_repr__()))


def test_records_are_frozen_and_untracked() -> None:
    """Records cannot be changed and cost the garbage collector nothing."""
    invoice = decode(raw("invoice"), syntage.Invoice)

    with pytest.raises(AttributeError):
        invoice.total = Decimal(0)  # type: ignore[misc]
    assert syntage.Invoice.__struct_config__.gc is False
