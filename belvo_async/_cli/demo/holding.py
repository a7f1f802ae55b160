"""The demo's last act: a plan over its links is priced, carried out, proven, and shown as a page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from ..._page import Preferences, make_morning, read_store, render, scope_of
from ..._session import Session
from ..._session.extraction.progress import PlanEvent, PlanOutcome, PlanProgress
from ...abc import Clock
from ...jobs import Task
from ...planning import Certificate, Estimate, Plan, Prices, encode_certificate
from ...simulator import BelvoSimulator
from ...sinks import recount
from ..page.report import lines, replace_file
from ..words import counted, money, span
from .plan import LINKS, YEARS
from .screen import Screen

# The year before those of the jobs: of three years, two are answered already.
FIRST: Final = date(YEARS[0] - 1, 1, 1)
LAST: Final = date(YEARS[-1], 12, 31)
# Made up, as the demo says: contracts differ.
PRICES: Final = Prices.from_toml('currency = "MXN"\nbelvo = 1.50')
NAME: Final = "demo"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What the plan is carried out with, and where to. `began` is when the demo did, by the loop's clock."""

    session: Session
    vendor: BelvoSimulator
    screen: Screen
    clock: Clock
    folder: Path
    deadline: timedelta
    began: float

    async def hold(self) -> list[str]:
        """Price the plan, carry it out, prove it, show it; the complaints, none when all is as intended."""
        plan, say = self._plan(), self.screen.say
        estimate = await self.session.estimate(plan, prices=PRICES)
        asked = len(self.vendor.requests)
        for line in _priced(estimate):
            say(line)
        outcome = await self._carry_out(plan)
        certificate = await self.session.certificate(plan, into=self._sink)
        say(_held(outcome, len(self.vendor.requests) - asked))
        place = self.folder / "certificate.json"
        place.write_bytes(encode_certificate(certificate))
        complaints = [*self._unfit(estimate, outcome, certificate), *self._recount(certificate)]
        await self._show(plan)
        return complaints

    def _plan(self) -> Plan:
        return Plan(vendor="belvo", resource="INVOICES", subjects=self.vendor.links[:LINKS], first=FIRST, last=LAST)

    @property
    def _sink(self) -> str:
        return f"ndjson:{self._export}"

    @property
    def _export(self) -> Path:
        return self.folder / "export"

    async def _carry_out(self, plan: Plan) -> PlanOutcome:
        run = await self.session.extract(
            plan, into=self._sink, prices=PRICES, patience=timedelta(0), deadline=self.deadline
        )
        async for progress in run:
            self._tell(progress)
        return run.outcome

    def _tell(self, progress: PlanProgress) -> None:
        job = progress.job
        if progress.event is PlanEvent.ENDED and job is not None:
            passed = asyncio.get_running_loop().time() - self.began
            what = self._label(job.task)
            self.screen.say(f"{passed:5.1f}s  {job.vendor:7}  {what:22}  {job.status} by {job.settled_by}")

    def _label(self, task: Task[Any]) -> str:
        """Link and year by number, as the jobs before: ids are not shown."""
        extent = task.extent
        year = extent.first.year if extent is not None and extent.first is not None else ""
        return f"link {self.vendor.links.index(task.subject) + 1} {getattr(task, 'type', '')} {year}"

    def _unfit(self, estimate: Estimate, outcome: PlanOutcome, certificate: Certificate) -> Iterator[str]:
        held = sum(
            len(self.vendor.invoices(link, FIRST, LAST, kind))
            for link in self.vendor.links[:LINKS]
            for kind in ("INFLOW", "OUTFLOW")
        )
        if not (outcome.is_whole and certificate.is_whole):
            yield "the plan is not whole"
        if outcome.tally.fired != estimate.to_fire:
            yield f"the estimate told {counted(estimate.to_fire, 'request')}, and {outcome.tally.fired} were sent"
        if outcome.tally.rows != held:
            yield f"{outcome.tally.rows:,} rows were exported of the {held:,} that the vendor holds"

    def _recount(self, certificate: Certificate) -> list[str]:
        found = recount(certificate.receipts, [self._export])
        days = sum(certificate.days.values())
        proven = f"{certificate.days.get('proven', 0):,} of {days:,} days proven"
        if found.fault is not None:
            self.screen.say(f"certified  {proven}; NOT FITTING")
            return [f"the exported files do not fit their certificate: {found.fault}"]
        self.screen.say(f"certified  {proven}; {found.rows:,} rows in {counted(found.parts, 'part')} recounted:")
        self.screen.say("           ids, sums and bytes are those of their receipts")
        return []

    async def _show(self, plan: Plan) -> None:
        """Write the morning page, as `belvo-async report` does."""
        held, now = await read_store(self.session.store), self.clock.now()
        scope = scope_of(await self.session.coverage(plan), NAME)
        morning = make_morning(held, [scope], Preferences(prices=PRICES), now)
        replace_file(self.folder / "page.html", render(morning))
        for number, line in enumerate(lines(morning, None)):
            self.screen.say(f"{'' if number else 'page':10} {line}")


def _priced(estimate: Estimate) -> Iterator[str]:
    yield ""
    yield f"A plan: invoices of {LINKS} links, {FIRST.year} to {LAST.year}, both directions."
    yield (
        f"estimate   {counted(estimate.requests, 'request')}: {estimate.reused} answered by the jobs above, "
        f"{estimate.to_fire} to send"
    )
    price = money(estimate.price, estimate.currency)
    yield f"           {price} by a made-up price list; about {span(estimate.p50)} at real speed"


def _held(outcome: PlanOutcome, requests: int) -> str:
    tally = outcome.tally
    rows, parts = counted(tally.rows, "row"), counted(tally.parts, "part")
    return f"extracted  {tally.fired} sent and paid; {rows} in {parts}, {counted(requests, 'request')} in all"
