"""What all records share: lenient reading, instants in UTC, reprs without data."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import ClassVar

import msgspec
from msgspec.structs import force_setattr

from .forms.subjects import UUID


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A part of a record, without an id of its own. Its repr shows no data."""

    _instants: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Dated(Part, frozen=True, kw_only=True):
    """A part with instants: named in `_instants`, they come out aware and in UTC."""

    def __post_init__(self) -> None:
        for name in self._instants:
            instant = getattr(self, name)
            if instant is not None and instant.tzinfo is not UTC:
                # Besides RFC 3339 Syntage prints `2024-01-02 03:04:05` (developers/event-examples): that is UTC.
                aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
                force_setattr(self, name, aware)


class Record(Dated, frozen=True, kw_only=True):
    """What every record shares: unknown fields are ignored, and none is required."""

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    iri: str | None = msgspec.field(default=None, name="@id")
    ld_type: str | None = msgspec.field(default=None, name="@type")
    id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_harmless_id(self.id)})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("id", _harmless_id(self.id))]


def _harmless_id(record_id: str | None) -> str:
    # A taxpayer's id is its RFC; all other ids are UUIDs.
    return record_id if record_id is not None and re.fullmatch(UUID, record_id, re.IGNORECASE) else "***"


def hold(record: msgspec.Struct, *names: str) -> None:
    """Give fields of undecoded JSON their own bytes: as decoded, they would keep a whole page in memory."""
    for name in names:
        force_setattr(record, name, getattr(record, name).copy())


class Taxpayer(Record, frozen=True, kw_only=True):
    """Who the data is about. `id` is the RFC; `person_type` is `physical` or `legal`."""

    person_type: str | None = None
    registration_date: date | None = None
    name: str | None = None


class File(Record, frozen=True, kw_only=True):
    """What Syntage knows of a file (OpenAPI, File): `FileDownload(file.id)` reads its bytes.

    `type` is a word like `invoice.cfdi.xml` or `tax_return.transcript`; `resource` the IRI of what it belongs to;
    `size` is in bytes. Embedded in another record, most of it may be missing.
    """

    type: str | None = None
    resource: str | None = None
    mime_type: str | None = None
    extension: str | None = None
    size: int | None = None
    filename: str | None = None
