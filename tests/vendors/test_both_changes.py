"""What each vendor's records say of a standing, in the vendor's words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from belvo_async import belvo, syntage
from belvo_async.changes import Fingerprints
from belvo_async.jobs import Extent
from belvo_async.vendors.belvo.changes.rules import CHANGE_RULES as BELVO
from belvo_async.vendors.belvo.schema.invoices import Invoice as BelvoInvoice, Warnings
from belvo_async.vendors.belvo.schema.taxes import TaxComplianceStatus, TaxPayer, TaxStatus as BelvoStatus
from belvo_async.vendors.syntage.changes.rules import CHANGE_RULES as SYNTAGE
from belvo_async.vendors.syntage.schema.invoices import Invoice as SyntageInvoice, Issuer
from belvo_async.vendors.syntage.schema.taxes import TaxComplianceCheck, TaxStatus as SyntageStatus

LINK, ENTITY = "c81a1f6e-0000-4000-8000-000000000000", "/entities/7b3a1f6e-0000-4000-8000-000000000000"
MARCH = Extent(directions=("issued",), first=date(2026, 3, 1), last=date(2026, 3, 31))
SINCE = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "record", "told"),
    [
        (BELVO["INVOICES"], BelvoInvoice(status="Cancelado"), {"cancelled": True}),
        (BELVO["INVOICES"], BelvoInvoice(status="VIGENTE"), {"cancelled": False}),
        (BELVO["INVOICES"], BelvoInvoice(), {"cancelled": None}),
        (
            BELVO["INVOICES"],
            BelvoInvoice(sender_id="XAXX010101000", sender_tax_fraud_status="CONFIRMED"),
            {"cancelled": None, "blacklisted": True},
        ),
        (
            BELVO["INVOICES"],
            BelvoInvoice(receiver_id="XAXX010101000", receiver_tax_fraud_status="OVERTURNED"),
            {"cancelled": None, "blacklisted": False},
        ),
        (
            BELVO["INVOICES"],
            BelvoInvoice(sender_id="XAXX010101000", sender_tax_fraud_status="NO_TAX_FRAUD_STATUS"),
            {"cancelled": None},
        ),
        (BELVO["TAX_COMPLIANCE_STATUS"], TaxComplianceStatus(outcome="NEGATIVE"), {"compliance negative": True}),
        (BELVO["TAX_COMPLIANCE_STATUS"], TaxComplianceStatus(outcome="POSITIVE"), {"compliance negative": False}),
        (
            BELVO["TAX_STATUS"],
            BelvoStatus(tax_payer_information=TaxPayer(status_padron="INACTIVO")),
            {"taxpayer suspended": True},
        ),
        (BELVO["TAX_STATUS"], BelvoStatus(), {"taxpayer suspended": None}),
        (SYNTAGE["invoice"], SyntageInvoice(status="CANCELADO"), {"cancelled": True}),
        (
            SYNTAGE["invoice"],
            SyntageInvoice(status="VIGENTE", issuer=Issuer(rfc="XAXX010101000", blacklist_status="presumed")),
            {"cancelled": False, "blacklisted": True},
        ),
        (
            SYNTAGE["invoice"],
            SyntageInvoice(status="VIGENTE", issuer=Issuer(rfc="XAXX010101000", blacklist_status="favorable")),
            {"cancelled": False, "blacklisted": False},
        ),
        (
            SYNTAGE["tax_compliance"],
            TaxComplianceCheck(result="activity_suspended"),
            {"compliance negative": False, "taxpayer suspended": True},
        ),
        (SYNTAGE["tax_status"], SyntageStatus(status="SUSPENDIDO"), {"taxpayer suspended": True}),
        (SYNTAGE["tax_status"], SyntageStatus(status="ACTIVO"), {"taxpayer suspended": False}),
    ],
)
def test_words_of_the_vendor_are_standings(rules: Any, record: Any, told: dict[str, bool | None]) -> None:
    """Each documented word means what it means; a word that is missing means nothing."""
    assert told == {str(each.kind): each.holds for each in rules.standings(record)}


@pytest.mark.parametrize(("vendor", "rules"), [("belvo", BELVO), ("syntage", SYNTAGE)])
def test_the_fields_that_say_so_exist(vendor: str, rules: Any) -> None:
    """Paths that are ignored are there, and what speaks of others is not compared as the record's own."""
    for resource, each in rules.items():
        paths = Fingerprints(each.record, each.ignored, b"k" * 32).paths
        assert len(paths) >= 2, (vendor, resource)
        assert not [path for path in paths if "fraud" in path or "blacklist" in path]
        every = Fingerprints(each.record, (), b"k" * 32).paths
        assert [] == [path for path in each.ignored if "." in path and path not in every]


def test_an_invoice_without_its_xml_is_incomplete() -> None:
    """Its amounts may be null only because the tax office's limit was reached."""
    assert BELVO["INVOICES"].is_incomplete(BelvoInvoice(warnings=Warnings(code="sat_xml_limit_reached")))
    assert not BELVO["INVOICES"].is_incomplete(BelvoInvoice(warnings=Warnings()))


def test_lists_are_narrowed_as_far_as_the_vendor_documents() -> None:
    """By the day on which Belvo stored it; by `updatedAt` at Syntage, with a day of slack round the period."""
    ours = BELVO["INVOICES"].listed(LINK, MARCH, SINCE)
    theirs = SYNTAGE["invoice"].listed(ENTITY, MARCH, SINCE)

    assert (
        belvo.InvoiceList(
            link=LINK, date_from=MARCH.first, date_to=MARCH.last, type="OUTFLOW", created_from=SINCE.date()
        )
        == ours
    )
    assert (
        syntage.Invoices(
            entity=ENTITY,
            issued_after=datetime(2026, 2, 28, tzinfo=UTC),
            issued_before=datetime(2026, 4, 2, tzinfo=UTC),
            is_issuer=True,
            updated_after=SINCE,
        )
        == theirs
    )
