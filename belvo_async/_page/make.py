"""From what a store holds to what the page shows. Pure: `now` is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from ..planning import Prices
from .asked import Scope, asked_for
from .calendars import ROWS_LIMIT, Need, calendar_of, need_of, standing
from .facts import Morning
from .gather import Held
from .measures import came, failures, money, oldest_open, took, webhooks
from .naming import Namer
from .troubles import TROUBLES_LIMIT, troubles

# What is new is told of one day.
SINCE: Final = timedelta(days=1)


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is to say: `prices` and `budget` of a month, whether RFCs are shown, rows of a calendar."""

    prices: Prices | None = None
    budget: Decimal | None = None
    show_taxpayers: bool = False
    rows_limit: int = ROWS_LIMIT


def make_morning(held: Held, scopes: Sequence[Scope] | None, preferences: Preferences, now: datetime) -> Morning:
    """Decide what the page shows of these plans; of all that was ever asked for, without any."""
    is_asked = scopes is None
    names = Namer(show_taxpayers=preferences.show_taxpayers)
    jobs = held.jobs
    shown = asked_for(jobs.values()) if scopes is None else scopes
    needs: dict[tuple[str, str], Need] = {}
    for scope in shown:
        for subject, cells in scope.cells.items():
            key = scope.vendor, subject
            needs[key] = min(needs.get(key, Need.NOTHING), need_of(cells, jobs, now))
    waiting = troubles(shown, held, names, now)
    since = now - SINCE
    return Morning(
        made_at=now,
        is_asked=is_asked,
        standing=standing(needs),
        money=money(jobs.values(), preferences.prices, preferences.budget, now),
        oldest=oldest_open(jobs.values(), names),
        troubles=tuple(waiting[:TROUBLES_LIMIT]),
        troubles_left_off=max(0, len(waiting) - TROUBLES_LIMIT),
        calendars=tuple(calendar_of(scope, jobs, names, now, rows_limit=preferences.rows_limit) for scope in shown),
        since=since,
        came=came(held, since),
        took=took(jobs.values(), now),
        failures=failures(jobs.values(), now),
        webhooks=webhooks(held, now),
    )
