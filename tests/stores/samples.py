"""Jobs and observations for the stores' tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from belvo_async.jobs import Extent, Job, Reported, Seen, Status, Task, Way
from tests.jobs.flat import flat

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ACCOUNT = "https://sandbox.example#1"
OTHER = "https://sandbox.example#2"


class Fetch(Task[object], frozen=True, kw_only=True, tag="test.Fetch"):
    link: str = "link-1"

    @property
    def subject(self) -> str:
        return self.link

    @property
    def resource(self) -> str:
        return "INVOICES"


class Covering(Fetch, frozen=True, kw_only=True, tag="test.Covering"):
    """A task that covers days."""

    @property
    def extent(self) -> Extent:
        return Extent(first=date(2024, 1, 1), last=date(2024, 12, 31))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_job(job_id: str = "job-1", **facts: Any) -> Job:
    usual: dict[str, Any] = {"vendor": "test", "account": ACCOUNT, "task": Fetch(), "created_at": NOON}
    return flat(id=job_id, **(usual | facts))


def a_due_job(job_id: str, seconds: float, **facts: Any) -> Job:
    return a_job(job_id, status=Status.PENDING, next_poll=after(seconds), **facts)


def proving(job_id: str = "job-1", **facts: Any) -> Job:
    """A job that ended and covers days."""
    usual: dict[str, Any] = {"task": Covering(), "status": Status.FINISHED, "settled_at": after(5), "key": "k"}
    return a_job(job_id, **(usual | facts))


def changed(job: Job, **facts: Any) -> Job:
    return flat(job, **{"version": job.version + 1, **facts})


def word(**facts: Any) -> Seen:
    usual: dict[str, Any] = {"way": Way.WEBHOOK, "at": NOON, "status": Status.FINISHED}
    return Seen(**(usual | facts))


def report(**facts: Any) -> Reported:
    usual: dict[str, Any] = {"way": Way.WEBHOOK, "at": NOON, "resources": ("A",)}
    return Reported(**(usual | facts))
