"""The list of events: what was announced while nobody could listen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from ...abc import Conversation
from ...discreet import Discretion
from ...errors import PayloadError
from ...jobs import Observation, Way
from .errors import expect_success
from .pages import get, next_target
from .snapshots import read_document
from .webhooks import read_event

# 100 pages of 100: more events than that are read from the extractions themselves, by the ordinary looks.
_PAGES: Final = 100


def read_events(since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
    """Read `extraction.updated` events created since an instant (resources/core/events; kept for at least 7 days).

    They are old snapshots in no promised order: `reconcile` sorts that out. A row that cannot be read is left out.
    Exports are few and looked at one by one anyway: their events are not asked for.
    """
    with Discretion():
        rows = yield from read_rows("extraction.updated", since)
    return tuple(replace(one, way=Way.POLL) for row in rows for one in _read_row(row, now))


def read_rows(kind: str, since: datetime) -> Conversation[list[object]]:
    """Read the events of one type created since an instant, as they are."""
    moment = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    query = urlencode([("type", kind), ("createdAt[after]", moment), ("itemsPerPage", "100")])
    following: str | None = f"/events?{query}"
    read: set[str] = set()
    seen: list[object] = []
    while following is not None and following not in read and len(read) < _PAGES:
        read.add(following)
        answer = yield get(following, "GET /events")
        page = read_document(expect_success(answer).body)
        rows = _rows(page)
        seen += rows
        link = _next(page)
        following = next_target(link, path="/events") if link and rows else None
    return seen


def _rows(page: Mapping[str, object]) -> list[object]:
    rows = page.get("hydra:member", page.get("member"))
    if not isinstance(rows, list):
        raise PayloadError("expected an array", path="$.hydra:member")
    return cast("list[object]", rows)


def _read_row(row: object, now: datetime) -> tuple[Observation, ...]:
    try:
        return read_event(msgspec.json.encode(row), now, confirm=False)
    except Exception:  # noqa: BLE001 - one event must not hide the others
        return ()


def _next(page: Mapping[str, object]) -> str | None:
    view = page.get("hydra:view", page.get("view"))
    link = cast("Mapping[str, object]", view).get("hydra:next") if isinstance(view, dict) else None
    return link if isinstance(link, str) else None
