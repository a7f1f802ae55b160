"""Direct reads of the lists every entity has beside its invoices: taxes, registers, reports."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from .forms.filters import Filter, Same
from .queries import ListQuery, OfEntity, Several
from .registers import BackgroundCheck, BilReport, BuroReport, RpcActo, RpcEntidade, RugGarantia, RugOperacion
from .taxes import ElectronicAccountingRecord, SatCertificate, TaxComplianceCheck, TaxRetention, TaxReturn, TaxStatus


class TaxReturns(OfEntity[TaxReturn], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-returns`. `presented` is the filing date."""

    under: ClassVar[str] = "/tax-returns"

    operation_number: int | None = None
    interval_unit: Literal["Anual", "Mensual", "RIF"] | None = None
    type: str | None = None
    period: str | None = None
    fiscal_year: str | None = None
    presented_after: datetime | None = None
    presented_before: datetime | None = None


class TaxStatuses(ListQuery[TaxStatus], frozen=True, kw_only=True):
    """An entity's tax status certificates or, naming none, all there are."""

    under: ClassVar[str] = "/tax-status"
    apart: ClassVar[str] = "/tax-status"

    entity: str | None = None


class TaxComplianceChecks(OfEntity[TaxComplianceCheck], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-compliance-checks`."""

    under: ClassVar[str] = "/tax-compliance-checks"

    internal_identifier: str | None = None
    result: Several | None = None
    checked_after: datetime | None = None
    checked_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class TaxRetentions(OfEntity[TaxRetention], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-retentions`. `uuid` is the fiscal folio."""

    under: ClassVar[str] = "/tax-retentions"
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("uuid", "uuid", "uuid", folded=True),
        Same("issuer_rfc", "issuer.rfc", "issuer.rfc"),
        Same("receiver_rfc", "receiver.rfc", "receiver.rfc"),
        Same("has_xml", "hasXml", "xml"),
        Same("has_pdf", "hasPdf", "pdf"),
    )

    uuid: Several | None = None
    code: Several | None = None
    issuer_rfc: str | None = None
    receiver_rfc: str | None = None
    has_xml: bool | None = None
    has_pdf: bool | None = None
    issued_after: datetime | None = None
    issued_before: datetime | None = None
    certified_after: datetime | None = None
    certified_before: datetime | None = None
    canceled_after: datetime | None = None
    canceled_before: datetime | None = None


class ElectronicAccountingRecords(OfEntity[ElectronicAccountingRecord], frozen=True, kw_only=True):
    """`GET /entities/{id}/electronic-accounting-records`. Month 13 is the yearly closing."""

    under: ClassVar[str] = "/electronic-accounting-records"

    year: int | None = None
    month: int | None = None
    type: str | None = None
    reason: str | None = None
    file_type: Several | None = None
    status: Several | None = None
    received_after: datetime | None = None
    received_before: datetime | None = None


class SatCertificates(OfEntity[SatCertificate], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/mx/sat/certificados`."""

    under: ClassVar[str] = "/datasources/mx/sat/certificados"

    serial_number: str | None = None
    type: Literal["efirma", "csd"] | None = None
    valid_from_after: datetime | None = None
    valid_from_before: datetime | None = None
    valid_to_after: datetime | None = None
    valid_to_before: datetime | None = None


class RpcEntidades(OfEntity[RpcEntidade], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/mx/rpc/entidades`: the commercial register."""

    under: ClassVar[str] = "/datasources/mx/rpc/entidades"

    lookup_by: Literal["entity", "shareholder"] | None = None


class RpcActos(OfEntity[RpcActo], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/mx/rpc/actos`. Rows do not show `lookup_by`: the vendor alone filters by it."""

    under: ClassVar[str] = "/datasources/mx/rpc/actos"
    filters: ClassVar[tuple[Filter, ...]] = (Filter("lookup_by", "rpcEntidade.lookupBy"),)

    lookup_by: Literal["entity", "shareholder"] | None = None


class RugGarantias(OfEntity[RugGarantia], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/rug/garantias`: the register of securities."""

    under: ClassVar[str] = "/datasources/rug/garantias"

    numero_de_garantia: int | None = None
    tipo_de_garantia: str | None = None
    moneda: str | None = None
    fecha_de_inscripcion_after: datetime | None = None
    fecha_de_inscripcion_before: datetime | None = None
    fecha_de_cancelacion_after: datetime | None = None
    fecha_de_cancelacion_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


class RugOperaciones(OfEntity[RugOperacion], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/rug/operaciones`: the entries of the register of securities."""

    under: ClassVar[str] = "/datasources/rug/operaciones"

    numero_de_asiento: int | None = None
    numero_de_garantia: int | None = None
    tipo: str | None = None
    fecha_after: datetime | None = None
    fecha_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


class BilReports(OfEntity[BilReport], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/bil/reports`."""

    under: ClassVar[str] = "/datasources/bil/reports"


class BuroReports(OfEntity[BuroReport], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/mx/buro-de-credito/reports`."""

    under: ClassVar[str] = "/datasources/mx/buro-de-credito/reports"


class BackgroundChecks(ListQuery[BackgroundCheck], frozen=True, kw_only=True):
    """An entity's background checks or, naming none, all there are."""

    under: ClassVar[str] = "/background-checks"
    apart: ClassVar[str] = "/background-checks"

    entity: str | None = None
    status: Several | None = None
    country: Literal["MX", "ALL"] | None = None
