"""What a run of a plan says of itself while it goes on, and in the end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from ...abc import Receipt
from ...jobs import Job
from ...planning import Cell, Known, Price


class PlanEvent(StrEnum):
    """What happened."""

    BEGUN = "begun"
    """What is known was read: the tally says how much is left."""
    FIRED = "fired"
    """A request was sent, or queued, or an equal job was joined."""
    ENDED = "ended"
    """A job ended, however it did: `job` says how."""
    WRITTEN = "written"
    """The rows of a job are in the sink, durably: `receipt`."""
    UNREAD = "unread"
    """The rows of a job could not be read or counted whole; `note` says why. They are read again, free of charge."""
    STUCK = "stuck"
    """A job is not waited for any longer in this run; it goes on, and the next run takes it up."""
    PAUSED = "paused"
    """The institution is down: nothing more is sent to this vendor until `until`."""
    WAITING = "waiting"
    """Nothing may be asked before `until`."""
    CAPPED = "capped"
    """The next request would cost more than is allowed: none is sent any more."""


class PlanTally(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands. `left`: requests still to be sent; `open`: jobs that are waited for now."""

    left: int = 0
    open: int = 0
    fired: int = 0
    joined: int = 0
    finished: int = 0
    partial: int = 0
    failed: int = 0
    parts: int = 0
    rows: int = 0
    written_bytes: int = 0
    misfits: int = 0
    unsaved_files: int = 0
    spent: Price | None = None


class PlanProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened in a run, and how the run stands since."""

    event: PlanEvent
    at: datetime
    tally: PlanTally
    job: Job | None = None
    receipt: Receipt | None = None
    until: datetime | None = None
    note: str | None = None

    def __repr__(self) -> str:
        # A job's subject may be a taxpayer.
        return f"<PlanProgress {self.event} {self.tally.left} left, {self.tally.open} open>"


class PlanOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended.

    `days`: how many days of the plan are known how. `is_whole`: all are proven, and all rows are in the sink. `refused`
    is for a person to decide; `later` is how many requests may be sent only after `retry_at`: the same call goes on
    then. `unwritten` are jobs whose rows could not be read whole; `stuck` jobs that were not waited for any longer.
    `going_on` are jobs that a run which waits for none left at the vendor; `look_at` is when there may be something to
    do even if none of them ends: more may be asked for, a pause is over, a deadline has passed.
    """

    tally: PlanTally
    days: dict[Known, int]
    is_whole: bool
    refused: tuple[Cell, ...] = ()
    later: int = 0
    retry_at: datetime | None = None
    unwritten: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    is_capped: bool = False
    going_on: tuple[str, ...] = ()
    look_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether the same call would find nothing to do, now or later, unless somebody decides something."""
        return not (self.going_on or self.unwritten or self.look_at)
