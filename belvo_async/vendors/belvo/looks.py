"""Polling: what a link and its list tell about jobs whose state Belvo publishes nowhere.

One read of the link serves all its jobs. A link that broke fails them; one that is gone ends its deletion. A link that
was used after the POST is worth a look at the job's own list: three equal looks over ten minutes are taken for the end,
and said to be an inference. So is a refresh of which every resource has reported, and none lately. `Belvo(quiet=...)`
is how long those ten minutes are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias
from urllib.parse import quote

import msgspec

from belvo_async.abc import Conversation, Request
from belvo_async.errors import PayloadError, RateLimitError, TransportError, VendorError, name_fault
from belvo_async.jobs import Job, Look, Observation, Status, Way, normal_id
from belvo_async.tolerant import read

from .lists import LINKS
from .reading import Source, task_filters
from .refusals import failure, is_unknown, read_error
from .schema import RESOURCES, DeleteLink, FinancialStatements, Invoices, Link, Refresh

# A list that stands still may only pause: this many equal looks, and as long a quiet, are taken for the end.
LOOKS = 3

# Belvo reports invoices and tax returns in several deliveries, minutes apart, and never says which is the last.
QUIET = timedelta(minutes=10)

# Reports of one refresh may be hours apart; four of them without a word are the end of it.
PATIENCE = 24

# Link status -> failure code of its open jobs. `valid` and `unconfirmed` fail nothing.
BROKEN = {"invalid": "link_invalid", "token_required": "token_required"}

# What a submission that Belvo never saw (queued) cannot be told about by its link, and what an end can be inferred of.
_SENT = frozenset({Status.UNCERTAIN, Status.PENDING, Status.RUNNING, Status.STOPPING})
_ACCEPTED = _SENT - {Status.UNCERTAIN}


class _Row(msgspec.Struct):
    id: str | None = None


class _List(msgspec.Struct):
    count: int | None = None
    results: list[_Row] | None = None


_Trouble: TypeAlias = VendorError | TransportError | PayloadError


def poll(jobs: Sequence[Job], now: datetime, source: Source) -> Conversation[tuple[Observation, ...]]:
    """Look at all jobs, link by link; at least one observation for each.

    A link that cannot be read leaves its jobs as they are and does not hide the others, nor does a list: the error is
    raised only when nothing could be read. Refused credentials and a used-up rate end the round, since all further
    reads would fail.
    """
    seen: list[Observation] = []
    troubles: list[_Trouble] = []
    for group in _by_link(jobs):
        if any(map(_ends_round, troubles)):
            seen.extend(_unread(job, now, troubles[-1]) for job in group)
        else:
            yield from _look_at_link(group, seen, troubles, now, source)
    if troubles and all(each.misfit for each in seen):
        raise troubles[0]
    return tuple(seen)


def _by_link(jobs: Sequence[Job]) -> list[list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.task.subject, []).append(job)
    return list(groups.values())


def _ends_round(error: Exception) -> bool:
    return isinstance(error, RateLimitError) or (isinstance(error, VendorError) and error.status_code == 401)


def _nothing(job: Job, now: datetime) -> Observation:
    return Observation(way=Way.POLL, at=now, job_id=job.id)


def _unread(job: Job, now: datetime, error: _Trouble) -> Observation:
    return Observation(way=Way.POLL, at=now, job_id=job.id, misfit=name_fault(error))


def _look_at_link(
    jobs: Sequence[Job], seen: list[Observation], troubles: list[_Trouble], now: datetime, source: Source
) -> Conversation[None]:
    """Look at the jobs of one link; what goes wrong with one of them is noted, and leaves it as it is."""
    task = jobs[0].task
    if not isinstance(task, Invoices | FinancialStatements | Refresh | DeleteLink):
        seen.extend(_nothing(job, now) for job in jobs)
        return
    try:
        link = yield from _find_link(task.link, source)
    except (VendorError, TransportError, PayloadError) as error:
        troubles.append(error)
        seen.extend(_unread(job, now, error) for job in jobs)
        return
    for job in jobs:
        try:
            said = _missing(job, now) if link is None else (yield from _look_at_job(job, link, now, source))
            seen.append(msgspec.structs.replace(said, found=link is not None))
        except (VendorError, TransportError, PayloadError) as error:
            troubles.append(error)
            seen.append(_unread(job, now, error))


def _find_link(wanted: str, source: Source) -> Conversation[Link | None]:
    """Read a link; None when Belvo itself says that it knows none of that id."""
    answer = yield read_link(wanted, source)
    if answer.status == 404 and is_unknown(answer):
        return None
    if answer.status != 200:
        raise read_error(answer)
    link = read(answer.body, Link, needs="")
    # A page that happens to be JSON is no link, and another one's status must not end these jobs.
    if link.id is None or normal_id(link.id) != normal_id(wanted):
        raise PayloadError("another object than the link that was asked for", path="$.id")
    return link


def read_link(link: str, source: Source) -> Request:
    """Build the read of a link."""
    return source.get(f"{LINKS.path}{quote(link, safe='')}/", [], name="GET /api/links/{id}/")


def _missing(job: Job, now: datetime) -> Observation:
    was_sent = job.status in _SENT
    if not isinstance(job.task, DeleteLink):
        return msgspec.structs.replace(_nothing(job, now), gone=was_sent)
    return msgspec.structs.replace(_nothing(job, now), status=Status.FINISHED if was_sent else None)


def _look_at_job(job: Job, link: Link, now: datetime, source: Source) -> Conversation[Observation]:
    if isinstance(job.task, DeleteLink):
        return _nothing(job, now)
    broken = BROKEN.get(link.status or "")
    if broken and job.status in _SENT:
        return msgspec.structs.replace(_nothing(job, now), status=Status.FAILED, failure=failure(broken))
    if job.status not in _ACCEPTED:
        return _nothing(job, now)
    if isinstance(job.task, Refresh):
        return _weigh_refresh(job, job.task, link, now, source.quiet)
    used_at = link.last_accessed_at
    if link.status != "valid" or not _is_after(used_at, job.attempted_at or job.created_at):
        return _nothing(job, now)
    path, filters = task_filters(job.task)
    answer = yield source.get(path, [*filters, ("fields", "id"), ("page_size", "1")])
    if answer.status != 200:
        raise read_error(answer)
    page = read(answer.body, _List)
    if page.count is None and page.results is None:
        raise PayloadError("no list", path="$.results")
    return _weigh(job, _look(page, used_at, now), source.quiet)


def _weigh_refresh(job: Job, task: Refresh, link: Link, now: datetime, quiet: timedelta) -> Observation:
    """End a refresh that every resource has reported to, when none did for a while; others after a long while.

    A report may be lost, and a link may be set to fetch what is never reported: such a job must not stay open for ever,
    for each equal one joins it.
    """
    heard = [report.at for report in job.reports]
    wanted = set(task.resources or link.fetch_resources or RESOURCES) & set(RESOURCES)
    if not heard or not wanted <= {report.resource for report in job.reports}:
        quiet *= PATIENCE
        heard += [at for at in (link.last_accessed_at,) if at and _is_after(at, job.attempted_at or job.created_at)]
    if not heard or now - max(heard) < quiet:
        return _nothing(job, now)
    return msgspec.structs.replace(_nothing(job, now), status=Status.FINISHED, way=Way.INFERENCE, partial=True)


def _is_after(used_at: datetime | None, sent_at: datetime) -> bool:
    # An instant without an offset cannot be compared, so it is no evidence.
    return used_at is not None and used_at.tzinfo is not None and used_at > sent_at


def _look(page: _List, used_at: datetime | None, now: datetime) -> Look:
    # A row that could not be read is None, and as good as any to tell whether the list stands still.
    first = getattr(page.results[0], "id", None) if page.results else None
    used = used_at.isoformat() if used_at else None
    return Look(fingerprint=f"{page.count}/{used}/{first}", first_at=now, last_at=now, accessed_at=used_at)


def _weigh(job: Job, look: Look, quiet: timedelta) -> Observation:
    """Report a look; it ends the job when it closes a long enough run of equal ones kept in the job."""
    noted = Observation(way=Way.POLL, at=look.last_at, job_id=job.id, look=look)
    run = job.look
    if run is None or run.fingerprint != look.fingerprint or look.last_at <= run.last_at:
        return noted
    if run.count + 1 < LOOKS or look.last_at - run.first_at < quiet:
        return noted
    return msgspec.structs.replace(noted, status=Status.FINISHED, way=Way.INFERENCE, partial=True)


def find_deletion(job: Job, now: datetime, source: Source) -> Conversation[bool]:
    """Ask whether a link is gone: what an uncertain deletion was for."""
    task = job.task
    if not isinstance(task, DeleteLink):
        return False
    return (yield from _find_link(task.link, source)) is None
