"""How a retrieval lives at Belvo: one per link, gathering rows until its end."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from ..origin import Timers
from ..wire import JsonObject
from .checks import read_invoices
from .rows.invoices import Filed
from .rows.records import Records
from .state import Archive, BelvoJob, BelvoScript, Link
from .webhooks import BelvoWebhooks

INVOICES: Final = "INVOICES"
FASTEST_SECONDS, SLOWEST_SECONDS = 20, 90


class BelvoRuns:
    """Starts jobs, lets them gather, ends them and has them announced."""

    def __init__(
        self,
        timers: Timers,
        archive: Archive,
        records: Records,
        webhooks: BelvoWebhooks,
        durations: Random,
        now: Callable[[], datetime],
    ) -> None:
        self.jobs: dict[str, BelvoJob] = {}
        self.scripts: list[BelvoScript] = []
        self._open: dict[str, BelvoJob] = {}
        self._timers = timers
        self._archive = archive
        self._records = records
        self._webhooks = webhooks
        self._durations = durations
        self._now = now

    def running(self, link: str) -> list[BelvoJob]:
        """Give the jobs that hold the link's only session: one at most."""
        return [job for job in self._open.values() if job.link.id == link]

    def open(
        self, request_id: str, resource: str, body: JsonObject, link: Link, *, is_async: bool, drawn: timedelta
    ) -> BelvoJob:
        """Take a job in, as scripted; `drawn` is its duration unless a script says another."""
        script = self._take_script(link.id, resource)
        job = BelvoJob(
            request_id=request_id,
            link=link,
            resource=resource,
            body=body,
            outcome=script.outcome,
            error_code=script.error_code,
            duration=drawn if script.duration is None else script.duration,
            unreported=script.unreported,
            created_at=self._now(),
            is_async=is_async,
            started=asyncio.get_running_loop().time(),
        )
        self.jobs[job.request_id] = self._open[job.request_id] = job
        return job

    def settle(self, job: BelvoJob, state: str) -> None:
        """Note the end of a job; the link is free again."""
        self._timers.drop_timer(job.timer)
        self._open.pop(job.request_id, None)
        job.state, job.finished_at = state, self._now()

    def start(self, request_id: str, resource: str, body: JsonObject, link: Link, *, is_async: bool) -> BelvoJob:
        """Accept a checked POST."""
        drawn = timedelta(seconds=self._durations.uniform(FASTEST_SECONDS, SLOWEST_SECONDS))
        job = self.open(request_id, resource, body, link, is_async=is_async, drawn=drawn)
        if resource == INVOICES:
            order = read_invoices(body)
            job.plan = self._records.plan(link, order.date_from, order.date_to, order.type)
        if is_async and job.outcome != "stuck":
            job.timer = self._timers.after(job.duration.total_seconds(), lambda: self.end(job))
        return job

    def advance(self) -> None:
        """Let running jobs show what they have gathered so far: up to nine tenths before the end."""
        now = asyncio.get_running_loop().time()
        for job in self._open.values():
            if job.plan and job.outcome != "failed":
                length = max(job.duration.total_seconds() / self._timers.speed, 0.001)
                share = min(1.0, (now - job.started) / length) * 0.9
                self._collect(job, int(share * len(job.plan)))

    def end(self, job: BelvoJob) -> list[asyncio.Task[None]]:
        """End a job as scripted. Returns the started deliveries."""
        if job.outcome == "failed":
            self.settle(job, "failed")
            job.link.count_failure()
        else:
            self.settle(job, "finished")
            self._complete(job)
        announces = job.is_async and job.outcome != "silent"
        return self._webhooks.job_ended(job) if announces else []

    def time_out(self, job: BelvoJob) -> None:
        """End a synchronous job whose time is up; what was gathered stays (error catalogue, request_timeout)."""
        self.advance()
        self.settle(job, "failed")
        job.error_code = "request_timeout"

    def drop(self, link: str) -> None:
        """Let the running job of a broken link die unannounced."""
        for job in self.running(link):
            self.settle(job, "failed")
            job.error_code = "session_expired"

    def results(self, job: BelvoJob) -> list[Filed]:
        """Give the rows a synchronous answer carries."""
        return self._records.bring(job.resource, job.link, job.body, self._now())

    def _complete(self, job: BelvoJob) -> None:
        if job.resource == INVOICES:
            self._collect(job, len(job.plan))
            order = read_invoices(job.body)
            for number in self._records.gone(job.link, order.date_from, order.date_to, order.type):
                self._archive.drop(INVOICES, number)
        else:
            rows = self.results(job)
            job.count = len(rows)
            if job.saves_data:
                self._archive.keep(job.resource, rows)
        job.link.last_accessed_at, job.link.failed_posts = self._now(), 0

    def _collect(self, job: BelvoJob, target: int) -> None:
        now = self._now()
        if job.saves_data:
            fresh = job.plan[job.count : target]
            rows = [self._records.invoice(job.link, cfdi, now=now, xml=job.attaches_xml) for cfdi in fresh]
            self._archive.keep(job.resource, rows)
        job.count = max(job.count, target)

    def _take_script(self, link: str, resource: str) -> BelvoScript:
        for script in self.scripts:
            if script.fits(link, resource):
                self.scripts.remove(script)
                return script
        return BelvoScript()
