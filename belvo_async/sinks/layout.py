"""Where a part lies: by vendor, resource and subject, so that DuckDB and polars read a folder of them as one table."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ..abc import PartKey

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENTITY: Final = re.compile(rf"(?:/\w+/)?({_UUID})", re.IGNORECASE | re.ASCII)
_RFC: Final = re.compile(r"(?<![A-Z0-9&])[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}(?![A-Z0-9])", re.IGNORECASE)
# What no system reads as anything but a name, and no reader of folders as hidden.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


def folder_of(key: PartKey, table: str = "") -> str:
    """The folder of a subject's parts. `table` names a table beside the resource's own, like its line items."""
    resource = _word(key.resource) + (f".{table}" if table else "")
    return f"vendor={_word(key.vendor)}/resource={resource}/subject={subject_word(key.subject)}"


def part_path(key: PartKey, suffix: str, table: str = "") -> str:
    """Path of a part below the sink's directory: what was asked for, and the job; a repeated one meets its own."""
    period = [each.isoformat() for each in (key.first, key.last) if each is not None]
    directions = ["+".join(_word(each) for each in key.directions)] if key.directions else []
    return f"{folder_of(key, table)}/{'_'.join([*period, *directions, _word(key.job)])}{suffix}"


def subject_word(subject: str) -> str:
    """A subject as a folder's name: its UUID. An RFC, or what may hold one, is never in it: a digest stands for it."""
    if match := _ENTITY.fullmatch(subject):
        return match.group(1).lower()
    return _word(subject)


def _word(text: str) -> str:
    """A word as it is where it is harmless, else a digest of it."""
    if _HARMLESS.fullmatch(text) and not _RFC.search(text):
        return text
    return f"x{hashlib.sha256(text.encode()).hexdigest()[:16]}"
