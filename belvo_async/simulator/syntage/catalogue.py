"""Every list and single read Syntage documents here, as a table: path, rows, filters, order, paging."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from ..wire import Handler, Incoming, Json, JsonObject, Query, Reply, Route, answer
from .accounts import Accounts
from .errors import LD_JSON, hydra_error, message
from .exports import Source
from .lists import (
    CREDENTIAL_FILTERS,
    ENTITY_FILTERS,
    HEADERS,
    INVOICE_FILTERS,
    INVOICE_ORDER,
    Filters,
    Match,
    Style,
    asked,
    filters,
    numbered_page,
    page,
)
from .rows.invoice_parts import InvoiceParts, applied_to, issued_by
from .rows.records import KINDS, Records
from .state import GatheredRows

Rows: TypeAlias = list[JsonObject]
RowsOf: TypeAlias = Callable[[Mapping[str, str]], Rows | None]
# Which of the invoice companions have the guide's `X-Pagination-Style` switch, and their JSON-LD type.
INVOICE_PARTS: Mapping[str, tuple[str, Style]] = {
    "line-items": ("InvoiceLineItem", "either"),
    "payments": ("InvoicePayment", "either"),
    "batch-payments": ("InvoiceBatchPayment", "cursor"),
    "credit-notes": ("InvoiceCreditNote", "cursor"),
    "relations": ("InvoiceRelation", "cursor"),
}


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list. `rows` gets the parts of the path; None is a 404."""

    template: str
    context: str
    rows: RowsOf
    known: Filters = field(default_factory=dict[str, tuple[str, Match]])
    order: Sequence[str] = ()
    style: Style = "cursor"

    def match(self, path: str) -> dict[str, str] | None:
        """Give the parts of a path that names this list."""
        return self.route().match(path)

    def route(self) -> Route:
        """Give its route."""
        names = asked(self.known, self.order, self.style)
        return Route("GET", self.template, self.show, query=names, headers=() if self.style == "page" else HEADERS)

    async def show(self, call: Incoming) -> Reply:
        """Answer one page."""
        rows = self.rows(call.args)
        if rows is None:
            return message(404, "Not found.")
        if self.style == "cursor_only" and "page" in call.query:
            return hydra_error(400, "Only cursor pagination is available for this endpoint.")
        if self.style == "page" or (self.style == "either" and not _opts_in(call)):
            body = numbered_page(rows, call, context=self.context, known=self.known, order=self.order)
        else:
            total = call.headers.get("X-Pagination-Enable-Partial") == "0"
            body = page(rows, call, context=self.context, known=self.known, order=self.order, total=total)
        if body is None:
            return hydra_error(400, "The parameter itemsPerPage must be between 1 and 1000, page at least 1.")
        return answer(200, body, LD_JSON)


def _opts_in(call: Incoming) -> bool:
    is_cursor = call.headers.get("X-Pagination-Style") == "cursor"
    return is_cursor or "id[lt]" in call.query or "id[gt]" in call.query


def detail(row: JsonObject | None, context: str) -> Reply:
    """Answer one object, or 404."""
    if row is None:
        return message(404, "Not found.")
    return answer(200, {"@context": f"/contexts/{context}", **row}, LD_JSON)


class SyntageCatalogue:
    """The lists of everything held, and `more`. `refresh` lets running extractions show what they have so far."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        gathered_rows: GatheredRows,
        records: Records,
        refresh: Callable[[], None],
        more: Iterable[Listing] = (),
    ) -> None:
        self._accounts = accounts
        self._gathered_rows = gathered_rows
        self._records = records
        self._tags = accounts.tags
        self._refresh = refresh
        self.parts = InvoiceParts(gathered_rows, self._tags)
        self.listings: tuple[Listing, ...] = (*self._all(), *more)

    def routes(self) -> Iterator[Route]:
        """Give the routes of all lists and of the single reads that go with them."""
        for listing in self.listings:
            yield listing.route()
        yield Route("GET", "/invoices/{id}", self._one_invoice)
        for name, (context, _) in INVOICE_PARTS.items():
            yield Route("GET", f"/invoices/{name}/{{id}}", self._one_part(name, context))
        for kind in KINDS.values():
            yield Route("GET", f"{kind.single}/{{id}}", self._one_record(kind.name))

    def resolve(self, uri: str) -> Source | None:
        """Tell what an export's uri names: a list here, or a report (which are not kept: any id will do)."""
        parts = urlsplit(uri)
        report = Route("GET", "/entities/{id}/reports/{report}", self._one_invoice).match(parts.path)
        if parts.scheme or parts.netloc or (report is not None and parts.query != "exporting=true"):
            return None
        if report is not None:
            entity = self._accounts.entities.get(report["id"])
            return Source(owner=entity, rows=None) if entity else None
        for listing in self.listings:
            args = listing.match(parts.path)
            if args is not None and listing.rows(args) is not None:
                return self._source(listing, args, parts.path, parts.query)
        return None

    def _source(self, listing: Listing, args: dict[str, str], path: str, text: str) -> Source:
        query: Query = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        call = Incoming(method="GET", path=path, query=query, headers={}, body=b"", args=args)
        tests = filters(call, listing.known)

        def rows() -> Rows:
            return [row for row in listing.rows(args) or () if all(test(row) for test in tests)]

        is_entity = listing.template.startswith("/entities/{id}")
        return Source(owner=self._accounts.entities.get(args["id"]) if is_entity else None, rows=rows)

    def _all(self) -> Iterator[Listing]:
        yield Listing(
            template="/entities",
            context="Link",
            rows=lambda _: [entity.row() for entity in reversed(self._accounts.entities.values())],
            known=ENTITY_FILTERS,
            order=("createdAt", "updatedAt"),
        )
        yield Listing(
            template="/credentials",
            context="Credential",
            rows=lambda _: [one.row() for one in reversed(self._accounts.credentials.values())],
            known=CREDENTIAL_FILTERS,
            order=("createdAt",),
            style="page",
        )
        for listing in self._of_entities():
            yield listing
            # The former tree, by RFC: superseded, still answering (observed).
            yield replace(listing, template=listing.template.replace("/entities/{id}", "/taxpayers/{id}"))
        yield from self._of_invoices()
        yield from self._of_tags()
        for kind in KINDS.values():
            if kind.everywhere is not None:
                yield Listing(
                    template=kind.everywhere,
                    context=kind.name,
                    rows=self._everywhere(partial(self._records.newest_first, kind.name)),
                    known=kind.known,
                    order=kind.order,
                )

    def _of_entities(self) -> Iterator[Listing]:
        yield Listing(
            template="/entities/{id}/invoices",
            context="Invoice",
            rows=self._of_entity(self._gathered_rows.newest_first),
            known=INVOICE_FILTERS,
            order=INVOICE_ORDER,
            style="cursor_only",
        )
        for name in ("line-items", "payments", "credit-notes"):
            context, style = INVOICE_PARTS[name]
            yield Listing(
                template=f"/entities/{{id}}/invoices/{name}",
                context=context,
                rows=self._of_entity(partial(self.parts.of_entity, name)),
                style=style,
            )
        for kind in KINDS.values():
            if kind.path is not None:
                yield Listing(
                    template=f"/entities/{{id}}/{kind.path}",
                    context=kind.name,
                    rows=self._of_entity(partial(self._records.newest_first, kind.name)),
                    known=kind.known,
                    order=kind.order,
                )

    def _of_invoices(self) -> Iterator[Listing]:
        for name in ("payments", "batch-payments", "credit-notes"):
            yield Listing(
                template=f"/invoices/{name}",
                context=INVOICE_PARTS[name][0],
                rows=self._everywhere(partial(self.parts.everywhere, name)),
            )
        for name in ("line-items", "payments", "batch-payments", "relations"):
            context, style = INVOICE_PARTS[name]
            rows = self._of_invoice(partial(self.parts.of_invoice, name))
            yield Listing(template=f"/invoices/{{invoice}}/{name}", context=context, rows=rows, style=style)
            if name in ("line-items", "relations"):
                template = f"/entities/{{id}}/invoices/{{invoice}}/{name}"
                yield Listing(template=template, context=context, rows=rows, style=style)
        for word, keep in (("issued", issued_by), ("applied", applied_to)):
            yield Listing(
                template=f"/invoices/{{invoice}}/{word}-credit-notes",
                context="InvoiceCreditNote",
                rows=self._of_invoice(partial(self._notes, keep)),
            )

    def _of_tags(self) -> Iterator[Listing]:
        yield Listing(template="/tags", context="Tag", rows=lambda _: [*self._tags.of_invoices])
        yield Listing(template="/entity-tags", context="EntityTag", rows=lambda _: [*self._tags.of_entities])
        yield Listing(
            template="/entities/{id}/tags",
            context="EntityTag",
            rows=self._of_entity(lambda number: self._accounts.entities[number].tags),
        )

    def _notes(self, keep: Callable[[Sequence[JsonObject], str], Rows], invoice: str) -> Rows | None:
        rows = self.parts.of_invoice("credit-notes", invoice)
        return None if rows is None else keep(rows, invoice)

    def _of_entity(self, rows: Callable[[str], Rows]) -> RowsOf:
        def of_entity(args: Mapping[str, str]) -> Rows | None:
            self._refresh()
            entity = self._accounts.entities.get(args["id"]) or self._accounts.by_rfc(args["id"])
            return None if entity is None else rows(entity.id)

        return of_entity

    def _of_invoice(self, rows: Callable[[str], Rows | None]) -> RowsOf:
        def of_invoice(args: Mapping[str, str]) -> Rows | None:
            self._refresh()
            return rows(args["invoice"])

        return of_invoice

    def _everywhere(self, rows: Callable[[], Rows]) -> RowsOf:
        def everywhere(_: Mapping[str, str]) -> Rows:
            self._refresh()
            return rows()

        return everywhere

    async def _one_invoice(self, call: Incoming) -> Reply:
        self._refresh()
        return detail(self.invoice(call.args["id"]), "Invoice")

    def invoice(self, number: str) -> JsonObject | None:
        """Give an invoice as it is shown by itself: with its tags."""
        row = self._gathered_rows.find(number)
        tags: list[Json] = [*self._tags.of_invoice(number)] if row else []
        return {**row, "tags": tags} if row else None

    def _one_part(self, name: str, context: str) -> Handler:
        async def one(call: Incoming) -> Reply:
            self._refresh()
            return detail(self.parts.find(name, call.args["id"]), context)

        return one

    def _one_record(self, kind: str) -> Handler:
        async def one(call: Incoming) -> Reply:
            return detail(self._records.find(kind, call.args["id"]), kind)

        return one
