"""A local Syntage: extractions, events, invoices, signed webhooks. Facts from its public pages."""

import hmac
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from ..alterations import Alteration, Alterations
from ..deliveries import Habits
from ..examples import EXAMPLE_SHARE
from ..faults import AFTER, BEFORE, NO_FAULTS, Faults
from ..fiscal import Books
from ..openapi import Manners
from ..origin import NO_DELAY, Origin
from ..rate_limits import RouteBudgets
from ..wire import Incoming, JsonObject, Reply, Route
from .accounts import Accounts, CredentialScript, CredentialStatus
from .catalogue import SyntageCatalogue
from .errors import ERROR_SCHEMA, HYDRA_ERRORS, LD_JSON, REFUSALS, conflict, hydra_error, message
from .exports import ExportOutcome, Exports, ExportScript
from .extractions import Extractions
from .extractors import Gatherer
from .files.held import Files
from .files.storage import DownloadFault, Storage
from .handlers import Handlers, read_object
from .insights.accounting.years import Accounting
from .insights.desk import Insights
from .options import echo_options, invoice_scope
from .ownership.found import FoundEntities
from .ownership.routes import Ownership
from .rows.invoices import Entity, OrderedIds
from .rows.records import Records
from .runs import Runs, SyntageScript
from .state import GatheredRows, SyntageJob, SyntageOutcome
from .tags import Tags
from .webhooks import DEFAULT_SUBSCRIPTION, SyntageEvents
from .workspace.endpoints import Endpoints
from .workspace.setup import Workspace
from .workspace.webhooks import WebhookHandlers


class SyntageSimulator(Origin):
    """A Syntage of your own: `async with SyntageSimulator() as syntage:` and point a client at `syntage.url`.

    Send `api_key` as X-API-Key; deliveries are signed with `signing_secret`. `speed` divides every
    duration of the vendor: jobs, pauses between webhook tries, the rate limit's window; `limits=False` takes the
    limit away. `example_share` of some kinds of rows say a value as the official examples do, against their schema.
    `changes_share` of the receipts and taxpayers come to say something else some day (see `alter`).
    Files are downloaded from `storage`, an origin of its own. Of the events, which are all listed,
    those of `webhook_events` are delivered too, to `webhook_url`, the first of its webhook endpoints. A CIEC of
    `refused-ciec1` is refused by the SAT.
    """

    manners: ClassVar[Manners] = Manners(
        title="Syntage, simulated",
        login={"type": "apiKey", "in": "header", "name": "X-API-Key"},
        media_type=LD_JSON,
        error=ERROR_SCHEMA,
    )
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
        webhook_events: Collection[str] = DEFAULT_SUBSCRIPTION,
        answer_delay: timedelta = NO_DELAY,
        storage_port: int = 0,
        example_share: float = EXAMPLE_SHARE,
        changes_share: float = 0.0,
    ) -> None:
        super().__init__(
            seed=seed,
            speed=speed,
            faults=faults,
            host=host,
            port=port,
            now=now,
            webhook_url=webhook_url,
            answer_delay=answer_delay,
        )
        keys = self.dice.stream("syntage_keys")
        self.api_key = f"{keys.getrandbits(160):040x}"
        self.signing_secret = f"{keys.getrandbits(128):032x}"
        self.jobs: dict[str, SyntageJob] = {}
        self._added = 0  # files, by `add_file`
        self._limits = limits
        self._budgets = RouteBudgets(rate_limit, rate_window / speed)
        self._books = Books(seed, invoices_per_year=invoices_per_year)
        self._gathered_rows = GatheredRows(self._books, Alterations(seed, changes_share, self.now))
        self._events = self._make_events(webhook_events)
        self._records = Records(self._events)
        self._files = Files(self._events, self.now)
        self._found = FoundEntities(self.dice, self.now, self._events)
        self._gatherer = Gatherer(
            seed, self._gathered_rows, self._records, self._files, self._events, self.now, example_share, self._found
        )
        self._runs = self._make_runs()
        self._accounts = self._make_accounts()
        self._extractions = self._make_extractions()
        self._accounts.populate(entities)
        self._ownership = self._make_ownership()
        self._catalogue = self._make_catalogue()
        self._insights = self._make_insights()
        self._exports = self._make_exports()
        self._workspace = Workspace(self, self._extractions, self._catalogue, self._gathered_rows, self._records)
        self.storage = Storage(host=host, port=storage_port, dice=self.dice, now=self.now)

    def _make_events(self, subscribed: Collection[str]) -> SyntageEvents:
        ids = OrderedIds(self.dice.stream("event_ids"), self.now)
        endpoints = Endpoints(self.sender, self.dice, self.now, lambda: self.signing_secret, subscribed)
        return SyntageEvents(self.sender, self.dice, ids, self.now, endpoints)

    def _make_runs(self) -> Runs:
        def is_authorized(entity: Entity) -> bool:
            return self._workspace.authorizations.covers(entity)

        return Runs(self, self._gatherer, self._events, self.dice, self.now, is_authorized)

    def _make_accounts(self) -> Accounts:
        return Accounts(
            seed=self.seed, timers=self, events=self._events, dice=self.dice, now=self.now,
            tags=Tags(self.dice, self.now), on_answer=lambda entity: self._extractions.release(entity),
            on_delete=self._forget,
        )  # fmt: skip

    def _make_extractions(self) -> Extractions:
        return Extractions(
            jobs=self.jobs, runs=self._runs, accounts=self._accounts, events=self._events, dice=self.dice,
            new_id=OrderedIds(self.dice.stream("extraction_ids"), self.now),
        )  # fmt: skip

    def _make_ownership(self) -> Ownership:
        return Ownership(
            accounts=self._accounts, found=self._found, records=self._records, files=self._files,
            onboard=lambda entity, body: self._workspace.onboard(entity, body), url=lambda: self.url,
        )  # fmt: skip

    def _make_catalogue(self) -> SyntageCatalogue:
        return SyntageCatalogue(
            accounts=self._accounts, gathered_rows=self._gathered_rows, records=self._records,
            refresh=self._extractions.gather_so_far, more=self._ownership.listings(),
        )  # fmt: skip

    def _make_insights(self) -> Insights:
        return Insights(
            seed=self.seed, accounts=self._accounts, gathered_rows=self._gathered_rows, records=self._records,
            parts=self._catalogue.parts, accounting=Accounting(self._books), jobs=self.jobs,
            scores=lambda entity: self._workspace.scores.of(entity),
            newest_scores=lambda: self._workspace.scores.everywhere(),
            refresh=self._extractions.gather_so_far, now=self.now,
        )  # fmt: skip

    def _make_exports(self) -> Exports:
        return Exports(
            timers=self, events=self._events, files=self._files, dice=self.dice, now=self.now,
            resolve=self._catalogue.resolve,
        )  # fmt: skip

    async def start(self) -> None:
        """Listen, the storage as well. Afterwards `url` is set; port 0 takes any free port."""
        await super().start()
        await self.storage.start()

    async def close(self) -> None:
        """Stop listening; ends waiting requests, jobs and deliveries. Closing twice is harmless."""
        await super().close()
        await self.storage.close()

    # What a test or a demo may ask and order

    @property
    def entities(self) -> tuple[str, ...]:
        """The IRIs of the entities that exist."""
        return tuple(entity.iri for entity in self._accounts.entities.values())

    @property
    def webhook_endpoints(self) -> Endpoints:
        """Where events are delivered, and what became of it."""
        return self._events.endpoints

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
            self._gathered_rows.stored(owner, cfdi)
            or self._gathered_rows.row(owner, cfdi, now=self.now(), xml=scope.xml, pdf=scope.pdf)
            for cfdi in self._gathered_rows.plan(owner, scope, self.now())
            if not self._gathered_rows.alterations.is_gone(cfdi)
        )
        return sorted(rows, key=lambda row: str(row["id"]), reverse=True)

    def alter(self, alteration: Alteration, of: str, *, seen: bool = False) -> None:
        """Let the SAT say something else from now on, of a receipt (its fiscal uuid) or of a taxpayer (RFC).

        Receipts are `respelled` (in another way each week, in nothing but spelling), `cancelled`, `repriced` or
        `vanished`; taxpayers are on the list of article 69-B as `presumed` or `definitive`, have an opinion that is
        `compliant` or `negative`, or are `suspended`. Extractions that gather it afterwards bring it. With `seen`,
        Syntage has gathered a receipt again by itself: its row changes at once, `updatedAt` moves, an event tells it.
        """
        self._gathered_rows.alterations.order(alteration, of)
        if seen:
            for owner, cfdi, row in self._gathered_rows.by_uuid(of):
                self._gatherer.look_again(self._accounts.entities[owner], cfdi, row)

    def verify(self, entity: str) -> None:
        """Let the next RPC extraction of an entity bring a (new) Company Verification report.

        The first of every other company brings one by chance of the seed; Syntage names no extractor for it.
        """
        self._found.order(self._entity(entity))

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

    def next_credential(
        self, *, status: CredentialStatus, duration: timedelta | None = None, reason: str | None = None
    ) -> None:
        """Script what the SAT says of the next credential checked, after `duration` (None: 10 to 20 s).

        `waiting` becomes valid after `duration` (None: stays so until revalidated); `reason` is
        shown as `statusReason`.
        """
        self._accounts.scripts.append(CredentialScript(status=status, duration=duration, reason=reason))

    def next_export(
        self,
        *,
        outcome: ExportOutcome = "finished",
        duration: timedelta | None = None,
        size_bytes: int | None = None,
    ) -> None:
        """Script the next accepted export; `stuck` runs for ever, `size_bytes` makes its file that long."""
        self._exports.scripts.append(ExportScript(outcome=outcome, duration=duration, size_bytes=size_bytes))

    def next_download(self, fault: DownloadFault) -> None:
        """Spoil the next download from the storage."""
        self.storage.faults.append(fault)

    def add_file(self, size_bytes: int, *, filename: str = "big.bin") -> str:
        """Hold one more file of that size, made up as it is read. Gives its id; names may repeat."""
        self._added += 1
        return self._files.hold(
            "simulated", f"/simulated/{self._added}", lambda: b"0123456789abcdef", extension="bin", name=filename,
            padding=size_bytes,
        ).id  # fmt: skip

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

    def events(self, kinds: Collection[str] | None = None) -> list[JsonObject]:
        """Give the events of the last seven days, newest first: those of `webhook_events`, or of these kinds."""
        return self._events.newest_first(self._events.subscribed if kinds is None else kinds)

    def rows(self, path: str) -> list[JsonObject]:
        """Give what Syntage holds in a list (`/entities/{id}/tax-returns`, filters allowed), newest first.

        Raises ValueError for a path that is no list.
        """
        source = self._catalogue.resolve(path)
        if source is None or source.rows is None:
            raise ValueError("no list of that path")
        return source.rows()

    def scores(self, entity: str) -> list[JsonObject]:
        """Give the scores of an entity, newest first: none before one was calculated."""
        return [*self._workspace.scores.of(self._entity(entity).id)]

    def _entity(self, iri: str) -> Entity:
        return self._accounts.entities[iri.rpartition("/")[2]]

    def _forget(self, entity: Entity) -> None:
        self._extractions.forget(entity)
        for row in self._gathered_rows.newest_first(entity.id):
            self._accounts.tags.forget(str(row["id"]))
        self._gathered_rows.drop(entity.id)
        self._records.drop(entity.id)
        self._found.forget(entity.id)
        self._files.drop(entity.id)
        self._exports.drop(entity)
        self._workspace.drop(entity)

    # The vendor's side

    def routes(self) -> Sequence[Route]:
        handlers = Handlers(
            accounts=self._accounts,
            exports=self._exports,
            files=self._files,
            storage=self.storage,
            gathered_rows=self._gathered_rows,
            records=self._records,
            events=self._events,
            dice=self.dice,
            onboard=self._workspace.onboard,
            url=lambda: self.url,
        )
        routes = (
            *self._extractions.routes(),
            *handlers.routes(),
            *self._catalogue.routes(),
            *self._insights.routes(),
            *self._workspace.routes(),
            *WebhookHandlers(endpoints=self.webhook_endpoints).routes(),
            *self._ownership.routes(),
        )
        # A path that is written out goes before one with a placeholder: /invoices/payments, /invoices/{id}.
        return sorted(routes, key=lambda route: route.template.count("{"))

    def known_faults(self) -> frozenset[str]:
        return frozenset(REFUSALS) | frozenset(HYDRA_ERRORS) | AFTER | BEFORE | {"conflict"}

    def no_route(self, status: int) -> Reply:
        return message(status, "Not found." if status == 404 else "Method not allowed.")

    def refuse(self, call: Incoming, route: str) -> Reply | None:
        if not hmac.compare_digest(call.headers.get("X-API-Key", ""), self.api_key):
            return message(401, "Invalid API key.")
        if not self._budgets.take(route) and self._limits:
            return message(429, "Too many requests.")
        return None

    def fault_answer(self, fault: str, call: Incoming) -> Reply | None:
        if fault == "conflict":
            body = read_object(call)
            return conflict(str((body or {}).get("extractor", "invoice")))
        if fault == "rate_limited":
            reset = str(math.ceil(self.now().timestamp() + 5 / self.speed))
            return replace(
                message(*REFUSALS[fault]), headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            )
        if fault in REFUSALS:
            return message(*REFUSALS[fault])
        return hydra_error(*HYDRA_ERRORS[fault]) if fault in HYDRA_ERRORS else None

    def dress(self, answer: Reply, route: str) -> Reply:
        trace = self.dice.stream("trace").getrandbits(96)
        headers = {
            "X-Request-ID": f"Root=1-{int(self.now().timestamp()):08x}-{trace:024x}",
            **self._budgets.headers(route, self.now()),
        }
        return replace(answer, headers={**headers, **answer.headers})
