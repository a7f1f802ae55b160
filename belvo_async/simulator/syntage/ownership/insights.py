"""What Syntage makes of all that: an entity's shareholders in one list, and who may act for it now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import Accounts
from ..errors import LD_JSON, hydra_error, message, violations
from ..lists import LARGEST_PAGE, numbered_page
from ..rows.invoices import Entity
from ..rows.records import Records
from .found import FoundEntities
from .shareholders import RELATION_TYPES, Relation, Shareholder, Shareholders, SourceName

_HUNDREDTH: Final = Decimal("0.01")
_DIRECTION: Final = "relations.relationType"
_PAGING: Final = ("page", "itemsPerPage")
# Powers are called a little otherwise here than in the report, and their instants are days.
_RENAMED: Final = {"documentGrantingState": "grantingState", "referenceExternal": "externalReference"}
_DAYS: Final = ("grantedAt", "expirationDate")


@dataclass(frozen=True, kw_only=True)
class Insights:
    """The three insights. All are made anew each time they are asked for."""

    accounts: Accounts
    found: FoundEntities
    records: Records

    @property
    def shareholders(self) -> Shareholders:
        """All shareholders."""
        return self.found.shareholders

    def routes(self) -> Iterator[Route]:
        """Give their routes."""
        path = "/entities/{id}/insights"
        yield Route("GET", f"{path}/shareholders", self._list_shareholders, query=(_DIRECTION, *_PAGING))
        yield Route("GET", f"{path}/rpc-shareholders", self._list_partners)
        yield Route("GET", f"{path}/corporate-structure/current-powers", self._list_powers, query=_PAGING)

    async def _list_shareholders(self, call: Incoming) -> Reply:
        entity, direction = self.accounts.entities.get(call.args["id"]), call.one(_DIRECTION)
        if entity is None:
            return message(404, "Not found.")
        if direction not in RELATION_TYPES:
            return violations([(_DIRECTION, "The value you selected is not a valid choice.")])
        rows = self._owners(entity) if direction == "shareholders" else self._owned(entity)
        return _page(call, "GetShareholdersInsight", [*rows])

    async def _list_partners(self, call: Incoming) -> Reply:
        entity = self.accounts.entities.get(call.args["id"])
        if entity is None:
            return message(404, "Not found.")
        source: SourceName = "company_verification" if self.shareholders.is_verified(entity.id) else "rpc_socio"
        held = [(one, each) for one, each in self.shareholders.held(entity.id) if source in each.sources]
        total = sum((each.sources[source].shares for _, each in held), Decimal(0))
        data: list[Json] = [
            {
                "name": one.name,
                **({"rfc": one.rfc} if one.rfc else {}),
                "shares": each.sources[source].shares,
                "percentage": self._recorded(entity, one) or _percent(each.sources[source].shares / total),
            }
            for one, each in held
        ]
        return answer(200, {"data": data})

    async def _list_powers(self, call: Incoming) -> Reply:
        entity = self.accounts.entities.get(call.args["id"])
        if entity is None:
            return message(404, "Not found.")
        rows = [_holder(row) for row in self.found.latest(entity.id) if _current(row)]
        return _page(call, "CorporateStructureCurrentPowersEntityResponse", rows)

    def _owners(self, entity: Entity) -> Iterator[JsonObject]:
        """Give who a Company Verification names, where there is one; else all."""
        is_verified = self.shareholders.is_verified(entity.id)
        for one, relation in self.shareholders.held(entity.id):
            if not is_verified:
                yield self._row(one, relation, relation.shares, _percent(self.shareholders.ownership(relation)))
            elif "company_verification" in relation.sources:
                shares = relation.sources["company_verification"].shares
                yield self._row(one, relation, shares, self._recorded(entity, one) or Decimal(0))

    def _owned(self, entity: Entity) -> Iterator[JsonObject]:
        """Give what the entity was said to own, and what it owns as the shareholder it was promoted from."""
        for one, relation in self.shareholders.held(entity.id, "shareholder_of"):
            yield self._row(one, relation, relation.shares, _percent(None))
        for one in self.shareholders.all.values():
            for relation in one.relations.values() if one.entity == entity.id else ():
                company = self.accounts.entities[relation.entity]
                if relation.type == "shareholders":
                    percent = _percent(self.shareholders.ownership(relation))
                    mine = self._row(one, relation, relation.shares, percent)
                    named = {"name": company.subject.name, "rfc": company.subject.rfc or None, "entityId": company.id}
                    yield {**mine, **named, "scores": self._scores(company.id)}

    def _row(self, one: Shareholder, relation: Relation, shares: Decimal, percent: Decimal) -> JsonObject:
        partner = relation.sources.get("rpc_socio")
        return {
            "id": one.id,
            "name": one.name,
            "rfc": one.rfc,
            "shares": f"{shares.normalize():f}",
            "percentage": str(percent.quantize(_HUNDREDTH, ROUND_DOWN)),
            "relationId": relation.id,
            "sources": ",".join(relation.sources),
            "entityId": one.entity,
            "sourceId": partner.record if partner else None,
            "scores": self._scores(one.entity),
        }

    def _recorded(self, entity: Entity, one: Shareholder) -> Decimal | None:
        """Give the percentage that the latest report has for somebody."""
        rows = (row for row in self.found.latest(entity.id) if row["fullName"] == one.name)
        row = next(rows, None)
        return None if row is None or row["totalsPercentage"] is None else Decimal(str(row["totalsPercentage"]))

    def _scores(self, entity: str | None) -> list[Json]:
        """Give the scores of who was promoted to an entity: those of the credit bureau."""
        reports = self.records.newest_first("BuroDeCreditoReport", entity) if entity else ()
        return [
            {
                "id": row["id"],
                "source": "buro_de_credito",
                "type": str(row["productType"]).lower(),
                "score": row["score"],
                "generatedAt": row["createdAt"],
                "metadata": {},
            }
            for row in reports
        ]


def _page(call: Incoming, context: str, rows: list[JsonObject]) -> Reply:
    body = numbered_page(rows, call, context=context, known={}, usual=LARGEST_PAGE)
    if body is None:
        return hydra_error(400, "The parameter itemsPerPage must be between 1 and 1000, page at least 1.")
    return answer(200, body, LD_JSON)


def _percent(ratio: Decimal | None) -> Decimal:
    return Decimal(0) if ratio is None else (ratio * 100).quantize(_HUNDREDTH, ROUND_DOWN)


def _current(row: JsonObject) -> list[JsonObject]:
    powers = row["powers"]
    listed: Iterable[Json] = powers if isinstance(powers, list) else ()
    return [each for each in listed if isinstance(each, dict) and each["status"] == "current"]


def _holder(row: JsonObject) -> JsonObject:
    powers: list[JsonObject] = [_power(each) for each in _current(row)]
    earliest: list[Json] = [*sorted(powers, key=_granted_at)]
    return {"name": row["fullName"], "entityType": row["entityType"], "powers": earliest}


def _granted_at(power: JsonObject) -> str:
    return str(power["grantedAt"])


def _power(power: JsonObject) -> JsonObject:
    named = {_RENAMED.get(name, name): value for name, value in power.items() if name != "id"}
    return {name: value[:10] if name in _DAYS and isinstance(value, str) else value for name, value in named.items()}
