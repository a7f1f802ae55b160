"""Links and institutions: whose data, from where."""

from __future__ import annotations

from datetime import datetime

from .record import Record


class Link(Record, frozen=True, kw_only=True):
    """A taxpayer's stored access to SAT. `last_accessed_at` is None until a first success."""

    id: str | None = None
    institution: str | None = None
    access_mode: str | None = None
    last_accessed_at: datetime | None = None
    created_at: datetime | None = None
    external_id: str | None = None
    institution_user_id: str | None = None
    status: str | None = None
    created_by: str | None = None
    refresh_rate: str | None = None
    credentials_storage: str | None = None
    fetch_resources: tuple[str, ...] | None = ()
    stale_in: str | None = None


class FormFieldValue(Record, frozen=True, kw_only=True):
    """One choice of an institution's login form."""

    code: str | None = None
    label: str | None = None
    validation: str | None = None
    validation_message: str | None = None
    placeholder: str | None = None


class FormField(Record, frozen=True, kw_only=True):
    """One field of an institution's login form."""

    name: str | None = None
    type: str | None = None
    label: str | None = None
    validation: str | None = None
    placeholder: str | None = None
    validation_message: str | None = None
    values: tuple[FormFieldValue, ...] | None = ()


class Feature(Record, frozen=True, kw_only=True):
    """One ability of an institution."""

    name: str | None = None
    description: str | None = None


class OpenBanking(Record, frozen=True, kw_only=True):
    """An institution's open-finance particulars (Brazil)."""

    description: str | None = None
    participants: tuple[str, ...] | None = None
    authorization_server_id: str | None = None


class Institution(Record, frozen=True, kw_only=True):
    """A source of data, such as SAT; `status` is `healthy` or `down`."""

    id: int | None = None
    name: str | None = None
    type: str | None = None
    website: str | None = None
    display_name: str | None = None
    country_codes: tuple[str, ...] | None = ()
    primary_color: str | None = None
    logo: str | None = None
    icon_logo: str | None = None
    text_logo: str | None = None
    code: str | None = None
    form_fields: tuple[FormField, ...] | None = ()
    features: tuple[Feature, ...] | None = ()
    resources: tuple[str, ...] | None = ()
    integration_type: str | None = None
    status: str | None = None
    openbanking_information: OpenBanking | None = None
