"""Instants, spans, counts and sums as texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..planning import Price


def stamp(when: datetime | None) -> str | None:
    """Write an instant for programs."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if when else None


def second(when: datetime | None) -> str:
    """Write an instant for readers; empty for none."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if when else ""


def minute(when: datetime | None) -> str:
    """Write an instant for readers of a narrow table; empty for none."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%MZ}" if when else ""


def money(price: Price | None, currency: str) -> str:
    """A sum, or a range of it; empty for none that is known."""
    if price is None:
        return ""
    if price.low == price.high:
        return f"{price.high:,.2f} {currency}"
    return f"{price.low:,.2f} to {price.high:,.2f} {currency}"


def counted(count: int, noun: str) -> str:
    """So many of something, as `1 request` and `2 requests`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def span(given: timedelta) -> str:
    """How long, in two units at most."""
    seconds = max(0, round(given.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24} h"
