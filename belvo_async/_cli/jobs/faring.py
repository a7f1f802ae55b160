"""One sentence for `jobs explain`: how a job fares against the others of its store, and the command to type."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..._session.environment import keyless_vendors
from ...abc import EVER, PlanRules, Store
from ...jobs import Job, Way
from ...planning import Durations, durations
from ...planning.estimate import HISTORY_MOST
from ...planning.outlook import Fare, Outlook, outlook

# What to do, if anything; {id} is the job's.
_NEXT: Final[Mapping[Fare, str]] = {
    Fare.QUEUED: "a session on this store sends it: belvo-async jobs resume {id}",
    Fare.ON_TIME: "wait, or follow it: belvo-async jobs resume {id}",
    Fare.SLOW: "follow it: belvo-async jobs resume {id}",
    Fare.STUCK: "ask for it: belvo-async jobs resume {id}; or give it up: belvo-async jobs abandon {id}",
    Fare.UNCERTAIN: "let it be looked for: belvo-async jobs resume {id}",
    Fare.PARTIAL: "belvo-async extract asks for the rest, when it may",
    Fare.UNPROVEN: "run belvo-async serve for its webhooks; belvo-async extract --retry asks again",
    Fare.FAILED: "belvo-async extract asks again what may pass, and with --retry all of it",
    Fare.CLOSED: "take it up again: belvo-async jobs resume {id}",
}


async def faring_of(store: Store, job: Job, now: datetime) -> Outlook:
    """Judge a job of a store. Walks the ended jobs of its account once."""
    rules, alike, heard = _rules_of(job), deque[Job](maxlen=HISTORY_MOST), None
    # They come in the order of their ends: what is left in the queue are the newest.
    async for other in store.ended_jobs([job.account], before=EVER):
        if other.settled_by is Way.WEBHOOK and other.settled_at is not None:
            heard = max(heard or other.settled_at, other.settled_at)
        if other.task.resource == job.task.resource and other.id != job.id:
            alike.append(other)
    took: Durations | None = None if rules is None else durations(alike, job.task.resource, rules)
    return outlook(job, took, now, heard=heard)


def next_step(job: Job, seen: Outlook) -> str | None:
    """The command to type; None where there is nothing to do."""
    text = _NEXT.get(seen.fare)
    return text and text.format(id=job.id[:8])


def _rules_of(job: Job) -> PlanRules | None:
    """How long such jobs take by their vendor's word; without its keys."""
    vendor = keyless_vendors().get(job.vendor)
    return None if vendor is None else vendor.plans.get(job.task.resource)
