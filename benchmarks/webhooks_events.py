"""The deliveries of `webhooks.py`: events as Syntage sends them, of invented persons, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

SECRET = "0123456789abcdef0123456789abcdef"
PATH = "/webhooks/syntage"

_TAXPAYER = {"id": "ZZT190415QA7", "personType": "legal", "name": "ZAPATERIA DE TAPALPA SA DE CV"}
_AT = "2025-04-02T16:19:42.000Z"


def remote_id(number: int) -> str:
    """The vendor's id of extraction `number`."""
    return str(uuid.UUID(int=(0x5D8E21B7 << 96) + number, version=4))


def event(number: int) -> bytes:
    """The event that ends extraction `number`."""
    name = f"/extractions/{remote_id(number)}"
    extraction = {
        "id": remote_id(number),
        "taxpayer": _TAXPAYER,
        "extractor": "invoice",
        "options": {"types": ["I", "E", "P"], "period": {"from": "2025-03-01T00:00:00.000Z", "to": _AT}},
        "status": "finished",
        "startedAt": "2025-04-02T16:01:10.000Z",
        "finishedAt": _AT,
        "rateLimitedAt": None,
        "errorCode": None,
        "createdDataPoints": 642,
        "updatedDataPoints": 7,
        "createdAt": "2025-04-02T16:00:05.000Z",
        "updatedAt": _AT,
    }
    whole = {
        "@context": "/contexts/Event",
        "@type": "Event",
        "id": str(uuid.UUID(int=number)),
        "taxpayer": _TAXPAYER,
        "type": "extraction.updated",
        "source": name,
        "resource": name,
        "data": {"object": extraction, "changes": {"status": {"old": "running", "new": "finished"}}},
        "createdAt": _AT,
        "updatedAt": _AT,
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def signature(body: bytes) -> list[tuple[str, str]]:
    """The headers that prove a body, signed now."""
    stamp = str(int(time.time()))
    mark = f"t={stamp},s={hmac.digest(SECRET.encode(), stamp.encode() + b'.' + body, hashlib.sha256).hex()}"
    return [("X-Syntage-Signature", mark), ("X-Satws-Signature", mark)]


def delivery(number: int) -> bytes:
    """The whole HTTP request that carries the event, signed now."""
    body = event(number)
    proof = "".join(f"{name}: {value}\r\n" for name, value in signature(body))
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Syntage\r\nContent-Type: application/ld+json\r\n"
        f"{proof}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
