"""A copy of what vendors hold, in DuckDB or PostgreSQL: typed, merged, with its history (extra `dlt`)."""

from __future__ import annotations

from .lists import ListEnd, ListProgress, ListTask, check_names, list_names, list_tasks, mirror_lists
from .places.opening import open_place
from .places.place import MirrorPlace
from .sink import MirrorSink
from .source import records

__all__ = [
    "ListEnd",
    "ListProgress",
    "ListTask",
    "MirrorPlace",
    "MirrorSink",
    "check_names",
    "list_names",
    "list_tasks",
    "mirror_lists",
    "open_place",
    "records",
]
