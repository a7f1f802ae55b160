"""The single reads: one type per kind of object, each by id or IRI."""

from __future__ import annotations

from typing import ClassVar

from .account import Credential, Entity, Event, ExportState, ExtractionState
from .forms.requests import Get
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

    path: ClassVar[str] = "/credentials/{id}"


class GetEntity(Get[Entity], frozen=True):
    """`GET /entities/{id}`."""

    path: ClassVar[str] = "/entities/{id}"


class GetEvent(Get[Event], frozen=True):
    """`GET /events/{id}`."""

    path: ClassVar[str] = "/events/{id}"


class GetExport(Get[ExportState], frozen=True):
    """`GET /exports/{id}`. It is the only way to see an export: there is no list."""

    path: ClassVar[str] = "/exports/{id}"


class GetExtraction(Get[ExtractionState], frozen=True):
    """`GET /extractions/{id}`."""

    path: ClassVar[str] = "/extractions/{id}"


class GetFile(Get[File], frozen=True):
    """`GET /files/{id}`. `FileDownload` reads its bytes."""

    path: ClassVar[str] = "/files/{id}"


class GetInvoice(Get[Invoice], frozen=True):
    """`GET /invoices/{id}`. `tags` come only with this form."""

    path: ClassVar[str] = "/invoices/{id}"


class GetInvoiceLineItem(Get[InvoiceLineItem], frozen=True):
    """`GET /invoices/line-items/{id}`."""

    path: ClassVar[str] = "/invoices/line-items/{id}"


class GetInvoicePayment(Get[InvoicePayment], frozen=True):
    """`GET /invoices/payments/{id}`."""

    path: ClassVar[str] = "/invoices/payments/{id}"


class GetInvoiceBatchPayment(Get[InvoiceBatchPayment], frozen=True):
    """`GET /invoices/batch-payments/{id}`."""

    path: ClassVar[str] = "/invoices/batch-payments/{id}"


class GetInvoiceCreditNote(Get[InvoiceCreditNote], frozen=True):
    """`GET /invoices/credit-notes/{id}`."""

    path: ClassVar[str] = "/invoices/credit-notes/{id}"


class GetInvoiceRelation(Get[InvoiceRelation], frozen=True):
    """`GET /invoices/relations/{id}`."""

    path: ClassVar[str] = "/invoices/relations/{id}"


class GetSatCfdi(Get[SatCfdi], frozen=True):
    """`GET /datasources/mx/sat/cfdis/{id}`. By fiscal folio."""

    path: ClassVar[str] = "/datasources/mx/sat/cfdis/{id}"


class GetTaxReturn(Get[TaxReturn], frozen=True):
    """`GET /tax-returns/{id}`."""

    path: ClassVar[str] = "/tax-returns/{id}"


class GetTaxStatus(Get[TaxStatus], frozen=True):
    """`GET /tax-status/{id}`."""

    path: ClassVar[str] = "/tax-status/{id}"


class GetTaxComplianceCheck(Get[TaxComplianceCheck], frozen=True):
    """`GET /tax-compliance-checks/{id}`."""

    path: ClassVar[str] = "/tax-compliance-checks/{id}"


class GetTaxRetention(Get[TaxRetention], frozen=True):
    """`GET /tax-retentions/{id}`."""

    path: ClassVar[str] = "/tax-retentions/{id}"


class GetElectronicAccountingRecord(Get[ElectronicAccountingRecord], frozen=True):
    """`GET /electronic-accounting-records/{id}`."""

    path: ClassVar[str] = "/electronic-accounting-records/{id}"


class GetSatCertificate(Get[SatCertificate], frozen=True):
    """`GET /datasources/mx/sat/certificados/{id}`."""

    path: ClassVar[str] = "/datasources/mx/sat/certificados/{id}"


class GetRpcEntidade(Get[RpcEntidade], frozen=True):
    """`GET /datasources/mx/rpc/entidades/{id}`."""

    path: ClassVar[str] = "/datasources/mx/rpc/entidades/{id}"


class GetRpcActo(Get[RpcActo], frozen=True):
    """`GET /rpc/actos/{id}`."""

    path: ClassVar[str] = "/rpc/actos/{id}"


class GetRpcSocio(Get[RpcSocio], frozen=True):
    """`GET /datasources/rpc/socios/{id}`. Partners have no list of their own: `RpcEntidade.socios` names them."""

    path: ClassVar[str] = "/datasources/rpc/socios/{id}"


class GetRugGarantia(Get[RugGarantia], frozen=True):
    """`GET /datasources/rug/garantias/{id}`."""

    path: ClassVar[str] = "/datasources/rug/garantias/{id}"


class GetRugOperacion(Get[RugOperacion], frozen=True):
    """`GET /datasources/rug/operaciones/{id}`."""

    path: ClassVar[str] = "/datasources/rug/operaciones/{id}"


class GetBilReport(Get[BilReport], frozen=True):
    """`GET /datasources/bil/reports/{id}`."""

    path: ClassVar[str] = "/datasources/bil/reports/{id}"


class GetBuroReport(Get[BuroReport], frozen=True):
    """`GET /datasources/mx/buro-de-credito/reports/{id}`."""

    path: ClassVar[str] = "/datasources/mx/buro-de-credito/reports/{id}"


class GetBackgroundCheck(Get[BackgroundCheck], frozen=True):
    """`GET /background-checks/{id}`."""

    path: ClassVar[str] = "/background-checks/{id}"
