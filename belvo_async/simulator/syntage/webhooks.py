"""Syntage's events: kept for seven days, delivered signed, and the forgeries that test a receiver."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from ..deliveries import WebhookSender
from ..faults import Dice
from ..wire import Json, JsonObject, encode
from .errors import LD_JSON
from .rows.invoices import Entity, OrderedIds, stamp, taxpayer_row
from .workspace.endpoints import Endpoints, WebhookEndpoint

KEPT: Final = timedelta(days=7)  # "at least 7 days" (events page)
# What the endpoint gets unless a test subscribes it to more: what tells how something goes on, not each record.
DEFAULT_SUBSCRIPTION: Final = (
    "extraction.created", "extraction.updated", "export.created", "export.updated", "credential.created",
    "credential.updated", "credential.deleted", "link.created", "link.updated", "link.deleted",
)  # fmt: skip
Deliveries: TypeAlias = list[asyncio.Task[None]]
Snapshot: TypeAlias = Callable[[], JsonObject]


def sign(secret: str, body: bytes, at: datetime) -> str:
    """Give the signature header: HMAC-SHA256 over `<t>.<raw body>`, keyed with the secret as text."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},s={digest}"


@dataclass(frozen=True, kw_only=True)
class _Event:
    """One event. Its body is made when somebody looks: most events about records are never read."""

    id: str
    kind: str
    owner: Entity | None
    source: str | None
    resource: str
    snapshot: Snapshot
    changes: JsonObject
    at: datetime

    def body(self) -> JsonObject:
        """Give the event as it is delivered; without `taxpayer` where there is none."""
        taxpayer = taxpayer_row(self.owner.subject, short=True) if self.owner else None
        shown = {name: value for name, value in self.snapshot().items() if name not in ("@id", "@type")}
        return {
            "@context": "/contexts/Event",
            "@id": f"/events/{self.id}",
            "@type": "Event",
            "id": self.id,
            **({"taxpayer": taxpayer} if taxpayer else {}),
            "type": self.kind,
            "source": self.source,
            "resource": self.resource,
            "data": {"object": shown, "changes": self.changes},
            "createdAt": stamp(self.at),
            "updatedAt": stamp(self.at),
        }


class SyntageEvents:
    """Records events, newest last, and posts each to the endpoints that are subscribed to it."""

    def __init__(
        self, sender: WebhookSender, dice: Dice, ids: OrderedIds, now: Callable[[], datetime], endpoints: Endpoints
    ) -> None:
        self.endpoints = endpoints
        self._sender = sender
        self._dice = dice
        self._ids = ids
        self._now = now
        self._events: list[_Event] = []

    @property
    def subscribed(self) -> frozenset[str]:
        """What the configured endpoint is told of."""
        return frozenset(self.endpoints.configured.events)

    def emit(
        self,
        kind: str,
        owner: Entity | None,
        resource: str,
        snapshot: Snapshot,
        *,
        source: str | None = None,
        changes: JsonObject | None = None,
    ) -> Deliveries:
        """Announce something; `changes` is {field: {old, new}}. The snapshot must stay what it is now."""
        event = self._event(kind, owner, resource, snapshot, source, changes or {})
        self._events.append(event)
        wanting = list(self.endpoints.wanting(kind))
        started = [task for each in wanting for task in self._post(event, each)]
        is_told = self.endpoints.configured in wanting
        if is_told and kind.startswith("extraction.") and self._dice.hit("webhook_forged"):
            self._forge(event)
        return started

    def newest_first(self, kinds: Collection[str] | None = None, *, owner: Entity | None = None) -> list[JsonObject]:
        """Give the events of the last seven days, of these kinds and about this entity if given."""
        oldest = self._now() - KEPT
        self._events = [event for event in self._events if event.at >= oldest]
        return [
            event.body()
            for event in reversed(self._events)
            if (kinds is None or event.kind in kinds) and owner in (None, event.owner)
        ]

    def find(self, number: str) -> JsonObject | None:
        """Give one event of the last seven days."""
        oldest = self._now() - KEPT
        return next((event.body() for event in self._events if event.id == number and event.at >= oldest), None)

    def forget(self, number: str) -> bool:
        """Delete an event. False when there is none."""
        left = [event for event in self._events if event.id != number]
        is_known = len(left) < len(self._events)
        self._events = left
        return is_known

    async def deliver(
        self, event: JsonObject, *, secret: str | None, headers: Mapping[str, str | None], at: datetime | None
    ) -> int:
        """Send a hand-made event once; a header set to None is left out."""
        if self._sender.url is None:
            raise RuntimeError("no webhook_url is set: there is nowhere to deliver to")

        def with_overrides(body: bytes) -> Mapping[str, str]:
            merged: dict[str, str | None] = {**self._headers(secret, at)(body), **headers}
            return {name: value for name, value in merged.items() if value is not None}

        return await self._sender.attempt(self._sender.url, encode(event), with_overrides, kind="handmade")

    async def wait_first(self, started: Deliveries) -> None:
        """Wait until started deliveries had their first try (or their deadline)."""
        if started:
            await asyncio.wait(started, timeout=self._sender.deadline_seconds)

    def _post(self, event: _Event, endpoint: WebhookEndpoint) -> Deliveries:
        body = event.body()
        shown = body if endpoint.content_type == LD_JSON else _plain(body)
        to = self.endpoints.destination(endpoint, body)
        headers = self._headers(None, None, endpoint)
        return self._sender.post(encode(shown), headers, to=to)

    def _event(
        self,
        kind: str,
        owner: Entity | None,
        resource: str,
        snapshot: Snapshot,
        source: str | None,
        changes: JsonObject,
    ) -> _Event:
        return _Event(
            id=self._ids(),
            kind=kind,
            owner=owner,
            source=source,
            resource=resource,
            snapshot=snapshot,
            changes=changes,
            at=self._now(),
        )

    def _forge(self, event: _Event) -> None:
        failed: JsonObject = {**event.snapshot(), "status": "failed", "errorCode": "internal_error"}
        self._lie(event, event.resource, failed, "forged", "forged")
        number = self._ids()
        self._lie(event, f"/extractions/{number}", {**failed, "id": number}, None, "unknown_job")

    def _lie(self, event: _Event, resource: str, snapshot: JsonObject, secret: str | None, kind: str) -> None:
        lie = self._event("extraction.updated", event.owner, resource, lambda: snapshot, resource, {})
        self._sender.post_once(encode(lie.body()), self._headers(secret, None), kind=kind)

    def _headers(
        self, secret: str | None, at: datetime | None, endpoint: WebhookEndpoint | None = None
    ) -> Callable[[bytes], Mapping[str, str]]:
        place = endpoint or self.endpoints.configured

        def headers(body: bytes) -> Mapping[str, str]:
            # Called per try: each retry is signed afresh (whether Syntage does so is not documented).
            signature = sign(place.secret() if secret is None else secret, body, at or self._now())
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            return {
                "Content-Type": place.content_type,
                "X-Syntage-Signature": signature,
                "X-Satws-Signature": signature,
                "Content-Digest": f"sha-256=:{digest}:",
            }

        return headers


def _plain(value: Json) -> Json:
    """Give what `application/json` says of the same: without the keys of JSON-LD, as seen of the vendor."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if not name.startswith("@")}
    return value
