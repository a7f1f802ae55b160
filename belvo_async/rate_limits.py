"""How long an answer asks us to wait. Pure: headers and the present instant in, a span out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from .abc import Headers

# RFC 9110 10.2.3 knows whole seconds; some gateways send fractions.
_SECONDS: Final = re.compile(r"([0-9]+)(?:\.[0-9]{1,9})?")
# Epoch seconds as Syntage's guide has them (guides/api/rate-limiting); fewer digits would be something else.
_EPOCH: Final = re.compile(r"[0-9]{9,}(?:\.[0-9]{1,9})?")
# The date-time of Syntage's OpenAPI text; one without a zone is in UTC, as all of its instants are.
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_CALLS: Final = re.compile(r"[0-9]{1,9}")
# The longest of the three forms of RFC 9110 5.6.7 has 33 characters.
_LONGEST_DATE: Final = 64


def retry_after(headers: Headers, now: datetime | None, *, longest: timedelta) -> timedelta | None:
    """Read Retry-After: seconds, or a date in any of the forms of RFC 9110; from nothing to `longest`.

    A date is measured from the `Date` of the same answer, so that our clock does not matter; from `now` without one.
    None when the header is absent, cannot be read, or there is no instant to measure from.
    """
    text = (headers.get("retry-after") or "").strip(" \t")
    if found := _SECONDS.fullmatch(text):
        # More digits than a year has seconds is past any cap, and converting thousands of them raises.
        return longest if len(found.group(1)) > 8 else _clamp(timedelta(seconds=float(text)), longest)
    until, told = _http_date(text), _told_at(headers, now)
    return None if until is None or told is None else _clamp(until - told, longest)


def window_end(headers: Headers, now: datetime | None, *, longest: timedelta) -> timedelta | None:
    """Read how long the rate window still lasts, by X-RateLimit-Reset: up to `longest`, measured as `retry_after`.

    None without one that can be read, and for a window that has ended already: that tells of clocks that differ.
    """
    until = _reset_instant((headers.get("x-ratelimit-reset") or "").strip(" \t"))
    told = _told_at(headers, now)
    return None if until is None or told is None else _clamp(until - told, longest) or None


def calls_left(headers: Headers) -> int | None:
    """How many calls the answer says are left in this rate window; None where it says nothing that can be read."""
    return _calls(headers, "x-ratelimit-remaining")


def calls_of_window(headers: Headers) -> int | None:
    """How many calls the answer says a whole rate window has; None where it says nothing that can be read."""
    return _calls(headers, "x-ratelimit-limit")


def is_exhausted(headers: Headers) -> bool:
    """Whether the answer says that no call is left in this rate window."""
    return calls_left(headers) == 0


def _calls(headers: Headers, name: str) -> int | None:
    text = (headers.get(name) or "").strip(" \t")
    return int(text) if _CALLS.fullmatch(text) else None


def _reset_instant(text: str) -> datetime | None:
    try:
        if _EPOCH.fullmatch(text):
            whole = text.partition(".")[0]
            return datetime.fromtimestamp(float(text), UTC) if len(whole) <= 11 else datetime.max.replace(tzinfo=UTC)
        return _in_utc(datetime.fromisoformat(text)) if _DATE_TIME.fullmatch(text) else None
    except (ValueError, OverflowError, OSError):
        return None


def _told_at(headers: Headers, now: datetime | None) -> datetime | None:
    return _http_date((headers.get("date") or "").strip(" \t")) or now


def _http_date(text: str) -> datetime | None:
    if not text.isascii() or ":" not in text or len(text) > _LONGEST_DATE:
        return None
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _clamp(wait: timedelta, longest: timedelta) -> timedelta:
    return min(max(wait, timedelta(0)), longest)
