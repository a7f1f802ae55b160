"""What Belvo fetches of its own after a link was created or refreshed: webhook after webhook, for some minutes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final, TypeAlias
from uuid import UUID

from ..origin import Timers
from ..wire import Json, JsonObject
from .rows.invoices import Filed
from .rows.records import Records
from .runs import BelvoRuns
from .state import HISTORICAL, Archive, BelvoJob, Link
from .webhooks import BelvoWebhooks

FASTEST_STEP, SLOWEST_STEP = 8, 25  # seconds between two webhooks
YEARS: Final = 5  # SAT: invoices and yearly returns of five years (webhook articles)
RECENT: Final = timedelta(days=30)  # initial_*_update: the last 30 days
# Rows of one step, the webhook's code and its data.
Find: TypeAlias = Callable[[datetime], tuple[list[Filed], str, JsonObject]]
PLAIN: Final = "historical_update"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One webhook of a sweep and what is collected for it."""

    resource: str
    find: Find


class Refreshes:
    """Runs through a link's resources."""

    def __init__(
        self, timers: Timers, archive: Archive, records: Records, webhooks: BelvoWebhooks, runs: BelvoRuns, rng: Random
    ) -> None:
        self._timers = timers
        self._archive = archive
        self._records = records
        self._webhooks = webhooks
        self._runs = runs
        self._rng = rng

    def start(
        self, request_id: str, kind: str, link: Link, resources: tuple[str, ...], now: Callable[[], datetime]
    ) -> BelvoJob:
        """Begin a refresh or a historical run; it holds the link's session until its last webhook."""
        steps = self._steps(link, resources, is_new=kind == HISTORICAL)
        asked: list[Json] = list(resources)
        drawn = timedelta(seconds=sum(self._rng.uniform(FASTEST_STEP, SLOWEST_STEP) for _ in steps))
        job = self._runs.open(request_id, kind, {"fetch_resources": asked}, link, is_async=True, drawn=drawn)
        if job.outcome != "stuck":
            self._wait(job, steps, 0, now)
        return job

    def at_once(self, link: Link, resources: tuple[str, ...], request_id: str, now: datetime) -> None:
        """Collect and announce everything now."""
        for step in self._steps(link, resources, is_new=False):
            code, data, _ = self._collect(step, now)
            self._webhooks.historical(link, step.resource, code, data, request_id)
        link.last_accessed_at = now

    def _wait(self, job: BelvoJob, steps: list[Step], index: int, now: Callable[[], datetime]) -> None:
        pause = job.duration.total_seconds() / len(steps)
        job.timer = self._timers.after(pause, lambda: self._take(job, steps, index, now))

    def _take(self, job: BelvoJob, steps: list[Step], index: int, now: Callable[[], datetime]) -> None:
        step, is_last = steps[index], index == len(steps) - 1
        if job.outcome == "failed" and index >= len(steps) // 2:
            self._runs.settle(job, "failed")
            self._webhooks.failed(job, step.resource, PLAIN)
            return
        code, data, count = self._collect(step, now())
        job.count += count
        if is_last:
            self._runs.settle(job, "finished")
            job.link.last_accessed_at, job.link.failed_posts = now(), 0
        if job.outcome != "silent" and step.resource not in job.unreported:
            self._webhooks.historical(job.link, step.resource, code, data, str(UUID(job.request_id)))
        if not is_last:
            self._wait(job, steps, index + 1, now)

    def _collect(self, step: Step, now: datetime) -> tuple[str, JsonObject, int]:
        rows, code, data = step.find(now)
        self._archive.keep(step.resource, rows)
        return code, data, len(rows)

    def _steps(self, link: Link, resources: tuple[str, ...], *, is_new: bool) -> list[Step]:
        """Give what is fetched, quick things first; the invoices' years come last."""
        steps = [*self._small(link), *(self._recent(link) if is_new else ()), *self._returns(link)]
        steps += [*self._slow(link), *self._years(link)]
        return [step for step in steps if step.resource in resources]

    def _small(self, link: Link) -> Iterator[Step]:
        def status(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.status(link, now)
            since = link.subject.registered_on.isoformat()
            return rows, PLAIN, {"total_tax_status": len(rows), "last_status_change_date": since}

        def compliance(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.compliance(link, now)
            return rows, PLAIN, {"total_tax_compliance_status": len(rows)}

        yield Step(resource="TAX_STATUS", find=status)
        yield Step(resource="TAX_COMPLIANCE_STATUS", find=compliance)

    def _slow(self, link: Link) -> Iterator[Step]:
        def statements(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.statements(link, now)
            return rows, PLAIN, {"new_financial_statements": len(rows)}

        def retentions(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.retentions(link, now.date() - timedelta(days=365), now.date(), None, now=now)
            first, last = _ends([str(filed.row["issued_at"])[:10] for filed in rows])
            data: JsonObject = {"first_tax_retention_date": first, "last_tax_retention_date": last}
            return rows, PLAIN, {"total_tax_retentions": len(rows), **data}

        yield Step(resource="FINANCIAL_STATEMENTS", find=statements)
        yield Step(resource="TAX_RETENTIONS", find=retentions)

    def _returns(self, link: Link) -> Iterator[Step]:
        """Announce twice: five years, then twelve months."""

        def yearly(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.returns(link, now).yearly(now.year - YEARS, now.year - 1)
            return rows, PLAIN, _return_data("yearly", rows)

        def monthly(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            rows = self._records.returns(link, now).monthly(_a_year_before(now.date()), now.date())
            return rows, PLAIN, _return_data("monthly", rows)

        yield Step(resource="TAX_RETURNS", find=yearly)
        yield Step(resource="TAX_RETURNS", find=monthly)

    def _recent(self, link: Link) -> Iterator[Step]:
        for direction in ("INFLOW", "OUTFLOW"):
            yield self._invoices(link, direction, "initial", lambda today: (today - RECENT, today))

    def _years(self, link: Link) -> Iterator[Step]:
        """Announce one year of one direction each, oldest first."""
        for before in reversed(range(YEARS)):

            def span(today: date, before: int = before) -> tuple[date, date]:
                year = today.year - before
                return date(year, 1, 1), min(date(year, 12, 31), today)

            for direction in ("INFLOW", "OUTFLOW"):
                yield self._invoices(link, direction, "historical", span)

    def _invoices(self, link: Link, direction: str, word: str, span: Callable[[date], tuple[date, date]]) -> Step:
        def find(now: datetime) -> tuple[list[Filed], str, JsonObject]:
            plan = self._records.plan(link, *span(now.date()), direction)
            rows = [self._records.invoice(link, cfdi, now=now, xml=False) for cfdi in plan]
            first, last = _ends([cfdi.issued_on.isoformat() for cfdi in plan])
            data: JsonObject = {"total_invoices": len(plan), "first_invoice_date": first, "last_invoice_date": last}
            return rows, f"{word}_{direction.lower()}_update", data

        return Step(resource="INVOICES", find=find)


def _ends(days: list[str]) -> tuple[str | None, str | None]:
    """Give the first and the last of ordered days; nothing found has neither."""
    return (days[0], days[-1]) if days else (None, None)


def _return_data(kind: str, rows: list[Filed]) -> JsonObject:
    years: list[Json] = []
    for filed in rows:
        general = filed.row["informacion_general"]
        assert isinstance(general, dict)
        years.append(general["ejercicio"])
    first, last = (years[0], years[-1]) if years else (None, None)
    return {
        "type": kind,
        "total_tax_returns": len(rows),
        "first_tax_return_year": first,
        "last_tax_return_year": last,
    }


def _a_year_before(today: date) -> date:
    """Give the first day of the twelve months that are over."""
    number = today.year * 12 + today.month - 13
    return date(number // 12, number % 12 + 1, 1)
