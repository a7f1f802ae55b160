"""The state of the demo as texts: what both screens show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..._session import JobHandle
from ...jobs import Job, Status
from ..table import Table
from .plan import PlannedJob
from .records import RecordFile

HEADINGS: Final = ("job", "vendor", "what", "state", "by", "time", "count", "sum")
RIGHT: Final = frozenset({"time", "count", "sum"})
# Enough of a job's id to find it in the file.
SHOWN_DIGITS: Final = 6


@dataclass(kw_only=True)
class Track:
    """One job on its way. `seconds` is set when it is over and its records are read."""

    planned: PlannedJob
    handle: JobHandle[Any] | None = None
    fired_at: float | None = None
    seconds: float | None = None
    record_file: RecordFile = field(default_factory=RecordFile)
    trouble: str | None = None

    @property
    def job(self) -> Job | None:
        return self.handle.job if self.handle else None

    @property
    def vendor(self) -> str:
        return self.planned.task.vendor

    @property
    def was_uncertain(self) -> bool:
        job = self.job
        # Before it was sent, the same field says why it was not.
        return job is not None and job.submission.doubt is not None and job.status is not Status.SUBMITTING

    def word(self) -> str:
        """The job's state in one word, nothing before it is fired."""
        if self.job is None:
            return "" if self.fired_at is None else "submitting"
        return self.job.state

    def passed(self) -> float:
        """Seconds since it was fired, until it was over."""
        if self.seconds is not None or self.fired_at is None:
            return self.seconds or 0.0
        return asyncio.get_running_loop().time() - self.fired_at

    def cells(self) -> tuple[str, ...]:
        """The texts of its row."""
        job, record_file = self.job, self.record_file
        # While its records are read, what came is counted: none yet is no count.
        is_read = self.seconds is not None and self.word() == Status.FINISHED
        counts = self.planned.held is not None and (record_file.totals or is_read)
        return (
            job.id[:SHOWN_DIGITS] if job else "",
            self.vendor,
            self.planned.label,
            self.word() + ("*" if self.was_uncertain and self.word() != Status.UNCERTAIN else ""),
            str(job.settled_by) if job and job.settled_by else "",
            "" if self.fired_at is None else _seconds(self.passed()),
            f"{len(record_file.totals):,}" if counts else "",
            f"{record_file.sum:,.2f}" if counts else "",
        )


def _seconds(seconds: float) -> str:
    # At most four characters, so that the table fits 80 columns.
    return f"{seconds:.1f}s" if seconds < 9.95 else f"{seconds:.0f}s"


def table_of(tracks: Sequence[Track], *, with_ids: bool = True) -> Table:
    """One row for each job; while they run, their ids are left out for the longer words."""
    first = 0 if with_ids else 1
    return Table(headings=HEADINGS[first:], rows=[track.cells()[first:] for track in tracks], right=RIGHT)


def in_order(tracks: Sequence[Track]) -> list[Track]:
    """By vendor, then by link or entity."""
    return sorted(tracks, key=lambda track: (track.vendor, track.planned.label))
