"""How an asynchronous POST lives at Belvo: one per link, gathering rows until its end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from belvo_async.simulator.belvo_checks import read_invoices
from belvo_async.simulator.belvo_state import Archive, BelvoJob, BelvoOutcome, Link
from belvo_async.simulator.belvo_webhooks import BelvoWebhooks
from belvo_async.simulator.origin import Timers
from belvo_async.simulator.wire import JsonObject

INVOICES, STATEMENTS = "INVOICES", "FINANCIAL_STATEMENTS"
FASTEST_SECONDS, SLOWEST_SECONDS = 20, 90


@dataclass(frozen=True, kw_only=True)
class BelvoScript:
    """What a coming job is to do. `link` None fits every link."""

    link: str | None = None
    outcome: BelvoOutcome = "finished"
    error_code: str = "institution_down"
    duration: timedelta | None = None


class BelvoRuns:
    """Starts jobs, lets them gather, ends them and has them announced."""

    def __init__(
        self, timers: Timers, archive: Archive, webhooks: BelvoWebhooks, durations: Random, now: Callable[[], datetime]
    ) -> None:
        self.jobs: dict[str, BelvoJob] = {}
        self.scripts: list[BelvoScript] = []
        self._timers = timers
        self._archive = archive
        self._webhooks = webhooks
        self._durations = durations
        self._now = now

    def running(self, link: str) -> list[BelvoJob]:
        """Give the jobs that hold the link's only session: one at most."""
        return [job for job in self.jobs.values() if job.link.id == link and job.state == "running"]

    def start(self, request_id: str, resource: str, body: JsonObject, link: Link, *, is_async: bool) -> BelvoJob:
        """Accept a checked POST."""
        script = self._script_for(link)
        drawn = timedelta(seconds=self._durations.uniform(FASTEST_SECONDS, SLOWEST_SECONDS))
        job = BelvoJob(
            request_id=request_id,
            link=link,
            resource=resource,
            body=body,
            outcome=script.outcome,
            error_code=script.error_code,
            duration=drawn if script.duration is None else script.duration,
            created_at=self._now(),
            is_async=is_async,
            started=asyncio.get_running_loop().time(),
        )
        if resource == INVOICES:
            order = read_invoices(body)
            job.plan = self._archive.plan(link, order.date_from, order.date_to, order.type)
        self.jobs[job.request_id] = job
        if is_async and job.outcome != "stuck":
            job.timer = self._timers.after(job.duration.total_seconds(), lambda: self.end(job))
        return job

    def advance(self) -> None:
        """Let running jobs show what they have gathered so far: up to nine tenths before the end."""
        now = asyncio.get_running_loop().time()
        for job in self.jobs.values():
            if job.state == "running" and job.outcome != "failed":
                length = max(job.duration.total_seconds() / self._timers.speed, 0.001)
                share = min(1.0, (now - job.started) / length) * 0.9
                self._collect(job, int(share * len(job.plan)))

    def end(self, job: BelvoJob) -> list[asyncio.Task[None]]:
        """End a job as scripted. Returns the started deliveries."""
        self._timers.drop_timer(job.timer)
        job.finished_at = self._now()
        if job.outcome == "failed":
            job.state = "failed"
            job.link.count_failure()
        else:
            job.state = "finished"
            self._complete(job)
        announces = job.is_async and job.outcome != "silent"
        return self._webhooks.job_ended(job) if announces else []

    def drop(self, link: str) -> None:
        """Let the running job of a broken link die unannounced."""
        for job in self.running(link):
            self._timers.drop_timer(job.timer)
            job.state, job.finished_at = "failed", self._now()

    def results(self, job: BelvoJob) -> list[JsonObject]:
        """Give the rows a synchronous answer carries."""
        now, xml = self._now(), job.attaches_xml
        if job.resource == INVOICES:
            return [self._archive.invoice(job.link, cfdi, now=now, xml=xml) for cfdi in job.plan]
        return self._archive.statements_of(job.link, now)

    def _complete(self, job: BelvoJob) -> None:
        now = self._now()
        if job.resource == INVOICES:
            self._collect(job, len(job.plan))
        else:
            rows = self._archive.statements_of(job.link, now)
            job.count = len(rows)
            if job.saves_data:
                self._archive.keep_statements(rows)
        job.link.last_accessed_at, job.link.failed_posts = now, 0

    def _collect(self, job: BelvoJob, target: int) -> None:
        now = self._now()
        for cfdi in job.plan[job.count : target]:
            if job.saves_data:
                self._archive.keep(self._archive.invoice(job.link, cfdi, now=now, xml=job.attaches_xml))
        job.count = max(job.count, target)

    def _script_for(self, link: Link) -> BelvoScript:
        for script in self.scripts:
            if script.link in (None, link.id):
                self.scripts.remove(script)
                return script
        return BelvoScript()
