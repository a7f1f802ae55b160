"""Finding: an extraction by its list, an export by its event, whose acceptance was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, cast

from ...abc import LONG_AGO, Conversation
from ...discreet import Discretion
from ...jobs import Absent, Job, Observation, Way
from .errors import expect_success, is_unknown
from .events import read_events
from .pages import get, read_pages
from .schema.tasks import Export, Extraction
from .snapshots import RawPage, Snapshot, is_same_work, read_document, read_object, read_snapshot, read_snapshots

Task: TypeAlias = Extraction[Any]

_FIND_PAGES: Final = 10
# Our clock and Syntage's may differ, and a joined extraction is older than the job that joined it.
_SLACK: Final = timedelta(minutes=5)
# An accepted extraction shows in the list at once; two minutes are given to replicas.
ABANDON_AFTER: Final = timedelta(minutes=2)


def find(job: Job, task: Task | Export, now: datetime) -> Conversation[Observation]:
    """Find what an attempt may have started: the newest of those that are equal; see `Vendor.find`."""
    since = (job.submission.attempted_at or job.created_at) - _SLACK
    with Discretion():
        found = yield from (_find_export(task, since) if isinstance(task, Export) else _find_extraction(task, since))
    if found is not None:
        return found.observe(Way.POLL, now, job=job, is_new=True)
    final = job.submission.absent_since is not None and now - job.submission.absent_since >= ABANDON_AFTER
    return Absent(way=Way.POLL, at=now, job_id=job.id, final=final)


def _find_extraction(task: Task, since: datetime) -> Conversation[Snapshot | None]:
    """Search for an extraction of the same RFC, extractor and options, created since; the newest wins.

    None when there is none, or when the entity has no RFC to look by.
    """
    return (
        yield from look_up(task, lambda seen: seen.created_at is not None and seen.created_at >= since, since=since)
    )


def look_up(
    task: Task, fits: Callable[[Snapshot], bool], *, since: datetime | None = None
) -> Conversation[Snapshot | None]:
    """Look an equal extraction up in the list: the newest that fits, None without one."""
    rfc = task.rfc or (yield from _read_rfc(task.entity))
    if rfc is None:
        return None
    # The filter by extractor is partial (`tax_return` finds three), unknown filters are ignored: all is compared.
    params = [("taxpayer.id", rfc), ("extractor", task.extractor)]
    found: list[Snapshot] = []

    def is_enough(page: RawPage) -> bool:
        rows = read_snapshots(page).rows
        found.extend(row for row in rows if row.rfc == rfc and is_same_work(task, row) and fits(row))
        return since is not None and are_older(rows, since)

    yield from read_extractions(params + ([created_after(since)] if since else []), is_enough, limit=_FIND_PAGES)
    return max(found, key=_age, default=None)


def read_extractions(
    params: Sequence[tuple[str, str]], is_enough: Callable[[RawPage], bool], *, limit: int
) -> Conversation[None]:
    """Read pages of `GET /extractions` until one is enough; see `read_pages`."""
    yield from read_pages("/extractions", params, is_enough, name="GET /extractions", limit=limit)


def _read_rfc(entity: str) -> Conversation[str | None]:
    """Read the RFC of an entity, by which alone extractions can be listed; None without one."""
    answer = yield get(entity, "GET /entities/{id}")
    if is_unknown(answer):
        return None
    rfc = read_object(read_document(expect_success(answer).body).get("taxpayer")).get("id")
    return rfc if isinstance(rfc, str) and rfc else None


def created_after(since: datetime) -> tuple[str, str]:
    """The filter for what is younger, in whole days."""
    return "createdAt[after]", since.astimezone(UTC).date().isoformat()


def created_before(until: datetime) -> tuple[str, str]:
    """The filter for what is no younger, in whole seconds."""
    return "createdAt[before]", until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def are_older(rows: Sequence[Snapshot], since: datetime) -> bool:
    """Whether all of a page is older, as far as it says."""
    return bool(rows) and all(row.created_at is not None and row.created_at < since for row in rows)


def _age(seen: Snapshot) -> datetime:
    return seen.created_at or LONG_AGO


def _find_export(task: Export, since: datetime) -> Conversation[Snapshot | None]:
    """Search for the event of an equal export, created since; the newest wins.

    Exports have no list, but each is announced by `export.created`, which holds it as it was then.
    """
    rows = yield from read_events("export.created", since)
    seen = [each for row in rows if (each := _try_read(row, task, since)) is not None]
    return max(seen, key=_age, default=None)


def _try_read(row: object, task: Export, since: datetime) -> Snapshot | None:
    try:
        return _read_equal(row, task, since)
    except Exception:  # noqa: BLE001 - an event that is read as none of ours must not hide ours
        return None


def _read_equal(row: object, task: Export, since: datetime) -> Snapshot | None:
    event = read_object(row)
    export = read_object(read_object(event.get("data")).get("object"))
    uri = export.get("uri")
    kinds: object = export.get("fileTypes") or []
    if not isinstance(uri, str) or not task.is_same_list(uri) or export.get("format") != task.format:
        return None
    if not isinstance(kinds, list) or sorted(map(str, cast("list[object]", kinds))) != sorted(task.file_types):
        return None
    seen = read_snapshot({"@id": event.get("resource"), **export})
    return seen if seen is not None and seen.created_at is not None and seen.created_at >= since else None
