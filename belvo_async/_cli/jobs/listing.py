"""`belvo-async jobs list` and `jobs stuck`: which jobs a store holds, of whom, for which days and since when."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from ..._session.known.history import every_kept_job
from ...abc import Store
from ...jobs import Job
from ..existing import existing_store
from ..lasting import run
from ..masks import masked
from ..table import Table, print_table
from ..words import minute
from .facts import direction_of, facts_of, period_of, subject_of

# Some were listed: for alerts.
STUCK: Final = 4
# A vendor's id is told from others by its beginning; `jobs explain` takes that.
SHORTEST_ID: Final = 8
_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}", re.IGNORECASE)


def list_jobs(url: str | None, *, form: str, with_ended: bool, tags: Collection[tuple[str, str]]) -> int:
    """Print the open jobs of a store, or all, and how many deliveries could not be read.

    As JSON, that number goes to stderr: each line on stdout is a job.
    """
    jobs, aside = run(_jobs(existing_store(url), tags, with_ended=with_ended))
    _print(jobs, form=form, now=datetime.now(UTC), none="no jobs" if with_ended else "no open jobs")
    if aside:
        text = "1 delivery could not be read and is" if aside == 1 else f"{aside} deliveries could not be read and are"
        print(f"{text} laid aside", file=sys.stderr if form == "json" else sys.stdout)
    return 0


def list_stuck(url: str | None, *, form: str, before: datetime, tags: Collection[tuple[str, str]]) -> int:
    """Print the open jobs of a store that were made before an instant; the exit code says whether there are any."""
    jobs, _ = run(_jobs(existing_store(url), tags, with_ended=False))
    stuck = [job for job in jobs if job.created_at < before]
    _print(stuck, form=form, now=datetime.now(UTC), none="no job is stuck")
    return STUCK if stuck else 0


async def _jobs(store: Store, tags: Collection[tuple[str, str]], *, with_ended: bool) -> tuple[list[Job], int]:
    async with store:
        found: AsyncIterator[Job] = every_kept_job(store) if with_ended else store.open_jobs()
        jobs = {job.id: job async for job in found if job.tags.items() >= set(tags)}
        aside = await store.count_aside()
    return sorted(jobs.values(), key=lambda job: (job.created_at, job.id)), aside


def _print(jobs: Sequence[Job], *, form: str, now: datetime, none: str) -> None:
    if form == "json":
        for job in jobs:
            print(msgspec.json.encode(facts_of(job, now)).decode())
    elif jobs:
        print_table(_table(jobs, now))
    else:
        print(none)


def _table(jobs: Sequence[Job], now: datetime) -> Table:
    """A line a job, as wide as it has to be: what no job has gets no column."""
    columns: dict[str, Sequence[str]] = {
        "job": _short([job.id for job in jobs]),
        "vendor": [job.vendor for job in jobs],
        "resource": [job.task.resource for job in jobs],
        "subject": _short([subject_of(job.task) for job in jobs]),
        "direction": _each(jobs, lambda job: direction_of(job.task)),
        "period": _each(jobs, lambda job: period_of(job.task)),
        "state": [job.state for job in jobs],
        "partial": _each(jobs, _partial),
        "age": [_age(now - job.created_at) for job in jobs],
        "next poll": _each(jobs, lambda job: minute(job.schedule.next_poll) if job.is_open else None),
        "ended": _each(jobs, lambda job: None if job.is_open else minute(job.settled_at)),
        "account": _accounts([job.account for job in jobs]),
        "tags": _each(jobs, _tags),
    }
    filled = {heading: texts for heading, texts in columns.items() if any(texts)}
    rows = list(zip(*filled.values(), strict=True))
    return Table(headings=tuple(filled), rows=rows, right=frozenset({"age"}))


def _each(jobs: Sequence[Job], text_of: Callable[[Job], str | None]) -> list[str]:
    return [text_of(job) or "" for job in jobs]


def _tags(job: Job) -> str:
    return masked(" ".join(f"{name}={value}" for name, value in job.tags.items()))


def _partial(job: Job) -> str | None:
    if not job.partial:
        return None
    return "yes" if job.retry_at is None else f"more {minute(job.retry_at)}"


def _short(texts: Sequence[str]) -> list[str]:
    """Ids by so much of their beginnings as tells them apart, without a collection; other texts as they are."""
    bare = {text: text.rpartition("/")[2] for text in texts}
    ids = {text for text in texts if _ID.fullmatch(bare[text])}
    length = SHORTEST_ID
    while len({bare[text][:length] for text in ids}) < len({bare[text] for text in ids}):
        length += 1
    return [bare[text][:length] if text in ids else text for text in texts]


def _accounts(accounts: Sequence[str]) -> list[str]:
    """Accounts by their names, without their origins where that tells them apart."""
    names = {account: account.rpartition("#")[2] for account in accounts}
    return [names[account] if len(set(names.values())) == len(names) else account for account in accounts]


def _age(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds())) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h" if days < 10 else f"{days}d"
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m"
