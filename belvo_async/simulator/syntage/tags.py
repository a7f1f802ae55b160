"""Tags: the labels an account keeps for its entities, and those it keeps for invoices; and who wears which."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from ..faults import Dice
from ..wire import Json, JsonObject
from .rows.invoices import OrderedIds, stamp

# Oldest first: name and colour, which not every tag has.
ENTITY_LABELS: Final = (("daily", "#a3aab5"), ("monthly", None), ("clients", "#3b7dd8"))
INVOICE_LABELS: Final = (("reviewed", "#2e9e6b"), ("in dispute", "#d8453b"), ("reimbursable", None))
AGE: Final = timedelta(days=30)
# What a tag made without a colour, or with null, comes to have (schema of Tag).
DEFAULT_COLOR: Final = "#a3aab5"
Kind: TypeAlias = Literal["EntityTag", "Tag"]
PATHS: Final[dict[Kind, str]] = {"EntityTag": "/entity-tags", "Tag": "/tags"}


class Tags:
    """All tags there are, newest first, and which of them invoices wear. The first ones are the same for a seed."""

    def __init__(self, dice: Dice, now: Callable[[], datetime]) -> None:
        self.version = 0  # counts changes, for those who derive something from what invoices wear
        self._now = now
        began = now() - AGE
        ids = OrderedIds(dice.stream("tag_ids"), lambda: began)
        self._new_ids = OrderedIds(dice.stream("new_tag_ids"), now)
        self.of_entities: list[JsonObject] = [
            _tag("EntityTag", number, name, color, began) for (name, color), number in _newest_first(ENTITY_LABELS, ids)
        ]
        # The vendor gives no word for what a tag may be put on; invoices are all it tells of.
        self.of_invoices: list[JsonObject] = [
            _tag("Tag", number, name, color, began) for (name, color), number in _newest_first(INVOICE_LABELS, ids)
        ]
        self._drawn = tuple(self.of_invoices)
        self._worn: dict[str, list[JsonObject]] = {}

    def all(self, kind: Kind) -> list[JsonObject]:
        """Give the tags of a kind, newest first."""
        return self.of_entities if kind == "EntityTag" else self.of_invoices

    def find(self, kind: Kind, number: str) -> JsonObject | None:
        """Give a tag by its id."""
        return next((tag for tag in self.all(kind) if tag["id"] == number), None)

    def create(self, kind: Kind, name: str, color: str | None) -> JsonObject:
        """Make a tag."""
        tag = _tag(kind, self._new_ids(), name, color or DEFAULT_COLOR, self._now())
        self.all(kind).insert(0, tag)
        return tag

    def change(self, tag: JsonObject, changes: JsonObject) -> None:
        """Change a tag where it stands: whoever wears it shows it so."""
        tag.update(changes)
        tag["updatedAt"] = stamp(self._now())
        self.version += 1

    def remove(self, kind: Kind, tag: JsonObject) -> None:
        """Forget a tag. Invoices lose it; who holds it of the entities' sees to that."""
        self.all(kind).remove(tag)
        for worn in self._worn.values():
            if tag in worn:
                worn.remove(tag)
        self.version += 1

    def of_entity(self, index: int) -> list[JsonObject]:
        """Give the tags of the entity number `index`, newest first: two, one or none, in turn."""
        return [*self.of_entities[: (2, 1, 0)[index % 3]]]

    def of_invoice(self, number: str) -> list[JsonObject]:
        """Give the tags of an invoice: what was put on it; else one for every fifth or so, by chance of its id."""
        if number in self._worn:
            return self._worn[number]
        draw = int(number.replace("-", "")[-4:], 16)
        tag = self._drawn[draw % len(self._drawn)]
        return [tag] if draw % 5 == 0 and tag in self.of_invoices else []

    def put_on(self, number: str, tags: Sequence[JsonObject]) -> None:
        """Let an invoice wear these, and no others."""
        self._worn[number] = newest_first(tags)
        self.version += 1

    def forget(self, number: str) -> None:
        """Forget what an invoice wears: it is held no longer."""
        self._worn.pop(number, None)


def newest_first(tags: Sequence[JsonObject]) -> list[JsonObject]:
    """Give tags in the order in which they are listed, each once."""
    by_number = {str(tag["id"]): tag for tag in tags}
    return [by_number[number] for number in sorted(by_number, reverse=True)]


def _newest_first(
    labels: Sequence[tuple[str, str | None]], ids: Callable[[], str]
) -> list[tuple[tuple[str, str | None], str]]:
    return [(label, ids()) for label in labels][::-1]


def _tag(kind: Kind, number: str, name: str, color: str | None, made: datetime) -> JsonObject:
    at, iri = stamp(made), f"{PATHS[kind]}/{number}"
    head: JsonObject = {"@id": iri, "@type": kind, "id": number, "name": name, "color": color}
    more: dict[str, Json] = {"resourceType": "invoice"} if kind == "Tag" else {}
    return {**head, **more, "createdAt": at, "updatedAt": at}
