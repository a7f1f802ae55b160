"""Belvo's records: what samples hold is read exactly, odd rows are read, and no repr shows a taxpayer."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import msgspec
import pytest

from belvo_async.vendors.belvo import (
    FinancialStatement,
    Invoice,
    InvoiceList,
    Link,
    Links,
    TaxComplianceStatus,
    TaxRetention,
    TaxReturn,
    TaxStatus,
)
from tests.vendors.belvo.samples import changed, sample

INVOICES = ["cancelled", "egreso", "ingreso", "nomina", "pago", "traslado"]


def shape(value: Any) -> Any:
    """The keys of a JSON value at every level, without its leaves."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in cast("dict[str, Any]", value).items()}
    return [shape(each) for each in value] if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType]  # mypy calls a cast redundant


SAMPLES: dict[str, type[msgspec.Struct]] = {
    "link": Link,
    "tax_status": TaxStatus,
    "tax_compliance_status": TaxComplianceStatus,
    "tax_retention": TaxRetention,
    "tax_return_business_yearly": TaxReturn,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_no_key_of_a_sample_is_lost(name: str) -> None:
    """All that the sample holds, at every level, is in the record; keys it has not are empty."""
    body = json.loads(sample(name))

    again = json.loads(msgspec.json.encode(msgspec.json.decode(sample(name), type=SAMPLES[name])))

    assert shape(body) == {key: each for key, each in shape(again).items() if key in body}
    assert {None} >= {again[key] for key in again if key not in body}


@pytest.mark.parametrize("kind", INVOICES)
def test_no_key_of_an_invoice_is_lost(kind: str) -> None:
    """All that the sample holds, at every level, is in the record."""
    body = sample(f"invoice_{kind}")

    again = shape(json.loads(msgspec.json.encode(msgspec.json.decode(body, type=Invoice))))

    for detail in again["invoice_details"]:
        del detail["tax_type"]  # left the specification; the samples are newer
    assert shape(json.loads(body)) == again


def test_an_invoice_is_exact() -> None:
    """Amounts keep their digits; instants are aware; SAT's days are dates."""
    invoice = msgspec.json.decode(sample("invoice_cancelled"), type=Invoice)

    assert Decimal("116.0") == invoice.total_amount
    assert date(2026, 2, 11) == invoice.invoice_date
    assert datetime(2026, 3, 4, 18, 22, 7, 914206, tzinfo=UTC) == invoice.collected_at
    assert "Cancelado sin aceptación" == invoice.cancelation_status
    assert invoice.invoice_details
    assert invoice.invoice_details[0].transferred_taxes
    assert Decimal(16) == invoice.invoice_details[0].transferred_taxes[0].transferred_tax_amount


def test_more_digits_than_a_float_holds_are_kept() -> None:
    body = sample("invoice_cancelled").replace(b'"subtotal_amount": 100.0', b'"subtotal_amount": 12345678901234567.89')

    assert Decimal("12345678901234567.89") == msgspec.json.decode(body, type=Invoice).subtotal_amount


def test_the_rate_of_a_payment_comes_in_quotes() -> None:
    """A string there, a number on the invoice: both are Decimals."""
    payments = msgspec.json.decode(sample("invoice_pago"), type=Invoice).payments

    assert payments
    assert Decimal(1) == payments[0].exchange_rate
    assert datetime(2026, 2, 27, 12, tzinfo=UTC) == payments[0].date
    assert payments[0].related_documents
    assert [1, 3] == [each.partiality_number for each in payments[0].related_documents]


def test_a_payroll_is_read() -> None:
    payroll = msgspec.json.decode(sample("invoice_nomina"), type=Invoice).payroll

    assert payroll is not None
    assert (Decimal(15), "FIFTEENTH_DAY") == (payroll.days, payroll.periodicity)
    assert ["SALARY", "BONUS"] == [each.type for each in payroll.earnings_breakdown or () if each]


@pytest.mark.parametrize(
    "instant", ["2026-03-04 18:21:59", "2026-03-04T18:21:59", "2026-03-04T18:21:59.120+00:00", "2026-03-04T18:21:59Z"]
)
def test_instants_come_in_several_spellings(instant: str) -> None:
    """Digits and offsets may change without notice; without an offset the instant stays naive."""
    seen = msgspec.json.decode(changed("link", last_accessed_at=instant), type=Link).last_accessed_at

    assert seen is not None
    assert datetime(2026, 3, 4, 18, 21, 59) == seen.replace(microsecond=0, tzinfo=None)  # noqa: DTZ001


def test_unknown_keys_and_words_are_read() -> None:
    """New fields and codes are no errors."""
    invoice = msgspec.json.decode(changed("invoice_pago", status="Nuevo", brand_new=[1]), type=Invoice)

    assert "Nuevo" == invoice.status


def test_an_invoice_without_xml_says_why() -> None:
    body = changed("invoice_pago", invoice_details=None, warnings={"code": "sat_xml_limit_reached", "message": "x"})

    invoice = msgspec.json.decode(body, type=Invoice)

    assert invoice.invoice_details is None
    assert invoice.warnings is not None
    assert "sat_xml_limit_reached" == invoice.warnings.code


def test_a_financial_statement_is_read() -> None:
    body = {
        "id": "a", "year": "2024", "error": None,
        "balance_sheet": {"current_assets": {"total": 10.10, "inventory": None}, "equity": None},
        "income_statement": {"net_income": -5},
    }  # fmt: skip

    statement = msgspec.json.decode(json.dumps(body), type=FinancialStatement)

    assert statement.balance_sheet is not None
    assert statement.balance_sheet.current_assets is not None
    assert Decimal("10.1") == statement.balance_sheet.current_assets.total
    assert statement.income_statement is not None
    assert Decimal(-5) == statement.income_statement.net_income


def test_a_tax_status_is_read() -> None:
    """Dates are dates; what has no documented form stays text."""
    status = msgspec.json.decode(sample("tax_status"), type=TaxStatus)

    assert status.tax_payer_information is not None
    assert ("ACTIVO", date(2019, 4, 12)) == (
        status.tax_payer_information.status_padron, status.tax_payer_information.start_operations_date
    )  # fmt: skip
    assert status.address is not None
    assert status.address.between_street
    assert "DONATO GUERRA" == status.address.between_street[0].street_one
    assert [("100", "2019-04-12")] == [(each.percentage, each.initial_date) for each in status.economic_activity or ()]


def test_a_tax_retention_is_read() -> None:
    retention = msgspec.json.decode(sample("tax_retention"), type=TaxRetention)

    assert (25, Decimal(1200), None) == (retention.code, retention.total_retained_amount, retention.cancelled_at)
    assert [("PAID", Decimal(12000))] == [
        (each.payment_status, each.base_amount) for each in retention.retention_breakdown or ()
    ]


def test_records_are_values() -> None:
    """Equal rows are equal and can stand in a set."""
    rows = {msgspec.json.decode(sample("invoice_pago"), type=Invoice) for _ in range(2)}

    assert 1 == len(rows)


@pytest.mark.parametrize("kind", INVOICES)
def test_reprs_hold_no_taxpayer(kind: str) -> None:
    """Neither repr nor rich shows more than Belvo's own id, at any depth."""
    invoice = msgspec.json.decode(sample(f"invoice_{kind}"), type=Invoice)

    check_reprs(invoice)


@pytest.mark.parametrize("name", SAMPLES)
def test_reprs_of_other_records_hold_no_taxpayer(name: str) -> None:
    check_reprs(msgspec.json.decode(sample(name), type=SAMPLES[name]))


def check_reprs(record: msgspec.Struct) -> None:
    parts: list[Any] = [record]
    for part in parts:
        if isinstance(part, tuple):
            parts += part
        elif isinstance(part, msgspec.Struct):
            parts += [getattr(part, each) for each in part.__struct_fields__]
            shown = f"{type(part).__name__}({getattr(part, 'id', '***')})"
            assert shown == repr(part)
            assert len(list(part.__rich_repr__())) <= 1


def test_reprs_of_queries_hold_no_filter() -> None:
    """What is looked for may name a taxpayer."""
    for query in (Links(external_id="PEIC211118IS0"), InvoiceList(link="a", invoice_identification="PEIC211118IS0")):
        assert "PEIC211118IS0" not in repr(query) + repr(list(query.__rich_repr__()))
