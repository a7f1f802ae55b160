"""Where insights are answered, and given as files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, TypeAlias

from ...taxpayers import lenders, public_bodies
from ...wire import Handler, Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import Accounts
from ..errors import LD_JSON, hydra_error, message, violations
from ..files.held import MIME_TYPES
from ..files.tables import WRITERS
from ..lists import numbered_page
from ..options import Problem
from ..rows.invoice_parts import InvoiceParts
from ..rows.invoices import Entity
from ..rows.records import Records
from ..state import GatheredRows, SyntageJob
from .accounting.balances import account_rows, trial_balance
from .accounting.ratios import financial_ratios, ratio_rows
from .accounting.statements import balance_sheet, category_rows, income_statement
from .accounting.years import Accounting
from .holdings import Holdings
from .moratory import interest
from .networks import customers as customer_network, vendors as vendor_network, years
from .options import PERIOD, PERIODICITIES, Question, read_asked
from .risks import risk_rows, risks
from .scores import buro_summary, distribution, scores
from .series import cash_flow, employees, expenditures, payable, receivable, sales_revenue
from .shares import blacklist, bought, concentration, customers, government, institutions, sold, suppliers
from .summary import summary

Rows: TypeAlias = Sequence[JsonObject]
ROOM: Final = "/entities/{id}/insights/"
_PAGES: Final = ("page", "itemsPerPage")
_SERIES: Final = (*PERIOD, "options[periodicity]")
_FORMAT: Final = ("X-Insight-Format",)
BURO_SUMMARY: Final = "metrics/buro-de-credito/summary"


def _data(found: Json) -> Rows:
    rows = found.get("data") if isinstance(found, dict) else found
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _sides(found: Json) -> Rows:
    """Put arrays that stand under several names of `data` under each other, each row with its name."""
    sides = found.get("data") if isinstance(found, dict) else None
    named = sides.items() if isinstance(sides, dict) else ()
    return [{"series": name, **row} for name, rows in named for row in _data(rows)]


def _institution_months(found: Json) -> Rows:
    return _data(found["monthlyByInstitution"]) if isinstance(found, dict) else []


def _scored(found: Json) -> Rows:
    rows = found["scores"] if isinstance(found, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _alone(found: Json) -> Rows:
    return [found] if isinstance(found, dict) else []


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One insight that is answered whole. `table` gives its rows for a file; with `is_typed`, a type must be named."""

    name: str
    make: Callable[[Holdings, Question], Json]
    query: Sequence[str] = PERIOD
    types: Sequence[str] = ()
    is_typed: bool = False
    periodicities: Sequence[str] = PERIODICITIES
    table: Callable[[Json], Rows] = _data
    headers: Sequence[str] = ()
    media_type: str = LD_JSON


@dataclass(frozen=True, kw_only=True)
class PagedInsight:
    """One insight in pages. `context` is its name in JSON-LD; without one, pages have no links and no envelope."""

    name: str
    make: Callable[[Holdings, Question], Rows]
    context: str | None = None
    query: Sequence[str] = ()


INSIGHTS: Final[Sequence[Insight]] = (
    Insight(name="accounts-payable", make=payable, query=_SERIES, table=_sides, headers=("Accept-Language",)),
    Insight(name="accounts-receivable", make=receivable, query=_SERIES, table=_sides, headers=("Accept-Language",)),
    Insight(
        name="cash-flow-stats",
        make=cash_flow,
        query=(*_SERIES, "options[type]"),
        types=("total", "payment-method", "currency", "invoice-type"),
    ),
    Insight(
        name="expenditures",
        make=expenditures,
        query=(*_SERIES, "options[type]"),
        types=("total", "currency", "counterparty", "invoice-type", "payment-type"),
    ),
    Insight(
        name="sales-revenue",
        make=sales_revenue,
        query=(*_SERIES, "options[type]"),
        types=("total", "currency", "customers", "export", "customer-type", "payment-type"),
    ),
    Insight(name="employees", make=employees, query=_SERIES),
    Insight(
        name="invoicing-concentration",
        make=concentration,
        query=(*PERIOD, "options[type]"),
        types=("issued", "received"),
        is_typed=True,
        media_type="application/json",
    ),
    Insight(name="customer-concentration", make=customers),
    Insight(name="supplier-concentration", make=suppliers),
    Insight(name="moratory-interest", make=interest, table=_institution_months),
    Insight(name="financial-institutions", make=institutions),
    Insight(name="government-customers", make=government),
    Insight(name="invoicing-blacklist", make=blacklist, table=_sides),
    Insight(
        name="metrics/balance-sheet",
        make=balance_sheet,
        table=category_rows,
        headers=_FORMAT,
        media_type="application/json",
    ),
    Insight(
        name="metrics/income-statement",
        make=income_statement,
        table=category_rows,
        headers=_FORMAT,
        media_type="application/json",
    ),
    Insight(
        name="trial-balance",
        make=trial_balance,
        query=_SERIES,
        periodicities=("yearly", "monthly"),
        table=account_rows,
        media_type="application/json",
    ),
    Insight(name="financial-ratios", make=financial_ratios, table=ratio_rows),
    Insight(name="risks", make=risks, query=PERIOD[:1], table=risk_rows),
    Insight(name="metrics/scores", make=scores, query=(), table=_scored),
    Insight(name="summary", make=summary, query=(), table=_alone),
)
PAGED: Final[Sequence[PagedInsight]] = (
    PagedInsight(name="products-and-services-bought", make=bought, query=(*PERIOD, *_PAGES)),
    PagedInsight(name="products-and-services-sold", make=sold, query=(*PERIOD, *_PAGES)),
    PagedInsight(name="metrics/invoicing-annual-comparison", make=years, context="GetInvoicingAnnualComparison"),
    PagedInsight(name="metrics/vendor-network", make=vendor_network, context="GetVendorNetwork"),
    PagedInsight(name="metrics/customer-network", make=customer_network, context="GetCustomerNetwork"),
    PagedInsight(name=BURO_SUMMARY, make=buro_summary, context="BuroDeCreditoSummary", query=(*PERIOD, *_PAGES)),
)
# Of pages without an envelope (the document).
_USUAL_SIZE, _LARGEST_SIZE = 100, 500
_FORMS: Final = {MIME_TYPES[form]: form for form in ("csv", "xlsx")}


@dataclass(frozen=True, kw_only=True)
class Insights:
    """All insights of all entities. `refresh` lets running extractions show what they have so far.

    `jobs` are all extractions, `scores` those of an entity by its id, `newest_scores` one of each that has some.
    """

    seed: int
    accounts: Accounts
    gathered_rows: GatheredRows
    records: Records
    parts: InvoiceParts
    accounting: Accounting
    jobs: Mapping[str, SyntageJob]
    scores: Callable[[str], Sequence[JsonObject]]
    newest_scores: Callable[[], Sequence[JsonObject]]
    refresh: Callable[[], None]
    now: Callable[[], datetime]

    def routes(self) -> Iterator[Route]:
        """Give the routes of all insights, and the one of their files."""
        for whole in INSIGHTS:
            yield Route("GET", ROOM + whole.name, self._whole(whole), query=whole.query, headers=whole.headers)
        for paged in PAGED:
            names = paged.query or _PAGES
            yield Route("GET", ROOM + paged.name, self._paged(paged), query=names)
        yield Route("GET", f"{ROOM}{{insight}}/export", self._export, query=(*_SERIES, "options[type]"))
        yield Route("GET", f"{ROOM}{BURO_SUMMARY}/export", self._export_buro, query=PERIOD)
        yield Route("GET", "/insights/metrics/scores/syntage/distribution", self._distribution)

    def _holdings(self, call: Incoming) -> Holdings | None:
        """Give what is held of the entity that is asked for; None when there is no such entity."""
        self.refresh()
        entity = self.accounts.entities.get(call.args["id"])
        if entity is None:
            return None
        return Holdings(
            entity=entity,
            records=lambda kind: self.records.newest_first(kind, entity.id),
            accounting=self.accounting,
            stage=self.gathered_rows.alterations.listed(entity.subject.rfc),
            scores=self.scores(entity.id),
            invoice_periods=[*self._invoice_periods(entity)],
            invoices=self.gathered_rows.newest_first(entity.id)[::-1],
            line_items=self.parts.of_entity("line-items", entity.id),
            batches=self.parts.of_entity("batch-payments", entity.id),
            lenders=lenders(self.seed),
            public_bodies=public_bodies(self.seed),
        )

    def _invoice_periods(self, entity: Entity) -> Iterator[tuple[date, date]]:
        """Give the periods whose sales were gathered, as far as they lay in the past."""
        done = (job for job in self.jobs.values() if job.entity is entity and job.status == "finished")
        for job in done:
            if job.scope is not None and job.finished_at is not None and job.scope.issued and "I" in job.scope.types:
                yield job.scope.start.date(), min(job.scope.end, job.finished_at).date()

    async def _distribution(self, call: Incoming) -> Reply:
        return answer(200, distribution(self.newest_scores()), LD_JSON)

    def _whole(self, insight: Insight) -> Handler:
        async def whole(call: Incoming) -> Reply:
            holdings = self._holdings(call)
            if holdings is None:
                return message(404, "Not found.")
            asked = self._asked(call, insight)
            if isinstance(asked, list):
                return violations(asked)
            return answer(200, insight.make(holdings, asked), insight.media_type)

        return whole

    def _asked(self, call: Incoming, insight: Insight) -> Question | list[Problem]:
        return read_asked(
            call, insight.types, is_typed=insight.is_typed, now=self.now(), periodicities=insight.periodicities
        )

    def _paged(self, insight: PagedInsight) -> Handler:
        async def paged(call: Incoming) -> Reply:
            holdings = self._holdings(call)
            if holdings is None:
                return message(404, "Not found.")
            asked = read_asked(call, (), is_typed=False, now=self.now())
            if isinstance(asked, list):
                return violations(asked)
            rows = insight.make(holdings, asked)
            if insight.context is None:
                return _bare_page(rows, call)
            body = numbered_page(rows, call, context=insight.context, known={})
            return answer(200, body, LD_JSON) if body is not None else hydra_error(400, "Wrong page or itemsPerPage.")

        return paged

    async def _export(self, call: Incoming) -> Reply:
        """Give the rows of an insight as a file; the document does not say which ones can be had: here, all."""
        return self._file(call, call.args["insight"])

    async def _export_buro(self, call: Incoming) -> Reply:
        return self._file(call, BURO_SUMMARY)

    def _file(self, call: Incoming, name: str) -> Reply:
        tables = {**{each.name: each for each in INSIGHTS}, **{each.name: _as_whole(each) for each in PAGED}}
        insight, holdings = tables.get(name), self._holdings(call)
        if insight is None or holdings is None:
            return message(404, "Not found.")
        form = next((_FORMS[each] for each in _accepted(call) if each in _FORMS), None)
        if form is None:
            return message(400, "Accept must be text/csv or the type of XLSX.")
        asked = self._asked(call, insight)
        if isinstance(asked, list):
            return hydra_error(422, "\n".join(f"{path}: {text}" for path, text in asked))
        content = WRITERS[form](insight.table(insight.make(holdings, asked)))
        shown = f'attachment; filename="{insight.name.replace("/", "-")}.{form}"'
        reply = Reply(status=200, body=content, content_type=MIME_TYPES[form])
        return replace(reply, headers={"Content-Disposition": shown})


def _as_whole(paged: PagedInsight) -> Insight:
    return Insight(name=paged.name, make=lambda holdings, asked: [*paged.make(holdings, asked)])


def _accepted(call: Incoming) -> Iterator[str]:
    for each in call.headers.get("Accept", "").split(","):
        yield each.partition(";")[0].strip().lower()


def _bare_page(rows: Rows, call: Incoming) -> Reply:
    """Give a page as the document has it: rows and their number, no link to the next."""
    size, number = _whole_number(call.one("itemsPerPage"), _USUAL_SIZE), _whole_number(call.one("page"), 1)
    if not (1 <= size <= _LARGEST_SIZE and number >= 1):
        return hydra_error(400, f"The parameter itemsPerPage must be between 1 and {_LARGEST_SIZE}, page at least 1.")
    shown: list[Json] = [*rows[(number - 1) * size : number * size]]
    return answer(200, {"hydra:member": shown, "hydra:totalItems": len(rows)}, LD_JSON)


def _whole_number(text: str | None, default: int) -> int:
    return default if text is None else int(text) if text.isdecimal() and len(text) < 7 else 0
