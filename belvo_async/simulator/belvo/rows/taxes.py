"""What the SAT says of a taxpayer, in Belvo's own shape: tax status, compliance status, tax retentions."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Final
from uuid import UUID, uuid5
from xml.sax.saxutils import quoteattr

from ...cfdi import ZERO
from ...fiscal import FIRST_YEAR, Books, cents
from ...taxpayers import Taxpayer
from ...wire import Json, JsonObject
from .invoices import PDF, Filed, stamp
from .returns import MONTHS

REGIMES: Final = {
    "601": "Régimen General de Ley Personas Morales",
    "612": "Régimen de las Personas Físicas con Actividades Empresariales y Profesionales",
    "626": "Régimen Simplificado de Confianza",
}
_TOWNS: Final = (("GUADALAJARA", "JALISCO"), ("LEON", "GUANAJUATO"), ("MERIDA", "YUCATAN"), ("SALTILLO", "COAHUILA"))
_ACTIVITIES: Final = ("Comercio al por menor de papelería", "Fabricación de calzado", "Autotransporte local de carga",
               "Servicios de consultoría en administración")  # fmt: skip
_OUTCOMES: Final = ("POSITIVE",) * 8 + ("NEGATIVE", "NO_OBLIGATIONS")
# SAT's keys of retentions: services, dividends, interest, disposal of goods, digital platforms.
_RETENTION_CODES: Final = (1, 14, 16, 25, 26)
_ISR, _IVA = "01", "02"


def snapshot_id(link: str, kind: str, day: date) -> str:
    """Give the id of what was collected on a day; a second look on the same day replaces the first."""
    return str(uuid5(UUID(link), f"{kind}:{day}"))


def tax_status(seed: int, subject: Taxpayer, link: str, *, collected_at: datetime, pdf: bool) -> Filed:
    """Give the registration of a taxpayer (Constancia de Situación Fiscal) as Belvo's `TaxStatus`."""
    rng = Random(f"{seed}:{subject.rfc}:status")
    town, state = rng.choice(_TOWNS)
    since = subject.registered_on.isoformat()
    today = collected_at.date()
    number = snapshot_id(link, "tax-status", today)
    stamped = f"||{today:%Y/%m/%d}|{subject.rfc}|CONSTANCIA DE SITUACIÓN FISCAL||"
    activities: list[Json] = [
        {"economic_activity": name, "initial_date": since, "end_date": None, "order": str(order), "percentage": share}
        for order, (name, share) in enumerate(zip(rng.sample(_ACTIVITIES, 2), ("70", "30"), strict=True), start=1)
    ]
    row: JsonObject = {
        "id": number,
        "link": link,
        "collected_at": stamp(collected_at),
        "created_at": stamp(collected_at),
        "place_and_date_of_issuance": (
            f"{town} , {state} A {today.day:02} DE {MONTHS[today.month - 1].upper()} DE {today.year}"
        ),
        "official_name": subject.name,
        "id_cif": f"{rng.randrange(10**10, 10**11)}",
        "tax_payer_information": _taxpayer(rng, subject),
        "address": _address(rng, subject, town, state),
        "economic_activity": activities,
        "regimes": [{"regimen": REGIMES[subject.regime], "initial_date": since, "end_date": None}],
        "obligations": _obligations(subject, since),
        "digital_stamp": stamped,
        "digital_stamp_chain": b64encode(sha256(stamped.encode()).digest()).decode(),
        "pdf": PDF if pdf else None,
    }
    return Filed(id=number, link=link, row=row)


def _taxpayer(rng: Random, subject: Taxpayer) -> JsonObject:
    given, first, second = (*subject.name.split(), "", "")[:3]
    is_person = not subject.is_company
    since = subject.registered_on.isoformat()
    # A CURP repeats the first ten characters of a person's RFC; the rest is invented.
    curp = f"{subject.rfc[:10]}HJC{''.join(rng.choices('BCDFGHJKLM', k=3))}0{rng.randrange(10)}"
    return {
        "rfc": subject.rfc,
        "curp": curp if is_person else None,
        "name": given if is_person else None,
        "first_last_name": first if is_person else None,
        "second_last_name": second if is_person else None,
        "start_operations_date": since,
        "status_padron": "ACTIVO",
        "last_status_change_date": since,
        "commercial_name": None if is_person else subject.name.removesuffix(" SA DE CV").title(),
        "social_name": None if is_person else subject.name.removesuffix(" SA DE CV"),
        "email": "contacto@example.com",
        "phone": f"33{rng.randrange(10**7, 10**8)}" if rng.random() < 0.5 else None,
    }


def _address(rng: Random, subject: Taxpayer, town: str, state: str) -> JsonObject:
    return {
        "postal_code": subject.postal_code,
        "street_type": "CALLE",
        "street": rng.choice(("MORELOS", "ALLENDE", "ALDAMA", "BRAVO")),
        "exterior_number": str(rng.randrange(1, 2000)),
        "interior_number": str(rng.randrange(1, 20)) if rng.random() < 0.3 else None,
        "suburb": "CENTRO",
        "locality": None,
        "municipality": town,
        "state": state,
        "between_street": [{"street_one": "DONATO GUERRA", "street_two": "OCHO DE JULIO"}],
    }


def _obligations(subject: Taxpayer, since: str) -> list[Json]:
    yearly = "tres" if subject.is_company else "cuatro"
    return [
        {"obligation": name, "expiration": expiration, "initial_date": since, "end_date": None}
        for name, expiration in (
            ("Pago definitivo mensual de IVA", "A más tardar el día 17 del mes siguiente"),
            ("Declaración anual de ISR del ejercicio", f"Dentro de los {yearly} meses siguientes al cierre"),
        )
    ]


def compliance_status(seed: int, subject: Taxpayer, link: str, *, collected_at: datetime, pdf: bool) -> Filed:
    """Give the opinion on a taxpayer's obligations as Belvo's `TaxComplianceStatus`, which names no link."""
    today = collected_at.date()
    rng = Random(f"{seed}:{subject.rfc}:compliance:{today}")
    number = snapshot_id(link, "tax-compliance-status", today)
    row: JsonObject = {
        "id": number,
        "collected_at": stamp(collected_at),
        "created_at": stamp(collected_at),
        "internal_identification": f"{today:%y}NA{rng.randrange(10**7):07}",
        "pdf": PDF if pdf else None,
        "rfc": subject.rfc,
        "outcome": rng.choice(_OUTCOMES),
    }
    return Filed(id=number, link=link, row=row)


class Retentions:
    """The retention receipts of one subject: so many a year, issued or received."""

    def __init__(self, books: Books, subject: Taxpayer, *, per_year: int) -> None:
        self._books = books
        self._subject = subject
        self._per_year = per_year

    def between(
        self, link: str, date_from: date, date_to: date, direction: str | None, *, collected_at: datetime, xml: bool
    ) -> list[Filed]:
        """Give those issued from one date to another as Belvo's `TaxRetentions`, oldest first."""
        rows = [
            (issued, self._row(rng, link, issued, is_issued, collected_at, xml=xml))
            for year in range(max(date_from.year, FIRST_YEAR), date_to.year + 1)
            for rng, issued, is_issued in self._year(year)
            if date_from <= issued.date() <= date_to and direction in (None, "OUTFLOW" if is_issued else "INFLOW")
        ]
        return [filed for _, filed in sorted(rows, key=lambda pair: (pair[0], pair[1].id))]

    def _year(self, year: int) -> Iterator[tuple[Random, datetime, bool]]:
        days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
        for number in range(self._per_year):
            rng = Random(f"{self._books.seed}:{self._subject.rfc}:retention:{year}:{number}")
            issued = datetime(year, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(days * 86400))
            yield rng, issued, rng.random() < 0.5

    def _row(
        self, rng: Random, link: str, issued: datetime, is_issued: bool, collected_at: datetime, *, xml: bool
    ) -> Filed:
        other = rng.choice(self._books.others)
        sender, receiver = (self._subject, other) if is_issued else (other, self._subject)
        uuid = str(UUID(int=rng.getrandbits(128), version=4))
        cancelled = issued + timedelta(days=rng.randrange(2, 60)) if rng.random() < 0.08 else None
        is_foreign = is_issued and rng.random() < 0.15
        amounts = _amounts(rng)
        number = str(uuid5(UUID(link), uuid))
        row: JsonObject = {
            "id": number,
            "link": link,
            "collected_at": stamp(collected_at),
            "created_at": stamp(collected_at),
            "invoice_identification": uuid,
            "version": "2.0",
            "code": rng.choice(_RETENTION_CODES),
            "issued_at": _seconds(issued),
            "certified_at": _seconds(issued + timedelta(seconds=1)),
            "cancelled_at": _seconds(cancelled) if cancelled and cancelled <= collected_at else None,
            "sender_id": sender.rfc,
            "sender_name": sender.name,
            "receiver_nationality": "FOREIGN" if is_foreign else "NATIONAL",
            # Nobody abroad has an RFC.
            "receiver_id": None if is_foreign else receiver.rfc,
            "receiver_name": "OVERSEAS TRADING LTD" if is_foreign else receiver.name,
            **amounts,
            "xml": _xml(uuid, issued, sender) if xml else None,
        }
        return Filed(id=number, link=link, row=row)


def _amounts(rng: Random) -> JsonObject:
    total = Decimal(rng.randrange(50_000, 50_000_000)) / 100
    exempt = cents(total * rng.randrange(1, 30) / 100) if rng.random() < 0.2 else ZERO
    taxable = total - exempt
    taxes = [(_ISR, cents(taxable / 10))]
    if rng.random() < 0.4:
        taxes.append((_IVA, cents(taxable * 16 / 100 * 2 / 3)))
    breakdown: list[Json] = [
        {
            "base_amount": taxable,
            "tax_type": tax,
            "retained_amount": amount,
            "payment_status": rng.choice(("PAID", "PROVISIONED")),
        }
        for tax, amount in taxes
    ]
    return {
        "total_invoice_amount": total,
        "total_exempt_amount": exempt,
        "total_retained_amount": sum((amount for _, amount in taxes), ZERO),
        "total_taxable_amount": taxable,
        "retention_breakdown": breakdown,
    }


def _seconds(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _xml(uuid: str, issued: datetime, sender: Taxpayer) -> str:
    """Give the receipt as SAT's retention XML 2.0, unsigned and without its details."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<retenciones:Retenciones xmlns:retenciones="http://www.sat.gob.mx/esquemas/retencionpago/2"'
        f' Version="2.0" FechaExp="{issued:%Y-%m-%dT%H:%M:%S}">'
        f"<retenciones:Emisor RfcE={quoteattr(sender.rfc)}/>"
        '<retenciones:Complemento><tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital"'
        f" UUID={quoteattr(uuid)}/></retenciones:Complemento></retenciones:Retenciones>"
    )
