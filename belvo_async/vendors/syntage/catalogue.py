"""What Syntage takes: every task, query, call and file of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ...abc import Call, Download, Query
from ...jobs import Task
from . import schema
from .schema import Export, Extraction

__all__ = ["CALLS", "DOWNLOADS", "QUERIES", "TASKS"]


def _of(kind: type[object]) -> tuple[type[object], ...]:
    exported: list[object] = [getattr(schema, name) for name in schema.__all__]
    return tuple(each for each in exported if isinstance(each, type) and issubclass(each, kind))


TASKS: Final[Mapping[str, type[Task[Any]]]] = MappingProxyType(
    {"syntage.Extraction": Extraction, "syntage.Export": Export}
)
QUERIES: Final = _of(Query)
CALLS: Final = _of(Call)
DOWNLOADS: Final = _of(Download)
