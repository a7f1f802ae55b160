"""Exports at the vendor: starting one, looking at it, finding a lost one by its event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from ...abc import Conversation
from ...discreet import Discretion
from ...jobs import Job, Observation, Way
from .events import read_rows
from .poll import FIND_SLACK, Round, absent, look_at_each
from .schema.tasks import Export
from .snapshots import Sighting, read_object, read_sighting
from .start import conclude, submit


def start_export(job: Job, task: Export, now: datetime) -> Conversation[Observation]:
    """`POST /exports` once."""
    answer = yield submit("/exports", task.words())
    return conclude(job, answer, now)


def poll_exports(jobs: Sequence[Job], shown: Round, now: datetime) -> Conversation[None]:
    """Look at each by its id, 20 a round: there is no list."""
    yield from look_at_each(jobs, shown, now, "/exports")


def find_export(job: Job, task: Export, now: datetime) -> Conversation[Observation]:
    """Look for the event of an equal export, created since the attempt; the newest wins.

    Exports have no list, but each is announced by `export.created`, which holds it as it was then.
    """
    since = (job.attempted_at or job.created_at) - FIND_SLACK
    with Discretion():
        rows = yield from read_rows("export.created", since)
    seen = [each for row in rows if (each := _try_read(row, task, since)) is not None]
    newest = max(seen, key=lambda each: each.created_at or datetime.min.replace(tzinfo=UTC), default=None)
    return newest.observe(Way.POLL, now, job=job, is_new=True) if newest else absent(job, now)


def _try_read(row: object, task: Export, since: datetime) -> Sighting | None:
    try:
        return _read_equal(row, task, since)
    except Exception:  # noqa: BLE001 - an event that is read as none of ours must not hide ours
        return None


def _read_equal(row: object, task: Export, since: datetime) -> Sighting | None:
    event = read_object(row)
    export = read_object(read_object(event.get("data")).get("object"))
    uri = export.get("uri")
    kinds: object = export.get("fileTypes") or []
    if not isinstance(uri, str) or not task.is_same_list(uri) or export.get("format") != task.format:
        return None
    if not isinstance(kinds, list) or sorted(map(str, cast("list[object]", kinds))) != sorted(task.file_types):
        return None
    seen = read_sighting({"@id": event.get("resource"), **export})
    return seen if seen is not None and seen.created_at is not None and seen.created_at >= since else None
