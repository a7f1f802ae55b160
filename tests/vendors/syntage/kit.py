"""What the Syntage tests share: samples, a dialect, jobs, answers, and a driver for conversations."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from belvo_async.abc import Answer, Headers, Page, Request
from belvo_async.jobs import Job
from belvo_async.vendors import syntage
from tests.jobs.flat import flat

T = TypeVar("T")

SAMPLES = Path(__file__).parents[2] / "samples" / "syntage"
ENTITY = "/entities/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"
REMOTE = "5d8e21b7-1c94-4f0a-8e63-90b1c7fa2d35"
RFC = "ZZT190415QA7"
NAME = "ZAPATERIA DE TAPALPA SA DE CV"
SECRET = "0123456789abcdef0123456789abcdef"
KEY = "key-of-the-test-account"
NOW = datetime(2025, 4, 2, 16, 20, tzinfo=UTC)
CREATED = datetime(2025, 4, 2, 16, 0, tzinfo=UTC)
MARCH = syntage.Period(date(2025, 3, 1), date(2025, 3, 31))


def sample(name: str) -> Any:
    return json.loads(raw(name))


def raw(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def vendor(**settings: Any) -> syntage.Syntage:
    return syntage.Syntage(KEY, **{"webhook_secrets": SECRET, **settings})


def invoice_task(**options: Any) -> syntage.Extraction:
    # What the samples' extraction was asked for.
    wanted: dict[str, Any] = {"period": MARCH, "types": ("I", "E", "P"), "pdf": False, **options}
    return syntage.Extraction(entity=ENTITY, extractor="invoice", options=syntage.InvoiceOptions(**wanted))


def job(task: syntage.Extraction | None = None, **facts: Any) -> Job:
    known: dict[str, Any] = {"id": "job-1", "vendor": "syntage", "account": "a", "created_at": CREATED, **facts}
    return flat(task=task or invoice_task(), **known)


def answer(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, Headers(headers or {}), content)


def converse(conversation: Generator[Request, Answer, T], *answers: Answer | Exception) -> tuple[T, list[Request]]:
    """Drive a conversation with the given answers, all of which must be used; an exception stands for none."""
    asked = [next(conversation)]
    try:
        for each in answers:
            is_fault = isinstance(each, Exception)
            asked.append(conversation.throw(each) if is_fault else conversation.send(each))
    except StopIteration as end:
        assert len(answers) == len(asked)
        return end.value, asked
    raise AssertionError(f"one more request than answers: {asked[-1].target}")


def serve(conversation: Generator[Request, Answer, T], server: Callable[[Request], Answer]) -> tuple[T, list[Request]]:
    """Drive a conversation with a function that answers each request."""
    asked = [next(conversation)]
    while True:
        try:
            asked.append(conversation.send(server(asked[-1])))
        except StopIteration as end:
            return end.value, asked


def walk(steps: Generator[Request, Page, None], *pages: Page) -> list[Request]:
    """Drive the steps of a walk with what the pages told; all pages must be used."""
    asked = [next(steps)]
    for index, page in enumerate(pages, 1):
        try:
            asked.append(steps.send(page))
        except StopIteration:
            assert len(pages) == index
            return asked
    raise AssertionError(f"one more request than pages: {asked[-1].target}")


def params(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.target).query))


def path(request: Request) -> str:
    return urlsplit(request.target).path


def row(**changes: Any) -> dict[str, Any]:
    """The sample's running extraction, changed."""
    return {**sample("extraction.running"), **changes}


def listing(*rows: Mapping[str, Any], following: str | None = None) -> Answer:
    view = {"hydra:next": following} if following else {}
    return answer(200, {"hydra:member": list(rows), "hydra:view": view})


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
