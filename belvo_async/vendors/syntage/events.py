"""The list of events: what was announced while nobody could listen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from ...abc import Conversation
from ...discreet import Discretion
from ...jobs import Observation, Way
from .pages import read_pages
from .snapshots import RawPage
from .webhooks import read_event

# 100 pages of 100: more events than that are read from the extractions themselves, by the ordinary polls.
_PAGES: Final = 100


def catch_up(since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
    """Read `extraction.updated` events created since an instant (resources/core/events; kept for at least 7 days).

    They are old snapshots in no promised order: `reconcile` sorts that out. A row that cannot be read is left out.
    Exports are few and polled one by one anyway: their events are not asked for.
    """
    with Discretion():
        rows = yield from read_events("extraction.updated", since)
    return tuple(replace(one, way=Way.POLL) for row in rows for one in _read_row(row, now))


def read_events(kind: str, since: datetime) -> Conversation[list[object]]:
    """Read the events of one type created since an instant, as they are."""
    moment = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    seen: list[object] = []

    def is_enough(page: RawPage) -> bool:
        seen.extend(page.rows)
        return False

    params = [("type", kind), ("createdAt[after]", moment)]
    yield from read_pages("/events", params, is_enough, name="GET /events", limit=_PAGES)
    return seen


def _read_row(row: object, now: datetime) -> tuple[Observation, ...]:
    try:
        return read_event(msgspec.json.encode(row), now, confirm=False)
    except Exception:  # noqa: BLE001 - one event must not hide the others
        return ()
