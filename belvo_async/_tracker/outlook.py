"""Whether deliveries come, as far as this process learns: told once when they stay away, once when they are back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from ..errors import StoreError
from ..jobs import Job, News, Nudge, Observation, Seen, Way
from .context import Context, log

_AWAY: Final = (
    "webhooks stay away: jobs end that none told of; jobs are polled on the usual schedule until they come again "
    "(does the vendor reach this address?)"
)
_BACK: Final = "webhooks come again; jobs are polled for safety only"
_COME: Final = "webhooks come; jobs are polled for safety only"


class DeliveryOutlook:
    """Tells the context's expectations of every observation. `hasten` makes a job due at an instant, if not sooner."""

    def __init__(self, context: Context, *, hasten: Callable[[Job, datetime], Awaitable[Job]]) -> None:
        self._context = context
        self._expectations = context.expectations
        self._hasten = hasten

    def note(self, before: Job, after: Job, seen: Observation) -> None:
        """Learn from an observation, and what it made of its job."""
        now = self._context.clock.now()
        is_end = before.is_open and not after.is_open
        if seen.way is Way.WEBHOOK and not (is_end and after.settled_by is Way.WEBHOOK):
            tells_end = isinstance(seen, Nudge) or (seen.status is not None and seen.status.is_terminal)
            self._tell(self._expectations.hear(after, now, tells_end=tells_end), after)
        if is_end:
            # Of a job that a delivery ended, that it came is told along.
            self._tell(self._expectations.end(after, now), after)
        elif seen.way is Way.POLL and isinstance(seen, Seen) and not seen.is_a_word:
            self._tell(self._expectations.ask_in_vain(after, now), after)
        self._tell(self._expectations.review(after, now), after)

    def note_elsewhere(self, before: Job, after: Job) -> None:
        """Learn from what another process of the store wrote: there, a delivery may have come."""
        if before.is_open and not after.is_open and after.settled_by is Way.WEBHOOK:
            self._tell(self._expectations.end(after, self._context.clock.now()), after)

    def _tell(self, news: News | None, job: Job) -> None:
        match news:
            case None:
                return
            case News.AWAY:
                log.warning(_AWAY, extra={"vendor": job.vendor})
                self._context.spawn(self._tighten(job.account), name="tightening")
            case News.BACK:
                log.info(_BACK, extra={"vendor": job.vendor})
            case News.COME:
                log.debug(_COME, extra={"vendor": job.vendor})

    async def _tighten(self, account: str) -> None:
        """Poll the open jobs of an account as soon as one that nobody is told of: each waits for its safety poll."""
        due = self._context.due_after(0)
        # A store that is down costs the haste only: every job has its poll.
        with suppress(StoreError):
            async for job in self._context.store.open_jobs([account]):
                if job.remote_id is not None:
                    await self._hasten(job, due)
