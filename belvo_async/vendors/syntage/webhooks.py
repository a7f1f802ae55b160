"""Webhooks: proof first (guides/validating-webhook-requests), then the event (resources/core/events)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import msgspec

from ...abc import Headers, Secret
from ...discreet import discreet
from ...errors import PayloadError, SignatureError
from ...jobs import Nudge, Observation, Way
from ...payload import refuse_repeated_keys
from .snapshots import read_document, read_object, read_snapshot

# Both are on each delivery (resources/webhooks); older guides know only the second, the OpenAPI text only the first.
SIGNATURE_HEADERS: Final = ("X-Syntage-Signature", "X-Satws-Signature")

# Syntage leaves the window to the receiver; known receivers take 300 seconds. A stamp from the future is no better.
SIGNATURE_TOLERANCE: Final = timedelta(seconds=300)

# The documented value has one `s`, the OpenAPI text speaks of several. More than this is not Syntage.
_LONGEST_SIGNATURE: Final = 2048
_USUAL: Final = re.compile(r"t=([0-9]{10}),s=([0-9a-f]{64})")
_TIME: Final = re.compile(r"t=([0-9]{10})")
_SIGN: Final = re.compile(r"s=([0-9a-fA-F]{64})")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/=]{0,88}):", re.IGNORECASE)


@discreet
def verify(headers: Headers, body: bytes, secrets: Sequence[Secret], now: datetime) -> None:
    """Raise SignatureError unless a signature of the raw body, by one of the secrets, is there and is fresh.

    Either header may carry it; each at most once. Every secret is tried against every signature in constant time.
    """
    # Both headers carry the same value, as a rule: that is proven once.
    values = {value for name in SIGNATURE_HEADERS for value in _take_once(headers, name)}
    if not values:
        raise SignatureError("the delivery carries no signature")
    ages = [now - at for value in values if (at := _signed_at(value, body, secrets)) is not None]
    if not ages:
        raise SignatureError("no signature of the delivery is right: is the secret?")
    youngest = min(ages, key=abs)
    if abs(youngest) > SIGNATURE_TOLERANCE:
        raise SignatureError(_tell_offset(youngest))
    _check_digest(headers, body)


def _tell_offset(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    off = f"{seconds} s old" if seconds > 0 else f"{-seconds} s ahead of the clock here"
    allowed = round(SIGNATURE_TOLERANCE.total_seconds())
    return f"the signature is right but {off}, where {allowed} s are allowed: is the clock?"


def _take_once(headers: Headers, name: str) -> tuple[str, ...]:
    values = headers.get_all(name)
    if len(values) > 1:
        raise SignatureError(f"the delivery repeats {name}")
    return values


def _signed_at(value: str, body: bytes, secrets: Sequence[Secret]) -> datetime | None:
    """When a body was signed by one of the secrets; None when it was not."""
    parsed = _parse_signature(value)
    if parsed is None:
        return None
    stamp, signatures = parsed
    is_valid = False
    for secret in secrets:
        # The secret is text, not hex; what is signed is `<t>.<raw body>`.
        expected = hmac.digest(secret.reveal().encode(), stamp.encode() + b"." + body, "sha256").hex()
        for signature in signatures:
            is_valid |= hmac.compare_digest(expected, signature)
    return datetime.fromtimestamp(int(stamp), UTC) if is_valid else None


def _parse_signature(value: str) -> tuple[str, tuple[str, ...]] | None:
    """Read `t=<seconds>,s=<hex>[,s=<hex>...]` in any order, with blanks; None for anything else."""
    if usual := _USUAL.fullmatch(value):
        return usual[1], (usual[2],)
    if len(value) > _LONGEST_SIGNATURE:
        return None
    parts = [part.strip(" \t") for part in value.split(",")]
    stamps = [match.group(1) for part in parts if (match := _TIME.fullmatch(part))]
    signatures = tuple(match.group(1).lower() for part in parts if (match := _SIGN.fullmatch(part)))
    if len(stamps) != 1 or not signatures or len(stamps) + len(signatures) != len(parts):
        return None
    return stamps[0], signatures


def _check_digest(headers: Headers, body: bytes) -> None:
    """Check `Content-Digest`, should it be RFC 9530's: Syntage lists the header without describing it."""
    for value in headers.get_all("Content-Digest"):
        for match in _DIGEST.finditer(value):
            expected = hashlib.sha256(body).digest()
            if not hmac.compare_digest(expected, _decode_base64(match.group(1))):
                raise SignatureError("the delivery's digest does not fit its body")


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


_JOBS: Final = ("extraction.", "export.")
# Keys that decide what an event means.
_DECIDING: Final = frozenset({"id", "type", "data", "object", "status", "resource"})


@discreet
def read_event(body: bytes, now: datetime, *, confirm: bool) -> tuple[Observation, ...]:
    """Turn a proven event into what it says of an extraction or an export; empty for events about anything else.

    With `confirm`, the observation says nothing but makes the job due for a poll. Raises PayloadError for what is no
    event, repeats a deciding key, or is about an extraction or an export without naming it.
    """
    event = read_document(body)
    # What comes out again byte for byte holds no key twice. The long way is for bodies with blanks or escapes.
    if msgspec.json.encode(event) != body:
        refuse_repeated_keys(body, _DECIDING)
    kind = event.get("type")
    if not isinstance(kind, str):
        raise PayloadError("no event type", path="$.type")
    # There are `created` and `updated`; the end of a job is an update (`extraction.finished` does not exist).
    if not kind.startswith(_JOBS):
        return ()
    resource = event.get("resource") or event.get("source")
    snapshot = {"@id": resource, **read_object(read_object(event.get("data")).get("object"))}
    seen = read_snapshot(snapshot) or read_snapshot({"@id": resource})
    if seen is None:
        raise PayloadError("an event about a job that it does not name", path="$.data.object.id")
    delivery_id = event["id"] if isinstance(event.get("id"), str) else None
    if confirm or seen.word is None:
        return (_nudge(seen.remote_id, cast("str | None", delivery_id), now),)
    return (seen.observe(Way.WEBHOOK, now, delivery_id=cast("str | None", delivery_id)),)


def _nudge(remote_id: str, delivery_id: str | None, now: datetime) -> Observation:
    return Nudge(way=Way.WEBHOOK, at=now, remote_id=remote_id, delivery_id=delivery_id)
