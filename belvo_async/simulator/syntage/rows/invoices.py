"""CFDIs, taxpayers, entities and credentials in Syntage's own shape (vendor schemas of those names)."""

from asyncio import TimerHandle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Final
from uuid import UUID, uuid5

from ...cfdi import ZERO, Cfdi
from ...taxpayers import Taxpayer
from ...wire import Json, JsonObject

PAC: Final = "XPA091218JV4"


def stamp(instant: datetime) -> str:
    """Print an instant as most vendor examples do: milliseconds and Z."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"


def maybe(instant: datetime | None) -> str | None:
    """Print an instant that may be missing."""
    return None if instant is None else stamp(instant)


def ordered_uuid(instant: datetime, tail: int) -> str:
    """Give a UUID of version 7: it sorts by the instant, then by `tail` (74 bits)."""
    milliseconds = int(instant.timestamp() * 1000) & ((1 << 48) - 1)
    high, low = (tail >> 62) & 0xFFF, tail & ((1 << 62) - 1)
    return dashed(milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


def dashed(number: int) -> str:
    """Print 128 bits as a UUID. Many thousands are made, so without an object for each."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class OrderedIds:
    """Ids that sort in the order they were given out, even within one millisecond."""

    def __init__(self, rng: Random, now: Callable[[], datetime]) -> None:
        self._rng = rng
        self._now = now
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return ordered_uuid(self._now(), self._count << 40 | self._rng.getrandbits(40))


def record_id(entity: str, key: str, instant: datetime) -> str:
    """Give the id of a record of an entity: always the same for the same key; ids sort by `instant`."""
    return ordered_uuid(instant, int.from_bytes(sha256(f"{entity}:{key}".encode()).digest()[:9], "big"))


def taxpayer_row(taxpayer: Taxpayer, *, short: bool = False) -> JsonObject | None:
    """Give a taxpayer; events carry the short form. None for an entity made without an RFC."""
    if not taxpayer.rfc:
        return None
    head: JsonObject = {"@id": f"/taxpayers/{taxpayer.rfc}", "@type": "Taxpayer", "id": taxpayer.rfc}
    if short:
        return {**head, "name": taxpayer.name}
    return {
        **head,
        "personType": "legal" if taxpayer.is_company else "physical",
        "registrationDate": taxpayer.registered_on.isoformat(),
        "name": taxpayer.name,
    }


def invoice_id(entity: str, cfdi: Cfdi) -> str:
    """Give Syntage's own id of an invoice of an entity; ids sort by issuing time."""
    return record_id(entity, cfdi.uuid, cfdi.issued_at)


@dataclass(kw_only=True)
class Credential:
    """What opens the SAT for a taxpayer; the secrets themselves are not kept."""

    id: str
    type: str
    owner: Taxpayer = field(repr=False)
    status: str
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    timer: TimerHandle | None = field(default=None, repr=False)

    @property
    def iri(self) -> str:
        """The path that names the credential."""
        return f"/credentials/{self.id}"

    def row(self) -> JsonObject:
        """Give the credential as Syntage shows it: `statusReason` only where there is one (guide page)."""
        row: JsonObject = {
            "@id": self.iri,
            "@type": "Credential",
            "id": self.id,
            "type": self.type,
            "rfc": self.owner.rfc,
            "status": self.status,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }
        return row if self.reason is None else {**row, "statusReason": {"type": self.reason}}


@dataclass(kw_only=True)
class Entity:
    """One taxpayer Syntage extracts for; the vendor's object is typed `Link`."""

    id: str
    subject: Taxpayer = field(repr=False)
    credential: Credential | None
    created_at: datetime
    updated_at: datetime
    tags: list[JsonObject] = field(default_factory=list[JsonObject])
    name: str | None = field(default=None, repr=False)  # given to it here; what the SAT calls it stays in the receipts
    identifiers: list[JsonObject] = field(default_factory=list[JsonObject], repr=False)

    @property
    def iri(self) -> str:
        """The path that names the entity in bodies."""
        return f"/entities/{self.id}"

    @property
    def credential_status(self) -> str | None:
        """What the SAT said of its credential; None without one."""
        return self.credential.status if self.credential else None

    def row(self) -> JsonObject:
        """Give the entity as Syntage shows it."""
        tags: list[Json] = [{**tag} for tag in self.tags]  # events keep what they were
        taxpayer = taxpayer_row(self.subject)
        return {
            "@id": self.iri,
            "@type": "Link",
            "id": self.id,
            "type": "company" if self.subject.is_company else "person",
            "taxpayer": {**taxpayer, "name": self.name} if taxpayer and self.name else taxpayer,
            "credential": self.credential.row() if self.credential else None,
            "tags": tags,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }


@dataclass(kw_only=True)
class Settlement:
    """What later receipts did to an invoice: payments and credit notes."""

    paid: Decimal = ZERO
    credited: Decimal = ZERO
    credited_subtotal: Decimal = ZERO
    last_payment: datetime | None = None

    @classmethod
    def by_invoice(cls, rows: Iterable[Cfdi]) -> dict[str, "Settlement"]:
        """Sum payments and credit notes per invoice uuid."""
        found: dict[str, Settlement] = {}
        for row in rows:
            for document in row.payment.documents if row.payment else ():
                mine = found.setdefault(document.uuid, cls())
                mine.paid += document.paid
                mine.last_payment = row.payment.at if row.payment else None
            for uuid in row.related:
                mine = found.setdefault(uuid, cls())
                mine.credited += row.total
                mine.credited_subtotal += row.subtotal
        return found


def invoice_row(
    cfdi: Cfdi,
    entity: str,
    settled: Settlement | None,
    *,
    now: datetime,
    xml: bool,
    pdf: bool,
    known: Mapping[str, str],
) -> JsonObject:
    """Give a CFDI as Syntage's `InvoiceCollectionItem`; `known` are the ids of invoices held, by fiscal uuid."""
    number = invoice_id(entity, cfdi)
    return {
        "@id": f"/invoices/{number}",
        "@type": "Invoice",
        "id": number,
        "uuid": cfdi.uuid,
        "version": Decimal("4.0"),
        "reference": cfdi.series,
        "internalIdentifier": cfdi.folio,
        "type": cfdi.kind,
        "usage": cfdi.usage,
        "paymentType": cfdi.payment_method,  # Syntage swaps the words: paymentType is PUE or PPD
        "paymentMethod": cfdi.payment_form,
        "paymentTerms": "net_30" if cfdi.payment_method == "PPD" else None,
        "placeOfIssue": cfdi.issuer.postal_code,
        "issuer": {
            "rfc": cfdi.issuer.rfc,
            "name": cfdi.issuer.name,
            "taxRegime": int(cfdi.issuer.regime),
            "blacklistStatus": None,
        },
        "isIssuer": cfdi.is_issued,
        "receiver": {"rfc": cfdi.receiver.rfc, "name": cfdi.receiver.name, "blacklistStatus": None},
        "isReceiver": not cfdi.is_issued,
        "currency": cfdi.currency,
        "discount": cfdi.discount,
        "tax": cfdi.tax,
        "subtotal": cfdi.subtotal,
        **_settlement(cfdi, settled),
        "total": cfdi.total,
        "exchangeRate": cfdi.exchange_rate if cfdi.currency == "USD" else None,
        "paymentTermsRaw": "30 dias" if cfdi.payment_method == "PPD" else None,
        **_standing(cfdi, now.date()),
        "pac": PAC,
        "issuedAt": stamp(cfdi.issued_at),
        "certifiedAt": stamp(cfdi.issued_at + timedelta(seconds=9)),
        "relations": [_relation(number, uuid, known.get(uuid), now) for uuid in cfdi.related],
        "xml": xml,
        "pdf": pdf,
        "createdAt": stamp(now),
        "updatedAt": stamp(now),
    }


def _settlement(cfdi: Cfdi, settled: Settlement | None) -> JsonObject:
    mine = settled or Settlement()
    is_paid_at_once = cfdi.payment_method == "PUE"
    paid = cfdi.total - mine.credited if is_paid_at_once else mine.paid
    due = cfdi.total - paid - mine.credited
    last = cfdi.issued_at if is_paid_at_once else mine.last_payment
    return {
        "creditedAmount": mine.credited or None,
        "subtotalCreditedAmount": mine.credited_subtotal or None,
        "paidAmount": paid,
        "dueAmount": due,
        "lastPaymentDate": maybe(last),
        "fullyPaidAt": None if due else maybe(last),
    }


def _standing(cfdi: Cfdi, today: date) -> JsonObject:
    is_cancelled = cfdi.is_cancelled(today)
    at = datetime.combine(cfdi.cancelled_on, time(18), tzinfo=cfdi.issued_at.tzinfo) if cfdi.cancelled_on else None
    return {
        "status": "CANCELADO" if is_cancelled else "VIGENTE",
        "cancellationStatus": "Cancelable con aceptación" if cfdi.kind == "I" else "Cancelable sin aceptación",
        "cancellationProcessStatus": "Cancelado con aceptación" if is_cancelled else None,
        "canceledAt": maybe(at) if is_cancelled else None,
    }


def _relation(invoice: str, uuid: str, related: str | None, now: datetime) -> JsonObject:
    number = str(uuid5(UUID(invoice), uuid))
    return {
        "@id": f"/invoices/relations/{number}",
        "@type": "InvoiceRelation",
        "id": number,
        "type": 1,
        "invoice": f"/invoices/{invoice}",
        "relatedInvoice": f"/invoices/{related}" if related else None,
        "relatedInvoiceUuid": uuid,
        "createdAt": stamp(now),
        "updatedAt": stamp(now),
    }


def collection(context: str, path: str, members: list[Json], view: JsonObject | None, total: int | None) -> JsonObject:
    """Give the JSON-LD envelope of a list."""
    envelope: JsonObject = {
        "@context": f"/contexts/{context}",
        "@id": path,
        "@type": "hydra:Collection",
        "hydra:member": members,
    }
    if total is not None:
        envelope["hydra:totalItems"] = total
    if view is not None:
        envelope["hydra:view"] = view
    return envelope
