"""What Belvo finds at the SAT for a link: every resource's rows, as collected at some moment."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from ...alterations import Alterations
from ...cfdi import Cfdi
from ...examples import as_in_examples
from ...fiscal import Books
from ...wire import JsonObject
from ..checks import period_kind, read_invoices
from ..state import Link
from .altered import altered_invoice, altered_opinion, altered_status
from .invoices import Filed, invoice_id, invoice_row, statement_row
from .returns import Returns
from .taxes import Retentions, compliance_status, tax_status

STATEMENT_YEARS: Final = 3  # "last 3 years" (webhook article of financial statements)
LARGEST_RETRIEVAL: Final = 500  # "at most 500 per period" (reference of POST /api/tax-retentions/)


class Records:
    """Makes rows; keeps none."""

    def __init__(
        self,
        books: Books,
        alterations: Alterations,
        *,
        xml_limit_share: float,
        retentions_per_year: int,
        example_share: float,
    ) -> None:
        self.books = books
        self.alterations = alterations
        self._xml_limit_share = xml_limit_share
        self._retentions_per_year = retentions_per_year
        self._example_share = example_share

    def plan(self, link: Link, date_from: date, date_to: date, direction: str | None) -> list[Cfdi]:
        """Give the CFDIs a request covers, oldest first."""
        rows = self.books.between(link.subject, date_from, date_to)
        return [row for row in rows if direction in (None, row.direction) and not self.alterations.is_gone(row)]

    def gone(self, link: Link, date_from: date, date_to: date, direction: str | None) -> list[str]:
        """Give the ids of the CFDIs of such a request that the SAT shows no longer."""
        rows = self.books.between(link.subject, date_from, date_to)
        gone = (row for row in rows if direction in (None, row.direction) and self.alterations.is_gone(row))
        return [invoice_id(link.id, row) for row in gone]

    def invoice(self, link: Link, cfdi: Cfdi, *, now: datetime, xml: bool) -> Filed:
        """Give the row for a CFDI as collected now."""
        limited = xml and cfdi.draw < self._xml_limit_share
        row = invoice_row(
            cfdi, link.id, collected_at=now, created_at=now, today=now.date(), xml=xml, xml_limited=limited
        )
        shown = altered_invoice(row, cfdi, self.alterations)
        return Filed(id=str(row["id"]), link=link.id, row=shown)

    def statements(self, link: Link, now: datetime) -> list[Filed]:
        """Give the statements of the last years, as collected now."""
        rows = [
            statement_row(self.books.seed, link.id, year, collected_at=now)
            for year in range(now.year - STATEMENT_YEARS, now.year)
        ]
        return [
            Filed(
                id=(number := str(row["id"])),
                link=link.id,
                row=as_in_examples("FINANCIAL_STATEMENTS", row, self._example_share, of=number),
            )
            for row in rows
        ]

    def returns(self, link: Link, now: datetime, *, pdf: bool = False) -> Returns:
        """Give the tax returns of a link's owner."""
        return Returns(self.books.seed, link.subject, link.id, collected_at=now, pdf=pdf)

    def retentions(
        self, link: Link, date_from: date, date_to: date, direction: str | None, *, now: datetime, xml: bool = False
    ) -> list[Filed]:
        """Give the retention receipts of a period, oldest first."""
        mine = Retentions(self.books, link.subject, per_year=self._retentions_per_year)
        return mine.between(link.id, date_from, date_to, direction, collected_at=now, xml=xml)

    def status(self, link: Link, now: datetime, *, pdf: bool = False) -> list[Filed]:
        """Give the tax status of today, as a list of one."""
        filed = tax_status(self.books.seed, link.subject, link.id, collected_at=now, pdf=pdf)
        return [replace(filed, row=altered_status(filed.row, link.subject.rfc, self.alterations))]

    def compliance(self, link: Link, now: datetime, *, pdf: bool = False) -> list[Filed]:
        """Give the compliance status of today, as a list of one."""
        filed = compliance_status(self.books.seed, link.subject, link.id, collected_at=now, pdf=pdf)
        return [replace(filed, row=altered_opinion(filed.row, link.subject.rfc, self.alterations))]

    def bring(self, resource: str, link: Link, body: JsonObject, now: datetime) -> list[Filed]:
        """Give the rows a checked POST body asks for."""
        pdf = body.get("attach_pdf") is True
        match resource:
            case "INVOICES":
                order = read_invoices(body)
                plan = self.plan(link, order.date_from, order.date_to, order.type)
                return [self.invoice(link, cfdi, now=now, xml=order.attach_xml) for cfdi in plan]
            case "FINANCIAL_STATEMENTS":
                return self.statements(link, now)
            case "TAX_STATUS":
                return self.status(link, now, pdf=pdf)
            case "TAX_COMPLIANCE_STATUS":
                return self.compliance(link, now, pdf=pdf)
            case "TAX_RETENTIONS":
                order = read_invoices(body)  # the same fields
                rows = self.retentions(link, order.date_from, order.date_to, order.type, now=now, xml=order.attach_xml)
                return rows[:LARGEST_RETRIEVAL]
            case _:
                return self._bring_returns(self.returns(link, now, pdf=pdf), body)

    def _bring_returns(self, returns: Returns, body: JsonObject) -> list[Filed]:
        if period_kind(body) == "yearly":
            return returns.yearly(int(str(body["year_from"])), int(str(body["year_to"])))
        first, last = (date.fromisoformat(str(body[name])) for name in ("date_from", "date_to"))
        return returns.monthly(first, last)
