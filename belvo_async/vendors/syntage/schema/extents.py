"""Which days, directions and parts of a resource the options of an extractor ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ....jobs import ISSUED, RECEIVED, Extent
from .options import (
    INVOICE_TYPES,
    ElectronicAccountingOptions,
    InvoiceOptions,
    NoOptions,
    Period,
    TaxRetentionOptions,
    TaxReturnOptions,
)

# Central time has been UTC-6 the whole year since 2022; the reading that the tax office's own days have.
_MEXICO: Final = timedelta(hours=6)


def day_of(instant: datetime | None) -> date | None:
    """The day in Mexico City; None where there is no instant."""
    return None if instant is None else (instant.astimezone(UTC).replace(tzinfo=None) - _MEXICO).date()


def extent_of(options: object) -> Extent | None:
    """What an extraction with these options asks for; None where that is narrower than a plan's words can say.

    Of extractors whose options are not published, only an extraction without any is understood.
    """
    if isinstance(options, InvoiceOptions):
        return None if options.complement is not None else _invoices(options)
    if isinstance(options, TaxRetentionOptions):
        return _retentions(options)
    if isinstance(options, TaxReturnOptions | ElectronicAccountingOptions):
        return _dated(options.period)
    return Extent() if isinstance(options, NoOptions) or not options else None


def _invoices(options: InvoiceOptions) -> Extent | None:
    if options.types != INVOICE_TYPES:
        return None
    sides = tuple(_sides(issued=options.issued, received=options.received))
    return _dated(options.period, sides, tuple(_files(xml=options.xml, pdf=options.pdf)))


def _retentions(options: TaxRetentionOptions) -> Extent | None:
    if options.complement is not None:
        return None
    # What is not said is not promised: only what was asked for in so many words counts.
    sides = tuple(_sides(issued=options.issued is True, received=options.received is True))
    return _dated(options.period, sides, tuple(_files(xml=options.xml, pdf=options.pdf))) if sides else None


def _dated(
    period: Period | None, directions: tuple[str, ...] | None = None, options: tuple[str, ...] = ()
) -> Extent | None:
    days = None if period is None else period.days
    if days is None:
        return None
    first, last = days
    return (
        Extent(first=first, last=last, options=options)
        if directions is None
        else Extent(directions=directions, first=first, last=last, options=options)
    )


def _sides(*, issued: bool, received: bool) -> Iterator[str]:
    if issued:
        yield ISSUED
    if received:
        yield RECEIVED


def _files(*, xml: bool | None, pdf: bool | None) -> Iterator[str]:
    if xml:
        yield "xml"
    if pdf:
        yield "pdf"
