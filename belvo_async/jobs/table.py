"""The status table, and `reconcile`, which alone decides what an observation means for a job.

Everything that changes a status lives in this file, and this file does not know which way the word came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypedDict

from msgspec.structs import replace

from .model import Evidence, Failure, Job, Quiet, Report, Status, Submission, Verdict, Way, normal_id
from .observations import Absent, GivenUp, Gone, Later, Observation, Reported, Seen

# Ranks of the words the vendor may use while a job is open; see TABLE for what a lower one means later.
_A, _R, _S, _C = Verdict.ADVANCED, Verdict.REPEATED, Verdict.STALE, Verdict.CONFLICTING

# The status table. Row: what the job is. Column, in this order: what was observed.
_COLUMNS: Final = (
    Status.SUBMITTING,
    Status.UNCERTAIN,
    Status.REJECTED,
    Status.PENDING,
    Status.RUNNING,
    Status.STOPPING,
    Status.FINISHED,
    Status.FAILED,
    Status.STOPPED,
)
# fmt: off
_ROWS: dict[Status, tuple[Verdict, ...]] = {
    #                  submit uncert reject pending running stopping finished failed stopped
    Status.SUBMITTING: (_R,   _A,    _A,    _A,     _A,     _A,      _A,      _A,    _A),
    Status.UNCERTAIN:  (_S,   _R,    _A,    _A,     _A,     _A,      _A,      _A,    _A),
    Status.REJECTED:   (_S,   _S,    _R,    _C,     _C,     _C,      _C,      _C,    _C),
    Status.PENDING:    (_S,   _S,    _C,    _R,     _A,     _A,      _A,      _A,    _A),
    Status.RUNNING:    (_S,   _S,    _C,    _S,     _R,     _A,      _A,      _A,    _A),
    Status.STOPPING:   (_S,   _S,    _C,    _S,     _S,     _R,      _A,      _A,    _A),
    Status.FINISHED:   (_S,   _S,    _C,    _S,     _S,     _S,      _R,      _C,    _C),
    Status.FAILED:     (_S,   _S,    _C,    _S,     _S,     _S,      _C,      _R,    _C),
    Status.STOPPED:    (_S,   _S,    _C,    _S,     _S,     _S,      _C,      _C,    _R),
}
# fmt: on
TABLE: Mapping[tuple[Status, Status], Verdict] = {
    (row, column): verdict
    for row, verdicts in _ROWS.items()
    for column, verdict in zip(_COLUMNS, verdicts, strict=True)
}

# A vendor that answers 404 this often, over at least this long, has lost the job. Shorter runs are replica lag
# right after creation or an outage of its read side.
GONE_POLLS: Final = 5
GONE_SPAN: Final = timedelta(minutes=30)


def reconcile(job: Job, seen: Observation) -> tuple[Job, Verdict]:
    """Say what an observation makes of a job. The same job object comes back when nothing changed."""
    if _names_another(job, seen):
        return replace(job, conflicts=job.conflicts + 1), Verdict.CONFLICTING
    match seen:
        case Seen():
            return _note_facts(job, seen) if seen.status is None else _weigh(job, seen, seen.status)
        case Later() | Absent() | Reported():
            made, verdict = _weigh(job, _as_word(seen), seen.status)
            return (_add_own(made, seen, verdict) if verdict in (_A, _R) else made), verdict
        case Gone():
            return _note_gone(job, seen)
        case GivenUp():
            return _note_given_up(job, seen)
        case _:
            return job, Verdict.STALE if job.status.is_terminal else Verdict.REPEATED


def _weigh(job: Job, seen: Seen, status: Status) -> tuple[Job, Verdict]:
    verdict = TABLE[job.status, status]
    if verdict is Verdict.REPEATED and _contradicts(job.failure, seen.failure):
        verdict = Verdict.CONFLICTING
    return _APPLY[verdict](job, seen, status), verdict


def _as_word(seen: Later | Absent | Reported) -> Seen:
    """What it says of the status, as a word of the vendor's."""
    return Seen(
        way=seen.way,
        at=seen.at,
        remote_id=seen.remote_id,
        status=seen.status,
        vendor_status=seen.vendor_status if isinstance(seen, Reported) else None,
        doubt=seen.doubt if isinstance(seen, Later) else None,
    )


def _add_own(job: Job, seen: Later | Absent | Reported, verdict: Verdict) -> Job:
    """Take over what only this kind of observation tells. When to submit again says nothing about the data."""
    if isinstance(seen, Absent):
        # Only who was uncertain before can have been searched for long enough.
        abandoned = job.abandoned or (seen.final and verdict is Verdict.REPEATED)
        searched = replace(job, abandoned=abandoned).submitted(absent_since=job.submission.absent_since or seen.at)
        return job if searched == job else searched
    if isinstance(seen, Reported):
        reports = _join_reports(job.evidence.reports, seen)
        return job if reports == job.evidence.reports else job.weighed(reports=reports)
    return job


def _names_another(job: Job, seen: Observation) -> bool:
    if job.remote_id == seen.remote_id or not (job.remote_id and seen.remote_id):
        return False
    return normal_id(job.remote_id) != normal_id(seen.remote_id)


def _contradicts(known: Failure | None, said: Failure | None) -> bool:
    return known is not None and said is not None and known.code != said.code


def _advance(job: Job, seen: Seen, status: Status) -> Job:
    ends = status.is_terminal
    # What somebody here gave up stays so until it ends; what was given up for want of a word has one now.
    stays_closed = job.abandoned and job.settled_by is Way.USER and not ends
    # Why it was not sent before is of no interest once it was.
    doubt = seen.doubt or (None if job.status is Status.SUBMITTING else job.submission.doubt)
    return replace(
        job,
        status=status,
        vendor_status=seen.vendor_status or job.vendor_status,
        remote_id=job.remote_id or seen.remote_id,
        failure=seen.failure if ends else None,
        abandoned=stays_closed,
        settled_by=seen.way if ends else job.settled_by if stays_closed else None,
        settled_at=seen.at if ends else job.settled_at if stays_closed else None,
        submission=_doubted(job.submission, doubt),
        schedule=replace(job.schedule, next_poll=None) if ends else job.schedule,
        evidence=_known(job.evidence, seen.quiet),
        **_facts(job, seen),
    )


def _repeat(job: Job, seen: Seen, status: Status) -> Job:
    again = replace(
        job,
        remote_id=job.remote_id or seen.remote_id,
        vendor_status=job.vendor_status if status.is_terminal else seen.vendor_status or job.vendor_status,
        failure=job.failure or (seen.failure if status.is_terminal else None),
        submission=_doubted(job.submission, seen.doubt if status is Status.SUBMITTING else job.submission.doubt),
        evidence=_known(job.evidence, seen.quiet),
        **_facts(job, seen),
    )
    return job if again == job else again


def _outlive(job: Job, seen: Seen, _status: Status | None) -> Job:
    """A late word still may tell that data is missing, which job it is, and that the vendor knows it."""
    late = replace(
        job,
        partial=job.partial or seen.partial,
        retry_at=_latest(job.retry_at, seen.retry_at),
        remote_id=job.remote_id or seen.remote_id,
        evidence=_known(job.evidence, None),
    )
    return job if late == job else late


def _set_aside(job: Job, _seen: Seen, _status: Status) -> Job:
    return replace(job, conflicts=job.conflicts + 1)


_APPLY: Final = {
    Verdict.ADVANCED: _advance,
    Verdict.REPEATED: _repeat,
    Verdict.STALE: _outlive,
    Verdict.CONFLICTING: _set_aside,
}


class _GrowingFacts(TypedDict):
    partial: bool
    retry_at: datetime | None
    created_count: int | None
    updated_count: int | None


def _facts(job: Job, seen: Seen) -> _GrowingFacts:
    """What only ever grows: it may come in any order, from any way."""
    return _GrowingFacts(
        partial=job.partial or seen.partial,
        retry_at=_latest(job.retry_at, seen.retry_at),
        created_count=_largest(job.created_count, seen.created_count),
        updated_count=_largest(job.updated_count, seen.updated_count),
    )


def _doubted(submission: Submission, doubt: str | None) -> Submission:
    return submission if doubt == submission.doubt else replace(submission, doubt=doubt)


def _known(evidence: Evidence, quiet: Quiet | None) -> Evidence:
    """The evidence once the vendor has shown that it knows the job; the same where that is no news."""
    run = _join_quiet(evidence.quiet, quiet)
    if run is evidence.quiet and not evidence.gone_count and evidence.gone_since is None:
        return evidence
    return replace(evidence, quiet=run, gone_count=0, gone_since=None)


def _note_facts(job: Job, seen: Seen) -> tuple[Job, Verdict]:
    if job.status.is_terminal:
        return _outlive(job, seen, None), Verdict.STALE
    if seen.is_unknown_word:
        return _repeat(job, seen, job.status), Verdict.REPEATED
    evidence = replace(job.evidence, quiet=_join_quiet(job.evidence.quiet, seen.quiet))
    noted = replace(job, remote_id=job.remote_id or seen.remote_id, evidence=evidence, **_facts(job, seen))
    return (job if noted == job else noted), Verdict.REPEATED


def _note_given_up(job: Job, seen: GivenUp) -> tuple[Job, Verdict]:
    if job.status.is_terminal:
        return job, Verdict.STALE
    noted = replace(job, abandoned=True).weighed(quiet=_join_quiet(job.evidence.quiet, seen.quiet))
    if not job.abandoned:
        noted = replace(noted, settled_by=seen.way, settled_at=seen.at, failure=seen.failure)
    return (job if noted == job else noted), Verdict.REPEATED


def _note_gone(job: Job, seen: Gone) -> tuple[Job, Verdict]:
    if job.status.is_terminal:
        return job, Verdict.STALE
    since = job.evidence.gone_since or seen.at
    counted = job.weighed(gone_count=job.evidence.gone_count + 1, gone_since=since)
    if counted.evidence.gone_count < GONE_POLLS or seen.at - since < GONE_SPAN:
        return counted, Verdict.REPEATED
    lost = Failure(code="gone", message="the vendor no longer knows this job", retryable=True)
    word = Seen(way=seen.way, at=seen.at, remote_id=seen.remote_id, failure=lost)
    return _advance(counted, word, Status.FAILED), Verdict.ADVANCED


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return one or other if one is None or other is None else max(one, other)


def _largest(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _join_quiet(run: Quiet | None, quiet: Quiet | None) -> Quiet | None:
    if run is None or quiet is None:
        return quiet or run
    if run.fingerprint != quiet.fingerprint or quiet.last_at <= run.last_at:
        return quiet if quiet.last_at > run.last_at else run
    return replace(quiet, first_at=run.first_at, count=run.count + quiet.count)


def _join_reports(known: tuple[Report, ...], seen: Reported) -> tuple[Report, ...]:
    times = {report.resource: report.at for report in known}
    for resource in seen.resources:
        times[resource] = max(times.get(resource, seen.at), seen.at)
    return tuple(Report(resource=resource, at=at) for resource, at in sorted(times.items()))


# A submission that certainly was not sent is tried again: each of these already stands for several tries within a
# minute. Somebody whose address is wrong or whose network is down should be told within minutes.
UNSENT_ATTEMPTS: Final = 3
UNSENT_PAUSE: Final = timedelta(seconds=30)


def undelivered(job: Job, *, maybe_sent: bool, reason: str, at: datetime) -> Observation:
    """Say what a submission that got no answer means.

    Possibly accepted is uncertain. Certainly not sent is to be tried again, and refused after UNSENT_ATTEMPTS.
    """
    if maybe_sent:
        return Seen(way=Way.ANSWER, at=at, job_id=job.id, status=Status.UNCERTAIN, doubt=reason)
    if job.submission.attempts < UNSENT_ATTEMPTS:
        again_at = at + UNSENT_PAUSE * job.submission.attempts
        return Later(way=Way.ANSWER, at=at, job_id=job.id, doubt=reason, retry_at=again_at)
    failure = Failure(code="unreachable", message=f"nothing was sent: {reason}", retryable=True)
    return Seen(way=Way.ANSWER, at=at, job_id=job.id, status=Status.REJECTED, failure=failure)


def mistrust(job: Job, at: datetime) -> Observation:
    """Say that a queued job may have been sent all the same: its store went back to an earlier state."""
    return undelivered(job, maybe_sent=True, reason="the store went back to an earlier state", at=at)


def withdrawal(job: Job, at: datetime) -> Observation:
    """Say that somebody here wants a queued job no more: it was never sent, and will not be."""
    failure = Failure(code="withdrawn", message="stopped before it was sent", retryable=True)
    return Seen(way=Way.USER, at=at, job_id=job.id, status=Status.REJECTED, failure=failure)


def abandonment(job: Job, at: datetime) -> Observation:
    """Say that somebody here follows a job no longer. One that was never sent is withdrawn."""
    if job.is_queued:
        return withdrawal(job, at)
    note = "given up here; nothing changes at the vendor"
    return GivenUp(way=Way.USER, at=at, job_id=job.id, note=note)


def choose_adopter(jobs: Iterable[Job], deliveries: Iterable[Observation]) -> tuple[Job, Observation] | None:
    """Match an uncertain submission with a delivery about a job nobody knows, only if the match is the only one.

    Both must name the same subject and resource, and the delivery must be younger than the attempt. A submission
    whose answer is still under way may have caused the delivery as well.
    """
    waiting = [job for job in jobs if job.is_nameless]
    strange = [seen for seen in deliveries if isinstance(seen, Seen) and seen.adoptable and seen.remote_id]
    fits = [(job, seen) for job in waiting for seen in strange if _may_be_about(job, seen)]
    ids = {normal_id(seen.remote_id or "") for _, seen in fits}
    if len({job.id for job, _ in fits}) != 1 or len(ids) != 1:
        return None
    return fits[0] if fits[0][0].status is Status.UNCERTAIN else None


def _may_be_about(job: Job, seen: Observation) -> bool:
    same = seen.subject is not None and normal_id(job.task.subject) == normal_id(seen.subject)
    return same and job.task.resource == seen.resource and seen.at >= (job.submission.attempted_at or job.created_at)
