"""A copy of what vendors hold, in DuckDB or PostgreSQL: typed, merged, with its history (extra `dlt`)."""

from __future__ import annotations

from .places.opening import open_place
from .places.place import MirrorPlace
from .sink import MirrorSink

__all__ = ["MirrorPlace", "MirrorSink", "open_place"]
