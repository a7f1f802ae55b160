"""What each extractor brings: which list, which records, which of their rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from belvo_async.errors import TaskError, UnsupportedError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, MARCH, RFC, invoice_task, job, params, path, vendor

RESULTS: list[tuple[str, str | None, str, type[msgspec.Struct]]] = [
    ("invoice", None, "/invoices", syntage.Invoice),
    ("invoice", "invoice", "/invoices", syntage.Invoice),
    ("invoice", "invoices", "/invoices", syntage.Invoice),
    ("invoice", "line-items", "/invoices/line-items", syntage.InvoiceLineItem),
    ("invoice", "payments", "/invoices/payments", syntage.InvoicePayment),
    ("invoice", "credit-notes", "/invoices/credit-notes", syntage.InvoiceCreditNote),
    ("annual_tax_return", None, "/tax-returns", syntage.TaxReturn),
    ("monthly_tax_return", None, "/tax-returns", syntage.TaxReturn),
    ("rif_tax_return", "tax-returns", "/tax-returns", syntage.TaxReturn),
    ("tax_retention", None, "/tax-retentions", syntage.TaxRetention),
    ("electronic_accounting", None, "/electronic-accounting-records", syntage.ElectronicAccountingRecord),
    ("tax_status", "tax_status", "/tax-status", syntage.TaxStatus),
    ("tax_compliance", None, "/tax-compliance-checks", syntage.TaxComplianceCheck),
    ("sat_certificates", None, "/datasources/mx/sat/certificados", syntage.SatCertificate),
    ("rpc", None, "/datasources/mx/rpc/entidades", syntage.RpcEntidade),
    ("rpc", "actos", "/datasources/mx/rpc/actos", syntage.RpcActo),
    ("rug", None, "/datasources/rug/garantias", syntage.RugGarantia),
    ("rug", "operaciones", "/datasources/rug/operaciones", syntage.RugOperacion),
    ("bil", None, "/datasources/bil/reports", syntage.BilReport),
    ("buro_de_credito_report", None, "/datasources/mx/buro-de-credito/reports", syntage.BuroReport),
    ("background_check", None, "/background-checks", syntage.BackgroundCheck),
]


def task(extractor: str, **options: Any) -> syntage.Extraction[Any]:
    if extractor == "invoice":
        return invoice_task(**options)
    return syntage.Extraction(entity=ENTITY, extractor=extractor, options=options or None)


def results(extractor: str, resource: str | None = None, **options: Any) -> Any:
    return vendor().results(job(task(extractor, **options)), resource)


def test_every_extractor_has_results() -> None:
    """The table covers all extractors of the catalogue."""
    assert set(syntage.EXTRACTORS) == {extractor for extractor, *_ in RESULTS}


@pytest.mark.parametrize(
    ("extractor", "resource", "target", "record"), RESULTS, ids=[f"{each[0]} {each[1]}" for each in RESULTS]
)
def test_each_extraction_reads_its_list(
    extractor: str, resource: str | None, target: str, record: type[msgspec.Struct]
) -> None:
    """The list is the entity's, at its documented path; the request's name holds no id."""
    reading = results(extractor, resource)
    request = next(reading.steps(None))

    assert (f"{ENTITY}{target}", f"GET /entities/{{id}}{target}") == (path(request), request.name)
    assert record is reading.shape.record
    assert "x" == reading.shape.record_id(record(id="x")) == reading.shape.record_id(reading.shape.guard(id="x"))


@pytest.mark.parametrize(
    ("extractor", "words"),
    [
        ("invoice", "invoices, line-items, payments, credit-notes"),
        ("rpc", "entidades, actos"),
        ("tax_status", "tax-status"),
    ],
)
def test_other_resources_are_refused_by_name(extractor: str, words: str) -> None:
    """The error names the words there are."""
    with pytest.raises(TaskError, match=words) as caught:
        results(extractor, "relations")

    assert "resource" == caught.value.field
    assert str(caught.value).startswith("resource must ")


def keeps(reading: Any, row: dict[str, Any]) -> bool:
    """Ask record and guard, which must agree."""
    verdicts = {reading.shape.keep(msgspec.convert(row, kind)) for kind in (reading.shape.record, reading.shape.guard)}
    (verdict,) = verdicts
    return bool(verdict)


@pytest.mark.parametrize(
    ("extractor", "unit", "others"),
    [
        ("annual_tax_return", "Anual", ["Mensual", "RIF"]),
        ("monthly_tax_return", "Mensual", ["Anual", "RIF"]),
        ("rif_tax_return", "RIF", ["Anual", "Mensual"]),
    ],
)
def test_tax_returns_are_of_their_interval(extractor: str, unit: str, others: list[str]) -> None:
    """Three extractors share one list: its filter is sent and each row is checked."""
    reading = results(extractor)

    assert unit == params(next(reading.steps(None)))["intervalUnit"]
    assert [True, True, False, False] == [keeps(reading, {"intervalUnit": each}) for each in (unit, None, *others)]


@pytest.mark.parametrize(
    ("presented_at", "kept"),
    [
        ("2025-02-28T23:59:59Z", False),
        ("2025-03-01T00:00:00Z", True),
        ("2025-04-01T05:59:59Z", True),
        ("2025-04-01T06:00:00Z", False),
        (None, True),
    ],
    ids=["before", "first", "last in Mexico", "after", "not said"],
)
def test_the_period_of_returns_is_about_the_filing_date(presented_at: str | None, kept: bool) -> None:
    """The vendor is asked with a day of slack, each row is checked without."""
    reading = results("monthly_tax_return", period={"from": "2025-03-01", "to": "2025-03-31"})

    asked = params(next(reading.steps(None)))
    assert ("2025-02-28", "2025-04-02") == (asked["presentedAt[after]"], asked["presentedAt[before]"])
    assert kept is keeps(reading, {"intervalUnit": "Mensual", "presentedAt": presented_at})


def test_returns_without_a_period_are_all_there() -> None:
    """Without a period, what Syntage takes is documented contradictorily: nothing is left out."""
    reading = results("annual_tax_return")

    assert {"intervalUnit": "Anual", "itemsPerPage": "100"} == params(next(reading.steps(None)))
    assert keeps(reading, {"intervalUnit": "Anual", "presentedAt": "1999-01-01T00:00:00Z"})


IN, OUT = "2025-03-14T00:00:00Z", "2024-01-14T00:00:00Z"


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"issuedAt": IN}, True),
        ({"issuedAt": OUT}, False),
        ({"issuedAt": OUT, "periodFrom": "2025-01-01T00:00:00Z", "periodTo": "2025-12-31T00:00:00Z"}, True),
        ({"issuedAt": OUT, "periodFrom": "2024-01-01T00:00:00Z", "periodTo": "2024-12-31T00:00:00Z"}, False),
        ({"periodFrom": OUT}, True),
        ({}, True),
    ],
    ids=["issued in", "issued out", "about it", "about another", "half said", "not said"],
)
def test_retentions_are_of_the_period_by_either_reading(row: dict[str, Any], kept: bool) -> None:
    """Whether the issuing date or the time it is about is meant is not documented, so either will do."""
    period = {"from": "2025-03-01", "to": "2025-03-31"}

    assert kept is keeps(results("tax_retention", period=period), row)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"year": 2025, "month": 3}, True),
        ({"year": 2025, "month": 2}, False),
        ({"year": 2025, "month": 4}, False),
        ({"year": 2025, "month": 2, "receivedAt": IN}, True),
        ({"year": 2024, "month": 13, "receivedAt": OUT}, False),
        ({"receivedAt": OUT}, False),
        ({"year": 0, "month": 99}, True),
        ({}, True),
    ],
    ids=["month in", "before", "after", "received in", "closing of another", "received out", "nonsense", "not said"],
)
def test_accounting_is_of_the_period_by_either_reading(row: dict[str, Any], kept: bool) -> None:
    """Whether the month or the day it was received is meant is not documented, so either will do."""
    period = {"from": "2025-03-01", "to": "2025-03-31"}

    assert kept is keeps(results("electronic_accounting", period=period), row)


def test_the_closing_of_a_year_belongs_to_its_december() -> None:
    """Month 13 is no month of the calendar."""
    reading = results("electronic_accounting", period={"from": "2024-12-01", "to": "2024-12-31"})

    assert [True, False] == [keeps(reading, {"year": year, "month": 13}) for year in (2024, 2025)]


def test_lines_are_of_the_asked_invoices() -> None:
    """A line is kept by its invoice: kind, side and period. A line without one is."""
    reading = results("invoice", "line-items", issued=False)
    fitting = {"type": "I", "isReceiver": True, "isIssuer": False, "issuedAt": IN}
    changes = [{"type": "N"}, {"isReceiver": False, "isIssuer": True}, {"issuedAt": OUT}]

    assert [True, False, False, False] == [
        keeps(reading, {"invoice": {**fitting, **change}}) for change in ({}, *changes)
    ]
    assert keeps(reading, {"invoice": None})
    assert {"itemsPerPage": "100"} == params(next(reading.steps(None)))


def test_credit_notes_are_of_the_period() -> None:
    """By when the note was issued."""
    reading = results("invoice", "credit-notes")

    assert [True, False, True] == [keeps(reading, {"issuedAt": each}) for each in (IN, OUT, None)]


def test_payments_say_nothing_to_be_kept_by() -> None:
    """A payment shows no date of its own, no kind and no side: all of the entity's are given."""
    assert results("invoice", "payments").shape.keep is None


def test_guards_are_what_decides() -> None:
    """A guard is small: the id, and what tells whether the row was asked for."""
    lines: Any = results("invoice", "line-items").shape.guard
    (invoice,) = (each.type for each in msgspec.structs.fields(lines) if each.name == "invoice")

    assert {"id", "type", "is_issuer", "is_receiver", "issued_at"} == set(
        results("invoice").shape.guard.__struct_fields__
    )
    assert {"id", "invoice"} == set(lines.__struct_fields__)
    assert "id" not in invoice.__args__[0].__struct_fields__


def test_guards_read_instants_as_records_do() -> None:
    """An instant without a zone is UTC for a guard, too."""
    guard: Any = results("invoice").shape.guard

    assert (
        datetime(2025, 3, 14, tzinfo=UTC)
        == msgspec.json.decode(b'{"issuedAt": "2025-03-14 00:00:00"}', type=guard).issued_at
    )


@pytest.mark.parametrize(
    ("extractor", "resource"), [("tax_status", None), ("invoice", "line-items"), ("rug", "operaciones")]
)
def test_the_taxpayer_form_lists_invoices_only(extractor: str, resource: str | None) -> None:
    """Of the superseded tree only the invoices were seen to answer still; the error says where to look instead."""
    options = {"period": {"from": "2025-03-01", "to": "2025-03-31"}} if extractor == "invoice" else None
    old = syntage.Extraction(entity=f"/taxpayers/{RFC}", extractor=extractor, options=options)

    with pytest.raises(UnsupportedError, match="Entities") as caught:
        vendor().results(job(old), resource)

    assert RFC not in str(caught.value)
    assert MARCH == invoice_task().period
