"""What each extractor brings home: invoices bit by bit, everything else at the end of its extraction."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ..cfdi import Cfdi
from ..cfdi_xml import xml_of
from ..wire import JsonObject
from .files.documents import cfdi_pdf, retention_pdf, retention_xml
from .files.held import Files
from .options import invoice_scope, period_of
from .ownership.found import FoundEntities
from .rows import registers as registries, taxes
from .rows.altered import altered_record
from .rows.invoices import Entity
from .rows.records import Records
from .rows.taxes import Gathered, Trip
from .state import GatheredRows, SyntageJob
from .webhooks import SyntageEvents

SOURCES: Mapping[str, Callable[[Trip], Gathered]] = {
    "annual_tax_return": taxes.annual_returns,
    "monthly_tax_return": taxes.monthly_returns,
    "rif_tax_return": taxes.rif_returns,
    "tax_status": taxes.tax_status,
    "tax_compliance": taxes.compliance_checks,
    "tax_retention": taxes.retentions,
    "electronic_accounting": taxes.accounting_records,
    "sat_certificates": taxes.certificates,
    "rpc": registries.commerce_registry,
    "rug": registries.guarantees,
    "bil": registries.legal_reports,
    "buro_de_credito_report": registries.credit_reports,
    "background_check": registries.background_checks,
}


class Gatherer:
    """Puts what extractions find onto the shelves, with its files and events."""

    def __init__(
        self,
        seed: int,
        gathered_rows: GatheredRows,
        records: Records,
        files: Files,
        events: SyntageEvents,
        now: Callable[[], datetime],
        example_share: float,
        found: FoundEntities,
    ) -> None:
        self._seed = seed
        self._example_share = example_share
        self._gathered_rows = gathered_rows
        self._records = records
        self._files = files
        self._events = events
        self._now = now
        self._found = found

    def plan(self, job: SyntageJob, now: datetime) -> None:
        """Settle which invoices an extraction will bring."""
        if job.extractor == "invoice":
            job.scope = invoice_scope(job.options)
            job.plan = self._gathered_rows.plan(job.entity, job.scope, now)

    def finish(self, job: SyntageJob) -> None:
        """Gather all that is left to gather."""
        if job.extractor == "invoice":
            self.invoices(job, len(job.plan))
            return
        for kind, plain in self._gathered(job):
            row = altered_record(kind, plain, job.entity.subject.rfc, self._gathered_rows.alterations)
            change = self._records.keep(kind, job.entity, row, source=job.iri)
            job.created_points += change == "created"
            job.updated_points += change == "updated"
            if kind == "TaxRetention":
                self._retention_files(job, row)

    def _gathered(self, job: SyntageJob) -> Gathered:
        trip = self._trip(job)
        rows = SOURCES[job.extractor](trip)
        return self._found.with_report(trip, rows) if job.extractor == "rpc" else rows

    def _trip(self, job: SyntageJob) -> Trip:
        start, end = period_of(job.options)
        return Trip(
            entity=job.entity,
            source=job.iri,
            options=job.options,
            start=start,
            end=end,
            now=self._now(),
            seed=self._seed,
            files=self._files,
            xml=job.rate_limited_at is None,
            example_share=self._example_share,
        )

    def invoices(self, job: SyntageJob, target: int) -> None:
        """Gather invoices up to the `target`-th of the plan."""
        scope, now = job.scope, self._now()
        if scope is None:
            return
        for cfdi in job.plan[job.gathered : target]:
            # Above SAT's daily limit invoices still come, their XML does not.
            xml = scope.xml and job.rate_limited_at is None
            if self._gathered_rows.alterations.is_gone(cfdi):
                self.remove(job.entity, cfdi, source=job.iri)
                continue
            row = self._gathered_rows.row(job.entity, cfdi, now=now, xml=xml, pdf=scope.pdf)
            change, changes, kept = self._gathered_rows.keep(job.entity, cfdi, row)
            job.created_points += change == "created"
            job.updated_points += change == "updated"
            if change != "same":
                self._tell(job, f"invoice.{change}", kept, changes)
                self._invoice_files(job, cfdi, kept)
        job.gathered = max(job.gathered, target)

    def remove(self, entity: Entity, cfdi: Cfdi, *, source: str | None = None) -> None:
        """Forget an invoice that the SAT shows no longer, and say so."""
        held = self._gathered_rows.remove(entity, cfdi)
        if held is not None:
            self._events.emit("invoice.deleted", entity, str(held["@id"]), lambda: held, source=source)

    def look_again(self, entity: Entity, cfdi: Cfdi, held: JsonObject) -> None:
        """Bring an invoice up to date at once, as Syntage's own refreshes do, and say so."""
        if self._gathered_rows.alterations.is_gone(cfdi):
            self.remove(entity, cfdi)
            return
        row = self._gathered_rows.row(entity, cfdi, now=self._now(), xml=bool(held["xml"]), pdf=bool(held["pdf"]))
        change, changes, kept = self._gathered_rows.keep(entity, cfdi, row)
        if change != "same":
            self._events.emit(f"invoice.{change}", entity, str(kept["@id"]), lambda: kept, changes=changes)

    def _tell(self, job: SyntageJob, kind: str, row: JsonObject, changes: JsonObject) -> None:
        self._events.emit(kind, job.entity, str(row["@id"]), lambda: row, source=job.iri, changes=changes)

    def _invoice_files(self, job: SyntageJob, cfdi: Cfdi, row: JsonObject) -> None:
        iri = str(row["@id"])
        if row["xml"]:
            self._hold(job, "invoice.cfdi.xml", iri, lambda: xml_of(cfdi).encode(), "xml", f"{cfdi.uuid}.xml")
        if row["pdf"]:
            self._hold(job, "invoice.cfdi.pdf", iri, lambda: cfdi_pdf(cfdi), "pdf", f"{cfdi.uuid}.pdf")

    def _retention_files(self, job: SyntageJob, row: JsonObject) -> None:
        iri = str(row["@id"])
        if row["xml"]:
            self._hold(job, "tax_retention.cfdi.xml", iri, lambda: retention_xml(row), "xml", f"{row['uuid']}.xml")
        if row["pdf"]:
            self._hold(job, "tax_retention.cfdi.pdf", iri, lambda: retention_pdf(row), "pdf", f"{row['uuid']}.pdf")

    def _hold(
        self, job: SyntageJob, type: str, resource: str, make: Callable[[], bytes], extension: str, name: str
    ) -> None:
        self._files.hold(type, resource, make, extension=extension, name=name, owner=job.entity, source=job.iri)
