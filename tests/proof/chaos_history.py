"""What must hold of a chaos run: the workers' history, the store's last word and the vendors', side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from belvo_async.jobs import Job, normal_id
from tests.proof.chaos_plan import Event


class Run(NamedTuple):
    """One accepted submission, as its vendor remembers it. `ended_at` is None while it runs; seconds of one clock."""

    vendor: str
    remote_id: str
    subject: str
    first_day: str
    began_at: float
    ended_at: float | None
    word: str


class Report(NamedTuple):
    """Everything a run left. `told` are the ids at the vendor of which a webhook of the end was answered 2xx."""

    events: Sequence[Event]
    jobs: Sequence[Job]
    runs: Sequence[Run]
    told: Collection[str]
    refused: int


class Toll(msgspec.Struct):
    """What was found wrong, by kind, and how much was looked at."""

    jobs: int = 0
    outcomes: int = 0
    equal: int = 0
    uncertain: int = 0
    inferred: int = 0
    doubled: list[str] = []
    lost: list[str] = []
    disagreements: list[str] = []
    unfinished: list[str] = []

    @property
    def wrongs(self) -> list[str]:
        return [*self.doubled, *self.lost, *self.disagreements, *self.unfinished]


def subject_and_day(job: Job) -> tuple[str, str]:
    """What tells one slot's task from all others, in the words of `Run`."""
    body = msgspec.to_builtins(job.task)
    period = (body.get("options") or {}).get("period")
    return job.task.subject, period["from"] if period else body["date_from"]


def examine(report: Report) -> Toll:
    """Judge a run."""
    toll = Toll(jobs=len(report.jobs), outcomes=sum(event.kind == "outcome" for event in report.events))
    fired = Counter(event.slot for event in report.events if event.kind == "fired")
    toll.equal = sum(times > 1 for times in fired.values())
    toll.uncertain = sum(job.abandoned and not job.is_unconfirmed for job in report.jobs)
    toll.doubled = [*_doubled(report), *_crowded_lanes(report.runs)]
    if report.refused:
        toll.doubled.append(f"{report.refused} submissions were refused: an equal one, or one of the lane, was open")
    toll.lost = [*_lost(report), *_unheeded(report)]
    toll.disagreements = [*_disagreements(report), *_stale(report.events), *_untrue(report)]
    toll.inferred = sum(job.settled_by == "inference" for job in report.jobs)
    toll.unfinished = [
        f"{job.id} of {job.vendor} is {job.status} at the end "
        f"(attempts {job.submission.attempts}, polls {job.schedule.polls})"
        for job in report.jobs
        if job.is_open
    ]
    toll.unfinished += [
        f"{job.id} was given up without a reason"
        for job in report.jobs
        if job.abandoned and not (job.submission.doubt or job.failure)
    ]
    return toll


def word(job: Job) -> str:
    """What a waiter is told of a job that is over."""
    return str(job.status) if job.failure is None else f"{job.status}:{job.failure.code}"


def _doubled(report: Report) -> Iterator[str]:
    """No task was accepted more often than it has jobs, and no submission belongs to two jobs."""
    runs = Counter((run.subject, run.first_day) for run in report.runs)
    jobs = Counter(subject_and_day(job) for job in report.jobs if job.submission.attempted_at is not None)
    for task, accepted in runs.items():
        if accepted > jobs[task]:
            yield f"{task} was accepted {accepted} times for {jobs[task]} jobs"
    owners = Counter(normal_id(job.remote_id) for job in report.jobs if job.remote_id)
    yield from (f"{remote_id} is the submission of {count} jobs" for remote_id, count in owners.items() if count > 1)


def _crowded_lanes(runs: Iterable[Run]) -> Iterator[str]:
    """One open request per Belvo link at any time."""
    links: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.vendor == "belvo":
            links[run.subject].append(run)
    for mine in links.values():
        for one, other in pairwise(sorted(mine, key=lambda run: run.began_at)):
            if one.ended_at is None or one.ended_at > other.began_at:
                yield f"{one.remote_id} and {other.remote_id} were open on one link"


def _lost(report: Report) -> Iterator[str]:
    """Whatever a worker was given a handle on is in the store."""
    kept = {job.id for job in report.jobs}
    named = {event.job for event in report.events if event.job}
    yield from (f"{job_id} was fired and is gone" for job_id in sorted(named - kept))
    yield from (f"{event.job} was not found by {event.who}" for event in report.events if event.kind == "unknown")


def _unheeded(report: Report) -> Iterator[str]:
    """An end whose webhook was answered 2xx ended its job."""
    for job in report.jobs:
        if job.is_open and job.remote_id is not None and normal_id(job.remote_id) in report.told:
            yield f"{job.id}: the webhook of its end was accepted, and it is {job.status}"


def _disagreements(report: Report) -> Iterator[str]:
    """All who were told an outcome were told the same, and the store still says so."""
    final = {job.id: job for job in report.jobs}
    told: dict[str, set[str]] = defaultdict(set)
    for event in report.events:
        # A search that was given up may still find its job.
        if event.kind == "outcome" and not event.word.startswith("uncertain"):
            told[event.job].add(event.word)
    for job_id, words in told.items():
        job = final.get(job_id)
        if job is not None and words != {word(job)}:
            yield f"{job_id}: waiters were told {sorted(words)}, the store says {word(job)}"


def _stale(events: Sequence[Event]) -> Iterator[str]:
    """A write-once register: a read that began after somebody was told the outcome does not show the job open."""
    over: dict[str, float] = {}
    for event in events:
        if event.kind == "outcome" and not event.word.startswith("uncertain"):
            over[event.job] = min(event.at, over.get(event.job, event.at))
    for event in events:
        if event.kind == "attached" and event.word == "open" and event.since > over.get(event.job, event.since):
            yield f"{event.job}: {event.who} read it as open after its outcome was known"


def _untrue(report: Report) -> Iterator[str]:
    """A job ended as the vendor says, unless its end had to be inferred."""
    runs = {normal_id(run.remote_id): run for run in report.runs}
    for job in report.jobs:
        run = runs.get(normal_id(job.remote_id or ""))
        if run is None:
            if job.remote_id is not None:
                yield f"{job.id}: its vendor does not know {job.remote_id}"
            continue
        if (run.subject, run.first_day) != subject_and_day(job):
            yield f"{job.id} follows another task's submission"
        if job.status.is_terminal and job.settled_by != "inference" and job.status != run.word:
            yield f"{job.id} is {job.status}, at its vendor {run.word}"
