"""`belvo-async jobs explain`: one job, how it fares, what to do, and its timeline."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from ...abc import Clock, Store
from ...jobs import Job, Observation, told
from ...planning.outlook import Outlook
from ..config import config_at
from ..existing import existing_store
from ..plans.accounts import Environ
from ..table import Table, print_table
from ..words import span, stamp
from .deliveries import deliveries_of
from .facts import facts_of
from .faring import faring_of, next_step
from .find import find_job

EVENT_NAMES: Final = ("at", "by", "status", "said")


async def explain(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print one job, how it fares against the others of its store, what to do, and its timeline.

    Its vendor is asked what it recorded of its deliveries only when that is said.
    """
    config = config_at(options.config)
    job, timeline, seen_so = await _job(existing_store(options.store, config), options.id)
    faring: dict[str, Any] = {"fares": str(seen_so.fare), "why": seen_so.why, "do": next_step(job, seen_so)}
    if options.online:
        faring["deliveries"] = await deliveries_of(job, config, environ, clock)
    _show(job, timeline, faring, form=options.format)
    return 0


def _show(job: Job, timeline: Sequence[Observation], faring: Mapping[str, Any], *, form: str) -> None:
    if form == "json":
        said = [dict(zip(EVENT_NAMES, (stamp(seen.at), *_event(seen)[1:]), strict=True)) for seen in timeline]
        print(msgspec.json.encode(facts_of(job, datetime.now(UTC)) | {**faring, "timeline": said}).decode())
        return
    for name, value in _told(facts_of(job, datetime.now(UTC)) | {**faring}):
        print(f"{name:10} {value}")
    print()
    print_table(Table(headings=("when", "by", "status", "said"), rows=[_event(seen) for seen in timeline]))


async def _job(store: Store, job_id: str) -> tuple[Job, tuple[Observation, ...], Outlook]:
    async with store:
        job = await find_job(store, job_id)
        return job, await store.timeline(job.id), await faring_of(store, job, datetime.now(UTC))


def _told(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts as words for a reader: those that are there, instants with a blank."""
    for name, value in facts.items():
        if isinstance(value, dict):
            text = msgspec.json.encode(value).decode()
            yield from [(name, text)] if text != "{}" else ()
        elif isinstance(value, bool):
            yield name, "yes" if value else "no"
        elif name == "age_seconds":
            yield "age", span(timedelta(seconds=value))
        elif value is not None:
            yield name, value.replace("T", " ") if name in _INSTANTS else str(value)


_INSTANTS: Final = frozenset({"retry_at", "created", "settled", "deadline", "next_poll"})


def _event(seen: Observation) -> tuple[str, ...]:
    return (f"{seen.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], str(seen.way), str(seen.status or ""), told(seen))
