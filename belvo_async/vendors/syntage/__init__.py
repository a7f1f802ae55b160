"""Syntage: extractions of Mexican fiscal data (docs.syntage.com).

`Syntage` goes into a session; `Extraction` with an options struct is what it fires; `Entities` and `Extractions` are
what it lists; the rest are records.
"""

from __future__ import annotations

from .dialect import Syntage
from .schema import (
    EXTRACTORS,
    INVOICE_TYPES,
    BuroOptions,
    Credential,
    ElectronicAccountingOptions,
    Entities,
    Entity,
    EntityTag,
    Event,
    EventData,
    Extraction,
    Extractions,
    ExtractionState,
    Invoice,
    InvoiceOptions,
    InvoiceRelation,
    InvoiceTaxes,
    InvoiceType,
    Issuer,
    NoOptions,
    Options,
    Period,
    Receiver,
    Tag,
    Taxpayer,
    TaxRetentionOptions,
    TaxReturnOptions,
)

__all__ = [
    "EXTRACTORS",
    "INVOICE_TYPES",
    "BuroOptions",
    "Credential",
    "ElectronicAccountingOptions",
    "Entities",
    "Entity",
    "EntityTag",
    "Event",
    "EventData",
    "Extraction",
    "ExtractionState",
    "Extractions",
    "Invoice",
    "InvoiceOptions",
    "InvoiceRelation",
    "InvoiceTaxes",
    "InvoiceType",
    "Issuer",
    "NoOptions",
    "Options",
    "Period",
    "Receiver",
    "Syntage",
    "Tag",
    "TaxRetentionOptions",
    "TaxReturnOptions",
    "Taxpayer",
]

DIALECT = Syntage
