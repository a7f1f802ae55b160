"""Direct reads of lists. What a filter asks is asked of each row again.

Every query is narrowed by its fields; None asks nothing, and what no row could match is refused rather than answered
with an empty list. Instants need a time zone; a span's bounds are included unless `Strictly`. Names match in part,
whatever their case and accents.
Where a query takes an `entity` or an `invoice`, it is an IRI or a bare uuid. `order` is a word like `issued_at`, with a
`-` before it for the last first. Syntage's cursor goes by ids alone, so more than one page may lack rows when they are
ordered: IncompleteResultError says so where Syntage counts. Raises TaskError.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

from msgspec.structs import force_setattr

from ....abc import Query
from ....discreet import discreet
from ....errors import TaskError
from .account import Credential, Entity, EntityTag, Event, ExtractionState, Tag
from .forms.bounds import AmountRange, Bound, DayBound
from .forms.filters import Contains, DaySpan, Filter, Present, Same, Span, filters_of
from .forms.paths import filled, settle_ids, without_ids
from .forms.subjects import normal_entity, normal_invoice
from .invoices import Invoice, InvoiceBatchPayment, InvoiceCreditNote, InvoiceLineItem, InvoicePayment, InvoiceRelation
from .options import InvoiceType
from .record import Part

R_co = TypeVar("R_co", covariant=True, bound=Part)

Several: TypeAlias = str | tuple[str, ...]
"""One word, or any of several."""

InvoiceTypes: TypeAlias = InvoiceType | tuple[InvoiceType, ...]
"""One kind of invoice, or any of several. The SAT's list is closed, as those of `payment_type` and `status` are."""


class ListQuery(Query[R_co], Generic[R_co], frozen=True, kw_only=True):
    """What all queries of Syntage share: which list they read and what narrows it.

    `under` is the list's path below the entity, `apart` its path for all entities; either may be empty. With
    `is_cursor`, the list is one of those that are asked for in cursor style; with `is_numbered`, one whose pages have
    numbers and may not link to each other; without `is_sized`, one that is not told how long pages are to be. `filters`
    names those that convention does not make of a field (see `filters_of`).
    """

    filters: ClassVar[tuple[Filter, ...]] = ()
    under: ClassVar[str] = ""
    apart: ClassVar[str] = ""
    is_cursor: ClassVar[bool] = False
    is_numbered: ClassVar[bool] = False
    is_sized: ClassVar[bool] = True

    @discreet
    def __post_init__(self) -> None:
        for name, normal in (("entity", normal_entity), ("invoice", normal_invoice)):
            given = getattr(self, name, None)
            if given is not None:
                force_setattr(self, name, normal(given))
        for each in filters_of(type(self)):
            each.check(self)
        self.where()

    def where(self) -> tuple[str, str]:
        """Give the list's path, and its name without ids for logs. Raises TaskError when no list is named."""
        entity: str | None = getattr(self, "entity", None)
        if entity is not None:
            return f"{entity}{self.under}", f"GET /entities/{{id}}{self.under}"
        if not self.apart:
            raise TaskError("entity must be given: this list belongs to one", field="entity")
        return self.apart, f"GET {self.apart}"

    def params(self) -> list[tuple[str, str]]:
        """Write what is asked, for the query string."""
        return [pair for each in filters_of(type(self)) for pair in each.params(self)]

    def asked(self) -> tuple[Filter, ...]:
        """Give the filters that are asked and that rows can be compared with."""
        return tuple(each for each in filters_of(type(self)) if each.path and any(True for _ in each.params(self)))

    def is_ordered(self) -> bool:
        """Whether an order is asked for."""
        return getattr(self, "order", None) is not None

    def __repr__(self) -> str:
        # What is asked may name taxpayers.
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class OfEntity(ListQuery[R_co], Generic[R_co], frozen=True, kw_only=True):
    """A list that every entity has."""

    entity: str


class OfObject(ListQuery[R_co], Generic[R_co], frozen=True, kw_only=True):
    """A list that another object has: `path` names it, with a place for each id, which may be an IRI."""

    path: ClassVar[str]

    @discreet
    def __post_init__(self) -> None:
        settle_ids(self, self.path, {})
        super().__post_init__()

    def where(self) -> tuple[str, str]:
        """Give that list."""
        return filled(self.path, self), f"GET {without_ids(self.path)}"


class Entities(ListQuery[Entity], frozen=True, kw_only=True):
    """`GET /entities`. `rfc` is compared exactly, `name` as a part of the name. `registered_...` are days."""

    apart: ClassVar[str] = "/entities"
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("rfc", "taxpayer.id", "taxpayer.id"),
        Contains("name", "taxpayer.name", "taxpayer.name"),
        Same("person_type", "taxpayer.personType", "taxpayer.person_type"),
        DaySpan("registered", "taxpayer.registrationDate", "taxpayer.registration_date"),
    )

    rfc: str | None = None
    name: str | None = None
    person_type: Literal["physical", "legal"] | None = None
    registered_after: DayBound | None = None
    registered_before: DayBound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    updated_after: Bound | None = None
    updated_before: Bound | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None


class Extractions(ListQuery[ExtractionState], frozen=True, kw_only=True):
    """`GET /extractions`. `rfc`, `extractor` and `status` are compared exactly.

    `rate_limited` asks for those with or without `rateLimitedAt`. Syntage has no filter by entity.
    """

    apart: ClassVar[str] = "/extractions"
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("rfc", "taxpayer.id", "taxpayer.id"),
        Present("rate_limited", "exists[rateLimitedAt]", "rate_limited_at"),
    )

    rfc: str | None = None
    extractor: str | None = None
    status: str | None = None
    rate_limited: bool | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    started_after: Bound | None = None
    started_before: Bound | None = None
    finished_after: Bound | None = None
    finished_before: Bound | None = None
    order: (
        Literal[
            "started_at", "-started_at", "finished_at", "-finished_at",
            "created_at", "-created_at", "updated_at", "-updated_at",
        ]
        | None
    ) = None  # fmt: skip


class Credentials(ListQuery[Credential], frozen=True, kw_only=True):
    """`GET /credentials` (resources/datasources/sat/credentials). Rows do not show when they were deactivated."""

    apart: ClassVar[str] = "/credentials"
    filters: ClassVar[tuple[Filter, ...]] = (Span("deactivated", "deactivatedAt"),)

    type: Literal["ciec", "efirma"] | None = None
    rfc: str | None = None
    status: str | None = None
    deactivated_after: Bound | None = None
    deactivated_before: Bound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    order: Literal["created_at", "-created_at"] | None = None


class Events(ListQuery[Event], frozen=True, kw_only=True):
    """`GET /events`, or an entity's own (resources/core/events); Syntage keeps them for at least seven days.

    `source` and `resource` are IRIs: of what caused the event, and of what it is about. `rfc` is for the list of all.
    """

    under: ClassVar[str] = "/events"
    apart: ClassVar[str] = "/events"
    filters: ClassVar[tuple[Filter, ...]] = (Same("rfc", "taxpayer.id", "taxpayer.id"),)

    entity: str | None = None
    type: str | None = None
    rfc: str | None = None
    source: str | None = None
    resource: str | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    order: Literal["created_at", "-created_at"] | None = None


class EntityTags(ListQuery[EntityTag], frozen=True, kw_only=True):
    """`GET /entity-tags`, or the labels of one entity."""

    under: ClassVar[str] = "/tags"
    apart: ClassVar[str] = "/entity-tags"

    entity: str | None = None


class Tags(ListQuery[Tag], frozen=True, kw_only=True):
    """`GET /tags`: the labels for invoices."""

    apart: ClassVar[str] = "/tags"


BlacklistStatus: TypeAlias = Literal["presumed", "dismissed", "definitive", "favorable"]
"""Where somebody stands on the SAT's list of article 69-B."""


class Invoices(OfEntity[Invoice], frozen=True, kw_only=True):
    """`GET /entities/{id}/invoices`. `uuid` is the fiscal folio; by Syntage's own id, use `GetInvoice`.

    `has_payment_method` asks for those that say how they are paid, or do not; `order` by `amount` is by the total.
    """

    under: ClassVar[str] = "/invoices"
    is_cursor: ClassVar[bool] = True
    filters: ClassVar[tuple[Filter, ...]] = (
        Same("uuid", "uuid", "uuid", folded=True),
        Same("issuer_rfc", "issuer.rfc", "issuer.rfc"),
        Contains("issuer_name", "issuer.name", "issuer.name"),
        Same("issuer_tax_regime", "issuer.taxRegime", "issuer.tax_regime"),
        Same("issuer_blacklist_status", "issuer.blacklistStatus", "issuer.blacklist_status"),
        Same("receiver_rfc", "receiver.rfc", "receiver.rfc"),
        Contains("receiver_name", "receiver.name", "receiver.name"),
        Same("receiver_blacklist_status", "receiver.blacklistStatus", "receiver.blacklist_status"),
        # The vendor spells the filter otherwise than the field.
        Same("cancellation_process_status", "cancellationStatusProcess", "cancellation_process_status"),
        Present("has_payment_method", "exists[paymentMethod]", "payment_method"),
        Same("has_xml", "hasXml", "xml"),
        Same("has_pdf", "hasPdf", "pdf"),
    )

    uuid: Several | None = None
    version: Decimal | None = None
    type: InvoiceTypes | None = None
    usage: Several | None = None
    payment_type: Literal["PUE", "PPD"] | None = None
    payment_method: Several | None = None
    has_payment_method: bool | None = None
    issuer_rfc: str | None = None
    issuer_name: str | None = None
    issuer_tax_regime: int | None = None
    issuer_blacklist_status: BlacklistStatus | None = None
    receiver_rfc: str | None = None
    receiver_name: str | None = None
    receiver_blacklist_status: BlacklistStatus | None = None
    is_issuer: bool | None = None
    is_receiver: bool | None = None
    currency: Several | None = None
    subtotal: AmountRange | None = None
    discount: AmountRange | None = None
    tax: AmountRange | None = None
    total: AmountRange | None = None
    paid_amount: AmountRange | None = None
    due_amount: AmountRange | None = None
    status: Literal["VIGENTE", "CANCELADO"] | None = None
    cancellation_status: Literal["Cancelable sin aceptación", "Cancelable con aceptación", "No cancelable"] | None = (
        None
    )
    cancellation_process_status: (
        Literal[
            "En proceso", "Solicitud rechazada", "Cancelado sin aceptación", "Cancelado con aceptación", "Plazo vencido"
        ]
        | None
    ) = None
    pac: str | None = None
    has_xml: bool | None = None
    has_pdf: bool | None = None
    issued_after: Bound | None = None
    issued_before: Bound | None = None
    certified_after: Bound | None = None
    certified_before: Bound | None = None
    canceled_after: Bound | None = None
    canceled_before: Bound | None = None
    last_payment_date_after: Bound | None = None
    last_payment_date_before: Bound | None = None
    fully_paid_after: Bound | None = None
    fully_paid_before: Bound | None = None
    created_after: Bound | None = None
    created_before: Bound | None = None
    updated_after: Bound | None = None
    updated_before: Bound | None = None
    order: (
        Literal[
            "issued_at", "-issued_at", "canceled_at", "-canceled_at",
            "certified_at", "-certified_at", "amount", "-amount",
        ]
        | None
    ) = None  # fmt: skip


class _OfInvoice(ListQuery[R_co], Generic[R_co], frozen=True, kw_only=True):
    """A list that an invoice has, and maybe an entity or the account."""

    below: ClassVar[str]

    invoice: str | None = None

    def where(self) -> tuple[str, str]:
        """Give the invoice's list, else the entity's or that of all."""
        if self.invoice is None:
            return super().where()
        if getattr(self, "entity", None) is not None:
            raise TaskError("invoice must be left out where an entity is named", field="invoice")
        return f"{self.invoice}{self.below}", f"GET /invoices/{{id}}{self.below}"


class InvoiceLineItems(_OfInvoice[InvoiceLineItem], frozen=True, kw_only=True):
    """The lines of an invoice, or of all an entity's invoices. Name one of the two."""

    under: ClassVar[str] = "/invoices/line-items"
    below: ClassVar[str] = "/line-items"
    is_cursor: ClassVar[bool] = True

    entity: str | None = None


class InvoicePayments(_OfInvoice[InvoicePayment], frozen=True, kw_only=True):
    """The payments of an invoice, of all an entity's invoices, or (naming neither) of all there are."""

    under: ClassVar[str] = "/invoices/payments"
    below: ClassVar[str] = "/payments"
    apart: ClassVar[str] = "/invoices/payments"
    is_cursor: ClassVar[bool] = True

    entity: str | None = None


class InvoiceBatchPayments(_OfInvoice[InvoiceBatchPayment], frozen=True, kw_only=True):
    """The batch payments of an invoice or, naming none, of all there are. Syntage has no list by entity."""

    below: ClassVar[str] = "/batch-payments"
    apart: ClassVar[str] = "/invoices/batch-payments"


class InvoiceRelations(_OfInvoice[InvoiceRelation], frozen=True, kw_only=True):
    """How an invoice relates to others. The list is the invoice's; with `entity`, of the invoice as that entity's."""

    below: ClassVar[str] = "/relations"

    entity: str | None = None

    def where(self) -> tuple[str, str]:
        """Give the invoice's list: there is no other."""
        if self.invoice is None:
            raise TaskError("invoice must be given: this list belongs to one", field="invoice")
        path, name = f"{self.invoice}{self.below}", f"/invoices/{{id}}{self.below}"
        if self.entity is not None:
            return f"{self.entity}{path}", f"GET /entities/{{id}}{name}"
        return path, f"GET {name}"


class InvoiceCreditNotes(_OfInvoice[InvoiceCreditNote], frozen=True, kw_only=True):
    """Credit notes: of an entity, of all there are (naming neither), or of an invoice.

    An invoice has two lists, in the vendor's words `issued` and `applied`: say which by `side`.
    """

    under: ClassVar[str] = "/invoices/credit-notes"
    below: ClassVar[str] = "-credit-notes"
    apart: ClassVar[str] = "/invoices/credit-notes"

    entity: str | None = None
    side: Literal["issued", "applied"] | None = None

    def where(self) -> tuple[str, str]:
        """Give the list of that side."""
        path, name = super().where()
        if self.invoice is None and self.side is None:
            return path, name
        if self.invoice is None or self.side not in ("issued", "applied"):
            raise TaskError("side must be issued or applied for an invoice, else left out", field="side")
        end = f"/{self.side}{self.below}"
        return path.removesuffix(self.below) + end, name.removesuffix(self.below) + end
