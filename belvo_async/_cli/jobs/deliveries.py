"""What a job's vendor recorded of the deliveries that tell how it goes on, as one sentence for `jobs explain`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from ..._session import Session
from ...abc import AttemptFilter, Clock, DeliveryAttempt
from ...errors import BelvoAsyncError
from ...jobs import Job
from ...planning.outlook import in_words
from ..config import Config
from ..plans.accounts import Environ
from .following import vendor_of_job

# Whoever asks what became of a job waits for the store, and not much longer for this.
PATIENCE: Final = timedelta(seconds=15)


async def deliveries_of(job: Job, config: Config, environ: Environ, clock: Clock) -> str | None:
    """Ask a job's vendor, in one request; what cannot be asked is said instead. None for one it has not named yet."""
    if job.remote_id is None:
        return None
    vendor = job.vendor.capitalize()
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async with Session(vendor_of_job(config, job, environ), clock=clock, sweep=False) as session:
                found = await session.webhooks(job.vendor).attempts(AttemptFilter(job=job))
    except (BelvoAsyncError, TimeoutError) as error:
        return f"{vendor} could not be asked: {str(error) or 'it took too long'}"
    return told_of(found, vendor, clock.now())


def told_of(attempts: Sequence[DeliveryAttempt], vendor: str, now: datetime) -> str:
    """What attempts came to, given the newest first: of the endpoint that fails most, how often that was tried."""
    if not attempts:
        return f"{vendor} recorded no attempt to tell its end"
    event = attempts[0].event or "an event"
    failed = max(_failed_since(attempts), key=len)
    if not failed:
        return f"{vendor} delivered {event}, the last time {_ago(attempts[0], now)}"
    times = "once" if len(failed) == 1 else f"{len(failed)} times"
    last = failed[0]
    answer = f"the last answer was {last.status}" if last.status else "nobody answered the last time"
    return f"{vendor} tried {times} to deliver {event}; {answer}, {_ago(last, now)}"


def _failed_since(attempts: Iterable[DeliveryAttempt]) -> list[list[DeliveryAttempt]]:
    """Of each endpoint the attempts that failed since it took something."""
    found: dict[str | None, list[DeliveryAttempt]] = {}
    done = set[str | None]()
    for each in attempts:
        failed = found.setdefault(each.endpoint, [])
        if each.is_accepted:
            done.add(each.endpoint)
        elif each.endpoint not in done:
            failed.append(each)
    return [*found.values()]


def _ago(attempt: DeliveryAttempt, now: datetime) -> str:
    return "some time ago" if attempt.at is None else f"{in_words(now - attempt.at)} ago"
