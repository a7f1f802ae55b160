"""Reading, entering and removing single shareholders, their relations, and the sources of these."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

import msgspec
from msgspec.structs import force_setattr

from .....discreet import discreet
from .....errors import TaskError
from ..account import EntityAdded
from ..calls import Datasource
from ..forms.requests import Delete, Get, OneRequest
from ..forms.subjects import read_rfc
from .shareholders import RelationType, Shareholder, ShareholderRelation, ShareholderSource

# OpenAPI, CreateEntityShareholder and UpdateShareholderRelation.
_FEWEST_SHARES: Final = Decimal("0.01")
# These are the only changes whose body is not documented as a merge patch.
_JSON: Final = "application/json"


class GetShareholder(Get[Shareholder], frozen=True):
    """`GET /shareholders/{id}`."""

    path: ClassVar[str] = "/shareholders/{id}"


class GetShareholderRelation(Get[ShareholderRelation], frozen=True, kw_only=True):
    """`GET /shareholders/{id}/relations/{id}`."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{id}"

    shareholder: str


class GetShareholderSource(Get[ShareholderSource], frozen=True, kw_only=True):
    """`GET /shareholders/{id}/relations/{id}/sources/{id}`."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{relation}/sources/{id}"

    shareholder: str
    relation: str


class CreateShareholder(OneRequest[Shareholder], frozen=True, kw_only=True):
    """`POST /entities/{id}/shareholders`: enter who owns shares of an entity, or what it owns shares of.

    Gives the shareholder with its new relation. Sent once: after a TransportError, look with `Shareholders(entity=...)`
    before trying again. Raises TaskError.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/entities/{entity}/shareholders"

    entity: str
    relation_type: RelationType
    name: str
    shares: Decimal
    rfc: str | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shares(self.shares)
        if self.rfc is not None:
            force_setattr(self, "rfc", read_rfc(self.rfc))


class UpdateShareholder(OneRequest[Shareholder], frozen=True, kw_only=True):
    """`PATCH /shareholders/{id}`: what is not named stays; None takes the RFC away. Raises TaskError."""

    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/shareholders/{id}"
    media_type: ClassVar[str] = _JSON

    id: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    rfc: str | msgspec.UnsetType | None = msgspec.UNSET

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.rfc, str):
            force_setattr(self, "rfc", read_rfc(self.rfc))


class DeleteShareholder(Delete, frozen=True):
    """`DELETE /shareholders/{id}`, with all its relations."""

    path: ClassVar[str] = "/shareholders/{id}"


class UpdateShareholderRelation(OneRequest[ShareholderRelation], frozen=True, kw_only=True):
    """`PATCH /shareholders/{id}/relations/{id}`: how many shares it stands for. Raises TaskError."""

    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{id}"
    media_type: ClassVar[str] = _JSON

    id: str
    shareholder: str
    shares: Decimal

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shares(self.shares)


class DeleteShareholderRelation(Delete, frozen=True, kw_only=True):
    """`DELETE /shareholders/{id}/relations/{id}`. The shareholder stays."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{id}"

    shareholder: str


class PromoteShareholder(OneRequest[EntityAdded], frozen=True, kw_only=True):
    """`POST /shareholders/{id}/relations/{id}/promote`: make an entity of the shareholder. It counts in the plan.

    Each of `datasources` starts its first extractions. Sent once: after a TransportError, look
    with `Entities(rfc=...)` before trying again. Raises TaskError.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{relation}/promote"

    shareholder: str
    relation: str
    name: str
    rfc: str
    datasources: tuple[Datasource, ...] | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "rfc", read_rfc(self.rfc))

    def body(self) -> dict[str, object]:
        """Give the body that is sent."""
        sources = {"datasources": [{"name": each} for each in self.datasources]} if self.datasources else {}
        return {"name": self.name, "rfc": self.rfc, **sources}


class DeleteShareholderSource(Delete, frozen=True, kw_only=True):
    """`DELETE /shareholders/{id}/relations/{id}/sources/{id}`: what else is known of the relation stays."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{relation}/sources/{id}"

    shareholder: str
    relation: str


def _check_shares(shares: Decimal) -> None:
    if shares < _FEWEST_SHARES:
        raise TaskError(f"shares must be at least {_FEWEST_SHARES}", field="shares")
