"""The records against the documentation: every field is there, of the documented kind, or left out for a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from belvo_async.abc import Secret
from belvo_async.payload import decode
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage import Syntage
from belvo_async.vendors.syntage.schema.forms.filters import DaySpan, Ordered, Span, Within, filters_of
from belvo_async.vendors.syntage.schema.forms.kinds import camel
from belvo_async.vendors.syntage.schema.forms.paths import without_ids
from belvo_async.vendors.syntage.schema.insights.forms import PeriodOption
from tests.vendors.syntage.kit import sample

DOCUMENTED: dict[str, dict[str, Any]] = sample("records")["records"]
INPUTS: dict[str, dict[str, bool]] = sample("records")["inputs"]
INSIGHTS: dict[str, Any] = sample("insights")["insights"]
FILTERS: dict[str, list[str]] = {
    **sample("records")["lists"],
    **{
        f"/entities/{{id}}/insights/{name}": ["options[...]"] * bool(each["options"]) for name, each in INSIGHTS.items()
    },
}

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

# Plain texts in the document whose examples, and whose date filters, show what they are.
INSTANTS = ("createdAt", "updatedAt", "checkedAt", "nextRunDate")
# Numbers without a fraction: codes, months, running numbers.
WHOLE = ("taxRegime", "type", "operationNumber", "numeroDeGarantia", "numeroDeAsiento")
# Amounts that the vendor writes as texts; of other records, texts of the same names stay texts.
QUOTED = ("totalsAmount", "totalsPercentage", "amount", "valuePerShare", "bucketPercentage", "shares", "percentage")
# Open or overlong content that is kept as the bytes it came in.
BYTES = ("data", "boleta", "object", "changes", "metadata")
# Texts that no record shows.
SECRETS = ("signingSecret",)

TEXT = "Ñandú"
AMOUNT = "-10.500"
SAID: dict[str, tuple[object, object]] = {
    "text": (TEXT, TEXT),
    "uuid": ("0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", "0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"),
    "iri": ("/files/1", "/files/1"),
    "instant": ("2025-03-14T04:22:31-06:00", datetime(2025, 3, 14, 10, 22, 31, tzinfo=UTC)),
    "date": ("2025-03-14", date(2025, 3, 14)),
    "integer": (7, 7),
    "flag": (False, False),
    "decimal": ("-10.500", Decimal("-10.500")),
    "open": ({"a": [1.10]}, {"a": [1.1]}),
}


def say(kind: Any, name: str = "") -> object:
    """Make JSON of a documented kind. Amounts are kept as their text: JSON floats would blur them."""
    if isinstance(kind, list):
        return [say(kind[0], name)]
    if isinstance(kind, dict):
        return {key: say(each, key) for key, each in kind.items() if key != "?"}
    kind = kind.removesuffix("?")
    if kind.startswith("@"):
        return {"id": "1"}
    if name in INSTANTS:
        return SAID["instant"][0]
    if kind == "text" and name in QUOTED:
        return AMOUNT
    if kind in ("amount", "number"):
        return msgspec.Raw(b"601" if name in WHOLE else AMOUNT.encode())
    return SAID[kind][0]


def compare(kind: Any, found: Any, name: str = "") -> Iterator[str]:
    """Name what was not read as documented."""
    if name in BYTES and (name == "boleta" or str(kind).startswith("open")):
        yield from () if isinstance(found, msgspec.Raw) and b"null" != bytes(found) else (f"{name} is lost",)
    elif name in SECRETS:
        yield from () if isinstance(found, Secret) and found.matches(TEXT) else (f"{name} is bare",)
    elif isinstance(kind, list):
        yield from compare(kind[0], found[0], name) if isinstance(found, tuple) else (f"{name} is no tuple",)
    elif isinstance(kind, dict):
        fields = {each.encode_name: each.name for each in msgspec.structs.fields(found)}
        for key, each in kind.items():
            if key not in ("?", "@context"):
                yield from compare(each, getattr(found, fields.get(key, ""), None), key)
    elif kind.removesuffix("?") == "text" and name in QUOTED:
        yield from () if (AMOUNT, True) == (str(found), isinstance(found, str | Decimal)) else (f"{name} is lost",)
    elif kind.startswith("@"):
        yield from () if isinstance(found, msgspec.Struct) and "1" == getattr(found, "id", None) else (name,)
    elif expected(kind.removesuffix("?"), name) != (type(found), str(found)):
        yield f"{name} is {type(found).__name__}"


def expected(kind: str, name: str) -> tuple[type[object], str]:
    if kind in ("amount", "number"):
        number = 601 if name in WHOLE else Decimal(AMOUNT)
        return type(number), str(number)
    value = SAID["instant" if name in INSTANTS else kind][1]
    return type(value), str(value)


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


def asked(query: Any) -> set[str]:
    """What a query type can send, in the spelling of the document."""
    orders = {f"order[{camel(each.removeprefix('-'))}]" for each in words_of(query, "order")}
    spelt = {**dict.fromkeys((Span, DaySpan, PeriodOption), "[...]"), Within: "[=]"}
    others = (each for each in filters_of(query) if not isinstance(each, Ordered))
    return orders | {f"{each.param}{spelt.get(type(each), '')}" for each in others}


def words_of(query: Any, field: str) -> set[str]:
    """The words that a field of a query takes, where it takes no others."""
    kind = get_type_hints(query).get(field)
    return {word for part in get_args(kind) for word in get_args(part)}


def lists_of(query: Any) -> set[str]:
    """The lists that a query type reads, in the spelling of the document."""
    named = {
        query.apart,
        without_ids(getattr(query, "path", "")),
        f"/entities/{{id}}{query.under}" if query.under else "",
    }
    return {*named, *below(query)} - {""}


@pytest.mark.parametrize("query", Syntage("key-of-nobody").queries, ids=lambda each: each.__name__)
def test_every_filter_is_documented(query: Any) -> None:
    """Syntage ignores filters it does not know, so a misspelt one would quietly bring everything."""
    lists = lists_of(query)

    assert set() == {each for each in lists if each not in FILTERS}
    assert asked(query) <= set().union(*(FILTERS[each] for each in lists))


@pytest.mark.parametrize("query", Syntage("key-of-nobody").queries, ids=lambda each: each.__name__)
def test_every_documented_filter_and_order_is_offered(query: Any) -> None:
    """Whatever a list can be narrowed or ordered by; an order goes both ways."""
    documented = set().union(*(FILTERS[each] for each in lists_of(query)))

    assert set() == documented - asked(query)
    orders = words_of(query, "order")
    assert orders == {f"-{each}".replace("--", "") for each in orders}


def below(query: Any) -> set[str]:
    if not hasattr(query, "below"):
        return set()
    words = ("/issued", "/applied") if "side" in query.__struct_fields__ else ("",)
    return {f"/invoices/{{id}}{word}{query.below}" for word in words}


HOOK: Any = {"url": "https://example.com/hooks", "events": ("extraction.updated",)}
_ADDRESS = syntage.BuroAddress(
    address="X", city="X", municipality="X", state="CMX", postal_code="11510", neighborhood="X",
    exterior_number="8", interior_number="1",
)  # fmt: skip
_PERSON = syntage.BuroPerson(
    rfc="ZZZT800101HM2", birthdate=date(1980, 1, 1), first_name="X", middle_name="X", first_last_name="X",
    second_last_name="X", address=_ADDRESS,
)  # fmt: skip
SENT: dict[str, Mapping[str, Any]] = {
    "BuroDeCreditoAddressInput": msgspec.to_builtins(_ADDRESS),
    "BuroDeCreditoCompanyInput": msgspec.to_builtins(
        syntage.BuroCompany(rfc="ZZT190415QA7", trade_name="X", address=_ADDRESS)
    ),
    "BuroDeCreditoPersonInput": msgspec.to_builtins(_PERSON),
    "CredentialCiecInput": syntage.Ciec(rfc="ZZT190415QA7", password="not-a-real-ciec1").body(),
    "CredentialEfirmaInput": syntage.Efirma(certificate=b"cer", private_key=b"key", password="secret-1").body(),
    "CreateExport": syntage.Export("/tags", "csv", ("invoice.cfdi.xml",)).body(),
    "EntityCreate": syntage.CreateEntity(
        name="X", type="company", rfc="ZZT190415QA7", datasources=("sat",), identifiers=(("curp", "C"),)
    ).body(),
    "WebhookEndpointCreate": syntage.CreateWebhookEndpoint(**HOOK).body() or {},
    "WebhookEndpointUpdate": syntage.UpdateWebhookEndpoint(id="0f3a5c1e", **HOOK).body() or {},
    "CreateEntityShareholder": syntage.CreateShareholder(
        entity="E", relation_type="shareholders", name="X", rfc="ZZT190415QA7", shares=Decimal(1)
    ).body(),
    "PromoteShareholderRelation": syntage.PromoteShareholder(
        shareholder="S", relation="R", name="X", rfc="ZZT190415QA7", datasources=("sat",)
    ).body(),
    "UpdateShareholder": syntage.UpdateShareholder(id="S", name="X", rfc=None).body(),
    "UpdateShareholderRelation": syntage.UpdateShareholderRelation(id="R", shareholder="S", shares=Decimal(1)).body(),
}


@pytest.mark.parametrize("name", INPUTS)
def test_every_documented_input_is_sent(name: str) -> None:
    """What is sent has exactly the documented fields."""
    assert set(INPUTS[name]) == set(SENT[name])
