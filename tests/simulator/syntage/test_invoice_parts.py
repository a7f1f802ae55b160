"""Line items, payments, credit notes and relations of the invoices a simulated Syntage holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first

CURSOR = {"X-Pagination-Style": "cursor"}


async def rows_of(client: SyntageClient, path: str, headers: Mapping[str, str] = CURSOR) -> list[dict[str, Any]]:
    """All rows of a list, amounts exact, small pages."""
    rows: list[dict[str, Any]] = []
    following: str | None = f"{path}?itemsPerPage=50"
    while following:
        async with client.http.get(following, headers=headers) as response:
            assert 200 == response.status, following
            body = json.loads(await response.text(), parse_float=Decimal)
        rows += body["hydra:member"]
        following = body["hydra:view"].get("hydra:next")
    return rows


@pytest.fixture
async def filled(syntage_client: SyntageClient) -> SyntageClient:
    await finished(syntage_client)
    return syntage_client


@pytest.mark.parametrize("style", [CURSOR, {}], ids=["cursor", "page numbers"])
@pytest.mark.parametrize("name", ["line-items", "payments", "credit-notes"])
async def test_entity_lists_give_each_row_once(filled: SyntageClient, name: str, style: dict[str, str]) -> None:
    """By cursor or by page number the same rows come, newest first."""
    path = f"{first(filled)}/invoices/{name}"

    rows = await rows_of(filled, path, style)

    assert rows
    assert [row["id"] for row in filled.syntage.rows(path)] == [row["id"] for row in rows]
    assert sorted({row["id"] for row in rows}, reverse=True) == [row["id"] for row in rows]


async def test_totals_of_both_styles(filled: SyntageClient) -> None:
    """Page numbers always come with a total, the cursor only when asked."""
    path = f"{first(filled)}/invoices/line-items?itemsPerPage=10"

    _, numbered = await filled.get(path)
    _, cursor = await filled.get(path, CURSOR)
    _, counted = await filled.get(path, {**CURSOR, "X-Pagination-Enable-Partial": "0"})

    assert numbered["hydra:totalItems"] == counted["hydra:totalItems"]
    assert "hydra:totalItems" not in cursor
    assert {"hydra:first", "hydra:next", "hydra:last"} <= set(numbered["hydra:view"])


async def test_lines_add_up_to_their_invoice(filled: SyntageClient) -> None:
    """The lines of an invoice sum to its subtotal and tax, and carry the invoice itself."""
    (invoice, *_) = (row for row in filled.syntage.rows(f"{first(filled)}/invoices") if row["type"] == "I")

    rows = await rows_of(filled, f"{invoice['@id']}/line-items")

    assert invoice["subtotal"] == sum(row["totalAmount"] for row in rows)
    taxes = [
        row["transferredTaxes"]["valueAddedTax"] - row["retainedTaxes"]["valueAddedTax"]
        - row["retainedTaxes"]["incomeTax"] for row in rows
    ]  # fmt: skip
    assert invoice["tax"] == sum(taxes)
    assert {invoice["id"]} == {row["invoice"]["id"] for row in rows}


async def test_payments_name_what_they_pay(filled: SyntageClient) -> None:
    """A payment points to the paid invoice and to its batch; what the taxpayer pays itself is negative."""
    invoices = {row["@id"]: row for row in filled.syntage.rows(f"{first(filled)}/invoices")}

    rows = await rows_of(filled, f"{first(filled)}/invoices/payments")

    for row in rows:
        assert row["outstandingBalance"] == row["previousBalance"] - abs(row["amount"])
        if row["invoice"] is not None:
            paid = invoices[row["invoice"]]
            assert (paid["uuid"], paid["isIssuer"]) == (row["invoiceUuid"], row["amount"] > 0)
            assert row in await rows_of(filled, f"{row['invoice']}/payments")


async def test_batches_hold_their_payments(filled: SyntageClient) -> None:
    """A batch is the payment receipt: its amount is what its payments sum to."""
    (payment, *_) = await rows_of(filled, f"{first(filled)}/invoices/payments")

    _, batch = await filled.get(payment["batchPayment"])
    listed = await rows_of(filled, f"{batch['invoice']['@id']}/batch-payments")

    assert "P" == batch["invoice"]["type"]
    assert [batch["id"]] == [row["id"] for row in listed]
    assert round(sum(abs(row["amount"]) for row in batch["payments"]), 2) == batch["amount"]


async def test_credit_notes_from_both_sides(filled: SyntageClient) -> None:
    """The note is issued by the receipt of type E and applied to the invoice it relates to."""
    notes = await rows_of(filled, f"{first(filled)}/invoices/credit-notes")
    (note, *_) = (row for row in notes if row["appliedInvoice"])

    issued = await rows_of(filled, f"{note['issuedInvoice']}/issued-credit-notes")
    applied = await rows_of(filled, f"{note['appliedInvoice']}/applied-credit-notes")
    neither = await rows_of(filled, f"{note['appliedInvoice']}/issued-credit-notes")

    assert [note] == issued
    assert note in applied
    assert [] == neither


@pytest.mark.parametrize("tree", ["", "{entity}"], ids=["by invoice", "by entity"])
async def test_relations_name_the_invoice_held(filled: SyntageClient, tree: str) -> None:
    """A relation gives the fiscal uuid, and Syntage's own path of the related invoice once that is held."""
    invoices = filled.syntage.rows(f"{first(filled)}/invoices")
    (invoice, *_) = (row for row in invoices if row["relations"])

    (relation,) = await rows_of(filled, f"{tree.format(entity=first(filled))}{invoice['@id']}/relations")
    _, single = await filled.get(relation["@id"])

    (related,) = (row for row in invoices if row["uuid"] == relation["relatedInvoiceUuid"])
    assert related["@id"] == relation["relatedInvoice"]
    assert relation["id"] == single["id"]


@pytest.mark.parametrize("name", ["payments", "credit-notes"])
async def test_lists_across_entities(filled: SyntageClient, name: str) -> None:
    """The rows of all entities, each once."""
    await finished(filled, entity=filled.syntage.entities[1])
    lists = [f"{entity}/invoices/{name}" for entity in filled.syntage.entities[:2]]
    own = [row["id"] for path in lists for row in filled.syntage.rows(path)]

    rows = await rows_of(filled, f"/invoices/{name}")

    assert sorted(own, reverse=True) == [row["id"] for row in rows]


async def test_batches_across_entities(filled: SyntageClient) -> None:
    """Every payment belongs to one of them."""
    payments = await rows_of(filled, "/invoices/payments")

    batches = await rows_of(filled, "/invoices/batch-payments")

    assert {row["batchPayment"] for row in payments} == {row["@id"] for row in batches}


@pytest.mark.parametrize("name", ["line-items", "payments", "credit-notes"])
async def test_companion_by_id(filled: SyntageClient, name: str) -> None:
    """Each is read by its own IRI; an unknown id is a 404."""
    (row, *_) = await rows_of(filled, f"{first(filled)}/invoices/{name}")

    status, single = await filled.get(row["@id"])
    missing, _ = await filled.get(f"/invoices/{name}/nothing")

    assert (200, row["id"], 404) == (status, single["id"], missing)


@pytest.mark.parametrize(
    "name", ["line-items", "payments", "batch-payments", "relations", "issued-credit-notes", "applied-credit-notes"]
)
async def test_unknown_invoice_is_not_found(syntage_client: SyntageClient, name: str) -> None:
    """404 below an invoice that is not held."""
    status, _ = await syntage_client.get(f"/invoices/nothing/{name}")

    assert 404 == status


async def test_without_xml_nothing_can_be_read_out(syntage_client: SyntageClient) -> None:
    """Companions come out of the XML: without it there are none, until a later job brings it."""
    options = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    path = f"{first(syntage_client)}/invoices/line-items"
    await finished(syntage_client, "invoice", {**options, "xml": False})
    before = await rows_of(syntage_client, path)

    await finished(syntage_client, "invoice", options)

    assert [] == before
    assert await rows_of(syntage_client, path)
