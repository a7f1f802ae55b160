"""The fiscal records behind both simulators are coherent and always the same for a seed."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from belvo_async.simulator.cfdi import Cfdi
from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.taxpayers import Taxpayer, connected, subject


def company() -> Taxpayer:
    return subject(1, 0)


@pytest.fixture
def year() -> tuple[Cfdi, ...]:
    return Books(1, invoices_per_year=400).year(company(), 2024)


def test_same_seed_same_records() -> None:
    """Two books of one seed hold equal records, down to the uuid."""
    one, other = Books(7, invoices_per_year=50), Books(7, invoices_per_year=50)

    assert one.year(company(), 2023) == other.year(company(), 2023)


def test_another_seed_gives_other_records() -> None:
    """The seed decides everything."""
    one, other = Books(7, invoices_per_year=50), Books(8, invoices_per_year=50)

    assert one.year(company(), 2023) != other.year(company(), 2023)


def test_years_hold_the_number_asked_for(year: tuple[Cfdi, ...]) -> None:
    """A year has exactly `invoices_per_year` records, all five kinds among them."""
    assert 400 == len(year)
    assert set("IEPNT") == {cfdi.kind for cfdi in year}


def test_records_stay_in_their_year(year: tuple[Cfdi, ...]) -> None:
    """Derived receipts (payments, credit notes) do not leak into the next year; order is by issue."""
    assert {2024} == {cfdi.issued_on.year for cfdi in year}
    assert sorted(cfdi.issued_at for cfdi in year) == [cfdi.issued_at for cfdi in year]


def test_totals_add_up_to_the_cent(year: tuple[Cfdi, ...]) -> None:
    """total = subtotal + tax - discount, and the sums are those of the lines."""
    for cfdi in year:
        assert cfdi.total == cfdi.subtotal + cfdi.tax - cfdi.discount
        if cfdi.kind not in "PT":
            assert cfdi.subtotal == sum(line.amount for line in cfdi.lines)
            assert cfdi.tax == sum(line.tax for line in cfdi.lines)
        assert Decimal("0.01") == Decimal(10) ** Decimal(cfdi.total.as_tuple().exponent)


def test_payments_never_exceed_what_they_pay(year: tuple[Cfdi, ...]) -> None:
    """A payment names a deferred invoice of the same parties and leaves previous less paid."""
    invoices = {cfdi.uuid: cfdi for cfdi in year}
    payments = [cfdi for cfdi in year if cfdi.payment]
    assert payments

    for cfdi in payments:
        assert cfdi.payment is not None
        assert cfdi.payment.amount == sum(document.paid for document in cfdi.payment.documents)
        for document in cfdi.payment.documents:
            paid = invoices[document.uuid]
            assert "PPD" == paid.payment_method
            assert (paid.issuer, paid.receiver) == (cfdi.issuer, cfdi.receiver)
            assert 0 <= document.outstanding < document.previous <= paid.total


def test_credit_notes_name_their_invoice(year: tuple[Cfdi, ...]) -> None:
    """An Egreso relates to an earlier Ingreso of the same parties."""
    invoices = {cfdi.uuid: cfdi for cfdi in year}

    for note in (cfdi for cfdi in year if cfdi.kind == "E"):
        related = invoices[note.related[0]]
        assert "I" == related.kind
        assert related.issued_at <= note.issued_at
        assert note.total < related.total


def test_some_are_cancelled_after_their_issue(year: tuple[Cfdi, ...]) -> None:
    """A cancellation happens on a later day and is not known before it."""
    cancelled = [cfdi for cfdi in year if cfdi.cancelled_on]
    assert cancelled

    for cfdi in cancelled:
        assert not cfdi.is_cancelled(cfdi.issued_on)
        assert cfdi.is_cancelled(date(2026, 1, 1))


def test_taxpayers_have_well_formed_rfcs() -> None:
    """12 characters for companies, 13 for persons, with a date inside."""
    for index in range(30):
        taxpayer = subject(3, index)
        letters = 3 if taxpayer.is_company else 4
        assert re.fullmatch(rf"[A-Z]{{{letters}}}\d{{6}}[A-Z0-9]{{3}}", taxpayer.rfc)


def test_names_stay_out_of_nothing_before_2020() -> None:
    """Records begin in 2020."""
    assert [] == Books(1, invoices_per_year=50).between(company(), date(2015, 1, 1), date(2019, 12, 31))


@pytest.mark.parametrize(("rfc", "is_company"), [("XQZ010203AB1", True), ("PFIS010101000", False)])
def test_who_logs_in_keeps_the_rfc(rfc: str, is_company: bool) -> None:
    """A taxpayer is made for any RFC, the same for a seed; twelve characters are a company's."""
    one, other = connected(5, rfc), connected(5, rfc)

    assert one == other
    assert (rfc, is_company) == (one.rfc, one.is_company)


def test_receipts_pay_parts_in_order(year: tuple[Cfdi, ...]) -> None:
    """Of one invoice the parts are paid one after the other, also where a receipt pays several invoices."""
    paid: dict[str, list[int]] = {}
    for cfdi in (cfdi for cfdi in year if cfdi.payment):
        assert cfdi.payment is not None
        for document in cfdi.payment.documents:
            paid.setdefault(document.uuid, []).append(document.partiality)

    assert any(len(parts) > 1 for parts in paid.values())
    assert all(list(range(1, len(parts) + 1)) == parts for parts in paid.values())
