"""Whether jobs that a vendor no longer knows are lost there, or only out of reach from here."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from ..abc import Vendor
from ..jobs import GONE_SPAN, Job
from .context import Context, log

# What was found out is good for so long: a poll may ask for each of its thousands of jobs.
FRESH: Final = timedelta(minutes=1)


class Losses:
    """Tells a job that its vendor lost from a way that leads elsewhere.

    A relay or a load balancer that has lost its way, or leads to another environment, knows none of our jobs: the same
    answer for jobs of several subjects, while nothing else is found, is no evidence about any of them.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found_at: dict[str, float] = {}
        self._missing: dict[str, tuple[float, frozenset[str]]] = {}

    def note_found(self, vendor: Vendor) -> None:
        """Remember that a poll met something that the vendor still knows."""
        self._found_at[vendor.name] = asyncio.get_running_loop().time()

    async def are_common(self, job: Job) -> bool:
        """Whether jobs of other subjects are missing too, and nothing was found of late."""
        found_at = self._found_at.get(job.vendor)
        if found_at is not None and asyncio.get_running_loop().time() - found_at < GONE_SPAN.total_seconds():
            return False
        is_common = bool(await self._missing_subjects(job.vendor, job.account) - {job.task.subject})
        if is_common:
            text = "the vendor knows none of the jobs it was asked about; none is given up: is its address right?"
            log.warning(text, extra={"vendor": job.vendor, "job": job.id})
        return is_common

    async def _missing_subjects(self, vendor: str, account: str) -> frozenset[str]:
        now = asyncio.get_running_loop().time()
        known = self._missing.get(vendor)
        if known is None or now - known[0] >= FRESH.total_seconds():
            jobs = self._context.store.open_jobs([account])
            known = now, frozenset([job.task.subject async for job in jobs if job.evidence.gone_count])
            self._missing[vendor] = known
        return known[1]
