"""What Belvo's invoices say, in common words: by the samples."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.abc import CommonInvoice
from belvo_async.vendors.belvo import Invoice
from tests.vendors.belvo.samples import BELVO, changed, sample


def common(body: bytes) -> CommonInvoice:
    read: Any = BELVO.listings["invoices"].common
    found: CommonInvoice = read(msgspec.json.decode(body, type=Invoice, strict=False))
    return found


def test_an_invoice_in_common_words() -> None:
    """Who issued it to whom, when, of what kind, to be paid how, and how much."""
    said = common(sample("invoice_ingreso"))

    assert ("issued", "I", date(2026, 2, 11)) == (said.direction, said.kind, said.issued_on)
    assert ("QXU190412RT7", "TQB150730LM2") == (said.issuer_rfc, said.receiver_rfc)
    assert ("PPD", Decimal(4176)) == (said.payment_method, said.total)
    assert (False, None) == (said.is_cancelled, said.cancelled_on)


def test_a_receipt_says_what_it_paid() -> None:
    """Each of the invoices, with the part that was paid of it."""
    said = common(sample("invoice_pago"))

    assert "P" == said.kind
    assert [Decimal(2000), Decimal(1000)] == [each.amount for each in said.payments]
    assert {date(2026, 2, 27)} == {each.paid_on for each in said.payments}
    assert "63D48C0F-4A70-539A-8060-8FAD772AE63E" == said.payments[0].paid_uuid


@pytest.mark.parametrize(("status", "is_cancelled"), [("Cancelado", True), ("Vigente", False), (None, None)])
def test_a_cancellation_has_its_day_only_where_there_is_one(status: str | None, is_cancelled: bool | None) -> None:
    """One that was asked for and refused leaves its date behind."""
    said = common(changed("invoice_cancelled", status=status))

    assert is_cancelled is said.is_cancelled
    assert (said.cancelled_on is not None) is (status == "Cancelado")


def test_a_repr_shows_no_data() -> None:
    """Neither of the invoice nor of its payments."""
    said = common(sample("invoice_pago"))

    assert "QXU190412RT7" not in repr(said)
    assert "63D48C0F" not in repr(said.payments)
