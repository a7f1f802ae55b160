"""What Syntage makes of shareholders and powers: lists that are made anew each time."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from .....discreet import discreet
from ..forms.filters import Filter
from ..forms.requests import OneRequest
from ..insights.forms import InsightList
from ..record import Dated, Part, hold
from .shareholders import RelationType


class ShareholderScore(Dated, frozen=True, kw_only=True):
    """A score of a shareholder that is an entity of its own. `metadata` is open, kept as bytes."""

    _instants: ClassVar[tuple[str, ...]] = ("generated_at",)

    id: str | None = None
    source: str | None = None
    type: str | None = None
    score: str | None = None
    generated_at: datetime | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "metadata")


class ShareholderInsight(Part, frozen=True, kw_only=True):
    """A shareholder of an entity, or what the entity owns shares of: one row a relation.

    `percentage` is of 100. `sources` are words with commas between them; `entity_id` is that of the entity it was
    promoted to, `source_id` of the latest record in the commercial register.
    """

    # Not `id`: it is no row's own.
    shareholder_id: str | None = msgspec.field(default=None, name="id")
    name: str | None = None
    rfc: str | None = None
    shares: Decimal | None = None
    percentage: Decimal | None = None
    relation_id: str | None = None
    sources: str | None = None
    entity_id: str | None = None
    source_id: str | None = None
    scores: tuple[ShareholderScore, ...] | None = None


class ShareholderInsights(InsightList[ShareholderInsight], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/shareholders`: as the latest Company Verification has them, else as they are known.

    Rows do not show `relation_type`: the vendor alone goes by it.
    """

    under: ClassVar[str] = "/insights/shareholders"
    filters: ClassVar[tuple[Filter, ...]] = (Filter("relation_type", "relations.relationType"),)

    relation_type: RelationType


class CurrentPower(Part, frozen=True, kw_only=True):
    """A power of attorney that is in effect. See `Power`, whose words differ a little, and whose days are instants."""

    status: str | None = None
    power: str | None = None
    granted_at: date | None = None
    expiration_date: date | None = None
    expiration_source: str | None = None
    document_source: str | None = None
    document_number: str | None = None
    granting_state: str | None = None
    external_reference: bool | None = None
    reference_text: str | None = None
    reference_document_number: str | None = None
    exercise_jointly_with: str | None = None
    exercise_jointly_required: bool | None = None
    exercise_substitution_allowed: bool | None = None
    exercise_limitations: str | None = None
    real_estate_can_acquire: bool | None = None
    real_estate_can_dispose: bool | None = None


class PowerHolder(Part, frozen=True, kw_only=True):
    """Who may act for an entity now. `entity_type` is person or company."""

    name: str | None = None
    entity_type: str | None = None
    powers: tuple[CurrentPower, ...] | None = None


class CurrentPowers(InsightList[PowerHolder], frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/corporate-structure/current-powers`, by the latest Company Verification report.

    Empty without one.
    """

    under: ClassVar[str] = "/insights/corporate-structure/current-powers"


class RpcShareholder(Part, frozen=True, kw_only=True):
    """A shareholder as the deprecated insight shows it. `percentage` is of 100."""

    name: str | None = None
    rfc: str | None = None
    shares: Decimal | None = None
    percentage: Decimal | None = None


class RpcShareholders(Part, frozen=True, kw_only=True):
    """The answer of the deprecated insight."""

    data: tuple[RpcShareholder, ...] | None = None


class GetRpcShareholders(OneRequest[RpcShareholders], frozen=True):
    """`GET /entities/{id}/insights/rpc-shareholders`. Deprecated by the vendor: use `ShareholderInsights`."""

    method: ClassVar[str] = "GET"
    path: ClassVar[str] = "/entities/{entity}/insights/rpc-shareholders"

    entity: str
