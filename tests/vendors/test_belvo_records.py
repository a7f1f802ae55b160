"""Belvo's records: every documented field is there, in the right type, and odd rows are read."""

from __future__ import annotations

import json
import types
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Union, cast, get_args, get_origin

import msgspec
import pytest

from belvo_async.vendors.belvo import FinancialStatement, Institution, Invoice, InvoiceList, Link, Links
from tests.vendors.belvo_samples import changed, sample

DOCUMENTED: dict[str, dict[str, str]] = {
    name: fields for name, fields in json.loads(sample("invoice_fields")).items() if isinstance(fields, dict)
}
RECORDS = {"Invoice": Invoice, "Link": Link, "Institution": Institution, "FinancialStatement": FinancialStatement}
NUMBERS = {"number": Decimal, "string": str, "date": date, "date-time": datetime, "integer": int}
# Where we read more than is documented: a date without format, a rate in quotes, parts of days.
WIDER = {"invoice_date": date, "payments[].exchange_rate": Decimal, "payroll.days": Decimal}
INVOICES = ["cancelled", "egreso", "ingreso", "nomina", "pago", "traslado"]


def bare(kind: Any) -> Any:
    """The type without None and without the tuple around it."""
    if get_origin(kind) in (Union, types.UnionType):
        return bare(next(each for each in get_args(kind) if each is not type(None)))
    return bare(get_args(kind)[0]) if get_origin(kind) is tuple else kind


def type_at(record: Any, path: str) -> Any:
    for name in path.replace("[]", "").split("."):
        fields = {field.name: field.type for field in msgspec.structs.fields(record)}
        record = bare(fields[name])
    return record


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        pytest.param(name, path, kind, id=f"{name}.{path}")
        for name, fields in DOCUMENTED.items()
        for path, kind in fields.items()
        if kind not in ("object", "array")
    ],
)
def test_every_documented_field_is_read(name: str, path: str, kind: str) -> None:
    """The catalogue follows the specification: numbers are exact, dates are dates."""
    assert WIDER.get(path, NUMBERS[kind]) is type_at(RECORDS[name], path)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_every_field_may_be_missing_or_null(record: type[msgspec.Struct]) -> None:
    """Fields came and went under one version number."""
    nulls = json.dumps({field.encode_name: None for field in msgspec.structs.fields(record)})

    assert isinstance(msgspec.json.decode("{}", type=record), record)
    assert isinstance(msgspec.json.decode(nulls, type=record), record)


def shape(value: Any) -> Any:
    """The keys of a JSON value at every level, without its leaves."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in cast("dict[str, Any]", value).items()}
    return [shape(each) for each in value] if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType]  # mypy calls a cast redundant


@pytest.mark.parametrize("kind", INVOICES)
def test_no_key_of_the_samples_is_lost(kind: str) -> None:
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


def test_records_are_values() -> None:
    """Equal rows are equal and can stand in a set."""
    rows = {msgspec.json.decode(sample("invoice_pago"), type=Invoice) for _ in range(2)}

    assert 1 == len(rows)


@pytest.mark.parametrize("kind", INVOICES)
def test_reprs_hold_no_taxpayer(kind: str) -> None:
    """Neither repr nor rich shows more than Belvo's own id, at any depth."""
    invoice = msgspec.json.decode(sample(f"invoice_{kind}"), type=Invoice)
    parts: list[Any] = [invoice]

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
