"""Where a part lies: by vendor, resource and subject, so that DuckDB and polars read a folder of them as one table."""

from __future__ import annotations

from ..abc import PartKey
from ..jobs import harmless_word, subject_word


def folder_of(key: PartKey, table: str = "") -> str:
    """The folder of a subject's parts. `table` names a table beside the resource's own, like its line items."""
    resource = harmless_word(key.resource) + (f".{table}" if table else "")
    return f"vendor={harmless_word(key.vendor)}/resource={resource}/subject={subject_word(key.subject)}"


def part_path(key: PartKey, suffix: str, table: str = "") -> str:
    """Path of a part below the sink's directory: what was asked for, and the job; a repeated one meets its own."""
    period = [each.isoformat() for each in (key.first, key.last) if each is not None]
    directions = ["+".join(harmless_word(each) for each in key.directions)] if key.directions else []
    return f"{folder_of(key, table)}/{'_'.join([*period, *directions, harmless_word(key.job)])}{suffix}"
