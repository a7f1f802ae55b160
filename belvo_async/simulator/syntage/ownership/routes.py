"""Where Syntage answers about shareholders, company verification and the records of background checks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import RFC, SOURCES, Accounts, sources_of
from ..catalogue import Listing, Rows, detail
from ..errors import LD_JSON, message, violations
from ..files.held import Files
from ..handlers import read_object
from ..lists import same
from ..options import Problem
from ..rows.invoices import Entity
from ..rows.records import Records
from .checks import CHECK_FILTERS, check_records
from .found import FoundEntities
from .insights import Insights
from .reports import PATH as REPORTS
from .rows import relation_row, shareholder_row, source_row
from .shareholders import RELATION_TYPES, Relation, Shareholder, Shareholders, Source

_ONE: Final = "/shareholders/{id}"
_RELATION: Final = f"{_ONE}/relations/{{relation}}"
_SOURCE: Final = f"{_RELATION}/sources/{{source}}"
_FEWEST: Final = Decimal("0.01")  # shares (OpenAPI, CreateEntityShareholder)
_BLANK, _CHOICE = "This value should not be blank.", "The value you selected is not a valid choice."
_TIMES: Final = ("createdAt", "updatedAt")
_KNOWN: Final = {**same("exact", "type"), **same("partial", "name", "rfc")}
_FOUND: Final = {**same("partial", "fullName"), **same("exact", "entityType"), **same("bool", "isActive")}
_Parts = Mapping[str, str]
_Place = tuple[Shareholder, Relation]


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """The lists and the handlers. `onboard` starts what is extracted of a new entity; `url` is the API's own."""

    accounts: Accounts
    found: FoundEntities
    records: Records
    files: Files
    onboard: Callable[[Entity, JsonObject], object]
    url: Callable[[], str]

    @property
    def shareholders(self) -> Shareholders:
        """All shareholders."""
        return self.found.shareholders

    def listings(self) -> Iterator[Listing]:
        """Give the lists, which can be exported as others can."""
        order = ("name", *_TIMES)
        for template in ("/shareholders", "/entities/{id}/shareholders"):
            yield Listing(template=template, context="Shareholder", rows=self._rows, known=_KNOWN, order=order)
        yield Listing(
            template=f"{_ONE}/relations",
            context="ShareholderRelation",
            rows=self._relations,
            known=same("exact", "relationType"),
            order=("shares", "ownership", *_TIMES),
        )
        yield Listing(
            template=f"{_RELATION}/sources",
            context="ShareholderRelationsSource",
            rows=self._sources,
            known=same("exact", "sourceName"),
            order=_TIMES,
        )
        yield Listing(
            template=f"{REPORTS}/{{id}}/found-entities",
            context="FoundEntity",
            rows=lambda parts: self.found.of(parts["id"]),
            known=_FOUND,
            order=("fullName", "totalsPercentage"),
        )
        yield Listing(
            template="/background-checks/{id}/records",
            context="BackgroundCheckRecord",
            rows=self._check_records,
            known=CHECK_FILTERS,
            order=_TIMES,
        )

    def routes(self) -> Iterator[Route]:
        """Give the routes of all that is no such list."""
        yield Route("POST", "/entities/{id}/shareholders", self._create)
        yield Route("GET", _ONE, self._get)
        yield Route("PATCH", _ONE, self._update)
        yield Route("DELETE", _ONE, self._delete)
        yield Route("GET", _RELATION, self._get_relation)
        yield Route("PATCH", _RELATION, self._update_relation)
        yield Route("DELETE", _RELATION, self._delete_relation)
        yield Route("POST", f"{_RELATION}/promote", self._promote)
        yield Route("GET", _SOURCE, self._get_source)
        yield Route("DELETE", _SOURCE, self._delete_source)
        yield Route("GET", f"{REPORTS}/{{id}}/pdf", self._report_pdf)
        yield Route("GET", f"{REPORTS}/{{id}}/found-entities/{{found}}", self._get_found)
        yield from Insights(accounts=self.accounts, found=self.found, records=self.records).routes()

    # Lists

    def _rows(self, parts: _Parts) -> Rows | None:
        if "id" not in parts:
            return [shareholder_row(self.shareholders, one) for one in reversed(self.shareholders.all.values())]
        entity = self.accounts.entities.get(parts["id"])
        if entity is None:
            return None
        mine = [one for one in self.shareholders.all.values() if _is_of(one, entity)]
        return [shareholder_row(self.shareholders, one) for one in reversed(mine)]

    def _relations(self, parts: _Parts) -> Rows | None:
        one = self.shareholders.all.get(parts["id"])
        if one is None:
            return None
        newest = sorted(one.relations.values(), key=lambda each: each.id, reverse=True)
        return [relation_row(self.shareholders, one, each) for each in newest]

    def _sources(self, parts: _Parts) -> Rows | None:
        place = self._place(parts)
        if place is None:
            return None
        newest = sorted(place[1].sources.values(), key=lambda each: each.id, reverse=True)
        return [source_row(self.shareholders, *place, each) for each in newest]

    def _check_records(self, parts: _Parts) -> Rows | None:
        check = self.records.find("BackgroundCheck", parts["id"])
        if check is None:
            return None
        entity = self.accounts.entities[str(check["link"]).rpartition("/")[2]]
        return check_records(check, entity.subject.name)

    # Shareholders

    async def _create(self, call: Incoming) -> Reply:
        entity, body = self.accounts.entities.get(call.args["id"]), read_object(call)
        if entity is None:
            return message(404, "Not found.")
        if body is None:
            return message(400, "Syntax error")
        problems = [*_check(body, "relationType", "name", "shares"), *_check_rfc(body)]
        if problems:
            return violations(problems)
        one = self.shareholders.add(
            entity, str(body["relationType"]), str(body["name"]), _rfc(body), _number(body["shares"])
        )
        row = shareholder_row(self.shareholders, one)
        return answer(201, {"@context": "/contexts/Shareholder", **row}, LD_JSON)

    async def _get(self, call: Incoming) -> Reply:
        return self._shown(self.shareholders.all.get(call.args["id"]))

    async def _update(self, call: Incoming) -> Reply:
        one, body = self.shareholders.all.get(call.args["id"]), read_object(call)
        if one is None:
            return message(404, "Not found.")
        if body is None:
            return message(400, "Syntax error")
        problems = [*(_check(body, "name") if "name" in body else ()), *_check_rfc(body)]
        if problems:
            return violations(problems)
        one.name = str(body.get("name", one.name))
        one.rfc = _rfc(body) if "rfc" in body else one.rfc
        one.updated_at = self.accounts.now()
        return self._shown(one)

    async def _delete(self, call: Incoming) -> Reply:
        one = self.shareholders.all.pop(call.args["id"], None)
        return message(404, "Not found.") if one is None else Reply(status=204)

    def _shown(self, one: Shareholder | None) -> Reply:
        return detail(shareholder_row(self.shareholders, one) if one else None, "Shareholder")

    # Relations and sources

    def _place(self, parts: _Parts) -> _Place | None:
        one = self.shareholders.all.get(parts["id"])
        relation = one.relations.get(parts["relation"]) if one else None
        return None if one is None or relation is None else (one, relation)

    def _source(self, parts: _Parts) -> tuple[Shareholder, Relation, Source] | None:
        place = self._place(parts)
        sources = place[1].sources.values() if place else ()
        found = next((each for each in sources if each.id == parts["source"]), None)
        return None if place is None or found is None else (*place, found)

    async def _get_relation(self, call: Incoming) -> Reply:
        place = self._place(call.args)
        return detail(relation_row(self.shareholders, *place) if place else None, "ShareholderRelation")

    async def _update_relation(self, call: Incoming) -> Reply:
        place, body = self._place(call.args), read_object(call)
        if place is None:
            return message(404, "Not found.")
        if body is None:
            return message(400, "Syntax error")
        problems = [*_check(body, "shares")]
        if problems:
            return violations(problems)
        self.shareholders.hold(*place, self.accounts.entities[place[1].entity], _number(body["shares"]))
        return detail(relation_row(self.shareholders, *place), "ShareholderRelation")

    async def _delete_relation(self, call: Incoming) -> Reply:
        place = self._place(call.args)
        if place is None:
            return message(404, "Not found.")
        del place[0].relations[place[1].id]
        return Reply(status=204)

    async def _promote(self, call: Incoming) -> Reply:
        place, body = self._place(call.args), read_object(call)
        if place is None:
            return message(404, "Not found.")
        if body is None:
            return message(400, "Syntax error")
        one, relation = place
        problems = [*_check(body, "name", "rfc"), *_check_rfc(body), *_check_sources(body)]
        if one.entity is not None and not problems:  # what Syntage does then is not documented
            problems = [("", "The shareholder is promoted already.")]
        kind = "company" if len(str(body.get("rfc"))) == 12 else "person"
        made = problems or self.accounts.add({"name": body["name"], "rfc": body["rfc"], "type": kind})
        if isinstance(made, list):
            return violations(made)
        one.entity, one.rfc, one.updated_at = made.id, one.rfc or made.subject.rfc, self.accounts.now()
        self.shareholders.announce("updated", one, relation, self.accounts.entities[relation.entity], None)
        self.onboard(made, body)
        return answer(200, {
            "@type": "ShareholderPromotedResponse",
            "id": made.id,
            "name": made.subject.name,
            "rfc": made.subject.rfc,
            "onboardingUrl": f"{call.origin(self.url())}/onboarding/{made.id}",
        }, LD_JSON)  # fmt: skip

    async def _get_source(self, call: Incoming) -> Reply:
        found = self._source(call.args)
        return detail(source_row(self.shareholders, *found) if found else None, "ShareholderRelationsSource")

    async def _delete_source(self, call: Incoming) -> Reply:
        found = self._source(call.args)
        if found is None:
            return message(404, "Not found.")
        self.shareholders.remove_source(*found)
        return Reply(status=204)

    # Company verification

    async def _report_pdf(self, call: Incoming) -> Reply:
        for file in self.files.of(f"{REPORTS}/{call.args['id']}", ("company_verification_report.pdf",)):
            return Reply(status=200, body=b"".join(file.chunks()), content_type=file.mime_type)
        return message(404, "Not found.")

    async def _get_found(self, call: Incoming) -> Reply:
        return detail(self.found.find(call.args["id"], call.args["found"]), "FoundEntity")


def _is_of(one: Shareholder, entity: Entity) -> bool:
    return any(each.entity == entity.id for each in one.relations.values())


def _check(body: JsonObject, *names: str) -> Iterator[Problem]:
    """Check what must be there."""
    for name in names:
        value = body.get(name)
        if name == "shares":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or _number(value) < _FEWEST:
                yield name, f"This value should be greater than or equal to {_FEWEST}."
        elif not isinstance(value, str) or not value.strip():
            yield name, _BLANK
        elif name == "relationType" and value not in RELATION_TYPES:
            yield name, _CHOICE


def _check_rfc(body: JsonObject) -> Iterator[Problem]:
    rfc = body.get("rfc")
    if rfc is not None and (not isinstance(rfc, str) or RFC.fullmatch(rfc) is None):
        yield "rfc", "This value is not a valid RFC."


def _check_sources(body: JsonObject) -> Iterator[Problem]:
    for index, source in enumerate(sources_of(body)):
        if source not in SOURCES:
            yield f"datasources[{index}].name", _CHOICE


def _rfc(body: JsonObject) -> str | None:
    rfc = body.get("rfc")
    return rfc if isinstance(rfc, str) else None


def _number(value: Json) -> Decimal:
    return Decimal(str(value))
