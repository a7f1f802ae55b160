"""Labels: made, changed, put on invoices and entities, one by one or many at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec

from .....discreet import discreet
from .....errors import TaskError
from ..account import EntityTag, Tag
from ..forms.requests import Delete, Get, OneRequest
from ..invoices import Invoice
from ..record import Part

R_co = TypeVar("R_co", covariant=True)

_COLOR: Final = re.compile("#[0-9a-f]{6}", re.IGNORECASE | re.ASCII)
# What one request takes (OpenAPI 2020-06-28).
_MOST_RESOURCES: Final = 100
_MOST_TAGS: Final = 50


class _Colored(OneRequest[R_co], Generic[R_co], frozen=True, kw_only=True):
    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        color: Any = getattr(self, "color", None)
        if isinstance(color, str) and not _COLOR.fullmatch(color):
            raise TaskError("color must be like #22c558", field="color")


class CreateTag(_Colored[Tag], frozen=True, kw_only=True):
    """`POST /tags`: a label for invoices, the only kind of resource that Syntage names."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/tags"

    name: str
    resource_type: str = "invoice"
    color: str | None = None


class UpdateTag(_Colored[Tag], frozen=True, kw_only=True):
    """`PATCH /tags/{id}`: what is not named stays; the colour None is the default one."""

    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/tags/{id}"

    id: str
    name: str | None = None
    color: str | msgspec.UnsetType | None = msgspec.UNSET


class DeleteTag(Delete, frozen=True):
    """`DELETE /tags/{id}`. Invoices lose it."""

    path: ClassVar[str] = "/tags/{id}"


class CreateEntityTag(_Colored[EntityTag], frozen=True, kw_only=True):
    """`POST /entity-tags`: a label for entities. Schedulers run for the entities that wear theirs."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/entity-tags"

    name: str
    color: str | None = None


class GetEntityTag(Get[EntityTag], frozen=True):
    """`GET /entity-tags/{id}`."""

    path: ClassVar[str] = "/entity-tags/{id}"


class UpdateEntityTag(_Colored[EntityTag], frozen=True, kw_only=True):
    """`PATCH /entity-tags/{id}`: what is not named stays; the colour None is the default one."""

    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/entity-tags/{id}"

    id: str
    name: str | None = None
    color: str | msgspec.UnsetType | None = msgspec.UNSET


class DeleteEntityTag(Delete, frozen=True):
    """`DELETE /entity-tags/{id}`. Entities and schedulers lose it."""

    path: ClassVar[str] = "/entity-tags/{id}"


class TagInvoice(OneRequest[Invoice], frozen=True, kw_only=True):
    """`POST /invoices/{id}/tags`. Give all that the invoice is to wear: Syntage documents that they replace the former.

    `TagInvoices` adds, to one as to many. An empty tuple takes all away. Gives the invoice.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/invoices/{id}/tags"
    collections: ClassVar[Mapping[str, str]] = {"tags": "/tags"}
    clearing: ClassVar[frozenset[str]] = frozenset({"tags"})
    is_repeatable: ClassVar[bool] = True

    id: str
    tags: tuple[str, ...]


class UntagInvoice(OneRequest[None], frozen=True, kw_only=True):
    """`DELETE /invoices/{invoice}/tags/{tag}`."""

    method: ClassVar[str] = "DELETE"
    path: ClassVar[str] = "/invoices/{invoice}/tags/{tag}"
    collections: ClassVar[Mapping[str, str]] = {"tag": "/tags"}

    invoice: str
    tag: str


class TagBatch(Part, frozen=True, kw_only=True):
    """What a batch was applied to: ids of invoices or entities, and of tags."""

    resources: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


class _AllOrNone(OneRequest[TagBatch], frozen=True, kw_only=True):
    """All or nothing: one unknown id, and Syntage answers 404 and changes nothing. It may be sent again."""

    method: ClassVar[str] = "POST"
    is_repeatable: ClassVar[bool] = True

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        for name, most in (("resources", _MOST_RESOURCES), ("tags", _MOST_TAGS)):
            if len(getattr(self, name)) > most:
                raise TaskError(f"{name} must be at most {most}: that is what one request takes", field=name)


class TagInvoices(_AllOrNone, frozen=True, kw_only=True):
    """`POST /invoices/batch/tags`: add labels to up to 100 invoices, all or none. Those they wear already stay."""

    path: ClassVar[str] = "/invoices/batch/tags"
    collections: ClassVar[Mapping[str, str]] = {"resources": "/invoices", "tags": "/tags"}

    resources: tuple[str, ...]
    tags: tuple[str, ...]


class UntagInvoices(_AllOrNone, frozen=True, kw_only=True):
    """`POST /invoices/batch/tags/remove`: take labels off up to 100 invoices, all or none."""

    path: ClassVar[str] = "/invoices/batch/tags/remove"
    collections: ClassVar[Mapping[str, str]] = {"resources": "/invoices", "tags": "/tags"}

    resources: tuple[str, ...]
    tags: tuple[str, ...]


class TagEntities(_AllOrNone, frozen=True, kw_only=True):
    """`POST /entities/batch/tags`: add labels to up to 100 entities, all or none. Those they wear already stay."""

    path: ClassVar[str] = "/entities/batch/tags"
    collections: ClassVar[Mapping[str, str]] = {"resources": "/entities", "tags": "/entity-tags"}

    resources: tuple[str, ...]
    tags: tuple[str, ...]


class UntagEntities(_AllOrNone, frozen=True, kw_only=True):
    """`POST /entities/batch/tags/remove`: take labels off up to 100 entities, all or none."""

    path: ClassVar[str] = "/entities/batch/tags/remove"
    collections: ClassVar[Mapping[str, str]] = {"resources": "/entities", "tags": "/entity-tags"}

    resources: tuple[str, ...]
    tags: tuple[str, ...]
