"""What a run tells: its events in order, each with how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, TypedDict, Unpack

from msgspec.structs import replace

from ...abc import Clock, Receipt
from ...jobs import Job, Status
from ...planning import Price
from .progress import PlanEvent, PlanProgress, PlanTally

# A reader that is slower than the run holds it up, so that what it has not read yet stays bounded.
UNREAD_LIMIT: Final = 1_000


class _Facts(TypedDict, total=False):
    job: Job
    receipt: Receipt
    note: str | None
    until: datetime | None


class Telling:
    """Counts what happens and hands it to the reader."""

    def __init__(self, clock: Clock, price: Price | None, sent: int) -> None:
        self._clock = clock
        self._price = price
        self._told: asyncio.Queue[PlanProgress | None] = asyncio.Queue(maxsize=UNREAD_LIMIT)
        # Requests that were paid for under this plan, by this run and earlier ones.
        self.sent = sent
        self.tally = PlanTally()
        self.pay(0)

    async def tell(self, event: PlanEvent, **facts: Unpack[_Facts]) -> None:
        """Say that something happened; waits while the reader is far behind."""
        await self._told.put(PlanProgress(event=event, at=self._clock.now(), tally=self.tally, **facts))

    async def end(self) -> None:
        """Say that nothing more comes."""
        await self._told.put(None)

    async def heard(self) -> AsyncIterator[PlanProgress]:
        """Everything that is told, until the end."""
        while (told := await self._told.get()) is not None:
            yield told

    def count(self, **more: int) -> None:
        """Add to the tally."""
        tally = self.tally
        self.tally = replace(tally, **{name: getattr(tally, name) + count for name, count in more.items()})

    def pay(self, count: int) -> None:
        """Note requests that were paid for; with a negative number, that they were not after all."""
        self.sent += count
        spent = None if self._price is None else self._price.times(self.sent)
        self.tally = replace(self.tally, spent=spent)

    def count_end(self, job: Job) -> None:
        """Count how a job ended."""
        is_finished = job.status is Status.FINISHED
        self.count(
            finished=is_finished and not job.partial, partial=is_finished and job.partial, failed=not is_finished
        )
