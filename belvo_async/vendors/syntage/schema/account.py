"""Records about the account itself: entities, credentials, extractions, exports, events, labels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from ....discreet import discreet
from .record import File, Part, Record, Taxpayer, hold


class Tag(Record, frozen=True, kw_only=True):
    """A label put on an invoice."""

    name: str | None = None
    resource_type: str | None = None
    color: str | None = None


class EntityTag(Record, frozen=True, kw_only=True):
    """A label put on an entity."""

    name: str | None = None
    color: str | None = None


class StatusReason(Part, frozen=True, kw_only=True):
    """Why a credential is not valid, in one word like `unsupportedPortableEfirma`."""

    type: str | None = None


class Credential(Record, frozen=True, kw_only=True):
    """Access to the SAT (resources/datasources/sat/credentials). `type` is `ciec` or `efirma`.

    `status` is pending, waiting, valid, invalid, disabled or error. `status_reason` is named in the guide only.
    """

    type: str | None = None
    rfc: str | None = None
    status: str | None = None
    status_reason: StatusReason | None = None


class Entity(Record, frozen=True, kw_only=True):
    """A company or a person whose data is fetched (`GET /entities`). `taxpayer` is missing without an RFC."""

    type: str | None = None
    taxpayer: Taxpayer | None = None
    credential: Credential | None = None
    tags: tuple[EntityTag, ...] | None = None


class EntityAdded(Part, frozen=True, kw_only=True):
    """What creating an entity answers. Whoever holds `onboarding_url` may add credentials to it."""

    ld_type: str | None = msgspec.field(default=None, name="@type")
    id: str | None = None
    name: str | None = None
    rfc: str | None = None
    onboarding_url: str | None = None


class ExtractionState(Record, frozen=True, kw_only=True):
    """An extraction as `GET /extractions` shows it (resources/core/extractions); the task is `Extraction`.

    `options` come back with defaults filled in and dates reformatted. With `rate_limited_at`, the SAT refused more
    downloads for about 24 hours and data may be missing. `total_data_points` was only seen in use.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "started_at", "finished_at", "rate_limited_at")

    taxpayer: Taxpayer | None = None
    extractor: str | None = None
    options: Mapping[str, object] | None = None
    status: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rate_limited_at: datetime | None = None
    error_code: str | None = None
    created_data_points: int | None = None
    updated_data_points: int | None = None
    total_data_points: int | None = None


class ExportState(Record, frozen=True, kw_only=True):
    """An export as `GET /exports/{id}` shows it; the task is `Export`. `file` is there once it is finished."""

    file: File | None = None
    format: str | None = None
    file_types: tuple[str, ...] | None = None
    status: str | None = None
    uri: str | None = None


class EventData(Part, frozen=True, kw_only=True):
    """`object` is the resource as it was then, `changes` maps fields to `{"old", "new"}`; both kept as bytes.

    Their types are loose (a total may be quoted), so they are not decoded into records.
    """

    object: msgspec.Raw = msgspec.Raw(b"null")
    changes: msgspec.Raw = msgspec.Raw(b"null")

    @discreet
    def __post_init__(self) -> None:
        hold(self, "object", "changes")


class Event(Record, frozen=True, kw_only=True):
    """Something that happened (resources/core/events).

    `id` is what de-duplication compares; `resource` the IRI of what it is about, `source` of what caused it.
    """

    taxpayer: Taxpayer | None = None
    type: str | None = None
    source: str | None = None
    resource: str | None = None
    data: EventData | None = None
