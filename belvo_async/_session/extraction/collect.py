"""Handing the rows of one job to a sink: whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from ...abc import PartKey, Sink
from ...jobs import Extent, Job
from ...planning import Settled
from ..core import Core
from .documents import Documents
from .handed import Axis, Handed, HeldSpan


@dataclass(frozen=True, slots=True)
class Collected:
    """What was handed over, and how many values of it could not be read."""

    handed: Handed
    misfits: int


async def collect(
    core: Core, sink: Sink, settled: Settled, job: Job, spans: Sequence[HeldSpan], files: Documents | None
) -> Collected:
    """Read the rows of a job that belong to these days, and write them as its part.

    None of them where another job brings them all by now: its part stays, empty. With `files`, their documents are
    saved beside it. Raises what reading raises, and SinkError; then the part is as it was.
    """
    plan, rules = settled
    extent = cast("Extent", job.task.extent)
    results = core.results(job, None, record=None, resume=None, strict=False)
    key = PartKey(
        vendor=plan.vendor,
        resource=plan.resource,
        subject=job.task.subject,
        job=job.id,
        record=core.vendors[job.vendor].results(job).shape.record,
        first=extent.first,
        last=extent.last,
        directions=extent.directions,
    )
    axis, unsaved = Axis(plan, spans), 0
    async with sink.part(key) as part:
        if spans:
            async with aclosing(results.batches()) as batches:
                async for batch in batches:
                    rows: list[Any] = [row for row in batch if axis.holds(rules.place(row))]
                    if rows:
                        await part.write(rows)
                        unsaved += 0 if files is None else await files.save(rows, key)
                    del batch, rows
        receipt = await part.commit(now=core.clock.now())
    forms = () if files is None else files.forms
    handed = Handed(receipt=receipt, held=tuple(spans), files=forms, unsaved=unsaved)
    return Collected(handed, results.misfits.count)
