"""What an account changes of its entities: their name, their tags, the numbers they are known by."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import RFC, Accounts
from ..catalogue import Listing, detail
from ..errors import LD_JSON, message, violations
from ..handlers import read_object
from ..options import Problem
from ..rows.invoices import Entity, record_id, stamp
from .bodies import CHOICE, check_text, not_found, wrong_media

_CURP: Final = re.compile(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d")


def identifier_row(entity: Entity, kind: str, value: str, made: datetime) -> JsonObject:
    """Give one identifier as Syntage shows it."""
    number = record_id(entity.id, f"identifier:{kind}:{value}", made)
    return {
        "@id": f"/.well-known/genid/{number.replace('-', '')[:20]}",
        "@type": "EntityIdentifier",
        "id": number,
        "link": entity.iri,
        "country": "mx",
        "identifier": kind,
        "value": value,
        "createdAt": stamp(made),
        "updatedAt": stamp(made),
    }


def identifiers_of(entity: Entity) -> list[JsonObject]:
    """Give all of an entity's, newest first: the RFC it was made with, and those that were added."""
    known = {str(row["identifier"]) for row in entity.identifiers}
    first = identifier_row(entity, "rfc", entity.subject.rfc, entity.created_at)
    rows = [*entity.identifiers, *([first] if entity.subject.rfc and "rfc" not in known else [])]
    return sorted(rows, key=lambda row: str(row["id"]), reverse=True)


@dataclass(frozen=True, kw_only=True)
class EntityChanges:
    """Their routes. `dress` gives an entity its tags; `read_tags` reads their IRIs."""

    accounts: Accounts
    now: Callable[[], datetime]
    read_tags: Callable[[Json], list[JsonObject] | None]
    dress: Callable[[Entity, list[JsonObject]], None]

    def routes(self) -> Iterator[Route]:
        """Give the routes."""
        yield Route("PATCH", "/entities/{id}", self._update)
        path = "/entities/{id}/identifiers"
        yield Listing(template=path, context="EntityIdentifier", rows=self._rows, style="page").route()
        yield Route("POST", path, self._add)

    def identify(self, entity: Entity, body: JsonObject) -> None:
        """Keep the identifiers an entity was created with; its RFC is known already."""
        listed = body.get("identifiers")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and one.get("identifier") == "curp" and not _check(one):
                entity.identifiers.append(identifier_row(entity, "curp", str(one["value"]), entity.created_at))

    async def _update(self, call: Incoming) -> Reply:
        entity, body = self.accounts.entities.get(call.args["id"]), read_object(call)
        if entity is None:
            return not_found()
        if (refused := wrong_media(call)) is not None:
            return refused
        if body is None:
            return message(400, "Syntax error")
        problems: list[Problem] = check_text(body, "name") if "name" in body else []
        tags = self.read_tags(body["tags"]) if "tags" in body else entity.tags
        if problems or tags is None:
            return violations([*problems, *([("tags", "Item not found.")] if tags is None else [])])
        if "name" in body and body["name"] != entity.name:
            entity.name = str(body["name"])
            self.accounts.tell_entity("link.updated", entity)
        self.dress(entity, tags)
        return detail(entity.row(), "Link")

    def _rows(self, args: Mapping[str, str]) -> list[JsonObject] | None:
        entity = self.accounts.entities.get(args["id"])
        return None if entity is None else identifiers_of(entity)

    async def _add(self, call: Incoming) -> Reply:
        entity, body = self.accounts.entities.get(call.args["id"]), read_object(call)
        if entity is None:
            return not_found()
        if body is None:
            return message(400, "Syntax error")
        problems = _check(body)
        kind, value = str(body.get("identifier")), str(body.get("value"))
        if not problems and self._is_used(entity, kind, value):
            problems = [("value", "This value is already used.")]
        if problems:
            return message(400, "\n".join(f"{path}: {text}" for path, text in problems))
        row = identifier_row(entity, kind, value, self.now())
        entity.identifiers.append(row)
        if kind == "rfc" and not entity.subject.rfc:
            entity.subject = replace(entity.subject, rfc=value)
            self.accounts.take_up(entity)
        self.accounts.tell_entity("link.updated", entity)
        return answer(201, {"@context": "/contexts/EntityIdentifier", **row}, LD_JSON)

    def _is_used(self, entity: Entity, kind: str, value: str) -> bool:
        """Tell whether an entity has one of that kind, or an RFC is another's: of each there is one."""
        has_one = any(row["identifier"] == kind for row in identifiers_of(entity))
        return has_one or (kind == "rfc" and self.accounts.by_rfc(value) is not None)


def _check(body: JsonObject) -> list[Problem]:
    problems: list[Problem] = []
    if body.get("country") != "mx":
        problems.append(("country", CHOICE))
    forms = {"rfc": RFC, "curp": _CURP}
    form = forms.get(str(body.get("identifier")))
    if form is None:
        problems.append(("identifier", CHOICE))
    elif form.fullmatch(str(body.get("value") or "")) is None:
        problems.append(("value", "This value is not valid."))
    return problems
