"""Joining: which job a task is given instead of a new one, and what that job takes over."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from .document import task_key
from .model import Job, Status


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a task is fired: under which name for ever, with which tags, and since when an equal whole job will do.

    `job_id`: of the job that is made unless one is joined, for who wants to know which it was.
    """

    job_id: str | None = None
    once: str | None = None
    tags: dict[str, str] = {}
    fresh_since: datetime | None = None


NO_WISH: Final = Wish()


def shares_name(job: Job, other: Job) -> bool:
    """Whether both are the job of one name."""
    return not set(job.once).isdisjoint(other.once)


def is_of_task(kept: Job, job: Job) -> bool:
    """Whether a kept job is of the task of a new one, under whatever name of the account it is kept."""
    return kept.task == job.task or job.key == task_key(job.account, kept.task)


def is_joined(kept: Job, job: Job) -> bool:
    """Whether a new job, for which a kept one was given, still joins that one as it is now."""
    stands = kept.is_open and kept.superseded_by is None
    return stands or kept.status is Status.FINISHED or shares_name(kept, job)


def joined(kept: Job, job: Job) -> Job | None:
    """The kept job with the names of the new one, and the tags it lacks; None when it lacks nothing."""
    once = tuple(dict.fromkeys((*kept.once, *job.once)))
    tags = job.tags | kept.tags
    return None if (once, tags) == (kept.once, kept.tags) else replace(kept, once=once, tags=tags)
