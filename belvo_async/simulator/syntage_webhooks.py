"""Syntage's events: kept for seven days, delivered signed, and the forgeries that test a receiver."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from belvo_async.simulator.faults import Dice
from belvo_async.simulator.postman import Postman
from belvo_async.simulator.syntage_errors import LD_JSON
from belvo_async.simulator.syntage_rows import stamp, taxpayer_row
from belvo_async.simulator.syntage_state import OrderedIds, SyntageJob
from belvo_async.simulator.wire import JsonObject, encode

KEPT = timedelta(days=7)  # "at least 7 days" (events page)


def sign(secret: str, body: bytes, at: datetime) -> str:
    """Give the signature header: HMAC-SHA256 over `<t>.<raw body>`, keyed with the secret as text."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},s={digest}"


class SyntageEvents:
    """Records events, newest last, and posts them."""

    def __init__(
        self, postman: Postman, dice: Dice, ids: OrderedIds, now: Callable[[], datetime], secret: Callable[[], str]
    ) -> None:
        self._postman = postman
        self._dice = dice
        self._ids = ids
        self._now = now
        self._secret = secret
        self._events: list[tuple[datetime, JsonObject]] = []

    def created(self, job: SyntageJob) -> list[asyncio.Task[None]]:
        """Announce a new extraction."""
        return self._emit("extraction.created", job, None, {})

    def updated(self, job: SyntageJob, changes: JsonObject) -> list[asyncio.Task[None]]:
        """Announce a change; `changes` is {field: {old, new}}."""
        return self._emit("extraction.updated", job, job.iri, changes)

    def newest_first(self) -> list[JsonObject]:
        """Give the events of the last seven days."""
        oldest = self._now() - KEPT
        self._events = [(at, event) for at, event in self._events if at >= oldest]
        return [event for _, event in reversed(self._events)]

    async def deliver(
        self, event: JsonObject, *, secret: str | None, headers: Mapping[str, str | None], at: datetime | None
    ) -> int:
        """Send a hand-made event once; a header set to None is left out."""
        if self._postman.url is None:
            raise RuntimeError("no webhook_url is set: there is nowhere to deliver to")

        def with_overrides(body: bytes) -> Mapping[str, str]:
            merged: dict[str, str | None] = {**self._headers(secret, at)(body), **headers}
            return {name: value for name, value in merged.items() if value is not None}

        return await self._postman.attempt(self._postman.url, encode(event), with_overrides, kind="handmade")

    async def wait_first(self, started: list[asyncio.Task[None]]) -> None:
        """Wait until started deliveries had their first try (or their deadline)."""
        if started:
            await asyncio.wait(started, timeout=self._postman.deadline_seconds)

    def _emit(self, kind: str, job: SyntageJob, source: str | None, changes: JsonObject) -> list[asyncio.Task[None]]:
        event = self._event(kind, job, source, job.snapshot(), changes)
        self._events.append((self._now(), event))
        started = self._postman.post(encode(event), self._headers(None, None))
        if self._dice.hit("webhook_forged"):
            self._forge(job)
        return started

    def _event(
        self, kind: str, job: SyntageJob, source: str | None, snapshot: JsonObject, changes: JsonObject
    ) -> JsonObject:
        number, at = self._ids(), stamp(self._now())
        return {
            "@context": "/contexts/Event",
            "@id": f"/events/{number}",
            "@type": "Event",
            "id": number,
            "taxpayer": taxpayer_row(job.entity.subject, short=True),
            "type": kind,
            "source": source,
            "resource": f"/extractions/{snapshot['id']}",
            "data": {"object": snapshot, "changes": changes},
            "createdAt": at,
            "updatedAt": at,
        }

    def _forge(self, job: SyntageJob) -> None:
        failed: JsonObject = {**job.snapshot(), "status": "failed", "errorCode": "internal_error"}
        lie = self._event("extraction.updated", job, job.iri, failed, {})
        self._postman.post_once(encode(lie), self._headers("forged", None), kind="forged")
        number = self._ids()
        unknown = self._event("extraction.updated", job, f"/extractions/{number}", {**failed, "id": number}, {})
        self._postman.post_once(encode(unknown), self._headers(None, None), kind="unknown_job")

    def _headers(self, secret: str | None, at: datetime | None) -> Callable[[bytes], Mapping[str, str]]:
        def headers(body: bytes) -> Mapping[str, str]:
            # Called per try: each retry is signed afresh (whether Syntage does so is not documented).
            signature = sign(self._secret() if secret is None else secret, body, at or self._now())
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            return {
                "Content-Type": LD_JSON,
                "X-Syntage-Signature": signature,
                "X-Satws-Signature": signature,
                "Content-Digest": f"sha-256=:{digest}:",
            }

        return headers
