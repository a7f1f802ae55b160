"""`belvo-async coverage`: what is known of each day that plans want."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from ...abc import Clock
from ...planning import Cell, Coverage, Known
from ..codes import Code, worst
from ..config import config_at
from ..masks import masked
from ..table import Table, print_table
from ..words import minute
from .accounts import Environ
from .errands import errands_of, store_of
from .ready import Ready, opened

HEADINGS: Final = ("plan", "subjects", "days", *(str(each) for each in Known), "whole")
GAPS: Final = ("plan", "subject", "direction", "first", "last", "known", "why", "job", "not before")
# A screen of them; --all shows every one.
SHOWN: Final = 20


async def coverage(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print what is known; the exit code says whether all is proven."""
    config = config_at(options.config)
    errands = errands_of(options, config, clock.now())
    async with opened(errands, store_of(options, config), environ, clock) as ready:
        found = [(each, await each.session.coverage(each.plan, freshness=each.errand.freshness)) for each in ready]
    if options.format == "json":
        for each, known in found:
            for cell in known.cells:
                print(msgspec.json.encode({"plan": each.errand.name, **_facts(cell)}).decode())
    else:
        _print(found, with_all=options.all)
    return worst(_code(known) for _, known in found)


def _code(known: Coverage) -> Code:
    if known.is_whole:
        return Code.WHOLE
    return (
        Code.DECIDE if any(cell.is_final and cell.known is not Known.PROVEN for cell in known.cells) else Code.PARTIAL
    )


def _facts(cell: Cell) -> dict[str, object]:
    facts: dict[str, object] = msgspec.to_builtins(cell)
    return facts | {"subject": masked(cell.subject), "days": cell.days}


def _print(found: Sequence[tuple[Ready, Coverage]], *, with_all: bool) -> None:
    rows = [_row(ready, known) for ready, known in found]
    print_table(Table(headings=HEADINGS, rows=rows, right=frozenset(HEADINGS[1:])))
    gaps = [gap for ready, known in found for gap in _gaps(ready.errand.name, known)]
    if not gaps:
        return
    print()
    print_table(Table(headings=GAPS, rows=gaps if with_all else gaps[:SHOWN]))
    if len(gaps) > SHOWN and not with_all:
        print(f"{len(gaps) - SHOWN} more: --all shows every one")


def _row(ready: Ready, known: Coverage) -> tuple[str, ...]:
    days = known.days()
    counts = (f"{days[each]:,}" for each in Known)
    whole = "yes" if known.is_whole else "no"
    return ready.errand.name, str(len(ready.plan.subjects)), f"{sum(days.values()):,}", *counts, whole


def _gaps(name: str, known: Coverage) -> Iterator[tuple[str, ...]]:
    for cell in known.cells:
        if cell.known is not Known.PROVEN:
            yield (
                name,
                masked(cell.subject),
                cell.direction,
                _day(cell.first),
                _day(cell.last),
                str(cell.known),
                f"{cell.code or ''}{', for a person' if cell.is_final else ''}",
                (cell.job or "")[:8],
                minute(cell.retry_at),
            )


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
