"""What a job remembers, once a clock was wrong: instants that lie ahead, and time in which nobody polled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from .model import Job
from .polling import later

# Machines that keep time are seconds apart at most. What was written by a clock further ahead than this is not believed
# by others, nor by its own machine once that clock was set right.
CLOCKS_DIFFER: Final = timedelta(seconds=10)


# A poll that is this late was not late by load: nobody was there to make it, or the clock was set.
DOWN_AFTER: Final = timedelta(minutes=1)
# How much of such a time counts all the same. Nobody can say how much of it really passed; so little is no harm where
# workers whose clocks disagree take turns, and evidence still comes together.
COUNTED: Final = timedelta(seconds=30)


def is_at_present(job: Job, now: datetime) -> bool:
    """Whether a job is in line with the present clock, whatever looks are usual: told at once of nearly all."""
    planned_at = job.schedule.planned_at
    return planned_at is None or -CLOCKS_DIFFER <= now - planned_at <= DOWN_AFTER or not job.is_open


def are_at_present(jobs: Sequence[Job], now: datetime) -> bool:
    """Whether all of these jobs are in line with the present clock."""
    planned = [job.schedule.planned_at for job in jobs if job.schedule.planned_at is not None]
    return not planned or (now - min(planned) <= DOWN_AFTER and max(planned) - now <= CLOCKS_DIFFER)


def at_present(job: Job, now: datetime, usual: timedelta) -> Job:
    """Bring an open job into line with the present clock, before it is weighed or written. The same job when it is.

    Written by a clock that was ahead, it keeps its distances: what lies in the future, like its deadline, comes back by
    as much as that clock was ahead. Written much longer ago than looks are `usual` (the machine slept, nobody ran, or
    the clock went forward), next to nothing of that counts as evidence: what must be found for a while must be polled
    for so long.
    """
    if job.schedule.planned_at is None or is_at_present(job, now):
        return job
    ahead = job.schedule.planned_at - now
    if ahead > CLOCKS_DIFFER:
        return _bring_back(job, now, ahead)
    return _discount(job, now, -ahead - COUNTED) if -ahead > usual + DOWN_AFTER else job


def _bring_back(job: Job, now: datetime, by: timedelta) -> Job:
    def back(at: datetime | None) -> datetime | None:
        return at if at is None or at <= now else later(at, -by)

    quiet, created_at = job.evidence.quiet, back(job.created_at) or job.created_at
    if quiet is not None:
        quiet = replace(quiet, first_at=back(quiet.first_at), last_at=back(quiet.last_at))
    return (
        replace(
            job,
            created_at=created_at,
            deadline=job.deadline if created_at == job.created_at else back(job.deadline),
        )
        .submitted(attempted_at=back(job.submission.attempted_at), absent_since=back(job.submission.absent_since))
        .scheduled(
            next_poll=None if job.schedule.next_poll is None else later(job.schedule.next_poll, -by), planned_at=now
        )
        .weighed(
            overtaken_at=back(job.evidence.overtaken_at),
            gone_since=back(job.evidence.gone_since),
            quiet=quiet,
            reports=tuple(replace(report, at=back(report.at)) for report in job.evidence.reports),
        )
    )


def _discount(job: Job, now: datetime, surplus: timedelta) -> Job:
    def on(at: datetime | None) -> datetime | None:
        return at if at is None else later(at, surplus)

    quiet = job.evidence.quiet
    if quiet is not None:
        quiet = replace(quiet, first_at=on(quiet.first_at), last_at=on(quiet.last_at))
    return (
        job.submitted(absent_since=on(job.submission.absent_since))
        .scheduled(planned_at=now)
        .weighed(
            gone_since=on(job.evidence.gone_since),
            quiet=quiet,
            reports=tuple(replace(report, at=on(report.at)) for report in job.evidence.reports),
        )
    )
