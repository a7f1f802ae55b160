"""Handing the rows of jobs to a sink: those of each whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ...abc import OpenPart, PartKey, Receipt, Shape, Sink
from ...jobs import Extent, Job
from ...planning import Settled
from ...planning.calendar import day_of
from ..core import Core
from ..reading.results import Remarks, Results
from .axis import Axis, asked_by
from .documents import Documents
from .handed import Handed, HeldSpan

# Parts that are open at a time: each is a file and a batch of rows.
TOGETHER_LIMIT = 24


@dataclass(frozen=True, slots=True)
class DuePart:
    """A job whose rows of some days are to be in the sink."""

    job: Job
    spans: tuple[HeldSpan, ...]

    @property
    def extent(self) -> Extent:
        """What the job asked for."""
        return cast("Extent", self.job.task.extent)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was handed over, and how many values of it could not be read."""

    handed: tuple[Handed, ...]
    misfits: int


def in_groups(parts: Sequence[DuePart]) -> Iterator[tuple[DuePart, ...]]:
    """Parts of one subject that one list holds: days that follow each other, whatever their direction."""
    group: list[DuePart] = []
    last = 0
    for part in sorted(parts, key=lambda each: min((first for _, first, _ in each.spans), default=0)):
        if not part.spans:
            yield (part,)
            continue
        if group and (min(first for _, first, _ in part.spans) > last + 1 or len(group) == TOGETHER_LIMIT):
            yield tuple(group)
            group = []
        last = max(last if group else 0, *(ends for _, _, ends in part.spans))
        group.append(part)
    if group:
        yield tuple(group)


async def collect(
    core: Core,
    sink: Sink,
    settled: Settled,
    parts: Sequence[DuePart],
    others: Sequence[HeldSpan],
    files: Documents | None,
    begin: Callable[[], Awaitable[None]],
) -> Collected:
    """Read the rows of jobs that belong to their days, and write them as their parts.

    Those of several jobs by one list. None of a job whose rows another one brings by now: its part stays, empty.
    `others` is what other parts hold. With `files`, their documents are saved beside them. `begin` is called before the
    first is committed. Raises what reading raises, and SinkError; then the parts that were not committed are as they
    were.
    """
    began = core.clock.now()
    asked = asked_by((each.extent.first, each.extent.last) for each in parts)
    axis = Axis(settled, [each.spans for each in parts], asked, others)
    rules, unsaved = settled.rules, [0] * len(parts)
    shape = core.vendors[settled.plan.vendor].results(parts[0].job).shape
    keys = [_key(settled, each, shape.record) for each in parts]
    results = _read(core, settled, parts)
    remarks = _remarks(core, parts, shape)
    async with AsyncExitStack() as stack:
        writers: list[OpenPart] = [await stack.enter_async_context(sink.part(key)) for key in keys]
        if any(each.spans for each in parts):
            async with aclosing(results.batches()) as batches:
                async for batch in batches:
                    for place, rows in _sorted(axis, rules.place, batch).items():
                        if place in remarks:
                            await remarks[place].take(rows)
                        await writers[place].write(rows)
                        unsaved[place] += 0 if files is None else await files.save(rows, keys[place])
                    del batch
        await begin()
        receipts = await _commit(writers, core.clock.now())
    forms = () if files is None else files.forms
    handed = tuple(
        Handed(
            receipt=receipt,
            held=part.spans,
            files=forms,
            unsaved=unsaved[place],
            strays=axis.strays(place),
            given=axis.given,
            read_at=began,
        )
        for place, (receipt, part) in enumerate(zip(receipts, parts, strict=True))
    )
    return Collected(handed, results.misfits.count)


async def _commit(writers: Sequence[OpenPart], now: datetime) -> list[Receipt]:
    """Commit all, at once: what a disk or a database does together costs it less. Raises the first error."""
    ends = await asyncio.gather(*(each.commit(now=now) for each in writers), return_exceptions=True)
    receipts: list[Receipt] = []
    for each in ends:
        if isinstance(each, BaseException):
            raise each
        receipts.append(each)
    return receipts


def _sorted(axis: Axis, place: Any, batch: Sequence[Any]) -> dict[int, list[Any]]:
    """Rows by the part they belong to."""
    found: dict[int, list[Any]] = {}
    for row in batch:
        owner = axis.owner(place(row))
        if owner is not None:
            found.setdefault(owner, []).append(row)
    return found


def _key(settled: Settled, part: DuePart, record: type[object]) -> PartKey:
    extent = part.extent
    return PartKey(
        vendor=settled.plan.vendor,
        resource=settled.plan.resource,
        subject=part.job.task.subject,
        job=part.job.id,
        record=record,
        first=extent.first,
        last=extent.last,
        directions=extent.directions,
    )


def _remarks(core: Core, parts: Sequence[DuePart], shape: Shape[object]) -> Mapping[int, Remarks]:
    """By the place of a part, what passes on what its rows say of its job."""
    # The results of one job pass it on themselves.
    if len(parts) == 1:
        return {}
    found = ((place, core.remarks(each.job, shape)) for place, each in enumerate(parts))
    return {place: remarks for place, remarks in found if remarks is not None}


def _read(core: Core, settled: Settled, parts: Sequence[DuePart]) -> Results[Any]:
    """The rows of one job as its own results; of several, by a list over all their days."""
    list_of = settled.rules.list_of
    if len(parts) == 1 or list_of is None:
        return core.results(parts[0].job, None, record=None, resume=None, strict=False)
    spans = [span for each in parts for span in each.spans]
    directions = tuple(each for each in settled.rules.directions if any(each == span[0] for span in spans))
    first, last = day_of(min(span[1] for span in spans)), day_of(max(span[2] for span in spans))
    vendor = core.vendors[parts[0].job.vendor]
    query = list_of(parts[0].job.task.subject, Extent(directions=directions, first=first, last=last))
    return core.read(vendor.list(query), vendor, record=None, resume=None, strict=False)
