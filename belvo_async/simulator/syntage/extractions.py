"""Extractions at the simulated Syntage: taken, refused, shown, stopped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..faults import Dice
from ..wire import Incoming, JsonObject, Reply, Route, answer
from .accounts import Accounts
from .catalogue import Listing, detail
from .errors import LD_JSON, conflict, hydra_error, message, violations
from .handlers import read_object
from .lists import EXTRACTION_FILTERS, EXTRACTION_ORDER
from .options import EXTRACTORS, check_options, same_options
from .rows.invoices import Entity
from .runs import Runs
from .state import UNDER_WAY, SyntageJob
from .webhooks import SyntageEvents


@dataclass(frozen=True, kw_only=True)
class Extractions:
    """Keeps every extraction, oldest first; `new_id` names the next."""

    jobs: dict[str, SyntageJob]
    runs: Runs
    accounts: Accounts
    events: SyntageEvents
    dice: Dice
    new_id: Callable[[], str]

    def routes(self) -> Iterator[Route]:
        """Give their routes."""
        listing = Listing(
            template="/extractions",
            context="Extraction",
            rows=lambda _: [job.row() for job in reversed(self.jobs.values())],
            known=EXTRACTION_FILTERS,
            order=EXTRACTION_ORDER,
        )
        yield Route("POST", "/extractions", self._create)
        yield listing.route()
        yield Route("GET", "/extractions/{id}", self._get)
        yield Route("DELETE", "/extractions/{id}/stop", self._stop)

    async def _create(self, call: Incoming) -> Reply:
        body = read_object(call)
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

    async def _accept(self, entity: Entity, extractor: str, options: JsonObject) -> Reply:
        job = self.runs.new(self.new_id(), entity, extractor, options)
        self.jobs[job.id] = job
        accepted = answer(202, {"@context": "/contexts/Extraction", **job.row()}, LD_JSON)
        started = self.runs.begin(job)
        if self.dice.hit("webhook_early") and job.outcome in ("finished", "failed", "rate_limited"):
            await self.events.wait_first([*started, *self.runs.rush(job)])
        return accepted

    def extract(self, entity: Entity, extractor: str, options: JsonObject) -> None:
        """Begin an extraction that nobody asked for by itself, unless an equal one is under way."""
        if any(self._is_equal(job, entity, extractor, options) for job in self.jobs.values()):
            return
        job = self.runs.new(self.new_id(), entity, extractor, options)
        self.jobs[job.id] = job
        self.runs.begin(job)

    def _named_entity(self, body: JsonObject) -> Entity | None:
        """Find the entity by IRI, or by the deprecated taxpayer form."""
        iri, taxpayer = str(body.get("entity") or ""), str(body.get("taxpayer") or "")
        for entity in self.accounts.entities.values():
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

    async def _get(self, call: Incoming) -> Reply:
        job = self.jobs.get(call.args["id"])
        return detail(job.row() if job else None, "Extraction")

    async def _stop(self, call: Incoming) -> Reply:
        job = self.jobs.get(call.args["id"])
        if job is None:
            return message(404, "Not found.")
        if not self.runs.stop(job):
            return hydra_error(409, "The extraction can no longer be stopped.")
        return Reply(status=204)

    def gather_so_far(self) -> None:
        """Let running extractions show what they have gathered."""
        for job in self.jobs.values():
            self.runs.gather_so_far(job)

    def release(self, entity: Entity) -> None:
        """Let an entity's waiting extractions go on, as far as they have what they lacked."""
        for job in self.jobs.values():
            if job.entity is entity:
                self.runs.release(job)

    def forget(self, entity: Entity) -> None:
        """Drop what runs, or ran, for an entity."""
        for job in [job for job in self.jobs.values() if job.entity is entity]:
            self.runs.drop(job)
            del self.jobs[job.id]
