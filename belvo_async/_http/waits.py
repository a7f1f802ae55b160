"""How long a response asks us to wait. Pure: headers and the present instant in, a span out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from ..abc import Headers

# Nobody is believed who asks for more: Syntage's windows are minutes. Longer waits are the tracker's business.
WAIT_CAP: Final = timedelta(minutes=15)

_DIGITS: Final = re.compile(r"[0-9]+")
_HTTP_DATE: Final = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def asked_wait(status: int, headers: Headers, now: datetime) -> timedelta | None:
    """How long to wait before asking again: Retry-After, else the end of an exhausted rate window, else None."""
    wait = retry_after(headers, now)
    return wait if wait is not None else window_end(status, headers, now)


def retry_after(headers: Headers, now: datetime) -> timedelta | None:
    """Read Retry-After: ASCII digits or an HTTP date, 0 to WAIT_CAP. Anything else is as if it were absent."""
    text = (headers.get("retry-after") or "").strip(" \t")
    if _DIGITS.fullmatch(text):
        # More digits than a year has seconds is past the cap, and int() of thousands of digits raises.
        return WAIT_CAP if len(text) > 8 else _clamp(timedelta(seconds=int(text)))
    instant = _http_date(text)
    return None if instant is None else _clamp(instant - _their_now(headers, now))


def window_end(status: int, headers: Headers, now: datetime) -> timedelta | None:
    """Read X-RateLimit-Reset where it matters: nothing remains, or the answer is 429.

    Epoch seconds in the vendor's guide, a date-time in its OpenAPI file. Measured against the Date of the same
    response, so that our clock may be wrong.
    """
    if status != 429 and not is_exhausted(headers):
        return None
    instant = _reset_instant((headers.get("x-ratelimit-reset") or "").strip(" \t"))
    # A window that has ended already tells nothing: None, so that the usual growing pause applies.
    return None if instant is None else _clamp(instant - _their_now(headers, now)) or None


def is_exhausted(headers: Headers) -> bool:
    """Whether the response says that no call is left in this window."""
    return (headers.get("x-ratelimit-remaining") or "").strip(" \t") == "0"


def _reset_instant(text: str) -> datetime | None:
    try:
        if _DIGITS.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC) if len(text) <= 11 else datetime.max.replace(tzinfo=UTC)
        return datetime.fromisoformat(text).astimezone(UTC) if _DATE_TIME.fullmatch(text) else None
    except (ValueError, OverflowError, OSError):
        return None


def _their_now(headers: Headers, now: datetime) -> datetime:
    return _http_date(headers.get("date") or "") or now


def _http_date(text: str) -> datetime | None:
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _clamp(wait: timedelta) -> timedelta:
    return min(max(wait, timedelta(0)), WAIT_CAP)
