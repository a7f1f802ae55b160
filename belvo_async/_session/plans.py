"""The part of a session that carries plans out: what is known of them, what they cost, and getting the rest."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from ..abc import EVER, Sink, Store
from ..accounts import accounts_of
from ..discreet import discreet
from ..errors import ConfigurationError, TaskError
from ..jobs import Job, proof_of
from ..planning import (
    Certificate,
    Coverage,
    Estimate,
    Freshness,
    Plan,
    Prices,
    Settled,
    affordable,
    certify,
    cover,
    durations,
    estimate,
    propose,
    settle_plan,
    windows,
)
from .checks import read_instant, read_tags
from .extraction.documents import choose_documents
from .extraction.handed import RECEIPT, Handed, is_of_sink, read_handed, wanted_of
from .extraction.run import PlanRun
from .extraction.steps import CONCURRENCY, RunTerms
from .extraction.subject_state import PLAN_TAG, SubjectState
from .known.history import every_job
from .reads import Reads

if TYPE_CHECKING:
    from pathlib import Path

    from .changes.feed import ChangeFeed

ANY_AGE: Final = Freshness()


class Plans(Reads):
    """What a session does with plans. Every answer is worked out from the jobs and receipts that the store keeps."""

    _jobs: Store

    @discreet
    async def coverage(self, plan: Plan, *, freshness: Freshness = ANY_AGE) -> Coverage:
        """What is known of each day that a plan wants: proven, partial, failed, missing, or never asked.

        `freshness`: for which days an answer must be how new to count as proven; by default any does. Pruned jobs
        count: what they proved was kept. Raises TaskError for a plan that does not fit, StoreError.
        """
        settled = self._settle(plan)
        jobs = [job async for job in self._history(settled)]
        return cover(settled.plan, jobs, windows=windows(settled.plan, freshness, self._core.clock.now()))

    @discreet
    async def estimate(
        self, plan: Plan, *, prices: Prices | None = None, freshness: Freshness = ANY_AGE, retry: bool = False
    ) -> Estimate:
        """What a plan needs before anything is fired: requests, price, time. Sends nothing.

        The price is that of the given list; without one it is None. How long it takes is worked out from this store's
        own jobs of the resource, or from what the vendor says until there are twenty of them. Errors as for `coverage`.
        """
        settled, now = self._settle(plan), self._core.clock.now()
        jobs = [job async for job in self._history(settled)]
        coverage = cover(settled.plan, jobs, windows=windows(settled.plan, freshness, now))
        proposal = propose(coverage, settled.rules, now, decided={job.id for job in jobs} if retry else ())
        took = durations(jobs, settled.plan.resource, settled.rules)
        return estimate(settled.plan, settled.rules, proposal, prices or Prices(), took)

    @discreet
    async def certificate(self, plan: Plan, *, into: Sink | str) -> Certificate:
        """Coverage of a plan, and the receipts of a sink for it, as one document. Errors as for `coverage`.

        A part that lacks days which its job proves for the plan has no receipt in it.
        """
        settled, sink = self._settle(plan), read_sink(into)
        coverage = cover(settled.plan, [job async for job in self._history(settled)])
        wanted = {job: spans for _, cells in coverage.by_subject() for job, spans in wanted_of(cells).items()}
        receipts = [
            each.receipt async for each in self._handed(settled, sink) if each.brings(wanted.get(each.receipt.job, ()))
        ]
        return certify(coverage, receipts, self._core.clock.now())

    @discreet
    async def extract(
        self,
        plan: Plan,
        *,
        into: Sink | str,
        freshness: Freshness = ANY_AGE,
        prices: Prices | None = None,
        max_cost: Decimal | None = None,
        retry: bool = False,
        patience: timedelta | None = None,
        deadline: timedelta | None = None,
        concurrency: int = CONCURRENCY,
        tags: Mapping[str, str] | None = None,
        files: Sequence[str] = (),
        waits: bool = True,
        as_of: datetime | None = None,
    ) -> PlanRun:
        """Carry a plan out: iterate the run for what happens, then read its `outcome`.

            run = await session.extract(plan, into="ndjson:./sat")
            async for progress in run:
                print(progress.event, progress.tally.left)
            print(run.outcome.is_whole)

        Asks for what is not proven, in the fewest requests; hands the rows of each job to the sink. Nothing is asked
        for twice: the same call, at any time and in any process of the store, goes on where an earlier one was broken
        off, by whatever. Failures are data: what may pass is tried again when the vendor says so, else after a
        while; what may not stands in `outcome.refused`, and is asked again only with `retry`. `patience`: how long to
        wait for what may be asked only later (SAT's limits end at midnight), when nothing else is left; None: as long
        as it takes; zero: not at all. `max_cost`: no request is sent that would make the plan's requests cost more, at
        the higher price of the list, counted over all calls with the same plan. `concurrency`: how many jobs may be
        open at a time. `tags` are kept with the jobs, beside that of the plan; where a tag `plan` is given, this is a
        part of the plan that it names, and their requests count as one. `files` are documents to save beside the rows
        (`xml`, `pdf`), of a sink that writes into a folder: each whole or not at all, and checked to be what it
        claims; what the vendor does not hold yet is asked for by the next call.
        With `waits=False` the run is one short turn, for queues of your own: it sends what may be sent now, hands over
        the rows of what has ended, and leaves open jobs and whatever comes later to the next turn. `outcome.is_over`
        says whether there is one, `outcome.look_at` by when it is due should no job end before; `as_of`: when the
        first of such turns began, from which `freshness` and `retry` count. Turns of one plan go one after the other:
        two at a time are safe, but read some rows twice, and each counts `max_cost` as if it were alone.
        Raises TaskError and ConfigurationError before anything is sent (a plan or tags that do not fit, a sink that
        cannot be written, a cap without a price), AuthenticationError where the vendor does not take the key itself,
        SinkError where the sink fails on the way, and StoreError; in any case the same call goes on.
        """
        kept_tags = read_tags(tags)
        settled, sink = self._settle(plan), read_sink(into)
        if concurrency < 1:
            raise TaskError("concurrency is at least 1", field="concurrency")
        self._core.deadline_after(deadline)
        price = (prices or Prices()).price(settled.plan.vendor, settled.plan.resource)
        if max_cost is not None and price is None:
            where = f"{settled.plan.vendor}.{settled.plan.resource}"
            raise ConfigurationError(f"max_cost needs a price: the price list does not name {where}")
        chosen = choose_documents(files, settled.rules, sink, self.download)
        await sink.begin()
        began = read_instant(as_of, field="as_of")
        alive = windows(settled.plan, freshness, began or self._core.clock.now())
        return PlanRun(
            self._core,
            self._jobs,
            sink,
            settled,
            await self._lines(settled, sink, retry_before=(began or EVER) if retry else None, forms=files),
            RunTerms(
                windows=alive,
                plan_id=kept_tags.get(PLAN_TAG) or plan_id(settled.plan),
                tags=kept_tags,
                deadline=deadline,
                concurrency=concurrency,
                patience=patience if waits else timedelta(0),
                waits=waits,
                price=price,
                most=affordable(price, max_cost),
            ),
            partial(self._history, settled),
            chosen,
        )

    @discreet
    def changes(self, plan: Plan, *, since: str | Path, baseline: bool = False) -> ChangeFeed:
        """What changed of a plan's records since a cursor was acknowledged last: an async iterable, see `ChangeFeed`.

            changes = session.changes(plan, since="changes.db")
            async for change in changes:
                print(change.kind, change.record_id, change.fields)
            await changes.ack()

        `since` is the file that keeps the cursor (a path, or `sqlite:PATH`), of any number of plans: made where there
        is none, and then all records are new; with `baseline` they are learned, and nothing is told. Sends nothing that
        is paid for: what the vendor's lists hold is compared, and what jobs asked for again.
        Raises TaskError for a plan that does not fit or whose records' changes are not told, ConfigurationError.
        """
        from .changes.feed import ChangeFeed
        from .changes.schema import path_of
        from .changes.watched import watch

        self._core.check_open()
        watched = watch(plan, self._core.vendors, self._core.clock.now())
        return ChangeFeed(self._core, watched, path_of(since), self._history, baseline=baseline)

    def _settle(self, plan: Plan) -> Settled:
        self._core.check_open()
        return settle_plan(plan, self._core.vendors, self._core.clock.now())

    async def _lines(
        self, settled: Settled, sink: Sink, *, retry_before: datetime | None, forms: Sequence[str]
    ) -> list[SubjectState]:
        lines = {subject: SubjectState(subject, settled, forms) for subject in settled.plan.subjects}
        line_of: dict[str, SubjectState] = {}
        async for job in self._history(settled):
            line = line_of[job.id] = lines[job.task.subject]
            line.learn(job)
        if retry_before is not None:
            for line in lines.values():
                line.ask_again(retry_before)
        async for handed in self._handed(settled, sink):
            line_or_none = line_of.get(handed.receipt.job)
            # A part that somebody removed is written again.
            if line_or_none is not None and (handed.is_begun or await sink.holds(handed.receipt)):
                line_or_none.handed[handed.receipt.job] = handed
        return list(lines.values())

    async def _history(self, settled: Settled) -> AsyncIterator[Job]:
        """Every job that ever was about a plan's subjects and resource, open, ended and pruned: what they prove."""
        accounts = accounts_of(self._core.vendors[settled.plan.vendor])
        subjects = frozenset(settled.plan.subjects)
        async for job in every_job(self._jobs, accounts):
            if job.task.resource == settled.plan.resource and job.task.subject in subjects:
                yield proof_of(job) or job

    async def _handed(self, settled: Settled, sink: Sink) -> AsyncIterator[Handed]:
        accounts = accounts_of(self._core.vendors[settled.plan.vendor])
        async for entry in self._jobs.entries(RECEIPT, accounts):
            if is_of_sink(entry, sink.name):
                yield read_handed(entry)


def read_sink(given: Sink | str) -> Sink:
    """The sink that a text names, or the one given."""
    if isinstance(given, str):
        from ..sinks import open_sink

        return open_sink(given)
    return given


def plan_id(plan: Plan) -> str:
    """Name a settled plan: the same for the same one, in whatever order its subjects were given."""
    alike = replace(plan, subjects=tuple(sorted(plan.subjects)))
    return hashlib.sha256(msgspec.json.encode(alike, order="deterministic")).hexdigest()[:16]
