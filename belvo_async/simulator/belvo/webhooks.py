"""Belvo's webhooks: envelopes as documented, and the forgeries that test a receiver."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from ..deliveries import WebhookSender
from ..faults import Dice
from ..wire import JsonObject, encode
from .errors import CODES
from .state import BelvoJob, Link

# (code, data key) of a finished asynchronous POST. FINANCIAL_STATEMENTS is documented; INVOICES is
# not: it follows the guide's pattern new_{resource}_available.
FINISHED: Final = {
    "INVOICES": ("new_invoices_available", "new_invoices"),
    "FINANCIAL_STATEMENTS": ("new_financial_statements_available", "new_financial_statements"),
}
# No page shows a failure webhook of an asynchronous POST; the data follows LINK invalid_credentials.
FAILED_CODE: Final = "unknown_failure_code"


class BelvoWebhooks:
    """Builds and posts Belvo's webhooks."""

    def __init__(self, sender: WebhookSender, dice: Dice, authorization: Callable[[], str]) -> None:
        self._sender = sender
        self._dice = dice
        self._authorization = authorization

    def job_ended(self, job: BelvoJob) -> list[asyncio.Task[None]]:
        """Announce the end of an asynchronous POST, and what a forger might add."""
        code, key = FINISHED[job.resource]
        data: JsonObject = {key: job.count}
        if job.state == "failed":
            code, data = FAILED_CODE, _error_data(job.error_code)
        # The 202 prints 32 hex digits, webhooks a dashed UUID (every example on Belvo's pages).
        request_id = str(UUID(job.request_id))
        payload = self._envelope(job.resource, "async_post", code, job.link, request_id, data)
        started = self._sender.post(encode(payload), self._headers(None))
        if self._dice.hit("webhook_forged"):
            self._forge(payload)
        return started

    def link_event(self, link: Link, code: str, request_id: str) -> None:
        """Announce that a link broke."""
        data = _error_data("login_error") if code == "invalid_credentials" else {}
        payload = self._envelope("LINK", "recurrent_update", code, link, request_id, data)
        self._sender.post(encode(payload), self._headers(None))

    def historical(self, link: Link, kind: str, code: str, data: JsonObject, request_id: str) -> None:
        """Announce part of what was fetched after a link was created or refreshed."""
        payload = self._envelope(kind, "historical_update", code, link, request_id, data)
        self._sender.post(encode(payload), self._headers(None))

    def failed(self, job: BelvoJob, kind: str, process: str) -> None:
        """Announce that a refresh or a deletion failed, in the way a failed POST is announced."""
        data = _error_data(job.error_code)
        payload = self._envelope(kind, process, FAILED_CODE, job.link, str(UUID(job.request_id)), data)
        self._sender.post(encode(payload), self._headers(None))

    def link_deleted(self, job: BelvoJob) -> None:
        """Announce that a link is gone.

        Only the code is documented; the type follows the other events of links, and `process_type` is left out, as
        in other published events whose process is not told.
        """
        payload = self._envelope("LINK", "", "link_deleted", job.link, str(UUID(job.request_id)), {})
        del payload["process_type"]
        self._sender.post(encode(payload), self._headers(None))

    async def deliver(self, payload: JsonObject, *, authorization: str | None) -> int:
        """Send a hand-made payload once."""
        if self._sender.url is None:
            raise RuntimeError("no webhook_url is set: there is nowhere to deliver to")
        return await self._sender.attempt(
            self._sender.url, encode(payload), self._headers(authorization), kind="handmade"
        )

    async def wait_first(self, started: list[asyncio.Task[None]]) -> None:
        """Wait until started deliveries had their first try (or their deadline)."""
        if started:
            await asyncio.wait(started, timeout=self._sender.deadline_seconds)

    def _forge(self, payload: JsonObject) -> None:
        lie: JsonObject = {**payload, "webhook_id": self._id().hex, "data": _error_data("institution_down")}
        self._sender.post_once(encode(lie), self._headers("Bearer forged"), kind="forged")
        unknown: JsonObject = {**payload, "webhook_id": self._id().hex, "request_id": str(self._id())}
        self._sender.post_once(encode(unknown), self._headers(None), kind="unknown_job")

    def _envelope(
        self, kind: str, process: str, code: str, link: Link, request_id: str, data: JsonObject
    ) -> JsonObject:
        return {
            "webhook_id": self._id().hex,
            "webhook_type": kind,
            "process_type": process,
            "webhook_code": code,
            "link_id": link.id,
            "request_id": request_id,
            "external_id": link.external_id,
            "data": data,
        }

    def _id(self) -> UUID:
        return UUID(int=self._dice.stream("webhook_ids").getrandbits(128), version=4)

    def _headers(self, authorization: str | None) -> Callable[[bytes], Mapping[str, str]]:
        def headers(body: bytes) -> Mapping[str, str]:
            value = self._authorization() if authorization is None else authorization
            plain = {"Content-Type": "application/json"}
            return {**plain, "Authorization": value} if value else plain

        return headers


def _error_data(code: str) -> JsonObject:
    status, message = CODES.get(code, (400, "The request failed"))
    return {"error_code": code, "error_message": message, "status": status}
