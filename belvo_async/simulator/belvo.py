"""A local Belvo: links, asynchronous invoices and financial statements, webhooks. Facts from its public pages."""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from belvo_async.simulator.belvo_checks import Problem, check_invoices, check_link
from belvo_async.simulator.belvo_errors import CODES, error, invalid, proxy_page, token_required
from belvo_async.simulator.belvo_lists import (
    INSTITUTION_FILTERS,
    INVOICE_FILTERS,
    LINK_FILTERS,
    STATEMENT_FILTERS,
    FilterError,
    filters,
    page,
    pick,
)
from belvo_async.simulator.belvo_runs import INVOICES, STATEMENTS, BelvoRuns, BelvoScript
from belvo_async.simulator.belvo_state import Archive, BelvoJob, BelvoOutcome, Link
from belvo_async.simulator.belvo_webhooks import BelvoWebhooks
from belvo_async.simulator.budgets import SlidingBudget
from belvo_async.simulator.faults import AFTER, BEFORE, NO_FAULTS, Faults
from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.origin import Origin
from belvo_async.simulator.postman import Habits
from belvo_async.simulator.taxpayers import subject
from belvo_async.simulator.wire import Answer, Call, Json, JsonObject, Route, answer, decode

# 80 requests per 30 s per source IP, then the proxy's 403 page (error catalogue).
BUDGET_CALLS, BUDGET_WINDOW = 80, timedelta(seconds=30)
LINK_STATUS = {"invalid_credentials": "invalid", "token_required": "token_required"}
# Answers that mean the login or the scraping failed; they count against the link.
UNSUCCESSFUL = frozenset({"login_error", "session_expired", "institution_down", "institution_unavailable"})
INSTITUTIONS: list[JsonObject] = [
    {
        "id": number,
        "name": name,
        "type": "fiscal",
        "website": "https://www.sat.gob.mx/",
        "display_name": title,
        "country_codes": ["MX"],
        "primary_color": "#056dae",
        "logo": None,
        "icon_logo": None,
        "text_logo": None,
        "code": None,
        "form_fields": [],
        "features": [],
        "resources": [INVOICES, STATEMENTS],
        "integration_type": "credentials",
        "status": "healthy",
        "openbanking_information": None,
    }
    for number, name, title in ((1003, "tatooine_mx_fiscal", "Tatooine"), (1004, "sat_mx_fiscal", "SAT"))
]


class BelvoSimulator(Origin):
    """A Belvo of your own: `async with BelvoSimulator() as belvo:` and point any client at `belvo.url`.

    Log in with `secret_id` and `secret_password`; deliveries carry `webhook_authorization`.
    `speed` divides every duration of the vendor (jobs, pauses between webhook tries), not the
    rate limit's window. The same seed and the same requests give the same data and outcomes.
    """

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
    ) -> None:
        super().__init__(seed=seed, speed=speed, faults=faults, host=host, port=port, now=now, webhook_url=webhook_url)
        keys = self.dice.stream("keys")
        self.secret_id = str(self._uuid("keys"))
        self.secret_password = f"{keys.getrandbits(192):048x}"
        self.webhook_authorization = f"Bearer {keys.getrandbits(160):040x}"
        self._page_size = page_size_default
        self._limits = limits
        self._budget = SlidingBudget(BUDGET_CALLS, BUDGET_WINDOW)
        self._archive = Archive(Books(seed, invoices_per_year=invoices_per_year), xml_limit_share=xml_limit_share)
        self._links = {link.id: link for link in self._make_links(links)}
        self._webhooks = BelvoWebhooks(self.postman, self.dice, lambda: self.webhook_authorization)
        self._runs = BelvoRuns(self, self._archive, self._webhooks, self.dice.stream("durations"), self.now)

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
        plan = self._archive.plan(owner, date_from, date_to, type)
        rows = (self._archive.invoice(owner, cfdi, now=self.now(), xml=False) for cfdi in plan)
        return [self._archive.invoices.get(str(row["id"]), row) for row in rows]

    def financial_statements(self, link: str) -> list[JsonObject]:
        """Give the financial statements Belvo holds for a link once a request for them is done."""
        return self._archive.statements_of(self._links[link], self.now())

    def next_job(
        self,
        *,
        link: str | None = None,
        outcome: BelvoOutcome = "finished",
        error_code: str = "institution_down",
        duration: timedelta | None = None,
    ) -> None:
        """Script the next accepted job (of `link`, if given).

        `silent` finishes without a webhook; `stuck` never ends and keeps the link's session.
        `duration` is divided by `speed` like any other.
        """
        self._runs.scripts.append(BelvoScript(link=link, outcome=outcome, error_code=error_code, duration=duration))

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

    def emit_historical(self, link: str) -> None:
        """Collect five years at once and announce them, as after creating a link: ten INVOICES
        webhooks (one per year and direction) and one for financial statements.
        """
        owner, now = self._links[link], self.now()
        request_id = str(self._uuid("webhook_requests"))
        for year in range(now.year - 4, now.year + 1):
            for direction in ("INFLOW", "OUTFLOW"):
                last = min(date(year, 12, 31), now.date())
                plan = self._archive.plan(owner, date(year, 1, 1), last, direction)
                for cfdi in plan:
                    self._archive.keep(self._archive.invoice(owner, cfdi, now=now, xml=False))
                self._webhooks.historical(owner, direction, plan, request_id)
        statements = self._archive.statements_of(owner, now)
        self._archive.keep_statements(statements)
        owner.last_accessed_at = now
        self._webhooks.historical_statements(owner, len(statements), request_id)

    async def deliver(self, payload: JsonObject, *, authorization: str | None = None) -> int:
        """Send a hand-made webhook now, once. Returns the status answered (0: none).

        `authorization` None means the right one; an empty string leaves the header out.
        """
        return await self._webhooks.deliver(payload, authorization=authorization)

    # The vendor's side

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/api/", self._hello),
            Route("GET", "/api/institutions/", self._list_institutions),
            Route("GET", "/api/links/", self._list_links),
            Route("GET", "/api/links/{id}/", self._get_link),
            Route("POST", "/api/invoices/", self._post_invoices),
            Route("GET", "/api/invoices/", self._list_invoices),
            Route("GET", "/api/invoices/{id}/", self._get_invoice),
            Route("POST", "/api/financial-statements/", self._post_statements),
            Route("GET", "/api/financial-statements/", self._list_statements),
            Route("GET", "/api/financial-statements/{id}/", self._get_statement),
        )

    def known_faults(self) -> frozenset[str]:
        return frozenset(CODES) | AFTER | BEFORE | {"rate_limited", "html_403", "server_error", "synchronous"}

    def refuse(self, call: Call, route: str) -> Answer | None:
        if self._limits and not self._budget.take():
            return proxy_page()
        if not self._is_known(call.headers.get("Authorization", "")):
            return error("authentication_failed", self._request_id())
        return None

    def no_route(self, status: int) -> Answer:
        return error("not_found" if status == 404 else "method_not_allowed", self._request_id())

    def fault_answer(self, fault: str, call: Call) -> Answer | None:
        if fault == "html_403":
            return proxy_page()
        if fault == "rate_limited":
            # The body of Belvo's 429 is not documented; nothing may be built on it.
            return Answer(status=429, body=b"Too Many Requests", content_type="text/plain")
        code = "unexpected_error" if fault == "server_error" else fault
        if code not in CODES:
            return None
        link = self._links.get(str(_object(call).get("link")))
        if link is not None and call.method == "POST" and code in UNSUCCESSFUL:
            link.count_failure()
        if code == "token_required":
            return token_required(self._request_id(), link.id if link else "")
        return error(code, self._request_id())

    def _is_known(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        right = f"{self.secret_id}:{self.secret_password}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, right)

    async def _hello(self, call: Call) -> Answer:
        return answer(200, {"links": f"{self.url}/api/links/", "invoices": f"{self.url}/api/invoices/"})

    async def _list_institutions(self, call: Call) -> Answer:
        return self._page(INSTITUTIONS, call, INSTITUTION_FILTERS)

    async def _list_links(self, call: Call) -> Answer:
        return self._page([link.row() for link in self._links.values()], call, LINK_FILTERS)

    async def _get_link(self, call: Call) -> Answer:
        link = self._links.get(call.args["id"].lower())
        return self._detail(link.row() if link else None, call)

    async def _list_invoices(self, call: Call) -> Answer:
        self._runs.advance()
        return self._page(list(self._archive.invoices.values()), call, INVOICE_FILTERS)

    async def _get_invoice(self, call: Call) -> Answer:
        self._runs.advance()
        return self._detail(self._archive.invoices.get(call.args["id"].lower()), call)

    async def _list_statements(self, call: Call) -> Answer:
        return self._page(list(self._archive.statements.values()), call, STATEMENT_FILTERS)

    async def _get_statement(self, call: Call) -> Answer:
        return self._detail(self._archive.statements.get(call.args["id"].lower()), call)

    def _page(self, rows: Sequence[JsonObject], call: Call, known: dict[str, tuple[str, ...]]) -> Answer:
        try:
            tests = filters(call.query, known)
        except FilterError as refused:
            return invalid([(str(refused), "invalid", "Enter a valid value.")], self._request_id())
        fitting = [row for row in rows if all(test(row) for test in tests)]
        body = page(fitting, call, origin=self.url, default_size=self._page_size)
        return error("not_found", self._request_id()) if body is None else answer(200, body)

    def _detail(self, row: JsonObject | None, call: Call) -> Answer:
        return error("not_found", self._request_id()) if row is None else answer(200, pick(row, call))

    async def _post_invoices(self, call: Call) -> Answer:
        body = _object(call)
        return await self._retrieve(call, INVOICES, body, check_invoices(body, self.now().date()))

    async def _post_statements(self, call: Call) -> Answer:
        body = _object(call)
        return await self._retrieve(call, STATEMENTS, body, check_link(body))

    async def _retrieve(self, call: Call, resource: str, body: JsonObject, problems: list[Problem]) -> Answer:
        refused = self._refuse_retrieval(body, problems)
        if refused is not None:
            return refused
        # The header's value is case sensitive: another spelling falls back to a synchronous call.
        is_async = call.headers.get("X-Belvo-Request-Mode") == "async" and call.fault != "synchronous"
        link = self._links[str(body["link"]).lower()]
        job = self._runs.start(self._request_id(), resource, body, link, is_async=is_async)
        if not is_async:
            return await self._wait_for(job, call)
        if job.outcome in ("finished", "failed") and self.dice.hit("webhook_early"):
            await self._webhooks.wait_first(self._runs.end(job))
        return answer(202, {"request_id": job.request_id})

    def _refuse_retrieval(self, body: JsonObject, problems: list[Problem]) -> Answer | None:
        request_id = self._request_id()
        if problems:
            return invalid(problems, request_id)
        link = self._links.get(str(body["link"]).lower())
        if link is None:
            message = f'Invalid pk "{body["link"]}" - object does not exist.'
            return invalid([("link", "does_not_exist", message)], request_id)
        if link.status == "token_required":
            return token_required(request_id, link.id)
        if link.status != "valid":
            return error(f"{link.status}_link", request_id)
        if self._runs.running(link.id):
            return error("too_many_sessions", request_id)
        return None

    async def _wait_for(self, job: BelvoJob, call: Call) -> Answer:
        await self.pause(None if job.outcome == "stuck" else job.duration.total_seconds() / self.speed)
        self._runs.end(job)
        if job.state == "failed":
            return error(job.error_code, self._request_id())
        rows: list[Json] = [pick(row, call) for row in self._runs.results(job)]
        return answer(201 if job.saves_data else 200, rows)


def _object(call: Call) -> JsonObject:
    """Read a body as an object; anything else counts as an empty one (every field is then missing)."""
    try:
        value = decode(call.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
