"""Tax status, tax compliance and tax retentions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from .record import Record


class TaxPayer(Record, frozen=True, kw_only=True):
    """Who the taxpayer is; `status_padron` is ACTIVO or INACTIVO."""

    rfc: str | None = None
    curp: str | None = None
    name: str | None = None
    first_last_name: str | None = None
    second_last_name: str | None = None
    start_operations_date: date | None = None
    status_padron: str | None = None
    last_status_change_date: date | None = None
    commercial_name: str | None = None
    social_name: str | None = None
    email: str | None = None
    phone: str | None = None


class BetweenStreets(Record, frozen=True, kw_only=True):
    """The streets that an address lies between."""

    street_one: str | None = None
    street_two: str | None = None


class Address(Record, frozen=True, kw_only=True):
    """A taxpayer's fiscal address."""

    postal_code: str | None = None
    street_type: str | None = None
    street: str | None = None
    exterior_number: str | None = None
    interior_number: str | None = None
    suburb: str | None = None
    locality: str | None = None
    municipality: str | None = None
    state: str | None = None
    between_street: tuple[BetweenStreets, ...] | None = ()


class EconomicActivity(Record, frozen=True, kw_only=True):
    """One activity of a taxpayer. `initial_date` and `percentage` have no documented form, so they stay text."""

    economic_activity: str | None = None
    initial_date: str | None = None
    end_date: date | None = None
    order: str | None = None
    percentage: str | None = None


class Regime(Record, frozen=True, kw_only=True):
    """One tax regime of a taxpayer."""

    regimen: str | None = None
    initial_date: date | None = None
    end_date: date | None = None


class Obligation(Record, frozen=True, kw_only=True):
    """One obligation of a taxpayer; `expiration` is SAT's sentence on when it is due."""

    obligation: str | None = None
    expiration: str | None = None
    initial_date: date | None = None
    end_date: date | None = None


class TaxStatus(Record, frozen=True, kw_only=True):
    """A taxpayer's proof of tax situation. `pdf` is Base64, and None unless it was asked for."""

    id: str | None = None
    link: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    place_and_date_of_issuance: str | None = None
    official_name: str | None = None
    id_cif: str | None = None
    tax_payer_information: TaxPayer | None = None
    address: Address | None = None
    economic_activity: tuple[EconomicActivity, ...] | None = ()
    regimes: tuple[Regime, ...] | None = ()
    obligations: tuple[Obligation, ...] | None = ()
    digital_stamp: str | None = None
    digital_stamp_chain: str | None = None
    pdf: str | None = None


class TaxComplianceStatus(Record, frozen=True, kw_only=True):
    """SAT's opinion on whether a taxpayer meets its obligations: POSITIVE, NEGATIVE or NO_OBLIGATIONS.

    It names no link. `pdf` is Base64, and None unless it was asked for.
    """

    id: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    internal_identification: str | None = None
    rfc: str | None = None
    outcome: str | None = None
    pdf: str | None = None


class RetentionBreakdown(Record, frozen=True, kw_only=True):
    """One tax held back; `payment_status` is PAID or PROVISIONED."""

    base_amount: Decimal | None = None
    tax_type: str | None = None
    retained_amount: Decimal | None = None
    payment_status: str | None = None


class TaxRetention(Record, frozen=True, kw_only=True):
    """One certificate of retained taxes; `receiver_nationality` is NATIONAL or FOREIGN."""

    id: str | None = None
    link: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    invoice_identification: str | None = None
    version: str | None = None
    code: int | None = None
    issued_at: datetime | None = None
    certified_at: datetime | None = None
    cancelled_at: datetime | None = None
    sender_id: str | None = None
    sender_name: str | None = None
    receiver_nationality: str | None = None
    receiver_id: str | None = None
    receiver_name: str | None = None
    total_invoice_amount: Decimal | None = None
    total_exempt_amount: Decimal | None = None
    total_retained_amount: Decimal | None = None
    total_taxable_amount: Decimal | None = None
    retention_breakdown: tuple[RetentionBreakdown, ...] | None = ()
    xml: str | None = None
