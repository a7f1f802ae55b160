"""How an extraction lives: pending, running, an end; waiting and stopping; counters on the way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from ..faults import Dice
from ..origin import Timers
from ..wire import JsonObject
from .extractors import Gatherer
from .options import SAT_EXTRACTORS, echo_options
from .rows.invoices import Entity, maybe
from .state import SyntageJob, SyntageOutcome
from .webhooks import Deliveries, SyntageEvents

STOPPING_SECONDS: Final = 3.0
# Fastest and slowest run, in vendor seconds.
INVOICE_SECONDS, OTHER_SECONDS = (60.0, 300.0), (10.0, 60.0)


@dataclass(frozen=True, kw_only=True)
class SyntageScript:
    """What a coming extraction is to do; None fits every entity or extractor."""

    entity: str | None = None
    extractor: str | None = None
    outcome: SyntageOutcome = "finished"
    error_code: str = "sat_unavailable"
    duration: timedelta | None = None

    def fits(self, entity: Entity, extractor: str) -> bool:
        """Tell whether this script is meant for such an extraction."""
        return self.entity in (None, entity.iri) and self.extractor in (None, extractor)


class Runs:
    """Moves extractions from status to status, by timers, and tells the events about it."""

    def __init__(
        self,
        timers: Timers,
        gatherer: Gatherer,
        events: SyntageEvents,
        dice: Dice,
        now: Callable[[], datetime],
        is_authorized: Callable[[Entity], bool],
    ) -> None:
        self.scripts: list[SyntageScript] = []
        self._timers = timers
        self._gatherer = gatherer
        self._events = events
        self._dice = dice
        self._now = now
        self._is_authorized = is_authorized

    def new(self, number: str, entity: Entity, extractor: str, options: JsonObject) -> SyntageJob:
        """Make a pending extraction, with the oldest script that fits it."""
        script, now = self._script_for(entity, extractor), self._now()
        fastest, slowest = INVOICE_SECONDS if extractor == "invoice" else OTHER_SECONDS
        drawn = timedelta(seconds=self._dice.stream("durations").uniform(fastest, slowest))
        is_waiting = script.outcome == "waiting"
        job = SyntageJob(
            id=number,
            entity=entity,
            extractor=extractor,
            requested=options,
            options=echo_options(extractor, options, now),
            outcome=script.outcome,
            scripted_error=script.error_code,
            duration=drawn if script.duration is None or is_waiting else script.duration,
            waits=script.duration if is_waiting else None,
            created_at=now,
            updated_at=now,
        )
        self._gatherer.plan(job, now)
        standing = self._standing(job)
        if standing == "refused":
            job.outcome, job.scripted_error = "failed", "invalid_credentials"
        elif standing == "missing":
            job.outcome, job.is_held, job.waits = "waiting", True, None
        return job

    def _standing(self, job: SyntageJob) -> Literal["ready", "refused", "missing"]:
        """Say whether it may begin: `waiting` is documented for what lacks an RFC, a credential or a consent."""
        if job.extractor == "buro_de_credito_report":
            return "ready" if self._is_authorized(job.entity) else "missing"
        if job.extractor not in SAT_EXTRACTORS:
            return "ready"
        if job.entity.credential_status == "invalid":
            return "refused"
        return "ready" if job.entity.credential_status == "valid" and job.entity.subject.rfc else "missing"

    def release(self, job: SyntageJob) -> None:
        """Go on with an extraction that was held up, now that what it lacked may be there."""
        standing = self._standing(job)
        if not job.is_held or standing == "missing":
            return
        job.is_held, job.outcome = False, "finished"
        if standing == "refused":
            job.outcome, job.scripted_error = "failed", "invalid_credentials"
        if job.status != "waiting":
            return  # still queued: it will run when its turn comes
        if standing == "refused":
            self._end(job)
        else:
            self._run(job)

    def _script_for(self, entity: Entity, extractor: str) -> SyntageScript:
        for script in self.scripts:
            if script.fits(entity, extractor):
                self.scripts.remove(script)
                return script
        return SyntageScript()

    def drop(self, job: SyntageJob) -> None:
        """Let a job die unannounced."""
        self._timers.drop_timer(job.timer)

    def begin(self, job: SyntageJob) -> Deliveries:
        """Queue a new extraction; the rest happens by itself."""
        seconds = self._dice.stream("queueing").uniform(1, 10)
        job.timer = self._timers.after(seconds, lambda: self._leave_queue(job))
        return self._tell("extraction.created", job, {})

    def rush(self, job: SyntageJob) -> Deliveries:
        """Run a queued extraction to its end at once, with all its events."""
        self._timers.drop_timer(job.timer)
        return [*self._run(job), *self._end(job)]

    def stop(self, job: SyntageJob) -> bool:
        """Ask to end an extraction. False when it cannot be stopped any more."""
        if job.status in ("pending", "waiting"):
            self._timers.drop_timer(job.timer)
            self._change(job, status="cancelled")
            return True
        if job.status != "running":
            return False
        self._timers.drop_timer(job.timer)
        self.gather_so_far(job)
        self._change(job, status="stopping")
        job.timer = self._timers.after(STOPPING_SECONDS, lambda: self._stopped(job))
        return True

    def gather_so_far(self, job: SyntageJob) -> None:
        """Let a running extraction show what it has: up to nine tenths of its invoices before its end."""
        if job.status == "running" and job.outcome != "failed" and job.plan:
            elapsed = asyncio.get_running_loop().time() - job.began
            length = max(job.duration.total_seconds() / self._timers.speed, 0.001)
            self._gatherer.invoices(job, int(min(1.0, elapsed / length) * 0.9 * len(job.plan)))

    def _leave_queue(self, job: SyntageJob) -> None:
        if job.outcome != "waiting" or job.status == "waiting":
            self._run(job)
            return
        self._change(job, status="waiting")
        if job.waits is not None:
            job.timer = self._timers.after(job.waits.total_seconds(), lambda: self._leave_queue(job))

    def _run(self, job: SyntageJob) -> Deliveries:
        job.began = asyncio.get_running_loop().time()
        job.started_at = self._now()
        started = self._change(job, status="running", startedAt=(None, maybe(job.started_at)))
        if job.outcome != "stuck":
            job.timer = self._timers.after(job.duration.total_seconds() / 2, lambda: self._halfway(job))
        return started

    def _halfway(self, job: SyntageJob) -> None:
        """Several updates per job are normal, for instance counters only (observed)."""
        before = job.created_points
        self.gather_so_far(job)
        if job.outcome == "rate_limited":
            self._limit(job)
        elif job.created_points != before:
            self._change(job, createdDataPoints=(before, job.created_points))
        job.timer = self._timers.after(job.duration.total_seconds() / 2, lambda: self._end(job))

    def _limit(self, job: SyntageJob) -> None:
        job.rate_limited_at = self._now()
        self._change(job, rateLimitedAt=(None, maybe(job.rate_limited_at)))

    def _end(self, job: SyntageJob) -> Deliveries:
        self._timers.drop_timer(job.timer)
        if job.outcome == "rate_limited" and job.rate_limited_at is None:
            self._limit(job)
        job.finished_at = self._now()
        finished: tuple[str | None, str | None] = (None, maybe(job.finished_at))
        if job.outcome == "failed":
            job.error_code = job.scripted_error
            return self._change(job, status="failed", finishedAt=finished, errorCode=(None, job.error_code))
        self._gatherer.finish(job)
        return self._change(job, status="finished", finishedAt=finished)

    def _stopped(self, job: SyntageJob) -> None:
        job.finished_at = self._now()
        self._change(job, status="stopped", finishedAt=(None, maybe(job.finished_at)))

    def _change(
        self, job: SyntageJob, *, status: str | None = None, **fields: tuple[str | int | None, str | int | None]
    ) -> Deliveries:
        changes: JsonObject = {name: {"old": old, "new": new} for name, (old, new) in fields.items()}
        if status is not None:
            changes = {"status": {"old": job.status, "new": status}, **changes}
            job.status = status
        job.updated_at = self._now()
        return self._tell("extraction.updated", job, changes)

    def _tell(self, kind: str, job: SyntageJob, changes: JsonObject) -> Deliveries:
        snapshot = job.snapshot()
        source = job.iri if kind == "extraction.updated" else None
        return self._events.emit(kind, job.entity, job.iri, lambda: snapshot, source=source, changes=changes)
