"""Entities that exist already: renamed, labelled, given identifiers, deleted with all that was fetched of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from msgspec.structs import force_setattr

from .....discreet import discreet
from .....errors import TaskError
from ..account import Entity
from ..forms.requests import Delete, OneRequest
from ..forms.subjects import RFC
from ..queries import OfEntity
from ..record import Record

_FORMS: Final = {
    "rfc": (re.compile(RFC, re.IGNORECASE), "an RFC: 3 or 4 letters, 6 digits, 3 letters or digits"),
    "curp": (
        re.compile("[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]", re.IGNORECASE | re.ASCII),
        "a CURP: 18 letters and digits",
    ),
}


class UpdateEntity(OneRequest[Entity], frozen=True, kw_only=True):
    """`PATCH /entities/{id}`: what is not named stays. `tags` replace all it had, an empty tuple takes them away.

    `TagEntities` adds labels, to one as to many.
    """

    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/entities/{id}"
    collections: ClassVar[Mapping[str, str]] = {"tags": "/entity-tags"}
    clearing: ClassVar[frozenset[str]] = frozenset({"tags"})

    id: str
    name: str | None = None
    tags: tuple[str, ...] | None = None


class DeleteEntity(Delete, frozen=True):
    """`DELETE /entities/{id}`: the entity and the data fetched for it. There is no way back.

    Who must erase a taxpayer (ARCO) has copies too: results that were saved, mirrors, and the jobs of the store.
    """

    path: ClassVar[str] = "/entities/{id}"


class EntityIdentifier(Record, frozen=True, kw_only=True):
    """By what else an entity is known: `identifier` is `rfc` or `curp`, `value` what it is."""

    link: str | None = None
    country: str | None = None
    identifier: str | None = None
    value: str | None = None


class EntityIdentifiers(OfEntity[EntityIdentifier], frozen=True, kw_only=True):
    """`GET /entities/{id}/identifiers`."""

    under: ClassVar[str] = "/identifiers"
    is_sized: ClassVar[bool] = False


class AddEntityIdentifier(OneRequest[EntityIdentifier], frozen=True, kw_only=True):
    """`POST /entities/{entity}/identifiers`: an RFC, or the CURP of a person. Raises TaskError."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/entities/{entity}/identifiers"

    entity: str
    identifier: Literal["rfc", "curp"]
    value: str
    country: Literal["mx"] = "mx"

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        form, described = _FORMS[self.identifier]
        if not form.fullmatch(self.value):
            raise TaskError(f"value must be {described}", field="value")
        force_setattr(self, "value", self.value.upper())
