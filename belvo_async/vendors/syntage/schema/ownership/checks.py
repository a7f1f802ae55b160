"""The records behind a background check: what the databases said."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from ..queries import OfObject
from ..record import Part, Record
from ..registers import BackgroundDatabase

BackgroundCategory: TypeAlias = Literal[
    "affiliations_and_insurances",
    "alert_in_media",
    "behavior",
    "business_background",
    "criminal_record",
    "driving_licenses",
    "international_background",
    "legal_background",
    "personal_identity",
    "professional_background",
    "traffic_fines",
    "vehicle_information",
    "vehicle_permits",
    "taxes_and_finances",
    "politically_exposed_person",
    "credit_history",
    "document_validation",
    "unknown",
]
"""What a check looks into. The list is the vendor's own, and closed."""


class BackgroundField(Part, frozen=True, kw_only=True):
    """One thing that was said."""

    id: str | None = None
    name: str | None = None
    value: str | None = None


class BackgroundSection(Part, frozen=True, kw_only=True):
    """Some things that belong together."""

    id: str | None = None
    title: str | None = None
    fields: tuple[BackgroundField, ...] | None = None


class BackgroundCheckRecord(Record, frozen=True, kw_only=True):
    """One record found (OpenAPI, BackgroundCheckRecord). It is about a person: nothing of it belongs into a log."""

    category: str | None = None
    database: BackgroundDatabase | None = None
    sections: tuple[BackgroundSection, ...] | None = None
    title: str | None = None


class BackgroundCheckRecords(OfObject[BackgroundCheckRecord], frozen=True, kw_only=True):
    """`GET /background-checks/{id}/records`."""

    path: ClassVar[str] = "/background-checks/{background_check}/records"

    background_check: str
    category: BackgroundCategory | None = None
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None = None
