"""Syntage's catalogue: the task, its options, the queries, the records.

Field names are the vendor's keys in snake_case; `@id` is `iri` and `@type` is `ld_type`. The vendor marks almost
nothing as required, so every record field may be None. Codes stay `str`: the prose already knows more words than the
OpenAPI enums.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from ...abc import Query
from ...errors import TaskError
from ...jobs import Task

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
    "Tag",
    "TaxRetentionOptions",
    "TaxReturnOptions",
    "Taxpayer",
]

# ---------------------------------------------------------------------------------------------------------------------
# Records


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """What every record shares: unknown fields are ignored, instants come out aware and in UTC, repr shows no data."""

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    iri: str | None = msgspec.field(default=None, name="@id")
    ld_type: str | None = msgspec.field(default=None, name="@type")
    id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in self._instants:
            instant = getattr(self, name)
            if instant is not None and instant.tzinfo is not UTC:
                # Besides RFC 3339 Syntage prints `2024-01-02 03:04:05` (developers/event-examples): that is UTC.
                aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
                force_setattr(self, name, aware)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_harmless_id(self.id)})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("id", _harmless_id(self.id))]


def _harmless_id(record_id: str | None) -> str:
    # A taxpayer's id is its RFC; all other ids are UUIDs.
    return record_id if record_id is not None and re.fullmatch(_UUID, record_id, re.IGNORECASE) else "***"


class Taxpayer(Record, frozen=True, kw_only=True, gc=False):
    """Who the data is about. `id` is the RFC; `person_type` is `physical` or `legal`."""

    person_type: str | None = None
    registration_date: date | None = None
    name: str | None = None


class Tag(Record, frozen=True, kw_only=True, gc=False):
    """A label put on an invoice."""

    name: str | None = None
    resource_type: str | None = None
    color: str | None = None


class EntityTag(Record, frozen=True, kw_only=True, gc=False):
    """A label put on an entity."""

    name: str | None = None
    color: str | None = None


class Credential(Record, frozen=True, kw_only=True, gc=False):
    """Access to the SAT (resources/datasources/sat/credentials). `type` is `ciec` or `efirma`.

    `status` is pending, waiting, valid, invalid, disabled or error.
    """

    type: str | None = None
    rfc: str | None = None
    status: str | None = None


class Entity(Record, frozen=True, kw_only=True, gc=False):
    """A company or a person whose data is fetched (`GET /entities`). `taxpayer` is missing without an RFC."""

    type: str | None = None
    taxpayer: Taxpayer | None = None
    credential: Credential | None = None
    tags: tuple[EntityTag, ...] | None = None


class ExtractionState(Record, frozen=True, kw_only=True, gc=False):
    """An extraction as `GET /extractions` shows it (resources/core/extractions); the task is `Extraction`.

    `options` come back with defaults filled in and dates reformatted. With `rate_limited_at`, the SAT refused more
    downloads for about 24 hours and data may be missing. `total_data_points` was only seen in use.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "started_at", "finished_at", "rate_limited_at")

    taxpayer: Taxpayer | None = None
    extractor: str | None = None
    options: Mapping[str, object] | None = None
    status: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rate_limited_at: datetime | None = None
    error_code: str | None = None
    created_data_points: int | None = None
    updated_data_points: int | None = None
    total_data_points: int | None = None


class Issuer(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Who issued an invoice.

    `tax_regime` is the SAT's code; `blacklist_status` presumed, dismissed, definitive or favorable.
    """

    rfc: str | None = None
    name: str | None = None
    tax_regime: int | None = None
    blacklist_status: str | None = None

    def __repr__(self) -> str:
        return "Issuer(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Receiver(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Who an invoice was issued to."""

    rfc: str | None = None
    name: str | None = None
    blacklist_status: str | None = None

    def __repr__(self) -> str:
        return "Receiver(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class InvoiceRelation(Record, frozen=True, kw_only=True, gc=False):
    """How an invoice relates to another. `type` is the SAT's c_TipoRelacion, 1 to 9; the invoices are IRIs."""

    type: int | None = None
    invoice: str | None = None
    related_invoice: str | None = None
    related_invoice_uuid: str | None = None


class InvoiceTaxes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sum of taxes. Not documented, seen in use."""

    total: Decimal | None = None

    def __repr__(self) -> str:
        return "InvoiceTaxes(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Invoice(Record, frozen=True, kw_only=True, gc=False):
    """A CFDI as Syntage keeps it (OpenAPI, Invoice). Amounts are in `currency`.

    `id` is Syntage's, `uuid` the fiscal folio. `type` is I, E, P, N or T; `status` VIGENTE or CANCELADO; `is_issuer`
    and `is_receiver` are relative to the entity. `xml` and `pdf` say whether the file is held. `tags` come only with a
    single invoice. `transferred_taxes` and `retained_taxes` were only seen in use.
    """

    _instants: ClassVar[tuple[str, ...]] = (
        "created_at",
        "updated_at",
        "issued_at",
        "certified_at",
        "canceled_at",
        "last_payment_date",
        "fully_paid_at",
    )

    uuid: str | None = None
    version: Decimal | None = None
    reference: str | None = None
    internal_identifier: str | None = None
    type: str | None = None
    usage: str | None = None
    payment_type: str | None = None
    payment_method: str | None = None
    payment_terms: str | None = None
    payment_terms_raw: str | None = None
    place_of_issue: str | None = None
    issuer: Issuer | None = None
    receiver: Receiver | None = None
    is_issuer: bool | None = None
    is_receiver: bool | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    subtotal: Decimal | None = None
    total: Decimal | None = None
    credited_amount: Decimal | None = None
    subtotal_credited_amount: Decimal | None = None
    paid_amount: Decimal | None = None
    due_amount: Decimal | None = None
    last_payment_date: datetime | None = None
    fully_paid_at: datetime | None = None
    status: str | None = None
    pac: str | None = None
    issued_at: datetime | None = None
    certified_at: datetime | None = None
    cancellation_status: str | None = None
    cancellation_process_status: str | None = None
    canceled_at: datetime | None = None
    relations: tuple[InvoiceRelation, ...] | None = None
    tags: tuple[Tag, ...] | None = None
    xml: bool | None = None
    pdf: bool | None = None
    transferred_taxes: InvoiceTaxes | None = None
    retained_taxes: InvoiceTaxes | None = None


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    """`object` is the resource as it was then, `changes` maps fields to `{"old", "new"}`; both kept as bytes.

    Their types are loose (a total may be quoted), so they are not decoded into records.
    """

    object: msgspec.Raw = msgspec.Raw(b"null")
    changes: msgspec.Raw = msgspec.Raw(b"null")

    def __repr__(self) -> str:
        return "EventData(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Event(Record, frozen=True, kw_only=True, gc=False):
    """Something that happened (resources/core/events).

    `id` is what de-duplication compares; `resource` the IRI of what it is about, `source` of what caused it.
    """

    taxpayer: Taxpayer | None = None
    type: str | None = None
    source: str | None = None
    resource: str | None = None
    data: EventData | None = None


# ---------------------------------------------------------------------------------------------------------------------
# The task and its options

InvoiceType: TypeAlias = Literal["I", "E", "P", "N", "T"]
"""Income, credit note (egreso), payment, payroll (nómina), transfer (traslado)."""
INVOICE_TYPES: tuple[InvoiceType, ...] = ("I", "E", "P", "N", "T")

if TYPE_CHECKING:
    # A datetime is a date to a type checker, so both may be given.
    Moment: TypeAlias = date
else:
    # msgspec allows one text-like type in a union: the text forms are read in Period.__post_init__.
    Moment = object


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The span an extraction covers, both ends meant: plain dates, or datetimes with a time zone (kept in UTC).

    For invoices it is about the issuing date, for tax returns about the filing date
    (api-reference/extractions/overview). Syntage does not say in which time zone plain dates are read.
    """

    from_: Moment = msgspec.field(name="from")
    to: Moment

    def __post_init__(self) -> None:
        for name, field in (("from_", "from"), ("to", "to")):
            force_setattr(self, name, _read_moment(getattr(self, name), f"options.period.{field}"))
        if self.last < self.first:
            raise TaskError("the period ends before it begins", field="options.period.to")

    @property
    def first(self) -> datetime:
        """The first instant: a plain date begins at midnight UTC."""
        given = self.from_
        return given if isinstance(given, datetime) else datetime.combine(given, time.min, tzinfo=UTC)

    @property
    def last(self) -> datetime:
        """The last instant: a plain date ends with its day in UTC."""
        given = self.to
        return given if isinstance(given, datetime) else datetime.combine(given, time.max, tzinfo=UTC)


def _read_moment(given: object, field: str) -> date:
    if isinstance(given, str):
        given = _parse_moment(given, field)
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise TaskError("a datetime needs a time zone", field=field)
        return given.astimezone(UTC)
    if isinstance(given, date):
        return given
    raise TaskError("expected a date or a datetime", field=field)


def _parse_moment(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise TaskError("not a date like 2025-03-01 or a date-time like 2025-03-01T00:00:00Z", field=field) from None


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The options of one extractor. What is None is not sent: Syntage's default applies."""


class InvoiceOptions(Options, frozen=True, kw_only=True):
    """Options of `invoice`; the defaults are the documented ones and always sent (api-reference/extractions/overview).

    `period` has none: Syntage's default start is documented contradictorily. Keep `P` in `types` to have payments, `E`
    to have credit notes (developers/extraction-request-examples). `complement` is an undocumented filter; -1 is none.
    """

    period: Period
    types: tuple[InvoiceType, ...] = INVOICE_TYPES
    issued: bool = True
    received: bool = True
    xml: bool = True
    pdf: bool = True
    complement: int | None = None

    def __post_init__(self) -> None:
        given = cast("object", self.types)
        listed = isinstance(given, (tuple, list, set, frozenset))
        if not listed or not self.types or any(each not in INVOICE_TYPES for each in self.types):
            raise TaskError("types needs one or more of the letters I, E, P, N, T", field="options.types")
        # One order, so that equal tasks are equal; -1 is the documented default and the same as nothing.
        force_setattr(self, "types", tuple(each for each in INVOICE_TYPES if each in self.types))
        if self.complement == -1:
            force_setattr(self, "complement", None)


class TaxRetentionOptions(Options, frozen=True, kw_only=True):
    """Options of `tax_retention` (developers/extraction-request-examples); `complement` was only seen in use."""

    period: Period | None = None
    issued: bool | None = None
    received: bool | None = None
    xml: bool | None = None
    pdf: bool | None = None
    complement: int | None = None


class TaxReturnOptions(Options, frozen=True, kw_only=True):
    """Options of `annual_tax_return`, `monthly_tax_return` and `rif_tax_return`; the period is about the filing date.

    Give a period: what Syntage takes without one is documented contradictorily.
    """

    period: Period | None = None


class ElectronicAccountingOptions(Options, frozen=True, kw_only=True):
    """Options of `electronic_accounting`, as seen in use."""

    period: Period | None = None


class BuroOptions(Options, frozen=True, kw_only=True):
    """Options of `buro_de_credito_report`.

    Persons: 007 (default), 004, INFORME_BURO; companies: INFORME_BURO (default), RCO.
    """

    product_type: str | None = None

    def __post_init__(self) -> None:
        if self.product_type not in (None, "007", "004", "INFORME_BURO", "RCO"):
            raise TaskError("expected 007, 004, INFORME_BURO or RCO", field="options.productType")


class NoOptions(Options, frozen=True, kw_only=True):
    """For extractors documented to take none: `tax_status` and `tax_compliance`."""


EXTRACTORS: Mapping[str, type[Options] | None] = MappingProxyType(
    {
        "invoice": InvoiceOptions,
        "annual_tax_return": TaxReturnOptions,
        "monthly_tax_return": TaxReturnOptions,
        "rif_tax_return": TaxReturnOptions,
        "tax_retention": TaxRetentionOptions,
        "electronic_accounting": ElectronicAccountingOptions,
        "tax_status": NoOptions,
        "tax_compliance": NoOptions,
        "buro_de_credito_report": BuroOptions,
        "sat_certificates": None,
        "rpc": None,
        "rug": None,
        "bil": None,
        "background_check": None,
    }
)
"""The 14 extractors and their options; None where Syntage publishes nothing and any JSON object is passed on."""

if TYPE_CHECKING:
    AnyOptions: TypeAlias = (
        InvoiceOptions
        | TaxRetentionOptions
        | TaxReturnOptions
        | ElectronicAccountingOptions
        | BuroOptions
        | NoOptions
        | Mapping[str, object]
        | None
    )
else:
    # msgspec allows one object-like type in a union: Extraction.__post_init__ finds the type by the extractor.
    AnyOptions = object

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENTITY = re.compile(f"(?:/entities/)?({_UUID})", re.IGNORECASE | re.ASCII)
_TAXPAYER = re.compile("/taxpayers/([A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3})", re.IGNORECASE)


class Extraction(Task[Invoice], frozen=True, tag="syntage.Extraction"):
    """One run of an extractor for an entity: `POST /extractions` (api-reference/extractions/overview).

    `entity` is `/entities/<uuid>` or the bare uuid; the deprecated `/taxpayers/<RFC>` is accepted too. `options` is the
    struct of the extractor or a dict in Syntage's own words; either way it is checked and kept as the struct (a dict
    only for extractors whose options are not published). `invoice` needs options, for it needs a period. Raises
    TaskError naming the field, like `options.period.to`.
    """

    vendor: ClassVar[str] = "syntage"

    entity: str
    extractor: str
    options: AnyOptions = None

    def __post_init__(self) -> None:
        force_setattr(self, "entity", _normal_entity(self.entity))
        force_setattr(self, "options", _normal_options(self.extractor, self.options))

    @property
    def subject(self) -> str:
        """The entity's IRI (or, in the deprecated form, the taxpayer's)."""
        return self.entity

    @property
    def resource(self) -> str:
        """The extractor."""
        return self.extractor

    @property
    def rfc(self) -> str | None:
        """The RFC, for a task in the deprecated taxpayer form."""
        match = _TAXPAYER.fullmatch(self.entity)
        return match.group(1) if match else None

    @property
    def period(self) -> Period | None:
        """The period asked for, where the extractor has one."""
        return getattr(self.options, "period", None)

    def words(self) -> dict[str, object]:
        """Give the options as they are sent: the vendor's keys, nothing that is None."""
        return {name: value for name, value in _builtins(self.options).items() if value is not None}

    def __repr__(self) -> str:
        # The deprecated form names the taxpayer.
        return f"Extraction(extractor={self.extractor!r}, entity={'/taxpayers/***' if self.rfc else self.entity!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("extractor", self.extractor)]


def _normal_entity(entity: object) -> str:
    text = entity if isinstance(entity, str) else ""
    if match := _ENTITY.fullmatch(text):
        return f"/entities/{match.group(1).lower()}"
    if match := _TAXPAYER.fullmatch(text):
        return f"/taxpayers/{match.group(1).upper()}"
    raise TaskError("expected /entities/<uuid>, a bare uuid, or /taxpayers/<RFC>", field="entity")


def _normal_options(extractor: object, given: object) -> Options | dict[str, object]:
    if not isinstance(extractor, str) or extractor not in EXTRACTORS:
        raise TaskError(f"unknown extractor; Syntage has {', '.join(EXTRACTORS)}", field="extractor")
    kind = EXTRACTORS[extractor]
    if isinstance(given, msgspec.Struct) and type(given) is not kind:
        raise TaskError(f"{type(given).__name__} are not the options of {extractor}", field="options")
    if extractor == "invoice" and given is None:
        raise TaskError("invoice needs options with a period", field="options.period")
    words = {} if given is None else _builtins(given)
    if kind is None:
        return words
    try:
        return msgspec.convert(words, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, TaskError):
            raise error.__cause__ from None
        raise _name_option(str(error), extractor) from None


def _builtins(options: object) -> dict[str, object]:
    """Reduce options to JSON, keys sorted: equal options become equal text."""
    try:
        words: object = msgspec.json.decode(msgspec.json.encode(options, order="sorted"))
    except (TypeError, ValueError, RecursionError, OverflowError):
        words = None
    if not isinstance(words, dict):
        raise TaskError("options must be an object that JSON can hold", field="options")
    return cast("dict[str, object]", words)


_OPTION_PATH = re.compile(r"`\$([^`]*)`")
_OPTION_NAME = re.compile(r"(unknown|required) field `(\w{1,64})`")


def _name_option(complaint: str, extractor: str) -> TaskError:
    path = _OPTION_PATH.search(complaint)
    name = _OPTION_NAME.search(complaint)
    field = "options" + (path.group(1) if path else "")
    if name is None:
        return TaskError(f"an option of {extractor} has the wrong type", field=field)
    reason = "is missing" if name.group(1) == "required" else f"is not an option of {extractor}"
    return TaskError(f"{name.group(2)} {reason}", field=f"{field}.{name.group(2)}")


# ---------------------------------------------------------------------------------------------------------------------
# Direct reads


class Entities(Query[Entity], frozen=True, kw_only=True):
    """`GET /entities`. `rfc` is compared exactly, `name` as a part of the name; instants need a time zone."""

    rfc: str | None = None
    name: str | None = None
    person_type: Literal["physical", "legal"] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None

    def __repr__(self) -> str:
        return "Entities(...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Extractions(Query[ExtractionState], frozen=True, kw_only=True):
    """`GET /extractions`. `rfc`, `extractor` and `status` are compared exactly; instants need a time zone.

    `rate_limited` asks for those with or without `rateLimitedAt`. Syntage has no filter by entity.
    """

    rfc: str | None = None
    extractor: str | None = None
    status: str | None = None
    rate_limited: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None

    def __repr__(self) -> str:
        return "Extractions(...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []
