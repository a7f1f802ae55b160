"""What an extraction brings: which lists hold it, and which of their rows it asked for.

The vendor's filters only save pages (it ignores the ones it does not know), so each row is checked again. What a row
does not say is not held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from ...abc import Walk, answer_of
from ...errors import TaskError, UnsupportedError
from .pages import touches, walk_list
from .schema.fiscal_queries import (
    BackgroundChecks,
    BilReports,
    BuroReports,
    ElectronicAccountingRecords,
    RpcActos,
    RpcEntidades,
    RugGarantias,
    RugOperaciones,
    SatCertificates,
    TaxComplianceChecks,
    TaxRetentions,
    TaxReturns,
    TaxStatuses,
)
from .schema.invoices import Invoice, InvoiceCreditNote, InvoiceLineItem
from .schema.options import INVOICE_TYPES, InvoiceOptions, Period
from .schema.queries import InvoiceCreditNotes, InvoiceLineItems, InvoicePayments, Invoices, ListQuery
from .schema.record import Record
from .schema.tasks import Extraction
from .schema.taxes import ElectronicAccountingRecord, TaxRetention, TaxReturn

Task: TypeAlias = Extraction[Any]
Params: TypeAlias = list[tuple[str, str]]

# Mexico's central time has been UTC-6 the whole year since 2022. Whether `issuedAt` and plain dates are meant in it or
# in UTC is not documented, so a row is kept if either reading puts it into the period.
_MEXICO: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultList:
    """One list of an entity that an extraction fills: the one that a query reads.

    `keep` tells of a row, by the attributes in `reads`, whether the task asked for it; None where rows say nothing.
    """

    query: type[ListQuery[Any]]
    params: Callable[[Task], Params] = lambda task: []
    reads: tuple[str, ...] = ()
    keep: Callable[[Any, Task], bool] | None = None

    @property
    def under(self) -> str:
        """The list's path below the entity."""
        return self.query.under

    @property
    def word(self) -> str:
        """What `resource` names it by, the last step of its path: `invoices`, `line-items`, `tax-returns`."""
        return self.under.rpartition("/")[2]


def walk_results(task: Task, resource: str | None) -> Walk[Record]:
    """Read one list an extraction filled: the one that goes with its extractor, or the one `resource` names.

    It is the entity's: it holds what all its extractions brought, for this task's period, kinds and sides. The count
    the vendor gives is of its filters, so it includes their slack.
    """
    source = _choose(task, resource)
    path, name = _where(task, source)
    check = source.keep
    reads = frozenset(source.reads)
    return walk_list(
        answer_of(source.query),
        path,
        source.params(task),
        name=name,
        is_cursor=source.query.is_cursor,
        keep=None if check is None else (lambda row: check(row, task)),
        # Whose rows these are, the list says. What else a row would say of itself and nobody can read is not held
        # against it.
        keep_odd=lambda row, unread: touches(reads, unread),
        reads=source.reads,
    )


def check_readable(task: Task) -> None:
    """Raise TaskError for a task none of whose lists can be read."""
    if task.rfc is not None and not any(_is_listed_by_rfc(each) for each in RESULT_LISTS[task.extractor]):
        raise TaskError(
            f"entity must be /entities/<uuid> for {task.extractor}: what it brings is listed by entity only; "
            "find it with syntage.Entities(rfc=...)",
            field="entity",
        )


def _is_listed_by_rfc(source: ResultList) -> bool:
    # guides/api/entity-urls gives the taxpayer's tree up; of its lists, only the invoices were seen to answer still.
    return source.query is Invoices


def _choose(task: Task, resource: str | None) -> ResultList:
    sources = RESULT_LISTS[task.extractor]
    if resource in (None, task.extractor):
        return sources[0]
    found = next((each for each in sources if each.word == resource), None)
    if found is None:
        words = ", ".join(each.word for each in sources)
        raise TaskError(f"resource must be one of {words}: that is what {task.extractor} brings", field="resource")
    return found


def _where(task: Task, source: ResultList) -> tuple[str, str]:
    if task.rfc is None:
        return f"{task.entity}{source.under}", f"GET /entities/{{id}}{source.under}"
    if not _is_listed_by_rfc(source):
        raise UnsupportedError(f"Syntage lists {source.word} by entity only: find it with syntage.Entities(rfc=...)")
    return f"/taxpayers/{quote(task.rfc, safe='')}{source.under}", f"GET /taxpayers/{{rfc}}{source.under}"


# ---------------------------------------------------------------------------------------------------------------------
# Periods


def _bounds(param: str, period: Period | None) -> Params:
    """Write a period with a day of slack on either side."""
    if period is None:
        return []
    # A plain date is read as its midnight: the day after the slack day closes the slack day.
    return [(f"{param}[after]", _day(period.first, -1)), (f"{param}[before]", _day(period.last, 2))]


def _day(instant: datetime, days: int) -> str:
    try:
        return (instant.date() + timedelta(days=days)).isoformat()
    except OverflowError:
        return instant.date().isoformat()


def _is_within(instant: datetime | None, period: Period | None) -> bool:
    if instant is None or period is None:
        return True
    # Compared shifted, not by shifting the bounds: those may stand at the end of the calendar.
    if isinstance(period.to, datetime) or instant <= period.last:
        return period.first <= instant <= period.last
    return instant - _MEXICO <= period.last


def _touches(first: datetime, last: datetime, period: Period) -> bool:
    return first <= period.last and last >= period.first


# ---------------------------------------------------------------------------------------------------------------------
# Which rows a task asked for

_INVOICE_READS: Final = ("type", "is_issuer", "is_receiver", "issued_at")


def _invoice_params(task: Task) -> Params:
    types = task.options.types if isinstance(task.options, InvoiceOptions) else INVOICE_TYPES
    params = _bounds("issuedAt", task.period)
    return params if types == INVOICE_TYPES else params + [("type[]", each) for each in types]


def _is_asked_invoice(invoice: Invoice, task: Task) -> bool:
    """By kind, side and period."""
    options = task.options
    assert isinstance(options, InvoiceOptions)
    if invoice.type is not None and invoice.type not in options.types:
        return False
    sides = (options.issued and invoice.is_issuer, options.received and invoice.is_receiver)
    is_silent = invoice.is_issuer is None and invoice.is_receiver is None
    if not is_silent and not any(sides):
        return False
    return _is_within(invoice.issued_at, options.period)


def _is_asked_line(line: InvoiceLineItem, task: Task) -> bool:
    return line.invoice is None or _is_asked_invoice(line.invoice, task)


def _is_asked_note(note: InvoiceCreditNote, task: Task) -> bool:
    return _is_within(note.issued_at, task.period)


_UNITS: Final[Mapping[str, str]] = {
    "annual_tax_return": "Anual",
    "monthly_tax_return": "Mensual",
    "rif_tax_return": "RIF",
}


def _return_params(task: Task) -> Params:
    return [("intervalUnit", _UNITS[task.extractor]), *_bounds("presentedAt", task.period)]


def _is_asked_return(filed: TaxReturn, task: Task) -> bool:
    """By the interval and by the filing date."""
    return filed.interval_unit in (None, _UNITS[task.extractor]) and _is_within(filed.presented_at, task.period)


def _is_asked_retention(retention: TaxRetention, task: Task) -> bool:
    """By when it was issued or what time it is about: Syntage does not say which of them the period means."""
    period = task.period
    readings: list[bool] = []
    if retention.issued_at is not None:
        readings.append(_is_within(retention.issued_at, period))
    if period is not None and retention.period_from is not None and retention.period_to is not None:
        readings.append(_touches(retention.period_from, retention.period_to, period))
    return not readings or any(readings)


def _is_asked_accounting(record: ElectronicAccountingRecord, task: Task) -> bool:
    """By when it was received or the month it is about: Syntage does not say which of them the period means."""
    period = task.period
    readings: list[bool] = []
    if record.received_at is not None:
        readings.append(_is_within(record.received_at, period))
    month = _month(record.year, record.month)
    if period is not None and month is not None:
        readings.append(_touches(*month, period))
    return not readings or any(readings)


def _month(year: int | None, month: int | None) -> tuple[datetime, datetime] | None:
    # Month 13 is the closing of the year.
    if year is None or month is None or not (1 < year < 9999 and 1 <= month <= 13):
        return None
    month = min(month, 12)
    first = datetime(year, month, 1, tzinfo=UTC)
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return first, following - timedelta(microseconds=1)


_RETURNS: Final = ResultList(
    query=TaxReturns, params=_return_params, reads=("interval_unit", "presented_at"), keep=_is_asked_return
)

RESULT_LISTS: Final[Mapping[str, tuple[ResultList, ...]]] = {
    "invoice": (
        ResultList(query=Invoices, params=_invoice_params, reads=_INVOICE_READS, keep=_is_asked_invoice),
        ResultList(
            query=InvoiceLineItems, reads=tuple(f"invoice.{each}" for each in _INVOICE_READS), keep=_is_asked_line
        ),
        ResultList(query=InvoicePayments),
        ResultList(query=InvoiceCreditNotes, reads=("issued_at",), keep=_is_asked_note),
    ),
    "annual_tax_return": (_RETURNS,),
    "monthly_tax_return": (_RETURNS,),
    "rif_tax_return": (_RETURNS,),
    "tax_retention": (
        ResultList(query=TaxRetentions, reads=("issued_at", "period_from", "period_to"), keep=_is_asked_retention),
    ),
    "electronic_accounting": (
        ResultList(
            query=ElectronicAccountingRecords, reads=("received_at", "year", "month"), keep=_is_asked_accounting
        ),
    ),
    "tax_status": (ResultList(query=TaxStatuses),),
    "tax_compliance": (ResultList(query=TaxComplianceChecks),),
    "sat_certificates": (ResultList(query=SatCertificates),),
    "rpc": (ResultList(query=RpcEntidades), ResultList(query=RpcActos)),
    "rug": (ResultList(query=RugGarantias), ResultList(query=RugOperaciones)),
    "bil": (ResultList(query=BilReports),),
    "buro_de_credito_report": (ResultList(query=BuroReports),),
    "background_check": (ResultList(query=BackgroundChecks),),
}
"""The lists of each extractor, the one that goes with it first; all are the entity's."""
