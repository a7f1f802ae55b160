"""Finding: what can be looked up of a submission whose answer is unknown. No list of Belvo's names requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ...abc import Conversation
from ...errors import PayloadError
from ...jobs import Absent, Job, Observation, Seen, Status, Way, normal_id
from ...tolerant import read
from .errors import is_unknown, read_error
from .lists import get_link
from .schema.links import Link
from .schema.tasks import DeleteLink
from .settings import Pace

# No asynchronous request can be looked up at Belvo: this long we wait for a delivery to adopt.
ADOPTION_SPAN: Final = timedelta(minutes=15)


def find(job: Job, now: datetime, pace: Pace) -> Conversation[Observation]:
    """Find out whether a link that was to be deleted is gone. Of others nothing can be asked.

    An uncertain job is given up after 15 minutes: from its attempt, or from the first search where none is known.
    """
    if isinstance(job.task, DeleteLink) and (yield from find_link(job.task.link, pace)) is None:
        return Seen(way=Way.POLL, at=now, job_id=job.id, status=Status.FINISHED)
    since = job.submission.absent_since or job.submission.attempted_at or now
    return Absent(way=Way.POLL, at=now, job_id=job.id, final=now - since >= ADOPTION_SPAN)


def find_link(wanted: str, pace: Pace) -> Conversation[Link | None]:
    """Read a link; None when Belvo itself says that it knows none of that id."""
    answer = yield get_link(wanted, pace)
    if answer.status == 404 and is_unknown(answer):
        return None
    if answer.status != 200:
        raise read_error(answer)
    link = read(answer.body, Link, needs="")
    # A page that happens to be JSON is no link, and another one's status must not end these jobs.
    if link.id is None or normal_id(link.id) != normal_id(wanted):
        raise PayloadError("another object than the link that was asked for", path="$.id")
    return link
