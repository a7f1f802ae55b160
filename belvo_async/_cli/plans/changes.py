"""`belvo-async changes`: what changed of the records of plans since it was told last."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from ..._session.changes.watched import watch
from ...abc import Clock, Vendor
from ...planning import Plan
from ..codes import Code, worst
from ..config import config_at
from ..masks import masked
from ..table import Table, print_table
from ..words import counted, minute
from .accounts import Environ
from .errands import errands_of, store_of
from .ready import Ready, opened

if TYPE_CHECKING:
    from ...changes import Change

HEADINGS: Final = ("plan", "kind", "subject", "record", "seen", "fields")
# So many are printed, and then acknowledged.
TOGETHER: Final = 500


async def changes(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print what changed, and acknowledge it once it is printed; the exit code says whether all could be read."""
    config = config_at(options.config)
    errands = errands_of(options, config, clock.now())
    async with opened(errands, store_of(options, config), environ, clock, settle=_watched) as ready:
        # Of one file there is one reading at a time.
        return worst([await _tell(each, options) for each in ready])


def _watched(plan: Plan, vendors: Mapping[str, Vendor], now: datetime) -> Plan:
    return watch(plan, vendors, now).plan


async def _tell(ready: Ready, options: argparse.Namespace) -> Code:
    found = ready.session.changes(ready.plan, since=options.since, baseline=options.baseline)
    batch: list[Change] = []
    count = 0
    async for change in found:
        batch.append(change)
        if len(batch) == TOGETHER:
            _print(ready, batch, options.format)
            await found.ack()
            count += len(batch)
            batch.clear()
    _print(ready, batch, options.format)
    await found.ack()
    name = ready.errand.name
    if options.format == "table" and not count + len(batch):
        print(f"{name}: {'learned; told from now on' if options.baseline else 'nothing changed'}")
    if found.unread:
        print(f"{name}: {counted(len(found.unread), 'subject')} could not be read: told next time", file=sys.stderr)
        return Code.PARTIAL
    return Code.WHOLE


def _print(ready: Ready, batch: Sequence[Change], form: str) -> None:
    if form == "json":
        for each in batch:
            print(msgspec.json.encode({"plan": ready.errand.name, **_facts(each)}).decode())
    elif batch:
        print_table(Table(headings=HEADINGS, rows=[_row(ready.errand.name, each) for each in batch]))
    # What is acknowledged has left this process.
    sys.stdout.flush()


def _facts(change: Change) -> dict[str, object]:
    return {
        "kind": str(change.kind),
        "vendor": change.vendor,
        "resource": change.resource,
        "subject": masked(change.subject),
        "record": masked(change.record_id),
        "fields": change.fields,
        "seen": change.at,
    }


def _row(name: str, change: Change) -> tuple[str, ...]:
    subject, record = masked(change.subject), masked(change.record_id)
    return name, str(change.kind), subject, record, minute(change.at), ", ".join(change.fields)
