"""Samples and hand-driven conversations for the tests of the Belvo dialect."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from belvo_async.abc import Answer, Conversation, Headers, Page, Request
from belvo_async.jobs import Found, Job, Observation, Status, Task
from belvo_async.vendors.belvo import Belvo, Invoices
from tests.jobs.flat import flat

T = TypeVar("T")

SAMPLES = Path(__file__).parents[2] / "samples" / "belvo"
NOW = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
LINK = "e90317c3-ca03-50da-b04f-eb376f8ed34f"
REQUEST_ID = "9339acfbc7eb5d53a840eb929422c860"
AUTHORIZATION = "Bearer 0123456789abcdef"
BELVO = Belvo("key-id", "key-password", webhook_authorization=AUTHORIZATION)
TASK = Invoices(link=LINK, date_from=date(2025, 3, 1), date_to=date(2026, 2, 28), type="OUTFLOW")


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def changed(name: str, **keys: object) -> bytes:
    """A sample with keys replaced; those set to ... are left out."""
    whole = {**json.loads(sample(name)), **keys}
    return json.dumps({key: value for key, value in whole.items() if value is not ...}).encode()


def answer(status: int, body: bytes | object = b"", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status, Headers(named), body if isinstance(body, bytes) else json.dumps(body).encode())


def error(status: int, code: object, **keys: object) -> Answer:
    return answer(status, [{"code": code, "message": "SECRET NAME", "request_id": REQUEST_ID, **keys}])


def job_of(task: Task[object] = TASK, **facts: object) -> Job:
    usual: dict[str, object] = {
        "id": "job-1",
        "vendor": "belvo",
        "account": BELVO.account,
        "task": task,
        "created_at": NOW - timedelta(minutes=30),
        "attempted_at": NOW - timedelta(minutes=29),
        "attempts": 1,
        "status": Status.PENDING,
        "remote_id": REQUEST_ID,
    }
    return flat(**{**usual, **facts})


def converse(talk: Conversation[T], *answers: Answer) -> tuple[T, list[Request]]:
    """Drive a conversation with prepared answers; all of them must be wanted."""
    left = list(answers)
    asked: list[Request] = []
    try:
        asked.append(next(talk))
        while left:
            asked.append(talk.send(left.pop(0)))
    except StopIteration as end:
        assert [] == left
        return end.value, asked
    raise AssertionError(f"no answer left for {asked[-1].name} {asked[-1].target}")


def walked(steps: Generator[Request, Page, None], pages: Iterable[Page]) -> list[str]:
    """The targets a walk asks for when it is told these pages."""
    targets = [next(steps).target]
    for page in pages:
        try:
            targets.append(steps.send(page).target)
        except StopIteration:
            break
    return targets


def of_jobs(seen: Iterable[Observation]) -> tuple[Observation, ...]:
    """What a poll said of jobs: all but which links it could read."""
    return tuple(each for each in seen if not isinstance(each, Found))


def started(job: Job, given: Answer) -> Observation:
    return converse(BELVO.start(job, NOW), given)[0]


def delivered(body: bytes, belvo: Belvo = BELVO, *values: str) -> tuple[Observation, ...]:
    pairs = [("authorization", value) for value in values or (AUTHORIZATION,)]
    return belvo.read_webhook(Headers(pairs), body, NOW)
