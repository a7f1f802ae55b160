"""Comma-separated values: one line a record, its nested records spread out, its lists as JSON."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from ...abc import PartKey
from ...errors import ConfigurationError
from ..columns import ColumnKind, columns_of
from ..folder import FolderSink, take_choice
from ..part import PartWriter
from ..part_file import PartFile
from ..small_letters import Values, recaster
from ..tables import Cells, cells_of, one_table
from .lines import Encode, LineWriter

# What a spreadsheet would take for a formula, and what was already marked so.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


class CsvSink(FolderSink):
    """CSV in UTF-8, with a header, after RFC 4180; texts always stand in quotes, so that "" is not None.

    A text that a spreadsheet would run as a formula gets an apostrophe before it (one more where it has some already,
    so that it can be taken away again: `read_text`). With `plain=1` texts stand as they are.
    """

    kind: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"

    def __init__(self, directory: str | Path, options: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, options)
        given = dict(options or {})
        self._is_plain = take_choice(given, "plain", "0", "1") == "1"
        if given:
            raise ConfigurationError(f"`csv:` knows the option `plain`, not {', '.join(sorted(given))}")

    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the file of a part."""
        return LineWriter(
            PartFile(self.root / part, self.root), _encoder(key.record, self._is_plain), _head(key.record)
        )


def read_text(cell: str) -> str:
    """The text that a cell of ours holds: without the apostrophe that keeps it from being a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _head(record: type) -> bytes:
    return (",".join(each.name for each in one_table(record).leaves) + "\n").encode()


def _encoder(record: type, is_plain: bool) -> Encode:
    columns, recast = columns_of(record), recaster(record)
    text = _quoted if is_plain else _neutral
    of_kind: dict[ColumnKind, Callable[[Any], str]] = {**_CELLS, ColumnKind.TEXT: text, ColumnKind.OPEN: text}
    cells = [of_kind[each.column.kind] for each in one_table(record).leaves]

    def encode(rows: Sequence[Any], values: Sequence[Values]) -> bytes:
        held = cells_of(columns, recast(rows, values))
        written = [_written(cell, each) for cell, each in zip(cells, held, strict=True)]
        return ("\n".join(map(",".join, zip(*written, strict=True))) + "\n").encode()

    return encode


def _written(cell: Callable[[Any], str], values: Cells) -> list[str]:
    return ["" if each is None else cell(each) for each in values]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _neutral(text: str) -> str:
    return _quoted(f"'{text}") if _FORMULA.match(text) else _quoted(text)


def _instant(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _list(values: Sequence[object]) -> str:
    return _quoted(msgspec.json.encode(values).decode())


def _boolean(value: bool) -> str:
    return "true" if value else "false"


_CELLS: Final[Mapping[ColumnKind, Callable[[Any], str]]] = {
    # Without an exponent, which some readers of decimals do not take.
    ColumnKind.DECIMAL: lambda value: format(value, "f"),
    ColumnKind.INTEGER: str,
    ColumnKind.FLOAT: repr,
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.DATE: dt.date.isoformat,
    ColumnKind.INSTANT: _instant,
    ColumnKind.LIST: _list,
}
