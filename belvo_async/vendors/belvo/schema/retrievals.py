"""Retrievals: Belvo fetches from SAT while we wait, for up to five minutes; one at a time for each link."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Generic, TypeVar

from ....abc import Call
from ....discreet import discreet
from .checks import (
    Direction,
    check_direction,
    check_flag,
    check_order,
    check_period,
    check_year,
    fix_link,
    fix_selection,
)
from .invoices import Invoice
from .statements import FinancialStatement
from .tasks import check_span
from .tax_returns import TaxReturn
from .taxes import TaxComplianceStatus, TaxRetention, TaxStatus

R_co = TypeVar("R_co", covariant=True)


class Retrieval(Call[R_co], Generic[R_co], frozen=True, kw_only=True):
    """What all retrievals take. With `save_data` false, Belvo keeps nothing of what it gives."""

    link: str
    save_data: bool = True
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)
        check_flag(self.save_data, field="save_data")
        fix_selection(self)


class RetrieveInvoices(Retrieval[tuple[Invoice, ...]], frozen=True, kw_only=True):
    """Fetch the invoices of a period from SAT and wait for them: POST /api/invoices/. Both dates count.

    At most 365 days. Prefer `session.fire(belvo.Invoices(...))`: it waits as long as SAT needs, and is followed by
    webhook and poll. This call is for links whose institution asks for a token at every retrieval: its
    TokenRequiredError carries what `Resume` takes. `type` None asks for both directions.
    """

    date_from: date
    date_to: date
    type: Direction | None = None
    attach_xml: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_period(self)
        check_span(self.date_from, self.date_to)
        check_direction(self.type)
        check_flag(self.attach_xml, field="attach_xml")


class RetrieveFinancialStatements(Retrieval[tuple[FinancialStatement, ...]], frozen=True, kw_only=True):
    """Fetch the financial statements from SAT and wait for them: POST /api/financial-statements/.

    Takes up to five minutes. Prefer `session.fire(belvo.FinancialStatements(...))`: it waits as long as SAT needs. This
    call is for who wants Belvo to keep nothing (`save_data=False`), and for links that ask for a token.
    """


class RetrieveYearlyTaxReturns(Retrieval[tuple[TaxReturn, ...]], frozen=True, kw_only=True):
    """Fetch the yearly tax returns from SAT and wait for them: POST /api/tax-returns/. Both years count.

    Takes up to five minutes; a link that is already being read answers `too_many_sessions`. Raises TaskError naming
    the field that does not fit, TokenRequiredError when the institution asks for a token (see `Resume`).
    """

    year_from: int
    year_to: int
    attach_pdf: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_year(self.year_from, field="year_from")
        check_year(self.year_to, field="year_to")
        check_order(self.year_from, self.year_to, field="year_to")
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveMonthlyTaxReturns(Retrieval[tuple[TaxReturn, ...]], frozen=True, kw_only=True):
    """Fetch the monthly tax returns of a period from SAT and wait for them: POST /api/tax-returns/.

    As `RetrieveYearlyTaxReturns`, with both dates included.
    """

    date_from: date
    date_to: date
    attach_pdf: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_period(self)
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxStatus(Retrieval[TaxStatus], frozen=True, kw_only=True):
    """Fetch the tax status from SAT and wait for it: POST /api/tax-status/. Takes up to five minutes.

    Raises TokenRequiredError when the institution asks for a token (see `Resume`).
    """

    attach_pdf: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxComplianceStatus(Retrieval[TaxComplianceStatus], frozen=True, kw_only=True):
    """Fetch SAT's opinion on compliance and wait for it: POST /api/tax-compliance-status/.

    As `RetrieveTaxStatus`.
    """

    attach_pdf: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxRetentions(Retrieval[tuple[TaxRetention, ...]], frozen=True, kw_only=True):
    """Fetch the tax retentions of a period from SAT and wait for them: POST /api/tax-retentions/.

    At most 500 come for one period: a full 500 mean that there may be more, so split it. Both dates count.
    As `RetrieveTaxStatus` otherwise.
    """

    date_from: date
    date_to: date
    type: Direction
    attach_xml: bool = False

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        check_period(self)
        check_direction(self.type, both=False)
        check_flag(self.attach_xml, field="attach_xml")
