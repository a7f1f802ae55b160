"""What the simulated Syntage remembers: extractions, events, and the invoices it has gathered."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal

from ..alterations import Alterations
from ..cfdi import Cfdi
from ..fiscal import Books
from ..wire import Json, JsonObject
from .options import InvoiceScope
from .rows.altered import altered_invoice
from .rows.invoices import Entity, Settlement, invoice_id, invoice_row, maybe, stamp, taxpayer_row

SyntageOutcome = Literal["finished", "failed", "rate_limited", "waiting", "stuck"]
UNDER_WAY: Final = frozenset({"pending", "waiting", "running"})
# Not a change by itself: when the row was made, and which of the invoices it names are held meanwhile.
_NO_CHANGE: Final = frozenset({"createdAt", "updatedAt", "relations"})


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
    is_held: bool = field(default=False, repr=False)  # it waits for an RFC, a valid credential, an authorization

    @property
    def iri(self) -> str:
        """The path that names the extraction."""
        return f"/extractions/{self.id}"

    def snapshot(self) -> JsonObject:
        """Give the extraction as events carry it: without the JSON-LD keys of the object itself."""
        taxpayer = taxpayer_row(self.entity.subject)
        return {
            "id": self.id,
            **({"taxpayer": taxpayer} if taxpayer else {}),
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


Change = Literal["created", "updated", "same"]


def compare(known: JsonObject | None, row: JsonObject) -> tuple[Change, JsonObject]:
    """Tell what a row gathered again is, and which fields changed: {field: {old, new}}."""
    if known is None:
        return "created", {}
    changes: JsonObject = {
        name: {"old": known.get(name), "new": value}
        for name, value in row.items()
        if name not in _NO_CHANGE and known.get(name) != value and _timeless(known.get(name)) != _timeless(value)
    }
    return ("updated" if changes else "same"), changes


def _timeless(value: Json) -> Json:
    """Leave out when rows inside a row were made."""
    if isinstance(value, list):
        return [_timeless(one) for one in value]
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in _NO_CHANGE}
    return value


class GatheredRows:
    """Invoices gathered so far, per entity, each with the CFDI it was made from."""

    def __init__(self, books: Books, alterations: Alterations) -> None:
        self.version = 0  # counts changes, for those who derive something from the invoices
        self._books = books
        self.alterations = alterations
        self._rows: dict[str, dict[str, JsonObject]] = {}
        self._cfdis: dict[str, tuple[str, Cfdi]] = {}
        self._ids: dict[str, dict[str, str]] = {}
        self._ordered: dict[str, tuple[int, list[JsonObject]]] = {}
        self._settled: dict[tuple[str, int, date], dict[str, Settlement]] = {}

    def plan(self, entity: Entity, scope: InvoiceScope, now: datetime) -> list[Cfdi]:
        """Give the CFDIs an extraction covers, oldest first."""
        end = min(scope.end, now)
        rows = self._books.between(entity.subject, scope.start.date(), end.date())
        return [row for row in rows if scope.covers(row) and row.issued_at <= end]

    def row(self, entity: Entity, cfdi: Cfdi, *, now: datetime, xml: bool, pdf: bool) -> JsonObject:
        """Give the row for a CFDI as gathered now."""
        settled = self._settlements(entity, cfdi.issued_on.year, now).get(cfdi.uuid)
        known = self._ids.get(entity.id, {})
        row = invoice_row(cfdi, entity.id, settled, now=now, xml=xml, pdf=pdf, known=known)
        return altered_invoice(row, cfdi, self.alterations)

    def stored(self, entity: Entity, cfdi: Cfdi) -> JsonObject | None:
        """Give the row of a CFDI if it was gathered already."""
        return self._rows.get(entity.id, {}).get(invoice_id(entity.id, cfdi))

    def keep(self, entity: Entity, cfdi: Cfdi, row: JsonObject) -> tuple[Change, JsonObject, JsonObject]:
        """Store a row. Returns what that was, what changed, and the row now held."""
        rows, number = self._rows.setdefault(entity.id, {}), str(row["id"])
        known = rows.get(number)
        if known is not None:
            # A file once held stays held, even when a later job did not ask for it.
            row = {**row, "xml": row["xml"] or known["xml"], "pdf": row["pdf"] or known["pdf"]}
            row["createdAt"] = known["createdAt"]
        change, changes = compare(known, row)
        if change == "same" and known is not None:
            return change, changes, known
        rows[number] = row
        self._cfdis[number] = (entity.id, cfdi)
        self._ids.setdefault(entity.id, {})[cfdi.uuid] = number
        self.version += 1
        return change, changes, row

    def remove(self, entity: Entity, cfdi: Cfdi) -> JsonObject | None:
        """Forget an invoice that the SAT shows no longer. Gives the row that was held."""
        number = invoice_id(entity.id, cfdi)
        row = self._rows.get(entity.id, {}).pop(number, None)
        if row is not None:
            del self._cfdis[number]
            self._ids[entity.id].pop(cfdi.uuid, None)
            self.version += 1
        return row

    def by_uuid(self, uuid: str) -> list[tuple[str, Cfdi, JsonObject]]:
        """Give the invoices held of a receipt: whose, what it was made from, and the row."""
        return [
            (owner, cfdi, self._rows[owner][number])
            for number, (owner, cfdi) in self._cfdis.items()
            if cfdi.uuid.lower() == uuid.lower()
        ]

    def newest_first(self, entity: str) -> list[JsonObject]:
        """Give the rows of an entity, by id, newest first: the order the cursor walks."""
        version, ordered = self._ordered.get(entity, (-1, []))
        if version != self.version:
            rows = self._rows.get(entity, {})
            ordered = [rows[number] for number in sorted(rows, reverse=True)]
            self._ordered[entity] = (self.version, ordered)
        return ordered

    def find(self, number: str) -> JsonObject | None:
        """Give one invoice by Syntage's id."""
        owner = self.owner(number)
        return self._rows[owner][number] if owner else None

    def owner(self, number: str) -> str | None:
        """Give the id of the entity an invoice belongs to."""
        found = self._cfdis.get(number)
        return found[0] if found else None

    def cfdi(self, number: str) -> Cfdi | None:
        """Give the CFDI behind an invoice."""
        found = self._cfdis.get(number)
        return found[1] if found else None

    def id_of(self, entity: str, uuid: str) -> str | None:
        """Give Syntage's id of an invoice held, by its fiscal uuid."""
        return self._ids.get(entity, {}).get(uuid)

    def entities(self) -> list[str]:
        """Give the ids of the entities that have invoices."""
        return list(self._rows)

    def read(self, entity: str) -> Iterator[tuple[JsonObject, Cfdi]]:
        """Give the invoices whose XML is held: only those could be looked into."""
        for number, row in self._rows.get(entity, {}).items():
            if row["xml"]:
                yield row, self._cfdis[number][1]

    def drop(self, entity: str) -> None:
        """Forget all invoices of an entity."""
        for number in self._rows.pop(entity, {}):
            del self._cfdis[number]
        self._ids.pop(entity, None)
        self.version += 1

    def _settlements(self, entity: Entity, year: int, now: datetime) -> dict[str, Settlement]:
        key = (entity.id, year, now.date())
        if key not in self._settled:
            rows = (row for row in self._books.year(entity.subject, year) if row.issued_on <= now.date())
            self._settled[key] = Settlement.by_invoice(rows)
        return self._settled[key]
