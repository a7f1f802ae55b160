"""Tags: the labels an account keeps for its entities, and those it keeps for invoices. They can only be read here."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from ..faults import Dice
from ..wire import JsonObject
from .rows.invoices import OrderedIds, stamp

# Oldest first: name and colour, which not every tag has.
ENTITY_LABELS: Final = (("daily", "#a3aab5"), ("monthly", None), ("clients", "#3b7dd8"))
INVOICE_LABELS: Final = (("reviewed", "#2e9e6b"), ("in dispute", "#d8453b"), ("reimbursable", None))
AGE: Final = timedelta(days=30)


class Tags:
    """All tags there are, newest first, and who wears which: always the same for a seed."""

    def __init__(self, dice: Dice, now: Callable[[], datetime]) -> None:
        began = now() - AGE
        ids = OrderedIds(dice.stream("tag_ids"), lambda: began)
        self.of_entities: Sequence[JsonObject] = [
            _tag("EntityTag", f"/entity-tags/{number}", number, name, color, began)
            for (name, color), number in _newest_first(ENTITY_LABELS, ids)
        ]
        # The vendor gives no word for what a tag may be put on; invoices are all it tells of.
        self.of_invoices: Sequence[JsonObject] = [
            {**_tag("Tag", f"/tags/{number}", number, name, color, began), "resourceType": "invoice"}
            for (name, color), number in _newest_first(INVOICE_LABELS, ids)
        ]

    def find(self, number: str) -> JsonObject | None:
        """Give an entity's tag by its id."""
        return next((tag for tag in self.of_entities if tag["id"] == number), None)

    def of_entity(self, index: int) -> list[JsonObject]:
        """Give the tags of the entity number `index`, newest first: two, one or none, in turn."""
        return [*self.of_entities[: (2, 1, 0)[index % 3]]]

    def of_invoice(self, number: str) -> list[JsonObject]:
        """Give the tags of an invoice: one for every fifth or so, by chance of its id."""
        draw = int(number.replace("-", "")[-4:], 16)
        return [self.of_invoices[draw % len(self.of_invoices)]] if draw % 5 == 0 else []


def _newest_first(
    labels: Sequence[tuple[str, str | None]], ids: Callable[[], str]
) -> list[tuple[tuple[str, str | None], str]]:
    return [(label, ids()) for label in labels][::-1]


def _tag(kind: str, iri: str, number: str, name: str, color: str | None, made: datetime) -> JsonObject:
    at = stamp(made)
    return {"@id": iri, "@type": kind, "id": number, "name": name, "color": color, "createdAt": at, "updatedAt": at}
