"""Syntage's webhook endpoints in our words, and a signed event of our own."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

import msgspec

from ....abc import AttemptFilter, Call, Conversation, DeliveryAttempt, Headers, HookEndpoint, Query, Secret
from ....discreet import Discretion
from ....errors import NotFoundError, PayloadError, TaskError, UnsupportedError
from ....tolerant import read
from ..calls import carry_out
from ..pages import read_pages
from ..schema.record import Record
from ..schema.tasks import Export, Extraction
from ..schema.workspace.webhooks import (
    EVENT_TYPES,
    ContentType,
    CreateWebhookEndpoint,
    DeleteWebhookEndpoint,
    EventType,
    UpdateWebhookEndpoint,
    WebhookEndpoint,
    WebhookEndpoints,
    WebhookRequest,
    WebhookRequests,
)
from ..snapshots import RawPage
from ..webhooks import SIGNATURE_HEADERS

R = TypeVar("R", bound=Record)

# What says how a job goes on. The rest is for whoever wants to be told of records.
NEEDED: Final = ("extraction.updated", "export.updated")
# Accounts have a handful of endpoints.
_ENDPOINT_PAGES: Final = 10
_ROWS_OF_A_PAGE: Final = 100
# None of the vendor's types, so that no receiver does anything by it.
SPECIMEN_TYPE: Final = "belvo_async.test"
SPECIMEN_ID: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, kw_only=True)
class SyntageWebhooks:
    """Implements `ManagedWebhooks`."""

    url: str | None
    secrets: tuple[Secret, ...] = field(repr=False)
    is_waived: bool = False
    needed: tuple[str, ...] = NEEDED
    offered: tuple[str, ...] = EVENT_TYPES
    variable: str = "SYNTAGE_WEBHOOK_SECRET"

    def knows(self, secret: Secret) -> bool:
        """See `ManagedWebhooks`."""
        return secret in self.secrets if self.secrets else self.is_waived

    def endpoints(self, url: str | None = None) -> Conversation[tuple[HookEndpoint, ...]]:
        """`GET /webhook-endpoints`, whose rows hold the secrets."""
        query = WebhookEndpoints(url=url)
        rows = yield from _read(query, WebhookEndpoint, rows=_ENDPOINT_PAGES * _ROWS_OF_A_PAGE)
        found = [_endpoint(each) for each in rows if url in (None, each.url)]
        return tuple(sorted(found, key=lambda each: (each.created_at or _NEVER, each.id)))

    def create(
        self, url: str, events: Sequence[str], *, is_enabled: bool, content_type: str | None = None
    ) -> Conversation[HookEndpoint]:
        """`POST /webhook-endpoints`."""
        wanted = _events(events)
        if content_type is None:
            return _told(CreateWebhookEndpoint(url=url, events=wanted, enabled=is_enabled))
        # What is none of them the call refuses.
        kind = cast("ContentType", content_type)
        return _told(CreateWebhookEndpoint(url=url, events=wanted, enabled=is_enabled, content_type=kind))

    def replace(self, endpoint: HookEndpoint) -> Conversation[HookEndpoint]:
        """`PUT /webhook-endpoints/{id}`."""
        return _told(
            UpdateWebhookEndpoint(
                id=endpoint.id,
                url=endpoint.url,
                events=_events(endpoint.events),
                enabled=endpoint.is_enabled,
                content_type=_content_type(endpoint.content_type),
            )
        )

    def delete(self, endpoint: HookEndpoint) -> Conversation[None]:
        """`DELETE /webhook-endpoints/{id}`."""
        try:
            yield from carry_out(DeleteWebhookEndpoint(endpoint.id))
        except NotFoundError:
            return

    def attempts(self, asked: AttemptFilter) -> Conversation[tuple[DeliveryAttempt, ...]]:
        """`GET /webhook-requests`. Of a job: what told its updates, of which one is its end."""
        query = _query(asked)
        rows = yield from _read(query, WebhookRequest, rows=asked.limit)
        found = [
            _attempt(each, each.response_status_code, query.event_type)
            for each in rows
            if each.response_status_code is not None
        ]
        found = [each for each in found if asked.status in (None, each.status) and asked.url in (None, each.url)]
        return tuple(sorted(found, key=lambda each: (each.at or _NEVER, each.id), reverse=True)[: asked.limit])

    def specimen(self, endpoint: HookEndpoint, now: datetime) -> tuple[Headers, bytes]:
        """An event of a type that Syntage does not have, signed as it signs (guides/validating-webhook-requests)."""
        if endpoint.secret is None:
            raise UnsupportedError("Syntage did not tell the signing secret of this endpoint")
        made = now.astimezone(UTC).isoformat(timespec="seconds")
        body = msgspec.json.encode({"id": SPECIMEN_ID, "type": SPECIMEN_TYPE, "source": None, "createdAt": made})
        signature = sign(endpoint.secret, body, now)
        kind = endpoint.content_type or "application/ld+json"
        return Headers([("Content-Type", kind), *((name, signature) for name in SIGNATURE_HEADERS)]), body


def sign(secret: Secret, body: bytes, at: datetime) -> str:
    """Sign a body as Syntage does: HMAC-SHA256 over `<t>.<body>`, keyed with the secret's text."""
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(secret.reveal().encode(), stamp.encode() + b"." + body, "sha256")
    return f"t={stamp},s={digest.hex()}"


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _events(given: Sequence[str]) -> tuple[EventType, ...]:
    # What is none of them the call refuses; a text would be taken for its letters.
    is_several = isinstance(cast("object", given), Sequence) and not isinstance(given, str)
    return cast("tuple[EventType, ...]", tuple(given) if is_several else given)


def _content_type(given: str | None) -> ContentType:
    return "application/json" if given == "application/json" else "application/ld+json"


def _told(call: Call[WebhookEndpoint]) -> Conversation[HookEndpoint]:
    made = cast("WebhookEndpoint", (yield from carry_out(call)))
    if made.id is None:
        raise PayloadError("an endpoint without an id", path="$.id")
    return _endpoint(made)


def _endpoint(row: WebhookEndpoint) -> HookEndpoint:
    return HookEndpoint(
        id=row.id or "",
        url=row.url or "",
        events=row.events or (),
        is_enabled=row.enabled is not False,
        content_type=row.content_type,
        secret=row.signing_secret,
        created_at=row.created_at,
    )


def _attempt(row: WebhookRequest, status: int, event: str | None) -> DeliveryAttempt:
    endpoint = row.webhook_endpoint
    return DeliveryAttempt(
        id=row.id or "",
        status=status,
        url=row.url or "",
        endpoint=None if endpoint is None else endpoint.id,
        took=row.took,
        at=row.created_at,
        event=event,
    )


def _query(asked: AttemptFilter) -> WebhookRequests:
    if asked.job is None:
        return WebhookRequests(url=asked.url, status_code=asked.status, event_type=asked.event)
    if not isinstance(asked.job.task, Extraction | Export):
        raise TaskError("job must be one of Syntage's", field="job")
    is_export = isinstance(asked.job.task, Export)
    return WebhookRequests(
        url=asked.url,
        status_code=asked.status,
        event_type=NEEDED[is_export],
        event_resource=f"/{'exports' if is_export else 'extractions'}/{asked.job.remote_id}",
    )


def _read(query: Query[Any], record: type[R], *, rows: int) -> Conversation[list[R]]:
    """Read so many rows of a list. One that cannot be read, or has no id, is left out."""
    asked, found = cast("WebhookEndpoints | WebhookRequests", query), list[R]()
    path, name = asked.where()

    def is_enough(page: RawPage) -> bool:
        found.extend(row for row in (_row(each, record) for each in page.rows) if row is not None)
        return len(found) >= rows

    with Discretion():
        yield from read_pages(path, asked.params(), is_enough, name=name, limit=-(-rows // _ROWS_OF_A_PAGE))
    return found


def _row(given: object, record: type[R]) -> R | None:
    try:
        row = read(msgspec.json.encode(given), record)
    except PayloadError:
        return None
    return None if row.id is None else row
