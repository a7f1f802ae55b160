"""What answers in a vendor's place: proxies, gateways, firewalls. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .abc import Answer
from .jobs import Failure, Job, Later, Observation, Seen, Status, Way
from .payload import PAGE, is_markup

# A proxy that has lost its way to the vendor is mended within the hour, as a rule: the waits for it double up to the
# longest. Of what it refused, the vendor saw nothing.
BLOCKED_ATTEMPTS: Final = 10
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(minutes=10)
# What such a proxy answers to any request. Others, like 413, are about the request itself, which stays as it is.
_ASTRAY: Final = frozenset({401, 403, 404, 405, 407, 409, 410, 421, 425})


def is_page(answer: Answer) -> bool:
    """Whether an answer is no JSON: a page of whoever stands before the vendor, or nothing at all."""
    return answer.body.lstrip()[:1] not in (b"[", b"{")


def name_stranger(answer: Answer) -> str:
    """Say what an answer seems to be that is not in the vendor's own form."""
    if 300 <= answer.status < 400:
        return "a redirect was not followed: it leads to a login, or the address is not quite the vendor's"
    said = PAGE if is_markup(answer.body) else "the answer is not in the vendor's own form"
    return f"{said}: it may be a proxy's"


def turned_away(job: Job, answer: Answer, now: datetime, *, vendor: str) -> Observation | None:
    """Say that a submission met a page of whoever stands before the vendor, which passed nothing on.

    It is tried again for about an hour. None for an answer that is no such page.
    """
    if not (is_page(answer) and answer.status in _ASTRAY):
        return None
    if job.submission.attempts >= BLOCKED_ATTEMPTS:
        text = f"a proxy before {vendor} kept refusing the request"
        blocked = Failure(code=f"http_{answer.status}", message=text, retryable=True)
        return Seen(way=Way.ANSWER, at=now, job_id=job.id, status=Status.REJECTED, failure=blocked)
    wait = min(_FIRST_WAIT * 2 ** (max(job.submission.attempts, 1) - 1), _LONGEST_WAIT)
    text = f"a proxy before {vendor} answered {answer.status} with a page of its own"
    return Later(way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + wait, doubt=text)
