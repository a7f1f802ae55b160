"""The webhooks of one vendor of a session: its endpoints, what it recorded of deliveries, and a delivery of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from ..._http import Http, Send, converse
from ...abc import AttemptFilter, Clock, Conversation, DeliveryAttempt, HookEndpoint, ManagedWebhooks, Request, Retry
from ...discreet import discreet
from ...errors import ConfigurationError, TaskError, TransportError
from ...origins import read_origin
from .findings import WebhookFinding, find_faults

# As long as the stricter of the vendors waits for an answer (webhook endpoint reference).
PATIENCE: Final = timedelta(seconds=3)


class WebhookProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver answered to a delivery of our own. `status` is 0 where nobody answered, `why` says then why."""

    status: int
    took: timedelta
    why: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took it, and so knows the endpoint's secret."""
        return 200 <= self.status < 300


class WebhookDesk:
    """What `Session.webhooks` gives. Its calls raise VendorError, TransportError, TaskError, SessionClosedError."""

    def __init__(self, managed: ManagedWebhooks, send: Send, http: Callable[[], Http], clock: Clock) -> None:
        self.managed = managed
        self._send, self._http, self._clock = send, http, clock

    @discreet
    async def endpoints(self, url: str | None = None) -> tuple[HookEndpoint, ...]:
        """Every endpoint of the account, or those with exactly this address; the oldest first."""
        return await converse(self._send, self.managed.endpoints(url))

    @discreet
    async def create(
        self,
        url: str,
        events: Sequence[str] | None = None,
        *,
        is_enabled: bool = True,
        content_type: str | None = None,
    ) -> HookEndpoint:
        """Make an endpoint, by default for the events a session needs. Sent once: when the answer was lost, look."""
        wanted = self.managed.needed if events is None else events
        return await self._say(self.managed.create(url, wanted, is_enabled=is_enabled, content_type=content_type))

    @discreet
    async def change(
        self, endpoint: HookEndpoint, *, is_enabled: bool | None = None, events: Sequence[str] | None = None
    ) -> HookEndpoint:
        """Enable or disable an endpoint, or give it other events. Its address and secret stay."""
        _check(endpoint)
        wanted = replace(endpoint, is_enabled=endpoint.is_enabled if is_enabled is None else is_enabled)
        if events is not None:
            # As given: what is no sequence of events, the vendor refuses.
            wanted = replace(wanted, events=tuple(events) if isinstance(events, list) else events)
        return endpoint if wanted == endpoint else await self._say(self.managed.replace(wanted))

    @discreet
    async def delete(self, endpoint: HookEndpoint) -> None:
        """Delete an endpoint; nothing is delivered to it any more."""
        _check(endpoint)
        await converse(self._send, self.managed.delete(endpoint))

    @discreet
    async def attempts(self, asked: AttemptFilter | None = None) -> tuple[DeliveryAttempt, ...]:
        """What the vendor recorded of its attempts to deliver, the newest first."""
        return await converse(self._send, self.managed.attempts(asked or AttemptFilter()))

    @discreet
    async def check(self) -> tuple[WebhookFinding, ...]:
        """What keeps deliveries from coming or from being taken; empty when all is well."""
        return find_faults(await self.endpoints(), self.managed)

    @discreet
    async def probe(self, endpoint: HookEndpoint) -> WebhookProbe:
        """Send a delivery of our own to an endpoint's address, proven by its secret as the vendor's are, once.

        It proves that the address leads to a receiver that takes what this secret proves; not that the vendor reaches
        it. Raises UnsupportedError where the vendor does not tell the secret.
        """
        _check(endpoint)
        headers, body = self.managed.specimen(endpoint, self._clock.now())
        origin, target = _place(endpoint.url)
        request = Request(
            method="POST",
            target=target,
            name="POST (webhook)",
            headers=tuple(headers),
            body=body,
            retry=Retry.NEVER,
            timeout=PATIENCE,
        )
        return await self._probe(self._http().send_to(origin, dict[str, str]), request)

    async def _probe(self, send: Send, request: Request) -> WebhookProbe:
        loop = asyncio.get_running_loop()
        began = loop.time()
        status, why = 0, None
        try:
            async with send(request) as response:
                status = response.status
        except TransportError as error:
            why = str(error)
        return WebhookProbe(status=status, took=timedelta(seconds=loop.time() - began), why=why)

    async def _say(self, conversation: Conversation[HookEndpoint]) -> HookEndpoint:
        return await converse(self._send, conversation)


def _check(endpoint: object) -> None:
    if not isinstance(endpoint, HookEndpoint):
        raise TaskError("endpoint must be a HookEndpoint: `endpoints` gives them", field="endpoint")


def _place(url: str) -> tuple[str, str]:
    """Where an address leads: its origin, and what is asked of it. Raises ConfigurationError."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("the endpoint's address cannot be read") from None
    origin = read_origin(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", "the endpoint's address")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return origin, quote(target, safe="%/?&=[]:;,+!$'()*@~")
