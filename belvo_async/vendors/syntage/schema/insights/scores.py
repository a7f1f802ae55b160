"""Records of insights that judge or describe an entity: scores, risks, its summary."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from .....discreet import discreet
from ..record import Dated, Part, hold
from ..taxes import Address


class Score(Dated, frozen=True, kw_only=True):
    """One score: `source` is syntage, or whoever else rates; `score` a text, for not every rating is a number.

    What `metadata` holds depends on source and type: kept as the bytes it came in.
    """

    _instants: ClassVar[tuple[str, ...]] = ("generated_at",)

    iri: str | None = msgspec.field(default=None, name="@id")
    ld_type: str | None = msgspec.field(default=None, name="@type")
    id: str | None = None
    source: str | None = None
    type: str | None = None
    score: str | None = None
    generated_at: datetime.datetime | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "metadata")


class Scores(Part, frozen=True, kw_only=True):
    """The scores of an entity, of every source that the account has."""

    iri: str | None = msgspec.field(default=None, name="@id")
    ld_type: str | None = msgspec.field(default=None, name="@type")
    scores: tuple[Score, ...] | None = None


class ScoreBucket(Part, frozen=True, kw_only=True):
    """How many scores (`metric`) lie in a bucket; `label` is the bucket, like 500."""

    label: int | None = None
    metric: int | None = None


class ScoreDistribution(Part, frozen=True, kw_only=True):
    """How the current Syntage Scores of the account's entities are spread."""

    distribution: tuple[ScoreBucket, ...] | None = None


class BuroSummary(Dated, frozen=True, kw_only=True):
    """One score of a report of the Buró de Crédito.

    `report` is the id of the report (see `GetBuroReport`); one with several scores has several rows. `score_value` is
    a text with leading zeros; `external_return_key` comes with products for companies.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at",)

    report: str | None = msgspec.field(default=None, name="id")
    product_type: str | None = None
    created_at: datetime.datetime | None = None
    score_value: str | None = None
    score_code: str | None = None
    score_reason_codes: tuple[str, ...] | None = None
    external_return_key: str | None = None


class ComplianceRisk(Part, frozen=True, kw_only=True):
    """The SAT's opinion of compliance: `value` is positive, negative, …"""

    value: str | None = None
    risky: bool | None = None


class BlacklistRisk(Part, frozen=True, kw_only=True):
    """Whether the entity itself is on the SAT's list of article 69-B: `value` is its stage there, None for not."""

    value: str | None = None
    risky: bool | None = None


class CountRisk(Part, frozen=True, kw_only=True):
    """A whole number that may be risky.

    Syntage does not say how it measures a concentration; its examples (858) look like an index of Herfindahl and
    Hirschman, which goes to 10,000.
    """

    value: int | None = None
    risky: bool | None = None


class ShareRisk(Part, frozen=True, kw_only=True):
    """A share (a part of one, like 0.06) or a ratio that may be risky."""

    value: Decimal | None = None
    risky: bool | None = None


class MoratoryInterestRisk(ShareRisk, frozen=True, kw_only=True):
    """Interest on arrears: `value` is its total in MXN.

    The last three come where it is compared with ordinary interest: `penalty_ratio` is the share of all interest that
    was for arrears.
    """

    is_recurring: bool | None = None
    institution_count: int | None = None
    ordinary_interest_total: Decimal | None = None
    penalty_ratio: Decimal | None = None
    shared_institution_count: int | None = None


class RiskIndicators(Part, frozen=True, kw_only=True):
    """All risk indicators; `moratory_interest` only where Syntage has that insight enabled."""

    tax_compliance: ComplianceRisk | None = None
    blacklist_status: BlacklistRisk | None = None
    blacklisted_counterparties: CountRisk | None = None
    intercompany_transactions: ShareRisk | None = None
    customer_concentration: CountRisk | None = None
    supplier_concentration: CountRisk | None = None
    foreign_exchange_risk: ShareRisk | None = None
    cash_transaction_risk: ShareRisk | None = None
    accounting_insolvency: ShareRisk | None = None
    canceled_issued_invoices: ShareRisk | None = None
    canceled_received_invoices: ShareRisk | None = None
    moratory_interest: MoratoryInterestRisk | None = None


class Risks(Part, frozen=True, kw_only=True):
    """The risk indicators of an entity."""

    data: RiskIndicators | None = None


class SummaryActivity(Part, frozen=True, kw_only=True):
    """An economic activity that is registered to this day; `percentage` is of the income."""

    name: str | None = None
    percentage: int | None = None
    start_date: datetime.date | None = None
    end_date: datetime.date | None = None


class SummaryRegime(Part, frozen=True, kw_only=True):
    """A tax regime that is registered to this day."""

    name: str | None = None
    start_date: datetime.date | None = None
    end_date: datetime.date | None = None


class EfirmaCertificate(Dated, frozen=True, kw_only=True):
    """The newest e.firma that Syntage holds of an entity."""

    _instants: ClassVar[tuple[str, ...]] = ("valid_from", "valid_to", "revoked_at")

    id: str | None = None
    serial_number: str | None = None
    type: str | None = None
    status: str | None = None
    valid_from: datetime.datetime | None = None
    valid_to: datetime.datetime | None = None
    revoked_at: datetime.datetime | None = None


class EntitySummary(Part, frozen=True, kw_only=True):
    """Who an entity is, what it does, and the figures of its last annual return, in MXN.

    `last_year_net_income` (the same as `last_year_total_income`) and `total_revenue_last_tax_return` (the gross profit)
    are deprecated. `total_sales_revenue_current_year` is None while the invoices held do not reach through the year.
    """

    rfc: str | None = None
    name: str | None = None
    fiscal_address: str | None = None
    address: Address | None = None
    fiscal_address_status_raw: str | None = None
    economic_activities: tuple[SummaryActivity, ...] | None = None
    tax_regimes: tuple[SummaryRegime, ...] | None = None
    total_employees: int | None = None
    last_year_net_income: Decimal | None = None
    last_year_total_income: Decimal | None = None
    total_revenue_last_tax_return: Decimal | None = None
    total_net_profit_last_tax_return: Decimal | None = None
    last_tax_return_year: int | None = None
    total_sales_revenue_current_year: Decimal | None = None
    registration_date: datetime.date | None = None
    blacklist_status: str | None = None
    last_efirma_certificate: EfirmaCertificate | None = None
