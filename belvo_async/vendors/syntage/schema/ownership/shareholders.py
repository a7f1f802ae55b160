"""Shareholders, their relations to entities, and the sources that support each."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from ..forms.filters import Contains, Filter
from ..queries import ListQuery, OfObject
from ..record import Record

RelationType: TypeAlias = Literal["shareholders", "shareholder_of"]
"""Which way: `shareholders` own shares of the entity, `shareholder_of` is what the entity owns shares of."""


class Shareholder(Record, frozen=True, kw_only=True):
    """A person or company that owns shares, or that shares are owned of (OpenAPI, Shareholder).

    `type` is physical, legal or unknown. `entity` is the IRI of the entity it was promoted to, if it was.
    """

    name: str | None = None
    type: str | None = None
    rfc: str | None = None
    relations: tuple[ShareholderRelation, ...] | None = None
    entity: str | None = None


class ShareholderRelation(Record, frozen=True, kw_only=True):
    """That a shareholder and an entity (`link`, its IRI) belong together (OpenAPI, ShareholderRelation).

    `relation_type` says which way. `ownership` is a ratio: 0.15 are 15 percent; it and `total_shares` are None where
    that is not known.
    """

    link: str | None = None
    shareholder: Shareholder | None = None
    relation_type: str | None = None
    sources: tuple[ShareholderSource, ...] | None = None
    shares: Decimal | None = None
    total_shares: Decimal | None = None
    ownership: Decimal | None = None


class ShareholderSource(Record, frozen=True, kw_only=True):
    """What supports a relation (OpenAPI, ShareholderRelationsSource).

    `source_name` is manual, rpc_socio or company_verification, `source_id` the id of the record that says so.
    """

    relation: ShareholderRelation | None = None
    shareholder: Shareholder | None = None
    source_name: str | None = None
    source_id: str | None = None
    shares: Decimal | None = None


class Shareholders(ListQuery[Shareholder], frozen=True, kw_only=True):
    """Those connected to an entity or, naming none, all there are. Of `name` a part is enough, `rfc` is exact."""

    under: ClassVar[str] = "/shareholders"
    apart: ClassVar[str] = "/shareholders"
    filters: ClassVar[tuple[Filter, ...]] = (Contains("name", "name", "name"),)

    entity: str | None = None
    type: Literal["physical", "legal", "unknown"] | None = None
    name: str | None = None
    rfc: str | None = None
    order: Literal["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"] | None = None


class ShareholderRelations(OfObject[ShareholderRelation], frozen=True, kw_only=True):
    """`GET /shareholders/{id}/relations`: the entities a shareholder is connected to."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations"

    shareholder: str
    relation_type: RelationType | None = None
    order: (
        Literal[
            "shares", "-shares", "ownership", "-ownership", "created_at", "-created_at", "updated_at", "-updated_at"
        ]
        | None
    ) = None


class ShareholderSources(OfObject[ShareholderSource], frozen=True, kw_only=True):
    """`GET /shareholders/{id}/relations/{id}/sources`: where a relation is known from."""

    path: ClassVar[str] = "/shareholders/{shareholder}/relations/{relation}/sources"

    shareholder: str
    relation: str
    source_name: Literal["manual", "rpc_socio", "company_verification"] | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None
