"""The records against the documentation: every field is there, of the documented kind, or left out for a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from belvo_async.payload import decode
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage import Syntage
from tests.documents.said import compare, say
from tests.vendors.syntage.kit import sample

DOCUMENTED: dict[str, dict[str, Any]] = sample("records")["records"]

RECORDS: dict[str, type[msgspec.Struct]] = {
    "BackgroundCheck": syntage.BackgroundCheck,
    "BackgroundCheckRecord": syntage.BackgroundCheckRecord,
    "BilReport": syntage.BilReport,
    "CompanyVerificationFoundEntity": syntage.FoundEntity,
    "CompanyVerificationReport": syntage.CompanyVerificationReport,
    "CorporateStructureCurrentPowersEntity": syntage.PowerHolder,
    "BuroDeCreditoAuthorization": syntage.BuroAuthorization,
    "Credential": syntage.Credential,
    "ElectronicAccountingRecord": syntage.ElectronicAccountingRecord,
    "Entity": syntage.Entity,
    "EntityAddedResponse": syntage.EntityAdded,
    "EntityIdentifier": syntage.EntityIdentifier,
    "EntityTag": syntage.EntityTag,
    "Event": syntage.Event,
    "Export": syntage.ExportState,
    "Extraction": syntage.ExtractionState,
    "File": syntage.File,
    "InsightReport": syntage.InsightReport,
    "Invoice": syntage.Invoice,
    "InvoiceBatchPayment": syntage.InvoiceBatchPayment,
    "InvoiceCollectionItem": syntage.Invoice,
    "InvoiceCreditNote": syntage.InvoiceCreditNote,
    "InvoiceLineItem": syntage.InvoiceLineItem,
    "InvoicePayment": syntage.InvoicePayment,
    "InvoiceRelation": syntage.InvoiceRelation,
    "MxPostalCodeAddress": syntage.PostalAddress,
    "MxSatCfdi": syntage.SatCfdi,
    "RpcActo": syntage.RpcActo,
    "RpcEntidade": syntage.RpcEntidade,
    "RpcSocio": syntage.RpcSocio,
    "RpcShareholdersInsight": syntage.RpcShareholders,
    "RugGarantia": syntage.RugGarantia,
    "RugOperacionFull": syntage.RugOperacion,
    "SatCertificate": syntage.SatCertificate,
    "Shareholder": syntage.Shareholder,
    "ShareholderPromotedResponse": syntage.EntityAdded,
    "ShareholderRelation": syntage.ShareholderRelation,
    "ShareholderRelationsSource": syntage.ShareholderSource,
    "ShareholdersInsight": syntage.ShareholderInsight,
    "Scheduler": syntage.Scheduler,
    "SchedulerRule": syntage.SchedulerRule,
    "Tag": syntage.Tag,
    "TagInvoicesBatch": syntage.TagBatch,
    "TaxComplianceCheck": syntage.TaxComplianceCheck,
    "TaxRetention": syntage.TaxRetention,
    "TaxReturn": syntage.TaxReturn,
    "TaxStatus": syntage.TaxStatus,
    "Taxpayer": syntage.Taxpayer,
    "WebhookEndpoint": syntage.WebhookEndpoint,
    "WebhookRequest": syntage.WebhookRequest,
}

LEFT_OUT: dict[str, str] = {
    "@context": "says nothing but the kind of envelope",
    "InvoiceLineItem.taxes": "deprecated by the vendor, and of no published shape",
}


def fields_of(name: str) -> dict[str, Any]:
    """The documented fields of a record that are not left out."""
    return {key: kind for key, kind in DOCUMENTED[name].items() if f"{name}.{key}" not in LEFT_OUT}


def test_every_documented_record_is_there() -> None:
    """Each record of the document is in the catalogue, or is left out for a reason that still stands."""
    assert set(DOCUMENTED) == set(RECORDS) | {name for name in LEFT_OUT if name in DOCUMENTED}
    assert set() == set(RECORDS) & set(LEFT_OUT)
    assert all(
        key in DOCUMENTED[name] for name, _, key in (each.partition(".") for each in LEFT_OUT) if key and name[0] != "@"
    )


@pytest.mark.parametrize("name", RECORDS)
def test_every_documented_field_is_read(name: str) -> None:
    """All fields of a row come out under their names, at every depth, of a fitting type and with their exact value."""
    row = say(fields_of(name))

    found = decode(msgspec.json.encode(row), RECORDS[name])

    assert [] == list(compare(fields_of(name), found))


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_may_be_missing_or_null(name: str) -> None:
    """Nothing is required, whatever the document says: it marks almost nothing, and rows differ."""
    record = RECORDS[name]
    nulls = dict.fromkeys(each.encode_name for each in msgspec.structs.fields(record))

    assert decode(b"{}", record) == decode(json.dumps(nulls).encode(), record)


@pytest.mark.parametrize("name", RECORDS)
def test_parts_may_be_empty(name: str) -> None:
    """Parts may lack or null each of their fields, and arrays may be empty."""
    for hollow in (_hollow(fields_of(name), full=False), _hollow(fields_of(name), full=True)):
        decode(json.dumps(hollow).encode(), RECORDS[name])


def _hollow(kinds: Mapping[str, Any], *, full: bool) -> dict[str, object]:
    hollow: dict[str, object] = {}
    for key, kind in kinds.items():
        part = kind[0] if isinstance(kind, list) else kind
        if isinstance(part, dict):
            empty = _hollow(part, full=True) if full else {}
            hollow[key] = [empty] if isinstance(kind, list) else empty
        else:
            hollow[key] = [] if isinstance(kind, list) else None
    return hollow


@pytest.mark.parametrize("query", Syntage("key-of-nobody").queries, ids=lambda each: each.__name__)
def test_every_order_goes_both_ways(query: Any) -> None:
    """That each documented one is offered, the ledger holds."""
    kind = get_type_hints(query).get("order")
    orders = {word for part in get_args(kind) for word in get_args(part)}

    assert orders == {f"-{each}".replace("--", "") for each in orders}
