"""Records of what taxpayers owe, declare and are certified: all from the SAT."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from .record import Dated, File, Part, Record, Taxpayer


class TaxPayment(Dated, frozen=True, kw_only=True):
    """What a return owed and how it was paid. Amounts are in pesos."""

    _instants: ClassVar[tuple[str, ...]] = ("due_date", "date")

    due_amount: Decimal | None = None
    due_date: datetime | None = None
    code: str | None = None
    bank: str | None = None
    paid_amount: Decimal | None = None
    date: datetime | None = None
    operation_number: str | None = None


class TaxReturn(Record, frozen=True, kw_only=True):
    """A filed return (OpenAPI, TaxReturn).

    `interval_unit` is Anual, Mensual or RIF; `period` the SAT's word for the months (Febrero); `presented_at` the
    filing date; `type` Normal or a Complementaria, whose kind is in `complementary`. `capture_line` is what is paid
    by.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "presented_at")

    taxpayer: Taxpayer | None = None
    operation_number: int | None = None
    interval_unit: str | None = None
    period: str | None = None
    fiscal_year: str | None = None
    type: str | None = None
    complementary: str | None = None
    presented_at: datetime | None = None
    capture_line: str | None = None
    files: tuple[File, ...] | None = None
    issif_obligation: bool | None = None
    payment: TaxPayment | None = None


class Person(Part, frozen=True, kw_only=True):
    """A natural person on the tax status certificate."""

    full_name: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    curp: str | None = None


class Company(Part, frozen=True, kw_only=True):
    """A legal person on the tax status certificate."""

    legal_name: str | None = None
    trade_name: str | None = None
    entity_type: str | None = None


class Address(Part, frozen=True, kw_only=True):
    """The fiscal address. `status_raw` is whether the SAT found the taxpayer there, in its words."""

    street_references: tuple[str, ...] | None = None
    street_number: str | None = None
    building_number: str | None = None
    locality: str | None = None
    municipality: str | None = None
    postal_code: str | None = None
    state: str | None = None
    street_name: str | None = None
    street_type: str | None = None
    neighborhood: str | None = None
    status_raw: str | None = None


class EconomicActivity(Part, frozen=True, kw_only=True):
    """What the taxpayer does. `order` and `percentage` are texts."""

    name: str | None = None
    order: str | None = None
    percentage: str | None = None
    end_date: date | None = None
    start_date: date | None = None


class TaxRegime(Part, frozen=True, kw_only=True):
    """A regime the taxpayer is or was in; `code` is the SAT's."""

    code: int | None = None
    name: str | None = None
    end_date: date | None = None
    start_date: date | None = None


class Obligation(Part, frozen=True, kw_only=True):
    """Something the taxpayer must file. `due_date` is a text such as "the 17th of the next month"."""

    description: str | None = None
    due_date: str | None = None
    end_date: date | None = None
    start_date: date | None = None


class TaxStatus(Record, frozen=True, kw_only=True):
    """The tax status certificate (constancia de situación fiscal; OpenAPI, TaxStatus).

    `person` or `company`, by kind of taxpayer; `cif` is the id of the certificate.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "started_operations_at", "status_updated_at")

    file: File | None = None
    rfc: str | None = None
    cif: str | None = None
    person: Person | None = None
    company: Company | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    economic_activities: tuple[EconomicActivity, ...] | None = None
    tax_regimes: tuple[TaxRegime, ...] | None = None
    obligations: tuple[Obligation, ...] | None = None
    started_operations_at: datetime | None = None
    status: str | None = None
    status_updated_at: datetime | None = None


class CheckedTaxpayer(Part, frozen=True, kw_only=True):
    """Whose compliance was checked."""

    rfc: str | None = None
    name: str | None = None


class TaxComplianceCheck(Record, frozen=True, kw_only=True):
    """The SAT's opinion of compliance (OpenAPI, TaxComplianceCheck).

    `result` is positive, negative, no_obligations or activity_suspended.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "checked_at")

    file: File | None = None
    internal_identifier: str | None = None
    taxpayer: CheckedTaxpayer | None = None
    result: str | None = None
    checked_at: datetime | None = None


class RetentionIssuer(Part, frozen=True, kw_only=True):
    """Who withheld."""

    rfc: str | None = None
    name: str | None = None
    curp: str | None = None


class RetentionReceiver(Part, frozen=True, kw_only=True):
    """Whose tax was withheld. `nationality` is national or foreign."""

    rfc: str | None = None
    name: str | None = None
    nationality: str | None = None
    curp: str | None = None


class RetentionItem(Part, frozen=True, kw_only=True):
    """One tax withheld. `payment_type` is provisional or definitive."""

    base_amount: Decimal | None = None
    tax_type: str | None = None
    retained_amount: Decimal | None = None
    payment_type: str | None = None


class TaxRetention(Record, frozen=True, kw_only=True):
    """A retention CFDI (OpenAPI, TaxRetention). `uuid` is its fiscal folio, `code` the SAT's kind of retention.

    `period_from` to `period_to` is what it is about; `xml` and `pdf` say whether the file is held.
    """

    _instants: ClassVar[tuple[str, ...]] = (
        "created_at",
        "updated_at",
        "issued_at",
        "certified_at",
        "canceled_at",
        "period_from",
        "period_to",
    )

    uuid: str | None = None
    version: Decimal | None = None
    code: str | None = None
    description: str | None = None
    issuer: RetentionIssuer | None = None
    receiver: RetentionReceiver | None = None
    pac: str | None = None
    internal_identifier: str | None = None
    issued_at: datetime | None = None
    certified_at: datetime | None = None
    canceled_at: datetime | None = None
    items: tuple[RetentionItem, ...] | None = None
    total_operation_amount: Decimal | None = None
    total_taxable_amount: Decimal | None = None
    total_exempt_amount: Decimal | None = None
    total_retained_amount: Decimal | None = None
    period_from: datetime | None = None
    period_to: datetime | None = None
    pdf: bool | None = None
    xml: bool | None = None


class ElectronicAccountingRecord(Record, frozen=True, kw_only=True):
    """One sending of electronic accounting (resources/datasources/sat/electronic-accounting).

    `month` 13 is the yearly closing. `type` is N (normal) or C (complementary), `file_type` CT, B, PL, XF or XC;
    `status` received, accepted or rejected. The files are ZIP archives.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "received_at")

    year: int | None = None
    month: int | None = None
    type: str | None = None
    reason: str | None = None
    file_type: str | None = None
    filename: str | None = None
    code: str | None = None
    received_at: datetime | None = None
    status: str | None = None
    files: tuple[File, ...] | None = None


class CertificateIssuer(Part, frozen=True, kw_only=True):
    """The X.509 name of the authority; each field is the attribute of that name."""

    common_name: str | None = msgspec.field(default=None, name="id-at-commonName")
    postal_code: str | None = msgspec.field(default=None, name="id-at-postalCode")
    country_name: str | None = msgspec.field(default=None, name="id-at-countryName")
    locality_name: str | None = msgspec.field(default=None, name="id-at-localityName")
    street_address: str | None = msgspec.field(default=None, name="id-at-streetAddress")
    organization_name: str | None = msgspec.field(default=None, name="id-at-organizationName")
    unique_identifier: str | None = msgspec.field(default=None, name="id-at-uniqueIdentifier")
    email_address: str | None = msgspec.field(default=None, name="pkcs-9-at-emailAddress")
    state_or_province_name: str | None = msgspec.field(default=None, name="id-at-stateOrProvinceName")
    unstructured_name: str | None = msgspec.field(default=None, name="pkcs-9-at-unstructuredName")
    organizational_unit_name: str | None = msgspec.field(default=None, name="id-at-organizationalUnitName")


class CertificateSubject(Part, frozen=True, kw_only=True):
    """The X.509 name of the holder; `serial_number` is the RFC or the CURP, `unique_identifier` the RFC."""

    name: str | None = msgspec.field(default=None, name="id-at-name")
    common_name: str | None = msgspec.field(default=None, name="id-at-commonName")
    country_name: str | None = msgspec.field(default=None, name="id-at-countryName")
    serial_number: str | None = msgspec.field(default=None, name="id-at-serialNumber")
    organization_name: str | None = msgspec.field(default=None, name="id-at-organizationName")
    unique_identifier: str | None = msgspec.field(default=None, name="id-at-uniqueIdentifier")
    email_address: str | None = msgspec.field(default=None, name="pkcs-9-at-emailAddress")


class SatCertificate(Record, frozen=True, kw_only=True):
    """A certificate the SAT issued to the taxpayer. `type` is efirma or csd, `status` valid, revoked or expired.

    `link` is the IRI of the entity.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "valid_from", "valid_to", "revoked_at")

    link: str | None = None
    serial_number: str | None = None
    type: str | None = None
    issuer: CertificateIssuer | None = None
    subject: CertificateSubject | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    file: File | None = None
    status: str | None = None
    revoked_at: datetime | None = None
