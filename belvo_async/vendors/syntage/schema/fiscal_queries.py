"""Direct reads of the lists every entity has beside its invoices: taxes, registers, reports."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from .forms.bounds import AmountRange, Bound
from .forms.filters import Contains, Filter, Same
from .queries import ListQuery, OfEntity, Several
from .registers import BackgroundCheck, BilReport, BuroReport, RpcActo, RpcEntidade, RugGarantia, RugOperacion
from .taxes import ElectronicAccountingRecord, SatCertificate, TaxComplianceCheck, TaxRetention, TaxReturn, TaxStatus


class TaxReturns(OfEntity[TaxReturn], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-returns`. `presented` is the filing date.

    Of `complementary` and `capture_line` a part is enough.
    """

    under: ClassVar[str] = "/tax-returns"
    filters: ClassVar[tuple[Filter, ...]] = (
        Contains("complementary", "complementary", "complementary"),
        Contains("capture_line", "captureLine", "capture_line"),
    )

    operation_number: int | None = None
    interval_unit: Literal["Anual", "Mensual", "RIF"] | None = None
    type: str | None = None
    complementary: str | None = None
    capture_line: str | None = None
    period: str | None = None
    fiscal_year: str | None = None
    presented_after: Bound | None = None
    presented_before: Bound | None = None
    order: Literal["period", "-period", "presented_at", "-presented_at"] | None = None


class TaxStatuses(ListQuery[TaxStatus], frozen=True, kw_only=True):
    """An entity's tax status certificates or, naming none, all there are."""

    under: ClassVar[str] = "/tax-status"
    apart: ClassVar[str] = "/tax-status"

    entity: str | None = None


class TaxComplianceChecks(OfEntity[TaxComplianceCheck], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-compliance-checks`."""

    under: ClassVar[str] = "/tax-compliance-checks"
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("rfc", "taxpayer.rfc", "taxpayer.rfc"),
        Contains("name", "taxpayer.name", "taxpayer.name"),
    )

    internal_identifier: str | None = None
    rfc: str | None = None
    name: str | None = None
    result: Several | None = None
    checked_after: Bound | None = None
    checked_before: Bound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    order: Literal["checked_at", "-checked_at", "created_at", "-created_at"] | None = None


class TaxRetentions(OfEntity[TaxRetention], frozen=True, kw_only=True):
    """`GET /entities/{id}/tax-retentions`. `uuid` is the fiscal folio."""

    under: ClassVar[str] = "/tax-retentions"
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("uuid", "uuid", "uuid", folded=True),
        Same("issuer_rfc", "issuer.rfc", "issuer.rfc"),
        Contains("issuer_name", "issuer.name", "issuer.name"),
        Same("issuer_curp", "issuer.curp", "issuer.curp"),
        Same("receiver_rfc", "receiver.rfc", "receiver.rfc"),
        Contains("receiver_name", "receiver.name", "receiver.name"),
        Same("receiver_curp", "receiver.curp", "receiver.curp"),
        Same("receiver_nationality", "receiver.nationality", "receiver.nationality"),
        Same("has_xml", "hasXml", "xml"),
        Same("has_pdf", "hasPdf", "pdf"),
    )

    uuid: Several | None = None
    version: Decimal | None = None
    code: Several | None = None
    internal_identifier: str | None = None
    pac: str | None = None
    issuer_rfc: str | None = None
    issuer_name: str | None = None
    issuer_curp: str | None = None
    receiver_rfc: str | None = None
    receiver_name: str | None = None
    receiver_curp: str | None = None
    receiver_nationality: Literal["national", "foreign"] | None = None
    total_operation_amount: AmountRange | None = None
    total_taxable_amount: AmountRange | None = None
    total_exempt_amount: AmountRange | None = None
    total_retained_amount: AmountRange | None = None
    has_xml: bool | None = None
    has_pdf: bool | None = None
    issued_after: Bound | None = None
    issued_before: Bound | None = None
    certified_after: Bound | None = None
    certified_before: Bound | None = None
    canceled_after: Bound | None = None
    canceled_before: Bound | None = None
    period_from_after: Bound | None = None
    period_from_before: Bound | None = None
    period_to_after: Bound | None = None
    period_to_before: Bound | None = None
    order: (
        Literal[
            "issued_at", "-issued_at", "canceled_at", "-canceled_at", "certified_at", "-certified_at",
            "period_from", "-period_from", "period_to", "-period_to",
            "total_operation_amount", "-total_operation_amount", "total_taxable_amount", "-total_taxable_amount",
            "total_exempt_amount", "-total_exempt_amount", "total_retained_amount", "-total_retained_amount",
        ]
        | None
    ) = None  # fmt: skip


class ElectronicAccountingRecords(OfEntity[ElectronicAccountingRecord], frozen=True, kw_only=True):
    """`GET /entities/{id}/electronic-accounting-records`. Month 13 is the yearly closing.

    Of `filename` a part is enough.
    """

    under: ClassVar[str] = "/electronic-accounting-records"
    filters: ClassVar[tuple[Filter, ...]] = (Contains("filename", "filename", "filename"),)

    year: int | None = None
    month: int | None = None
    type: str | None = None
    reason: str | None = None
    file_type: Several | None = None
    filename: str | None = None
    code: Several | None = None
    status: Several | None = None
    received_after: Bound | None = None
    received_before: Bound | None = None
    order: Literal["year", "-year", "month", "-month", "received_at", "-received_at"] | None = None


class SatCertificates(OfEntity[SatCertificate], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/mx/sat/certificados`."""

    under: ClassVar[str] = "/datasources/mx/sat/certificados"

    serial_number: str | None = None
    type: Literal["efirma", "csd"] | None = None
    valid_from_after: Bound | None = None
    valid_from_before: Bound | None = None
    valid_to_after: Bound | None = None
    valid_to_before: Bound | None = None
    order: Literal["valid_from", "-valid_from", "valid_to", "-valid_to"] | None = None


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
    """`GET /entities/{id}/datasources/rug/garantias`: the register of securities.

    Of `acreedor` and `descripcion_de_los_bienes` a part is enough.
    """

    under: ClassVar[str] = "/datasources/rug/garantias"
    filters: ClassVar[tuple[Filter, ...]] = (
        Contains("acreedor", "acreedor", "acreedor"),
        Contains("descripcion_de_los_bienes", "descripcionDeLosBienes", "descripcion_de_los_bienes"),
    )

    numero_de_garantia: int | None = None
    acreedor: str | None = None
    tipo_de_garantia: str | None = None
    monto: AmountRange | None = None
    moneda: str | None = None
    descripcion_de_los_bienes: str | None = None
    fecha_de_inscripcion_after: Bound | None = None
    fecha_de_inscripcion_before: Bound | None = None
    fecha_de_cancelacion_after: Bound | None = None
    fecha_de_cancelacion_before: Bound | None = None
    fecha_de_celebracion_del_acto_o_contrato_after: Bound | None = None
    fecha_de_celebracion_del_acto_o_contrato_before: Bound | None = None
    fecha_de_terminacion_del_acto_o_contrato_after: Bound | None = None
    fecha_de_terminacion_del_acto_o_contrato_before: Bound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    updated_after: Bound | None = None
    updated_before: Bound | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None


class RugOperaciones(OfEntity[RugOperacion], frozen=True, kw_only=True):
    """`GET /entities/{id}/datasources/rug/operaciones`: the entries of the register of securities."""

    under: ClassVar[str] = "/datasources/rug/operaciones"

    numero_de_asiento: int | None = None
    numero_de_garantia: int | None = None
    tipo: str | None = None
    fecha_after: Bound | None = None
    fecha_before: Bound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    updated_after: Bound | None = None
    updated_before: Bound | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None


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
    order: Literal["score", "-score", "created_at", "-created_at", "updated_at", "-updated_at"] | None = None
