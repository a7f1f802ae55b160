"""What Syntage reads out of the XML of invoices: line items, payments, credit notes, relations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from ...cfdi import ZERO, Cfdi, Line, Payment, Tax
from ...wire import Json, JsonObject
from ..state import GatheredRows
from ..tags import Tags
from .invoices import record_id, stamp

Found: TypeAlias = Iterator[tuple[JsonObject, set[str]]]  # a row, and the ids of the invoices it is listed under
_BANKS: Final = (
    ("XBA940707IE1", "BANCO DEL BAJIO"),
    ("XBM970519DU8", "BANCO DE TAPALPA"),
    ("XBN930209J41", "BANCO DEL ISTMO"),
)


class InvoiceParts:
    """Companion records of the invoices gathered so far, whose XML is held. Ids sort by issuing time."""

    def __init__(self, gathered_rows: GatheredRows, tags: Tags) -> None:
        self._gathered_rows = gathered_rows
        self._tags = tags
        self._makers: Mapping[str, Callable[[str], Found]] = {
            "line-items": self._line_items,
            "payments": self._payments,
            "batch-payments": self._batches,
            "credit-notes": self._credit_notes,
            "relations": self._relations,
        }
        self._cache: dict[tuple[str, str], tuple[int, list[tuple[JsonObject, set[str]]]]] = {}

    def of_entity(self, name: str, entity: str) -> list[JsonObject]:
        """Give the companions of that name (`line-items`, ...) of an entity, newest first."""
        return [row for row, _ in self._all(name, entity)]

    def everywhere(self, name: str) -> list[JsonObject]:
        """Give the companions of that name of all entities, newest first."""
        rows = (row for entity in self._gathered_rows.entities() for row in self.of_entity(name, entity))
        return sorted(rows, key=lambda row: str(row["id"]), reverse=True)

    def find(self, name: str, number: str) -> JsonObject | None:
        """Give one companion by its id."""
        return next((row for row in self.everywhere(name) if row["id"] == number), None)

    def of_invoice(self, name: str, invoice: str) -> list[JsonObject] | None:
        """Give the companions of one invoice; None when it is not held."""
        entity = self._gathered_rows.owner(invoice)
        return None if entity is None else [row for row, under in self._all(name, entity) if invoice in under]

    def _all(self, name: str, entity: str) -> list[tuple[JsonObject, set[str]]]:
        # Batch payments show their invoice, and what that wears.
        key, version = (name, entity), self._gathered_rows.version + self._tags.version
        if self._cache.get(key, (-1, []))[0] != version:
            rows = sorted(self._makers[name](entity), key=lambda found: str(found[0]["id"]), reverse=True)
            self._cache[key] = (version, rows)
        return self._cache[key][1]

    def _line_items(self, entity: str) -> Found:
        for row, cfdi in self._gathered_rows.read(entity):
            number = str(row["id"])
            for index, line in enumerate(cfdi.lines):
                yield _line_item(row, record_id(number, f"line:{index}", cfdi.issued_at), line, index), {number}

    def _payments(self, entity: str) -> Found:
        for row, cfdi in self._gathered_rows.read(entity):
            yield from self._payments_in(entity, row, cfdi)

    def _payments_in(self, entity: str, row: JsonObject, cfdi: Cfdi) -> Found:
        for index, document in enumerate(cfdi.payment.documents if cfdi.payment else ()):
            paid = self._gathered_rows.id_of(entity, document.uuid)
            number = record_id(str(row["id"]), f"payment:{index}", cfdi.issued_at)
            yield (
                {
                    "@id": f"/invoices/payments/{number}",
                    "@type": "InvoicePayment",
                    "id": number,
                    "invoiceUuid": document.uuid,
                    "currency": "MXN",
                    "exchangeRate": None,
                    "installment": document.partiality,
                    "previousBalance": document.previous,
                    # What the taxpayer pays itself is negative (so in the vendor's example of a received invoice).
                    "amount": document.paid if cfdi.is_issued else -document.paid,
                    "outstandingBalance": document.outstanding,
                    "invoice": f"/invoices/{paid}" if paid else None,
                    "batchPayment": f"/invoices/batch-payments/{_batch_id(row, cfdi)}",
                    "canceledAt": row["canceledAt"],
                    "createdAt": row["createdAt"],
                    "updatedAt": row["updatedAt"],
                },
                {str(row["id"]), *([paid] if paid else [])},
            )

    def _batches(self, entity: str) -> Found:
        for row, cfdi in self._gathered_rows.read(entity):
            payment = cfdi.payment
            if payment is None:
                continue
            parts = list(self._payments_in(entity, row, cfdi))
            payments: list[Json] = [part for part, _ in parts]
            under = {str(row["id"])}.union(*(ids for _, ids in parts))
            tags: list[Json] = [*self._tags.of_invoice(str(row["id"]))]
            yield _batch({**row, "tags": tags}, cfdi, payment, payments), under

    def _credit_notes(self, entity: str) -> Found:
        for row, cfdi in self._gathered_rows.read(entity):
            for uuid in cfdi.related if cfdi.kind == "E" else ():
                number = record_id(str(row["id"]), f"note:{uuid}", cfdi.issued_at)
                applied = self._gathered_rows.id_of(entity, uuid)
                yield (
                    {
                        "@id": f"/invoices/credit-notes/{number}",
                        "@type": "InvoiceCreditNote",
                        "id": number,
                        "appliedInvoice": f"/invoices/{applied}" if applied else None,
                        "issuedInvoice": row["@id"],
                        "appliedInvoiceUuid": uuid,
                        "issuedInvoiceUuid": cfdi.uuid,
                        "issuedAt": stamp(cfdi.issued_at),
                        "proportionalRate": Decimal("1.0"),
                        "amount": cfdi.total,
                        "subTotalAmount": cfdi.subtotal,
                        "issuedInvoiceTotal": cfdi.total,
                        "canceledAt": row["canceledAt"],
                        "createdAt": row["createdAt"],
                        "updatedAt": row["updatedAt"],
                    },
                    {str(row["id"]), *([applied] if applied else [])},
                )

    def _relations(self, entity: str) -> Found:
        for row in self._gathered_rows.newest_first(entity):
            relations = row["relations"]
            for relation in relations if isinstance(relations, list) else ():
                if isinstance(relation, dict):
                    yield relation, {str(row["id"])}


def issued_by(rows: Sequence[JsonObject], invoice: str) -> list[JsonObject]:
    """Keep the credit notes the invoice itself issues."""
    return [row for row in rows if row["issuedInvoice"] == f"/invoices/{invoice}"]


def applied_to(rows: Sequence[JsonObject], invoice: str) -> list[JsonObject]:
    """Keep the credit notes that were applied to the invoice."""
    return [row for row in rows if row["appliedInvoice"] == f"/invoices/{invoice}"]


def _line_item(invoice: JsonObject, number: str, line: Line, index: int) -> JsonObject:
    taxes: list[Json] = [
        {"tax": tax.name, "rate": tax.rate, "amount": tax.amount} for tax in (*line.transferred, *line.retained)
    ]
    return {
        "@id": f"/invoices/line-items/{number}",
        "@type": "InvoiceLineItem",
        "id": number,
        "invoice": invoice,
        "identificationNumber": f"SKU-{line.product[-4:]}" if index == 0 else None,
        "productIdentification": line.product,
        "description": line.description,
        "unitAmount": line.unit_price,
        "unitCode": line.unit_code,
        "quantity": line.quantity,
        "discountAmount": line.discount,
        "totalAmount": line.amount,
        "retainedTaxes": {
            "valueAddedTax": _sum(line.retained, "IVA"),
            "incomeTax": _sum(line.retained, "ISR"),
            "sinTax": ZERO,
        },
        "transferredTaxes": {"valueAddedTax": _sum(line.transferred, "IVA"), "sinTax": ZERO},
        "taxes": taxes,
        "createdAt": invoice["createdAt"],
        "updatedAt": invoice["updatedAt"],
    }


def _sum(taxes: Sequence[Tax], name: str) -> Decimal:
    return sum((tax.amount for tax in taxes if tax.name == name), ZERO)


def _batch_id(row: JsonObject, cfdi: Cfdi) -> str:
    return record_id(str(row["id"]), "batch", cfdi.issued_at)


def _batch(row: JsonObject, cfdi: Cfdi, payment: Payment, payments: list[Json]) -> JsonObject:
    number = _batch_id(row, cfdi)
    draw = int(cfdi.draw * 1000)
    payer, beneficiary = _BANKS[draw % 3], _BANKS[(draw + 1) % 3]
    return {
        "@id": f"/invoices/batch-payments/{number}",
        "@type": "InvoiceBatchPayment",
        "id": number,
        "date": stamp(payment.at),
        "paymentMethod": payment.form,
        "currency": "MXN",
        "exchangeRate": None,
        "amount": payment.amount,
        "operationNumber": payment.operation,
        "beneficiaryBank": {"rfc": beneficiary[0], "accountNumber": f"{draw:018}"},
        "payerBank": {"rfc": payer[0], "name": payer[1], "accountNumber": f"{draw + 1:018}"},
        "payments": payments,
        "invoice": row,
        "canceledAt": row["canceledAt"],
        "createdAt": row["createdAt"],
        "updatedAt": row["updatedAt"],
    }
