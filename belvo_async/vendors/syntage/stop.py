"""Stopping: one request, which ends an extraction or asks it to end."""

from __future__ import annotations

from datetime import datetime

from ...abc import Conversation, Request
from ...errors import PayloadError, UnsupportedError
from ...jobs import Gone, Job, Observation, Seen, Status, Way
from .errors import expect_success, is_unknown
from .pages import HEADERS
from .poll import path_of, poll_one
from .snapshots import read_document, read_snapshot


def stop(job: Job, now: datetime) -> Conversation[Observation | None]:
    """`DELETE /extractions/{id}/stop`. A 409 means it is over already: the observation says how."""
    if job.remote_id is None:
        raise UnsupportedError("Syntage stops extractions by id, and this job has none yet")
    path = path_of(job, "/extractions")
    answer = yield Request(
        method="DELETE", target=f"{path}/stop", name="DELETE /extractions/{id}/stop", headers=HEADERS
    )
    if answer.status == 409:
        return (yield from poll_one(job, Way.ANSWER, now))
    if is_unknown(answer):
        return Gone(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id)
    if expect_success(answer).body.strip() and read_snapshot(read_document(answer.body)) is None:
        raise PayloadError("another answer than an extraction's", path="$.id")
    return Seen(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, status=Status.STOPPING)
