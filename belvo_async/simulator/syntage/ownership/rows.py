"""Shareholders, relations and sources in the vendor's shape.

Each names the others, in the document without an end. Here what is inside another leaves out the way back.
"""

from ...wire import Json, JsonObject
from ..rows.invoices import stamp
from .shareholders import Relation, Shareholder, Shareholders, Source


def shareholder_row(known: Shareholders, one: Shareholder) -> JsonObject:
    """Give a shareholder with all its relations, newest first."""
    newest = sorted(one.relations.values(), key=lambda each: each.id, reverse=True)
    relations: list[Json] = [relation_row(known, one, each) for each in newest]
    return {**_head(one), "relations": relations}


def relation_row(known: Shareholders, one: Shareholder, relation: Relation) -> JsonObject:
    """Give a relation with its shareholder and its sources."""
    newest = sorted(relation.sources.values(), key=lambda each: each.id, reverse=True)
    sources: list[Json] = [_source(one, relation, each) for each in newest]
    return {**_relation(known, one, relation), "shareholder": _head(one), "sources": sources}


def source_row(known: Shareholders, one: Shareholder, relation: Relation, source: Source) -> JsonObject:
    """Give a source with what it supports."""
    return {
        **_source(one, relation, source),
        "relation": _relation(known, one, relation),
        "shareholder": _head(one),
    }


def _head(one: Shareholder) -> JsonObject:
    return {
        "@id": f"/shareholders/{one.id}",
        "@type": "Shareholder",
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "rfc": one.rfc,
        "entity": f"/entities/{one.entity}" if one.entity else None,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
    }


def _relation(known: Shareholders, one: Shareholder, relation: Relation) -> JsonObject:
    return {
        "@id": f"/shareholders/{one.id}/relations/{relation.id}",
        "@type": "ShareholderRelation",
        "id": relation.id,
        "link": f"/entities/{relation.entity}",
        "relationType": relation.type,
        "shares": relation.shares,
        "totalShares": known.total(relation),
        "ownership": known.ownership(relation),
        "createdAt": stamp(relation.created_at),
        "updatedAt": stamp(relation.updated_at),
    }


def _source(one: Shareholder, relation: Relation, source: Source) -> JsonObject:
    return {
        "@id": f"/shareholders/{one.id}/relations/{relation.id}/sources/{source.id}",
        "@type": "ShareholderRelationsSource",
        "id": source.id,
        "sourceName": source.name,
        "sourceId": source.record,
        "shares": source.shares,
        "createdAt": stamp(source.created_at),
        "updatedAt": stamp(source.updated_at),
    }
