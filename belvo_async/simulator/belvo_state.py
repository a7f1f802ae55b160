"""What the simulated Belvo remembers: links, jobs, and the rows it has collected."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from belvo_async.simulator.belvo_rows import invoice_row, stamp, statement_row
from belvo_async.simulator.cfdi import Cfdi
from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.taxpayers import Taxpayer
from belvo_async.simulator.wire import JsonObject

BelvoOutcome = Literal["finished", "failed", "silent", "stuck"]
STATEMENT_YEARS = 3  # "last 3 years" (webhook article of financial statements)
# "A link turns invalid after six unsuccessful POSTs" (error catalogue, invalid_link).
FAILED_POSTS_LIMIT = 6


@dataclass(kw_only=True)
class Link:
    """One connected taxpayer."""

    id: str
    subject: Taxpayer = field(repr=False)
    external_id: str
    institution_user_id: str
    created_by: str
    created_at: datetime
    status: str = "valid"
    last_accessed_at: datetime | None = None
    failed_posts: int = 0

    def row(self) -> JsonObject:
        """Give the link as Belvo shows it."""
        return {
            "id": self.id,
            "institution": "tatooine_mx_fiscal",
            "access_mode": "single",
            "last_accessed_at": stamp(self.last_accessed_at) if self.last_accessed_at else None,
            "created_at": stamp(self.created_at),
            "external_id": self.external_id,
            "institution_user_id": self.institution_user_id,
            "status": self.status,
            "created_by": self.created_by,
            "refresh_rate": None,
            "credentials_storage": "365d",
            "fetch_resources": ["INVOICES", "FINANCIAL_STATEMENTS"],
            "stale_in": "365d",
        }

    def count_failure(self) -> None:
        """Count an unsuccessful POST; the sixth in a row makes the link invalid."""
        self.failed_posts += 1
        if self.failed_posts >= FAILED_POSTS_LIMIT:
            self.status = "invalid"


@dataclass(kw_only=True)
class BelvoJob:
    """One accepted POST. `state` is `running`, `finished` or `failed`; `outcome` was decided at the start."""

    request_id: str
    link: Link
    resource: str
    body: JsonObject
    outcome: BelvoOutcome
    error_code: str
    duration: timedelta
    created_at: datetime
    is_async: bool
    state: str = "running"
    finished_at: datetime | None = None
    count: int = 0
    plan: list[Cfdi] = field(default_factory=list[Cfdi], repr=False)
    started: float = field(default=0.0, repr=False)  # loop time
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def attaches_xml(self) -> bool:
        """Tell whether the XML text was asked for."""
        return self.body.get("attach_xml") is True

    @property
    def saves_data(self) -> bool:
        """Tell whether Belvo keeps what it collects."""
        return self.body.get("save_data", True) is True


class Archive:
    """Rows collected so far, per link, in the order they were first collected."""

    def __init__(self, books: Books, *, xml_limit_share: float) -> None:
        self._books = books
        self._xml_limit_share = xml_limit_share
        self.invoices: dict[str, JsonObject] = {}
        self.statements: dict[str, JsonObject] = {}

    def plan(self, link: Link, date_from: date, date_to: date, direction: str | None) -> list[Cfdi]:
        """Give the CFDIs a request covers, oldest first."""
        rows = self._books.between(link.subject, date_from, date_to)
        return [row for row in rows if direction in (None, row.direction)]

    def invoice(self, link: Link, cfdi: Cfdi, *, now: datetime, xml: bool) -> JsonObject:
        """Give the row for a CFDI as collected now."""
        return invoice_row(
            cfdi,
            link.id,
            collected_at=now,
            created_at=now,
            today=now.date(),
            xml=xml,
            xml_limited=xml and cfdi.draw < self._xml_limit_share,
        )

    def keep(self, row: JsonObject) -> None:
        """Store a row; one collected before is replaced in its place."""
        self.invoices[str(row["id"])] = row

    def statements_of(self, link: Link, now: datetime) -> list[JsonObject]:
        """Give the statements of the last years, as collected now."""
        years = range(now.year - STATEMENT_YEARS, now.year)
        return [statement_row(self._books.seed, link.id, year, collected_at=now) for year in years]

    def keep_statements(self, rows: list[JsonObject]) -> None:
        """Store statements."""
        self.statements.update({str(row["id"]): row for row in rows})
