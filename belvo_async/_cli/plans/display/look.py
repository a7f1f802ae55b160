"""How a run stands, as texts: what both screens show. No clock, no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ...._session.extraction.progress import PlanEvent, PlanProgress, PlanTally
from ....planning import Estimate
from ...table import Table
from ...words import minute, money, span

# With fewer jobs that ended, the pace says less than the estimate.
PACE_LEAST: Final = 5
HEADINGS: Final = ("plan", "done", "open", "rows", "rate", "left", "money", "waiting for")
RIGHT: Final = frozenset({"done", "open", "rows", "rate", "left", "money"})


@dataclass(kw_only=True)
class Look:
    """One plan on its way, as the last that it said of itself tells."""

    name: str
    began: datetime
    estimate: Estimate
    tally: PlanTally = field(default_factory=PlanTally)
    until: datetime | None = None
    why: str = ""
    is_over: bool = False

    def take(self, progress: PlanProgress) -> None:
        """Take in what happened."""
        self.tally = progress.tally
        if progress.event in (PlanEvent.WAITING, PlanEvent.PAUSED):
            self.until, self.why = progress.until, progress.note or "the tax office's limits"
        elif progress.event in (PlanEvent.FIRED, PlanEvent.ENDED):
            self.until = None

    @property
    def done(self) -> int:
        """How many jobs ended in this run."""
        return self.tally.finished + self.tally.partial + self.tally.failed

    @property
    def to_come(self) -> int:
        """How many are open or still to be sent."""
        return self.tally.open + self.tally.left

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do, and is nothing: no line is needed."""
        return not (self.done or self.to_come or self.tally.parts)

    def eta(self, now: datetime) -> timedelta | None:
        """How long it takes yet: by its own pace, or by the estimate while that says more. None when over."""
        if self.is_over or not self.to_come:
            return None
        passed = now - self.began
        if self.done >= PACE_LEAST:
            left = passed / self.done * self.to_come
        else:
            left = max(self.estimate.p50 - passed, timedelta(minutes=1))
        return left if self.until is None else max(left, self.until - now)

    def waits_for(self, now: datetime) -> str:
        """What it waits for, and until when."""
        if self.until is not None and self.until > now:
            return f"{self.why}, until {minute(self.until)}"
        if self.is_over:
            return ""
        return "the vendor" if self.tally.open else ""

    def cells(self, now: datetime) -> tuple[str, ...]:
        """The texts of its row."""
        eta = self.eta(now)
        return (
            self.name,
            f"{self.done}/{self.done + self.to_come}",
            str(self.tally.open),
            f"{self.tally.rows:,}",
            self.rate(now),
            "" if eta is None else f"~{span(eta)}",
            money(self.tally.spent, self.estimate.currency),
            self.waits_for(now),
        )

    def rate(self, now: datetime) -> str:
        """How many jobs end in an hour or a minute; nothing once it is over: it would sink while other plans go on."""
        minutes = (now - self.began) / timedelta(minutes=1)
        if self.is_over or not self.done or minutes <= 0:
            return ""
        each = self.done / minutes
        return f"{each:.0f}/min" if each >= 2 else f"{each * 60:.0f}/h"

    def line(self, now: datetime) -> str:
        """The row as a line of a log."""
        _, done, opened, rows, rate, left, spent, waits = self.cells(now)
        facts = [f"{done} done", f"{opened} open", f"{rows} rows", rate, left and f"{left} left", spent]
        return ", ".join(each for each in (*facts, waits and f"waiting for {waits}") if each)


def table_of(looks: Sequence[Look], now: datetime) -> Table:
    """One row for each plan."""
    return Table(headings=HEADINGS, rows=[each.cells(now) for each in looks], right=RIGHT)


def news(progress: PlanProgress) -> str | None:
    """What a log says of one thing that happened; None for what its regular lines tell."""
    job, until = progress.job, minute(progress.until)
    match progress.event:
        case PlanEvent.PAUSED:
            return f"{progress.note}: nothing is sent to this vendor until {until}"
        case PlanEvent.WAITING:
            return f"nothing may be asked before {until}: it goes on then (--no-wait would end here)"
        case PlanEvent.CAPPED:
            return "the next request would cost more than allowed: no more are sent"
        case PlanEvent.STUCK if job is not None:
            return f"job {job.id[:8]} is waited for no longer, and goes on: belvo-async jobs explain {job.id[:8]}"
        case PlanEvent.UNREAD if job is not None:
            return f"the rows of job {job.id[:8]} could not be read whole: {progress.note}"
        case PlanEvent.ENDED if job is not None and job.failure is not None:
            return f"job {job.id[:8]} {job.status}: {job.failure.code}"
        case _:
            return None
