"""Records: exact, lenient about what Syntage prints, and mute about taxpayers."""

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
from tests.vendors.syntage.kit import NAME, RFC, raw, sample


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
        ("invoice_line_item", syntage.InvoiceLineItem),
        ("tax_return", syntage.TaxReturn),
        ("tax_status", syntage.TaxStatus),
        ("tax_compliance_check", syntage.TaxComplianceCheck),
        ("electronic_accounting_record", syntage.ElectronicAccountingRecord),
        ("entity.created", syntage.EntityAdded),
        ("export.finished", syntage.ExportState),
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


def test_an_embedded_batch_payment_is_its_iri() -> None:
    """Documented as an IRI, seen in use as the object: either way the IRI comes out."""
    iri = "/invoices/batch-payments/0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9"
    embedded = {**sample("invoice_payment"), "batchPayment": {"@id": iri, "payerBank": []}}

    payments = [
        decode(json.dumps(each).encode(), syntage.InvoicePayment) for each in (sample("invoice_payment"), embedded)
    ]

    assert [iri, iri] == [each.batch_payment for each in payments]
    assert Decimal("-5800.0") == payments[0].amount


def test_kept_bytes_do_not_hold_their_page() -> None:
    """Undecoded content is copied out of the buffer it was read from, which may then grow again."""
    buffer = bytearray(b'{"data": {"score": 1.10}}')
    report = msgspec.json.decode(buffer, type=syntage.BilReport)

    buffer += b" "

    assert b'{"score": 1.10}' == bytes(report.data)


def test_a_line_knows_its_invoice() -> None:
    """The invoice comes along whole with each of its lines."""
    line = decode(raw("invoice_line_item"), syntage.InvoiceLineItem)

    assert line.invoice is not None
    assert ("I", Decimal("500.0"), "11600.0") == (line.invoice.type, line.unit_amount, str(line.invoice.total))
    assert line.transferred_taxes is not None
    assert Decimal("1600.0") == line.transferred_taxes.value_added_tax
