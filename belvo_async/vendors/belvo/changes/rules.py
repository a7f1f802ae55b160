"""What counts as a change of Belvo's records: all by free lists, and by what was asked for again.

Belvo has no webhook for records that changed (its tracker, belvo-python#52): late cancellations are found by asking
again. Its lists are narrowed by the day on which a record was stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from ....abc.changes import ChangeKind, ChangeRules, RecordStanding
from ....jobs import Extent
from ..schema.invoices import Invoice
from ..schema.queries import (
    FinancialStatementList,
    InvoiceList,
    OfLink,
    TaxComplianceStatusList,
    TaxRetentionList,
    TaxStatusList,
)
from ..schema.statements import FinancialStatement
from ..schema.tasks import DIRECTIONS
from ..schema.taxes import TaxComplianceStatus, TaxRetention, TaxStatus

Q = TypeVar("Q", bound=OfLink)

# When Belvo got it, and which files came with it.
_MOVING: Final = frozenset({"id", "link", "collected_at", "created_at", "xml", "pdf", "warnings"})
# A day counts from midnight UTC, and is compared as a day (reference, created_at).
_OVERLAP: Final = timedelta(days=1)

_ROLES: Final = ("sender", "receiver")
_OF_OTHERS: Final = frozenset(f"{role}_{word}" for role in _ROLES for word in ("tax_fraud_status", "blacklist_status"))
# Article 69-B: presumed and definitive, in Belvo's words; then those who cleared themselves, by SAT or by a court.
_LISTED: Final = frozenset({"investigating", "confirmed"})
_CLEARED: Final = frozenset({"dismissed", "overturned"})


def _invoice_standings(invoice: Invoice) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.CANCELLED, _begins(invoice.status, "cancel"), ("status",))
    for role in _ROLES:
        rfc, field = getattr(invoice, f"{role}_id"), f"{role}_tax_fraud_status"
        word: str = (getattr(invoice, field) or "").strip().casefold()
        if rfc and word in _LISTED | _CLEARED:
            yield RecordStanding(ChangeKind.BLACKLISTED, word in _LISTED, (field,), rfc.strip().upper(), word)


def _compliance_standings(opinion: TaxComplianceStatus) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.COMPLIANCE_NEGATIVE, _begins(opinion.outcome, "negativ"), ("outcome",))


def _status_standings(status: TaxStatus) -> Iterable[RecordStanding]:
    word = None if status.tax_payer_information is None else status.tax_payer_information.status_padron
    is_so = _begins(word, "inactiv", "suspend", "cancel")
    yield RecordStanding(ChangeKind.TAXPAYER_SUSPENDED, is_so, ("tax_payer_information.status_padron",))


def _retention_standings(retention: TaxRetention) -> Iterable[RecordStanding]:
    yield RecordStanding(ChangeKind.CANCELLED, retention.cancelled_at is not None, ("cancelled_at",))


def _begins(word: str | None, *beginnings: str) -> bool | None:
    """Whether a word of Belvo's open lists begins so; None where there is none."""
    return None if not word else word.strip().casefold().startswith(beginnings)


def _invoices(subject: str, extent: Extent, since: datetime | None) -> InvoiceList:
    side = DIRECTIONS.get(extent.directions[0]) if len(extent.directions) == 1 else None
    return InvoiceList(
        link=subject,
        date_from=extent.first,
        date_to=extent.last,
        type=side,
        created_from=None if since is None else since.astimezone(UTC).date(),
    )


def _whole(query: type[Q], subject: str) -> Q:
    return query(link=subject)


def _collected(record: Any) -> datetime | None:
    at: datetime | None = record.collected_at
    return at


def _is_without_xml(invoice: Invoice) -> bool:
    # What the tax office's limits held back is null or empty (support article on empty invoice details).
    return invoice.warnings is not None and invoice.warnings.code is not None


CHANGE_RULES: Final[Mapping[str, ChangeRules]] = {
    "INVOICES": ChangeRules(
        record=Invoice,
        listed=_invoices,
        overlap=_OVERLAP,
        moment=_collected,
        ignored=_MOVING | _OF_OTHERS | {"payment_type_description", "payment_method_description"},
        standings=_invoice_standings,
        is_incomplete=_is_without_xml,
    ),
    "FINANCIAL_STATEMENTS": ChangeRules(
        record=FinancialStatement,
        listed=lambda subject, extent, since: _whole(FinancialStatementList, subject),
        moment=_collected,
        ignored=_MOVING,
    ),
    "TAX_RETENTIONS": ChangeRules(
        record=TaxRetention,
        listed=lambda subject, extent, since: _whole(TaxRetentionList, subject),
        moment=_collected,
        ignored=_MOVING,
        standings=_retention_standings,
    ),
    "TAX_STATUS": ChangeRules(
        record=TaxStatus,
        listed=lambda subject, extent, since: _whole(TaxStatusList, subject),
        moment=_collected,
        # What is printed anew on each certificate.
        ignored=_MOVING | {"place_and_date_of_issuance", "digital_stamp", "digital_stamp_chain"},
        standings=_status_standings,
        is_single=True,
    ),
    "TAX_COMPLIANCE_STATUS": ChangeRules(
        record=TaxComplianceStatus,
        listed=lambda subject, extent, since: _whole(TaxComplianceStatusList, subject),
        moment=_collected,
        ignored=_MOVING | {"internal_identification"},
        standings=_compliance_standings,
        is_single=True,
    ),
}
"""What changes are told of, by resource. Tax returns are not: monthly ones have no id."""
