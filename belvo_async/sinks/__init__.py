"""Where rows of jobs are written: files that are whole or absent, with receipts that can be recounted."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from ..abc import OpenPart, PartKey, Receipt, SideFile, Sink
from .opening import Maker, open_sink

if TYPE_CHECKING:
    from .documents import Saved, save_files
    from .folder import FolderSink
    from .formats.csv import CsvSink
    from .formats.excel import ExcelSink
    from .formats.ndjson import NdjsonSink
    from .formats.parquet import ParquetSink
    from .merging import merge
    from .recounting import Recount, recount

__all__ = [
    "CsvSink",
    "ExcelSink",
    "FolderSink",
    "Maker",
    "NdjsonSink",
    "OpenPart",
    "ParquetSink",
    "PartKey",
    "Receipt",
    "Recount",
    "Saved",
    "SideFile",
    "Sink",
    "merge",
    "open_sink",
    "recount",
    "save_files",
]

# Loaded when first used: who writes NDJSON needs nothing of the others.
_LAZY: Final = {
    "CsvSink": "formats.csv",
    "ExcelSink": "formats.excel",
    "FolderSink": "folder",
    "NdjsonSink": "formats.ndjson",
    "ParquetSink": "formats.parquet",
    "Recount": "recounting",
    "Saved": "documents",
    "merge": "merging",
    "recount": "recounting",
    "save_files": "documents",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value
