"""Syntage's webhook endpoints and the attempts to deliver to them, as it keeps both."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from ...deliveries import Destination, WebhookSender
from ...faults import Dice
from ...wire import Delivery, Json, JsonObject
from ..errors import LD_JSON
from ..rows.invoices import OrderedIds, stamp

# How long Syntage keeps them is not documented.
ATTEMPTS_KEPT: Final = 5000


@dataclass(kw_only=True)
class WebhookEndpoint:
    """One endpoint. Its secret is asked for each time: that of the one that was configured may be changed."""

    id: str
    url: Callable[[], str]
    secret: Callable[[], str]
    events: list[str]
    enabled: bool
    content_type: str
    created_at: datetime
    updated_at: datetime
    is_deleted: bool = False

    def row(self) -> JsonObject:
        """Give the endpoint as Syntage shows it, with its secret."""
        events: list[Json] = [*self.events]
        return {
            "@id": f"/webhook-endpoints/{self.id}",
            "@type": "WebhookEndpoint",
            "id": self.id,
            "url": self.url(),
            "signingSecret": self.secret(),
            "events": events,
            "enabled": self.enabled,
            "contentType": self.content_type,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }


@dataclass(frozen=True, kw_only=True)
class WebhookRequest:
    """One try to deliver an event. What it was about is for filters: Syntage does not show it."""

    id: str
    endpoint: WebhookEndpoint = field(repr=False)
    delivery: Delivery
    event: JsonObject

    def row(self) -> JsonObject:
        """Give the attempt as Syntage shows it, and under `event` what filters look at."""
        made = self.delivery
        return {
            "@id": f"/webhook-requests/{self.id}",
            "@type": "WebhookRequest",
            "id": self.id,
            "webhookEndpoint": self.endpoint.row(),
            "url": made.url,
            "responseStatusCode": made.status,
            "responseTime": Decimal(f"{made.seconds:.5f}"),
            "createdAt": stamp(made.at),
            "updatedAt": stamp(made.at),
            "event": self.event,
        }


class Endpoints:
    """All endpoints: the one the simulator was configured with, while it has an address, and those that were made."""

    def __init__(
        self,
        sender: WebhookSender,
        dice: Dice,
        now: Callable[[], datetime],
        secret: Callable[[], str],
        subscribed: Collection[str],
    ) -> None:
        self._sender, self._now, self._secret = sender, now, secret
        self._ids = OrderedIds(dice.stream("endpoint_ids"), now)
        self._attempt_ids = OrderedIds(dice.stream("attempt_ids"), now)
        self._secrets = dice.stream("endpoint_secrets")
        self._made: list[WebhookEndpoint] = []
        self.attempts: deque[WebhookRequest] = deque(maxlen=ATTEMPTS_KEPT)
        self.configured = self._endpoint(lambda: sender.url or "", secret, [*subscribed])

    def all(self) -> list[WebhookEndpoint]:
        """Give every endpoint, newest first."""
        return [*reversed(self._made), *([self.configured] if self._sender.url else [])]

    def find(self, number: str) -> WebhookEndpoint | None:
        """Give an endpoint by its id."""
        return next((each for each in self.all() if each.id == number), None)

    def make(self, url: str, events: list[str], *, enabled: bool, content_type: str) -> WebhookEndpoint:
        """Make an endpoint, with a secret of its own."""
        secret = f"{self._secrets.getrandbits(128):032x}"
        made = self._endpoint(lambda: url, lambda: secret, events)
        made.enabled, made.content_type = enabled, content_type
        self._made.append(made)
        return made

    def replace(
        self, endpoint: WebhookEndpoint, url: str, events: list[str], *, enabled: bool, content_type: str
    ) -> None:
        """Replace all that was said of an endpoint."""
        if endpoint is self.configured:
            self._sender.url = url
        else:
            endpoint.url = lambda: url
        endpoint.events, endpoint.enabled, endpoint.content_type = events, enabled, content_type
        endpoint.updated_at = self._now()

    def delete(self, endpoint: WebhookEndpoint) -> None:
        """Send nothing to an endpoint any more. After the configured one another may be configured."""
        endpoint.is_deleted = True
        if endpoint is self.configured:
            self._sender.url = None
            self.configured = self._endpoint(endpoint.url, self._secret, endpoint.events)
        else:
            self._made.remove(endpoint)

    def wanting(self, kind: str) -> Iterator[WebhookEndpoint]:
        """Give the endpoints an event of a kind goes to, the configured one first."""
        # Asked for each of many thousand events, most of which nobody is subscribed to.
        if self._sender.url and _wants(self.configured, kind):
            yield self.configured
        yield from (each for each in self._made if _wants(each, kind))

    def destination(self, endpoint: WebhookEndpoint, event: JsonObject) -> Destination:
        """Give where an event is delivered for an endpoint, until that is deleted or disabled."""
        about: JsonObject = {name: event[name] for name in ("id", "type", "source", "resource")}

        def note(made: Delivery) -> None:
            self.attempts.appendleft(
                WebhookRequest(id=self._attempt_ids(), endpoint=endpoint, delivery=made, event=about)
            )

        def is_wanted() -> bool:
            return endpoint.enabled and not endpoint.is_deleted

        return Destination(url=endpoint.url(), is_wanted=is_wanted, noted=note)

    def _endpoint(self, url: Callable[[], str], secret: Callable[[], str], events: list[str]) -> WebhookEndpoint:
        now = self._now()
        return WebhookEndpoint(
            id=self._ids(),
            url=url,
            secret=secret,
            events=events,
            enabled=True,
            content_type=LD_JSON,
            created_at=now,
            updated_at=now,
        )


def _wants(endpoint: WebhookEndpoint, kind: str) -> bool:
    return endpoint.enabled and kind in endpoint.events
