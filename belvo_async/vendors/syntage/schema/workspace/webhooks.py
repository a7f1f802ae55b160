"""Webhook endpoints, and what became of each attempt to deliver to them (OpenAPI 2020-06-28)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias, get_args

from msgspec.structs import force_setattr

from .....abc import Secret
from .....discreet import discreet
from .....errors import TaskError
from .....origins import is_safe_url
from ..forms.filters import Filter, Holds, Same
from ..forms.requests import Delete, Get, OneRequest
from ..queries import ListQuery
from ..record import Record

if TYPE_CHECKING:
    SigningSecret: TypeAlias = Secret
else:
    # As it is decoded; a record wraps it before anybody sees it.
    SigningSecret = str

ContentType: TypeAlias = Literal["application/ld+json", "application/json"]

EventType: TypeAlias = Literal[
    "credential.created",
    "credential.updated",
    "credential.deleted",
    "link.created",
    "link.updated",
    "link.deleted",
    "extraction.created",
    "extraction.updated",
    "invoice.created",
    "invoice.updated",
    "invoice.deleted",
    "tax_return.created",
    "tax_return.updated",
    "tax_return.deleted",
    "file.created",
    "export.created",
    "export.updated",
    "tax_status.created",
    "tax_status.updated",
    "tax_status.deleted",
    "tax_compliance_check.created",
    "tax_compliance_check.updated",
    "tax_compliance_check.deleted",
    "tax_retention.created",
    "tax_retention.updated",
    "tax_retention.deleted",
    "invoice_payment.created",
    "invoice_payment.updated",
    "invoice_line_item.created",
    "invoice_line_item.updated",
    "electronic_accounting_record.created",
    "electronic_accounting_record.updated",
    "rpc_entidades.created",
    "rpc_entidades.updated",
    "rpc_socios.created",
    "rpc_socios.updated",
    "rpc_acto.created",
    "rpc_acto.updated",
    "shareholder_relation.created",
    "shareholder_relation.updated",
    "shareholder_relation_source.created",
    "rug_garantia.created",
    "rug_garantia.updated",
    "buro_de_credito_report.created",
    "buro_de_credito_report.updated",
    "background_check.created",
    "sat_certificate.created",
    "sat_certificate.updated",
    "company_verification_report.created",
    "company_verification_report.updated",
]

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
"""What an endpoint may be subscribed to."""


class WebhookEndpoint(Record, frozen=True, kw_only=True):
    """Where Syntage sends events, which of them, and by which secret it signs them.

    `signing_secret` is a `Secret`: the record shows it nowhere, and cannot be pickled or written as JSON while it holds
    one.
    """

    url: str | None = None
    signing_secret: SigningSecret | None = None
    events: tuple[str, ...] | None = None
    enabled: bool | None = None
    content_type: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given: object = self.signing_secret
        if isinstance(given, str):
            force_setattr(self, "signing_secret", Secret(given))


class WebhookRequest(Record, frozen=True, kw_only=True):
    """One attempt to deliver an event. `response_status_code` is 0 where nobody answered.

    Which event it was about the record does not say: ask with the filters of `WebhookRequests`.
    """

    webhook_endpoint: WebhookEndpoint | None = None
    url: str | None = None
    response_status_code: int | None = None
    response_time: Decimal | None = None

    @property
    def took(self) -> timedelta | None:
        """How long the answer took; None where it is not said."""
        seconds = self.response_time
        return None if seconds is None or not 0 <= seconds < _DAY_SECONDS else timedelta(seconds=float(seconds))


_DAY_SECONDS: Final = 86_400


class WebhookEndpoints(ListQuery[WebhookEndpoint], frozen=True, kw_only=True):
    """`GET /webhook-endpoints`. `url` is compared exactly; `event` is one that an endpoint is subscribed to."""

    apart: ClassVar[str] = "/webhook-endpoints"
    filters: ClassVar[tuple[Filter, ...]] = (Holds("event", "events", "events"),)

    url: str | None = None
    event: str | None = None
    enabled: bool | None = None


class WebhookRequests(ListQuery[WebhookRequest], frozen=True, kw_only=True):
    """`GET /webhook-requests`: attempts to deliver. `event_source` and `event_resource` are IRIs.

    Rows do not tell their event, so that what is asked of events is left to Syntage.
    """

    apart: ClassVar[str] = "/webhook-requests"
    filters: ClassVar[tuple[Filter, ...]] = (
        Filter("event_id", "event.id"),
        Filter("event_type", "event.type"),
        Filter("event_source", "event.source"),
        Filter("event_resource", "event.resource"),
        Same("status_code", "responseStatusCode", "response_status_code"),
    )

    url: str | None = None
    status_code: int | None = None
    event_id: str | None = None
    event_type: str | None = None
    event_source: str | None = None
    event_resource: str | None = None


class GetWebhookEndpoint(Get[WebhookEndpoint], frozen=True):
    """`GET /webhook-endpoints/{id}`, with its signing secret."""

    path: ClassVar[str] = "/webhook-endpoints/{id}"


class GetWebhookRequest(Get[WebhookRequest], frozen=True):
    """`GET /webhook-requests/{id}`."""

    path: ClassVar[str] = "/webhook-requests/{id}"


class _WebhookTerms(OneRequest[WebhookEndpoint], frozen=True, kw_only=True):
    """Where events go, and which; all of it is said each time."""

    url: str
    events: tuple[EventType, ...]
    enabled: bool = True
    content_type: ContentType = "application/ld+json"

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_safe_url(self.url):
            raise TaskError("url must be a public https address (http only on loopback)", field="url")


class CreateWebhookEndpoint(_WebhookTerms, frozen=True, kw_only=True):
    """`POST /webhook-endpoints`. What comes back holds the secret that Syntage made for it. Raises TaskError.

    Sent once: after a TransportError look with `WebhookEndpoints(url=...)` before trying again.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/webhook-endpoints"


class UpdateWebhookEndpoint(_WebhookTerms, frozen=True, kw_only=True):
    """`PUT /webhook-endpoints/{id}`: replaces all that was said of it. Its secret stays. Raises TaskError."""

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = "/webhook-endpoints/{id}"
    collections: ClassVar[Mapping[str, str]] = {"id": "/webhook-endpoints"}

    id: str


class DeleteWebhookEndpoint(Delete, frozen=True):
    """`DELETE /webhook-endpoints/{id}`: Syntage stops sending events to it."""

    path: ClassVar[str] = "/webhook-endpoints/{id}"
