"""Company Verification: reports, and the people and companies that their documents name."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from msgspec.structs import force_setattr

from .....discreet import discreet
from ..downloads import OneFile
from ..forms.filters import Contains, Filter
from ..forms.requests import Get
from ..forms.subjects import read_id
from ..queries import ListQuery, OfObject
from ..record import Dated, File, Part, Record
from ..registers import RpcEntidadeName


class CompanyVerificationReport(Record, frozen=True, kw_only=True):
    """A report on a company (OpenAPI, CompanyVerificationReport).

    `link` is the IRI of the entity, `extraction` of what brought the report; `rpc_entity` the company in the commercial
    register. `FoundEntities` are what it found.
    """

    link: str | None = None
    rpc_entity: RpcEntidadeName | None = None
    extraction: str | None = None
    files: tuple[File, ...] | None = None


class SeriesHolding(Part, frozen=True, kw_only=True):
    """What somebody holds of one series of shares. `capital_type` is fixed, variable or unspecified.

    `bucket_percentage` is the share of that series: all holdings of it are 100 together.
    """

    id: str | None = None
    capital_type: str | None = None
    series: str | None = None
    shares: int | None = None
    amount: Decimal | None = None
    value_per_share: Decimal | None = None
    bucket_percentage: Decimal | None = None


class Power(Dated, frozen=True, kw_only=True):
    """A power of attorney. `status` is current or expired, at the day of the report.

    `power` is a word like administrative_acts; None where the power is one of another document (`reference_...`).
    """

    _instants: ClassVar[tuple[str, ...]] = ("granted_at", "expiration_date")

    id: str | None = None
    status: str | None = None
    power: str | None = None
    granted_at: datetime | None = None
    expiration_date: datetime | None = None
    expiration_source: str | None = None
    document_source: str | None = None
    document_number: str | None = None
    document_granting_state: str | None = None
    reference_external: bool | None = None
    reference_text: str | None = None
    reference_document_number: str | None = None
    exercise_jointly_with: str | None = None
    exercise_jointly_required: bool | None = None
    exercise_substitution_allowed: bool | None = None
    exercise_limitations: str | None = None
    real_estate_can_acquire: bool | None = None
    real_estate_can_dispose: bool | None = None


class FoundEntity(Record, frozen=True, kw_only=True):
    """A person or company of a report: shareholder, administrator or agent (OpenAPI, CompanyVerificationFoundEntity).

    The `totals_...` are over all `holdings`, None for who is in no table of capital; `totals_percentage` of 100.
    `is_active` tells who still holds shares.
    """

    full_name: str | None = None
    name_variations: tuple[str, ...] | None = None
    entity_type: str | None = None
    totals_shares: int | None = None
    totals_amount: Decimal | None = None
    totals_percentage: Decimal | None = None
    is_active: bool | None = None
    first_appearance_date: date | None = None
    holdings: tuple[SeriesHolding, ...] | None = None
    powers: tuple[Power, ...] | None = None


class CompanyVerificationReports(ListQuery[CompanyVerificationReport], frozen=True, kw_only=True):
    """An entity's reports or, naming none, all there are."""

    under: ClassVar[str] = "/datasources/mx/company-verification/reports"
    apart: ClassVar[str] = "/datasources/mx/company-verification/reports"

    entity: str | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None


class FoundEntities(OfObject[FoundEntity], frozen=True, kw_only=True):
    """`GET .../company-verification/reports/{id}/found-entities`. Of `full_name` a part is enough."""

    path: ClassVar[str] = "/datasources/mx/company-verification/reports/{report}/found-entities"
    filters: ClassVar[tuple[Filter, ...]] = (Contains("full_name", "fullName", "full_name"),)

    report: str
    full_name: str | None = None
    entity_type: Literal["person", "company"] | None = None
    is_active: bool | None = None
    order: Literal["full_name", "-full_name", "totals_percentage", "-totals_percentage"] | None = None


class GetCompanyVerificationReport(Get[CompanyVerificationReport], frozen=True):
    """`GET /datasources/mx/company-verification/reports/{id}`."""

    path: ClassVar[str] = "/datasources/mx/company-verification/reports/{id}"


class GetFoundEntity(Get[FoundEntity], frozen=True, kw_only=True):
    """`GET .../company-verification/reports/{id}/found-entities/{id}`."""

    path: ClassVar[str] = "/datasources/mx/company-verification/reports/{report}/found-entities/{id}"

    report: str


class CompanyVerificationPdf(OneFile, frozen=True):
    """A report as a document: `GET /datasources/mx/company-verification/reports/{id}/pdf`."""

    collection: ClassVar[str] = "/datasources/mx/company-verification/reports"
    end: ClassVar[str] = "pdf"
    accepts: ClassVar[dict[str, str]] = {"": "application/pdf"}

    report: str

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "report", read_id(self.report, self.collection, "report"))

    @property
    def owner(self) -> str:
        """The report."""
        return self.report
