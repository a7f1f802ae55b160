"""Extractions at the vendor: starting one, looking at many, finding a lost one, asking to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote

from ...abc import Answer, Conversation, Request
from ...errors import PayloadError, TransportError, UnsupportedError, VendorError
from ...jobs import Job, Observation, Status, Way, normal_id
from .answers import expect_success
from .extractions import Sighting, is_same_work, read_document, read_listing, read_sighting
from .reading import HEADERS, get, next_target, target
from .schema import Extraction
from .submission import conclude, submit, try_again

__all__ = [
    "FAULTS",
    "FIND_SLACK",
    "absent",
    "find_extraction",
    "look",
    "poll_extractions",
    "rotate",
    "start_extraction",
    "stop_extraction",
]

Task: TypeAlias = Extraction[Any]

FAULTS: Final = (VendorError, PayloadError, TransportError)

# A 409 names no id. When the extraction in the way cannot be found either, it has probably just ended: try again soon.
_CONFLICT_PAUSE: Final = timedelta(seconds=5)
_CONFLICT_ATTEMPTS: Final = 3

# Up to this many jobs are looked at one by one: cheaper than a page of a hundred.
_FEW: Final = 2
# Jobs the list did not show, looked up by id in one round; the budget of that route is shared by all.
SINGLE_LOOKS: Final = 20
_LIST_PAGES: Final = 20
# More jobs, more pages: of the hundred rows of a page, every other may be of a job that is not asked about.
_JOBS_PER_PAGE: Final = 50
_FIND_PAGES: Final = 10
# Our clock and Syntage's may differ, and a joined extraction is older than the job that joined it.
_LIST_SLACK: Final = timedelta(days=1)
FIND_SLACK: Final = timedelta(minutes=5)
# An accepted extraction shows in the list at once; two minutes are given to replicas.
_ABANDON_AFTER: Final = timedelta(minutes=2)


def start_extraction(job: Job, task: Task, now: datetime, origin: str) -> Conversation[Observation]:
    """`POST /extractions` once. A 409 joins the equal extraction that is under way, else it is tried again."""
    body: dict[str, object] = {"taxpayer" if task.rfc else "entity": task.entity, "extractor": task.extractor}
    if words := task.words():
        body["options"] = words
    answer = yield submit("/extractions", body)
    if answer.status == 409:
        return (yield from _join(job, task, answer, now, origin))
    return conclude(job, answer, now)


def _join(job: Job, task: Task, answer: Answer, now: datetime, origin: str) -> Conversation[Observation]:
    try:
        running = yield from _look_up(task, _is_under_way, origin)
    except FAULTS:
        # The 409 said for certain that nothing was accepted; that must not get lost.
        running = None
    if running is not None:
        return running.observe(Way.ANSWER, now, job=job, is_new=True)
    return try_again(job, answer, now, wait=_CONFLICT_PAUSE, attempts=_CONFLICT_ATTEMPTS)


def poll_extractions(jobs: Sequence[Job], seen: list[Observation], now: datetime, origin: str) -> Conversation[None]:
    """Look at jobs: one or two by id, more by the list, then what it did not show by id (20 a round).

    Every row of the list is reported, into `seen`, as it comes: a fault loses nothing.
    """
    asked = list(jobs)
    if len({normal_id(job.remote_id or "") for job in asked}) > _FEW:
        shown = yield from _look_through(asked, seen, now, origin)
        asked = [job for job in asked if normal_id(job.remote_id or "") not in shown]
    for job in rotate(asked, now):
        seen.append((yield from look(job, Way.POLL, now)))


def rotate(jobs: Sequence[Job], now: datetime) -> list[Job]:
    """Take as many as one round may look at singly; beginning elsewhere each second, so that none is left out."""
    begin = int(now.timestamp()) % len(jobs) if len(jobs) > SINGLE_LOOKS else 0
    return [*jobs[begin:], *jobs[:begin]][:SINGLE_LOOKS]


def look(job: Job, way: Way, now: datetime, collection: str = "/extractions") -> Conversation[Observation]:
    """Look at one job by its id."""
    answer = yield get(path_of(job, collection), f"GET {collection}/{{id}}")
    if answer.status == 404:
        return Observation(way=way, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
    seen = read_sighting(read_document(expect_success(answer).body), remote_id=job.remote_id)
    if seen is None:
        raise PayloadError("no id", path="$.id")
    return seen.observe(way, now, job=job)


def path_of(job: Job, collection: str) -> str:
    """Where a job's extraction or export stands."""
    return f"{collection}/{quote(job.remote_id or '', safe='')}"


def _look_through(
    jobs: Sequence[Job], seen: list[Observation], now: datetime, origin: str
) -> Conversation[frozenset[str]]:
    """Read the list until all jobs were shown; give the ids it showed."""
    missing = {normal_id(job.remote_id or "") for job in jobs}
    since = min(job.created_at for job in jobs) - _LIST_SLACK
    shown: set[str] = set()

    def is_enough(rows: Sequence[Sighting]) -> bool:
        seen.extend(row.observe(Way.POLL, now) for row in rows)
        shown.update(normal_id(row.remote_id) for row in rows)
        return missing <= shown or _are_older(rows, since)

    # The bound keeps the reading short whatever the order of the list, of which Syntage says nothing.
    yield from _list([_created_after(since)], is_enough, origin, pages=max(_LIST_PAGES, len(jobs) // _JOBS_PER_PAGE))
    return frozenset(shown)


def _list(
    params: Sequence[tuple[str, str]], is_enough: Callable[[Sequence[Sighting]], bool], origin: str, *, pages: int
) -> Conversation[None]:
    """Read pages of `GET /extractions` until one is enough, the last, empty, or named a second time."""
    following, read = target("/extractions", params), set[str]()
    while following not in read and len(read) < pages:
        read.add(following)
        answer = yield get(following, "GET /extractions")
        listing = read_listing(expect_success(answer).body)
        if is_enough(listing.rows) or listing.next is None or listing.held == 0:
            return
        following = next_target(listing.next, origin=origin, path="/extractions")


def find_extraction(job: Job, task: Task, now: datetime, origin: str) -> Conversation[Observation]:
    """Look for an extraction of the same RFC, extractor and options, created since the attempt; the newest wins.

    Absent when there is none, or when the entity has no RFC to look by.
    """
    since = (job.attempted_at or job.created_at) - FIND_SLACK

    def is_young(seen: Sighting) -> bool:
        return seen.created_at is not None and seen.created_at >= since

    found = yield from _look_up(task, is_young, origin, since=since)
    return found.observe(Way.POLL, now, job=job, is_new=True) if found else absent(job, now)


def absent(job: Job, now: datetime) -> Observation:
    """Say that a search found nothing. It is given up after two minutes of that."""
    abandon = job.absent_since is not None and now - job.absent_since >= _ABANDON_AFTER
    return Observation(way=Way.POLL, at=now, job_id=job.id, status=Status.UNCERTAIN, absent=True, abandon=abandon)


def _look_up(
    task: Task, fits: Callable[[Sighting], bool], origin: str, *, since: datetime | None = None
) -> Conversation[Sighting | None]:
    rfc = task.rfc or (yield from _read_rfc(task.entity))
    if rfc is None:
        return None
    # The filter by extractor is partial (`tax_return` finds three), unknown filters are ignored: all is compared.
    params = [("taxpayer.id", rfc), ("extractor", task.extractor)]
    found: list[Sighting] = []

    def is_enough(rows: Sequence[Sighting]) -> bool:
        found.extend(row for row in rows if row.rfc == rfc and is_same_work(task, row) and fits(row))
        return since is not None and _are_older(rows, since)

    yield from _list(params + ([_created_after(since)] if since else []), is_enough, origin, pages=_FIND_PAGES)
    return max(found, key=_age, default=None)


def _read_rfc(entity: str) -> Conversation[str | None]:
    """Read the RFC of an entity, by which alone extractions can be listed; None without one."""
    answer = yield get(entity, "GET /entities/{id}")
    if answer.status == 404:
        return None
    taxpayer = read_document(expect_success(answer).body).get("taxpayer")
    rfc = cast("Mapping[str, object]", taxpayer).get("id") if isinstance(taxpayer, dict) else None
    return rfc if isinstance(rfc, str) and rfc else None


def stop_extraction(job: Job, now: datetime) -> Conversation[Observation | None]:
    """`DELETE /extractions/{id}/stop`. A 409 means it is over already: the observation says how."""
    if job.remote_id is None:
        raise UnsupportedError("Syntage stops extractions by id, and this job has none yet")
    path = path_of(job, "/extractions")
    answer = yield Request(
        method="DELETE", target=f"{path}/stop", name="DELETE /extractions/{id}/stop", headers=HEADERS
    )
    if answer.status == 409:
        return (yield from look(job, Way.ANSWER, now))
    if answer.status == 404:
        return Observation(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
    expect_success(answer)
    return Observation(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, status=Status.STOPPING)


def _is_under_way(seen: Sighting) -> bool:
    # One that is stopping would take the job that joins it along. A word we do not know is not an end.
    return seen.status in (Status.PENDING, Status.RUNNING, None)


def _created_after(since: datetime) -> tuple[str, str]:
    return "createdAt[after]", since.astimezone(UTC).date().isoformat()


def _are_older(rows: Sequence[Sighting], since: datetime) -> bool:
    return bool(rows) and all(row.created_at is not None and row.created_at < since for row in rows)


def _age(seen: Sighting) -> datetime:
    return seen.created_at or datetime.min.replace(tzinfo=UTC)
