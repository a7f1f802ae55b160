"""Tasks: what is fired and becomes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Final, Never, TypeAlias

from msgspec.structs import force_setattr

from ....discreet import discreet
from ....errors import TaskError
from ....jobs import ISSUED, RECEIVED, Extent, Task
from .checks import (
    Direction,
    Resource,
    check_direction,
    check_flag,
    check_period,
    fix_link,
    fix_selection,
    resource_names,
)
from .invoices import Invoice
from .statements import FinancialStatement
from .tax_returns import TaxReturn
from .taxes import TaxComplianceStatus, TaxRetention, TaxStatus

# One request covers at most 365 days (invalid_period). Whether both ends count is not said; counting both is safe.
LONGEST_PERIOD_DAYS: Final = 365


def check_span(first: date, last: date) -> None:
    """Refuse a period of invoices that is longer than one request covers."""
    if (last - first).days + 1 > LONGEST_PERIOD_DAYS:
        raise TaskError(f"one request covers at most {LONGEST_PERIOD_DAYS} days: split the period", field="date_to")


# Which side of an invoice the link's owner is on.
DIRECTIONS: Final[Mapping[str, Direction]] = MappingProxyType({ISSUED: "OUTFLOW", RECEIVED: "INFLOW"})
_SIDES: Final[Mapping[Direction | None, tuple[str, ...]]] = {
    None: tuple(DIRECTIONS),
    **{word: (side,) for side, word in DIRECTIONS.items()},
}

FiscalRecord: TypeAlias = Invoice | FinancialStatement | TaxReturn | TaxStatus | TaxComplianceStatus | TaxRetention
"""A record of any of the six resources."""


class Invoices(Task[Invoice], frozen=True, tag="belvo.Invoices"):
    """Fetch a link's invoices (CFDI) of a period from SAT: POST /api/invoices/.

    Both dates count; together at most 365 days. `type` None asks for both directions. `attach_xml` adds the CFDI
    document to each invoice. `fields` and `omit` choose the keys of the records read later; `id` always comes, so
    that no invoice is given twice. Raises TaskError naming the field that does not fit.
    """

    vendor: ClassVar[str] = "belvo"

    link: str
    date_from: date
    date_to: date
    type: Direction | None = None
    attach_xml: bool = False
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)
        check_period(self)
        check_span(self.date_from, self.date_to)
        check_direction(self.type)
        check_flag(self.attach_xml, field="attach_xml")
        fix_selection(self)

    @property
    def subject(self) -> str:
        return self.link.lower()  # of one spelling since it was checked: see `subject_of`

    @property
    def resource(self) -> str:
        return "INVOICES"

    @property
    def extent(self) -> Extent:
        return Extent(
            directions=_SIDES[self.type],
            first=self.date_from,
            last=self.date_to,
            options=("xml",) if self.attach_xml else (),
        )


class FinancialStatements(Task[FinancialStatement], frozen=True, tag="belvo.FinancialStatements"):
    """Fetch a link's yearly financial statements from SAT: POST /api/financial-statements/.

    Raises TaskError when `link` cannot be an id.
    """

    vendor: ClassVar[str] = "belvo"

    link: str

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)

    @property
    def subject(self) -> str:
        return self.link.lower()  # of one spelling since it was checked: see `subject_of`

    @property
    def resource(self) -> str:
        return "FINANCIAL_STATEMENTS"

    @property
    def extent(self) -> Extent:
        return Extent()


class Refresh(Task[FiscalRecord], frozen=True, tag="belvo.Refresh"):
    """Bring a link's resources up to date: POST /api/links/{id}/refresh/, at most once in ten minutes.

    `resources` None refreshes what the link itself is set to fetch (`Link.fetch_resources`; all six where it is set to
    nothing). Belvo reports each resource by webhooks, some of them several times, and never says that it is done: the
    job ends, inferred and therefore partial, when each resource has reported and ten minutes (`Belvo(quiet=...)`)
    stayed quiet. Where a report is lost, or none comes, it ends so four hours after the last, or after the link was
    last used. Until it was used there is nothing to infer from.
    `job.results(resource)` reads one resource of the link. A second refresh too early is rejected as `link_refreshed`,
    with the minutes left. Raises TaskError naming the field that does not fit.
    """

    vendor: ClassVar[str] = "belvo"

    link: str
    resources: Sequence[Resource] | None = None

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)
        if self.resources is not None:
            names = resource_names(self.resources, field="resources")
            if not names:
                rule = "must name at least one; None refreshes what the link is set to fetch"
                raise TaskError(f"resources {rule}", field="resources")
            force_setattr(self, "resources", names)

    @property
    def subject(self) -> str:
        return self.link.lower()  # of one spelling since it was checked: see `subject_of`

    @property
    def resource(self) -> str:
        # Not one of the six words, even for a single resource: deliveries that answer a POST are matched by them.
        return "REFRESH"


class DeleteLink(Task[Never], frozen=True, tag="belvo.DeleteLink"):
    """Delete a link and everything Belvo holds of it, for good: DELETE /api/links/{id}/ in the asynchronous mode.

    The job ends when Belvo announces it, or when the link can no longer be read. It waits for other open jobs of the
    link, and has no results. Raises TaskError when `link` cannot be an id.
    """

    vendor: ClassVar[str] = "belvo"

    link: str

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)

    @property
    def subject(self) -> str:
        return self.link.lower()  # of one spelling since it was checked: see `subject_of`

    @property
    def resource(self) -> str:
        return "LINK"
