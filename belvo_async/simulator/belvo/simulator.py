"""A local Belvo: links, every fiscal resource of Mexico, refreshes, webhooks. Facts from its public pages."""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from ..alterations import Alteration, Alterations
from ..deliveries import Habits
from ..examples import EXAMPLE_SHARE
from ..faults import AFTER, BEFORE, NO_FAULTS, Faults
from ..fiscal import Books
from ..openapi import Manners
from ..origin import NO_DELAY, Origin
from ..rate_limits import SlidingBudget
from ..taxpayers import subject
from ..wire import Incoming, Json, JsonObject, Reply, Route
from .bulk import copies
from .catalogue import CATALOGUE
from .context import BelvoContext, read_object
from .errors import CODES, ERROR_SCHEMA, error, proxy_page, slow_down
from .linking.checks import FETCHABLE
from .linking.links import Linking
from .linking.tokens import Tokens
from .linking.widget import TOKEN_ROUTE, Widget
from .reads import BelvoReads
from .refreshes import Refreshes
from .retrievals import Retrievals
from .rows.records import Records
from .runs import BelvoRuns
from .state import KINDS, OUTCOMES, Archive, BelvoJob, BelvoOutcome, BelvoScript, Link
from .webhooks import BelvoWebhooks

# 80 requests per 30 s per source IP, then the proxy's 403 page (error catalogue).
BUDGET_CALLS, BUDGET_WINDOW = 80, timedelta(seconds=30)
LINK_STATUS: Final = {"invalid_credentials": "invalid", "token_required": "token_required"}
# Answers that mean the login or the scraping failed; they count against the link.
UNSUCCESSFUL: Final = frozenset({"login_error", "session_expired", "institution_down", "institution_unavailable"})


class BelvoSimulator(Origin):
    """A Belvo of your own: `async with BelvoSimulator() as belvo:` and point any client at `belvo.url`.

    Log in with `secret_id` and `secret_password`; deliveries carry `webhook_authorization`.
    `speed` divides every duration of the vendor: jobs, pauses between webhook tries, the rate limit's window;
    `limits=False` takes the limits away. The same seed and the same requests give the same data and outcomes.
    `answer_delay` holds every answer back that long, undivided. `example_share` of the financial statements say their
    year as a number, as the official examples do. `changes_share` of the receipts and taxpayers
    come to say something else some day (see `alter`). A path without its last slash is redirected, as Django does.

    `POST /api/links/` takes any RFC. Three passwords have a meaning: `wrongpass` is refused with
    `login_error`, `tokenlogin` asks for a token once (428), `tokenalways` also at every retrieval. The token
    is `48213`, as the 428 shows, another is a `login_error`. PATCH on invoices goes on with a request for invoices;
    PATCH on links confirms a link and, after the 428 of any other resource, lets the next request for it through.
    """

    manners: ClassVar[Manners] = Manners(
        title="Belvo, simulated: fiscal resources for Mexico",
        login={"type": "http", "scheme": "basic"},
        media_type="application/json",
        error=ERROR_SCHEMA,
    )
    # "within five seconds", three further tries 60 s apart (checklist; payments pages).
    habits: ClassVar[Habits] = Habits(deadline=timedelta(seconds=5), pauses=(timedelta(seconds=60),) * 3)
    request_faults: ClassVar[tuple[str, ...]] = (
        "rate_limited", "html_403", "server_error", "lost_202", "synchronous", "slow", "cut_body",
    )  # fmt: skip

    def __init__(
        self,
        *,
        seed: int = 1,
        speed: float = 1.0,
        faults: Faults = NO_FAULTS,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Callable[[], datetime] | None = None,
        links: int = 3,
        invoices_per_year: int = 120,
        page_size_default: int = 100,
        limits: bool = True,
        webhook_url: str | None = None,
        xml_limit_share: float = 0.02,
        retentions_per_year: int = 24,
        answer_delay: timedelta = NO_DELAY,
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
        keys = self.dice.stream("keys")
        self.secret_id = str(self._uuid("keys"))
        self.secret_password = f"{keys.getrandbits(192):048x}"
        self.webhook_authorization = f"Bearer {keys.getrandbits(160):040x}"
        self._limits = limits
        self._budget = SlidingBudget(BUDGET_CALLS, BUDGET_WINDOW / speed)
        self._links = {link.id: link for link in self._make_links(links)}
        books = Books(seed, invoices_per_year=invoices_per_year)
        records = Records(
            books,
            Alterations(seed, changes_share, self.now),
            xml_limit_share=xml_limit_share,
            retentions_per_year=retentions_per_year,
            example_share=example_share,
        )
        self._context = self._make_context(records, page_size_default)
        self._records, self._archive = records, self._context.archive
        self._webhooks, self._runs, self._refreshes = (
            self._context.webhooks,
            self._context.runs,
            self._context.refreshes,
        )
        widget = Widget(self._context, is_key=self._is_key, is_logged_in=self._is_logged_in)
        self._handlers = (BelvoReads(self._context), Retrievals(self._context), Linking(self._context), widget)

    def _make_context(self, records: Records, page_size: int) -> BelvoContext:
        archive = Archive()
        webhooks = BelvoWebhooks(self.sender, self.dice, lambda: self.webhook_authorization)
        runs = BelvoRuns(self, archive, records, webhooks, self.dice.stream("durations"), self.now)
        return BelvoContext(
            origin=self,
            links=self._links,
            records=records,
            archive=archive,
            webhooks=webhooks,
            runs=runs,
            refreshes=Refreshes(self, archive, records, webhooks, runs, self.dice.stream("sweeps")),
            tokens=Tokens(),
            new_id=lambda purpose: self._uuid(purpose).hex,
            page_size=page_size,
            limits=self._limits,
        )

    def _make_links(self, count: int) -> Iterator[Link]:
        for index in range(count):
            yield Link(
                id=str(self._uuid("links")),
                subject=subject(self.seed, index),
                external_id=f"sim-{index:06}",
                institution_user_id=base64.urlsafe_b64encode(self.dice.stream("links").randbytes(32)).decode(),
                created_by=str(self._uuid("links")),
                created_at=self.now() - timedelta(days=30),
            )

    def _uuid(self, purpose: str) -> UUID:
        return UUID(int=self.dice.stream(purpose).getrandbits(128), version=4)

    def _request_id(self) -> str:
        return self._uuid("request_ids").hex

    # What a test or a demo may ask and order

    @property
    def jobs(self) -> Mapping[str, BelvoJob]:
        """Every accepted POST by its request id (32 hex digits), oldest first."""
        return self._runs.jobs

    @property
    def links(self) -> tuple[str, ...]:
        """The ids of the links that exist."""
        return tuple(self._links)

    def rfc_of(self, link: str) -> str:
        """Give the RFC of a link's owner."""
        return self._links[link].subject.rfc

    def invoices(self, link: str, date_from: date, date_to: date, type: str | None = None) -> list[JsonObject]:
        """Give what Belvo holds for such a request once it is done, oldest first.

        Rows collected already are given as stored, others as they would be collected now (no XML).
        """
        owner = self._links[link]
        plan = self._records.plan(owner, date_from, date_to, type)
        rows = [self._records.invoice(owner, cfdi, now=self.now(), xml=False) for cfdi in plan]
        return [(self._archive.get("INVOICES", filed.id) or filed).row for filed in rows]

    def financial_statements(self, link: str) -> list[JsonObject]:
        """Give the financial statements Belvo holds for a link once a request for them is done."""
        return self.records("FINANCIAL_STATEMENTS", link)

    def records(self, resource: str, link: str, **order: Json) -> list[JsonObject]:
        """Give the rows a POST with such fields would bring now: `records("TAX_RETURNS", link, type="yearly", ...)`.

        Raises ValueError when Belvo would refuse the fields.
        """
        body: JsonObject = {"link": link, **order}
        check = next(each.check for each in CATALOGUE if each.name == resource)
        problems = check(body, self.now().date())
        if problems:
            raise ValueError(f"Belvo refuses this: {problems}")
        return [filed.row for filed in self._records.bring(resource, self._links[link], body, self.now())]

    def stock_invoices(
        self, link: str, count: int, *, date_from: date, date_to: date, type: str = "INFLOW", in_front: bool = False
    ) -> None:
        """Put `count` invoices of one direction into the list at once, dates spread evenly; for measurements.

        They are copies of a few hundred generated ones under ids of their own, so that many pages cost little. They
        come on top of what jobs collect and of those stocked before; `invoices_per_year=0` leaves the list to them.
        `in_front` puts them before all others, which moves the rows of every page.
        """
        # One stream for all calls: the same order twice is twice as many invoices, never the same ids again.
        rng, owner = self.dice.stream("stocked_invoices"), self._links[link]
        rows = copies(self._records, owner, count, date_from, date_to, type, now=self.now(), rng=rng)
        self._archive.keep("INVOICES", rows, in_front=in_front)

    def alter(self, alteration: Alteration, of: str) -> None:
        """Let the SAT say something else from now on, of a receipt (its fiscal uuid) or of a taxpayer (RFC).

        Receipts are `respelled` (in another way each week, in nothing but spelling), `cancelled`, `repriced` or
        `vanished`; taxpayers are on the list of article 69-B as `presumed` or `definitive`, have an opinion that is
        `compliant` or `negative`, or are `suspended`. Requests that collect it afterwards bring it; no webhook tells
        of it, since Belvo documents none.
        """
        self._records.alterations.order(alteration, of)

    def next_job(
        self,
        *,
        link: str | None = None,
        resource: str | None = None,
        outcome: BelvoOutcome = "finished",
        error_code: str = "institution_down",
        duration: timedelta | None = None,
        unreported: Iterable[str] = (),
    ) -> None:
        """Script the next accepted request (of `link` and `resource`, if given): retrieval, refresh or deletion.

        `silent` finishes without a webhook; `stuck` never ends and keeps the link's session. `duration` is
        divided by `speed` like any other; a synchronous retrieval is cut off after five minutes (408). A refresh
        says nothing of its `unreported` resources, and `failed` stops it half-way. `resource` may also be `REFRESH`,
        `LINK_DELETION`, or `HISTORICAL`: what follows a link's creation is scripted by that name only.
        """
        _must_be_one_of("outcome", outcome, OUTCOMES)
        if resource is not None:
            _must_be_one_of("resource", resource, KINDS)
        quiet = frozenset(unreported)
        for each in quiet:
            _must_be_one_of("resource", each, FETCHABLE)
        script = BelvoScript(
            link=link,
            resource=resource,
            outcome=outcome,
            error_code=error_code,
            duration=duration,
            unreported=quiet,
        )
        self._runs.scripts.append(script)

    def set_link_status(self, link: str, status: str) -> None:
        """Set `valid`, `invalid`, `token_required` or `unconfirmed`, without any webhook."""
        self._links[link].status = status

    def invalidate_link(self, link: str, code: str = "invalid_credentials") -> None:
        """Break a link: `invalid_credentials` or `token_required`. Its running job dies unannounced.

        Sends the LINK webhook, with a request id of its own.
        """
        owner = self._links[link]
        owner.status = LINK_STATUS[code]
        self._runs.drop(link)
        self._webhooks.link_event(owner, code, str(self._uuid("webhook_requests")))

    def emit_historical(self, link: str, resources: Sequence[str] | None = None) -> None:
        """Collect the resources (None: the link's own) at once and announce them as a refresh does.

        Ten INVOICES webhooks (one per year and direction), two for tax returns, one for each of the others.
        """
        owner = self._links[link]
        wanted = owner.fetch_resources if resources is None else tuple(resources)
        self._refreshes.at_once(owner, wanted, str(self._uuid("webhook_requests")), self.now())

    async def deliver(self, payload: JsonObject, *, authorization: str | None = None) -> int:
        """Send a hand-made webhook now, once. Returns the status answered (0: none).

        `authorization` None means the right one; an empty string leaves the header out.
        """
        return await self._webhooks.deliver(payload, authorization=authorization)

    # The vendor's side

    def routes(self) -> Sequence[Route]:
        return [route for handler in self._handlers for route in handler.routes()]

    def known_faults(self) -> frozenset[str]:
        return frozenset(CODES) | AFTER | BEFORE | {"rate_limited", "html_403", "server_error", "synchronous"}

    def refuse(self, call: Incoming, route: str) -> Reply | None:
        if self._limits and not self._budget.take():
            return proxy_page()
        if route != TOKEN_ROUTE and not self._is_logged_in(call):
            return error("authentication_failed", self._request_id())
        return None

    def elsewhere(self, call: Incoming) -> Reply | None:
        # Django's APPEND_SLASH: 301 whatever the method (after which most clients ask again by GET, without their
        # body), before anybody looks at the credentials. Only where the path with the slash is known.
        path = f"{call.path}/"
        if call.path.endswith("/") or not self.knows(path):
            return None
        return Reply(status=301, content_type="text/html; charset=utf-8", headers={"Location": path + call.asked})

    def no_route(self, status: int) -> Reply:
        return error("not_found" if status == 404 else "method_not_allowed", self._request_id())

    def fault_answer(self, fault: str, call: Incoming) -> Reply | None:
        if fault == "html_403":
            return proxy_page()
        if fault == "rate_limited":
            return slow_down()
        code = "unexpected_error" if fault == "server_error" else fault
        if code not in CODES:
            return None
        body = read_object(call)
        link = self._links.get(str(body.get("link")).lower())
        if link is not None and call.method == "POST" and code in UNSUCCESSFUL:
            link.count_failure()
        if code != "token_required":
            return error(code, self._request_id())
        # A POST or PUT suspends itself, so that its session can be resumed.
        return None if call.method in ("POST", "PUT") else error(code, self._request_id())

    def _is_logged_in(self, call: Incoming) -> bool:
        scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and self._is_key(given)

    def _is_key(self, given: bytes) -> bool:
        return hmac.compare_digest(given, f"{self.secret_id}:{self.secret_password}".encode())


def _must_be_one_of(what: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        raise ValueError(f"unknown {what} {word!r}; known: {', '.join(known)}")
