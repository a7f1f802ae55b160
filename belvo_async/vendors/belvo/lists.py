"""Belvo's lists: where each is, what its rows are, how a query narrows it, and which rows belong to a reading.

A guard holds just the keys that tell a row's place; readings look at it when rows are decoded into a type of the
caller's own. Whatever looks at rows here reads attributes that records and guards share.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from ...abc import Query, Request, Shape, Walk, answer_of
from ...errors import UnsupportedError
from ...jobs import Seen, Way, normal_id
from .pages import PAGE_SIZE, Params, get, selection, walk_list
from .schema.checks import Several, link_id, subject_of
from .schema.invoices import XML_LIMIT, Invoice, Warnings
from .schema.links import Institution, Link
from .schema.queries import Institutions, InvoiceList, Links, ListQuery, OfLink, TaxReturnList
from .schema.statements import FinancialStatement
from .schema.tasks import FiscalRecord
from .schema.tax_returns import TaxReturn, year_number
from .schema.taxes import TaxComplianceStatus, TaxRetention, TaxStatus
from .settings import Pace

R_co = TypeVar("R_co", covariant=True)

Keep: TypeAlias = Callable[[Any], bool]
"""Tells rows of a reading from others, by the attributes of a record or of its guard."""


class _IdGuard(msgspec.Struct, frozen=True, gc=False):
    id: str | int | None = None


class _AccessGuard(_IdGuard, frozen=True):
    institution: str | None = None
    access_mode: str | None = None
    external_id: str | None = None
    institution_user_id: str | None = None
    status: str | None = None


class _SourceGuard(_IdGuard, frozen=True):
    name: str | None = None
    type: str | None = None
    status: str | None = None


class _LinkGuard(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    link: str | None = None


class _InvoiceGuard(_LinkGuard, frozen=True):
    type: str | None = None
    invoice_date: date | None = None
    invoice_identification: str | None = None
    total_amount: Decimal | None = None
    warnings: Warnings | None = None


class _GeneralGuard(msgspec.Struct, frozen=True, gc=False):
    ejercicio: int | float | str | None = None


class _ReturnGuard(_LinkGuard, frozen=True):
    informacion_general: _GeneralGuard | None = None

    @property
    def year(self) -> int | None:
        return year_number(self.informacion_general.ejercicio if self.informacion_general else None)


class Collection(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """One of Belvo's lists: its path, the type of its rows, and the guard of a row.

    Without `has_ids`, some of the rows are documented to have no id.
    """

    path: str
    record: type[R_co]
    guard: type[object]
    has_ids: bool = True

    @property
    def names_link(self) -> bool:
        """Whether the rows say whose they are: some name no link at all."""
        return "link" in getattr(self.guard, "__struct_fields__", ())

    def shape(self, keep: Keep | None) -> Shape[R_co]:
        """Say where the rows stand on a page, and how they are told apart."""
        return Shape(
            record=self.record,
            rows=("results",),
            next=(("next",),),
            count=(("count",),),
            keep=keep,
            record_id=record_id,
            remark=partial_remark if "warnings" in getattr(self.guard, "__struct_fields__", ()) else None,
            guard=self.guard,
            has_ids=self.has_ids,
        )


INVOICES: Final = Collection(path="/api/invoices/", record=Invoice, guard=_InvoiceGuard)
STATEMENTS: Final = Collection(path="/api/financial-statements/", record=FinancialStatement, guard=_LinkGuard)
# Monthly returns have neither id nor link.
TAX_RETURNS: Final = Collection(path="/api/tax-returns/", record=TaxReturn, guard=_ReturnGuard, has_ids=False)
TAX_STATUS: Final = Collection(path="/api/tax-status/", record=TaxStatus, guard=_LinkGuard)
COMPLIANCE: Final = Collection(path="/api/tax-compliance-status/", record=TaxComplianceStatus, guard=_IdGuard)
RETENTIONS: Final = Collection(path="/api/tax-retentions/", record=TaxRetention, guard=_LinkGuard)
LINKS: Final = Collection(path="/api/links/", record=Link, guard=_AccessGuard)
INSTITUTIONS: Final = Collection(path="/api/institutions/", record=Institution, guard=_SourceGuard)

BY_RESOURCE: Final[Mapping[str, Collection[FiscalRecord]]] = {
    "INVOICES": INVOICES,
    "FINANCIAL_STATEMENTS": STATEMENTS,
    "TAX_RETURNS": TAX_RETURNS,
    "TAX_STATUS": TAX_STATUS,
    "TAX_COMPLIANCE_STATUS": COMPLIANCE,
    "TAX_RETENTIONS": RETENTIONS,
}
BY_RECORD: Final[Mapping[type[object], Collection[object]]] = {
    each.record: each for each in (*BY_RESOURCE.values(), LINKS, INSTITUTIONS)
}


def walk_query(query: Query[object], pace: Pace) -> Walk[object]:
    """Walk through what a query asks for. Raises UnsupportedError for queries that are not of this catalogue."""
    if not isinstance(query, ListQuery):
        raise UnsupportedError(f"Belvo has no list for {type(query).__name__}")
    of = BY_RECORD[answer_of(type(query))]
    return walk(pace, of, query_params(query), query_filter(query, of))


def walk(pace: Pace, of: Collection[R_co], params: Params, keep: Keep | None) -> Walk[R_co]:
    """Read a list, narrowed by parameters; of its rows, what `keep` keeps."""
    first = get(pace, of.path, [*params, ("page_size", PAGE_SIZE)])
    return walk_list(first, of.path, of.shape(keep))


def get_link(link: str, pace: Pace) -> Request:
    """Build the read of a link."""
    return get(pace, f"{LINKS.path}{quote(link, safe='')}/", [], name="GET /api/links/{id}/")


def query_params(query: ListQuery) -> Params:
    """Turn the attributes of a query that are given into Belvo's parameters, in the order they are declared."""
    given = [(each.encode_name, getattr(query, each.name)) for each in _fields(type(query))]
    return [_parameter(name, value) for name, value in given if value is not None and name not in _CHOICES] + selection(
        getattr(query, "fields", None), getattr(query, "omit", None)
    )


# Its annotations are evaluated, which takes a millisecond.
@cache
def _fields(query: type[ListQuery]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(query)


_CHOICES: Final = ("fields", "omit")


def _parameter(name: str, value: str | int | date | Decimal | Sequence[str]) -> tuple[str, str]:
    if isinstance(value, Decimal):
        # Belvo wants two to four decimals.
        return name, f"{value:.4f}"
    if isinstance(value, date):
        return name, value.isoformat()
    if isinstance(value, int):
        return name, str(value)
    if isinstance(value, str):
        return name, link_id(value) if name == "link" else value
    several = name if "__" in name else f"{name}__in"
    return several, ",".join(link_id(each) if name == "link" else each for each in value)


# What is read of rows. Frozen structs fit these: their attributes are read only.


class _IdRow(Protocol):
    @property
    def id(self) -> str | int | None: ...


class _LinkedRow(Protocol):
    @property
    def link(self) -> str | None: ...


class _InvoiceRow(_LinkedRow, Protocol):
    @property
    def type(self) -> str | None: ...
    @property
    def invoice_date(self) -> date | None: ...
    @property
    def invoice_identification(self) -> str | None: ...
    @property
    def total_amount(self) -> Decimal | None: ...


class _YearRow(Protocol):
    @property
    def year(self) -> int | None: ...


class _WarnedRow(Protocol):
    @property
    def warnings(self) -> Warnings | None: ...


def record_id(row: _IdRow) -> str | None:
    """What tells a row met twice; None for rows without an id, which are never taken for repetitions."""
    return None if row.id is None else str(row.id)


def partial_remark(row: _WarnedRow, now: datetime) -> Seen | None:
    """Say that an invoice came without its XML, so that the job it belongs to is partial."""
    warnings = row.warnings
    if warnings is None or warnings.code is None:
        return None
    retry_at = quota_reset(now) if warnings.code == XML_LIMIT else None
    return Seen(way=Way.POLL, at=now, partial=True, retry_at=retry_at)


def quota_reset(now: datetime) -> datetime:
    """SAT's daily quota of XML documents is filled up at 00:00 CST, which is 06:00 UTC (support article on XML)."""
    today = now.astimezone(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)


# Filters, checked again on our side should Belvo ignore one. A row without the key in question is kept: the key may
# have been left out by `fields` or `omit`.


def query_filter(query: ListQuery, of: Collection[object]) -> Keep | None:
    """Tell rows that a query asks for from others; None where only Belvo can tell."""
    tests: list[Keep] = []
    if isinstance(query, OfLink) and of.names_link:
        tests.append(link_filter(as_several(query.link)))
    ids: Several | None = getattr(query, "id", None)
    if ids is not None:
        tests.append(_id_filter(as_several(ids)))
    if isinstance(query, InvoiceList):
        tests.append(invoice_filter(query.date_from, query.date_to, query.type))
        tests += _amount_filters(query)
    if isinstance(query, Links | Institutions):
        tests += _text_filters(query, of)
    if isinstance(query, TaxReturnList) and not (query.year_from is None and query.year_to is None):
        tests.append(_year_filter(query.year_from, query.year_to))
    return every(*tests) if tests else None


def every(*tests: Keep) -> Keep:
    """Keep the rows that pass all tests."""
    first, *others = tests
    if not others:
        return first
    rest = every(*others)
    return lambda row: first(row) and rest(row)


def link_filter(links: Sequence[str]) -> Keep:
    """Tell rows of these links from others."""
    subjects = {subject_of(link) for link in links}

    def keep(row: _LinkedRow) -> bool:
        # Most rows spell the link as the request did.
        return row.link is None or row.link in subjects or subject_of(row.link) in subjects

    return keep


def invoice_filter(first: date | None, last: date | None, direction: str | None) -> Keep:
    """Tell invoices of these days, both included, and of this direction from others."""

    def keep(row: _InvoiceRow) -> bool:
        day = row.invoice_date
        return (row.type is None or direction is None or row.type == direction) and (
            day is None or ((first is None or first <= day) and (last is None or day <= last))
        )

    return keep


def _amount_filters(query: InvoiceList) -> list[Keep]:
    low, high = query.total_amount_from, query.total_amount_to
    known = {normal_id(each).lower() for each in as_several(query.invoice_identification or ())}

    def within(row: _InvoiceRow) -> bool:
        amount = row.total_amount
        return amount is None or ((low is None or low <= amount) and (high is None or amount <= high))

    def named(row: _InvoiceRow) -> bool:
        return row.invoice_identification is None or normal_id(row.invoice_identification).lower() in known

    wanted: list[tuple[bool, Keep]] = [(not (low is None and high is None), within), (bool(known), named)]
    return [test for is_wanted, test in wanted if is_wanted]


def _text_filters(query: ListQuery, of: Collection[object]) -> Iterator[Keep]:
    """Compare the texts that a guard shares with its query, whatever their case: whose links these are must be sure."""
    for name in getattr(of.guard, "__struct_fields__", ()):
        given: Several | None = getattr(query, name, None)
        if name != "id" and given is not None:
            yield _text_filter(name, {each.lower() for each in as_several(given)})


def _text_filter(name: str, wanted: Container[str]) -> Keep:
    def keep(row: object) -> bool:
        text: str | None = getattr(row, name)
        return text is None or text.lower() in wanted

    return keep


def _id_filter(ids: Sequence[str]) -> Keep:
    wanted = {normal_id(each).lower() for each in ids}

    def keep(row: _IdRow) -> bool:
        return row.id is None or normal_id(str(row.id)).lower() in wanted

    return keep


def _year_filter(first: int | None, last: int | None) -> Keep:
    def keep(row: _YearRow) -> bool:
        year = row.year
        return year is None or ((first is None or first <= year) and (last is None or year <= last))

    return keep


def as_several(given: Several) -> Sequence[str]:
    """One value or several, as several."""
    return [given] if isinstance(given, str) else given
