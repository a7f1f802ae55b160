"""What Syntage's invoices say, in common words: by the samples; and how its lists are narrowed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from belvo_async.abc import CommonInvoice
from belvo_async.vendors.syntage import Invoice, Syntage
from belvo_async.vendors.syntage.lists import walk_query
from tests.vendors.syntage.kit import ENTITY, KEY, SAMPLES

LISTINGS = Syntage(KEY).listings


def common(name: str) -> CommonInvoice:
    read: Any = LISTINGS["invoices"].common
    found: CommonInvoice = read(msgspec.json.decode((SAMPLES / f"{name}.json").read_bytes(), type=Invoice))
    return found


def test_an_invoice_in_common_words() -> None:
    """PUE and PPD are Syntage's `paymentType`: its `paymentMethod` is the form of payment."""
    said = common("invoice")

    assert ("received", "I", date(2025, 3, 14)) == (said.direction, said.kind, said.issued_on)
    assert ("PPD", Decimal(11600), Decimal(5800)) == (said.payment_method, said.total, said.paid_amount)
    assert (False, None) == (said.is_cancelled, said.cancelled_on)


def test_a_cancellation_has_its_day() -> None:
    """In Mexico City."""
    said = common("invoice.cancelled_without_files")

    assert (True, date(2025, 4, 1)) == (said.is_cancelled, said.cancelled_on)


def test_lists_are_narrowed_by_what_changed() -> None:
    """Where Syntage has a filter for it: by `updatedAt`, events by `createdAt`."""
    since = datetime(2025, 4, 2, 16, tzinfo=UTC)
    narrowed = {
        name: re.findall(r"(\w+)(?:%5B|\[)after", next(walk_query(rules.query(ENTITY, since)).steps(None)).target)
        for name, rules in LISTINGS.items()
    }

    by_update = {each: ["updatedAt"] for each in ("entities", "invoices", "rug_garantias", "rug_operaciones")}
    assert {**by_update, "events": ["createdAt"]} == {name: found for name, found in narrowed.items() if found}
