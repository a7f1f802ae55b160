"""Submitting: the request that starts a job, and what each answer to it means.

A second POST is a second, billed request: Belvo has no idempotency key for them. So only answers that certainly mean
"not accepted" lead to another attempt; whatever may have been accepted is uncertain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

import msgspec

from ...abc import Answer, Budget, Conversation, Request, Retry
from ...errors import PayloadError, UnsupportedError
from ...jobs import Failure, Job, Later, Observation, Seen, Status, Task, Way
from ...payload import encode_body
from ...proxies import BLOCKED_ATTEMPTS, turned_away
from ...rate_limits import retry_after
from ...tolerant import read
from .errors import LONGEST_WAIT, advice_for, decisive, failure, is_throttle, read_bodies, refresh_wait
from .lists import INVOICES, LINKS, STATEMENTS, quota_reset
from .schema.bodies import Accepted
from .schema.invoices import XML_LIMIT, Warnings
from .schema.tasks import DeleteLink, FinancialStatements, Invoices, Refresh

# A misread mode header makes the call synchronous; Belvo then takes up to five minutes (page of request_timeout).
SUBMIT_TIMEOUT: Final = timedelta(seconds=330)

# Six unsuccessful POSTs make a link invalid (page of invalid_link): stop well before.
ATTEMPTS: Final = 3
# "3, 6, 12, 24, 48 s" (belvo-api-errors).
FIRST_WAIT: Final = timedelta(seconds=3)
THROTTLE_WAIT: Final = timedelta(seconds=30)
# No task of the account passes.
KEY_CODES: Final = frozenset({"authentication_failed", "access_to_production_denied"})

# Without a body, a content type would be one too many for a firewall that compares requests with their description.
_ACCEPT: Final = ("Accept", "application/json")
_CONTENT: Final = ("Content-Type", "application/json")
_MODE: Final = ("X-Belvo-Request-Mode", "async")


class _AnsweredRow(msgspec.Struct):
    warnings: Warnings | None = None


def start(job: Job, now: datetime, budget: Budget | None) -> Conversation[Observation]:
    """Send a job's POST once and read the answer; see `Vendor.start`."""
    answer = yield submission(job.task, budget)
    return read_submission(job, answer, now)


def submission(task: Task[object], budget: Budget | None) -> Request:
    """Build the request of a task; equal tasks give equal bytes. Raises UnsupportedError for others' tasks."""
    if isinstance(task, DeleteLink):
        return Request(
            method="DELETE",
            target=f"{LINKS.path}{task.link}/",
            name="DELETE /api/links/{id}/",
            headers=(_ACCEPT, _MODE),
            budget=budget,
            retry=Retry.SUBMIT,
            timeout=SUBMIT_TIMEOUT,
        )
    if isinstance(task, Refresh):
        body: dict[str, object] = {"fetch_resources": task.resources} if task.resources else {}
        name = "POST /api/links/{id}/refresh/"
        # A refresh is always asynchronous: it has no mode to ask for.
        return _post(f"{LINKS.path}{task.link}/refresh/", body, budget, headers=(_CONTENT, _ACCEPT), name=name)
    path, body = _body(task)
    return _post(path, body, budget, headers=(_CONTENT, _ACCEPT, _MODE), name=f"POST {path}")


def _post(
    target: str, body: dict[str, object], budget: Budget | None, *, headers: tuple[tuple[str, str], ...], name: str
) -> Request:
    return Request(
        method="POST",
        target=target,
        name=name,
        headers=headers,
        body=encode_body(body),
        budget=budget,
        retry=Retry.SUBMIT,
        timeout=SUBMIT_TIMEOUT,
    )


def _body(task: Task[object]) -> tuple[str, dict[str, object]]:
    # save_data stays true: without it Belvo keeps nothing, and there would be nothing to read after a 202.
    if isinstance(task, Invoices):
        return INVOICES.path, {
            "link": task.link,
            "date_from": task.date_from,
            "date_to": task.date_to,
            "type": task.type,
            "attach_xml": task.attach_xml,
            "save_data": True,
        }
    if isinstance(task, FinancialStatements):
        return STATEMENTS.path, {"link": task.link, "save_data": True}
    raise UnsupportedError(f"Belvo cannot start tasks of kind {task.kind}")


def read_submission(job: Job, answer: Answer, now: datetime) -> Observation:
    """Say what an answer to a submission means for its job."""
    say = partial(Seen, way=Way.ANSWER, at=now, job_id=job.id)
    if is_throttle(answer):
        return _throttled(job, answer, say, now)
    if answer.status < 300:
        return _read_success(job.task, answer, say, now)
    # A gateway's own page says nothing about what happened behind it, nor does an answer it made up in our format.
    if answer.status >= 400 and answer.status not in (502, 504):
        return _read_refusal(job, answer, say, now)
    return say(status=Status.UNCERTAIN, doubt=f"Belvo or a proxy answered {answer.status}")


def _read_success(task: Task[object], answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    if isinstance(task, DeleteLink) and answer.status == 204:
        return say(status=Status.FINISHED)
    try:
        accepted: Accepted | None = read(answer.body, Accepted, needs="request_id")
    except PayloadError:
        accepted = None
    if accepted is None or not accepted.request_id:
        return _read_synchronous(task, answer, say, now)
    return say(status=Status.PENDING, remote_id=accepted.request_id, vendor_status="accepted")


def _read_synchronous(task: Task[object], answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    if answer.status not in (200, 201) or isinstance(task, DeleteLink | Refresh):
        return say(status=Status.UNCERTAIN, doubt=f"Belvo answered {answer.status} without a readable request id")
    try:
        rows = _read_rows(answer)
    except PayloadError as error:
        return say(status=Status.UNCERTAIN, doubt=f"Belvo answered {answer.status} and cannot be read: {error.reason}")
    codes = {row.warnings.code for row in rows if row.warnings is not None}
    limited = XML_LIMIT in codes
    return say(
        status=Status.FINISHED,
        created_count=len(rows),
        partial=bool(codes - {None}),
        retry_at=quota_reset(now) if limited else None,
    )


def _read_rows(answer: Answer) -> list[_AnsweredRow]:
    """Read the rows of a synchronous answer. PayloadError for all but an array of objects, which would end the job."""
    rows = cast("list[_AnsweredRow | None]", read(answer.body, list[_AnsweredRow]))  # None where one cannot be read
    found = [row for row in rows if row is not None]
    if len(found) != len(rows) or answer.body.lstrip()[:1] != b"[":
        raise PayloadError("no array of objects")
    return found


def _throttled(job: Job, answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    """A 429 passes; an HTML 403 may be the firewall, which refuses for good what does not fit its schema."""
    if answer.status != 429 and job.submission.attempts >= BLOCKED_ATTEMPTS:
        return say(status=Status.REJECTED, failure=failure("rate_limited"))
    # Where nothing is said, as long again as it has waited since it was fired: soon at first.
    patience = min(max(now - job.created_at, FIRST_WAIT), THROTTLE_WAIT)
    wait = retry_after(answer.headers, now, longest=LONGEST_WAIT) or patience
    doubt = f"Belvo's proxy answered {answer.status}: too many requests"
    counts = answer.status != 429
    return Later(way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + wait, doubt=doubt, counts=counts)


def _read_refusal(job: Job, answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    bodies = read_bodies(answer)
    body = decisive(bodies)
    code = body.code if body else None
    if code is None or (answer.status >= 500 and not advice_for(code).resend):
        return _read_anonymous(job, answer, say, now)
    if advice_for(code).resend and job.submission.attempts < ATTEMPTS:
        doubt = f"{code}: {advice_for(code).message}"
        return Later(
            way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + _wait(code, job.submission.attempts), doubt=doubt
        )
    if code == "link_refreshed":
        return _refreshed_lately(answer, say, now)
    if code == "not_found" and isinstance(job.task, DeleteLink) and job.submission.attempts > 1:
        # An attempt before this one, though answered with an error, did what was asked.
        return say(status=Status.FINISHED)
    fields = [each.field for each in bodies if each.field]
    return say(status=Status.REJECTED, failure=failure(code, fields=fields, refused_key=_refused_key(code, answer)))


def _refused_key(code: str, answer: Answer) -> int | None:
    """The status of an answer that is about the secret keys themselves; other 403 are about what was asked for."""
    return answer.status if code in KEY_CODES and answer.status in (401, 403) else None


def _refreshed_lately(answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    wait = refresh_wait(answer)
    refusal = failure("link_refreshed")
    minutes = f"{refusal.message}; it may be refreshed again in {wait // timedelta(minutes=1)} min"
    return say(status=Status.REJECTED, failure=msgspec.structs.replace(refusal, message=minutes), retry_at=now + wait)


def _read_anonymous(job: Job, answer: Answer, say: partial[Seen], now: datetime) -> Observation:
    """A refusal without a code we may build on: a proxy's 4xx never reached Belvo; 408 and 5xx may have."""
    if answer.status >= 500 or answer.status == 408:
        return say(status=Status.UNCERTAIN, doubt=f"Belvo or a proxy answered {answer.status}")
    refusal = Failure(code=f"http_{answer.status}", message="the request was refused without a reason")
    return turned_away(job, answer, now, vendor="Belvo") or say(status=Status.REJECTED, failure=refusal)


def _wait(code: str, attempts: int) -> timedelta:
    return advice_for(code).wait or FIRST_WAIT * 2 ** (max(attempts, 1) - 1)
