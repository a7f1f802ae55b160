"""Ids as users may give them, brought to the one form in which they are kept."""

from __future__ import annotations

import re
from typing import Final

from .....errors import TaskError

UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RFC: Final = "[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}"
TAXPAYER: Final = re.compile(f"/taxpayers/({RFC})", re.IGNORECASE)
_RFC: Final = re.compile(RFC, re.IGNORECASE)
_ENTITY: Final = re.compile(f"(?:/entities/)?({UUID})", re.IGNORECASE | re.ASCII)
_INVOICE: Final = re.compile(f"(?:/invoices/)?({UUID})", re.IGNORECASE | re.ASCII)
_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


def normal_subject(given: object) -> str:
    """Read an entity or, in the deprecated form, a taxpayer: an IRI."""
    text = given if isinstance(given, str) else ""
    if match := _ENTITY.fullmatch(text):
        return f"/entities/{match.group(1).lower()}"
    if match := TAXPAYER.fullmatch(text):
        return f"/taxpayers/{match.group(1).upper()}"
    raise TaskError("entity must be /entities/<uuid>, a bare uuid, or /taxpayers/<RFC>", field="entity")


def normal_entity(given: object) -> str:
    """Read an entity: its IRI."""
    match = _ENTITY.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise TaskError("entity must be /entities/<uuid> or a bare uuid", field="entity")
    return f"/entities/{match.group(1).lower()}"


def normal_invoice(given: object) -> str:
    """Read an invoice by Syntage's id, which is not the fiscal folio: its IRI."""
    match = _INVOICE.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise TaskError("invoice must be /invoices/<uuid> or a bare uuid", field="invoice")
    return f"/invoices/{match.group(1).lower()}"


def read_id(given: object, collection: str, field: str = "id") -> str:
    """Read an id, or an IRI of that collection: the bare id."""
    text = given.removeprefix(f"{collection}/") if isinstance(given, str) else ""
    if not _ID.fullmatch(text):
        raise TaskError(f"{field} must be an id or {collection}/<id>", field=field)
    return text


def read_rfc(given: object) -> str:
    """Read an RFC, in capitals."""
    if not isinstance(given, str) or not _RFC.fullmatch(given):
        raise TaskError("rfc must be an RFC: 3 or 4 letters, 6 digits, 3 letters or digits", field="rfc")
    return given.upper()
