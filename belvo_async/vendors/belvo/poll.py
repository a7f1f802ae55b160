"""Polling: what a link and its list tell about jobs whose state Belvo publishes nowhere.

One read of the link serves all its jobs, and one list of links many links. A link that broke fails them; one that is
gone ends its deletion. A link that was used after the POST is worth a poll of the job's own list: when three polls over
ten minutes were equal, the job's own records decide (`evidence`). A refresh ends by its reports, when every resource
has reported and none lately; where none ever came, by its records as well. `Belvo(quiet=...)` is how long those ten
minutes are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, cast

import msgspec

from ...abc import Conversation
from ...errors import PayloadError, RateLimitError, TransportError, VendorError, name_fault
from ...jobs import Found, Gone, Job, Misread, Observation, Quiet, Seen, Status, Way, normal_id
from ...tolerant import read
from .errors import failure, read_error
from .evidence import Findings, TracePage, infer, is_after, questions, sent_at, weigh
from .find import find_link
from .lists import BY_RESOURCE, LINKS
from .pages import Params, get
from .results import task_params
from .schema.checks import RESOURCES
from .schema.links import Link
from .schema.tasks import DeleteLink, FinancialStatements, Invoices, Refresh
from .settings import Pace

# A list that stands still may only pause: this many equal polls, and as long a quiet, are taken for the end.
EQUAL_POLLS: Final = 3

# Belvo reports invoices and tax returns in several deliveries, minutes apart, and never says which is the last.
QUIET: Final = timedelta(minutes=10)

# Reports of one refresh may be hours apart; four of them without a word are the end of it. So they are of a job for
# which nothing speaks, while a webhook may still come: it may be running.
PATIENCE: Final = 24

# Up to this many links are read one by one: each tells by itself that it is gone. Of more, so many with one request:
# an id has 36 characters, and some proxies take no address of more than 2 KiB.
_FEW: Final = 2
_LINKS_AT_ONCE: Final = 50
_ID_DIGITS: Final = 32
_LOOKED_AT: Final = "id,status,last_accessed_at,fetch_resources"

# Link status -> failure code of its open jobs. `valid` and `unconfirmed` fail nothing.
BROKEN: Final = {"invalid": "link_invalid", "token_required": "token_required"}

# What a submission that Belvo never saw (queued) cannot be told about by its link, and what an end can be inferred of.
_SENT: Final = frozenset({Status.UNCERTAIN, Status.PENDING, Status.RUNNING, Status.STOPPING})
_ACCEPTED: Final = _SENT - {Status.UNCERTAIN}


class _Listed(msgspec.Struct):
    id: str | None = None


class _FirstPage(msgspec.Struct):
    count: int | None = None
    results: list[_Listed] | None = None


class _LinkPage(msgspec.Struct):
    results: list[Link] | None = None


_Trouble: TypeAlias = VendorError | TransportError | PayloadError


def poll(jobs: Sequence[Job], now: datetime, pace: Pace) -> Conversation[tuple[Observation, ...]]:
    """Poll all jobs, link by link; at least one observation for each.

    A link that cannot be read leaves its jobs as they are and does not hide the others, nor does a list: the error is
    raised only when nothing could be read. Refused credentials and a used-up rate end the round, since all further
    reads would fail.
    """
    seen: list[Observation] = []
    troubles: list[_Trouble] = []
    groups = _by_link(jobs)
    shown = yield from _list_links([group[0].task.subject for group in groups], troubles, pace)
    for group in groups:
        if any(map(_ends_round, troubles)):
            seen.extend(_unread(job, now, troubles[-1]) for job in group)
        else:
            yield from _poll_link(group, seen, troubles, now, pace, shown)
    if troubles and all(isinstance(each, Misread) for each in seen):
        raise troubles[0]
    return tuple(seen)


def _by_link(jobs: Sequence[Job]) -> list[list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.task.subject, []).append(job)
    return list(groups.values())


def _list_links(wanted: Sequence[str], troubles: list[_Trouble], pace: Pace) -> Conversation[dict[str, Link]]:
    """Read many links with few requests; by id in normal form. What the list does not show is read by itself.

    A list that cannot be read is none: its links are read by themselves, unless those reads would fail as well.
    """
    shown: dict[str, Link] = {}
    # What is no id of Belvo's would have the whole filter refused.
    ids = [each for each in wanted if len(normal_id(each)) == _ID_DIGITS and each.isascii()]
    for begin in range(0, len(ids) if len(ids) > _FEW else 0, _LINKS_AT_ONCE):
        some = ",".join(ids[begin : begin + _LINKS_AT_ONCE])
        try:
            body = yield from _ask(pace, LINKS.path, [("id__in", some), ("fields", _LOOKED_AT), ("page_size", "1000")])
            page = read(body, _LinkPage)
        except (VendorError, TransportError, PayloadError) as error:
            if _ends_round(error):
                troubles.append(error)
            break
        rows = cast("list[Link | None]", page.results or [])  # None where one cannot be read
        shown |= {normal_id(link.id): link for link in rows if link is not None and link.id is not None}
    return shown


def _ends_round(error: Exception) -> bool:
    return isinstance(error, RateLimitError) or (isinstance(error, VendorError) and error.status_code == 401)


def _nothing(job: Job, now: datetime) -> Seen:
    return Seen(way=Way.POLL, at=now, job_id=job.id)


def _unread(job: Job, now: datetime, error: _Trouble) -> Misread:
    return Misread(way=Way.POLL, at=now, job_id=job.id, misfit=name_fault(error))


def _poll_link(
    jobs: Sequence[Job],
    seen: list[Observation],
    troubles: list[_Trouble],
    now: datetime,
    pace: Pace,
    shown: Mapping[str, Link],
) -> Conversation[None]:
    """Poll the jobs of one link; what goes wrong with one of them is noted, and leaves it as it is."""
    task = jobs[0].task
    if not isinstance(task, Invoices | FinancialStatements | Refresh | DeleteLink):
        seen.extend(_nothing(job, now) for job in jobs)
        return
    try:
        # Only Belvo's own word about a link says that it is gone.
        link = shown.get(normal_id(task.link)) or (yield from find_link(task.link, pace))
    except (VendorError, TransportError, PayloadError) as error:
        troubles.append(error)
        seen.extend(_unread(job, now, error) for job in jobs)
        return
    answered: list[Observation] = []
    for job in jobs:
        try:
            answered.append(_missing(job, now) if link is None else (yield from _poll_job(job, link, now, pace)))
        except (VendorError, TransportError, PayloadError) as error:
            troubles.append(error)
            seen.append(_unread(job, now, error))
    if answered and link is not None:
        answered.append(Found(way=Way.POLL, at=now, subject=task.link))
    seen.extend(answered)


def _missing(job: Job, now: datetime) -> Observation:
    if job.status not in _SENT:
        return _nothing(job, now)
    if isinstance(job.task, DeleteLink):
        return Seen(way=Way.POLL, at=now, job_id=job.id, status=Status.FINISHED)
    return Gone(way=Way.POLL, at=now, job_id=job.id)


def _poll_job(job: Job, link: Link, now: datetime, pace: Pace) -> Conversation[Observation]:
    if isinstance(job.task, DeleteLink):
        return _nothing(job, now)
    broken = BROKEN.get(link.status or "")
    if broken and job.status in _SENT:
        return Seen(way=Way.POLL, at=now, job_id=job.id, status=Status.FAILED, failure=failure(broken))
    if job.status not in _ACCEPTED:
        return _nothing(job, now)
    if isinstance(job.task, Refresh):
        return (yield from _weigh_refresh(job, job.task, link, now, pace))
    used_at = link.last_accessed_at
    if link.status != "valid" or not is_after(used_at, sent_at(job)):
        return _nothing(job, now)
    path, params = task_params(job.task)
    page = read((yield from _ask(pace, path, [*params, ("fields", "id"), ("page_size", "1")])), _FirstPage)
    if page.count is None and page.results is None:
        raise PayloadError("no list", path="$.results")
    quiet = _quiet(page, used_at, now)
    seen = Seen(way=Way.POLL, at=now, job_id=job.id, quiet=quiet)
    stood = _stood_still(job, quiet)
    if stood is None or stood < pace.quiet:
        return seen
    is_over = stood >= pace.patience
    # What showed no evidence shows none until it changes; at the end it is asked once more.
    if not is_over and _was_searched(job, pace.quiet):
        return seen
    found = yield from _search(job, [(path, params)], now, pace)
    return infer(seen, found) if found.speaks or is_over else seen


def _weigh_refresh(job: Job, task: Refresh, link: Link, now: datetime, pace: Pace) -> Conversation[Observation]:
    """End a refresh that every resource has reported to, when none did for a while; others after a long while.

    A report may be lost, and a link may be set to fetch what is never reported: such a job must not stay open for ever.
    Reports are deliveries about the job, and so speak for it; the missing ones say that data is missing.
    """
    heard = [report.at for report in job.evidence.reports]
    wanted = set(task.resources or link.fetch_resources or RESOURCES) & set(RESOURCES)
    is_whole = bool(heard) and wanted <= {report.resource for report in job.evidence.reports}
    quiet = pace.quiet if is_whole else pace.quiet * PATIENCE
    if not is_whole:
        heard += [at for at in (link.last_accessed_at,) if at and is_after(at, sent_at(job))]
    if not heard or now - max(heard) < quiet:
        return _nothing(job, now)
    if job.evidence.reports:
        return infer(_nothing(job, now), Findings(speaks=True, partial=not is_whole))
    places = [(BY_RESOURCE[each].path, [("link", task.link)]) for each in sorted(wanted)]
    return infer(_nothing(job, now), (yield from _search(job, places, now, pace)))


def _search(job: Job, places: Sequence[tuple[str, Params]], now: datetime, pace: Pace) -> Conversation[Findings]:
    """Search for records that speak for a job in the lists that may hold them."""
    for path, params in places:
        for asked in questions(job, path, params):
            page = read((yield from _ask(pace, path, asked)), TracePage)
            if page.results is None:
                # Nothing was read: that is not to have found nothing.
                raise PayloadError("no list", path="$.results")
            found = weigh(job, page, now)
            if found.speaks:
                return found
    return Findings()


def _ask(pace: Pace, path: str, params: Params) -> Conversation[bytes]:
    answer = yield get(pace, path, params)
    if answer.status != 200:
        raise read_error(answer)
    return answer.body


def _quiet(page: _FirstPage, used_at: datetime | None, now: datetime) -> Quiet:
    # A row that could not be read is None, and as good as any to tell whether the list stands still.
    first = getattr(page.results[0], "id", None) if page.results else None
    used = used_at.isoformat() if used_at else None
    return Quiet(fingerprint=f"{page.count}/{used}/{first}", first_at=now, last_at=now, accessed_at=used_at)


def _stood_still(job: Job, last: Quiet) -> timedelta | None:
    """For how long enough polls were equal, this one and the run kept in the job; None while they are not."""
    run = job.evidence.quiet
    if run is None or run.fingerprint != last.fingerprint or last.last_at <= run.last_at or run.count + 1 < EQUAL_POLLS:
        return None
    return last.last_at - run.first_at


def _was_searched(job: Job, quiet: timedelta) -> bool:
    run = job.evidence.quiet
    return run is not None and run.count >= EQUAL_POLLS and run.last_at - run.first_at >= quiet
