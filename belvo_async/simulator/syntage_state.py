"""What the simulated Syntage remembers: extractions, events, and the invoices it has gathered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from belvo_async.simulator.cfdi import Cfdi
from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.syntage_options import InvoiceScope
from belvo_async.simulator.syntage_rows import (
    Entity,
    Settlement,
    invoice_id,
    invoice_row,
    maybe,
    ordered_uuid,
    stamp,
    taxpayer_row,
)
from belvo_async.simulator.wire import JsonObject

SyntageOutcome = Literal["finished", "failed", "rate_limited", "waiting", "stuck"]
UNDER_WAY = frozenset({"pending", "waiting", "running"})
_TIMES = frozenset({"createdAt", "updatedAt"})


class OrderedIds:
    """Ids that sort in the order they were given out, even within one millisecond."""

    def __init__(self, rng: Random, now: Callable[[], datetime]) -> None:
        self._rng = rng
        self._now = now
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return ordered_uuid(self._now(), self._count << 40 | self._rng.getrandbits(40))


@dataclass(kw_only=True)
class SyntageJob:
    """One extraction. `requested` are the options as sent, `options` as shown (defaults filled in)."""

    id: str
    entity: Entity
    extractor: str
    requested: JsonObject
    options: JsonObject
    outcome: SyntageOutcome
    scripted_error: str
    duration: timedelta
    waits: timedelta | None  # how long a `waiting` one waits; None: until stopped
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rate_limited_at: datetime | None = None
    error_code: str | None = None
    created_points: int = 0
    updated_points: int = 0
    plan: list[Cfdi] = field(default_factory=list[Cfdi], repr=False)
    scope: InvoiceScope | None = field(default=None, repr=False)
    gathered: int = field(default=0, repr=False)
    began: float = field(default=0.0, repr=False)  # loop time at which it began to run
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def iri(self) -> str:
        """The path that names the extraction."""
        return f"/extractions/{self.id}"

    def snapshot(self) -> JsonObject:
        """Give the extraction as events carry it: without the JSON-LD keys of the object itself."""
        return {
            "id": self.id,
            "taxpayer": taxpayer_row(self.entity.subject),
            "extractor": self.extractor,
            "options": self.options,
            "status": self.status,
            "startedAt": maybe(self.started_at),
            "finishedAt": maybe(self.finished_at),
            "rateLimitedAt": maybe(self.rate_limited_at),
            "errorCode": self.error_code,
            "createdDataPoints": self.created_points,
            "updatedDataPoints": self.updated_points,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }

    def row(self) -> JsonObject:
        """Give the extraction as lists carry it."""
        return {"@id": self.iri, "@type": "Extraction", **self.snapshot()}


class Shelves:
    """Invoices gathered so far, per entity."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._rows: dict[str, dict[str, JsonObject]] = {}
        self._settled: dict[tuple[str, int, date], dict[str, Settlement]] = {}

    def plan(self, entity: Entity, scope: InvoiceScope, now: datetime) -> list[Cfdi]:
        """Give the CFDIs an extraction covers, oldest first."""
        end = min(scope.end, now)
        rows = self._books.between(entity.subject, scope.start.date(), end.date())
        return [row for row in rows if scope.covers(row) and row.issued_at <= end]

    def row(self, entity: Entity, cfdi: Cfdi, *, now: datetime, xml: bool, pdf: bool) -> JsonObject:
        """Give the row for a CFDI as gathered now."""
        settled = self._settlements(entity, cfdi.issued_on.year, now).get(cfdi.uuid)
        return invoice_row(cfdi, entity.id, settled, now=now, xml=xml, pdf=pdf)

    def stored(self, entity: Entity, cfdi: Cfdi) -> JsonObject | None:
        """Give the row of a CFDI if it was gathered already."""
        return self._rows.get(entity.id, {}).get(invoice_id(entity.id, cfdi))

    def keep(self, entity: Entity, row: JsonObject) -> str:
        """Store a row. Returns `created`, `updated` or `same` (then nothing changes)."""
        rows = self._rows.setdefault(entity.id, {})
        known = rows.get(str(row["id"]))
        if known is None:
            rows[str(row["id"])] = row
            return "created"
        # A file once held stays held, even when a later job did not ask for it.
        row = {**row, "xml": row["xml"] is True or known["xml"] is True, "pdf": row["pdf"] or known["pdf"]}
        if all(known[name] == value for name, value in row.items() if name not in (*_TIMES, "relations")):
            return "same"
        rows[str(row["id"])] = {**row, "createdAt": known["createdAt"]}
        return "updated"

    def newest_first(self, entity: str) -> list[JsonObject]:
        """Give the rows of an entity, by id, newest first: the order the cursor walks."""
        rows = self._rows.get(entity, {})
        return [rows[number] for number in sorted(rows, reverse=True)]

    def find(self, number: str) -> JsonObject | None:
        """Give one invoice by Syntage's id."""
        return next((rows[number] for rows in self._rows.values() if number in rows), None)

    def _settlements(self, entity: Entity, year: int, now: datetime) -> dict[str, Settlement]:
        key = (entity.id, year, now.date())
        if key not in self._settled:
            rows = (row for row in self._books.year(entity.subject, year) if row.issued_on <= now.date())
            self._settled[key] = Settlement.by_invoice(rows)
        return self._settled[key]
