"""`belvo-async mirror`: carries plans out into a database, reads lists beside them, and makes the views."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..._session import Session
from ...abc import Clock, Vendor
from ...discreet import discreet
from ...errors import BelvoAsyncError
from ...integrations.dlt import (
    ListEnd,
    ListProgress,
    ListTask,
    MirrorSink,
    check_names,
    list_names,
    list_tasks,
    mirror_lists,
    open_place,
)
from ...planning import Prices
from ..codes import Code, worst
from ..config import config_at, prices_at
from ..words import counted
from .accounts import Environ
from .display.screen import RunScreen
from .errands import errands_of, store_of
from .extract import carry_all, plan_carriage
from .ready import Ready, opened

# So many lists that were refused are named; the same command tells of all.
SHOWN: int = 5


# There may be a password in its destination.
@discreet
async def mirror(options: argparse.Namespace, environ: Environ, clock: Clock, screen: RunScreen) -> int:
    """Carry out what was asked for; the exit code. Raises what keeps it from beginning; the rest is told."""
    config = config_at(options.config)
    # Documents and merged files are of sinks that write files.
    errands = [replace(each, files=(), single=False) for each in errands_of(options, config, clock.now())]
    prices, store = prices_at(options.prices, config) or Prices(), store_of(options, config)
    vendors: dict[str, Vendor] = {}
    # Opened first: what is wrong with it is told before anything is asked.
    async with MirrorSink(open_place(options.destination), vendors) as sink:
        async with opened(errands, store, environ, clock) as ready:
            for each in ready:
                vendors.update(each.session.vendors)
            tasks = _tasks(ready, options.lists)
            jobs = [await plan_carriage(each, sink, options, prices, clock) for each in ready]
            codes = await carry_all(jobs, screen, clock)
            if Code.FAILED not in codes:
                codes += [await _read_lists(session, found, sink, screen, clock) for session, found in tasks]
                views = await sink.make_views()
                if views:
                    print(f"views: {', '.join(views)}")
        return worst(codes)


def _tasks(ready: Sequence[Ready], names: Sequence[str] | None) -> list[tuple[Session, list[ListTask]]]:
    """The lists of each session, of the subjects that its plans are about. Raises ConfigurationError."""
    sessions = list(dict.fromkeys(each.session for each in ready))
    if names is not None and not names:
        return []
    check_names({name: vendor for each in sessions for name, vendor in each.vendors.items()}, names or ())
    found: list[tuple[Session, list[ListTask]]] = []
    for session in sessions:
        plans = [each.plan for each in ready if each.session is session]
        subjects: dict[str, dict[str, None]] = {}
        for plan in plans:
            subjects.setdefault(plan.vendor, {}).update(dict.fromkeys(plan.subjects))
        # What another session's vendor has is none of this one's.
        own = None if names is None else list_names(session.vendors).intersection(names)
        brought = {(plan.vendor, plan.resource) for plan in plans}
        found.append((session, list(list_tasks(session.vendors, subjects, names=own, brought=brought))))
    return found


@dataclass
class _ListTally:
    """How the lists of an account went."""

    loaded: Counter[str] = field(default_factory=Counter[str])
    unchanged: int = 0
    misfits: int = 0
    refused: list[ListProgress] = field(default_factory=list[ListProgress])

    def take(self, progress: ListProgress) -> None:
        self.misfits += progress.misfits
        if progress.end is ListEnd.FAILED:
            self.refused.append(progress)
        elif progress.end is ListEnd.LOADED:
            self.loaded[progress.task.table] += progress.rows
        else:
            self.unchanged += 1


async def _read_lists(
    session: Session, tasks: Sequence[ListTask], sink: MirrorSink, screen: RunScreen, clock: Clock
) -> int:
    if not tasks:
        return Code.WHOLE
    screen.say(f"lists: {counted(len(tasks), 'list')} to read")
    tally = _ListTally()
    try:
        async for progress in mirror_lists(session, sink, tasks, clock=clock):
            tally.take(progress)
            if progress.error is not None:
                screen.say(f"lists: {progress.task.table} was not given: {progress.error}")
    except BelvoAsyncError as error:
        screen.say(f"lists: broke off: {error}; the same command goes on from here")
        return Code.FAILED
    for line in _said(tally):
        print(f"lists: {line}")
    return Code.PARTIAL if tally.refused else Code.WHOLE


def _said(tally: _ListTally) -> list[str]:
    lines = [f"{counted(rows, 'row')} in {table}" for table, rows in sorted(tally.loaded.items()) if rows]
    if tally.unchanged:
        lines.append(f"{counted(tally.unchanged, 'list')} as before")
    if tally.misfits:
        lines.append(f"{counted(tally.misfits, 'value')} did not fit: kept as they came, where that can be")
    if tally.refused:
        tables = Counter(each.task.table for each in tally.refused).most_common(SHOWN)
        which = ", ".join(f"{table} ({count})" for table, count in tables)
        lines.append(f"{counted(len(tally.refused), 'list')} not given: {which}; the same command asks again")
    return lines
