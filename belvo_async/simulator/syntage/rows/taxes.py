"""What the SAT extractors besides `invoice` bring: returns, status, checks, retentions, accounting, certificates."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final, TypeAlias
from uuid import UUID

from ...cfdi import ZERO
from ...examples import as_in_examples
from ...fiscal import FIRST_YEAR, cents
from ...taxpayers import Taxpayer, counterparties
from ...wire import Json, JsonObject
from ..files.held import Files, HeldFile, pdf_of, zip_of
from .invoices import PAC, Entity, record_id, stamp

Gathered: TypeAlias = Iterator[tuple[str, JsonObject]]  # the kind of record, and the record
MONTHS: Final = ("Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio", "Julio", "Agosto", "Septiembre", "Octubre",
          "Noviembre", "Diciembre")  # fmt: skip
_BANKS: Final = ("BANCO DEL BAJIO", "BANCO DE TAPALPA", "BANCO DEL ISTMO")
_CODES: Final = (
    ("14", "Dividendos o utilidades distribuidos"), ("16", "Intereses"), ("25", "Otro tipo de retenciones"),
    ("26", "Servicios mediante plataformas tecnológicas"))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Trip:
    """One extraction on its way: whose, when, which period, and where its files go."""

    entity: Entity
    source: str  # the IRI of the extraction
    options: JsonObject = field(repr=False)
    start: datetime
    end: datetime
    now: datetime
    seed: int
    files: Files
    xml: bool = True
    example_share: float = 0

    @property
    def subject(self) -> Taxpayer:
        """Whose records they are."""
        return self.entity.subject

    def rng(self, *purpose: object) -> Random:
        """Give chance that is the same for the same seed, taxpayer and purpose."""
        words = ":".join(str(part) for part in purpose)
        return Random(f"{self.seed}:{self.subject.rfc or self.entity.id}:{words}")

    def row(self, kind: str, path: str, key: str, at: datetime, fields: JsonObject) -> tuple[str, JsonObject]:
        """Make a record: the keys every one has, round its own fields."""
        number = self.id_of(key, at)
        head: JsonObject = {"@id": f"{path}/{number}", "@type": kind, "id": number}
        whole = {**head, **fields, "createdAt": stamp(self.now), "updatedAt": stamp(self.now)}
        return kind, as_in_examples(kind, whole, self.example_share, of=f"{self.seed}:{self.subject.rfc}:{key}")

    def id_of(self, key: str, at: datetime) -> str:
        """Give the id of a record; ids sort by `at`."""
        return record_id(self.entity.id, key, at)

    def covers(self, at: datetime) -> bool:
        """Tell whether an instant lies in the period asked for, and in the past."""
        return self.start <= at <= self.end and at <= self.now

    def file(self, type: str, resource: str, make: Callable[[], bytes], extension: str, name: str = "") -> HeldFile:
        """Keep a file that came with the extraction."""
        return self.files.hold(
            type, resource, make, extension=extension, name=name or None, owner=self.entity, source=self.source
        )

    def pdf(self, type: str, resource: str, lines: Sequence[str], name: str = "") -> HeldFile:
        """Keep a page of text as a PDF."""
        return self.file(type, resource, lambda: pdf_of(lines), "pdf", name)

    def years(self) -> range:
        """Give the years there are records of."""
        return range(FIRST_YEAR, self.now.year + 1)


def noon(day: date) -> datetime:
    """Give the middle of a day, in UTC."""
    return datetime.combine(day, time(12), tzinfo=UTC)


def annual_returns(trip: Trip) -> Gathered:
    """Companies file in March, persons in April of the next year."""
    for year in trip.years():
        month = 3 if trip.subject.is_company else 4
        filed = date(year + 1, month, 1 + trip.rng("annual", year).randrange(28))
        yield from _return(trip, "Anual", str(year), year, filed)


def monthly_returns(trip: Trip) -> Gathered:
    """A return for each month, filed by the 17th of the next."""
    for year in trip.years():
        for month in range(1, 13):
            following = date(year + month // 12, month % 12 + 1, 1)
            filed = following + timedelta(days=trip.rng("monthly", year, month).randrange(17))
            yield from _return(trip, "Mensual", MONTHS[month - 1], year, filed)


def rif_returns(trip: Trip) -> Gathered:
    """Six returns a year; only persons ever were in that regime."""
    for year in trip.years() if not trip.subject.is_company else ():
        for month in range(2, 13, 2):
            following = date(year + month // 12, month % 12 + 1, 1)
            filed = following + timedelta(days=trip.rng("rif", year, month).randrange(17))
            yield from _return(trip, "RIF", f"{MONTHS[month - 2]}-{MONTHS[month - 1]}", year, filed)


def _return(trip: Trip, unit: str, period: str, year: int, filed: date) -> Gathered:
    rng = trip.rng(unit, year, period)
    kinds: list[tuple[str, str | None, date]] = [("Normal", None, filed)]
    if rng.random() < 0.15:
        kinds.append(("Complementaria", "Modificación de Declaración", filed + timedelta(days=20)))
    for kind, complementary, day in kinds:
        at = noon(day) + timedelta(seconds=rng.randrange(20000))
        due = cents(Decimal(rng.randrange(100, 9000000)) / 100) if rng.random() < 0.7 else ZERO
        draw = rng.randrange(10**6)
        if trip.covers(at):
            yield _return_row(trip, f"{unit}:{year}:{period}:{kind}", at, due, draw, {
                "intervalUnit": unit,
                "period": period,
                "fiscalYear": str(year),
                "type": kind,
                "complementary": complementary,
            })  # fmt: skip


def _return_row(
    trip: Trip, key: str, at: datetime, due: Decimal, draw: int, what: JsonObject
) -> tuple[str, JsonObject]:
    iri, operation = f"/tax-returns/{trip.id_of(key, at)}", int(f"{at:%y%m%d}{draw:06}")
    text = (f"Declaración {key}", f"RFC {trip.subject.rfc}", f"Número de operación {operation}", f"A cargo {due}")
    names = ("transcript", "ack_receipt", *(("payment_receipt",) if due else ()))
    files = [trip.pdf(f"tax_return.{name}", iri, (name, *text), f"{operation}-{name}.pdf") for name in names]
    head = {name: row for name, row in trip.entity.row().items() if name == "taxpayer"}
    return trip.row("TaxReturn", "/tax-returns", key, at, {
        **head,
        "operationNumber": operation,
        **what,
        "presentedAt": stamp(at),
        "captureLine": f"04{at:%y}00{draw:06}{draw % 97:02}HZ{draw % 9973:04}" if due else None,
        "files": [file.row() for file in files],
        "issifObligation": draw % 2 == 0 if what["intervalUnit"] == "Anual" else None,
        "payment": _return_payment(at, due, draw) if due else None,
    })  # fmt: skip


def _return_payment(at: datetime, due: Decimal, draw: int) -> JsonObject:
    return {
        "dueAmount": due,
        "dueDate": stamp(noon(at.date() + timedelta(days=14))),
        "code": f"{draw:019}",
        "bank": _BANKS[draw % 3],
        "paidAmount": due,
        "date": stamp(noon(at.date() + timedelta(days=draw % 14))),
        "operationNumber": f"{draw:06}",
    }


def tax_status(trip: Trip) -> Gathered:
    """One `constancia de situación fiscal`, kept up to date."""
    subject, rng = trip.subject, trip.rng("tax_status")
    since, at = subject.registered_on.isoformat(), noon(subject.registered_on)
    iri = f"/tax-status/{trip.id_of('tax_status', at)}"
    words = subject.name.split()
    person: JsonObject = {
        "fullName": subject.name,
        "firstName": words[0],
        "middleName": None,
        "lastName": " ".join(words[1:]),
        "curp": curp_of(subject),
    }
    company: JsonObject = {
        "legalName": subject.name.removesuffix(" SA DE CV"),
        "tradeName": subject.name.removesuffix(" SA DE CV"),
        "entityType": "SOCIEDAD ANONIMA DE CAPITAL VARIABLE",
    }
    yield trip.row("TaxStatus", "/tax-status", "tax_status", at, {
        "file": trip.pdf("tax_status.pdf", iri, ("Constancia de situación fiscal", subject.rfc, subject.name)).row(),
        "rfc": subject.rfc,
        "cif": f"{rng.randrange(10**11):011}",
        "person": None if subject.is_company else person,
        "company": company if subject.is_company else None,
        "email": "contacto@example.org",
        "phone": f"33{rng.randrange(10**8):08}",
        "address": address_of(subject, rng),
        "economicActivities": [{"name": "Comercio al por menor", "order": "1", "percentage": "100", "endDate": None,
                                "startDate": since}],
        "taxRegimes": [{"code": int(subject.regime), "name": _regime(subject), "endDate": None, "startDate": since}],
        "obligations": [
            {"description": "Pago definitivo mensual de IVA", "dueDate": "A más tardar el día 17 del mes inmediato "
             "posterior al periodo que corresponda", "endDate": None, "startDate": since},
        ],
        "startedOperationsAt": stamp(at),
        "status": "ACTIVO",
        "statusUpdatedAt": stamp(at),
    })  # fmt: skip


def address_of(subject: Taxpayer, rng: Random) -> JsonObject:
    """Give the invented address of a taxpayer."""
    return {
        "streetReferences": ["ENTRE CALLE JUAREZ", "Y CALLE MORELOS"],
        "streetNumber": str(rng.randrange(1, 900)),
        "buildingNumber": "",
        "locality": "TAPALPA",
        "municipality": "TAPALPA",
        "postalCode": subject.postal_code,
        "state": "JALISCO",
        "streetName": "HIDALGO",
        "streetType": "CALLE",
        "neighborhood": "CENTRO",
        "statusRaw": "LOCALIZADO",
    }


def _regime(subject: Taxpayer) -> str:
    names = {"601": "General de Ley Personas Morales", "626": "Régimen Simplificado de Confianza"}
    return names.get(subject.regime, "Personas Físicas con Actividades Empresariales y Profesionales")


def curp_of(person: Taxpayer) -> str | None:
    """Give an invented CURP of 18 characters; companies have none."""
    return None if person.is_company else f"{person.rfc[:10]}HJCXXX0{person.rfc[-1]}"


def compliance_checks(trip: Trip) -> Gathered:
    """A new `opinión de cumplimiento` each time it is asked for."""
    rng, subject = trip.rng("tax_compliance", trip.now.date()), trip.subject
    result = rng.choice(("positive", "positive", "positive", "negative", "no_obligations", "activity_suspended"))
    folio = f"{trip.now:%y}NA{rng.randrange(10**7):07}"
    key = f"tax_compliance:{stamp(trip.now)}"
    iri = f"/tax-compliance-checks/{trip.id_of(key, trip.now)}"
    kind, row = trip.row("TaxComplianceCheck", "/tax-compliance-checks", key, trip.now, {
        "file": trip.pdf("tax_compliance_check.pdf", iri, ("Opinión de cumplimiento", folio, result)).row(),
        "internalIdentifier": folio,
        "taxpayer": {"rfc": subject.rfc, "name": subject.name},
        "result": result,
        "checkedAt": stamp(trip.now),
    })  # fmt: skip
    del row["updatedAt"]  # the one record without it (vendor schema)
    yield kind, row


def retentions(trip: Trip) -> Gathered:
    """About eight a year; the taxpayer retains from others or others from it."""
    others = counterparties(trip.seed)
    for year in trip.years():
        rng = trip.rng("retention", year)
        for index in range(8):
            at = noon(date(year, 1, 1)) + timedelta(days=rng.randrange(360), seconds=rng.randrange(20000))
            other, is_issued, draw = rng.choice(others), rng.random() < 0.5, rng.getrandbits(128)
            cancelled = at + timedelta(days=9) if rng.random() < 0.05 else None
            wanted = trip.options.get("issued" if is_issued else "received", True)
            if trip.covers(at) and wanted is not False:
                parties = (trip.subject, other) if is_issued else (other, trip.subject)
                yield _retention(trip, f"retention:{year}:{index}", at, parties, draw, cancelled)


def _retention(
    trip: Trip, key: str, at: datetime, parties: tuple[Taxpayer, Taxpayer], draw: int, cancelled: datetime | None
) -> tuple[str, JsonObject]:
    issuer, receiver = parties
    code, description = _CODES[draw % len(_CODES)]
    taxable, exempt = Decimal(draw % 9000000 + 1000) / 100, Decimal(draw % 7000) / 100
    income, vat = cents(taxable / 10), cents(taxable * 8 / 100) if draw % 3 == 0 else ZERO
    items: list[Json] = [_retained(taxable, "ISR", income, "provisional")]
    items += [_retained(taxable, "IVA", vat, "definitive")] if vat else []
    has_xml = trip.xml and trip.options.get("xml", True) is not False
    return trip.row("TaxRetention", "/tax-retentions", key, at, {
        "uuid": str(UUID(int=draw, version=4)),
        "version": Decimal("2.0"),
        "code": code,
        "description": description if code == "25" else None,
        "issuer": {"rfc": issuer.rfc, "name": issuer.name, "curp": curp_of(issuer)},
        "receiver": {"rfc": receiver.rfc, "name": receiver.name, "nationality": "national", "curp": curp_of(receiver)},
        "pac": PAC,
        "internalIdentifier": str(draw % 9973),
        "issuedAt": stamp(at),
        "certifiedAt": stamp(at + timedelta(seconds=9)),
        "canceledAt": stamp(cancelled) if cancelled and cancelled <= trip.now else None,
        "items": items,
        "totalOperationAmount": taxable + exempt,
        "totalTaxableAmount": taxable,
        "totalExemptAmount": exempt,
        "totalRetainedAmount": income + vat,
        "periodFrom": stamp(noon(at.date().replace(day=1))),
        "periodTo": stamp(noon(at.date())),
        "pdf": trip.options.get("pdf", True) is not False,
        "xml": has_xml,
    })  # fmt: skip


def _retained(base: Decimal, tax: str, amount: Decimal, kind: str) -> JsonObject:
    return {"baseAmount": base, "taxType": tax, "retainedAmount": amount, "paymentType": kind}


def accounting_records(trip: Trip) -> Gathered:
    """A catalogue a year, a trial balance each month, and the balance of month 13 that closes the year."""
    for year in trip.years():
        for month, file_type in ((1, "CT"), *((month, "B") for month in range(1, 14))):
            rng = trip.rng("accounting", year, month, file_type)
            filed = date(year + month // 11, (month + 1) % 12 + 1, 1) if month < 13 else date(year + 1, 4, 20)
            at = noon(filed + timedelta(days=rng.randrange(5)))
            status = rng.choice(("accepted",) * 8 + ("received", "rejected"))
            if trip.covers(at):
                yield _accounting_record(trip, year, month, file_type, at, status, rng.randrange(10**22))


def _accounting_record(
    trip: Trip, year: int, month: int, file_type: str, at: datetime, status: str, code: int
) -> tuple[str, JsonObject]:
    kind = "N" if file_type == "B" else None
    key = f"accounting:{year}:{month}:{file_type}"
    iri = f"/electronic-accounting-records/{trip.id_of(key, at)}"
    name = f"{trip.subject.rfc}{year}{month:02}{file_type}{kind or ''}"
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Envio Tipo="{file_type}" Mes="{month:02}" Anio="{year}"/>'.encode()
    record = trip.file("electronic_accounting_record", iri, lambda: zip_of({f"{name}.xml": xml}), "zip", f"{name}.zip")
    receipt = trip.file(
        "electronic_accounting_record.receipt", iri, lambda: pdf_of((name, status)), "pdf", f"{name}-acuse.pdf"
    )
    return trip.row("ElectronicAccountingRecord", "/electronic-accounting-records", key, at, {
        "year": year,
        "month": month,
        "type": kind,
        "reason": "EM" if file_type == "B" else "AF",
        "fileType": file_type,
        "filename": f"{name}.zip",
        "code": f"{code:022}",
        "receivedAt": stamp(at),
        "status": status,
        "files": [record.row(), receipt.row()],
    })  # fmt: skip


def certificates(trip: Trip) -> Gathered:
    """An e.firma in force, an older one that expired, and for companies two CSDs, one revoked."""
    today = trip.now
    plans: list[tuple[str, int, int | None]] = [("efirma", 6, None), ("efirma", 1, None)]
    plans += [("csd", 2, None), ("csd", 3, 400)] if trip.subject.is_company else []
    for kind, age, revoked_after in plans:
        rng = trip.rng("certificate", kind, age)
        begins = noon(date(today.year - age, 1 + rng.randrange(12), 1 + rng.randrange(28)))
        ends = noon(begins.date().replace(year=begins.year + 4))
        revoked = begins + timedelta(days=revoked_after) if revoked_after else None
        number = f"{rng.randrange(10**20):020}"
        if begins <= today:
            yield _certificate(trip, kind, number, begins, ends, revoked if revoked and revoked <= today else None)


def _certificate(
    trip: Trip, kind: str, serial: str, begins: datetime, ends: datetime, revoked: datetime | None
) -> tuple[str, JsonObject]:
    subject, key = trip.subject, f"certificate:{serial}"
    path = "/datasources/mx/sat/certificados"
    file = trip.file(
        "sat_certificate.cer", f"{path}/{trip.id_of(key, begins)}", lambda: f"{serial} {subject.rfc}".encode(), "cer"
    )
    status = "revoked" if revoked else "valid" if ends > trip.now else "expired"
    return trip.row("SatCertificate", path, key, begins, {
        "link": trip.entity.iri,
        "serialNumber": serial,
        "type": kind,
        "issuer": {
            "id-at-commonName": "AC DEL SERVICIO DE ADMINISTRACION TRIBUTARIA",
            "id-at-postalCode": "06300",
            "id-at-countryName": "MX",
            "id-at-localityName": "CUAUHTEMOC",
            "id-at-streetAddress": "AV. HIDALGO 77, COL. GUERRERO",
            "id-at-organizationName": "SERVICIO DE ADMINISTRACION TRIBUTARIA",
            "id-at-uniqueIdentifier": "2.5.4.45",
            "pkcs-9-at-emailAddress": "contacto@example.org",
            "id-at-stateOrProvinceName": "CIUDAD DE MEXICO",
            "pkcs-9-at-unstructuredName": "responsable: ADMINISTRACION CENTRAL",
            "id-at-organizationalUnitName": "SAT-IES Authority",
        },
        "subject": {
            "id-at-name": subject.name,
            "id-at-commonName": subject.name,
            "id-at-countryName": "MX",
            "id-at-serialNumber": subject.rfc,
            "id-at-organizationName": subject.name,
            "id-at-uniqueIdentifier": subject.rfc,
            "pkcs-9-at-emailAddress": "contacto@example.org",
        },
        "validFrom": stamp(begins),
        "validTo": stamp(ends),
        "file": file.row(),
        "status": status,
        "revokedAt": stamp(revoked) if revoked else None,
    })  # fmt: skip
