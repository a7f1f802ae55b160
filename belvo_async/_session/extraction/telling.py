"""What a run tells: its events in order, each with how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import contextmanager
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

    def __init__(self, clock: Clock, price: Price | None, paid: Iterable[str]) -> None:
        self._clock = clock
        self._price = price
        self._told: asyncio.Queue[PlanProgress | None] = asyncio.Queue(maxsize=UNREAD_LIMIT)
        # Jobs that were paid for under this plan, by whichever run, and requests that are being sent.
        self._paid = set(paid)
        self._reserved = 0
        self.tally = PlanTally()
        self._count_money()

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

    @property
    def sent(self) -> int:
        """How many requests the plan pays for."""
        return len(self._paid) + self._reserved

    @contextmanager
    def paying(self) -> Generator[None]:
        """Count a request that is sent in this block, so that those that are sent at the same time count too."""
        self._reserved += 1
        self._count_money()
        try:
            yield
        finally:
            self._reserved -= 1
            self._count_money()

    def pay(self, job: Job, *, is_paid: bool) -> None:
        """Note whether a job is one that the plan pays for."""
        if is_paid:
            self._paid.add(job.id)
        else:
            self._paid.discard(job.id)
        self._count_money()

    def _count_money(self) -> None:
        spent = None if self._price is None else self._price.times(self.sent)
        self.tally = replace(self.tally, spent=spent)

    def count_end(self, job: Job) -> None:
        """Count how a job ended."""
        is_finished = job.status is Status.FINISHED
        self.count(
            finished=is_finished and not job.partial, partial=is_finished and job.partial, failed=not is_finished
        )
