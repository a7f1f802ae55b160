"""The single reads: one type per kind of object, each by id or IRI."""

from __future__ import annotations

from typing import ClassVar

from .account import Credential, Entity, Event, ExportState, ExtractionState
from .calls import Get
from .invoices import (
    Invoice,
    InvoiceBatchPayment,
    InvoiceCreditNote,
    InvoiceLineItem,
    InvoicePayment,
    InvoiceRelation,
    SatCfdi,
)
from .record import File
from .registers import BackgroundCheck, BilReport, BuroReport, RpcActo, RpcEntidade, RpcSocio, RugGarantia, RugOperacion
from .taxes import ElectronicAccountingRecord, SatCertificate, TaxComplianceCheck, TaxRetention, TaxReturn, TaxStatus


class GetCredential(Get[Credential], frozen=True):
    """`GET /credentials/{id}`."""

    collection: ClassVar[str] = "/credentials"


class GetEntity(Get[Entity], frozen=True):
    """`GET /entities/{id}`."""

    collection: ClassVar[str] = "/entities"


class GetEvent(Get[Event], frozen=True):
    """`GET /events/{id}`."""

    collection: ClassVar[str] = "/events"


class GetExport(Get[ExportState], frozen=True):
    """`GET /exports/{id}`. It is the only way to see an export: there is no list."""

    collection: ClassVar[str] = "/exports"


class GetExtraction(Get[ExtractionState], frozen=True):
    """`GET /extractions/{id}`."""

    collection: ClassVar[str] = "/extractions"


class GetFile(Get[File], frozen=True):
    """`GET /files/{id}`. `FileDownload` reads its bytes."""

    collection: ClassVar[str] = "/files"


class GetInvoice(Get[Invoice], frozen=True):
    """`GET /invoices/{id}`. `tags` come only with this form."""

    collection: ClassVar[str] = "/invoices"


class GetInvoiceLineItem(Get[InvoiceLineItem], frozen=True):
    """`GET /invoices/line-items/{id}`."""

    collection: ClassVar[str] = "/invoices/line-items"


class GetInvoicePayment(Get[InvoicePayment], frozen=True):
    """`GET /invoices/payments/{id}`."""

    collection: ClassVar[str] = "/invoices/payments"


class GetInvoiceBatchPayment(Get[InvoiceBatchPayment], frozen=True):
    """`GET /invoices/batch-payments/{id}`."""

    collection: ClassVar[str] = "/invoices/batch-payments"


class GetInvoiceCreditNote(Get[InvoiceCreditNote], frozen=True):
    """`GET /invoices/credit-notes/{id}`."""

    collection: ClassVar[str] = "/invoices/credit-notes"


class GetInvoiceRelation(Get[InvoiceRelation], frozen=True):
    """`GET /invoices/relations/{id}`."""

    collection: ClassVar[str] = "/invoices/relations"


class GetSatCfdi(Get[SatCfdi], frozen=True):
    """`GET /datasources/mx/sat/cfdis/{id}`. By fiscal folio."""

    collection: ClassVar[str] = "/datasources/mx/sat/cfdis"


class GetTaxReturn(Get[TaxReturn], frozen=True):
    """`GET /tax-returns/{id}`."""

    collection: ClassVar[str] = "/tax-returns"


class GetTaxStatus(Get[TaxStatus], frozen=True):
    """`GET /tax-status/{id}`."""

    collection: ClassVar[str] = "/tax-status"


class GetTaxComplianceCheck(Get[TaxComplianceCheck], frozen=True):
    """`GET /tax-compliance-checks/{id}`."""

    collection: ClassVar[str] = "/tax-compliance-checks"


class GetTaxRetention(Get[TaxRetention], frozen=True):
    """`GET /tax-retentions/{id}`."""

    collection: ClassVar[str] = "/tax-retentions"


class GetElectronicAccountingRecord(Get[ElectronicAccountingRecord], frozen=True):
    """`GET /electronic-accounting-records/{id}`."""

    collection: ClassVar[str] = "/electronic-accounting-records"


class GetSatCertificate(Get[SatCertificate], frozen=True):
    """`GET /datasources/mx/sat/certificados/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/sat/certificados"


class GetRpcEntidade(Get[RpcEntidade], frozen=True):
    """`GET /datasources/mx/rpc/entidades/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/rpc/entidades"


class GetRpcActo(Get[RpcActo], frozen=True):
    """`GET /rpc/actos/{id}`."""

    collection: ClassVar[str] = "/rpc/actos"


class GetRpcSocio(Get[RpcSocio], frozen=True):
    """`GET /datasources/rpc/socios/{id}`. Partners have no list of their own: `RpcEntidade.socios` names them."""

    collection: ClassVar[str] = "/datasources/rpc/socios"


class GetRugGarantia(Get[RugGarantia], frozen=True):
    """`GET /datasources/rug/garantias/{id}`."""

    collection: ClassVar[str] = "/datasources/rug/garantias"


class GetRugOperacion(Get[RugOperacion], frozen=True):
    """`GET /datasources/rug/operaciones/{id}`."""

    collection: ClassVar[str] = "/datasources/rug/operaciones"


class GetBilReport(Get[BilReport], frozen=True):
    """`GET /datasources/bil/reports/{id}`."""

    collection: ClassVar[str] = "/datasources/bil/reports"


class GetBuroReport(Get[BuroReport], frozen=True):
    """`GET /datasources/mx/buro-de-credito/reports/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/buro-de-credito/reports"


class GetBackgroundCheck(Get[BackgroundCheck], frozen=True):
    """`GET /background-checks/{id}`."""

    collection: ClassVar[str] = "/background-checks"
