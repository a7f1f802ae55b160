"""Belvo's fiscal resources for Mexico: where each lives, how its list is filtered, how it is retrieved."""

from dataclasses import dataclass
from typing import Final

from .checks import Check, check_invoices, check_link, check_retentions, check_returns, check_snapshot
from .lists import INVOICE_FILTERS, RECORD_FILTERS, RETENTION_FILTERS, RETURN_FILTERS, Filters


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. A `is_single` retrieval answers one object, others a list.

    Only where `is_async` the header X-Belvo-Request-Mode is listed; the others answer a POST when they are done.
    Only where it `has_resume` there is a PATCH for a session that waits for a token; those of the others are opened by
    PATCH /api/links/ ("PATCH on fiscal endpoints" is a cause of 405: error catalogue).
    """

    name: str
    path: str
    filters: Filters
    check: Check
    is_single: bool = False
    is_async: bool = False
    has_resume: bool = False


CATALOGUE: Final = (
    Resource(
        name="INVOICES",
        path="/api/invoices/",
        filters=INVOICE_FILTERS,
        check=check_invoices,
        is_async=True,
        has_resume=True,
    ),
    Resource(
        name="FINANCIAL_STATEMENTS",
        path="/api/financial-statements/",
        filters=RECORD_FILTERS,
        check=check_link,
        is_async=True,
    ),
    Resource(name="TAX_RETURNS", path="/api/tax-returns/", filters=RETURN_FILTERS, check=check_returns),
    Resource(name="TAX_STATUS", path="/api/tax-status/", filters=RECORD_FILTERS, check=check_snapshot, is_single=True),
    Resource(
        name="TAX_COMPLIANCE_STATUS",
        path="/api/tax-compliance-status/",
        filters=RECORD_FILTERS,
        check=check_snapshot,
        is_single=True,
    ),
    Resource(name="TAX_RETENTIONS", path="/api/tax-retentions/", filters=RETENTION_FILTERS, check=check_retentions),
)
