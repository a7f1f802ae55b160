"""Polling: extractions by id or by their list, exports by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from ...abc import Conversation
from ...errors import BelvoAsyncError, PayloadError, VendorError, name_fault
from ...jobs import Gone, Job, Misread, Observation, Way, normal_id
from .errors import FAULTS, expect_success, is_unknown
from .find import are_older, created_after, created_before, read_extractions
from .pages import get
from .schema.tasks import Export
from .snapshots import RawPage, read_document, read_snapshot, read_snapshots

# Up to this many jobs are polled one by one: cheaper than a page of a hundred.
_FEW: Final = 2
# Jobs the list did not show, polled by id in one round; the budget of that route is shared by all.
SINGLE_POLLS: Final = 20
_LIST_PAGES: Final = 20
# More jobs, more pages: of the hundred rows of a page, every other may be of a job that is not asked about.
_JOBS_PER_PAGE: Final = 50
# Our clock and Syntage's may differ, and a joined extraction is older than the job that joined it.
_LIST_SLACK: Final = timedelta(days=1)
# How far apart our clock and Syntage's may be, as with signatures; where they are further, the list shows none of ours.
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
# Where all were fired that long ago, what is younger is left out: of many open jobs, most are.
_LONG_AGO: Final = timedelta(hours=1)


class Round(msgspec.Struct):
    """What one round has shown so far, and the faults it met: none of them loses what was seen."""

    seen: list[Observation] = msgspec.field(default_factory=lambda: list[Observation]())
    faults: list[BelvoAsyncError] = msgspec.field(default_factory=lambda: list[BelvoAsyncError]())


def poll(jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
    """Poll all jobs that have an id; see `Vendor.poll`.

    Every row of the list is reported. What concerns all jobs alike (the key, the rate, a server in trouble) ends the
    round of its kind; what was seen is reported, and so is what could not be read.
    """
    asked = [job for job in jobs if job.remote_id]
    exports = [job for job in asked if isinstance(job.task, Export)]
    extractions = [job for job in asked if not isinstance(job.task, Export)]
    shown = Round()
    # Of exports there is no list.
    for polling in (_poll_extractions(extractions, shown, now), _poll_each(exports, shown, now, "/exports")):
        try:
            yield from polling
        except FAULTS as fault:
            shown.faults.append(fault)
    if shown.faults and not shown.seen:
        raise shown.faults[0]
    misfits = (Misread(way=Way.POLL, at=now, misfit=name_fault(fault)) for fault in shown.faults)
    return (*shown.seen, *misfits)


def _poll_extractions(jobs: Sequence[Job], shown: Round, now: datetime) -> Conversation[None]:
    """Poll jobs: one or two by id, more by the list, then what it did not show by id (20 a round).

    Every row of the list is reported as it comes. A page that cannot be read leaves the jobs to be asked for by id.
    """
    asked = list(jobs)
    if len({normal_id(job.remote_id or "") for job in asked}) > _FEW:
        try:
            yield from _poll_list(asked, shown.seen, now)
        except PayloadError as fault:
            shown.faults.append(fault)
        known = {normal_id(each.remote_id or "") for each in shown.seen}
        asked = [job for job in asked if normal_id(job.remote_id or "") not in known]
    yield from _poll_each(asked, shown, now)


def _poll_each(
    jobs: Sequence[Job], shown: Round, now: datetime, collection: str = "/extractions"
) -> Conversation[None]:
    """Poll jobs by their ids, 20 a round. One whose answer is of no use does not hide the others."""
    for job in _rotate(jobs, now):
        try:
            shown.seen.append((yield from poll_one(job, Way.POLL, now, collection)))
        except (PayloadError, VendorError) as fault:
            shown.faults.append(fault)
            if _is_for_all(shown.faults):
                return


def _is_for_all(faults: Sequence[BelvoAsyncError]) -> bool:
    """Whether further polls would fail as well: the key or the rate is refused, or the server fails a second time."""
    statuses = [fault.status_code for fault in faults if isinstance(fault, VendorError)]
    return any(each in (401, 429) for each in statuses) or sum(each >= 500 for each in statuses) > 1


def _rotate(jobs: Sequence[Job], now: datetime) -> list[Job]:
    """Take as many as one round may poll singly; beginning elsewhere each second, so that none is left out."""
    begin = int(now.timestamp()) % len(jobs) if len(jobs) > SINGLE_POLLS else 0
    return [*jobs[begin:], *jobs[:begin]][:SINGLE_POLLS]


def poll_one(job: Job, way: Way, now: datetime, collection: str = "/extractions") -> Conversation[Observation]:
    """Poll one job by its id."""
    answer = yield get(path_of(job, collection), f"GET {collection}/{{id}}")
    if is_unknown(answer):
        return Gone(way=way, at=now, job_id=job.id, remote_id=job.remote_id)
    seen = read_snapshot(read_document(expect_success(answer).body))
    if seen is None:
        raise PayloadError("no id", path="$.id")
    return seen.observe(way, now, job=job)


def path_of(job: Job, collection: str) -> str:
    """Where a job's extraction or export stands."""
    return f"{collection}/{quote(job.remote_id or '', safe='')}"


def _poll_list(jobs: Sequence[Job], seen: list[Observation], now: datetime) -> Conversation[None]:
    """Read the list until all jobs were shown: from the youngest of them on, as far as clocks can be compared."""
    missing = {normal_id(job.remote_id or "") for job in jobs}
    since = min(job.created_at for job in jobs) - _LIST_SLACK
    until = max(job.submission.attempted_at or job.created_at for job in jobs) + _CLOCKS_DIFFER
    shown: set[str] = set()

    def is_enough(raw: RawPage) -> bool:
        page = read_snapshots(raw)
        seen.extend(row.observe(Way.POLL, now) for row in page.rows)
        seen.extend(Misread(way=Way.POLL, at=now, misfit=misfit) for misfit in page.misfits)
        shown.update(normal_id(row.remote_id) for row in page.rows)
        return missing <= shown or are_older(page.rows, since)

    def read(*filters: tuple[str, str]) -> Conversation[None]:
        # The bound keeps the reading short whatever the order of the list, of which Syntage says nothing.
        limit = max(_LIST_PAGES, len(jobs) // _JOBS_PER_PAGE)
        yield from read_extractions([created_after(since), *filters], is_enough, limit=limit)

    if now - until > _LONG_AGO:
        yield from read(created_before(until))
    if missing.isdisjoint(shown):
        yield from read()
