"""Jobs, what a store holds of them, and the page of that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from belvo_async import belvo, syntage
from belvo_async._page import Held, Morning, Preferences, Scope, make_morning, scope_of
from belvo_async.jobs import Failure, Job, Status, Way
from belvo_async.planning import Plan, cover
from tests.jobs.flat import flat

# Half past seven in Mexico City.
NOW = datetime(2026, 6, 10, 13, 30, tzinfo=UTC)
LINK = "c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1"
OTHER = "d92b2efb-7ee7-4917-b0ac-4af5bae0f9f2"
RFC = "PEIC211118IS0"
REFUSED = Failure(code="login_error", message="the institution did not accept the link's credentials")


def invoices(
    link: str = LINK,
    year: int = 2025,
    side: str = "OUTFLOW",
    *,
    first: date | None = None,
    last: date | None = None,
) -> belvo.Invoices:
    """A year's, unless days are named."""
    days = {"date_from": first or date(year, 1, 1), "date_to": last or date(year, 12, 31)}
    return belvo.Invoices(link=link, type=side, **days)  # type: ignore[arg-type]


def extraction(subject: str, extractor: str = "tax_status") -> syntage.Extraction:
    return syntage.Extraction(entity=subject, extractor=extractor)


def a_job(job_id: str = "job-1", **facts: Any) -> Job:
    """A job that finished whole by a webhook two hours ago, or whatever `facts` say."""
    usual: dict[str, Any] = {
        "vendor": "belvo",
        "account": "https://x#a",
        "task": invoices(),
        "created_at": NOW - timedelta(hours=2, minutes=10),
        "attempted_at": NOW - timedelta(hours=2, minutes=10),
        "status": Status.FINISHED,
        "settled_at": NOW - timedelta(hours=2),
        "settled_by": Way.WEBHOOK,
    }
    return flat(id=job_id, **usual | facts)


def open_job(job_id: str = "open", **facts: Any) -> Job:
    return a_job(job_id, **{"status": Status.RUNNING, "settled_at": None, "settled_by": None} | facts)


def failed_job(job_id: str = "failed", **facts: Any) -> Job:
    return a_job(job_id, **{"status": Status.FAILED, "failure": REFUSED} | facts)


def held(*jobs: Job, **more: Any) -> Held:
    return Held(jobs={job.id: job for job in jobs}, **more)


def morning(*jobs: Job, scopes: Sequence[Scope] | None = None, now: datetime = NOW, **more: Any) -> Morning:
    """The page of some jobs; `more` are preferences."""
    return make_morning(held(*jobs), scopes, Preferences(**more), now)


def planned(*jobs: Job, subjects: Sequence[str] = (LINK,), years: int = 1, name: str = "nightly") -> Scope:
    """A plan of issued and received invoices of some links, up to 2025."""
    plan = Plan(
        vendor="belvo",
        resource="INVOICES",
        subjects=subjects,
        first=date(2026 - years, 1, 1),
        last=date(2025, 12, 31),
        directions=("issued", "received"),
    )
    return scope_of(cover(plan, jobs), name)


class Reading(HTMLParser):
    """Reads HTML as a browser would have to: every element that begins ends, in its turn."""

    VOID = frozenset({"meta", "br", "col"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """What is to be read, with single blanks."""
        return re.sub(r"\s+", " ", " ".join(self.texts))
