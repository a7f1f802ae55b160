"""`belvo-async jobs`: what a store knows, without credentials."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ..abc import Store
from ..errors import ConfigurationError, UnknownJobError
from ..jobs import Job, Observation
from ..stores import open_store
from ..vendors import belvo, syntage  # so that stored tasks are read as the types they are
from .table import Table

__all__ = ["belvo", "explain_job", "list_jobs", "syntage"]


def list_jobs(url: str | None, *, form: str) -> int:
    """Print the open jobs of a store."""
    jobs = asyncio.run(_open_jobs(_existing(url)))
    if form == "json":
        for job in jobs:
            print(msgspec.json.encode(_facts(job)).decode())
    elif jobs:
        _print(Table(headings=("job", "vendor", "resource", "status", "created", "next look"), rows=[*map(_row, jobs)]))
    else:
        print("no open jobs")
    return 0


def explain_job(url: str | None, job_id: str) -> int:
    """Print one job and its timeline."""
    job, timeline = asyncio.run(_job(_existing(url), job_id))
    for name, value in _facts(job).items():
        if value is not None:
            print(f"{name:10} {value}")
    print()
    _print(Table(headings=("when", "by", "status", "said"), rows=[_event(seen) for seen in timeline]))
    return 0


def _existing(url: str | None) -> Store:
    """Open a store that is there: a mistyped path must not make a new one."""
    if not url:
        raise ConfigurationError("which store? give --store sqlite:PATH or set BELVO_ASYNC_STORE")
    store = open_store(url)
    path = url.removeprefix("sqlite:")
    if url != path and not Path(path).is_file():
        raise ConfigurationError(f"there is no store at {path}")
    return store


async def _open_jobs(store: Store) -> list[Job]:
    async with store:
        return [job async for job in store.open_jobs()]


async def _job(store: Store, job_id: str) -> tuple[Job, tuple[Observation, ...]]:
    async with store:
        job = await store.get(job_id)
        if job is None:
            raise UnknownJobError(f"the store holds no job {job_id!r}")
        return job, await store.timeline(job_id)


def _facts(job: Job) -> dict[str, Any]:
    """What may be shown: the subject stays out, it can be a taxpayer's id."""
    return {
        "job": job.id,
        "vendor": job.vendor,
        "kind": job.task.kind,
        "resource": job.task.resource,
        "status": str(job.status),
        "remote_id": job.remote_id,
        "settled_by": job.settled_by and str(job.settled_by),
        "failure": job.failure and job.failure.code,
        "doubt": job.doubt,
        "created": _instant(job.created_at),
        "settled": _instant(job.settled_at),
        "deadline": _instant(job.deadline),
        "next_look": _instant(job.next_poll),
    }


def _row(job: Job) -> tuple[str, ...]:
    status = "queued" if job.is_queued else str(job.status)
    return (
        job.id,
        job.vendor,
        job.task.resource,
        status,
        _instant(job.created_at) or "",
        _instant(job.next_poll) or "",
    )


def _event(seen: Observation) -> tuple[str, ...]:
    said = seen.failure.code if seen.failure else seen.doubt or seen.vendor_status or ""
    return (f"{seen.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], str(seen.way), str(seen.status or ""), said)


def _instant(when: datetime | None) -> str | None:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if when else None


def _print(table: Table) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in table.lines()))
