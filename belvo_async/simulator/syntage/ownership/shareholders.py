"""Shareholders, their relations to entities, and the sources that support each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal, TypeAlias

from ...wire import JsonObject
from ..rows.invoices import Entity, OrderedIds, stamp
from ..webhooks import SyntageEvents

SourceName: TypeAlias = Literal["manual", "company_verification", "rpc_socio"]
RELATION_TYPES: Final = ("shareholders", "shareholder_of")
# Which source counts where several name shares: what somebody entered, then what is newer.
_STRENGTH: Final[tuple[SourceName, ...]] = ("manual", "company_verification", "rpc_socio")
_RATIO: Final = Decimal("0.000001")


@dataclass(kw_only=True)
class Source:
    """Where a relation is known from; `record` is the id of what says so."""

    id: str
    name: SourceName
    record: str
    shares: Decimal
    created_at: datetime
    updated_at: datetime


@dataclass(kw_only=True)
class Relation:
    """That somebody owns shares of an entity (`shareholders`), or an entity of theirs (`shareholder_of`)."""

    id: str
    entity: str
    type: str
    created_at: datetime
    updated_at: datetime
    sources: dict[SourceName, Source] = field(default_factory=dict[SourceName, Source])

    @property
    def shares(self) -> Decimal:
        """How many shares: what the strongest source says."""
        return next(self.sources[name].shares for name in _STRENGTH if name in self.sources)

    @property
    def is_old(self) -> bool:
        """Whether only the commercial register knows it, which tells of no changes."""
        return self.sources.keys() == {"rpc_socio"}


@dataclass(kw_only=True)
class Shareholder:
    """A person or a company; `entity` is the id of the one it was promoted to."""

    id: str
    name: str = field(repr=False)
    rfc: str | None = field(repr=False)
    created_at: datetime
    updated_at: datetime
    entity: str | None = None
    relations: dict[str, Relation] = field(default_factory=dict[str, Relation])

    @property
    def type(self) -> str:
        """What it is, by its RFC: there is no other way to know."""
        return {12: "legal", 13: "physical"}.get(len(self.rfc or ""), "unknown")


class Shareholders:
    """All shareholders of the organization, oldest first. What the list of events has a word for is announced."""

    def __init__(self, new_id: OrderedIds, now: Callable[[], datetime], events: SyntageEvents) -> None:
        self.all: dict[str, Shareholder] = {}
        self._new_id = new_id
        self._now = now
        self._events = events

    # What is known

    def held(self, entity: str, type: str = "shareholders") -> Iterator[tuple[Shareholder, Relation]]:
        """Give those related to an entity in one way."""
        for one in self.all.values():
            for relation in one.relations.values():
                if (relation.entity, relation.type) == (entity, type):
                    yield one, relation

    def is_verified(self, entity: str) -> bool:
        """Whether a company verification named shareholders of an entity."""
        return any("company_verification" in relation.sources for _, relation in self.held(entity))

    def total(self, relation: Relation) -> Decimal | None:
        """How many shares the company has, when known: as many as those have who hold some now."""
        if relation.type != "shareholders" or self._is_superseded(relation):
            return None
        held = (other for _, other in self.held(relation.entity) if not self._is_superseded(other))
        return sum((other.shares for other in held), Decimal(0))

    def ownership(self, relation: Relation) -> Decimal | None:
        """Which part of the company that is, rounded down: all parts together are never more than the whole."""
        total = self.total(relation)
        return None if total is None else (relation.shares / total).quantize(_RATIO, ROUND_DOWN)

    def _is_superseded(self, relation: Relation) -> bool:
        return relation.is_old and self.is_verified(relation.entity)

    # What changes

    def add(self, entity: Entity, type: str, name: str, rfc: str | None, shares: Decimal) -> Shareholder:
        """Take in what somebody collected: a shareholder and its relation."""
        one = self._new(name, rfc)
        self._support(one, entity, type, "manual", self._new_id(), shares, None)
        return one

    def learn(
        self, entity: Entity, name: str, rfc: str | None, shares: Decimal, source: SourceName, record: str, told_by: str
    ) -> None:
        """Take in what a record tells (`told_by`: the extraction). Who is known is the same: by RFC, else by name."""
        if rfc is None:
            known = next((one for one, _ in self.held(entity.id) if one.name == name), None)
        else:
            known = next((one for one in self.all.values() if one.rfc == rfc), None)
        self._support(known or self._new(name, rfc), entity, "shareholders", source, record, shares, told_by)

    def hold(self, one: Shareholder, relation: Relation, entity: Entity, shares: Decimal) -> None:
        """Change the number of shares, as somebody entered it."""
        manual = relation.sources.get("manual")
        record = manual.record if manual else self._new_id()
        self._support(one, entity, relation.type, "manual", record, shares, None)

    def remove_source(self, one: Shareholder, relation: Relation, source: Source) -> None:
        """Forget a source. What nothing supports any more is no relation (not documented)."""
        del relation.sources[source.name]
        relation.updated_at = self._now()
        if not relation.sources:
            del one.relations[relation.id]

    def forget(self, entity: str) -> None:
        """Forget an entity: its relations, who has none but these, and that somebody was promoted to it."""
        for one in list(self.all.values()):
            left = {number: each for number, each in one.relations.items() if each.entity != entity}
            if one.relations and not left:
                del self.all[one.id]
            one.relations = left
            one.entity = None if one.entity == entity else one.entity

    def announce(self, kind: str, one: Shareholder, relation: Relation, entity: Entity, told_by: str | None) -> None:
        """Tell of a relation as it is now."""
        iri = f"/shareholders/{one.id}/relations/{relation.id}"
        snapshot: JsonObject = {"id": relation.id, "link": entity.iri, "relationType": relation.type,
                    "shares": relation.shares, "updatedAt": stamp(relation.updated_at)}  # fmt: skip
        self._events.emit(f"shareholder_relation.{kind}", entity, iri, lambda: snapshot, source=told_by)

    def _new(self, name: str, rfc: str | None) -> Shareholder:
        now = self._now()
        one = Shareholder(id=self._new_id(), name=name, rfc=rfc, created_at=now, updated_at=now)
        self.all[one.id] = one
        return one

    def _support(
        self,
        one: Shareholder,
        entity: Entity,
        type: str,
        name: SourceName,
        record: str,
        shares: Decimal,
        told_by: str | None,
    ) -> None:
        now = self._now()
        mine = (each for each in one.relations.values() if (each.entity, each.type) == (entity.id, type))
        relation = next(mine, None)
        is_new = relation is None
        relation = relation or Relation(id=self._new_id(), entity=entity.id, type=type, created_at=now, updated_at=now)
        known = relation.sources.get(name)
        if known is not None and (known.record, known.shares) == (record, shares):
            return
        one.relations[relation.id] = relation
        relation.sources[name] = Source(
            id=known.id if known else self._new_id(), name=name, record=record, shares=shares,
            created_at=known.created_at if known else now, updated_at=now,
        )  # fmt: skip
        relation.updated_at = now
        self.announce("created" if is_new else "updated", one, relation, entity, told_by)
        if known is None:
            self._announce_source(one, relation, relation.sources[name], entity, told_by)

    def _announce_source(
        self, one: Shareholder, relation: Relation, source: Source, entity: Entity, told_by: str | None
    ) -> None:
        iri = f"/shareholders/{one.id}/relations/{relation.id}/sources/{source.id}"
        snapshot: JsonObject = {"id": source.id, "sourceName": source.name, "sourceId": source.record,
                    "shares": source.shares, "updatedAt": stamp(source.updated_at)}  # fmt: skip
        self._events.emit("shareholder_relation_source.created", entity, iri, lambda: snapshot, source=told_by)
