"""Extractions at the vendor: starting one, looking at many, finding a lost one, asking to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote

import msgspec

from ...abc import Answer, Conversation, Request
from ...discreet import Discretion
from ...errors import BelvoAsyncError, PayloadError, TransportError, UnsupportedError, VendorError
from ...jobs import Job, Observation, Status, Way, normal_id
from .errors import expect_success, is_own
from .pages import HEADERS, get, next_target, target
from .schema.tasks import Extraction
from .snapshots import Listing, Sighting, is_same_work, read_document, read_listing, read_sighting
from .start import conclude, submit, try_again

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


def start_extraction(job: Job, task: Task, now: datetime) -> Conversation[Observation]:
    """`POST /extractions` once. A 409 joins the equal extraction that is under way, else it is tried again."""
    body: dict[str, object] = {"taxpayer" if task.rfc else "entity": task.entity, "extractor": task.extractor}
    if words := task.words():
        body["options"] = words
    answer = yield submit("/extractions", body)
    if answer.status == 409 and is_own(answer):
        return (yield from _join(job, task, answer, now))
    return conclude(job, answer, now)


def _join(job: Job, task: Task, answer: Answer, now: datetime) -> Conversation[Observation]:
    try:
        running = yield from _look_up(task, _is_under_way)
    except FAULTS:
        # The 409 said for certain that nothing was accepted; that must not get lost.
        running = None
    if running is not None:
        return running.observe(Way.ANSWER, now, job=job, is_new=True)
    return try_again(job, answer, now, wait=_CONFLICT_PAUSE, attempts=_CONFLICT_ATTEMPTS)


class Round(msgspec.Struct):
    """What one round of looks has shown so far, and the faults it met: none of them loses what was seen."""

    seen: list[Observation] = msgspec.field(default_factory=lambda: list[Observation]())
    faults: list[BelvoAsyncError] = msgspec.field(default_factory=lambda: list[BelvoAsyncError]())


def poll_extractions(jobs: Sequence[Job], shown: Round, now: datetime) -> Conversation[None]:
    """Look at jobs: one or two by id, more by the list, then what it did not show by id (20 a round).

    Every row of the list is reported as it comes. A page that cannot be read leaves the jobs to be asked for by id.
    """
    asked = list(jobs)
    if len({normal_id(job.remote_id or "") for job in asked}) > _FEW:
        try:
            yield from _look_through(asked, shown.seen, now)
        except PayloadError as fault:
            shown.faults.append(fault)
        known = {normal_id(each.remote_id or "") for each in shown.seen}
        asked = [job for job in asked if normal_id(job.remote_id or "") not in known]
    yield from look_at_each(asked, shown, now)


def look_at_each(
    jobs: Sequence[Job], shown: Round, now: datetime, collection: str = "/extractions"
) -> Conversation[None]:
    """Look at jobs by their ids, 20 a round. One whose answer is of no use does not hide the others."""
    for job in rotate(jobs, now):
        try:
            shown.seen.append((yield from look(job, Way.POLL, now, collection)))
        except (PayloadError, VendorError) as fault:
            shown.faults.append(fault)
            if _is_for_all(shown.faults):
                return


def _is_for_all(faults: Sequence[BelvoAsyncError]) -> bool:
    """Whether further looks would fail as well: the key or the rate is refused, or the server fails a second time."""
    statuses = [fault.status_code for fault in faults if isinstance(fault, VendorError)]
    return any(each in (401, 429) for each in statuses) or sum(each >= 500 for each in statuses) > 1


def rotate(jobs: Sequence[Job], now: datetime) -> list[Job]:
    """Take as many as one round may look at singly; beginning elsewhere each second, so that none is left out."""
    begin = int(now.timestamp()) % len(jobs) if len(jobs) > SINGLE_LOOKS else 0
    return [*jobs[begin:], *jobs[:begin]][:SINGLE_LOOKS]


def look(job: Job, way: Way, now: datetime, collection: str = "/extractions") -> Conversation[Observation]:
    """Look at one job by its id."""
    answer = yield get(path_of(job, collection), f"GET {collection}/{{id}}")
    if is_unknown(answer):
        return Observation(way=way, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
    seen = read_sighting(read_document(expect_success(answer).body))
    if seen is None:
        raise PayloadError("no id", path="$.id")
    return seen.observe(way, now, job=job)


def is_unknown(answer: Answer) -> bool:
    """Whether Syntage itself says that it knows no such object."""
    return answer.status == 404 and is_own(answer)


def path_of(job: Job, collection: str) -> str:
    """Where a job's extraction or export stands."""
    return f"{collection}/{quote(job.remote_id or '', safe='')}"


def _look_through(jobs: Sequence[Job], seen: list[Observation], now: datetime) -> Conversation[None]:
    """Read the list until all jobs were shown."""
    missing = {normal_id(job.remote_id or "") for job in jobs}
    since = min(job.created_at for job in jobs) - _LIST_SLACK
    shown: set[str] = set()

    def is_enough(page: Listing) -> bool:
        seen.extend(row.observe(Way.POLL, now) for row in page.rows)
        seen.extend(Observation(way=Way.POLL, at=now, misfit=misfit) for misfit in page.misfits)
        shown.update(normal_id(row.remote_id) for row in page.rows)
        return missing <= shown or _are_older(page.rows, since)

    # The bound keeps the reading short whatever the order of the list, of which Syntage says nothing.
    yield from _list([_created_after(since)], is_enough, pages=max(_LIST_PAGES, len(jobs) // _JOBS_PER_PAGE))


def _list(params: Sequence[tuple[str, str]], is_enough: Callable[[Listing], bool], *, pages: int) -> Conversation[None]:
    """Read pages of `GET /extractions` until one is enough, the last, empty, or named a second time."""
    following, read = target("/extractions", params), set[str]()
    while following not in read and len(read) < pages:
        read.add(following)
        answer = yield get(following, "GET /extractions")
        listing = read_listing(expect_success(answer).body)
        if is_enough(listing) or listing.next is None or listing.held == 0:
            return
        following = next_target(listing.next, path="/extractions")


def find_extraction(job: Job, task: Task, now: datetime) -> Conversation[Observation]:
    """Look for an extraction of the same RFC, extractor and options, created since the attempt; the newest wins.

    Absent when there is none, or when the entity has no RFC to look by.
    """
    since = (job.attempted_at or job.created_at) - FIND_SLACK

    def is_young(seen: Sighting) -> bool:
        return seen.created_at is not None and seen.created_at >= since

    with Discretion():
        found = yield from _look_up(task, is_young, since=since)
    return found.observe(Way.POLL, now, job=job, is_new=True) if found else absent(job, now)


def absent(job: Job, now: datetime) -> Observation:
    """Say that a search found nothing. It is given up after two minutes of that."""
    abandon = job.absent_since is not None and now - job.absent_since >= _ABANDON_AFTER
    return Observation(way=Way.POLL, at=now, job_id=job.id, status=Status.UNCERTAIN, absent=True, abandon=abandon)


def _look_up(
    task: Task, fits: Callable[[Sighting], bool], *, since: datetime | None = None
) -> Conversation[Sighting | None]:
    rfc = task.rfc or (yield from _read_rfc(task.entity))
    if rfc is None:
        return None
    # The filter by extractor is partial (`tax_return` finds three), unknown filters are ignored: all is compared.
    params = [("taxpayer.id", rfc), ("extractor", task.extractor)]
    found: list[Sighting] = []

    def is_enough(page: Listing) -> bool:
        found.extend(row for row in page.rows if row.rfc == rfc and is_same_work(task, row) and fits(row))
        return since is not None and _are_older(page.rows, since)

    yield from _list(params + ([_created_after(since)] if since else []), is_enough, pages=_FIND_PAGES)
    return max(found, key=_age, default=None)


def _read_rfc(entity: str) -> Conversation[str | None]:
    """Read the RFC of an entity, by which alone extractions can be listed; None without one."""
    answer = yield get(entity, "GET /entities/{id}")
    if is_unknown(answer):
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
    if is_unknown(answer):
        return Observation(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
    if expect_success(answer).body.strip() and read_sighting(read_document(answer.body)) is None:
        raise PayloadError("another answer than an extraction's", path="$.id")
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
