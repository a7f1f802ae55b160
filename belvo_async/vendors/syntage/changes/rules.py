"""What counts as a change of Syntage's records: by free lists, which `updatedAt` narrows where that is documented.

Its events of records (`invoice.updated`, `tax_compliance_check.created`, ...) bring the same sooner, but are kept for
seven days and come out of order: what a list says is what holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final

from ....abc.changes import ChangeKind, ChangeRules, RecordStanding
from ....jobs import ISSUED, RECEIVED, Extent
from ..schema.fiscal_queries import (
    ElectronicAccountingRecords,
    SatCertificates,
    TaxComplianceChecks,
    TaxRetentions,
    TaxReturns,
    TaxStatuses,
)
from ..schema.invoices import Invoice, Issuer, Receiver
from ..schema.queries import Invoices
from ..schema.taxes import (
    ElectronicAccountingRecord,
    SatCertificate,
    TaxComplianceCheck,
    TaxRetention,
    TaxReturn,
    TaxStatus,
)

# Names of the record itself, when Syntage got it, what files it holds, and which records it knows of beside.
_MOVING: Final = frozenset(
    {"iri", "ld_type", "id", "created_at", "updated_at", "xml", "pdf", "file", "files", "tags", "related_invoice"}
)
# Filters are sent in whole seconds; how soon a record shows in a list is not documented.
_OVERLAP: Final = timedelta(hours=1)

_PARTIES: Final = ("issuer", "receiver")
# OpenAPI, Invoice: article 69-B, presumed and definitive; then those who cleared themselves, by SAT or by a court.
_LISTED: Final = frozenset({"presumed", "definitive"})
_CLEARED: Final = frozenset({"dismissed", "favorable"})


def _invoice_standings(invoice: Invoice) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.CANCELLED, _begins(invoice.status, "cancel"), ("status",))
    for role in _PARTIES:
        party: Issuer | Receiver | None = getattr(invoice, role)
        if party is None or not party.rfc:
            continue
        word, field = (party.blacklist_status or "").strip().casefold(), f"{role}.blacklist_status"
        if word in _LISTED | _CLEARED:
            yield RecordStanding(ChangeKind.BLACKLISTED, word in _LISTED, (field,), party.rfc.strip().upper(), word)


def _compliance_standings(check: TaxComplianceCheck) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.COMPLIANCE_NEGATIVE, _begins(check.result, "negativ"), ("result",))
    yield RecordStanding(ChangeKind.TAXPAYER_SUSPENDED, _begins(check.result, "activity_suspended"), ("result",))


def _status_standings(status: TaxStatus) -> Iterable[RecordStanding]:
    # Its words are the tax office's, and not documented: ACTIVO is in the vendor's examples.
    is_so = _begins(status.status, "suspend", "inactiv", "cancel")
    yield RecordStanding(ChangeKind.TAXPAYER_SUSPENDED, is_so, ("status",))


def _retention_standings(retention: TaxRetention) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.CANCELLED, retention.canceled_at is not None, ("canceled_at",))


def _begins(word: str | None, *beginnings: str) -> bool | None:
    """Whether a word begins so; None where there is none."""
    return None if not word else word.strip().casefold().startswith(beginnings)


def _span(extent: Extent) -> tuple[datetime | None, datetime | None]:
    """The days with one of slack on either side: whether an instant is meant in Mexico's time is not documented."""
    return _midnight(extent.first, -1), _midnight(extent.last, 2)


def _midnight(day: date | None, days: int) -> datetime | None:
    if day is None:
        return None
    ordinal = min(max(day.toordinal() + days, 1), date.max.toordinal())
    return datetime.combine(date.fromordinal(ordinal), time.min, UTC)


def _invoices(subject: str, extent: Extent, since: datetime | None) -> Invoices:
    first, last = _span(extent)
    side = extent.directions[0] if len(extent.directions) == 1 else None
    return Invoices(
        entity=subject,
        issued_after=first,
        issued_before=last,
        is_issuer=True if side == ISSUED else None,
        is_receiver=True if side == RECEIVED else None,
        updated_after=since,
    )


def _retentions(subject: str, extent: Extent, since: datetime | None) -> TaxRetentions:
    first, last = _span(extent)
    return TaxRetentions(entity=subject, issued_after=first, issued_before=last)


def _accounting(subject: str, extent: Extent, since: datetime | None) -> ElectronicAccountingRecords:
    first, last = _span(extent)
    return ElectronicAccountingRecords(entity=subject, received_after=first, received_before=last)


def _returns(unit: Any, subject: str, extent: Extent, since: datetime | None) -> TaxReturns:
    first, last = _span(extent)
    return TaxReturns(entity=subject, interval_unit=unit, presented_after=first, presented_before=last)


def _stored(record: Any) -> datetime | None:
    at: datetime | None = record.updated_at or record.created_at
    return at


def _checked(check: TaxComplianceCheck) -> datetime | None:
    return check.checked_at or check.created_at


def _of_returns(unit: str) -> ChangeRules:
    return ChangeRules(record=TaxReturn, listed=partial(_returns, unit), moment=_stored, ignored=_MOVING)


CHANGE_RULES: Final[Mapping[str, ChangeRules]] = {
    "invoice": ChangeRules(
        record=Invoice,
        listed=_invoices,
        overlap=_OVERLAP,
        moment=_stored,
        ignored=_MOVING | {f"{role}.blacklist_status" for role in _PARTIES},
        standings=_invoice_standings,
    ),
    "tax_retention": ChangeRules(
        record=TaxRetention, listed=_retentions, moment=_stored, ignored=_MOVING, standings=_retention_standings
    ),
    "annual_tax_return": _of_returns("Anual"),
    "monthly_tax_return": _of_returns("Mensual"),
    "rif_tax_return": _of_returns("RIF"),
    "electronic_accounting": ChangeRules(
        record=ElectronicAccountingRecord, listed=_accounting, moment=_stored, ignored=_MOVING
    ),
    "sat_certificates": ChangeRules(
        record=SatCertificate,
        listed=lambda subject, extent, since: SatCertificates(entity=subject),
        moment=_stored,
        ignored=_MOVING,
    ),
    "tax_status": ChangeRules(
        record=TaxStatus,
        listed=lambda subject, extent, since: TaxStatuses(entity=subject),
        moment=_stored,
        ignored=_MOVING,
        standings=_status_standings,
        is_single=True,
    ),
    "tax_compliance": ChangeRules(
        record=TaxComplianceCheck,
        listed=lambda subject, extent, since: TaxComplianceChecks(entity=subject),
        moment=_checked,
        # Each opinion has a folio of its own.
        ignored=_MOVING | {"internal_identifier", "checked_at"},
        standings=_compliance_standings,
        is_single=True,
    ),
}
"""What changes are told of, by extractor."""
