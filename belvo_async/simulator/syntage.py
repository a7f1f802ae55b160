"""A local Syntage: extractions, events, invoices, signed webhooks. Facts from its public pages."""

import hmac
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from belvo_async.simulator.budgets import RouteBudgets
from belvo_async.simulator.faults import AFTER, BEFORE, NO_FAULTS, Faults
from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.origin import Origin
from belvo_async.simulator.postman import Habits
from belvo_async.simulator.syntage_errors import (
    HYDRA_ERRORS,
    LD_JSON,
    REFUSALS,
    conflict,
    hydra_error,
    message,
    violations,
)
from belvo_async.simulator.syntage_lists import (
    CREDENTIAL_FILTERS,
    ENTITY_FILTERS,
    EVENT_FILTERS,
    EXTRACTION_FILTERS,
    EXTRACTION_ORDER,
    INVOICE_FILTERS,
    INVOICE_ORDER,
    Filters,
    page,
)
from belvo_async.simulator.syntage_options import (
    EXTRACTORS,
    check_options,
    echo_options,
    invoice_scope,
    same_options,
)
from belvo_async.simulator.syntage_rows import Entity, collection
from belvo_async.simulator.syntage_runs import Runs, SyntageScript
from belvo_async.simulator.syntage_state import UNDER_WAY, OrderedIds, Shelves, SyntageJob, SyntageOutcome
from belvo_async.simulator.syntage_webhooks import SyntageEvents
from belvo_async.simulator.taxpayers import subject
from belvo_async.simulator.wire import Answer, Call, Json, JsonObject, Route, answer, decode

# Lists that other extractors fill; the simulator gathers nothing for them (no sample data is needed yet).
EMPTY_LISTS = {
    "tax-returns": "TaxReturn",
    "tax-status": "TaxStatus",
    "tax-compliance-checks": "TaxComplianceCheck",
    "tax-retentions": "TaxRetention",
    "electronic-accounting-records": "ElectronicAccountingRecord",
    "datasources/mx/sat/certificados": "SatCertificate",
}


class SyntageSimulator(Origin):
    """A Syntage of your own: `async with SyntageSimulator() as syntage:` and point a client at `syntage.url`.

    Send `api_key` as X-API-Key; deliveries are signed with `signing_secret`. `speed` divides every
    duration of the vendor (jobs, pauses between webhook tries), not the rate limit's window.
    """

    # 3 seconds and up to four retries are documented, their spacing is not: doubled from 10 s.
    habits: ClassVar[Habits] = Habits(
        deadline=timedelta(seconds=3), pauses=tuple(timedelta(seconds=10 * 2**step) for step in range(4))
    )
    request_faults: ClassVar[tuple[str, ...]] = ("rate_limited", "server_error", "lost_202", "slow", "cut_body")

    def __init__(
        self,
        *,
        seed: int = 1,
        speed: float = 1.0,
        faults: Faults = NO_FAULTS,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Callable[[], datetime] | None = None,
        entities: int = 3,
        invoices_per_year: int = 120,
        limits: bool = True,
        rate_limit: int = 60,
        rate_window: timedelta = timedelta(seconds=60),
        webhook_url: str | None = None,
    ) -> None:
        super().__init__(seed=seed, speed=speed, faults=faults, host=host, port=port, now=now, webhook_url=webhook_url)
        keys = self.dice.stream("syntage_keys")
        self.api_key = f"{keys.getrandbits(160):040x}"
        self.signing_secret = f"{keys.getrandbits(128):032x}"
        self.jobs: dict[str, SyntageJob] = {}
        self._limits = limits
        self._budgets = RouteBudgets(rate_limit, rate_window)
        self._entities = {entity.id: entity for entity in self._make_entities(entities)}
        self._ids = OrderedIds(self.dice.stream("extraction_ids"), self.now)
        self._shelves = Shelves(Books(seed, invoices_per_year=invoices_per_year))
        events = OrderedIds(self.dice.stream("event_ids"), self.now)
        self._events = SyntageEvents(self.postman, self.dice, events, self.now, lambda: self.signing_secret)
        self._runs = Runs(self, self._shelves, self._events, self.dice, self.now)

    def _make_entities(self, count: int) -> Iterator[Entity]:
        ids = OrderedIds(self.dice.stream("entity_ids"), lambda: self.now() - timedelta(days=30))
        for index in range(count):
            number = self.dice.stream("credential_ids").getrandbits(128)
            yield Entity(
                id=ids(),
                credential=str(UUID(int=number, version=4)),
                subject=subject(self.seed, index),
                created_at=self.now() - timedelta(days=30),
            )

    # What a test or a demo may ask and order

    @property
    def entities(self) -> tuple[str, ...]:
        """The IRIs of the entities that exist."""
        return tuple(entity.iri for entity in self._entities.values())

    def rfc_of(self, entity: str) -> str:
        """Give the RFC of an entity, named by its IRI."""
        return self._entity(entity).subject.rfc

    def invoices(self, entity: str, options: JsonObject | None = None) -> list[JsonObject]:
        """Give what Syntage holds once an invoice extraction with these options is done, newest first.

        Rows gathered already are given as stored, others as they would be gathered now.
        """
        owner = self._entity(entity)
        scope = invoice_scope(echo_options("invoice", options or {}, self.now()))
        rows = (
            self._shelves.stored(owner, cfdi)
            or self._shelves.row(owner, cfdi, now=self.now(), xml=scope.xml, pdf=scope.pdf)
            for cfdi in self._shelves.plan(owner, scope, self.now())
        )
        return sorted(rows, key=lambda row: str(row["id"]), reverse=True)

    def next_job(
        self,
        *,
        entity: str | None = None,
        extractor: str | None = None,
        outcome: SyntageOutcome = "finished",
        error_code: str = "sat_unavailable",
        duration: timedelta | None = None,
    ) -> None:
        """Script the next accepted extraction (of this entity and extractor, if given).

        `rate_limited` finishes with `rateLimitedAt` and without the later XML; `waiting` waits for
        `duration` (None: until stopped) and then runs; `stuck` runs until stopped.
        """
        self._runs.scripts.append(
            SyntageScript(entity=entity, extractor=extractor, outcome=outcome, error_code=error_code, duration=duration)
        )

    async def deliver(
        self,
        event: JsonObject,
        *,
        secret: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        at: datetime | None = None,
    ) -> int:
        """Send a hand-made event now, once. Returns the status answered (0: none).

        `secret` signs instead of the right one, `at` is the signed time; in `headers` a value
        replaces a header and None leaves it out.
        """
        return await self._events.deliver(event, secret=secret, headers=headers or {}, at=at)

    def events(self) -> list[JsonObject]:
        """Give the events of the last seven days, newest first."""
        return self._events.newest_first()

    def _entity(self, iri: str) -> Entity:
        return self._entities[iri.rpartition("/")[2]]

    # The vendor's side

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/extractions", self._create),
            Route("GET", "/extractions", self._list_extractions),
            Route("GET", "/extractions/{id}", self._get_extraction),
            Route("DELETE", "/extractions/{id}/stop", self._stop),
            Route("GET", "/entities", self._list_entities),
            Route("GET", "/entities/{id}", self._get_entity),
            Route("GET", "/entities/{id}/invoices", self._list_invoices),
            Route("GET", "/invoices/{id}", self._get_invoice),
            Route("GET", "/events", self._list_events),
            Route("GET", "/events/{id}", self._get_event),
            Route("GET", "/credentials", self._list_credentials),
            *(Route("GET", f"/entities/{{id}}/{name}", self._list_nothing) for name in EMPTY_LISTS),
        )

    def known_faults(self) -> frozenset[str]:
        return frozenset(REFUSALS) | frozenset(HYDRA_ERRORS) | AFTER | BEFORE | {"conflict"}

    def no_route(self, status: int) -> Answer:
        return message(status, "Not found." if status == 404 else "Method not allowed.")

    def refuse(self, call: Call, route: str) -> Answer | None:
        if not hmac.compare_digest(call.headers.get("X-API-Key", ""), self.api_key):
            return message(401, "Invalid API key.")
        if not self._budgets.take(route) and self._limits:
            return message(429, "Too many requests.")
        return None

    def fault_answer(self, fault: str, call: Call) -> Answer | None:
        if fault == "conflict":
            body = _object(call)
            return conflict(str((body or {}).get("extractor", "invoice")))
        if fault == "rate_limited":
            reset = str(math.ceil(self.now().timestamp() + 5))
            return replace(
                message(*REFUSALS[fault]), headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            )
        if fault in REFUSALS:
            return message(*REFUSALS[fault])
        return hydra_error(*HYDRA_ERRORS[fault]) if fault in HYDRA_ERRORS else None

    def dress(self, answer: Answer, route: str) -> Answer:
        trace = self.dice.stream("trace").getrandbits(96)
        headers = {
            "X-Request-ID": f"Root=1-{int(self.now().timestamp()):08x}-{trace:024x}",
            **self._budgets.headers(route, self.now()),
        }
        return replace(answer, headers={**headers, **answer.headers})

    async def _create(self, call: Call) -> Answer:
        body = _object(call)
        if body is None:
            return message(400, "Syntax error")
        entity = self._named_entity(body)
        extractor = str(body.get("extractor", ""))
        options = body.get("options") or {}
        problems = [] if entity else [("entity", "Item not found.")]
        if extractor not in EXTRACTORS:
            problems.append(("extractor", "The value you selected is not a valid choice."))
        if not isinstance(options, dict):
            problems.append(("options", "This value should be of type array."))
        if entity is None or problems or not isinstance(options, dict):
            return violations(problems)
        problems = check_options(extractor, options, is_company=entity.subject.is_company)
        if problems:
            return violations(problems)
        if any(self._is_equal(job, entity, extractor, options) for job in self.jobs.values()):
            return conflict(extractor)
        return await self._accept(entity, extractor, options)

    async def _accept(self, entity: Entity, extractor: str, options: JsonObject) -> Answer:
        job = self._runs.new(self._ids(), entity, extractor, options)
        self.jobs[job.id] = job
        accepted = answer(202, {"@context": "/contexts/Extraction", **job.row()}, LD_JSON)
        started = self._runs.begin(job)
        if self.dice.hit("webhook_early") and job.outcome in ("finished", "failed", "rate_limited"):
            await self._events.wait_first([*started, *self._runs.rush(job)])
        return accepted

    def _named_entity(self, body: JsonObject) -> Entity | None:
        """Find the entity by IRI, or by the deprecated taxpayer form."""
        iri, taxpayer = str(body.get("entity") or ""), str(body.get("taxpayer") or "")
        for entity in self._entities.values():
            if iri == entity.iri or (not iri and taxpayer == f"/taxpayers/{entity.subject.rfc}"):
                return entity
        return None

    def _is_equal(self, job: SyntageJob, entity: Entity, extractor: str, options: JsonObject) -> bool:
        return (
            job.status in UNDER_WAY
            and job.entity is entity
            and job.extractor == extractor
            and same_options(extractor, job.requested, options)
        )

    async def _list_extractions(self, call: Call) -> Answer:
        rows = [job.row() for job in reversed(self.jobs.values())]
        return self._page(rows, call, "Extraction", EXTRACTION_FILTERS, EXTRACTION_ORDER)

    async def _get_extraction(self, call: Call) -> Answer:
        job = self.jobs.get(call.args["id"])
        return self._detail(job.row() if job else None, "Extraction")

    async def _stop(self, call: Call) -> Answer:
        job = self.jobs.get(call.args["id"])
        if job is None:
            return message(404, "Not found.")
        if not self._runs.stop(job):
            return hydra_error(409, "The extraction can no longer be stopped.")
        return Answer(status=204)

    async def _list_entities(self, call: Call) -> Answer:
        rows = [entity.row() for entity in reversed(self._entities.values())]
        return self._page(rows, call, "Link", ENTITY_FILTERS, ("createdAt", "updatedAt"))

    async def _get_entity(self, call: Call) -> Answer:
        entity = self._entities.get(call.args["id"])
        return self._detail(entity.row() if entity else None, "Link")

    async def _list_invoices(self, call: Call) -> Answer:
        if call.args["id"] not in self._entities:
            return message(404, "Not found.")
        if "page" in call.query:
            return hydra_error(400, "Only cursor pagination is available for this endpoint.")
        self._gather_so_far()
        rows = self._shelves.newest_first(call.args["id"])
        total = call.headers.get("X-Pagination-Enable-Partial") == "0"
        return self._page(rows, call, "Invoice", INVOICE_FILTERS, INVOICE_ORDER, total=total)

    async def _get_invoice(self, call: Call) -> Answer:
        self._gather_so_far()
        row = self._shelves.find(call.args["id"])
        return self._detail({**row, "tags": []} if row else None, "Invoice")

    async def _list_events(self, call: Call) -> Answer:
        rows: list[JsonObject] = [_member(event) for event in self._events.newest_first()]
        return self._page(rows, call, "Event", EVENT_FILTERS, ("createdAt",))

    async def _get_event(self, call: Call) -> Answer:
        number = call.args["id"]
        found = next((event for event in self._events.newest_first() if event["id"] == number), None)
        return self._detail(found, "Event")

    async def _list_credentials(self, call: Call) -> Answer:
        """The one list of page style here: `page`, and always a total."""
        rows = [entity.credential_row() for entity in reversed(self._entities.values())]
        return self._page(rows, call, "Credential", CREDENTIAL_FILTERS, ("createdAt",), total=True)

    async def _list_nothing(self, call: Call) -> Answer:
        if call.args["id"] not in self._entities:
            return message(404, "Not found.")
        context = EMPTY_LISTS[call.path.split("/", 3)[3]]
        return answer(200, collection(context, call.path, [], None, None), LD_JSON)

    def _gather_so_far(self) -> None:
        for job in self.jobs.values():
            self._runs.gather_so_far(job)

    def _page(
        self,
        rows: Sequence[JsonObject],
        call: Call,
        context: str,
        known: Filters,
        order: Sequence[str],
        *,
        total: bool = False,
    ) -> Answer:
        body = page(rows, call, context=context, known=known, order=order, total=total)
        if body is None:
            return hydra_error(400, "The parameter itemsPerPage must be between 1 and 1000.")
        return answer(200, body, LD_JSON)

    def _detail(self, row: JsonObject | None, context: str) -> Answer:
        if row is None:
            return message(404, "Not found.")
        return answer(200, {"@context": f"/contexts/{context}", **row}, LD_JSON)


def _member(event: JsonObject) -> JsonObject:
    return {name: value for name, value in event.items() if name != "@context"}


def _object(call: Call) -> JsonObject | None:
    try:
        value: Json = decode(call.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
