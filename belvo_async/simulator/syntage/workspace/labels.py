"""Tags made, changed and deleted; put on invoices and entities, one by one or many at once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ...wire import Handler, Incoming, Json, JsonObject, Reply, Route, answer
from ..accounts import Accounts
from ..catalogue import detail
from ..errors import LD_JSON, hydra_error, message, violations
from ..handlers import read_object
from ..options import Problem
from ..rows.invoices import Entity
from ..state import GatheredRows
from ..tags import DEFAULT_COLOR, PATHS, Kind, Tags, newest_first
from .bodies import CHOICE, check_text, not_found, number_of, numbers_of, texts, wrong_media

MOST_RESOURCES, MOST_TAGS = 100, 50
# An entity's tag is known by its former name as well (description of the batch).
ENTITY_TAGS: Final = ("/entity-tags", "/link-tags")
_COLOR: Final = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The tags' routes; `invoice` gives an invoice with its tags, `on_remove` is told of an entity tag that is gone."""

    accounts: Accounts
    gathered_rows: GatheredRows
    invoice: Callable[[str], JsonObject | None]
    on_remove: Callable[[JsonObject], object]

    @property
    def tags(self) -> Tags:
        """All there are."""
        return self.accounts.tags

    def routes(self) -> Iterator[Route]:
        """Give the routes."""
        kinds: tuple[Kind, ...] = ("Tag", "EntityTag")
        for kind in kinds:
            path = PATHS[kind]
            yield Route("POST", path, self._create(kind))
            yield Route("PATCH", f"{path}/{{id}}", self._update(kind))
            yield Route("DELETE", f"{path}/{{id}}", self._delete(kind))
        yield Route("GET", "/entity-tags/{id}", self._get_entity_tag)
        yield Route("POST", "/invoices/{id}/tags", self._tag_invoice)
        yield Route("DELETE", "/invoices/{id}/tags/{tag}", self._untag_invoice)
        yield Route("POST", "/invoices/batch/tags", self._batch_invoices(is_off=False))
        yield Route("POST", "/invoices/batch/tags/remove", self._batch_invoices(is_off=True))
        yield Route("POST", "/entities/batch/tags", self._batch_entities(is_off=False))
        yield Route("POST", "/entities/batch/tags/remove", self._batch_entities(is_off=True))

    def read_entity_tags(self, value: Json) -> list[JsonObject] | None:
        """Read IRIs of entity tags; None when one of them is none."""
        found = [self.tags.find("EntityTag", number or "") for number in numbers_of(texts(value) or (), *ENTITY_TAGS)]
        known = [tag for tag in found if tag is not None]
        return newest_first(known) if texts(value) is not None and len(known) == len(found) else None

    # The tags themselves

    def _create(self, kind: Kind) -> Handler:
        async def create(call: Incoming) -> Reply:
            body = read_object(call)
            if body is None:
                return message(400, "Syntax error")
            problems = [*check_text(body, "name"), *_check_color(body)]
            if kind == "Tag":
                problems += check_text(body, "resourceType")
                problems += [] if problems or body["resourceType"] == "invoice" else [("resourceType", CHOICE)]
            if problems:
                return violations(problems)
            color = body.get("color")
            tag = self.tags.create(kind, str(body["name"]), str(color).lower() if color else None)
            return answer(201, {"@context": f"/contexts/{kind}", **tag}, LD_JSON)

        return create

    def _update(self, kind: Kind) -> Handler:
        async def update(call: Incoming) -> Reply:
            tag, body = self.tags.find(kind, call.args["id"]), read_object(call)
            if tag is None:
                return not_found()
            if (refused := wrong_media(call)) is not None:
                return refused
            if body is None:
                return message(400, "Syntax error")
            problems = [*(check_text(body, "name") if "name" in body else ()), *_check_color(body)]
            if problems:
                return violations(problems)
            changes: JsonObject = {name: body[name] for name in ("name", "color") if name in body}
            if "color" in changes:
                changes["color"] = str(changes["color"] or DEFAULT_COLOR).lower()
            self.tags.change(tag, changes)
            return detail(tag, kind)

        return update

    def _delete(self, kind: Kind) -> Handler:
        async def delete(call: Incoming) -> Reply:
            tag = self.tags.find(kind, call.args["id"])
            if tag is None:
                return not_found()
            self.tags.remove(kind, tag)
            if kind == "EntityTag":
                for entity in self.accounts.entities.values():
                    entity.tags = [one for one in entity.tags if one is not tag]
                self.on_remove(tag)
            return Reply(status=204)

        return delete

    async def _get_entity_tag(self, call: Incoming) -> Reply:
        return detail(self.tags.find("EntityTag", call.args["id"]), "EntityTag")

    # On invoices

    async def _tag_invoice(self, call: Incoming) -> Reply:
        """Replaces what it wears: so says the schema, though the summary speaks of adding."""
        number, body = call.args["id"], read_object(call)
        if self.gathered_rows.find(number) is None:
            return not_found()
        iris = texts((body or {}).get("tags", []))
        if body is None or iris is None:
            return message(400, "Syntax error")
        found = [self.tags.find("Tag", one or "") for one in numbers_of(iris, "/tags")]
        known = [tag for tag in found if tag is not None]
        if len(known) < len(found):
            return hydra_error(400, "Item not found.")
        if "tags" in body:
            self.tags.put_on(number, known)
        return detail(self.invoice(number), "Invoice")

    async def _untag_invoice(self, call: Incoming) -> Reply:
        number, tag = call.args["id"], self.tags.find("Tag", call.args["tag"])
        if self.gathered_rows.find(number) is None or tag is None:
            return not_found()
        self._wear(number, [tag], is_off=True)
        return Reply(status=204)

    def _wear(self, number: str, tags: list[JsonObject], *, is_off: bool) -> None:
        worn = [tag for tag in self.tags.of_invoice(number) if tag not in tags]
        self.tags.put_on(number, worn if is_off else [*worn, *tags])

    def _batch_invoices(self, *, is_off: bool) -> Handler:
        def apply(numbers: list[str], tags: list[JsonObject]) -> None:
            for number in numbers:
                self._wear(number, tags, is_off=is_off)

        def find(number: str) -> object:
            return self.gathered_rows.find(number)

        return _batch("/invoices", find, lambda iri: self.tags.find("Tag", number_of(iri, "/tags") or ""), apply)

    # On entities

    def _batch_entities(self, *, is_off: bool) -> Handler:
        def apply(numbers: list[str], tags: list[JsonObject]) -> None:
            for number in numbers:
                entity = self.accounts.entities[number]
                kept = [tag for tag in entity.tags if tag not in tags]
                self.dress(entity, kept if is_off else [*kept, *tags])

        def find(number: str) -> object:
            return self.accounts.entities.get(number)

        return _batch(
            "/entities", find, lambda iri: self.tags.find("EntityTag", number_of(iri, *ENTITY_TAGS) or ""), apply
        )

    def dress(self, entity: Entity, tags: list[JsonObject]) -> None:
        """Let an entity wear these tags and no others; `link.updated` tells it where that is news."""
        before, entity.tags = entity.tags, newest_first(tags)
        if entity.tags != before:
            self.accounts.tell_entity("link.updated", entity)


def _check_color(body: JsonObject) -> list[Problem]:
    color = body.get("color")
    is_color = color is None or (isinstance(color, str) and _COLOR.fullmatch(color) is not None)
    return [] if is_color else [("color", "This value is not a valid hexadecimal color.")]


def _batch(
    collection: str,
    find: Callable[[str], object],
    find_tag: Callable[[str], JsonObject | None],
    apply: Callable[[list[str], list[JsonObject]], None],
) -> Handler:
    """Change all of them or none: 422 for too few or too many, 404 for one that is unknown."""

    async def batch(call: Incoming) -> Reply:
        body = read_object(call) or {}
        resources, tags = texts(body.get("resources")), texts(body.get("tags"))
        for name, listed, most in (("resources", resources, MOST_RESOURCES), ("tags", tags, MOST_TAGS)):
            if listed is None or not 1 <= len(listed) <= most:
                return hydra_error(422, f"{name}: This collection should contain between 1 and {most} elements.")
        numbers = [number or "" for number in numbers_of(resources or (), collection)]
        found = [find_tag(iri) for iri in tags or ()]
        known = [tag for tag in found if tag is not None]
        if any(find(number) is None for number in numbers) or len(known) < len(found):
            return not_found()
        apply(numbers, known)
        shown: JsonObject = {"resources": [*numbers], "tags": [tag["id"] for tag in known]}
        return answer(201, shown, LD_JSON)

    return batch
