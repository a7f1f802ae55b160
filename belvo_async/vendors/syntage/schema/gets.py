"""The single reads: one type per kind of object, each by id or IRI."""

from __future__ import annotations

from typing import ClassVar

import msgspec

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
    record: ClassVar[type[msgspec.Struct]] = Credential


class GetEntity(Get[Entity], frozen=True):
    """`GET /entities/{id}`."""

    collection: ClassVar[str] = "/entities"
    record: ClassVar[type[msgspec.Struct]] = Entity


class GetEvent(Get[Event], frozen=True):
    """`GET /events/{id}`."""

    collection: ClassVar[str] = "/events"
    record: ClassVar[type[msgspec.Struct]] = Event


class GetExport(Get[ExportState], frozen=True):
    """`GET /exports/{id}`. It is the only way to see an export: there is no list."""

    collection: ClassVar[str] = "/exports"
    record: ClassVar[type[msgspec.Struct]] = ExportState


class GetExtraction(Get[ExtractionState], frozen=True):
    """`GET /extractions/{id}`."""

    collection: ClassVar[str] = "/extractions"
    record: ClassVar[type[msgspec.Struct]] = ExtractionState


class GetFile(Get[File], frozen=True):
    """`GET /files/{id}`. `FileDownload` reads its bytes."""

    collection: ClassVar[str] = "/files"
    record: ClassVar[type[msgspec.Struct]] = File


class GetInvoice(Get[Invoice], frozen=True):
    """`GET /invoices/{id}`. `tags` come only with this form."""

    collection: ClassVar[str] = "/invoices"
    record: ClassVar[type[msgspec.Struct]] = Invoice


class GetInvoiceLineItem(Get[InvoiceLineItem], frozen=True):
    """`GET /invoices/line-items/{id}`."""

    collection: ClassVar[str] = "/invoices/line-items"
    record: ClassVar[type[msgspec.Struct]] = InvoiceLineItem


class GetInvoicePayment(Get[InvoicePayment], frozen=True):
    """`GET /invoices/payments/{id}`."""

    collection: ClassVar[str] = "/invoices/payments"
    record: ClassVar[type[msgspec.Struct]] = InvoicePayment


class GetInvoiceBatchPayment(Get[InvoiceBatchPayment], frozen=True):
    """`GET /invoices/batch-payments/{id}`."""

    collection: ClassVar[str] = "/invoices/batch-payments"
    record: ClassVar[type[msgspec.Struct]] = InvoiceBatchPayment


class GetInvoiceCreditNote(Get[InvoiceCreditNote], frozen=True):
    """`GET /invoices/credit-notes/{id}`."""

    collection: ClassVar[str] = "/invoices/credit-notes"
    record: ClassVar[type[msgspec.Struct]] = InvoiceCreditNote


class GetInvoiceRelation(Get[InvoiceRelation], frozen=True):
    """`GET /invoices/relations/{id}`."""

    collection: ClassVar[str] = "/invoices/relations"
    record: ClassVar[type[msgspec.Struct]] = InvoiceRelation


class GetSatCfdi(Get[SatCfdi], frozen=True):
    """`GET /datasources/mx/sat/cfdis/{id}`. By fiscal folio."""

    collection: ClassVar[str] = "/datasources/mx/sat/cfdis"
    record: ClassVar[type[msgspec.Struct]] = SatCfdi


class GetTaxReturn(Get[TaxReturn], frozen=True):
    """`GET /tax-returns/{id}`."""

    collection: ClassVar[str] = "/tax-returns"
    record: ClassVar[type[msgspec.Struct]] = TaxReturn


class GetTaxStatus(Get[TaxStatus], frozen=True):
    """`GET /tax-status/{id}`."""

    collection: ClassVar[str] = "/tax-status"
    record: ClassVar[type[msgspec.Struct]] = TaxStatus


class GetTaxComplianceCheck(Get[TaxComplianceCheck], frozen=True):
    """`GET /tax-compliance-checks/{id}`."""

    collection: ClassVar[str] = "/tax-compliance-checks"
    record: ClassVar[type[msgspec.Struct]] = TaxComplianceCheck


class GetTaxRetention(Get[TaxRetention], frozen=True):
    """`GET /tax-retentions/{id}`."""

    collection: ClassVar[str] = "/tax-retentions"
    record: ClassVar[type[msgspec.Struct]] = TaxRetention


class GetElectronicAccountingRecord(Get[ElectronicAccountingRecord], frozen=True):
    """`GET /electronic-accounting-records/{id}`."""

    collection: ClassVar[str] = "/electronic-accounting-records"
    record: ClassVar[type[msgspec.Struct]] = ElectronicAccountingRecord


class GetSatCertificate(Get[SatCertificate], frozen=True):
    """`GET /datasources/mx/sat/certificados/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/sat/certificados"
    record: ClassVar[type[msgspec.Struct]] = SatCertificate


class GetRpcEntidade(Get[RpcEntidade], frozen=True):
    """`GET /datasources/mx/rpc/entidades/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/rpc/entidades"
    record: ClassVar[type[msgspec.Struct]] = RpcEntidade


class GetRpcActo(Get[RpcActo], frozen=True):
    """`GET /rpc/actos/{id}`."""

    collection: ClassVar[str] = "/rpc/actos"
    record: ClassVar[type[msgspec.Struct]] = RpcActo


class GetRpcSocio(Get[RpcSocio], frozen=True):
    """`GET /datasources/rpc/socios/{id}`. Partners have no list of their own: `RpcEntidade.socios` names them."""

    collection: ClassVar[str] = "/datasources/rpc/socios"
    record: ClassVar[type[msgspec.Struct]] = RpcSocio


class GetRugGarantia(Get[RugGarantia], frozen=True):
    """`GET /datasources/rug/garantias/{id}`."""

    collection: ClassVar[str] = "/datasources/rug/garantias"
    record: ClassVar[type[msgspec.Struct]] = RugGarantia


class GetRugOperacion(Get[RugOperacion], frozen=True):
    """`GET /datasources/rug/operaciones/{id}`."""

    collection: ClassVar[str] = "/datasources/rug/operaciones"
    record: ClassVar[type[msgspec.Struct]] = RugOperacion


class GetBilReport(Get[BilReport], frozen=True):
    """`GET /datasources/bil/reports/{id}`."""

    collection: ClassVar[str] = "/datasources/bil/reports"
    record: ClassVar[type[msgspec.Struct]] = BilReport


class GetBuroReport(Get[BuroReport], frozen=True):
    """`GET /datasources/mx/buro-de-credito/reports/{id}`."""

    collection: ClassVar[str] = "/datasources/mx/buro-de-credito/reports"
    record: ClassVar[type[msgspec.Struct]] = BuroReport


class GetBackgroundCheck(Get[BackgroundCheck], frozen=True):
    """`GET /background-checks/{id}`."""

    collection: ClassVar[str] = "/background-checks"
    record: ClassVar[type[msgspec.Struct]] = BackgroundCheck
