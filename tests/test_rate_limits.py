"""What an answer's headers say about when to come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from belvo_async.abc import Headers
from belvo_async.rate_limits import retry_after, window_end

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LONGEST = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30", 30),
        (" 30 ", 30),
        ("900", 900),
        ("901", 900),
        ("99999999999", 900),
        ("9" * 5000, 900),
        ("Mon, 01 Jun 2026 12:00:30 GMT", 30),
        ("Mon, 01 Jun 2026 11:59:00 GMT", 0),
        ("Monday, 01-Jun-26 12:00:30 GMT", 30),
        ("Mon Jun  1 12:00:30 2026", 30),
        ("Mon, 1 Jun 2026 06:00:30 -0600", 30),
        ("3.5", 3.5),
        ("0.25", 0.25),
        ("900.5", 900),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.", None),
        (".5", None),
        ("1.5.2", None),
        ("1,5", None),
        ("1_000", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("١٢", None),
        ("１２", None),
        ("²", None),
        ("Mon, 99 Jun 2026 12:00:30 GMT", None),
        ("Mon, 01 Xyz 2026 12:00:30 GMT", None),
        ("tomorrow", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Seconds or a date in any form of HTTP, never more than the cap; anything else is as if it were absent."""
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert expected == retry_after(Headers({"Retry-After": text}), NOW, longest=LONGEST)


def test_dates_are_measured_by_the_vendors_clock() -> None:
    """A clock an hour off does not turn 30 seconds into an hour."""
    headers = Headers({"Date": "Mon, 01 Jun 2026 13:00:00 GMT", "Retry-After": "Mon, 01 Jun 2026 13:00:30 GMT"})

    assert timedelta(seconds=30) == retry_after(headers, NOW, longest=LONGEST)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (str(int(NOW.timestamp()) + 45), 45),
        ("2026-06-01T12:00:45Z", 45),
        ("2026-06-01T06:00:45-06:00", 45),
        ("2026-06-01T12:00:45.5+00:00", 45.5),
        (str(int(NOW.timestamp()) + 86400), 900),
        ("9" * 400, 900),
        ("9999-12-31T23:59:59-23:59", None),
        ("30", None),
        ("2026-06-01T12:00:45", 45),
        ("2026-06-01 12:00:45", 45),
        ("2026-13-01T12:00:45Z", None),
        ("nan", None),
        ("-5", None),
        ("", None),
    ],
)
def test_end_of_a_rate_window(text: str, seconds: float | None) -> None:
    """Epoch seconds or a date-time; an end that has passed tells nothing."""
    headers = Headers({"X-RateLimit-Reset": text, "X-RateLimit-Remaining": "0"})
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert expected == window_end(headers, NOW, longest=LONGEST)


def test_a_date_without_anything_to_measure_it_from_tells_nothing() -> None:
    """Neither a clock nor the answer's own date: seconds still count."""
    assert retry_after(Headers({"Retry-After": "Mon, 01 Jun 2026 12:00:30 GMT"}), None, longest=LONGEST) is None
    assert timedelta(seconds=30) == retry_after(Headers({"Retry-After": "30"}), None, longest=LONGEST)
